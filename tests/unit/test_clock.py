"""One clock, set by the database's; and what follows from something comes behind it, whatever clocks say."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.contracts.facts import EnvelopeAccepted
from shared.messaging import clock as clock_module
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.gate import Gate
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Ask, Consumer, Due, Look, Order, Outcome
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.documents import Collection, Document
from shared.messaging.decide.recalculation import Recalculator
from shared.messaging.decide.sets import SetOf, Sets
from shared.messaging.decide.writing import rows_of
from shared.messaging.messages import Outgoing
from shared.messaging.send import outbox
from shared.messaging.send.outbox import Relay
from shared.mongo.leases import Leases
from shared.mongo.port import Unavailable
from tests.fakes.memory import MemoryMongo
from tests.unit.delivery_samples import AT
from tests.unit.test_outbox import Broker
from tests.unit.test_pipeline import CONSUMER, OUT, TOTALS, stored, total

TEN_MINUTES = 600.0
FAST, SLOW = TEN_MINUTES, -TEN_MINUTES
CHAIN = total("04")
OTHERS: Collection[Document] = Collection("others", TOTALS.model)


class Name(NamedTuple):
    """Which set."""

    name: str


def close(one: datetime, other: datetime) -> bool:
    """The same moment, as far as a test needs."""
    return abs(one - other) < timedelta(seconds=5)


# ------------------------------------------------------------------------------------------------- a simulation


async def test_a_simulated_clock_moves_between_two_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two batches, back too; what cannot be read changes nothing."""
    monkeypatch.setattr(clock_module, "LOOK_SECONDS", 0.001)
    file, clock, gate = tmp_path / "clock", BusinessClock(60), Gate(patience_seconds=1, on_assigned=lambda _: None)
    gate.enter()
    obeying = asyncio.create_task(clock.obey(file, gate.between))
    yearly = asyncio.create_task(clock.sleep(31_536_000))

    async def shows(offset: int) -> bool:
        for _ in range(1_000):
            if clock.offset_seconds == offset:
                return True
            await asyncio.sleep(0.001)
        return False

    file.write_text("3600")
    await asyncio.sleep(0.05)
    assert clock.offset_seconds == 60, "a batch is in flight"
    assert not yearly.done()
    gate.leave()
    assert await shows(3_600)
    await yearly
    for unreadable in ("", "an hour", "1e3"):
        file.write_text(unreadable)
        await asyncio.sleep(0.01)
        assert clock.offset_seconds == 3_600
    file.unlink()
    await asyncio.sleep(0.01)
    assert not obeying.done()
    file.write_text("-120")
    assert await shows(-120)
    assert close(clock.now(), clock.real() - timedelta(seconds=120))
    obeying.cancel()


# ------------------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize("skew", [FAST, SLOW, 0.0])
async def test_the_databases_clock_counts_and_not_the_hosts(skew: float) -> None:
    mongo, real = MemoryMongo(), datetime.now(UTC)
    clock = BusinessClock(3_600, skew_seconds=skew)
    assert close(clock.real(), real + timedelta(seconds=skew)), "before the first measurement there is only the host"
    await clock.measure(mongo)
    assert close(clock.real(), real)
    assert close(clock.now(), real + timedelta(hours=1)), "business time is shifted, real time is not"
    assert clock.appended(round(AT.timestamp() * 1000)) == AT + timedelta(hours=1)


async def test_a_host_that_is_set_meanwhile_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = BusinessClock()
    await clock.measure(MemoryMongo())
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert close(clock.real(), datetime.now(UTC))


async def test_it_follows_the_database_and_outlives_its_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "MEASURE_SECONDS", 0.001)
    mongo, clock = MemoryMongo(down=Unavailable), BusinessClock()
    following = asyncio.create_task(clock.follow(mongo))
    await asyncio.sleep(0.02)
    mongo.down, mongo.now = None, lambda: AT
    async with asyncio.timeout(5):
        while not close(clock.real(), AT):  # noqa: ASYNC110 - another task sets the clock
            await asyncio.sleep(0.01)
    following.cancel()


