"""A topic made anew under a running consumer, on fakes; on real servers: `tests/faults/test_topic_anew.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from aiokafka import TopicPartition

from shared.messaging.consume.gate import Gate
from shared.messaging.consume.topic_lives import TopicLives
from tests.conformance.service import Message, fact, occurrence
from tests.conformance.worlds import MemoryWorld
from tests.fakes.memory import MemoryMongo

A, B, C = (TopicPartition(topic, number) for topic, number in (("in", 0), ("in", 1), ("other", 0)))


class Ids:
    """What the broker says of its topics."""

    def __init__(self) -> None:
        self.now = {"in": "1", "other": "1"}

    async def __call__(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self.now[name] for name in names if name in self.now}


class World(MemoryWorld):
    """The conformance suite's service, whose topic can be made anew."""

    def __init__(self) -> None:
        super().__init__()
        self.ids = Ids()
        self.ids.now = {self.topics.input: "1"}

    def make_anew(self, *messages: Message) -> None:
        """Delete the topic and make it again, in a moment in which the consumer does not look."""
        for partition in self._kafka.partitions(self.topics.input):
            self._kafka.logs[partition].clear()
            self._kafka.committed.pop((self.group, partition), None)
        self.ids.now = {self.topics.input: "2"}
        for each in messages:
            self._kafka.append(self.topics.input, each.key.encode(), each.value, each.wire_headers)

    def lives(self) -> TopicLives:
        """As each process builds it."""
        return TopicLives(self.mongo, self.group, self.ids)

    async def handled(self, number: int) -> None:
        """Wait until so many records had their effects."""

        async def done() -> bool:
            return await self.mongo.count("inbox", {}) == number

        await self.until(done)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    found = World()
    await found.begin()
    yield found
    await found.end()


# ------------------------------------------------------------------------------------------------- noticing


async def test_what_is_seen_for_the_first_time_is_remembered_and_a_new_id_is_told() -> None:
    ids, mongo = Ids(), MemoryMongo()
    lives = TopicLives(mongo, "group", ids)
    assert await lives.anew([A, B, C]) == {}
    ids.now["in"] = "2"
    assert await lives.anew([A, B, C]) == {A: "2", B: "2"}
    assert await lives.anew([A, B, C]) == {A: "2", B: "2"}, "until it is said to be read from its beginning"
    await lives.begun({A: "2"})
    assert await TopicLives(mongo, "group", ids).anew([A, B, C]) == {B: "2"}, "another member knows it of each"
    assert await TopicLives(mongo, "other group", ids).anew([A, B, C]) == {}


async def test_a_topic_that_is_missing_just_now_is_not_made_anew() -> None:
    ids = Ids()
    lives = TopicLives(MemoryMongo(), "group", ids)
    await lives.anew([A])
    del ids.now["in"]
    assert await lives.anew([A]) == {}
    ids.now["in"] = "1"
    assert await lives.anew([A]) == {}


# ------------------------------------------------------------------------------------------------- reading anew


async def test_what_lies_before_the_old_position_is_read_after_all(world: World) -> None:
    await world.start()
    assert world.process is not None
    consuming = world.process.consuming
    await world.send(*(occurrence(f"a{number}") for number in range(5)))
    await world.settled()
    await consuming.read_anew(world.lives())

    world.make_anew(*(occurrence(f"b{number}") for number in range(8)))
    await world.handled(5 + 3)  # the first five of the new topic are skipped
    await consuming.read_anew(world.lives())
    await world.settled()

    assert (await world.rows("tallies"))[0]["n"] == 5 + 8, "each once"
    await consuming.read_anew(world.lives())
    await world.settled()
    assert (await world.rows("tallies"))[0]["n"] == 5 + 8


async def test_a_crash_between_reading_anew_and_remembering_it_is_made_good(world: World) -> None:
    await world.start()
    await world.send(*(occurrence(f"a{number}") for number in range(5)))
    await world.settled()
    assert world.process is not None
    await world.process.consuming.read_anew(world.lives())
    world.make_anew(*(occurrence(f"b{number}") for number in range(8)), fact("f", amount=5))
    await world.handled(5 + 4)
    await world.stop()  # offsets of the new topic are committed, behind what was skipped

    await world.start()
    await world.process.consuming.read_anew(world.lives())
    await world.settled()
    assert (await world.rows("tallies"))[0]["n"] == 5 + 8


# ------------------------------------------------------------------------------------------------- between batches


async def test_a_step_between_two_batches_comes_before_the_next_one() -> None:
    gate = Gate(patience_seconds=1, on_assigned=lambda partitions: None)
    seen: list[str] = []

    def step() -> None:
        seen.append("step")

    await gate.between(step)
    gate.enter()
    waiting = asyncio.create_task(gate.between(step))
    await asyncio.sleep(0)
    assert seen == ["step"]
    gate.leave()
    gate.enter()  # at once, as under a backlog
    seen.append("next batch")
    await waiting
    assert seen == ["step", "step", "next batch"]
