"""Kafka in memory, as far as our consumer and relay use it: partitions, committed offsets, group members.

`MemoryBroker` answers the calls that `Consuming` makes of FastStream's broker and aiokafka's consumer, so the real
`Consuming`, `Pipeline` and `Relay` run on it. What it cannot show: fetching in the background, sessions and time-outs,
how records are encoded, and the framework's own error handling.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

Handler = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a partition."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass
class MemoryKafka:
    """The log and what groups have committed."""

    topics: Mapping[str, int]
    """Partitions by topic."""
    logs: dict[TopicPartition, list[Record]] = field(init=False)
    committed: dict[tuple[str, TopicPartition], int] = field(default_factory=dict)
    """By group and partition."""

    def __post_init__(self) -> None:
        self.logs = {TopicPartition(topic, n): [] for topic, count in self.topics.items() for n in range(count)}

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> Record:
        """Append a record to its key's partition."""
        partition = TopicPartition(topic, zlib.crc32(key or b"") % self.topics[topic])
        now = int(datetime.now(UTC).timestamp() * 1000)
        record = Record(topic, partition.partition, len(self.logs[partition]), now, key, value, headers)
        self.logs[partition].append(record)
        return record

    def partitions(self, *topics: str) -> list[TopicPartition]:
        """All partitions of these topics."""
        return [partition for partition in self.logs if partition.topic in topics]


class MemoryClient:
    """What `Consuming` uses of aiokafka's consumer."""

    def __init__(self, kafka: MemoryKafka, group: str) -> None:
        self._kafka = kafka
        self._group = group
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self.troubled: set[TopicPartition] = set()

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Begin to read these partitions where the group has committed, nothing paused."""
        self._positions = {each: self._kafka.committed.get((self._group, each), 0) for each in partitions}
        self._paused.clear()

    def fetch(self, limit: int) -> tuple[Record, ...]:
        """The next records, partition by partition."""
        found: list[Record] = []
        for partition, position in self._positions.items():
            if partition not in self._paused:
                found += self._kafka.logs[partition][position : position + limit - len(found)]
        for record in found:
            self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
        return tuple(found)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._positions)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._require(partition)
        self._positions[partition] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        self._require(*partitions)
        self._paused.update(partitions)

    def paused(self) -> set[TopicPartition]:
        return set(self._paused)

    def resume(self, *partitions: TopicPartition) -> None:
        self._require(*partitions)
        self._paused.difference_update(partitions)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._require(*offsets)
        self._kafka.committed.update({(self._group, partition): offset for partition, offset in offsets.items()})

    def _require(self, *partitions: TopicPartition) -> None:
        if foreign := set(partitions) - self._positions.keys():
            raise IllegalStateError(f"not assigned: {foreign}")


class MemorySubscriber:
    """What `Consuming` uses of FastStream's subscriber, delivering a batch when it is told to."""

    def __init__(self, kafka: MemoryKafka, topics: Sequence[str], options: Mapping[str, Any]) -> None:
        self.consumer = MemoryClient(kafka, options["group_id"])
        self._partitions = kafka.partitions(*topics)
        self._options = options
        self._handler: Handler

    def __call__(self, handler: Handler) -> None:
        self._handler = handler

    async def join(self) -> None:
        """Become the group's only member, or remain it in a rebalance."""
        listener = self._options["listener"]
        await listener.on_partitions_revoked(self.consumer.assignment())
        self.consumer.assign(self._partitions)
        await listener.on_partitions_assigned(self.consumer.assignment())

    async def poll(self, limit: int | None = None) -> int:
        """Deliver a batch; returns how many records it had."""
        records = self.consumer.fetch(limit or self._options["max_records"])
        if records:
            message = await self._options["parser"](records)
            await self._handler(await self._options["decoder"](message))
        return len(records)


class MemoryBroker:
    """FastStream's broker, and the way out to it (`Publisher`)."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self._kafka = kafka
        self._polling: asyncio.Task[None] | None = None
        self.subscribed: MemorySubscriber

    def subscriber(self, *topics: str, **options: Any) -> MemorySubscriber:
        self.subscribed = MemorySubscriber(self._kafka, topics, options)
        return self.subscribed

    async def send(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str]) -> asyncio.Future[Any]:
        self._kafka.append(topic, key, value, [(name, text.encode()) for name, text in headers.items()])
        confirmation: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        confirmation.set_result(None)
        return confirmation

    async def renew(self) -> None:
        """It never breaks."""

    async def start(self) -> None:
        await self.subscribed.join()
        self._polling = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        if self._polling:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling

    async def _poll(self) -> None:
        while True:
            await self.subscribed.poll()
            await asyncio.sleep(0.005)