async def test_a_slow_answer_tells_too_little(monkeypatch: pytest.MonkeyPatch) -> None:
    mongo, clock = MemoryMongo(), BusinessClock()
    await clock.measure(mongo)
    monkeypatch.setattr(clock_module, "SLOW_SECONDS", 0.0)
    mongo.now = lambda: AT
    await clock.measure(mongo)
    assert close(clock.real(), datetime.now(UTC))


def test_stamps_rise_strictly_and_above_what_was_read() -> None:
    fast, slow = BusinessClock(skew_seconds=FAST), BusinessClock(skew_seconds=SLOW)
    stamps = [fast.stamp() for _ in range(1_000)]
    assert stamps == sorted(set(stamps))
    answers = [slow.stamp(after=stamps[-1]) for _ in range(1_000)]
    assert [*stamps, *answers] == sorted({*stamps, *answers})
    assert fast.stamp() - stamps[-1] < 10**11, "near the time where nothing forces it"


# ------------------------------------------------------------------------------------------------- order per key


class Pair:
    """Two processes of a service on one database, neither of them corrected: the first fast, the second slow."""

    def __init__(self) -> None:
        self.mongo = MemoryMongo()
        self.broker = Broker()
        self.clocks = [BusinessClock(skew_seconds=skew) for skew in (FAST, SLOW)]
        self.relays = [Relay(self.mongo, self.broker, clock=clock) for clock in self.clocks]

    async def published(self) -> list[str]:
        """Relay everything; returns the ids in the order in which they landed."""
        await Leases(self.mongo, 20).create(outbox.SLOTS)
        await self.relays[0].round()
        assert self.mongo.all("outbox") == []
        return self.broker.landed

    def rows(self) -> list[str]:
        """Ids of rows in the order in which they were written."""
        return [row["_id"] for row in self.mongo.all("outbox")]

    def pipeline(self, process: int, consumer: Consumer = CONSUMER) -> Pipeline:
        """The pipeline of a process."""
        return Pipeline("test", consumer, self.mongo, clock=self.clocks[process], brake=Brake(5))

    def commands(self, process: int) -> Commands:
        """The commands of a process."""
        return Commands("test", self.mongo, self.relays[process], clock=self.clocks[process])

    async def order(self, process: int, id: str) -> None:
        """Count once more, by a command of a process."""
        await self.commands(process).order(id, None, count)


async def count(cause: Order[Any] | Due[Name], ask: Ask) -> Outcome:
    """The next version of the document that the handler of the pipeline counts in too, and an event of it."""
    before = await ask.one(CHAIN) or {"n": 0}
    version = before["n"] + 1
    fact = EnvelopeAccepted(
        version=version, submission_id="s", receipt_id="r", province="04", received_at=AT, year=2026, amount=version
    )
    return Outcome({CHAIN: {"n": version, "last": 0}}, [Outgoing(OUT, "04", "04", fact)])


@pytest.mark.parametrize("second", ["batch", "command", "recalculation", "replay"])
async def test_version_2_of_a_slow_process_follows_version_1_of_a_fast_one(second: str) -> None:
    """By the hosts' clocks version 2 is twenty minutes older than version 1, which it was decided on."""
    pair = Pair()
    await pair.pipeline(0).process([stored(0, province="04")])
    slow = pair.pipeline(1)
    match second:
        case "batch":
            await slow.process([stored(1, province="04")])
        case "command":
            await pair.order(1, "c-1")
        case "recalculation":
            counting = SetOf("count", Name, count, keeps=(TOTALS,))
            await pair.mongo.insert("recalculations", rows_of([counting.request(Name("x"))], AT))
            worker = Recalculator(
                "test", pair.mongo, pair.relays[1], clock=pair.clocks[1], sets=Sets([counting]), quiet_seconds=0.0
            )
            await worker.round()
        case "replay":
            await slow.process([stored(1, "poison", province="04")])
            (letter,) = pair.mongo.all("dead_letters")
            mended = stored(1, province="04")

            async def settle(*_: object) -> None:
                """The letter's own life is another matter."""

            await slow.replay(letter | {"value": mended.value}, settle)
    written = pair.rows()
    assert len(written) == 2
    assert await pair.published() == written


