"""Health is open to anybody: a crowd that asks for it is one question to the servers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from shared.mongo import Unavailable
from shared.web import lately
from shared.web.lately import Lately
from tests.fakes.apps import app_of
from tests.fakes.memory import MemoryMongo


class Counting(MemoryMongo):
    """Counts how often it is asked whether it answers; slowly, as a server that has much to do."""

    def __init__(self) -> None:
        super().__init__()
        self.pings = 0

    async def ping(self) -> None:
        self.pings += 1
        await asyncio.sleep(0.02)
        await super().ping()


@pytest.fixture
def mongo() -> Counting:
    return Counting()


@pytest.fixture
def http(mongo: Counting, tmp_path: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app_of("intake", mongo, tmp_path))
    return httpx.AsyncClient(transport=transport, base_url="http://intake")


async def database(http: httpx.AsyncClient) -> bool:
    """Whether the database answers, as anybody is told."""
    found: bool = (await http.get("/health/ready")).json()["checks"]["database"]["ok"]
    return found


async def test_a_crowd_that_asks_at_once_or_again_is_one_ping(
    http: httpx.AsyncClient, mongo: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lately, "SECONDS", 600.0)
    assert await asyncio.gather(*(database(http) for _ in range(50))) == [True] * 50
    assert [await database(http) for _ in range(50)] == [True] * 50
    assert mongo.pings == 1


async def test_what_has_changed_is_told_after_a_moment(
    http: httpx.AsyncClient, mongo: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lately, "SECONDS", 0.0)
    assert await database(http)
    mongo.down = Unavailable
    assert not await database(http)
    mongo.down = None
    assert await database(http)
    assert mongo.pings == 3


async def test_who_leaves_ends_nobody_elses_question_and_a_fault_is_everybodys() -> None:
    begun, may_end, asked = asyncio.Event(), asyncio.Event(), 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        begun.set()
        await may_end.wait()
        if asked == 2:
            raise Unavailable("away")
        return asked

    told = Lately(ask)
    first, second = (asyncio.create_task(told()) for _ in range(2))
    await begun.wait()
    first.cancel()
    may_end.set()
    assert await second == 1
    told._until = 0.0
    assert [type(each) for each in await asyncio.gather(told(), told(), return_exceptions=True)] == [Unavailable] * 2
    assert asked == 2
