"""Notifications' handlers: what is told once, what waits, and under which trace it hangs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from services.notifications import queries
from services.notifications.decisions import (
    ALERTS,
    SETS,
    SETTLED_SUPPORT,
    SUPPORTS,
    TOLD,
    WAITING,
    ProvinceYear,
    routes,
)
from shared.contracts.base import Provenance, Status, Text, content_hash
from shared.contracts.catalogue import contract_of
from shared.contracts.facts import (
    AdjustmentProposed,
    Alert,
    Allocation,
    BudgetAdjusted,
    BudgetProposed,
    BudgetRunApproved,
    BudgetRunProposed,
    CentreScored,
    CommuneScored,
    JournalMark,
    Receipt,
    Superseded,
)
from shared.messaging.decide.asking import STALE, Due, Outcome, Request
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.sets import Sets
from shared.messaging.messages import Position, Received
from tests.fakes.known import Documents
from tests.fakes.memory import MemoryMongo

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def handle(
    states: Documents, data: BaseModel, *, id: str = "e-1", at: datetime = NOW, trace: str | None = None
) -> Outcome:
    """One event through its decision."""
    event: Received[Any] = Received(
        data=data,
        event_id=id,
        type=contract_of(type(data)).value,
        source="urn:langhoc:test",
        subject="x",
        version=getattr(data, "version", None),
        received_at=at,
        position=Position("t", 0, 1),
        raw=b"",
        traceparent=trace,
    )
    return states.run(routes[event.type], event)


def alerts_of(outcome: Outcome) -> list[Alert]:
    alerts = [event.data for event in outcome.events]
    assert all(isinstance(alert, Alert) for alert in alerts)
    return alerts  # type: ignore[return-value]


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


def commune(version: int, level: int | None) -> CommuneScored:
    return CommuneScored(
        version=version,
        input_version=version,
        period=2025,
        rubric="lc_commune_25_2023",
        point_table=None,
        state="incomplete" if level is None else "scored",
        total=None,
        grade=None,
        level=level,
        criteria=[],
        missing=[],
        explanation=[],
        provenance=Provenance.FOUND,
        received_at=NOW,
        unit_id="01273",
        code="01273",
        name="Phường Thục Phán",
        holder="04",
        province="04",
        rank_key=None,
    )


def centre(version: int, grade: str) -> CentreScored:
    facts = commune(version, 1).model_dump() | {"level": None, "grade": grade, "rubric": "clc_2553_2013"}
    return CentreScored(**facts, centre_id="01273", commune_code="01273")


def line(centre_id: str, amount: int, version: int = 1, **changes: Any) -> BudgetProposed:
    facts = {
        "centre_id": centre_id,
        "name": centre_id,
        "commune_code": "01273",
        "amount": amount,
        "floor": 0,
        "lower": 0,
        "upper": None,
        "last_year": 20_000_000,
        "performance_factor": "1",
        "equity_factor": "1",
        "size_factor": "1",
        "weight": "1",
        "grade": "kha",
        "assessment": "scored",
        "result_version": 1,
        "binds": "none",
        "exact": str(amount),
        "steps": [],
    }
    return BudgetProposed(
        province="04",
        year=2026,
        version=version,
        run_version=version,
        allocation=Allocation(**{**facts, **changes}),
        previous_amount=None,
    )


def run(version: int = 1, flags: tuple[str, ...] = (), **amounts: int) -> BudgetRunProposed:
    total = sum(amounts.values())
    return BudgetRunProposed(
        province="04",
        year=2026,
        version=version,
        envelope=total,
        allocated=total,
        reserve=0,
        centres=len(amounts),
        case="performance",
        lambda_="1",
        flags=list(flags),
        hash=content_hash([[key, amounts[key]] for key in sorted(amounts)]),
        proposed_at=NOW,
        provenance=Provenance.PROVISIONAL,
    )


def settle(states: Documents, now: datetime = NOW) -> Outcome:
    """The recalculation worker's part; what it reads is declared."""
    due = Due(ProvinceYear("04", 2026), now)
    return states.apply(states.decide(SETTLED_SUPPORT.decide, due, now, SETTLED_SUPPORT.declared))


def asked_for(states: Documents, data: BaseModel) -> list[Request]:
    """The sets that an event's documents ask for."""
    before = dict(states)
    sets = Sets(SETS)
    return [each for ref, now in handle(states, data).puts.items() for each in sets.touched(ref, before.get(ref), now)]


