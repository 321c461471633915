"""The relay and a real broker that fails a batch, in each way that it can: it returns, and every row leaves, in order.

The database is in memory: here it is not the one in trouble.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.harness import Servers, start_servers
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.broker import KafkaPublisher, make_broker
from shared.messaging.ending import end
from shared.messaging.send import outbox
from shared.messaging.send.outbox import Relay
from shared.mongo.leases import Leases
from tests.fakes.memory import MemoryMongo

pytestmark = [pytest.mark.integration, pytest.mark.faults]
PARTITIONS, KEYS = 4, 12
PUBLISH_DEADLINE = 4.0
TOPIC, OTHER = "facts", "others"


class Bench:
    """A broker of its own, a relay that runs, and rows that keep coming."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.kafka = servers["kafka"]
        self.mongo = MemoryMongo()
        self.clock = BusinessClock()
        self.admin = AIOKafkaAdminClient(**servers.kafka.options)
        self.broker = make_broker(servers.kafka, client_id="relay")
        self.relay = Relay(self.mongo, KafkaPublisher(self.broker), publish_deadline=PUBLISH_DEADLINE, lease_seconds=8)
        self.written = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Make the topics, relay, and write on."""
        await self.admin.start()
        await self.create(TOPIC)
        await self.create(OTHER)
        await Leases(self.mongo, 8).create(outbox.SLOTS)
        await self.broker.start()
        self.tasks = [asyncio.create_task(self.relay.run()), asyncio.create_task(self._write())]

    async def stop(self) -> None:
        """End everything."""
        await end(self.tasks)
        await self.broker.stop()
        await self.admin.close()

    async def create(self, topic: str) -> None:
        """Make a topic and wait until it is led."""
        await self.admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        async with asyncio.timeout(60):
            while True:
                (described,) = await self.admin.describe_topics([topic])
                if sum(each["leader"] >= 0 for each in described["partitions"]) == PARTITIONS:
                    return
                await asyncio.sleep(0.1)

    async def _write(self) -> None:
        """Ten rows every 20 ms, half of them for either topic."""
        while True:
            for _ in range(5):
                for topic in (TOPIC, OTHER):
                    row = outbox.row(
                        event_id=f"{topic}/{self.written}",
                        topic=topic,
                        key=f"k{self.written % KEYS}",
                        value=json.dumps(self.written).encode(),
                        headers={},
                        order=self.clock.stamp(),
                        at=self.clock.real(),
                    )
                    await self.mongo.insert("outbox", [row])
                self.written += 1
            await asyncio.sleep(0.02)

    def waiting(self, topic: str) -> int:
        """Rows of a topic that have not left."""
        return sum(row["topic"] == topic for row in self.mongo.rows("outbox").values())

    async def empty(self, seconds: float = 60) -> None:
        """Write no more, and wait until every row has left."""
        await end(self.tasks[1:])
        async with asyncio.timeout(seconds):
            while self.mongo.rows("outbox"):  # noqa: ASYNC110 - the relay works meanwhile
                await asyncio.sleep(0.1)

    async def landed(self, topic: str) -> list[int]:
        """The numbers on a topic, in order within a key, each only where it came first."""
        consumer = AIOKafkaConsumer(**self.servers.kafka.options, enable_auto_commit=False)
        await consumer.start()
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[int] = []
        while batch := await consumer.getmany(timeout_ms=2_000):
            found += [json.loads(record.value) for records in batch.values() for record in records]
        await consumer.stop()
        return list(dict.fromkeys(found))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    with start_servers(tmp_path, mongo=False) as servers:
        found = Bench(servers)
        await found.start()
        yield found
        await found.stop()


async def ordered_stop(bench: Bench) -> None:
    """Longer than the client keeps a batch without a leader."""
    await asyncio.to_thread(bench.kafka.stop)
    await asyncio.sleep(30)
    await asyncio.to_thread(bench.kafka.restart)


async def power_cut(bench: Bench) -> None:
    await asyncio.to_thread(bench.kafka.kill)
    await asyncio.sleep(2)
    await asyncio.to_thread(bench.kafka.restart)


async def freeze(bench: Bench) -> None:
    """Longer than a page may take, and than a new producer waits."""
    bench.kafka.pause()
    await asyncio.sleep(PUBLISH_DEADLINE + 12)
    bench.kafka.resume()


Trouble = Callable[[Bench], Awaitable[None]]


@pytest.mark.parametrize("trouble", [ordered_stop, power_cut, freeze])
async def test_the_broker_returns_and_every_row_leaves_in_order(bench: Bench, trouble: Trouble) -> None:
    await asyncio.sleep(1)
    await trouble(bench)
    await asyncio.sleep(1)
    await bench.empty()
    for topic in (TOPIC, OTHER):
        numbers = await bench.landed(topic)
        assert sorted(numbers) == list(range(bench.written)), "each row has left"
        for key in range(KEYS):
            mine = [number for number in numbers if number % KEYS == key]
            assert mine == sorted(mine), "the first copies are in order"


async def test_a_topic_that_is_gone_holds_up_its_own_rows_until_it_is_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LONGEST_PARK_SECONDS", 5.0)
    await asyncio.sleep(1)
    await bench.admin.delete_topics([OTHER])
    async with asyncio.timeout(60):
        while not bench.relay.refused:  # noqa: ASYNC110 - the relay works meanwhile
            await asyncio.sleep(0.1)
    assert {topic for topic, _ in bench.relay.refused} == {OTHER}
    before = bench.written
    async with asyncio.timeout(60):
        while min([before + 100, *numbers(bench, TOPIC)]) < before:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert bench.waiting(OTHER) > 0

    await bench.create(OTHER)
    await bench.empty()
    assert bench.relay.refused == {}


def numbers(bench: Bench, topic: str) -> list[int]:
    """The numbers of a topic's rows that have not left."""
    return [json.loads(row["value"]) for row in bench.mongo.rows("outbox").values() if row["topic"] == topic]
