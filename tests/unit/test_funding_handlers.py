"""Funding's handlers: which documents an event leaves behind, and what it asks to be recomputed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import chain, permutations
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from services.funding.decisions import (
    ADJUSTMENTS,
    CENTRES,
    DECISIONS,
    ENVELOPES,
    EQUIPMENT,
    FILES,
    PENDING,
    PROPOSAL,
    PROPOSALS,
    RECOGNISED,
    RECONCILIATION,
    SCORES,
    SETS,
    SUPPORTS,
    Pending,
    about,
    routes,
)
from services.funding.queries import migrate
from shared.contracts.base import Provenance, Status
from shared.contracts.catalogue import contract_of
from shared.contracts.facts import (
    CentreAccepted,
    CentreScored,
    EnvelopeAccepted,
    Receipt,
    RegistrationAccepted,
    SupportAccepted,
    Withdrawn,
)
from shared.messaging.decide.asking import STALE, Due, Outcome, Request, UndeclaredRead
from shared.messaging.decide.sets import Sets
from shared.messaging.messages import Position, Received
from tests.fakes.known import Documents
from tests.fakes.memory import MemoryMongo
from tests.unit.funding_bench import proposed

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ACCEPTED: dict[str, Any] = {
    "version": 1,
    "submission_id": "s-1",
    "receipt_id": "r-1",
    "province": "04",
    "received_at": NOW,
}


def handle(states: Documents, data: BaseModel) -> tuple[Outcome, set[Request]]:
    """One event through its route, and the sets of money to come that are computed for it; what was paid is compared
    besides (`tests/property/test_payment_order.py`)."""
    event: Received[Any] = Received(
        data=data,
        event_id="urn:langhoc:test#1",
        type=contract_of(type(data)).value,
        source="urn:langhoc:test",
        subject="x",
        version=getattr(data, "version", None),
        received_at=NOW,
        position=Position("t", 0, 1),
        raw=b"",
        traceparent=TRACE,
    )
    before = Documents(states)
    outcome = states.run(routes[event.type], event)
    touched = (Sets(SETS).touched(ref, before[ref], after) for ref, after in outcome.puts.items())
    asked = {*outcome.requests, *chain.from_iterable(touched)}
    return outcome, {request for request in asked if request.set != RECONCILIATION}


def of(province: str, year: int | None = None) -> Request:
    """A request for one budget year, or for every known one."""
    return Request(PROPOSAL, (province, year))


def everywhere(*provinces: str) -> set[Request]:
    """Requests for all that rests on these provinces' centres, in other provinces too."""
    return {request for province in provinces for request in about(province)}


def registration(**changes: Any) -> RegistrationAccepted:
    facts = {
        "centre_id": "c-1",
        "name": "TTHTCĐ Một",
        "commune_code": "01273",
        "unit_id": "01273",
        "area_class": "region_1",
        "population_served": 8_000,
        "opened_on": date(2010, 1, 1),
    }
    return RegistrationAccepted(**{**ACCEPTED, **facts, **changes})


def envelope(**changes: Any) -> EnvelopeAccepted:
    return EnvelopeAccepted(**{**ACCEPTED, "year": 2026, "amount": 30_000_000, **changes})


def support(**changes: Any) -> SupportAccepted:
    return SupportAccepted(**{**ACCEPTED, "centre_id": "c-1", "year": 2025, "amount": 20_000_000, **changes})


def file(**changes: Any) -> CentreAccepted:
    facts: dict[str, Any] = {
        **ACCEPTED,
        "centre_id": "c-1",
        "name": "Trung tâm 1",
        "commune_code": "01273",
        "period": 2025,
        "rubric": "clc_2553_2013",
        "content": {"scoring": "points", "points": {}},
    }
    return CentreAccepted(**{**facts, **changes})


def taken_back(**changes: Any) -> Withdrawn:
    facts = {**ACCEPTED, "kind": "centre", "subject": "c-1", "period": 2025, "withdraws": 1, "reason": "nhầm"}
    return Withdrawn(**{**facts, **changes})