# ------------------------------------------------------------------------------------------------- receipts


def test_a_rejection_is_told_to_its_sender_once() -> None:
    states = Documents()
    outcome = handle(states, receipt())
    (event,) = outcome.events
    assert (event.topic, event.key, event.subject, event.parent) == ("alerts.04", "c-1", "c-1", None)
    assert states[ALERTS.ref("submission_rejected/r-9")] == event.data
    again = handle(states, receipt(), id="e-2")
    assert (again.verdict, again.events, again.puts) == ("repeated", [], {})


def test_other_receipts_are_ignored() -> None:
    outcome = handle(Documents(), receipt(status=Status.ACCEPTED))
    assert (outcome.verdict, outcome.events, outcome.puts) == ("ignored", [], {})


# -------------------------------------------------------------------------------------------------- results


def test_a_corrected_result_with_the_same_outcome_is_the_same_matter() -> None:
    states = Documents()
    assert len(alerts_of(handle(states, commune(1, 0)))) == 1
    assert alerts_of(handle(states, commune(2, 0))) == []
    assert alerts_of(handle(states, commune(3, 1))) == []
    assert alerts_of(handle(states, commune(4, 0))) == []


def test_another_outcome_below_the_threshold_is_another_matter() -> None:
    states = Documents()
    handle(states, commune(1, 0))
    assert [a.alert_id for a in alerts_of(handle(states, centre(1, "yeu")))] == [
        "result_below_threshold/centre/01273/2025/grade-yeu"
    ]


def test_an_overtaken_result_raises_nothing() -> None:
    states = Documents()
    handle(states, commune(2, 1))
    outcome = handle(states, commune(1, 0))
    assert (outcome.verdict, outcome.events, outcome.puts) == (STALE, [], {})


def test_an_incomplete_result_raises_nothing() -> None:
    assert handle(Documents(), commune(1, None)).events == []


# -------------------------------------------------------------------------------------------------- budgets


def test_lines_and_run_are_kept_and_ask_for_the_settling() -> None:
    states = Documents()
    wanted = [Request("settled_support", ("04", 2026))]
    assert asked_for(states, run(a=1)) == wanted
    assert asked_for(states, line("a", 1)) == wanted
    assert handle(states, line("a", 1, version=2), trace="t-a").events == []
    kept = states[SUPPORTS.ref("a", 2026)]
    assert kept is not None
    assert (kept.traceparent, kept.event_id, kept.province, kept.year) == ("t-a", "e-1", "04", 2026)


@pytest.mark.parametrize("make", [lambda v: line("a", v, version=v), lambda v: run(version=v, a=v)])
def test_equal_and_older_versions_change_nothing(make: Any) -> None:
    states = Documents()
    handle(states, make(3))
    before = dict(states)
    for version in (3, 2):
        outcome = handle(states, make(version))
        assert (outcome.verdict, outcome.requests, outcome.puts) == (STALE, [], {})
    assert states == before


def test_an_envelope_below_the_minima_is_told_once_to_each() -> None:
    states = Documents()
    flags = ("below_legal_minimum",)
    assert [event.topic for event in handle(states, run(1, flags, a=1)).events] == ["alerts.04", "alerts.ministry"]
    assert handle(states, run(2, flags, a=2)).events == []


def test_changed_support_is_told_once_under_its_centres_trace() -> None:
    states = Documents()
    later = NOW + timedelta(seconds=7)
    handle(states, line("b", 25_000_000), id="e-b", trace="t-b")
    handle(states, line("a", 21_000_000), id="e-a", trace="t-a")
    handle(states, line("c", 10_000_000), id="e-c", trace="t-c", at=later)
    handle(states, run(a=21_000_000, b=25_000_000, c=10_000_000))

    outcome = settle(states)
    assert [(e.topic, e.key, e.parent) for e in outcome.events] == [
        ("alerts.04", "b", "t-b"),
        ("alerts.04", "c", "t-c"),
    ]
    assert [(alert.cause, alert.raised_at) for alert in alerts_of(outcome)] == [("e-b", later), ("e-c", later)]
    assert outcome.puts.keys() == {
        ALERTS.ref("support_changed/b/2026/1"),
        ALERTS.ref("support_changed/c/2026/1"),
        TOLD.ref("b", 2026),
        TOLD.ref("c", 2026),
    }
    assert settle(states).events == []


