"""A real broker refuses a record of an idempotent producer: what ours do then, and what a bare one does."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError, OutOfOrderSequenceNumber, ProducerClosed

from deploy.local.harness import Servers
from shared.messaging.access import KafkaAccess
from shared.messaging.consume.broker import KafkaPublisher, make_broker
from shared.messaging.send import outbox
from shared.messaging.send.outbox import Relay
from shared.messaging.send.producer import LastingProducer, build_producer
from shared.mongo.leases import Leases
from tests.fakes.memory import MemoryMongo

pytestmark = pytest.mark.integration
LARGEST = 20_000


class Channel:
    """A topic that takes small records only."""

    def __init__(self, kafka: KafkaAccess) -> None:
        self.kafka = kafka
        self.topic = f"small.{uuid.uuid4().hex[:8]}"

    async def create(self) -> None:
        """Make the topic."""
        admin = AIOKafkaAdminClient(**self.kafka.options)
        await admin.start()
        limits = {"max.message.bytes": str(LARGEST)}
        await admin.create_topics([NewTopic(self.topic, 1, 1, topic_configs=limits)])
        await admin.close()

    async def values(self) -> list[bytes]:
        """What lies there."""
        consumer = AIOKafkaConsumer(**self.kafka.options, enable_auto_commit=False)
        await consumer.start()
        partition = TopicPartition(self.topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[bytes] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [record.value for record in records]
        await consumer.stop()
        return found


@pytest.fixture
async def channel(servers: Servers) -> Channel:
    found = Channel(servers.kafka)
    await found.create()
    return found


async def send(producer: AIOKafkaProducer | LastingProducer, channel: Channel, value: bytes) -> None:
    """Send and wait for the confirmation."""
    async with asyncio.timeout(60):
        await (await producer.send(channel.topic, value, b"k"))


async def test_a_refused_record_spoils_a_bare_idempotent_producer_for_good(channel: Channel) -> None:
    """The reason for `LastingProducer`: once this passes no more, it may go."""
    producer = build_producer(channel.kafka, "bare")
    await producer.start()
    try:
        await send(producer, channel, b"1")
        with pytest.raises(MessageSizeTooLargeError):
            await send(producer, channel, b"x" * 2 * LARGEST)
        for _ in range(3):
            with pytest.raises(OutOfOrderSequenceNumber):
                await send(producer, channel, b"2")
    finally:
        await producer.stop()


async def test_a_lasting_producer_goes_on_behind_a_refused_record(channel: Channel) -> None:
    producer = LastingProducer(partial(build_producer, channel.kafka, "lasting"))
    await producer.start()
    try:
        await send(producer, channel, b"1")
        with pytest.raises(MessageSizeTooLargeError):
            await send(producer, channel, b"x" * 2 * LARGEST)
        with pytest.raises(ProducerClosed):
            await send(producer, channel, b"2")
        await producer.renew()
        await send(producer, channel, b"2")
    finally:
        await producer.stop()
    assert await channel.values() == [b"1", b"2"]


@pytest.fixture
async def publisher(servers: Servers) -> AsyncIterator[KafkaPublisher]:
    broker = make_broker(servers.kafka, client_id="test-producer")
    found = KafkaPublisher(broker)
    await broker.start()
    yield found
    await broker.stop()


async def test_a_row_that_the_broker_finds_too_large_holds_up_its_own_lane_only(
    channel: Channel, publisher: KafkaPublisher
) -> None:
    mongo = MemoryMongo()
    await Leases(mongo, 20).create(outbox.SLOTS)
    relay = Relay(mongo, publisher)
    for number in range(40):
        value = b"x" * 2 * LARGEST if number == 7 else b"%02d" % number
        row = outbox.row(
            event_id=f"{number:02d}", topic=channel.topic, key=f"k{number % 4}", value=value, headers={},
            order=number, at=datetime.now(UTC),
        )  # fmt: skip
        await mongo.insert("outbox", [row])
    stuck = {f"{number:02d}" for number in range(7, 40, 4)}

    async with asyncio.timeout(60):
        while len(mongo.rows("outbox")) > len(stuck) or not relay.refused:
            await relay.round()

    assert mongo.rows("outbox").keys() == stuck
    assert [(topic, hold.id) for (topic, _), hold in relay.refused.items()] == [(channel.topic, "07")]
    landed = list(dict.fromkeys(await channel.values()))
    assert sorted(landed) == [b"%02d" % number for number in range(40) if f"{number:02d}" not in stuck]
    for key in range(4):
        mine = [value for value in landed if int(value) % 4 == key]
        assert mine == sorted(mine), "in order for each key"


async def test_the_largest_row_there_can_be_is_taken_by_a_topic_of_ours(
    servers: Servers, publisher: KafkaPublisher
) -> None:
    """Its headers and key count too, and what the framework and the record format add must still fit."""
    topic = f"ours.{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(**servers.kafka.options)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": str(1024 * 1024)})])
    await admin.close()
    headers = {f"ce_{number}": "x" * 1_000 for number in range(20)}
    room = outbox.LARGEST_BODY - sum(len(name) + len(text) for name, text in headers.items())
    row = outbox.row(
        event_id="1", topic=topic, key="k" * 1_000, value=b"x" * (room - 1_000), headers=headers,
        order=1, at=datetime.now(UTC),
    )  # fmt: skip
    assert row["size"] == outbox.LARGEST_BODY
    async with asyncio.timeout(60):
        await (await publisher.send(topic, key=row["key"].encode(), value=row["value"], headers=headers))
