"""The relay over a database in memory and a broker that can be told to fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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

from shared.messaging.clock import BusinessClock
from shared.messaging.send import outbox
from shared.messaging.send.outbox import LARGEST_BODY, Relay
from shared.mongo.leases import Leases
from shared.mongo.port import Unavailable
from tests.fakes.memory import MemoryMongo

Record = tuple[str, bytes, bytes, Mapping[str, str]]
FAILURES = [
    LeaderNotAvailableError(),
    OutOfOrderSequenceNumber(),
    KafkaConnectionError("lost"),
    MessageSizeTooLargeError("by the broker"),
    TopicAuthorizationFailedError("scores"),
]


@dataclass
class Broker:
    """A publisher that keeps what it was given, and confirms it unless told otherwise.

    As with the real one, nothing leaves behind a failure until its producer is made anew.
    """

    refused: set[str] = field(default_factory=set)
    """Ids that the client itself refuses."""
    unconfirmed: set[str] = field(default_factory=set)
    """Ids that were handed over and are never confirmed."""
    failing: dict[str, Exception] = field(default_factory=dict)
    """Ids that were handed over and whose confirmation is this error."""
    refused_together: set[str] = field(default_factory=set)
    """Ids for which the broker refuses the whole batch that they are in."""
    frozen: bool = False
    """Handing over never returns."""
    away: bool = False
    """No new producer can be started."""
    broken: bool = False
    stuck: set[bytes] = field(default_factory=set)
    """Keys behind a record that was not answered: a partition's answers come in order."""
    renewals: int = 0
    sent: list[str] = field(default_factory=list)
    """Ids that were handed over, in order."""
    sending: asyncio.Event = field(default_factory=asyncio.Event)
    records: list[Record] = field(default_factory=list)
    """What landed."""
    _batch: list[tuple[asyncio.Future[Any], Record]] = field(default_factory=list)

    @property
    def landed(self) -> list[str]:
        """The ids of what landed."""
        return [headers["ce_id"] for _, _, _, headers in self.records]

    async def renew(self) -> None:
        if self.broken:
            if self.away:
                raise KafkaConnectionError("as ordered by the test")
            self.broken = False
            self.stuck.clear()
            self.renewals += 1

    async def send(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str]) -> asyncio.Future[Any]:
        if self.frozen:
            await asyncio.Event().wait()
        id = headers["ce_id"]
        if self.broken:
            raise ProducerClosed(id)
        self.sent.append(id)
        self.sending.set()
        if id in self.refused:
            raise MessageSizeTooLargeError(id)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        future.add_done_callback(self._watch)
        if not self._batch:
            loop.call_soon(self._answer_batch)
        self._batch.append((future, (topic, key, value, headers)))
        return future

    def _answer_batch(self) -> None:
        batch, self._batch = self._batch, []
        if any(headers["ce_id"] in self.refused_together for _, (_, _, _, headers) in batch):
            self.broken = True
            for future, _ in batch:
                future.set_exception(MessageSizeTooLargeError("by the broker"))
            return
        for each in batch:
            self._answer(*each)

    def _answer(self, future: asyncio.Future[Any], record: Record) -> None:
        _, key, _, headers = record
        id = headers["ce_id"]
        if self.broken:
            future.set_exception(ProducerClosed(id))
        elif id in self.failing:
            self.broken = True
            future.set_exception(self.failing[id])
        elif id in self.unconfirmed or key in self.stuck:
            self.stuck.add(key)
        else:
            self.records.append(record)
            future.set_result(None)

    def _watch(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            self.broken = True


class Bench:
    """A relay, its database and its broker."""

    def __init__(self) -> None:
        self.mongo = MemoryMongo()
        self.clock = BusinessClock()
        self.broker = Broker()
        self.relay = self.another()

    def another(self, publish_deadline: float = 0.2, lease_seconds: float = 8.0) -> Relay:
        """A relay of another process."""
        return Relay(self.mongo, self.broker, publish_deadline=publish_deadline, lease_seconds=lease_seconds)

    async def add(self, id: str, key: str = "k", topic: str = "scores", value: bytes = b"{}") -> str:
        """Commit a row; returns its slot."""
        order, at = self.clock.stamp(), self.clock.real()
        row = outbox.row(event_id=id, topic=topic, key=key, value=value, headers={"ce_id": id}, order=order, at=at)
        await self.mongo.insert("outbox", [row])
        return str(row["slot"])

    async def start(self) -> None:
        """Make the leases and take them all."""
        await Leases(self.mongo, 8).create(outbox.SLOTS)

    async def rounds(self, count: int) -> int:
        """So many rounds; returns how many rows were confirmed."""
        return sum([await self.relay.round() for _ in range(count)])

    def rest(self) -> None:
        """As long passes as any lane is held up."""
        for hold in self.relay._holds.values():
            hold.until = time.monotonic() - 0.1

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


CLIENT_REFUSES, NEVER_CONFIRMED = "the client refuses it", "it is never confirmed"
TROUBLES = [CLIENT_REFUSES, NEVER_CONFIRMED, *FAILURES]


def cause(bench: Bench, id: str, trouble: str | Exception) -> None:
    """Let the send of a row fail in this way."""
    if trouble == CLIENT_REFUSES:
        bench.broker.refused.add(id)
    elif isinstance(trouble, Exception):
        bench.broker.failing[id] = trouble
    else:
        bench.broker.unconfirmed.add(id)


def mend(bench: Bench) -> None:
    """The broker takes everything again."""
    bench.broker.refused.clear()
    bench.broker.unconfirmed.clear()
    bench.broker.failing.clear()
    bench.rest()


@pytest.mark.parametrize("trouble", TROUBLES, ids=repr)
async def test_a_failure_holds_up_its_own_lane_only_and_nothing_overtakes_it(
    bench: Bench, trouble: str | Exception
) -> None:
    for id, key in [("1", "bad"), ("2", "bad"), ("3", "good"), ("4", "bad"), ("5", "good")]:
        await bench.add(id, key)
    cause(bench, "2", trouble)

    assert await bench.rounds(2) == 3
    assert bench.waiting() == ["2", "4"], "what was not confirmed stays, and what comes behind it"

    bench.broker.sent.clear()
    await bench.add("6", "bad")
    await bench.add("7", "good")
    await bench.add("8", "bad", topic="another")
    assert await bench.relay.round() == 2
    assert bench.broker.sent == ["7", "8"], "a lane in trouble rests; another topic has an order of its own"


@pytest.mark.parametrize("trouble", TROUBLES, ids=repr)
async def test_after_any_failure_all_rows_leave_in_order_under_the_same_ids(
    bench: Bench, trouble: str | Exception
) -> None:
    """An idempotent producer that was left with a gap refuses everything for ever: it must be made anew."""
    for number in range(20):
        await bench.add(f"{number:02d}", key=f"k{number % 3}")
    cause(bench, "07", trouble)
    await bench.rounds(3)
    assert "07" in bench.waiting()

    mend(bench)
    await bench.rounds(3)
    assert bench.waiting() == []
    first = list(dict.fromkeys(bench.broker.landed))
    for key in range(3):
        ids = [f"{number:02d}" for number in range(20) if number % 3 == key]
        assert [id for id in first if id in ids] == ids, "in the order of commits for each key"


async def test_a_broken_producer_is_made_anew_when_the_broker_is_back_and_not_before(bench: Bench) -> None:
    for id in ("1", "2"):
        await bench.add(id)
    bench.broker.failing["1"] = LeaderNotAvailableError()
    bench.broker.away = True
    assert await bench.relay.round() == 0
    for _ in range(3):
        with pytest.raises(KafkaConnectionError):
            await bench.relay.round()
    assert bench.waiting() == ["1", "2"]

    bench.broker.away = False
    mend(bench)
    assert await bench.relay.round() == 2
    assert bench.broker.renewals == 1


async def test_rows_that_cannot_be_sent_are_named_and_tried_alone_and_ever_less_often(bench: Bench) -> None:
    lost = TopicAuthorizationFailedError("scores")
    for id, key in [("1", "a"), ("2", "a"), ("3", "b")]:
        await bench.add(id, key)
    bench.broker.failing["1"] = lost
    await bench.rounds(2)
    assert bench.waiting() == ["1", "2"]
    bench.broker.sent.clear()
    pauses = []
    for _ in range(8):
        ((topic, _), hold) = next(iter(bench.relay.refused.items()))
        assert (topic, hold.id, hold.error) == ("scores", "1", repr(lost))
        pauses.append(hold.seconds)
        bench.rest()
        await bench.relay.round()
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300]
    assert bench.broker.sent == ["1"] * 8, "a row that will be refused again takes no other with it"

    mend(bench)
    await bench.rounds(2)
    assert bench.relay.refused == {}
    assert bench.waiting() == []


