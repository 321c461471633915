"""Results over sets: once after a burst, never missed, never by two at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from prometheus_client import REGISTRY
from pydantic import TypeAdapter

from shared.contracts.base import Contract
from shared.contracts.catalogue import EventType
from shared.contracts.facts import EnvelopeAccepted
from shared.messaging.clock import BusinessClock
from shared.messaging.decide import recalculation
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.documents import Collection, Document
from shared.messaging.decide.recalculation import Recalculator
from shared.messaging.decide.sets import SetOf, Sets, Source
from shared.messaging.decide.writing import rows_of
from shared.messaging.faults import NO_FAULTS, Faults, Injected, Step
from shared.messaging.messages import Outgoing
from shared.messaging.send.outbox import Relay
from shared.mongo.leases import Leases
from shared.mongo.port import CommitUnknown, Transient, Unavailable
from tests.fakes.memory import Fault, MemoryMongo
from tests.unit.delivery_samples import AT
from tests.unit.test_outbox import Broker


class Part(Contract):
    """One of the documents that make the result."""

    amount: int


class Total(Contract):
    """The result."""

    version: int
    amount: int


class Year(NamedTuple):
    """Which set."""

    scope: str
    year: int


UNSTORABLE = '["unstorable", 2026]'
LEASE = 'recalculation/sum/["04", 2026]'
PARTS = Collection("parts", TypeAdapter(Part))
SUMS = Collection("sums", TypeAdapter(Total))
SUM = SUMS.ref("04/2026")


class Bench:
    """A recalculator that adds up the documents of `parts`."""

    def __init__(self) -> None:
        self.mongo = MemoryMongo()
        self.broker = Broker()
        self.relay = Relay(self.mongo, self.broker)
        self.runs: list[tuple[str, int]] = []
        source = Source(PARTS, lambda before, after: ())
        self.sum = SetOf("sum", Year, self._compute, (source,), keeps=(SUMS,))
        self.recalculator = self.another()

    def another(self, quiet: float = 0.0, limit: float = 5.0, faults: Faults = NO_FAULTS) -> Recalculator:
        """The recalculator of another process."""
        clock = BusinessClock(offset_seconds=3_600)
        return Recalculator(
            "test",
            self.mongo,
            self.relay,
            clock=clock,
            sets=Sets([self.sum]),
            quiet_seconds=quiet,
            limit_seconds=limit,
            faults=faults,
        )

    async def request(
        self, scope: str = "04", *, age: float = 0.0, times: int = 1, due: datetime | None = None
    ) -> None:
        """Requests that lie there for some seconds."""
        at = datetime.now(UTC) - timedelta(seconds=age)
        await self.mongo.insert("recalculations", rows_of([self.sum.request(Year(scope, 2026), due)] * times, at))

    async def part(self, id: str, amount: int) -> None:
        """One of the documents that make the result."""
        await self.mongo.insert("parts", [{"_id": id, "_rev": 1, "amount": amount}])
        self.mongo.seal()

    def open(self) -> int:
        """Open requests."""
        return len(self.mongo.rows("recalculations"))

    def waiting(self) -> list[str]:
        """Keys of the open requests."""
        return [row["key"] for row in self.mongo.all("recalculations")]

    def result(self) -> tuple[int, Total] | None:
        """The stored result, with its revision."""
        stored: Document | None = self.mongo.rows("sums").get(SUM.id)
        return (stored["_rev"], SUMS.read(stored)) if stored else None

    def version(self) -> int | None:
        """The stored result's."""
        return self.mongo.rows("sums").get(SUM.id, {}).get("version")

    async def _compute(self, due: Due[Year], ask: Ask) -> Outcome:
        scope = due.key.scope
        self.runs.append(due.key)
        if scope == "broken":
            raise ZeroDivisionError(scope)
        previous = await ask.one(SUM)
        amount = sum(part.amount for part in await ask.all(PARTS, {}))
        version = previous.version + 1 if previous else 1
        fact = EnvelopeAccepted(
            version=version, submission_id="s", receipt_id="r", province="04", received_at=AT, year=2026, amount=amount
        )
        return Outcome(
            {SUM: Total(version=version, amount=amount)},
            [Outgoing("budgets", scope, scope, fact)],
            [self.sum.request(Year("nation", 2026))] if scope == "leads on" else [],
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_burst_leads_to_one_result_with_its_event(bench: Bench) -> None:
    await bench.part("a", 10)
    await bench.part("b", 5)
    await bench.request(times=500)

    assert await bench.recalculator.round() == 1

    assert bench.result() == (1, Total(version=1, amount=15))
    (row,) = bench.mongo.all("outbox")
    assert row["headers"]["ce_type"] == EventType.ENVELOPE_ACCEPTED
    written_at = datetime.fromisoformat(row["headers"]["ce_time"])
    assert timedelta(minutes=59) < written_at - datetime.now(UTC) < timedelta(minutes=61), "business time"
    assert bench.open() == 0
    assert await bench.recalculator.round() == 0


async def test_it_waits_for_the_end_of_the_burst_but_not_for_ever(bench: Bench) -> None:
    patient = bench.another(quiet=10, limit=60)
    await bench.request(age=20)
    await bench.request(age=5)
    assert await patient.round() == 0, "the burst goes on"
    await bench.request(age=61)
    assert await patient.round() == 1, "it goes on for too long"
    await bench.request(age=11)
    assert await patient.round() == 1, "it is quiet"


@pytest.mark.parametrize(
    ("requests", "rests"),
    [
        ([0.3], True),  # a lone change is quick
        ([0.1], False),
        ([1.3, 0.5], True),  # a burst of 0.8 seconds waits 0.25
        ([4.0, 0.9], True),
        ([4.0, 0.7], False),  # one of 3.3 waits 0.825
        ([20.0, 1.9], False),  # a long one never more than two
        ([20.0, 2.1], True),
        ([31.0, 0.0], True),  # but nobody waits for ever
    ],
)
async def test_the_longer_a_burst_the_longer_the_rest_that_ends_it(
    bench: Bench, requests: list[float], rests: bool
) -> None:
    adaptive = bench.another(quiet=0.25, limit=30.0)
    for age in requests:
        await bench.request(age=age)
    assert await adaptive.round() == rests


async def test_a_request_waits_for_its_day_in_business_time(bench: Bench) -> None:
    """The bench's business clock is an hour ahead."""
    due = datetime.now(UTC) + timedelta(minutes=61)
    await bench.request(due=due)
    assert await bench.recalculator.round() == 0
    bench.mongo.rows("recalculations").clear()

    due = datetime.now(UTC) + timedelta(minutes=59)
    await bench.request(due=due)
    assert await bench.recalculator.round() == 1


async def test_a_request_that_comes_meanwhile_leads_to_the_next_run(bench: Bench) -> None:
    await bench.part("a", 10)
    await bench.request()

    async def change() -> None:
        await bench.part("b", 1)
        await bench.request()

    bench.mongo.meanwhile.append(change)  # between the decision and its transaction
    assert await bench.recalculator.round() == 1
    assert bench.result() == (1, Total(version=1, amount=10))
    assert bench.open() == 1

    assert await bench.recalculator.round() == 1
    assert bench.result() == (2, Total(version=2, amount=11))
    assert bench.open() == 0


async def test_of_two_processes_one_computes(bench: Bench) -> None:
    await bench.request()
    holder = Leases(bench.mongo, 60)
    await holder.create([LEASE])
    await holder.acquire([LEASE])
    assert await bench.recalculator.round() == 0
    assert (bench.runs, bench.open()) == ([], 1)

    await holder.release()
    assert await bench.recalculator.round() == 1
    assert await bench.another().round() == 0
    assert bench.runs == [("04", 2026)]


async def test_what_another_process_has_computed_meanwhile_is_not_overwritten(bench: Bench) -> None:
    """A process that rested longer than its lease holds decides on what it had read before."""
    await bench.part("a", 10)
    await bench.request()

    async def other_process() -> None:
        await bench.part("b", 1)
        bench.mongo.rows("recalculations").clear()  # it has used the request, on what is there now

    bench.mongo.meanwhile.append(other_process)
    await bench.recalculator.round()
    assert (bench.result(), bench.mongo.all("outbox")) == (None, [])


@pytest.mark.parametrize("existed", [True, False])
async def test_a_result_that_moved_meanwhile_is_computed_again(bench: Bench, existed: bool) -> None:
    if existed:
        await bench.mongo.insert("sums", [{"_id": SUM.id, "_rev": 1, "version": 1, "amount": 0}])
        bench.mongo.seal()
    await bench.request()

    async def other_process() -> None:
        bench.mongo.rows("sums")[SUM.id] = {"_id": SUM.id, "_rev": 7, "version": 7, "amount": 1}
        bench.mongo.seal()

    bench.mongo.meanwhile.append(other_process)
    await bench.recalculator.round()
    assert bench.version() == 7
    assert (bench.open(), bench.mongo.all("outbox")) == (1, []), "nothing of the lost attempt remains"

    await bench.recalculator.round()
    assert bench.version() == 8
    assert bench.open() == 0


@pytest.mark.parametrize("fault", [Fault(Transient), Fault(CommitUnknown), Fault(CommitUnknown, applied=True)])
async def test_a_commit_in_doubt_makes_one_result(bench: Bench, fault: Fault) -> None:
    await bench.part("a", 10)
    await bench.request()
    bench.mongo.commit_faults = {1: fault}
    before = _repeats(fault.error.__name__)
    await bench.recalculator.round()
    assert bench.version() == 1
    assert (bench.open(), len(bench.mongo.all("outbox"))) == (0, 1)
    assert _repeats(fault.error.__name__) == before + 1, "an operator sees every repeat"


def _repeats(cause: str) -> float:
    return REGISTRY.get_sample_value("langhoc_retries_total", {"consumer": "test", "cause": cause}) or 0.0


class _StrikeOnce(Faults):
    """A process that dies at one step of its first result."""

    def __init__(self, step: Step) -> None:
        self._steps = {step}

    async def reach(self, step: Step) -> None:
        if step in self._steps:
            self._steps.clear()
            raise Injected(step.value)


@pytest.mark.parametrize("step", [Step.COMMITTING, Step.COMMITTED])
async def test_a_saboteur_reaches_results_over_sets_and_makes_neither_none_nor_two(bench: Bench, step: Step) -> None:
    await bench.part("a", 10)
    await bench.request()
    struck = bench.another(faults=_StrikeOnce(step))
    await struck.round()
    assert bench.open() == (1 if step is Step.COMMITTING else 0)
    await bench.another().round()
    assert bench.version() == 1
    assert (bench.open(), len(bench.mongo.all("outbox"))) == (0, 1)


async def test_a_crash_after_the_commit_makes_no_second_result(bench: Bench) -> None:
    await bench.request()
    bench.mongo.commit_faults = {1: Fault(Unavailable, applied=True)}
    await bench.recalculator.round()
    assert await bench.another().round() == 0
    assert bench.version() == 1
    assert len(bench.mongo.all("outbox")) == 1


@pytest.fixture
def long_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parked set rests for longer than any test takes."""
    monkeypatch.setattr(recalculation, "PARKED_SECONDS", (3_600.0,))


@pytest.mark.usefixtures("long_rest")
async def test_our_fault_on_one_set_holds_up_no_other_and_is_not_hammered(bench: Bench) -> None:
    await bench.request("broken", age=2)
    await bench.request("04", age=1)
    assert await bench.recalculator.round() == 2
    assert bench.version() == 1
    assert bench.open() == 1, "the request stays for after the repair"

    assert await bench.recalculator.round() == 0
    assert bench.runs == [("broken", 2026), ("04", 2026)]
    assert await bench.another().round() == 1, "a new process tries at once"


async def test_a_result_may_ask_for_another(bench: Bench) -> None:
    await bench.request("leads on")
    await bench.recalculator.round()
    assert bench.waiting() == ['["nation", 2026]']
    await bench.recalculator.round()
    assert bench.runs == [("leads on", 2026), ("nation", 2026)]


@pytest.mark.usefixtures("long_rest")
async def test_a_set_that_can_never_be_stored_parks_alone_and_is_shown(bench: Bench) -> None:
    """The oldest comes first: one that the database takes never would have held up all others for ever."""
    bench.mongo.unwritable = lambda collection, document: document.get("key") == "unstorable"
    await bench.request("unstorable", age=60)
    await bench.request("04")
    for _ in range(2):
        await bench.recalculator.round()

    assert bench.runs == [("unstorable", 2026), ("04", 2026)], "it rests for a while"
    assert bench.recalculator.parked.keys() == {("sum", UNSTORABLE)}
    assert REGISTRY.get_sample_value("langhoc_recalculations_parked") == 1
    assert bench.waiting() == [UNSTORABLE]

    bench.mongo.unwritable = lambda collection, document: False
    await bench.another().round()
    assert bench.open() == 0, "mended, it is stored"
    await bench.recalculator.round()
    assert bench.recalculator.parked == {}


async def test_what_a_copy_of_a_release_before_asks_for_waits_for_its_name(bench: Bench) -> None:
    former = {"scope": "04", "period": 2026, "due": None, "at": AT}
    await bench.mongo.insert("recalculations", [former])
    await bench.request()
    assert await bench.recalculator.round() == 1
    (left,) = bench.mongo.all("recalculations")
    assert (left["scope"], left["period"]) == ("04", 2026)
    assert bench.recalculator.parked == {}


async def test_a_database_that_is_away_parks_nothing(bench: Bench) -> None:
    await bench.request("04")
    bench.mongo.down = Unavailable
    with pytest.raises(Unavailable):
        await bench.recalculator.round()
    bench.mongo.down = None
    assert bench.recalculator.parked == {}
    assert await bench.recalculator.round() == 1
