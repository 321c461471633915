"""Pauses of partitions: none is forgotten, and a short one ends no long one."""

from __future__ import annotations

import time
from typing import Any

import pytest
from aiokafka import TopicPartition

from shared.messaging.consume.brake import Brake
from shared.messaging.consume.consuming import Consuming
from shared.messaging.consume.pipeline import Progress
from shared.messaging.decide.asking import Consumer
from shared.messaging.send.outbox import Relay
from shared.messaging.settings import ServiceSettings
from tests.conformance.memory_kafka import MemoryBroker, MemoryClient, MemoryKafka
from tests.fakes.memory import MemoryMongo

PLACE = TopicPartition("in", 0)


@pytest.fixture
async def member() -> tuple[Consuming, MemoryClient]:
    """A member of a group that has one partition."""
    kafka = MemoryKafka({"in": 1})
    broker: Any = MemoryBroker(kafka)
    settings = ServiceSettings(kafka="-", mongo="-", jwks="-", brake_probe=60)
    consumer = Consumer("test", ("in",), {})
    nothing: Any = None
    consuming = Consuming(broker, consumer, nothing, Relay(MemoryMongo(), broker), Brake(3), settings)
    await broker.subscribed.join()
    return consuming, broker.subscribed.consumer


async def test_a_short_pause_does_not_end_a_long_one(
    member: tuple[Consuming, MemoryClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    consuming, client = member
    consuming._return_unfinished([], Progress({}, {tuple(PLACE)}))  # the brake: 60 s
    consuming._back_off([], ValueError("trouble of all"))  # one second
    now = time.monotonic()
    for later, paused in ((5, {PLACE}), (61, set())):
        monkeypatch.setattr(time, "monotonic", lambda later=later: now + later)
        consuming.resume_due()
        assert client.paused() == paused


async def test_what_was_paused_while_an_assignment_was_on_its_way_is_resumed(
    member: tuple[Consuming, MemoryClient],
) -> None:
    """The assignment forgets the pauses of the last one; the client had applied this one to the new one already."""
    consuming, client = member
    client.pause(PLACE)
    consuming.resume_due()
    assert client.paused() == set()