def score(**changes: Any) -> CentreScored:
    facts = {
        "version": 1,
        "input_version": 1,
        "period": 2025,
        "rubric": "clc_2553_2013",
        "point_table": "t",
        "state": "scored",
        "total": 70,
        "grade": "kha",
        "level": None,
        "criteria": {},
        "missing": [],
        "provenance": Provenance.PROVISIONAL,
        "received_at": NOW,
        "centre_id": "c-1",
        "name": "TTHTCĐ Một",
        "commune_code": "01273",
        "province": "04",
    }
    return CentreScored(**{**facts, **changes})


def receipt(**changes: Any) -> Receipt:
    facts = {
        "receipt_id": "r-9",
        "status": Status.REJECTED,
        "province": "04",
        "received_at": NOW,
        "channel": "http",
        "body_hash": "0" * 64,
        "kind": "centre",
        "subject": "c-1",
        "period": 2025,
    }
    return Receipt(**{**facts, **changes})


def test_an_envelope_is_kept_and_asks_for_its_year() -> None:
    states = Documents()
    _, requests = handle(states, envelope())
    assert requests == {of("04", 2026)}
    kept = states[ENVELOPES.ref("04", 2026)]
    assert isinstance(kept, EnvelopeAccepted)
    assert kept.amount == 30_000_000


def test_a_registration_asks_for_every_known_budget_year() -> None:
    assert handle(Documents(), registration())[1] == everywhere("04")


def test_a_centre_that_moves_concerns_both_provinces() -> None:
    states = Documents()
    handle(states, registration())
    assert handle(states, registration(version=2, province="08"))[1] == everywhere("04", "08")


@pytest.mark.parametrize("year", [2022, 2025])
def test_support_of_a_year_feeds_every_later_one(year: int) -> None:
    """A merged centre is measured against support of years before the last one too, whenever that is told."""
    states = Documents()
    assert handle(states, support(year=year))[1] == everywhere("04")
    assert states[SUPPORTS.ref("c-1", year)] is not None


def test_a_score_is_kept_as_far_as_it_counts() -> None:
    """In later years the grade may stand in for a pending file."""
    states = Documents()
    assert handle(states, score())[1] == {of("04")}
    kept = states[SCORES.ref("c-1", 2025)]
    assert kept is not None
    assert SCORES.written(kept) == {
        "centre_id": "c-1",
        "period": 2025,
        "province": "04",
        "version": 1,
        "state": "scored",
        "rubric": "clc_2553_2013",
        "grade": "kha",
        "total": "70",
        "traceparent": TRACE,
        "_schema": 1,
    }


def test_a_fact_counts_where_its_centre_lies_by_now() -> None:
    states = Documents()
    handle(states, registration(province="08"))
    assert handle(states, support())[1] == everywhere("04", "08")
    assert handle(states, score())[1] == {of("04"), of("08")}


@pytest.mark.parametrize("make", [registration, envelope, support, score])
def test_equal_and_older_versions_change_nothing(make: Any) -> None:
    states = Documents()
    handle(states, registration(province="08"))
    handle(states, make(version=3))
    before = dict(states)
    for version in (3, 2):
        outcome, requests = handle(states, make(version=version))
        assert (outcome.verdict, outcome.puts, requests) == (STALE, {}, set())
    assert states == before


@pytest.mark.parametrize("status", [Status.REJECTED, Status.HELD, Status.CONFLICT])
def test_a_file_that_did_not_get_through_is_pending_once(status: Status) -> None:
    states = Documents()
    _, requests = handle(states, receipt(status=status))
    assert requests == {of("04", 2026)}
    assert states[PENDING.ref("04", "c-1", 2025)] == Pending(
        centre_id="c-1", period=2025, province="04", status=status, receipt_id="r-9", received_at=NOW, in_time=NOW
    )
    again, requests = handle(states, receipt(status=status))
    assert (again.verdict, again.puts, requests) == ("ignored", {}, set())
    later = receipt(status=status, receipt_id="r-10", received_at=datetime(2026, 5, 1, tzinfo=UTC))
    again, requests = handle(states, later)
    assert (again.verdict, again.puts, requests) == ("ignored", {}, set())


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.ACCEPTED},
        {"status": Status.DUPLICATE},
        {"kind": "commune"},
        {"act": "withdrawal"},
        {"kind": None},
        {"subject": None},
        {"period": None},
        {"period": 10**30},
    ],
)
def test_other_receipts_are_ignored(changes: dict[str, Any]) -> None:
    outcome, requests = handle(Documents(), receipt(**changes))
    assert (outcome.verdict, outcome.puts, requests) == ("ignored", {}, set())


