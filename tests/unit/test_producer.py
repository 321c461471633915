"""A producer that outlives its failures, around one that can be told to fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    LeaderNotAvailableError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from shared.messaging.send import producer
from shared.messaging.send.producer import LastingProducer


class Fake:
    """What `LastingProducer` uses of aiokafka's producer: the test answers its sends."""

    def __init__(self) -> None:
        cluster = SimpleNamespace(partitions_for_topic=lambda topic: {0} if topic == "scores" else None)
        self.client = SimpleNamespace(send=self._wire, close=self._closed, cluster=cluster)
        self.answers: list[asyncio.Future[Any]] = []
        self.starting: Callable[[], Awaitable[None]] = _nothing
        self.refusing: Exception | None = None
        self.hanging = False
        """It never stops."""
        self.stopped = False
        self.disconnected = False

    async def start(self) -> None:
        await self.starting()

    async def stop(self) -> None:
        if self.hanging:
            await asyncio.Event().wait()
        self.stopped = True

    async def partitions_for(self, topic: str) -> set[int]:
        if topic == "unknown":
            await asyncio.Event().wait()
        return {0}

    async def send(self, *record: Any) -> asyncio.Future[Any]:
        if self.refusing:
            raise self.refusing
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    async def _wire(self, node: int, request: object) -> str:
        return "on the wire"

    async def _closed(self) -> None:
        self.disconnected = True


async def _nothing() -> None:
    pass


async def _away() -> None:
    raise KafkaConnectionError("nobody answers")


async def _frozen() -> None:
    await asyncio.Event().wait()


class Bench:
    """A lasting producer and those that it has built."""

    def __init__(self) -> None:
        self.built: list[Fake] = []
        self.starting: Callable[[], Awaitable[None]] = _nothing
        self.lasting = LastingProducer(self._build)

    @property
    def current(self) -> Fake:
        """The latest one."""
        return self.built[-1]

    def _build(self) -> Fake:
        fake = Fake()
        fake.starting = self.starting
        self.built.append(fake)
        return fake

    async def fail(self, error: Exception | None) -> None:
        """Send a record and let its confirmation fail, or be given up."""
        future = await self.lasting.send("scores", b"1")
        if error:
            future.set_exception(error)
        else:
            future.cancel()
        await asyncio.sleep(0)


@pytest.fixture
async def bench() -> Bench:
    found = Bench()
    await found.lasting.start()
    return found


GAPS = [
    LeaderNotAvailableError(),
    OutOfOrderSequenceNumber(),
    MessageSizeTooLargeError("says the broker"),
    TopicAuthorizationFailedError("scores"),
    None,
]


@pytest.mark.parametrize("error", GAPS, ids=repr)
async def test_behind_a_failure_nothing_leaves_until_the_producer_is_made_anew(
    bench: Bench, error: Exception | None
) -> None:
    broken = bench.current
    await bench.fail(error)
    with pytest.raises(ProducerClosed):
        await bench.lasting.send("scores", b"2")
    with pytest.raises(ProducerClosed):
        await broken.client.send(1, "a batch that waited behind the failure")

    await bench.lasting.renew()
    assert bench.current is not broken
    await bench.lasting.send("scores", b"1")
    assert len(bench.current.answers) == 1


async def test_what_the_client_refuses_leaves_no_gap_and_breaks_nothing(bench: Bench) -> None:
    bench.current.refusing = MessageSizeTooLargeError("says the client")
    with pytest.raises(MessageSizeTooLargeError):
        await bench.lasting.send("scores", b"1")
    bench.current.refusing = None
    await bench.lasting.send("scores", b"2")
    await bench.lasting.renew()
    assert len(bench.built) == 1


async def test_a_topic_that_is_unknown_costs_little_and_breaks_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "TOPIC_SECONDS", 0.02)
    with pytest.raises(UnknownTopicOrPartitionError):
        await bench.lasting.send("unknown", b"1")
    await bench.lasting.send("scores", b"2")


@pytest.mark.parametrize("starting", [_away, _frozen])
async def test_as_long_as_no_broker_answers_there_is_no_new_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, starting: Callable[[], Awaitable[None]]
) -> None:
    monkeypatch.setattr(producer, "START_SECONDS", 0.02)
    await bench.fail(LeaderNotAvailableError())
    bench.starting = starting
    for _ in range(2):
        with pytest.raises((KafkaConnectionError, TimeoutError)):
            await bench.lasting.renew()
        with pytest.raises(ProducerClosed):
            await bench.lasting.send("scores", b"2")
    bench.starting = _nothing
    await bench.lasting.renew()
    await bench.lasting.send("scores", b"2")
    await bench.lasting.stop()
    assert all(fake.stopped for fake in bench.built), "none is left behind"


async def test_closing_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen broker never lets a producer stop."""
    monkeypatch.setattr(producer, "CLOSE_SECONDS", 0.02)
    old = bench.current
    old.hanging = True
    await bench.fail(LeaderNotAvailableError())
    async with asyncio.timeout(30):
        await bench.lasting.renew()
        bench.current.hanging = True
        await bench.lasting.stop()
    assert old.disconnected
    assert bench.current.disconnected


async def test_a_failure_of_one_that_was_replaced_does_not_break_its_successor(bench: Bench) -> None:
    late = await bench.lasting.send("scores", b"1")
    await bench.fail(LeaderNotAvailableError())
    await bench.lasting.renew()
    late.set_exception(LeaderNotAvailableError())
    await asyncio.sleep(0)
    await bench.lasting.send("scores", b"2")
