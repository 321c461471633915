"""What a process says of itself: alive by what leaves it, ready but for what it names."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.runtime import Check, Runtime
from shared.messaging.send.outbox import Hold, Why
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from tests.fakes.memory import MemoryMongo

LIMIT = 120.0


class Broker:
    """Whether a broker answers."""

    def __init__(self) -> None:
        self.answers = True

    async def ping(self, seconds: float) -> bool:
        return self.answers


async def nothing(mongo: Mongo) -> None:
    """No migrations."""


@pytest.fixture
async def runtime() -> Runtime:
    settings = ServiceSettings(kafka="127.0.0.1:1", mongo="unused", jwks="unused", stuck_after=LIMIT)
    found = Runtime("test", settings, MemoryMongo(), Consumer("test", ("submissions.01",), {}), migrate=nothing)
    broker: Any = Broker()
    found._broker = broker
    return found


async def failed(runtime: Runtime) -> set[str]:
    """The checks of life that do not hold."""
    return {check.name for check in await runtime.live() if not check.ok}


async def test_rows_that_do_not_leave_though_the_broker_answers_are_no_life(runtime: Runtime) -> None:
    """Rounds go on for ever over a producer that is refused everything."""
    assert await failed(runtime) == set()
    runtime.relay.last_left -= LIMIT + 1
    runtime.relay.last_round = time.monotonic()
    assert await failed(runtime) == {"events"}


async def test_a_broker_that_is_down_is_no_reason_and_is_given_time_when_it_is_back(runtime: Runtime) -> None:
    broker: Any = runtime._broker
    runtime.relay.last_left -= LIMIT + 1
    broker.answers = False
    assert await failed(runtime) == set()
    broker.answers = True
    assert await failed(runtime) == set(), "it has only just come back"
    runtime._away -= LIMIT + 1
    assert await failed(runtime) == {"events"}


async def test_events_that_the_broker_refuses_are_named(runtime: Runtime) -> None:
    def events(checks: list[Check]) -> Check:
        (found,) = (check for check in checks if check.name == "events")
        return found

    assert events(await runtime.ready()).ok
    runtime.relay._holds["receipts.01", "slot/07"] = Hold("e-1", "TopicAuthorizationFailedError()", Why.REFUSED, 0.0)
    found = events(await runtime.ready())
    assert not found.ok
    assert found.detail == "1 refused: e-1 for receipts.01: TopicAuthorizationFailedError()"
