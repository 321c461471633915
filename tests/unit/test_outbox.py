"""The relay over a database in memory and a broker that can be told to fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from shared.messaging import outbox
from shared.messaging.outbox import LARGEST_BODY, PARK_SECONDS, Relay
from shared.mongo.leases import Leases
from shared.mongo.port import Unavailable
from shared.testing.memory import MemoryMongo


@dataclass
class Broker:
    """A publisher that keeps what it was given, and confirms it unless told otherwise."""

    refused: set[str] = field(default_factory=set)
    """Ids for which handing over fails at once."""
    unconfirmed: set[str] = field(default_factory=set)
    """Ids that were handed over and are never confirmed."""
    failing: set[str] = field(default_factory=set)
    """Ids that were handed over and whose confirmation is an error."""
    frozen: bool = False
    """Handing over never returns."""
    sent: list[str] = field(default_factory=list)
    sending: asyncio.Event = field(default_factory=asyncio.Event)
    records: list[tuple[str, bytes, bytes, Mapping[str, str]]] = field(default_factory=list)

    async def send(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str]) -> asyncio.Future[Any]:
        if self.frozen:
            await asyncio.Event().wait()
        id = headers["ce_id"]
        self.sent.append(id)
        self.sending.set()
        if id in self.refused:
            raise MessageSizeTooLargeError(id)
        self.records.append((topic, key, value, headers))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if id in self.failing:
            future.set_exception(KafkaConnectionError(id))
        elif id not in self.unconfirmed:
            future.set_result(None)
        return future


class Bench:
    """A relay, its database and its broker."""

    def __init__(self) -> None:
        self.mongo = MemoryMongo()
        self.broker = Broker()
        self.relay = self.another()

    def another(self, publish_deadline: float = 0.2, lease_seconds: float = 8.0) -> Relay:
        """A relay of another process."""
        return Relay(self.mongo, self.broker, publish_deadline=publish_deadline, lease_seconds=lease_seconds)

    async def add(self, id: str, key: str = "k") -> str:
        """Commit a row; returns its slot."""
        row = outbox.row(event_id=id, topic="scores", key=key, value=b"{}", headers={"ce_id": id})
        await self.mongo.insert("outbox", [row])
        return str(row["slot"])

    async def start(self) -> None:
        """Make the leases and take them all."""
        await Leases(self.mongo, 8).create(outbox.SLOTS)

    def waiting(self) -> list[str]:
        """Rows that are still there, in order."""
        return [row["_id"] for row in sorted(self.mongo.all("outbox"), key=lambda row: row["order"])]


@pytest.fixture
async def bench() -> Bench:
    found = Bench()
    await found.start()
    return found


async def test_what_is_confirmed_is_deleted_and_was_sent_whole(bench: Bench) -> None:
    await bench.add("a", "Đ-1")
    assert await bench.relay.round() == 1
    assert bench.broker.records == [("scores", "Đ-1".encode(), b"{}", {"ce_id": "a"})]
    assert bench.waiting() == []
    assert await bench.relay.round() == 0
    assert bench.broker.sent == ["a"]


async def test_the_order_of_commits_is_the_order_of_sending(bench: Bench) -> None:
    ids = [f"{number:03d}" for number in range(200)]
    for id in ids:
        await bench.add(id, key=f"k{id[-1]}")
    assert await bench.relay.round() == 200
    assert bench.broker.sent == ids


async def test_a_key_has_one_slot_and_keys_spread_over_slots(bench: Bench) -> None:
    slots = {key: {await bench.add(f"{key}-{n}", key) for n in range(2)} for key in map(str, range(100))}
    assert all(len(slot) == 1 for slot in slots.values())
    assert len(set.union(*slots.values())) > 40


@pytest.mark.parametrize("trouble", ["refused", "failing", "unconfirmed"])
async def test_a_failure_holds_up_its_own_slot_only_and_nothing_overtakes_it(bench: Bench, trouble: str) -> None:
    for id, key in [("1", "bad"), ("2", "bad"), ("3", "good"), ("4", "bad"), ("5", "good")]:
        await bench.add(id, key)
    getattr(bench.broker, trouble).add("2")

    assert await bench.relay.round() == 3
    assert bench.waiting() == ["2", "4"], "what was not confirmed stays, and what comes behind it"

    bench.broker.sent.clear()
    await bench.add("6", "bad")
    await bench.add("7", "good")
    assert await bench.relay.round() == 1
    assert bench.broker.sent == ["7"], "a slot in trouble rests"


async def test_a_rested_slot_is_tried_again_under_the_same_ids(bench: Bench) -> None:
    await bench.add("1")
    await bench.add("2")
    bench.broker.failing.add("1")
    await bench.relay.round()
    assert bench.waiting() == ["1", "2"]

    bench.broker.failing.clear()
    bench.broker.sent.clear()
    bench.relay._parked = {slot: until - PARK_SECONDS - 0.1 for slot, until in bench.relay._parked.items()}
    assert await bench.relay.round() == 2
    assert bench.broker.sent == ["1", "2"]
    assert bench.waiting() == []


async def test_a_frozen_broker_costs_no_more_than_the_deadline(bench: Bench) -> None:
    await bench.add("1")
    bench.broker.frozen = True
    async with asyncio.timeout(2):
        assert await bench.relay.round() == 0
    assert bench.waiting() == ["1"]


async def test_only_the_holder_of_the_slots_sends(bench: Bench) -> None:
    await bench.add("1")
    other = bench.another()
    assert await bench.relay.round() == 1
    await bench.add("2")
    assert await other.round() == 0
    assert bench.waiting() == ["2"]

    await bench.relay.release()
    other = bench.another()
    assert await other.round() == 1, "what was given back is free at once"


async def test_rows_of_a_dead_process_are_swept_up_when_its_leases_expire(bench: Bench) -> None:
    await bench.relay.round()  # takes the leases, then dies
    await bench.add("1")
    bench.mongo.now = lambda: datetime.now(UTC) + timedelta(seconds=9)
    heir = bench.another()
    assert await heir.round() == 1
    assert bench.broker.sent == ["1"]


async def test_whoever_lost_its_leases_sends_nothing(bench: Bench) -> None:
    await bench.relay.round()
    await bench.add("1")
    bench.mongo.now = lambda: datetime.now(UTC) + timedelta(seconds=9)
    thief = Leases(bench.mongo, 60)
    assert await thief.acquire(outbox.SLOTS) == set(outbox.SLOTS)

    bench.relay._renewed = float("-inf")  # its next round asks for its leases again
    assert await bench.relay.round() == 0
    assert bench.broker.sent == []


async def test_a_lease_that_ends_before_the_publish_could_is_not_used(bench: Bench) -> None:
    short = bench.another(publish_deadline=0.6, lease_seconds=0.8)
    await bench.add("1")
    await short._leases.acquire(outbox.SLOTS)
    short._renewed = time.monotonic() + 100  # no renewal comes in between
    await asyncio.sleep(0.3)
    assert await short.round() == 0
    assert bench.broker.sent == []


def test_a_lease_must_outlive_a_publish() -> None:
    with pytest.raises(ValueError, match="outlive"):
        Relay(MemoryMongo(), Broker(), publish_deadline=8.0, lease_seconds=10.0)


def test_an_event_that_no_broker_takes_never_becomes_a_row() -> None:
    with pytest.raises(ValueError, match="scores"):
        outbox.row(event_id="1", topic="scores", key="k", value=b"x" * (LARGEST_BODY + 1), headers={})


async def test_the_relay_waits_out_a_database_that_is_gone_and_is_woken_by_a_commit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "POLL_SECONDS", 60)
    bench.mongo.down = Unavailable
    task = asyncio.create_task(bench.relay.run())
    await asyncio.sleep(0.05)
    bench.mongo.down = None
    await bench.add("1")
    async with asyncio.timeout(5):
        await bench.broker.sending.wait()
        bench.broker.sending.clear()
        await asyncio.sleep(0.05)  # it has gone to sleep
        await bench.add("2")
        bench.relay.wake()
        await bench.broker.sending.wait()
    assert not task.done()
    task.cancel()
    assert bench.broker.sent == ["1", "2"]


async def test_the_age_of_the_oldest_row_is_known(bench: Bench) -> None:
    await bench.add("1")
    (row,) = bench.mongo.rows("outbox").values()
    row["at"] -= timedelta(seconds=70)
    bench.broker.refused.add("1")
    await bench.relay.round()
    assert 70 <= bench.relay.oldest_seconds < 75