async def test_a_chain_through_many_hands_keeps_its_order() -> None:
    pair = Pair()
    for number in range(20):
        await pair.order(number % 2, f"c-{number}")
    await pair.published()
    versions = [json.loads(value)["version"] for _, _, value, _ in pair.broker.records]
    assert versions == list(range(1, 21))


async def test_documents_from_before_stamps_count_as_old() -> None:
    pair = Pair()
    await pair.mongo.insert("totals", [{"_id": "04", "_rev": 7, "n": 7, "last": 0}])
    pair.mongo.seal()
    await pair.order(1, "c-1")
    (document,) = pair.mongo.all("totals")
    (row,) = pair.mongo.all("outbox")
    assert (document["n"], document["_rev"]) == (8, 8)
    assert document["_stamp"] > row["order"]


async def test_what_was_only_looked_at_comes_before_too() -> None:
    pair = Pair()
    await pair.order(0, "c-1")

    async def look(order: Order[Any], ask: Ask) -> Outcome:
        (seen,) = await ask.look(Look(TOTALS, TOTALS.model, {}, fields=["n"]))
        assert seen == {"_id": "04", "n": 1}
        other = OTHERS.ref("04")
        await ask.one(other)
        fact = EnvelopeAccepted(
            version=1, submission_id="s", receipt_id="r", province="04", received_at=AT, year=2026, amount=1
        )
        return Outcome({other: {"n": 1}}, [Outgoing(OUT, "04", "04", fact)])

    await pair.commands(1).order("c-2", None, look)
    written = pair.rows()
    assert await pair.published() == written


# ------------------------------------------------------------------------------------------------- bursts


@pytest.mark.parametrize(("asking", "computing"), [(FAST, SLOW), (SLOW, FAST)])
async def test_a_burst_ends_when_it_ends_whoever_asks(asking: float, computing: float) -> None:
    """A request written by a host ten minutes fast lay there for ten minutes; one of a slow host cut bursts short."""
    mongo = MemoryMongo()
    clocks = [BusinessClock(skew_seconds=skew) for skew in (asking, computing)]
    for clock in clocks:
        await clock.measure(mongo)
    relay = Relay(mongo, Broker(), clock=clocks[0])
    runs: list[str] = []

    async def compute(due: Due[Name], ask: Ask) -> Outcome:
        runs.append(due.key.name)
        return Outcome()

    wanted = SetOf("wanted", Name, compute)

    async def want(order: Order[Any], ask: Ask) -> Outcome:
        return Outcome(requests=[wanted.request(Name("04"))])

    await Commands("test", mongo, relay, clock=clocks[0]).order("c-1", None, want)
    worker = Recalculator(
        "test", mongo, relay, clock=clocks[1], sets=Sets([wanted]), quiet_seconds=60, limit_seconds=600
    )
    assert await worker.round() == 0, "the burst may go on"
    mongo.now = lambda: datetime.now(UTC) + timedelta(seconds=61)
    await clocks[1].measure(mongo)
    assert await worker.round() == 1
    assert runs == ["04"]


@pytest.mark.parametrize("skew", [FAST, SLOW])
@pytest.mark.parametrize(("minutes", "ripe"), [(-1, True), (1, False)])
async def test_a_deadline_passes_when_it_passes(skew: float, minutes: int, ripe: bool) -> None:
    mongo, clock = MemoryMongo(), BusinessClock(3_600, skew_seconds=skew)
    await clock.measure(mongo)

    async def compute(due: Due[Name], ask: Ask) -> Outcome:
        return Outcome()

    wanted = SetOf("wanted", Name, compute)
    due = datetime.now(UTC) + timedelta(hours=1, minutes=minutes)
    await mongo.insert("recalculations", rows_of([wanted.request(Name("04"), due)], AT))
    worker = Recalculator("test", mongo, Relay(mongo, Broker()), clock=clock, sets=Sets([wanted]))
    assert await worker.round() == ripe
