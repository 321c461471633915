"""Funding's handlers: which documents an event leaves behind, and what it asks to be recomputed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from services.funding.decisions import ROUTES
from shared.contracts.base import Provenance, Status
from shared.contracts.catalogue import contract_of
from shared.contracts.facts import (
    CentreScored,
    EnvelopeAccepted,
    Receipt,
    RegistrationAccepted,
    SupportAccepted,
)
from shared.messaging.decide.handling import STALE, Dictionary, Document, Outcome, Recalculation, Ref, States
from shared.messaging.messages import Position, Received

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ACCEPTED: dict[str, Any] = {
    "version": 1,
    "submission_id": "s-1",
    "receipt_id": "r-1",
    "province": "04",
    "received_at": NOW,
}


class Declared:
    """The states as the pipeline gives them: only documents that the route asked for can be read."""

    def __init__(self, documents: Dictionary, needs: set[Ref]) -> None:
        self.documents, self.needs = documents, needs

    def __getitem__(self, ref: Ref) -> Document | None:
        if ref not in self.needs:
            raise KeyError(ref)
        return self.documents[ref]


def handle(states: Dictionary, data: BaseModel) -> Outcome:
    """One event through its route, as the pipeline does it; puts must have been declared."""
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
    route = ROUTES[event.type]
    needs = set(route.needs(event))
    view: States = Declared(states, needs)
    outcome = states.apply(route.handle(event, view))
    assert outcome.puts.keys() <= needs
    return outcome


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
        "criteria": [],
        "missing": [],
        "explanation": [],
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


def test_an_envelope_is_kept_and_makes_its_year_known() -> None:
    states = Dictionary()
    outcome = handle(states, envelope())
    assert outcome.requests == [Recalculation("04", 2026)]
    kept = states[Ref("envelopes", "04/2026")]
    assert kept is not None
    assert kept["amount"] == 30_000_000
    handle(states, envelope(year=2024))
    assert states[Ref("years", "04")] == {"years": [2024, 2026]}


def test_a_registration_asks_for_every_known_budget_year() -> None:
    states = Dictionary()
    assert handle(states, registration()).requests == []
    handle(states, envelope(year=2026))
    handle(states, envelope(year=2025))
    outcome = handle(states, registration(version=2))
    assert outcome.requests == [Recalculation("04", 2025), Recalculation("04", 2026)]


def test_a_centre_that_moves_concerns_both_provinces() -> None:
    states = Dictionary({Ref("years", "08"): {"years": [2026]}})
    handle(states, registration())
    outcome = handle(states, registration(version=2, province="08"))
    assert outcome.requests == [Recalculation("04", 2026), Recalculation("08", 2026)]


def test_support_of_a_year_feeds_the_next() -> None:
    states = Dictionary()
    assert handle(states, support()).requests == [Recalculation("04", 2026)]
    assert states[Ref("supports", "c-1/2025")] is not None


def test_a_score_feeds_its_budget_year_and_later_ones() -> None:
    """In later years the grade may stand in for a pending file."""
    states = Dictionary({Ref("years", "04"): {"years": [2025, 2026, 2028]}})
    outcome = handle(states, score())
    assert outcome.requests == [Recalculation("04", 2026), Recalculation("04", 2028)]
    assert states[Ref("scores", "c-1/2025")] == {
        "centre_id": "c-1",
        "period": 2025,
        "province": "04",
        "version": 1,
        "state": "scored",
        "rubric": "clc_2553_2013",
        "grade": "kha",
        "total": "70",
        "traceparent": TRACE,
    }


@pytest.mark.parametrize("make", [registration, envelope, support, score])
def test_equal_and_older_versions_change_nothing(make: Any) -> None:
    states = Dictionary()
    handle(states, make(version=3))
    before = dict(states.documents)
    for version in (3, 2):
        outcome = handle(states, make(version=version))
        assert (outcome.verdict, outcome.puts, outcome.requests) == (STALE, {}, [])
    assert states.documents == before


@pytest.mark.parametrize("status", [Status.REJECTED, Status.HELD, Status.CONFLICT])
def test_a_file_that_did_not_get_through_is_pending_once(status: Status) -> None:
    states = Dictionary()
    first = handle(states, receipt(status=status))
    assert first.requests == [Recalculation("04", 2026)]
    assert states[Ref("pending", "04/c-1/2025")] == {
        "centre_id": "c-1",
        "period": 2025,
        "province": "04",
        "status": status.value,
        "receipt_id": "r-9",
    }
    again = handle(states, receipt(status=status, receipt_id="r-10"))
    assert (again.verdict, again.puts, again.requests) == ("ignored", {}, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.ACCEPTED},
        {"status": Status.DUPLICATE},
        {"kind": "commune"},
        {"kind": None},
        {"subject": None},
        {"period": None},
        {"period": 10**30},
    ],
)
def test_other_receipts_are_ignored(changes: dict[str, Any]) -> None:
    outcome = handle(Dictionary(), receipt(**changes))
    assert (outcome.verdict, outcome.puts, outcome.requests) == ("ignored", {}, [])


def test_a_receipt_of_another_province_does_not_touch_the_centres_file() -> None:
    states = Dictionary()
    handle(states, receipt(province="08"))
    outcome = handle(states, receipt())
    assert outcome.puts.keys() == {Ref("pending", "04/c-1/2025")}