def test_a_receipt_of_another_province_does_not_touch_the_centres_file() -> None:
    states = Documents()
    handle(states, receipt(province="08"))
    outcome, _ = handle(states, receipt())
    assert outcome.puts.keys() == {PENDING.ref("04", "c-1", 2025)}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_first_unsettled_file_counts_whichever_receipt_comes_first(order: tuple[int, ...]) -> None:
    states = Documents()
    receipts = [receipt(receipt_id=f"r-{day}", received_at=NOW + timedelta(days=day)) for day in range(3)]
    for nth in order:
        handle(states, receipts[nth])
    kept = states[PENDING.ref("04", "c-1", 2025)]
    assert kept is not None
    assert (kept.receipt_id, kept.received_at, kept.in_time) == ("r-0", NOW, NOW + timedelta(days=2))


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_when_the_first_file_came_is_known_in_whatever_order_its_versions_come(order: tuple[int, ...]) -> None:
    """The second version is a withdrawal: what came before it counts no more. No result is needed."""
    states = Documents()
    facts = [
        file(version=1),
        taken_back(version=2),
        file(version=3, received_at=NOW + timedelta(days=5)),
        file(version=4, received_at=NOW + timedelta(days=3)),
        file(version=5, received_at=NOW + timedelta(days=9)),
    ]
    for nth in order:
        handle(states, facts[nth])
    kept = states[FILES.ref("c-1", 2025)]
    assert kept is not None
    assert (kept.withdrawn, kept.arrived) == (2, NOW + timedelta(days=3))


# ------------------------------------------------------------------------------------------------- sources


def test_a_proposal_depends_on_what_it_reads_and_on_nothing_else() -> None:
    sources = {source.kind for source in PROPOSALS.sources}
    graded = {SCORES, RECOGNISED, FILES, PENDING}
    assert sources == {CENTRES, ENVELOPES, SUPPORTS, EQUIPMENT, DECISIONS, ADJUSTMENTS} | graded


@pytest.mark.parametrize(
    "kind", [CENTRES, ENVELOPES, SUPPORTS, SCORES, FILES, PENDING, DECISIONS], ids=lambda kind: kind.name
)
def test_what_a_proposal_does_not_declare_it_cannot_read(kind: Any) -> None:
    states = Documents()
    handle(states, registration())
    handle(states, envelope())
    due, declared = Due(PROPOSALS.key("04", 2026), NOW), PROPOSALS.declared
    assert states.decide(PROPOSALS.decide, due, NOW, declared).events
    with pytest.raises(UndeclaredRead, match=kind.name):
        states.decide(PROPOSALS.decide, due, NOW, declared - {kind.name})


async def test_a_proposal_that_knows_of_no_deadline_is_computed_again(tmp_path: Path) -> None:
    bench = await proposed(tmp_path)
    bench.mongo.rows("recalculations").clear()
    await migrate(bench.mongo)
    assert bench.requested() == set()
    del bench.mongo.rows("runs")["04/2026"]["awaited"]
    bench.mongo.seal()
    await migrate(bench.mongo)
    assert bench.requested() == {("04", 2026)}


async def test_what_a_release_without_named_sets_left_is_taken_over_once() -> None:
    mongo = MemoryMongo()
    kept = envelope().model_dump(mode="json")
    await mongo.insert("envelopes", [{"_id": f"04/{year}", "_rev": 1, **kept, "year": year} for year in (2025, 2026)])
    mongo.seal()
    await mongo.insert("recalculations", [{"scope": "04", "period": 2026, "due": None, "at": NOW}])
    for _ in range(2):
        await migrate(mongo)
        requests = [(row["set"], row["key"]) for row in mongo.all("recalculations")]
        assert sorted(requests) == [(PROPOSAL, '["04", 2025]'), (PROPOSAL, '["04", 2026]')]
