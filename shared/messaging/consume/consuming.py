"""The shell around the pipeline: a FastStream subscriber that never leaves anything to the framework's error handling.

Under manual acknowledgement the framework swallows exceptions and goes on; a later commit would pass the failed
records. So every failure ends here: each partition is sought back to its first unfinished offset, and only offsets
of finished records are committed, by partition and number. What is in trouble alone waits alone.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from shared.messaging.consume.batches import first_of
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.fetching import PAUSES, FairConsumer
from shared.messaging.consume.gate import Gate
from shared.messaging.consume.pipeline import Pipeline, Progress
from shared.messaging.consume.topic_lives import TopicLives
from shared.messaging.decide.asking import Consumer
from shared.messaging.faults import NO_FAULTS, Faults, Injected, Step
from shared.messaging.send.outbox import Relay
from shared.messaging.settings import ServiceSettings
from shared.mongo import Unavailable
from shared.mongo.port import MongoError
from shared.telemetry import metrics

log = structlog.get_logger()
FETCH_BYTES = 8 * 1024 * 1024
PARTITION_BYTES = 1024 * 1024 + 64 * 1024
"""Bounds on what a fetch may hold, so that a backlog of any length fits into a fixed amount of memory."""


class Consuming:
    """One consumer group member. Build it before the broker starts."""

    def __init__(
        self,
        broker: KafkaBroker,
        consumer: Consumer,
        pipeline: Pipeline,
        relay: Relay,
        brake: Brake,
        settings: ServiceSettings,
        *,
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._pipeline = pipeline
        self._relay = relay
        self._brake = brake
        self._settings = settings
        self._faults = faults
        self.name = consumer.name
        self.group = f"{settings.group_prefix}{consumer.name}"
        self._gate = Gate(patience_seconds=settings.session_timeout_ms / 1000 - 5, on_assigned=self._assigned)
        self._paused: dict[TopicPartition, float] = {}
        self.troubles = 0
        """Batches in a row that had to be put off."""
        self.put_off: Counter[TopicPartition] = Counter()
        """Partitions whose next record is in trouble of its own, and how often it was tried."""
        self._stopping = False
        self.assigned: set[TopicPartition] | None = None
        self.last_progress = time.monotonic()
        self._subscriber = broker.subscriber(
            *consumer.topics,
            batch=True,
            max_records=settings.batch_records,
            batch_timeout_ms=50,
            group_id=self.group,
            group_instance_id=f"{self.group}-{settings.instance}",
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=settings.session_timeout_ms,
            rebalance_timeout_ms=2 * settings.session_timeout_ms,
            heartbeat_interval_ms=3_000,
            max_poll_interval_ms=300_000,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_wait_ms=200,
            listener=self._gate,
            parser=self._parse,
            decoder=self._decode,
        )
        self._subscriber(self._consume)

    # ------------------------------------------------------------------ called by the framework

    async def _parse(self, records: tuple[ConsumerRecord[Any, Any], ...]) -> KafkaAckableMessage:
        self._gate.enter()
        return KafkaAckableMessage(
            raw_message=records,
            body=b"",
            headers={},
            batch_headers=[],
            message_id=f"{records[0].topic}/{records[0].partition}@{records[0].offset}",
            correlation_id="",
            consumer=self._client,
        )

    async def _decode(self, message: KafkaAckableMessage) -> Any:
        return message.raw_message

    async def _consume(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        try:
            await self._process(records)
        except Exception as error:  # whatever it is, it must not pass the framework
            log.error("consuming.failed", consumer=self.name, error=repr(error), exc_info=error)
            self._back_off(records, error)
        finally:
            self._gate.leave()

    # ------------------------------------------------------------------ ours

    @property
    def _client(self) -> FairConsumer:
        client: FairConsumer | None = self._subscriber.consumer
        assert client is not None
        return client

    async def _process(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        if self._stopping:
            self._seek_back(_first_offsets(records))
            return
        try:
            progress = await self._pipeline.process(self._faults.delivered(records))
        except (Unavailable, MongoError) as error:
            log.warning("consuming.database_unavailable", consumer=self.name, error=str(error)[:300])
            self._back_off(records, error)
            return
        self.troubles = 0
        if progress.written:
            self._relay.wake()
        self._put_off(progress)
        self._return_unfinished(records, progress)
        await self._commit(progress)
        self.last_progress = time.monotonic()

    async def _commit(self, progress: Progress) -> None:
        assignment = self._client.assignment()
        offsets = {TopicPartition(*key): offset for key, offset in progress.next_offsets.items()}
        ours = {partition: offset for partition, offset in offsets.items() if partition in assignment}
        if not ours:
            return
        try:
            await self._faults.reach(Step.ACKNOWLEDGING)
            await self._client.commit(ours)
        except (CommitFailedError, IllegalStateError, KafkaError, Injected) as error:
            # The effects are in the database; whoever reads these records again finds them in the inbox.
            log.warning("consuming.commit_failed", consumer=self.name, error=repr(error))

    def _return_unfinished(self, records: Sequence[ConsumerRecord[Any, Any]], progress: Progress) -> None:
        """Seek back to what the batch left unfinished; rest where the brake stopped it."""
        last = {(record.topic, record.partition): record.offset for record in records}
        self._seek_back(
            {TopicPartition(*key): offset for key, offset in progress.next_offsets.items() if offset <= last[key]}
        )
        if progress.stopped:
            partitions = [TopicPartition(*key) for key in progress.stopped]
            log.error("consuming.brake", consumer=self.name, topics=sorted({tp.topic for tp in partitions}))
            self._pause(partitions, self._settings.brake_probe)

    def _put_off(self, progress: Progress) -> None:
        """Let partitions whose next record is in trouble of its own wait, each for itself."""
        for key in progress.next_offsets.keys() - progress.put_off.keys():
            self.put_off.pop(TopicPartition(*key), None)
        for key, error in progress.put_off.items():
            partition = TopicPartition(*key)
            seconds = PAUSES[min(self.put_off[partition], len(PAUSES) - 1)]
            self.put_off[partition] += 1
            log.error(
                "consuming.put_off",
                consumer=self.name,
                position=f"{partition.topic}/{partition.partition}@{progress.next_offsets[key]}",
                seconds=seconds,
                error=repr(error)[:500],
            )
            self._pause([partition], seconds)

    def _back_off(self, records: Sequence[ConsumerRecord[Any, Any]], cause: Exception) -> None:
        """Read these records again later; meanwhile stay a member of the group."""
        metrics.RETRIES.labels(self.name, type(cause).__name__).inc()
        first = _first_offsets(records)
        self._seek_back(first)
        pause = PAUSES[min(self.troubles, len(PAUSES) - 1)]
        self.troubles += 1
        self._pause(list(self._client.assignment()), pause)

    def _seek_back(self, offsets: dict[TopicPartition, int]) -> None:
        assignment = self._client.assignment()
        for partition, offset in offsets.items():
            if partition in assignment:
                self._client.seek(partition, offset)

    def _pause(self, partitions: Sequence[TopicPartition], seconds: float) -> None:
        until = time.monotonic() + seconds
        assignment = self._client.assignment()
        here = [partition for partition in partitions if partition in assignment]
        if here:
            self._client.pause(*here)
            for partition in here:  # a shorter pause does not end a longer one
                self._paused[partition] = max(until, self._paused.get(partition, until))

    def _assigned(self, partitions: set[TopicPartition]) -> None:
        self.assigned = partitions
        self._paused.clear()  # a new assignment starts unpaused
        self.troubles = 0
        self.put_off.clear()
        self.last_progress = time.monotonic()

    def resume_due(self) -> None:
        """Resume what has paused long enough. Called every second by the runtime."""
        now = time.monotonic()
        # Also what was paused while an assignment was on its way, which then forgot why.
        due = {*self._client.paused() - self._paused.keys()}
        due |= {partition for partition, until in self._paused.items() if until <= now}
        for partition in due:
            self._paused.pop(partition, None)
        if due:
            assignment = self._client.assignment()
            self._client.resume(*(partition for partition in due if partition in assignment))

    async def read_anew(self, lives: TopicLives) -> None:
        """Read the partitions of topics that were made anew from their beginning. Called every few seconds.

        Raises `KafkaError` and `MongoError`; then nothing is lost, it is noticed again.
        """
        anew = await lives.anew(self._client.assignment())
        if not anew:
            return
        here: list[TopicPartition] = []

        def begin() -> None:
            here.extend(anew.keys() & self._client.assignment())
            self._seek_back(dict.fromkeys(here, 0))

        await self._gate.between(begin)  # a batch in flight would commit behind us what it counted in the old topic
        if not here:  # they were given away meanwhile; whoever has them now notices too
            return
        await self._client.commit(dict.fromkeys(here, 0))
        await lives.begun({partition: anew[partition] for partition in here})

    async def lag(self) -> int:
        """Records of the assigned partitions that were not fetched yet; raises `KafkaError` if unknown.

        Two questions would be exact (committed offsets too), but each partition's answer waits behind a fetch.
        """
        partitions = list(self._client.assignment())
        if not partitions:
            return 0
        ends = await self._client.end_offsets(partitions)
        total = 0
        for partition, end in ends.items():
            position = await self._client.position(partition)
            total += end - position if position <= end else end  # behind the end: counted in a topic that is gone
        metrics.LAG.labels(self.name).set(total)
        metrics.BRAKES.labels(self.name).set(len(self._brake.topics()))
        metrics.PUT_OFF.labels(self.name).set(len(self.waiting()))
        if total == 0:
            self.last_progress = time.monotonic()
        return total

    def waiting(self) -> list[str]:
        """Partitions that wait alone: their records cannot be read now, or the next one is in trouble of its own."""
        unreadable = self._client.troubled if self._subscriber.consumer else set()
        return sorted(f"{each.topic}/{each.partition}" for each in self.put_off.keys() | unreadable)

    @property
    def braked(self) -> set[str]:
        """Topics stopped by the brake."""
        return self._brake.topics()

    async def between(self, step: Callable[[], None]) -> None:
        """Take a step while no batch is in flight."""
        await self._gate.between(step)

    async def idle(self) -> None:
        """Wait until no batch is in flight."""
        await self._gate.idle()

    @property
    def busy(self) -> bool:
        """Whether a batch is in flight."""
        return self._gate.busy

    def stop_fetching(self) -> None:
        """At shutdown: batches fetched from now on are sought back unprocessed."""
        self._stopping = True


def _first_offsets(records: Sequence[ConsumerRecord[Any, Any]]) -> dict[TopicPartition, int]:
    first: dict[TopicPartition, int] = {}
    for record in records:
        partition = TopicPartition(record.topic, record.partition)
        first[partition] = min(first.get(partition, record.offset), first_of(record))
    return first
