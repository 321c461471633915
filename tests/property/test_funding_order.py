"""The same facts end in the same proposals, in whatever order they come and whatever was computed in between.

Through funding alone: its routes, its sets as they are asked for, and its documents. A fact that was withdrawn before
it came, a centre that moved, a result that is taken back are among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.funding.decisions import ALLOCATIONS, RUNS, SETS, routes
from shared.contracts.base import Status
from shared.contracts.catalogue import contract_of
from shared.contracts.facts import Receipt
from shared.messaging.decide.asking import Due, Request
from shared.messaging.decide.sets import Key, Sets, covers
from shared.messaging.messages import Position, Received
from tests.fakes.known import Documents
from tests.unit.funding_bench import NOW, envelope, registration, score, support
from tests.unit.test_funding_withdrawals import withdrawal

DUE = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)
"""After the deadline of the assessments of 2025, before their period closes."""
LATER = datetime(2028, 1, 1, tzinfo=UTC)
"""When every deadline has passed."""
SOON = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
SUSPENDED = {"suspended_on": "2026-05-01", "act": "suspended", "decision_number": "05/QĐ-UBND"}


def equipment(centre_id: str, amount: int, year: int, version: int = 1) -> BaseModel:
    return support(centre_id, amount, year, version).model_copy(update={"purpose": "equipment"})


def refused(centre_id: str, receipt_id: str, at: datetime = NOW) -> Receipt:
    return Receipt(
        receipt_id=receipt_id,
        status=Status.REJECTED,
        province="04",
        received_at=at,
        channel="http",
        body_hash="0" * 64,
        kind="centre",
        subject=centre_id,
        period=2025,
    )


FACTS: Sequence[BaseModel] = [
    envelope(100_000_000),
    withdrawal("envelope", "04", period=2026, purpose="operating"),
    envelope(90_000_000, version=3),
    envelope(70_000_000, year=2027),
    registration("a"),
    registration("a", version=2, **SUSPENDED),
    registration("a", version=3, **SUSPENDED, resumed_on="2026-09-01"),
    registration("b"),
    withdrawal("registration", "b"),
    registration("b", version=3, population_served=20_000),
    registration("c", province="08"),
    registration("c", version=2),
    registration("n", opened_on="2026-02-01"),
    registration("m", opened_on="2026-01-01", predecessors=["b", "c"]),
    support("a", 20_000_000),
    withdrawal("support", "a", period=2025, purpose="operating"),
    support("a", 30_000_000, version=3),
    support("b", 25_000_000),
    support("c", 15_000_000, year=2024),
    support("c", 18_000_000, year=2025),
    equipment("n", 12_000_000, 2026),
    withdrawal("support", "n", period=2026, purpose="equipment"),
    equipment("n", 20_000_000, 2026, version=3),
    score("a", "tot"),
    score("a", "kha", version=2),
    score("a", "kha", version=3).model_copy(update={"state": "unassessed", "grade": None, "total": None}),
    score("b", "yeu", period=2024),
    score("c", "trung_binh", province="08"),
    score("c", "tot", version=2),
    refused("b", "r-1"),
    refused("b", "r-2"),
    score("b", "kha").model_copy(update={"state": "incomplete", "grade": None, "total": None}),
    score("b", "kha", version=2).model_copy(update={"state": "unassessed", "grade": None, "received_at": SOON}),
    refused("b", "r-3", SOON + timedelta(hours=1)),
    registration("d", province="08", opened_on="2026-01-01", predecessors=["b"]),
    registration("d", province="08", opened_on="2026-01-01", version=2),
]


class World:
    """Funding over a dictionary, computing what was asked for whenever it is told to."""

    def __init__(self) -> None:
        self.documents = Documents()
        self.sets = Sets(SETS)
        self.known: set[tuple[str, Key]] = set()
        self.open: set[Request] = set()
        self.told = 0

    def tell(self, fact: Any) -> None:
        self.told += 1
        event: Received[Any] = Received(
            data=fact,
            event_id=f"urn:langhoc:test#{self.told}",
            type=contract_of(fact.__class__).value,
            source="urn:langhoc:test",
            subject="x",
            version=getattr(fact, "version", None),
            received_at=NOW,
            position=Position("t", 0, self.told),
            raw=b"",
        )
        before = Documents(self.documents)
        outcome = self.documents.run(routes[event.type], event)
        touched = (self.sets.touched(ref, before[ref], after) for ref, after in outcome.puts.items())
        self.open |= {*outcome.requests, *chain.from_iterable(touched)}

    def compute(self, at: datetime) -> None:
        """Everything that is asked for, until nothing is."""
        while self.open:
            keys = {(request.set, key) for request in self.open for key in self._meant(request)}
            self.known |= keys
            self.open = set()
            for name, key in sorted(keys):
                one = self.sets.by_name[name]
                before = Documents(self.documents)
                due = Due(one.key(*key), at)
                outcome = self.documents.apply(self.documents.decide(one.decide, due, at, one.declared))
                touched = (self.sets.touched(ref, before[ref], after) for ref, after in outcome.puts.items())
                self.open |= {*outcome.requests, *chain.from_iterable(touched)}

    def pass_time(self, at: datetime) -> None:
        """A deadline passes: every set that waited for it is computed."""
        self.open |= {Request(name, key) for name, key in self.known}
        self.compute(at)

    def _meant(self, request: Request) -> Iterable[Key]:
        if None not in request.key:
            return [request.key]
        return [key for name, key in self.known if name == request.set and covers(request.key, key)]

    @property
    def end(self) -> dict[str, Any]:
        """What is proposed; what was taken back is as if it had never been proposed."""
        found: dict[str, Any] = {}
        for ref, state in self.documents.items():
            if ref.collection == RUNS.name and "no_envelope" not in state.flags:
                found[ref.id] = state.model_dump(exclude={"version", "proposed_at"})
            elif ref.collection == ALLOCATIONS.name and "withdrawn" not in state.allocation.flags:
                grant = state.grant.model_dump() if state.grant else None
                found[ref.id] = (state.province, state.allocation.model_dump(), grant)
        return found


def played(facts: Iterable[BaseModel], ticks: Iterable[bool]) -> list[dict[str, Any]]:
    """What is proposed when all facts are there, when the deadline has passed, and when the period has closed."""
    world = World()
    for fact, tick in zip(facts, ticks, strict=True):
        world.tell(fact)
        if tick:
            world.compute(NOW)
    world.compute(NOW)
    ends = [world.end]
    for at in (DUE, LATER):
        world.pass_time(at)
        ends.append(world.end)
    return ends


@given(st.data())
def test_the_order_of_facts_changes_no_proposal(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(range(len(FACTS))), unique=True, min_size=len(FACTS) // 2))
    other = data.draw(st.permutations(chosen))
    ticks = data.draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen)))
    together = played((FACTS[nth] for nth in sorted(chosen)), [False] * len(chosen))
    assert played((FACTS[nth] for nth in other), ticks) == together


@pytest.mark.parametrize("nth", range(len(FACTS)))
def test_whatever_comes_last_is_computed(nth: int) -> None:
    """After everything else has come to rest: what it does not ask for stays as it was."""
    others = [fact for other, fact in enumerate(FACTS) if other != nth]
    together = played(FACTS, [False] * len(FACTS))
    assert played([*others, FACTS[nth]], [*[False] * (len(others) - 1), True, False]) == together


def test_all_of_them_together_propose_something() -> None:
    end, *_ = played(FACTS, [True] * len(FACTS))
    assert {"04/2026", "04/2027", "a/2026", "b/2026", "c/2026", "m/2026", "n/2026"} <= end.keys()
    assert end["04/2026"]["envelope"] == 90_000_000
    assert end["n/2026"][2]["amount"] == 10_000_000, "what was paid of its equipment"