async def test_of_a_batch_that_is_refused_each_lane_is_tried_alone_at_once(bench: Bench) -> None:
    """The broker names the batch, not the record that it means."""
    batch = [f"{number}" for number in range(6)]
    for id in batch:
        await bench.add(id, key=id)
    bench.broker.refused_together = {"3"}
    await bench.rounds(8)
    assert bench.waiting() == ["3"]
    assert [hold.id for hold in bench.relay.refused.values()] == ["3"]


async def test_a_topic_that_is_unknown_is_looked_for_once_in_a_page(bench: Bench) -> None:
    """Each look takes seconds; rows of other topics wait behind it."""
    looked: list[str] = []
    send = bench.broker.send

    async def unknown(topic: str, **record: Any) -> asyncio.Future[Any]:
        if topic == "gone":
            looked.append(topic)
            raise UnknownTopicOrPartitionError(topic)
        return await send(topic, **record)

    bench.broker.send = unknown  # type: ignore[method-assign]
    for number in range(20):
        await bench.add(f"g{number:02d}", key=f"k{number}", topic="gone")
        await bench.add(f"s{number:02d}", key=f"k{number}")
    assert await bench.relay.round() == 20
    assert looked == ["gone"]
    assert {topic for topic, _ in bench.relay.refused} == {"gone"}


