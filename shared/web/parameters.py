"""Parameters that many routes have."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

AnyYear = Annotated[int, Field(ge=0, le=9_999)]
"""A year or period in a path or query: 0 = without one. The database takes no number beyond 64 bits."""
