"""Long computations beside the event loop, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from shared.web.problems import refused

T = TypeVar("T")


class Beside:
    """Runs pure functions in threads, at most so many at once; the loop goes on consuming and answering meanwhile.

    Threads do, because what is computed is bounded beforehand: no single step holds the interpreter for long.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, or what it raises. Raises `ApiProblem` (503) where too many are running.

        A caller who leaves does not end a thread: its place is free when it has ended, not before.
        """
        if not self._free:
            raise refused("http.busy")
        self._free -= 1
        running = asyncio.get_running_loop().run_in_executor(None, work)
        running.add_done_callback(self._ended)
        return await asyncio.shield(running)

    def _ended(self, done: asyncio.Future[Any]) -> None:
        self._free += 1
        if not done.cancelled():
            done.exception()  # told to the caller, if it is still there