def test_a_change_taken_back_is_told_too_and_a_small_one_is_not() -> None:
    """Else the last thing that a province heard would be wrong."""
    states = Documents()
    for version, amount, told in [(1, 25_000_000, 1), (2, 25_500_000, 0), (3, 20_000_000, 1), (4, 20_100_000, 0)]:
        handle(states, line("a", amount, version), id=f"e-{version}")
        handle(states, run(version, a=amount))
        alerts = alerts_of(settle(states))
        assert len(alerts) == told, version
        if version == 3:
            assert alerts[0].alert_id == "support_changed/a/2026/2"
            assert "bằng năm 2025. Thông tin này thay cho lần trước (25.000.000 đồng)." in alerts[0].text.vi


def test_nothing_is_told_before_all_lines_are_here() -> None:
    states = Documents()
    handle(states, line("a", 25_000_000))
    assert settle(states).verdict == WAITING
    handle(states, run(a=25_000_000, b=15_000_000))
    assert settle(states).verdict == WAITING
    handle(states, line("b", 15_000_000))
    assert len(settle(states).events) == 2


def test_lines_of_an_older_run_with_the_same_sum_do_not_pass() -> None:
    """The sum is the same in every version of a run with the same envelope; the hash is not."""
    states = Documents()
    handle(states, line("a", 25_000_000))
    handle(states, line("b", 15_000_000))
    handle(states, run(2, a=24_000_000, b=16_000_000))
    outcome = settle(states)
    assert (outcome.verdict, outcome.events) == (WAITING, [])


def test_a_withdrawn_line_is_no_part_of_the_run() -> None:
    states = Documents()
    handle(states, line("a", 25_000_000))
    handle(states, line("gone", 0, flags=["withdrawn"]))
    handle(states, run(a=25_000_000))
    assert [alert.subject for alert in alerts_of(settle(states))] == ["a"]


async def test_a_missing_assessment_is_told_of_when_its_time_is_over() -> None:
    """Before the deadline every centre lacks its file; an alert about it would be noise. That moment is its next."""
    states = Documents()
    handle(states, line("a", 10_000_000, assessment="not_submitted"))
    handle(states, run(a=10_000_000))
    deadline = datetime(2026, 4, 10, 17, tzinfo=UTC)
    early: Run[Any] = Run(SETTLED_SUPPORT.decide, Due(ProvinceYear("04", 2026), NOW), states, NOW)
    assert (await decided(early, states)).events == []
    assert early.ask.unreached == [deadline]
    assert settle(states, deadline - timedelta(microseconds=1)).events == []
    assert [alert.subject for alert in alerts_of(settle(states, deadline))] == ["a"]


async def test_what_a_release_before_named_sets_left_open_is_settled_too() -> None:
    mongo, due = MemoryMongo(), NOW + timedelta(days=1)
    await mongo.insert("recalculations", [{"scope": "04", "period": 2026, "due": due, "at": NOW}])
    for _ in range(2):
        await queries.migrate(mongo)
        (row,) = mongo.all("recalculations")
        assert (row["set"], row["key"], row["due"], row["at"]) == ("settled_support", '["04", 2026]', due, NOW)
        assert "scope" not in row


# ------------------------------------------------------------------------------- results that replace another


def replaced(result: CommuneScored, level: int, cause: str, state: str = "scored") -> CommuneScored:
    before = {"version": result.version - 1, "state": state, "total": None, "grade": None, "level": level}
    superseded = Superseded.model_validate({**before, "hash": "h", "cause": cause})
    return result.model_copy(update={"supersedes": superseded})


@pytest.mark.parametrize("cause", ["correction", "recognition", "reference", "recompute", "register"])
def test_e10_a_province_hears_once_that_a_result_it_knew_was_replaced_and_why(cause: str) -> None:
    states, corrected = Documents(), replaced(commune(2, 2), 1, cause)
    (alert,) = alerts_of(handle(states, corrected))
    assert (alert.kind, alert.alert_id) == ("result_changed", "result_changed/commune/01273/2025/2")
    assert "trước đây đạt mức độ 1, nay đạt mức độ 2" in alert.text.vi.lower()
    assert "before, reaches level 1; now, reaches level 2" in alert.text.en.lower()
    assert alerts_of(handle(states, corrected)) == []


def test_a_new_version_with_the_same_outcome_is_no_news() -> None:
    assert alerts_of(handle(Documents(), replaced(commune(2, 1), 1, "correction"))) == []


