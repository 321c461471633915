"""What hands records in, over a channel in memory, judged at once, later or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from shared.messaging.messages import Position
from shared.messaging.send.handing import MARK, Handed, Written
from tests.unit.delivery_samples import AT, Stored

Judge = Callable[[Sequence[Stored]], Awaitable[object]]


class MemoryHand:
    """`Hand`: `judge` is told of each write, unless it is absent."""

    def __init__(self, judge: Judge | None = None, *, partitions: int = 2, first: int = 0) -> None:
        self.judge = judge
        self.log: list[Stored] = []
        self.failing: list[Exception] = []
        """What the next writes raise instead."""
        self.lost: list[Exception] = []
        """What the next writes raise behind what they have written."""
        self._partitions = partitions
        self._first = first

    async def write(self, records: Sequence[Handed]) -> list[Written]:
        if self.failing:
            raise self.failing.pop(0)
        stored = [self._stored(record, len(self.log) + number) for number, record in enumerate(records)]
        self.log += stored
        if self.judge:
            await self.judge(stored)
        if self.lost:
            raise self.lost.pop(0)
        return [_written(one) for one in stored]

    async def find(self, topic: str, marks: Sequence[str], since: int) -> dict[str, Written]:
        found = {dict(one.headers).get(MARK, b"").decode(): one for one in self.log if one.topic == topic}
        return {mark: _written(found[mark]) for mark in marks if mark in found}

    def _stored(self, record: Handed, number: int) -> Stored:
        return Stored(
            record.topic,
            number % self._partitions,
            self._first + number,
            record.value,
            list(record.headers),
            record.key,
            int(AT.timestamp() * 1_000),
        )


def _written(one: Stored) -> Written:
    return Written(Position(one.topic, one.partition, one.offset), one.timestamp)
