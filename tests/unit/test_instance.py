"""One number, one living process; on real processes: `tests/faults/test_instances.py`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.operate import instance
from shared.messaging.operate.instance import Instance, InstanceTaken
from shared.mongo import Unavailable
from tests.fakes.memory import MemoryMongo
from tests.probe import Probe

LEASE = 0.4


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "POLL_SECONDS", 0.02)


def of(mongo: MemoryMongo, number: int = 0, seconds: float = LEASE) -> Instance:
    return Instance("intake", number, mongo, lease_seconds=seconds)


async def test_another_number_is_another_instance() -> None:
    mongo = MemoryMongo()
    for number in range(3):
        await of(mongo, number).claim()


async def test_a_living_holder_keeps_its_number_and_the_second_is_told_what_to_do() -> None:
    mongo = MemoryMongo()
    first, second = of(mongo), of(mongo)
    await first.claim()
    keeping = asyncio.create_task(first.keep())
    with pytest.raises(InstanceTaken, match=r"instance 0 of intake .*LANGHOC_INSTANCE"):
        await second.claim()
    await first.sure()
    keeping.cancel()


async def test_a_dead_holder_is_waited_for_and_followed() -> None:
    mongo = MemoryMongo()
    await of(mongo).claim()
    await of(mongo).claim()


async def test_after_an_ordered_stop_the_successor_need_not_wait() -> None:
    mongo = MemoryMongo()
    first = of(mongo, seconds=3_600)
    await first.claim()
    await first.release()
    async with asyncio.timeout(10):
        await of(mongo, seconds=3_600).claim()


async def test_who_was_frozen_handles_nothing_more_once_another_has_its_place() -> None:
    mongo, probe = MemoryMongo(), Probe()
    frozen = of(mongo)
    await frozen.claim()
    await asyncio.sleep(LEASE + 0.05)
    await of(mongo).claim()
    pipeline = Pipeline("probe", probe.consumer, mongo, clock=BusinessClock(), brake=Brake(9), before=frozen.sure)
    with pytest.raises(InstanceTaken):
        await pipeline.process([probe.record(0)])
    with pytest.raises(InstanceTaken):
        await frozen.keep()
    assert not mongo.rows("inbox")


async def test_who_was_frozen_and_not_replaced_goes_on() -> None:
    mongo = MemoryMongo()
    frozen = of(mongo)
    await frozen.claim()
    await asyncio.sleep(LEASE + 0.05)
    await frozen.sure()


async def test_a_lease_that_was_lost_with_the_database_is_taken_again() -> None:
    mongo = MemoryMongo()
    first = of(mongo)
    await first.claim()
    mongo.rows("leases").clear()
    await asyncio.sleep(LEASE + 0.05)
    await first.sure()
    keeping = asyncio.create_task(first.keep())
    with pytest.raises(InstanceTaken):
        await of(mongo).claim()
    keeping.cancel()


async def test_a_database_that_is_away_takes_nobodys_number() -> None:
    mongo = MemoryMongo()
    first = of(mongo)
    await first.claim()
    keeping = asyncio.create_task(first.keep())
    mongo.down = Unavailable
    await asyncio.sleep(LEASE + 0.05)
    with pytest.raises(Unavailable):
        await first.sure()  # nothing is handled in doubt
    assert not keeping.done()
    mongo.down = None
    await first.sure()
    keeping.cancel()


@pytest.mark.parametrize("skew", [timedelta(minutes=10), timedelta(minutes=-10)])
async def test_the_servers_clock_decides(skew: timedelta) -> None:
    mongo = MemoryMongo(now=lambda: datetime.now(UTC) + skew)
    first = of(mongo)
    await first.claim()
    keeping = asyncio.create_task(first.keep())
    with pytest.raises(InstanceTaken):
        await of(mongo).claim()
    keeping.cancel()
