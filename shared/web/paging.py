"""Parameters of paged routes (`shared.answers.page`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

Limit = Annotated[int, Query(ge=1, le=5_000, description="Rows per page")]
After = Annotated[str | None, Query(description="`next` of the page before")]
