"""The fetch over a library that behaves as badly as it ever did: what it has taken when it raises, it forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from shared.messaging.consume import fetching
from shared.messaging.consume.fetching import FairConsumer

POISON = b"poison"
A, B, C = (TopicPartition("in", number) for number in range(3))


class Library:
    """What is below `FairConsumer`. Its buffers move on as they are read, also when the reading fails in the end."""

    def __init__(self, logs: Mapping[TopicPartition, Sequence[bytes]], *, poisonous: int) -> None:
        self.logs = logs
        self.poisonous = poisonous
        """How often the poison raises before it is a record like any other."""
        self.there = False
        """Records come while they are waited for, all at once."""
        self.read = dict.fromkeys(logs, 0)
        self.handed = dict.fromkeys(logs, 0)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """As documented, but for errors."""
        wanted = [each for each in self.logs if each in partitions]
        self.there = self.there or bool(wanted and timeout_ms)
        taken: dict[TopicPartition, list[Any]] = {}
        room = max_records or 500
        for partition in wanted if self.there else []:
            found = []
            while room and self.read[partition] < len(self.logs[partition]):
                offset = self.read[partition]
                self.read[partition] += 1
                value = self.logs[partition][offset]
                if value == POISON and self.poisonous:
                    self.poisonous -= 1
                    raise KafkaError("this cannot be read")
                found.append(ConsumerRecord(*partition, offset, 1, 1, None, value, None, 0, len(value), ()))
                room -= 1
            if found:
                self.handed[partition] = taken.setdefault(partition, found)[-1].offset + 1
        return taken

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read on from there."""
        self.read[partition] = self.handed[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        """Behind what was handed out last."""
        return self.handed[partition]


@pytest.mark.parametrize("place", [0, 3, 9])
async def test_whatever_the_library_forgets_when_it_raises_everything_is_handed_out_in_order(
    monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    logs: dict[TopicPartition, list[bytes]] = {each: [b"%d" % n for n in range(10)] for each in (A, B, C)}
    logs[B][place] = POISON
    library = Library(logs, poisonous=4)
    for name in ("seek", "position"):
        monkeypatch.setattr(AIOKafkaConsumer, name, lambda self, *args, name=name: getattr(library, name)(*args))
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", lambda self, *args, **options: library.getmany(*args, **options))
    monkeypatch.setattr(AIOKafkaConsumer, "assignment", lambda self: frozenset(logs))
    monkeypatch.setattr(AIOKafkaConsumer, "paused", lambda self: set())
    monkeypatch.setattr(fetching, "PAUSES", (0.0,))
    consumer = FairConsumer(bootstrap_servers="localhost:1")
    read: dict[TopicPartition, list[bytes]] = {}

    for _ in range(60):
        for partition, records in (await consumer.getmany(timeout_ms=10, max_records=7)).items():
            read.setdefault(partition, []).extend(record.value for record in records)
    await consumer.stop()

    assert read == logs
    assert library.poisonous == 0
    assert consumer.troubled == set()


class Group(GroupCoordinator):  # type: ignore[misc]
    """What the library does beside reading, of which two tasks may have ended with an error."""

    def __init__(self, heartbeat: asyncio.Task[None] | None, offsets: asyncio.Task[None] | None) -> None:
        self._heartbeat_task, self._commit_refresh_task = heartbeat, offsets
        self.begun: list[str] = []

    def request_rejoin(self) -> None:
        self.begun.append("group")

    def start_commit_offsets_refresh_task(self, assignment: object) -> None:
        self.begun.append("offsets")


async def _ended(how: BaseException | None) -> asyncio.Task[None]:
    async def end() -> None:
        if how is not None:
            raise how

    task = asyncio.create_task(end())
    await asyncio.wait([task])
    return task


REFUSED, STOPPED = TopicAuthorizationFailedError(), asyncio.CancelledError()


@pytest.mark.parametrize(
    ("heartbeat", "offsets", "begun"),
    [
        (None, None, []),
        (None, REFUSED, ["offsets"]),
        (REFUSED, None, ["group"]),
        (REFUSED, REFUSED, ["group"]),
        (STOPPED, STOPPED, []),
    ],
)
async def test_what_the_library_gave_up_over_an_error_begins_anew(
    monkeypatch: pytest.MonkeyPatch, heartbeat: BaseException | None, offsets: BaseException | None, begun: list[str]
) -> None:
    async def raise_it(self: object, *partitions: TopicPartition, **options: object) -> None:
        raise KafkaError(repr(REFUSED))

    monkeypatch.setattr(AIOKafkaConsumer, "getmany", raise_it)
    consumer = FairConsumer(bootstrap_servers="localhost:1")
    group = Group(await _ended(heartbeat), await _ended(offsets))
    monkeypatch.setattr(consumer, "_coordinator", group)
    monkeypatch.setattr(consumer, "_subscription", SimpleNamespace(subscription=SimpleNamespace(assignment=object())))
    with pytest.raises(KafkaError):
        await consumer.getmany()
    assert group.begun == begun
    monkeypatch.undo()
    await consumer.stop()