def test_a_result_that_falls_below_the_threshold_is_told_as_both() -> None:
    kinds = [alert.kind for alert in alerts_of(handle(Documents(), replaced(commune(2, 0), 1, "correction")))]
    assert kinds == ["result_below_threshold", "result_changed"]


def test_what_was_incomplete_before_is_said_so() -> None:
    result = replaced(commune(2, 1), 1, "correction", state="incomplete")
    (alert,) = alerts_of(handle(Documents(), result.model_copy(update={"level": 1})))
    assert "before, incomplete; now, reaches" in alert.text.en


# ------------------------------------------------------------------------------------------------ decided money


MARK = JournalMark(number=3, hash="c" * 64)


def approved_run(**changes: Any) -> BudgetRunApproved:
    facts = {
        "province": "04",
        "year": 2026,
        "purpose": "operating",
        "version": 4,
        "envelope": 1_000_000_000,
        "allocated": 990_000_000,
        "reserve": 10_000_000,
        "centres": 40,
        "hash": "a" * 64,
        "snapshot": "b" * 64,
        "journal": MARK,
        "submitted_by": "an",
        "approved_by": "binh",
        "approved_at": NOW,
        "published_by": "binh",
        "published_at": NOW,
    }
    return BudgetRunApproved(**{**facts, **changes})


def adjusted(**changes: Any) -> BudgetAdjusted:
    facts = {
        "province": "04",
        "year": 2026,
        "purpose": "operating",
        "centre_id": "c-1",
        "version": 2,
        "amount": 23_000_000,
        "previous_amount": 25_000_000,
        "delta": -2_000_000,
        "allocation": line("c-1", 23_000_000).allocation,
        "entry": 3,
        "journal": MARK,
        "decided_by": "binh",
        "decided_at": NOW,
        "why": "điểm được đính chính",
        "adjustment_id": "04/2026/c-1/1",
        "carried": 0,
        "reserve": 12_000_000,
        "submitted_by": "an",
    }
    return BudgetAdjusted(**{**facts, **changes})


def proposed(**changes: Any) -> AdjustmentProposed:
    facts = {
        "adjustment_id": "04/2026/c-1/1",
        "version": 1,
        "province": "04",
        "year": 2026,
        "purpose": "operating",
        "centre_id": "c-1",
        "state": "proposed",
        "amount": 25_000_000,
        "corrected": 23_000_000,
        "delta": -2_000_000,
        "carried": 0,
        "allocation": line("c-1", 23_000_000).allocation,
        "reason": Text(vi="Xếp loại nay là Khá.", en="The grade is now fair."),
        "hash": "d" * 64,
        "proposed_at": NOW,
    }
    return AdjustmentProposed(**{**facts, **changes})


def test_an_approved_budget_is_told_once_with_figures_that_add_up() -> None:
    states = Documents()
    (alert,) = alerts_of(handle(states, approved_run()))
    assert (alert.kind, alert.audience) == ("support_approved", "04")
    assert "990,000,000 đồng for 40 centres, reserve 10,000,000 đồng, in all 1,000,000,000 đồng" in alert.text.en
    assert "990.000.000 đồng cho 40 trung tâm" in alert.text.vi
    assert alerts_of(handle(states, approved_run())) == []


def test_an_adjustment_is_told_with_its_sign_its_reason_and_what_is_carried() -> None:
    states = Documents()
    (alert,) = alerts_of(handle(states, adjusted()))
    assert "by −2,000,000 đồng and is now 23,000,000 đồng. Reason: điểm được đính chính" in alert.text.en
    assert "carried" not in alert.text.en
    (second,) = alerts_of(handle(states, adjusted(version=3, delta=500_000, carried=1_500_000)))
    assert "+500.000 đồng" in second.text.vi
    assert "1.500.000 đồng được chuyển sang năm sau" in second.text.vi


def test_a_proposed_adjustment_asks_for_a_decision_and_its_later_states_do_not() -> None:
    states = Documents()
    (alert,) = alerts_of(handle(states, proposed()))
    assert alert.kind == "adjustment_proposed"
    assert "25,000,000 đồng were approved, the corrected figures give 23,000,000 đồng" in alert.text.en
    for state in ("submitted", "approved", "refused", "void"):
        assert alerts_of(handle(states, proposed(version=2, state=state))) == []
    reserve = proposed(centre_id=None, allocation=None, adjustment_id="04/2026/_reserve/1")
    assert [alert.subject for alert in alerts_of(handle(states, reserve))] == ["04"]
