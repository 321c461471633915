"""The fetch: fair shares for every sender, and no trouble of one partition that another pays for.

FastStream owns the loop: it asks its consumer for a batch, hands it on, asks again. What the loop cannot give is in the
consumer that it asks, behind the one public method that it asks with:

- an error while a partition's records are read rewinds it to what was handed out last, and lets it alone wait; the
  client by itself would have advanced past what it had read, of this partition and of others;
- a batch holds no more than a share of any one topic, so that nobody waits behind a neighbour's backlog;
- it is bounded in bytes, counted when unpacked;
- a consumer that was refused something goes on when it is allowed again.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import IllegalStateError, KafkaError

from shared.messaging.consume.batches import Damage, damage_of, first_of
from shared.messaging.consume.envelope import size_of
from shared.telemetry import metrics

log = structlog.get_logger()
T = TypeVar("T")
Record: TypeAlias = ConsumerRecord[Any, Any]
BATCH_BYTES = 4 * 1024 * 1024
PORTION = 64
"""Records taken at once from a partition, before the bytes are counted."""
LARGEST_SHARE = 8
"""Where several topics are read, none fills more than this part of a batch, even if the others have nothing now: what
they send next waits no longer than that takes."""
TRIES = 3
"""How often a broker is asked for records that it may send in order the next time."""
POSITION_SECONDS = 1.0
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
_NOBODY = TopicPartition("", -1)
"""Asking for it takes nothing, waits for an assignment, and raises what is wrong with the consumer as a whole."""


class FairConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka ships no types
    """The library's consumer, with the guarantees above."""

    def __init__(self, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **options)
        self._turn = 0
        self._waits: dict[TopicPartition, float] = {}
        self._troubles: Counter[TopicPartition] = Counter()
        self._asked_again: Counter[TopicPartition] = Counter()
        self._one_by_one_until = 0.0

    @property
    def troubled(self) -> set[TopicPartition]:
        """Partitions whose records could not be read the last time."""
        return set(self._troubles)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Record]]:
        """Records in fair shares, in order within each partition; `{}` if none came within `timeout_ms`.

        Raises what concerns the consumer as a whole (it was stopped, it lost its place in the group); then nothing
        was taken.
        """
        try:
            await super().getmany(_NOBODY)
        except KafkaError:
            self._revive()
            raise
        limit = max_records or 500
        batch = _Batch(limit)
        await self._fill(batch, partitions)
        if not batch.records and timeout_ms:
            await self._wait(batch, partitions, timeout_ms)
            await self._fill(batch, partitions)
        return batch.records

    def _revive(self) -> None:
        """Start anew what the client does beside reading and has given up over an error.

        It never does so itself: a right that was missed for a moment would be raised for ever, long after it was given
        back, while the process holds its partitions and reads nothing.
        """
        group, subscription = self._coordinator, self._subscription.subscription
        if not isinstance(group, GroupCoordinator):
            return
        if _gave_up(group._heartbeat_task):
            group.request_rejoin()
        elif _gave_up(group._commit_refresh_task) and subscription and subscription.assignment:
            group.start_commit_offsets_refresh_task(subscription.assignment)

    async def _fill(self, batch: _Batch, partitions: Iterable[TopicPartition]) -> None:
        """Round by round the same number from every topic, until the batch is full or nobody has more.

        No step of it waits for anything, so what was taken cannot be revoked before it is handed out.
        """
        self._turn += 1
        topics = _by_topic(_turned(self._readable(partitions), self._turn))
        portion = min(max(batch.limit // max(len(topics), 1), 1), PORTION)
        largest = batch.limit if len(topics) == 1 else max(batch.limit // LARGEST_SHARE, portion)
        hungry = _turned(list(topics), self._turn)
        while hungry and not batch.full:
            hungry = [topic for topic in hungry if await self._serve(topics[topic], batch, portion, largest)]

    async def _serve(self, partitions: list[TopicPartition], batch: _Batch, portion: int, largest: int) -> bool:
        """One portion of a topic; returns whether it may have more and still may take it."""
        room = min(portion, largest - batch.of_topic[partitions[0].topic], batch.limit - batch.count)
        if room <= 0 or batch.full:
            return False
        for partition in list(partitions):
            partitions.append(partitions.pop(0))  # the next one's turn the next time
            records = await self._take(partition, room)
            if records:
                batch.add(partition, records)
                return True
        return False

    async def _take(self, partition: TopicPartition, limit: int) -> list[Record]:
        """The next records of one partition. What cannot be read now stays for later, and nothing before it is lost."""
        try:
            records: list[Record] = (await super().getmany(partition, max_records=limit)).get(partition, [])
        except Exception as error:
            await self._rewind(partition)
            self._rest(partition, repr(error))
            return []
        return self._in_order(partition, records)

    def _in_order(self, partition: TopicPartition, records: list[Record]) -> list[Record]:
        """What was taken, up to a batch that the broker may send in order the next time."""
        for number, record in enumerate(records):
            damage = damage_of(record)
            if damage is None or not self._worth_asking_again(partition, damage):
                self._troubles.pop(partition, None)
                self._asked_again.pop(partition, None)
                continue
            # From the batch's first record: the offset of what stands for it is that of its last.
            self.seek(partition, records[number - 1].offset + 1 if number else first_of(record))
            self._rest(partition, "a batch whose checksum is wrong")
            return records[:number]
        return records

    def _worth_asking_again(self, partition: TopicPartition, damage: Damage) -> bool:
        if not damage.again:
            return False
        self._asked_again[partition] += 1
        return self._asked_again[partition] < TRIES

    async def _rewind(self, partition: TopicPartition) -> None:
        """Forget what the client holds of the partition, and read it again from what was handed out last."""
        with suppress(IllegalStateError, TimeoutError):  # it was given away meanwhile, or nothing was read of it yet
            async with asyncio.timeout(POSITION_SECONDS):
                self.seek(partition, await self.position(partition))

    def _rest(self, partition: TopicPartition, why: str) -> None:
        seconds = PAUSES[min(self._troubles[partition], len(PAUSES) - 1)]
        self._troubles[partition] += 1
        self._waits[partition] = time.monotonic() + seconds
        metrics.FETCH_TROUBLES.labels(partition.topic).inc()
        log.error("fetching.failed", topic=partition.topic, partition=partition.partition, why=why, seconds=seconds)

    def _readable(self, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        now = time.monotonic()
        for gone in self._troubles.keys() - self.assignment():
            del self._troubles[gone]
            self._asked_again.pop(gone, None)
        self._waits = {partition: until for partition, until in self._waits.items() if until > now}
        return sorted((set(partitions) or self.assignment()) - self._waits.keys() - self.paused())

    async def _wait(self, batch: _Batch, partitions: Iterable[TopicPartition], timeout_ms: int) -> None:
        """Until there are records, or the time is over. At most one is taken: an error here has advanced nothing."""
        readable = self._readable(partitions)
        if not readable or time.monotonic() < self._one_by_one_until:
            await super().getmany(_NOBODY, timeout_ms=timeout_ms)
            return
        try:
            taken = await super().getmany(*readable, timeout_ms=timeout_ms, max_records=1)
        except Exception as error:
            # It is not said whose it is. For a moment partitions are only asked one by one; then it will be.
            log.warning("fetching.unclear", error=repr(error))
            for partition in readable:
                await self._rewind(partition)
            self._one_by_one_until = time.monotonic() + PAUSES[0]
            return
        for partition, records in taken.items():
            if whole := self._in_order(partition, records):
                batch.add(partition, whole)


class _Batch:
    """What is being handed out."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.records: dict[TopicPartition, list[Record]] = {}
        self.of_topic: Counter[str] = Counter()
        self.count = 0
        self._bytes = 0

    @property
    def full(self) -> bool:
        return self.count >= self.limit or self._bytes >= BATCH_BYTES

    def add(self, partition: TopicPartition, records: list[Record]) -> None:
        self.records.setdefault(partition, []).extend(records)
        self.of_topic[partition.topic] += len(records)
        self.count += len(records)
        self._bytes += sum(map(size_of, records))


def _gave_up(task: asyncio.Task[None] | None) -> bool:
    return task is not None and task.done() and not task.cancelled() and task.exception() is not None


def _turned(things: list[T], by: int) -> list[T]:
    """The same in the same order, but another one first."""
    start = by % len(things) if things else 0
    return things[start:] + things[:start]


def _by_topic(partitions: Iterable[TopicPartition]) -> dict[str, list[TopicPartition]]:
    topics: dict[str, list[TopicPartition]] = {}
    for partition in partitions:
        topics.setdefault(partition.topic, []).append(partition)
    return topics
