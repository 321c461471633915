"""One answer for a crowd: what is asked by anybody, and costs a question to a server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
SECONDS = 1.0
"""How long an answer is told again: less than anybody waits who watches over a service."""


class Lately(Generic[T]):
    """An answer that is shared by all who ask while it is made, and told again for a moment."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[T] | None = None
        self._until = 0.0

    async def __call__(self) -> T:
        """The answer; raises what asking raised. Who leaves before it comes ends nobody else's question."""
        if self._asking is None or (self._asking.done() and time.monotonic() >= self._until):
            self._asking = asyncio.create_task(self._made(), name="lately")
        return await asyncio.shield(self._asking)

    async def _made(self) -> T:
        try:
            return await self._ask()
        finally:
            self._until = time.monotonic() + SECONDS
