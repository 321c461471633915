"""Paging by key: stable while rows come in, unlike offsets."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page. `next` is `null` on the last one."""

    items: list[T]
    next: str | None = None
