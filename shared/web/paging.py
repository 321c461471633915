"""Parameters of paged routes (`shared.answers.page`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from shared.web.parameters import Whole

Limit = Annotated[int, Query(ge=1, le=5_000, description="Rows per page"), Whole]
After = Annotated[str | None, Query(max_length=300, description="`next` of the page before")]
AfterNewer = Annotated[
    str | None, Query(max_length=300, pattern=r"^[0-9]{1,13}/.+$", description="`next` of the page before")
]
"""The same of a list with the newest first: what comes in meanwhile stands before all that was answered."""
