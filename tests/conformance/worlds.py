"""Where the suite runs: one world on fakes, and worlds on real Kafka and MongoDB, one for each driver."""

from __future__ import annotations

import asyncio
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from deploy.local.harness import Servers
from shared.messaging.access import KafkaAccess
from shared.messaging.collections import OUTBOX, RECALCULATIONS
from shared.messaging.consume.broker import KafkaPublisher, make_broker
from shared.messaging.decide.documents import SCHEMA
from shared.messaging.decide.reader import STAMP
from shared.messaging.faults import NO_FAULTS, Faults
from shared.messaging.operate.preparing import prepare
from shared.messaging.seals import SEAL
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.mongo.connect import DriverName, connect
from shared.mongo.port import Document
from tests.conformance.memory_kafka import MemoryBroker, MemoryKafka
from tests.conformance.service import NAME, Message, Process, Topics
from tests.fakes.memory import MemoryMongo

PARTITIONS = 2


@dataclass(frozen=True, slots=True)
class Event:
    """What other systems read on the service's topic."""

    id: str
    key: str
    subject: str
    """Event id of the record that caused it."""
    partition: int


class World(ABC):
    """A broker, a database, and at most one process of the sample service."""

    def __init__(self, mongo: Mongo, kafka: KafkaAccess | None = None) -> None:
        self.mongo = mongo
        self._settings = ServiceSettings(
            **(kafka or KafkaAccess("memory")).settings, mongo="unused", jwks="unused", stage="local",
            group_prefix=f"{uuid.uuid4().hex[:8]}-", session_timeout_ms=10_000, batch_records=10,
            brake_after=3, brake_probe=0.2, publish_deadline=1.5, lease_seconds=2.0,
        )  # fmt: skip
        self.process: Process | None = None
        self.group = f"{self._settings.group_prefix}{NAME}"
        self.topics = Topics(f"{self.group}.in", f"{self.group}.out")

    @abstractmethod
    def _build(self, faults: Faults, mended: bool) -> Process: ...

    @abstractmethod
    async def send(self, *messages: Message) -> None:
        """Append records to the service's topic, in order."""

    @abstractmethod
    async def unfinished(self) -> int:
        """Records whose offsets are not committed."""

    @abstractmethod
    async def events(self) -> list[Event]:
        """Everything on the service's own topic, in order within a partition."""

    async def begin(self) -> None:
        """Prepare topics and database."""
        await prepare(self.mongo, inbox_days=180)

    async def end(self) -> None:
        """Leave nothing behind."""
        await self.stop()

    async def start(self, faults: Faults = NO_FAULTS, *, mended: bool = False) -> None:
        """Start the process."""
        self.process = self._build(faults, mended)
        await self.process.start()

    async def stop(self) -> None:
        """Stop the process, if there is one."""
        if self.process:
            await self.process.stop()
            self.process = None

    async def rows(self, collection: str) -> list[Document]:
        """The documents of a collection, without stamps and seals."""
        rows = await self.mongo.find(collection, {}, sort=[("_id", 1)])
        return [{name: value for name, value in row.items() if name not in (SCHEMA, STAMP, SEAL)} for row in rows]

    async def settled(self) -> None:
        """Wait until everything is handled, acknowledged, published and computed."""

        async def calm() -> bool:
            if await self.unfinished():
                return False
            # In the order in which work flows on, so that nothing slips by between two looks.
            return not any([await self.mongo.count(collection, {}) for collection in (RECALCULATIONS, OUTBOX)])

        await self.until(calm)

    async def until(self, condition: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
        """Wait for something that happens elsewhere."""
        give_up = time.monotonic() + seconds
        while not await condition():
            assert time.monotonic() < give_up, "it did not happen"
            await asyncio.sleep(0.02)


class MemoryWorld(World):
    """On fakes."""

    def __init__(self) -> None:
        super().__init__(MemoryMongo())
        self._kafka = MemoryKafka({self.topics.input: PARTITIONS, self.topics.output: PARTITIONS})

    def _build(self, faults: Faults, mended: bool) -> Process:
        broker = MemoryBroker(self._kafka)
        return Process(broker, broker, self.mongo, self._settings, self.topics, faults=faults, mended=mended)

    async def send(self, *messages: Message) -> None:
        for each in messages:
            self._kafka.append(self.topics.input, each.key.encode(), each.value, each.wire_headers)

    async def unfinished(self) -> int:
        return sum(
            len(self._kafka.logs[partition]) - self._kafka.committed.get((self.group, partition), 0)
            for partition in self._kafka.partitions(self.topics.input)
        )

    async def events(self) -> list[Event]:
        partitions = self._kafka.partitions(self.topics.output)
        return [_event(record) for partition in partitions for record in self._kafka.logs[partition]]


class RealWorld(World):
    """On real servers, with topics, a consumer group and a database of its own."""

    def __init__(self, servers: Servers, driver: DriverName) -> None:
        database = f"conformance_{uuid.uuid4().hex[:8]}"
        super().__init__(connect(driver, servers.mongo, database), servers.kafka)
        self._servers = servers
        self._database = database
        self._admin = AIOKafkaAdminClient(**servers.kafka.options)
        self._producer = AIOKafkaProducer(**servers.kafka.options, acks="all")
        self._reader = AIOKafkaConsumer(**servers.kafka.options, enable_auto_commit=False)

    def _build(self, faults: Faults, mended: bool) -> Process:
        broker = make_broker(self._servers.kafka, client_id=self.group)
        publisher = KafkaPublisher(broker)
        return Process(broker, publisher, self.mongo, self._settings, self.topics, faults=faults, mended=mended)

    async def begin(self) -> None:
        await self._admin.start()
        await self._producer.start()
        topics = [self.topics.input, self.topics.output]
        await self._admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in topics])

        async def led() -> bool:
            described = await self._admin.describe_topics(topics)
            return all(
                len([each for each in topic["partitions"] if each["leader"] >= 0]) == PARTITIONS for topic in described
            )

        await self.until(led)
        await self._reader.start()
        self._reader.assign(_partitions(self.topics.output))
        await super().begin()

    async def end(self) -> None:
        await super().end()
        await self._reader.stop()
        await self._producer.stop()
        await self._admin.delete_topics([self.topics.input, self.topics.output])
        await self._admin.close()
        await self.mongo.close()
        with MongoClient[Document](self._servers.mongo) as client:
            client.drop_database(self._database)

    async def send(self, *messages: Message) -> None:
        for each in messages:
            await self._producer.send(self.topics.input, each.value, key=each.key.encode(), headers=each.wire_headers)
        await self._producer.flush()

    async def unfinished(self) -> int:
        ends = await self._reader.end_offsets(_partitions(self.topics.input))
        committed = await self._admin.list_consumer_group_offsets(self.group)
        return sum(end - (committed[each].offset if each in committed else 0) for each, end in ends.items())

    async def events(self) -> list[Event]:
        partitions = _partitions(self.topics.output)
        ends = await self._reader.end_offsets(partitions)
        await self._reader.seek_to_beginning(*partitions)
        found: list[Event] = []
        while len(found) < sum(ends.values()):
            batches = await self._reader.getmany(timeout_ms=500)
            found += [_event(record) for records in batches.values() for record in records]
        return sorted(found, key=lambda event: event.partition)  # stable: the order within a partition stays


def _partitions(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(PARTITIONS)]


def _event(record: Any) -> Event:
    headers = {name: value.decode() for name, value in record.headers}
    return Event(headers["ce_id"], record.key.decode(), headers["ce_subject"], record.partition)