async def test_a_page_is_bounded_in_bytes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "PAGE_BYTES", 1_000)
    for number in range(6):
        await bench.add(f"{number}", value=b"x" * 400)
    await bench.add("large", value=b"x" * 5_000)
    assert [await bench.relay.round() for _ in range(5)] == [2, 2, 2, 1, 0]
    assert bench.broker.sent == ["0", "1", "2", "3", "4", "5", "large"]


async def test_progress_is_rows_that_leave_and_not_rounds(bench: Bench) -> None:
    def since() -> float:
        return time.monotonic() - bench.relay.last_left

    bench.relay.last_left -= 100
    await bench.add("1")
    bench.broker.unconfirmed.add("1")
    await bench.rounds(2)
    assert since() > 99, "a row waits, and none leaves"
    mend(bench)
    await bench.relay.round()
    assert since() < 50

    bench.relay.last_left -= 100
    await bench.relay.round()
    assert since() < 50, "nothing waits"

    await bench.add("2")
    bench.broker.refused.add("2")
    await bench.relay.round()
    bench.relay.last_left -= 100
    await bench.relay.round()
    assert since() < 50, "a new process would be refused too"


async def test_a_frozen_broker_costs_no_more_than_the_deadline(bench: Bench) -> None:
    await bench.add("1")
    bench.broker.frozen = True
    async with asyncio.timeout(30):
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
    large = "x" * LARGEST_BODY
    for key, value, subject in [("k", large, ""), ("", "", large), (large, "y", "")]:
        with pytest.raises(ValueError, match="scores"):
            outbox.row(
                event_id="1", topic="scores", key=key, value=value.encode(), headers={"ce_subject": subject},
                order=1, at=datetime.now(UTC),
            )  # fmt: skip


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


async def test_the_time_of_a_start_that_waited_is_not_held_against_the_relay(bench: Bench) -> None:
    """A service that was started in an outage of ten minutes would end itself before its first row has left."""
    waited = time.monotonic() - 600
    bench.relay.last_round = bench.relay.last_left = waited
    bench.mongo.down = Unavailable
    running = asyncio.create_task(bench.relay.run())
    await asyncio.sleep(0)
    assert min(bench.relay.last_round, bench.relay.last_left) > waited + 500
    running.cancel()
