"""Paging by key: stable while rows come in, unlike offsets."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=5_000, description="Rows per page")]
After = Annotated[str | None, Query(description="`next` of the page before")]


class Page(BaseModel, Generic[T]):
    """One page. `next` is `null` on the last one."""

    items: list[T]
    next: str | None = None
