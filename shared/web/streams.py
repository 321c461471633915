"""Answers that are sent while they are made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def begun(parts: AsyncIterator[T]) -> AsyncIterator[T]:
    """The same parts, once the first one is there: what fails before it can still be answered as a problem."""
    try:
        first = [await anext(parts)]
    except StopAsyncIteration:
        first = []

    async def whole() -> AsyncIterator[T]:
        for part in first:
            yield part
        async for part in parts:
            yield part

    return whole()
