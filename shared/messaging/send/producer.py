"""The way out to Kafka: an idempotent producer that is made anew after a send that failed.

An idempotent producer numbers the records of each partition. One that was numbered and never written (the broker was
away for too long, found it too large, took a right away) leaves a gap, and the broker then refuses everything behind
it, for ever. A new producer counts anew. What is sent again through it may lie on the topic twice, under the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    CorruptRecordException,
    InvalidTimestampError,
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    ProducerClosed,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from shared.messaging.access import KafkaAccess
from shared.messaging.ending import end
from shared.telemetry import metrics

log = structlog.get_logger()
OPTIONS: Mapping[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,  # a repeat after a lost confirmation neither doubles nor reorders
    "linger_ms": 5,
    "max_batch_size": 256 * 1024,
    "request_timeout_ms": 10_000,
    "retry_backoff_ms": 100,
    "metadata_max_age_ms": 30_000,
}
"""Durable, idempotent, bounded. The library's defaults lose and duplicate records."""
TOPIC_SECONDS = 3.0
"""How long a topic is looked for that the client has not heard of."""
START_SECONDS = 10.0
CLOSE_SECONDS = 30.0
"""What waits in a broken producer is refused at once; what is on the wire may take two time-outs of the client."""
STOP_SECONDS = 5.0
REFUSALS = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTopicError,
    UnknownTopicOrPartitionError,
    TopicAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    CorruptRecordException,
    InvalidTimestampError,
    PolicyViolationError,
)
"""What a repeat alone does not mend: somebody must give a right back, make a topic, or look at the record."""
_NEVER_NUMBERED = (
    MessageSizeTooLargeError,
    InvalidTopicError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
"""What the client itself refuses before the record gets its number. The same from the broker leaves a gap."""


def build_producer(kafka: KafkaAccess, client_id: str) -> AIOKafkaProducer:
    """A producer with our options, not started."""
    return AIOKafkaProducer(**kafka.options, client_id=client_id, **OPTIONS)


class LastingProducer:
    """Sends through one producer until a send fails; then through none, until `renew` puts a new one in its place.

    In between `send` raises `ProducerClosed`: the owner decides from which record on it goes on, so that none overtakes
    the one that failed. To FastStream and to a portal it is what aiokafka's producer would be.
    """

    def __init__(self, build: Callable[[], AIOKafkaProducer], first: AIOKafkaProducer | None = None) -> None:
        """`first`: the producer to begin with, not started; else the first one is built too."""
        self._build = build
        self._current = first or build()
        self._broken = False
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect. Raises `KafkaError`; then `stop` is still to be called."""
        await self._current.start()

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        timestamp_ms: int | None = None,
        headers: Sequence[tuple[str, bytes]] | None = None,
    ) -> asyncio.Future[Any]:
        """Hand a record over; returns what to await for the confirmation. Cancel that to give it up.

        Raises:
            ProducerClosed: an earlier send failed: `renew` first.
            UnknownTopicOrPartitionError, TopicAuthorizationFailedError, MessageSizeTooLargeError: this record can
                never be sent so; others can.
            KafkaError: the producer is broken.
        """
        if self._broken:
            raise ProducerClosed("an earlier send failed")
        producer = self._current
        if producer.client.cluster.partitions_for_topic(topic) is None:
            await _know(producer, topic)
        try:
            future: asyncio.Future[Any] = await producer.send(topic, value, key, partition, timestamp_ms, headers)
        except _NEVER_NUMBERED:
            raise
        except KafkaError as error:
            self._break(producer, error)
            raise
        future.add_done_callback(partial(self._watch, producer))
        return future

    async def renew(self) -> None:
        """Replace the producer if a send failed. Raises `KafkaError` or `TimeoutError` as long as no broker answers."""
        if not self._broken:
            return
        fresh = self._build()
        try:
            async with asyncio.timeout(START_SECONDS):
                await fresh.start()
        except BaseException:
            self._retire(fresh)
            raise
        self._retire(self._current)
        self._current, self._broken = fresh, False
        metrics.PRODUCERS.inc()
        log.info("producer.renewed")

    async def reach(self) -> None:
        """Have a broker answer: what is sent next is not sent into the void. Raises `KafkaError`."""
        if not await self._current.client.force_metadata_update():
            raise KafkaConnectionError("no broker answers")

    async def flush(self) -> None:
        """Wait for all confirmations."""
        await self._current.flush()

    async def stop(self) -> None:
        """Send what waits and disconnect; bounded, because a frozen broker never answers."""
        self._retire(self._current)
        await asyncio.wait(self._closing, timeout=STOP_SECONDS)
        await end(self._closing)

    def _watch(self, producer: AIOKafkaProducer, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            self._break(producer, None)
        elif (error := future.exception()) is not None:
            self._break(producer, error)

    def _break(self, producer: AIOKafkaProducer, error: BaseException | None) -> None:
        """Nothing more leaves this producer: what waits in it would overtake the record that failed."""
        if producer is self._current and not self._broken:
            self._broken = True
            producer.client.send = _refuse
            log.warning("producer.broken", error=repr(error) if error else "given up without a confirmation")

    def _retire(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(_close(producer))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _know(producer: AIOKafkaProducer, topic: str) -> None:
    """Make sure that the client knows the topic. Its own patience is as long as a whole page may take."""
    try:
        async with asyncio.timeout(TOPIC_SECONDS):
            await producer.partitions_for(topic)
    except TimeoutError as error:
        raise UnknownTopicOrPartitionError(topic) from error


async def _refuse(*_: Any, **__: Any) -> Any:
    raise ProducerClosed("an earlier send failed")


async def _close(producer: AIOKafkaProducer) -> None:
    with suppress(TimeoutError, KafkaError):  # a producer that failed may fail to close, too
        async with asyncio.timeout(CLOSE_SECONDS):
            await producer.stop()
            return
    with suppress(KafkaError):
        await producer.client.close()
