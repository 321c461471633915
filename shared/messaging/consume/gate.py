"""The rebalance gate: partitions are given away only when the batch in flight is done and its offsets are committed.

Without it the consumer library rejoins the group in the background while a handler still works on partitions that
another member has begun to read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

log = structlog.get_logger()


class Gate(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Entered synchronously in the parser, before the first await after the fetch; left after the commit."""

    def __init__(self, *, patience_seconds: float, on_assigned: Callable[[set[TopicPartition]], None]) -> None:
        self._idle = asyncio.Event()
        self._idle.set()
        self._patience = patience_seconds
        self._on_assigned = on_assigned
        self._next: list[Callable[[], None]] = []

    def enter(self) -> None:
        """A batch was fetched."""
        self._idle.clear()

    def leave(self) -> None:
        """The batch is finished, or sought back."""
        try:
            while self._next:
                self._next.pop(0)()
        finally:
            self._idle.set()

    async def between(self, step: Callable[[], None]) -> None:
        """Take a step between two batches: at once, or when the one in flight is finished. Returns afterwards.

        To wait for `idle` would not do: whoever is woken runs after the next batch has entered.
        """
        if not self.busy:
            step()
            return
        taken = asyncio.Event()
        self._next += [step, taken.set]
        await taken.wait()

    async def idle(self) -> None:
        """Wait until no batch is in flight."""
        await self._idle.wait()

    @property
    def busy(self) -> bool:
        """Whether a batch is in flight."""
        return not self._idle.is_set()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> Any:
        """Called by the client before it rejoins the group."""
        try:
            await asyncio.wait_for(self._idle.wait(), self._patience)
        except TimeoutError:  # inbox and revisions still keep the effects single
            log.warning("gate.impatient", partitions=len(revoked))

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> Any:
        """Called by the client after it joined the group."""
        self._on_assigned(set(assigned))
