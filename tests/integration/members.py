"""A consumer group's members and the topics they read, on the real broker; what is done with a batch is the test's."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.messaging.access import KafkaAccess
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.broker import KafkaPublisher, make_broker
from shared.messaging.consume.consuming import Consuming
from shared.messaging.consume.pipeline import Progress
from shared.messaging.decide.asking import Consumer
from shared.messaging.send.outbox import Relay
from shared.messaging.settings import ServiceSettings
from tests.fakes.memory import MemoryMongo

Records = Sequence[ConsumerRecord[Any, Any]]
Process = Callable[[Records], Awaitable[Progress]]


def done(records: Records) -> Progress:
    """Everything is finished."""
    return Progress({(record.topic, record.partition): record.offset + 1 for record in records})


class Member:
    """One consumer group member made of the real parts; only what is done with a batch is the test's."""

    def __init__(
        self,
        kafka: KafkaAccess,
        topics: Sequence[str],
        process: Process,
        *,
        group: str,
        instance: int = 0,
        records: int = 1_000,
    ) -> None:
        settings = ServiceSettings(
            **kafka.settings, mongo="unused", jwks="unused", group_prefix=group, instance=instance,
            session_timeout_ms=10_000, brake_probe=60, batch_records=records,
        )  # fmt: skip
        mongo = MemoryMongo()
        self.broker = make_broker(kafka, client_id=f"canary-{instance}")
        pipeline: Any = type("Scripted", (), {"process": staticmethod(process)})()
        self.consuming = Consuming(
            self.broker,
            Consumer("-canary", tuple(topics), {}),
            pipeline,
            Relay(mongo, KafkaPublisher(self.broker)),
            Brake(3),
            settings,
        )

    async def __aenter__(self) -> Member:
        await self.broker.start()
        self._resuming = asyncio.create_task(self._resume())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._resuming.cancel()
        self.consuming.stop_fetching()
        await self.consuming.idle()
        await self.broker.stop()

    async def _resume(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            self.consuming.resume_due()


class World:
    """Topics of a test's own, and what an operator can ask the broker."""

    def __init__(self, kafka: KafkaAccess, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer) -> None:
        self.kafka, self.admin, self.producer = kafka, admin, producer
        self.group = f"g-{uuid.uuid4().hex[:8]}"
        self.topic = f"canary.{uuid.uuid4().hex[:8]}"

    async def create(self, partitions: int = 1, *, topic: str = "") -> str:
        """Create the test's topic, or another one."""
        name = topic or self.topic
        await self.admin.create_topics([NewTopic(name, partitions, 1)])
        await self.until(lambda: self._known(name, partitions))
        return name

    async def _known(self, topic: str, partitions: int) -> bool:
        (described,) = await self.admin.describe_topics([topic])
        leaders = [each for each in described["partitions"] if each["leader"] >= 0]
        return len(leaders) == partitions

    async def send(self, *values: str, partition: int = 0, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Send records one after the other."""
        for value in values:
            await self.producer.send_and_wait(self.topic, value.encode(), partition=partition, headers=list(headers))

    async def committed(self) -> dict[int, int]:
        """The group's committed offsets by partition."""
        offsets = await self.admin.list_consumer_group_offsets(f"{self.group}-canary")
        return {tp.partition: found.offset for tp, found in offsets.items() if tp.topic == self.topic}

    async def until(self, condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
        """Wait for something."""
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110 - it is another process that changes
                await asyncio.sleep(0.05)

    def member(
        self, process: Process, instance: int = 0, *, topics: Sequence[str] = (), records: int = 1_000
    ) -> Member:
        """A member of the test's group."""
        return Member(self.kafka, topics or [self.topic], process, group=self.group, instance=instance, records=records)


async def collected(values: list[str], count: int, seconds: float = 60) -> None:
    """Wait until so many values were handled."""
    async with asyncio.timeout(seconds):
        while len(values) < count:  # noqa: ASYNC110 - the list is filled by callbacks
            await asyncio.sleep(0.05)
