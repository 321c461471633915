"""Notifications' handlers: what is told once, what waits, and under which trace it hangs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from services.notifications import queries
from services.notifications.decisions import (
    ALERTS,
    FILES_MENDED,
    SETS,
    STANDING_MONEY,
    STANDING_RESULTS,
    SUPPORTS,
    WAITING,
    ProvincePeriod,
    ProvinceYear,
    SenderFile,
    routes,
)
from shared.contracts.base import Provenance, Status, Text, content_hash
from shared.contracts.catalogue import contract_of
from shared.contracts.facts import (
    AdjustmentProposed,
    Alert,
    AlertCleared,
    Allocation,
    BudgetAdjusted,
    BudgetMoved,
    BudgetProposed,
    BudgetRunApproved,
    BudgetRunProposed,
    CentreScored,
    CommuneScored,
    JournalMark,
    Receipt,
    RecognitionInForce,
    Superseded,
)
from shared.messaging.decide.asking import STALE, Due, Outcome, Request
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.sets import SetOf, Sets
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
    """What was raised."""
    return [event.data for event in outcome.events if isinstance(event.data, Alert)]


def cleared(outcome: Outcome) -> list[str]:
    """Ids of what was cleared."""
    return [event.data.alert_id for event in outcome.events if isinstance(event.data, AlertCleared)]


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
        criteria={},
        missing=[],
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


def compute(states: Documents, one: SetOf[Any], key: Any, now: datetime = NOW) -> Outcome:
    """The recalculation worker's part; what it reads is declared."""
    return states.apply(states.decide(one.decide, Due(key, now), now, one.declared))


def settle(states: Documents, now: datetime = NOW) -> Outcome:
    return compute(states, STANDING_MONEY, ProvinceYear("04", 2026), now)


def judge(states: Documents) -> Outcome:
    return compute(states, STANDING_RESULTS, ProvincePeriod("04", 2025))


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
    said = states[ALERTS.ref("submission_rejected/r-9")]
    assert said is not None
    assert said.model_dump(include=set(Alert.model_fields)) == event.data.model_dump()
    again = handle(states, receipt(), id="e-2")
    assert (again.verdict, again.events, again.puts) == ("repeated", [], {})


def test_other_receipts_say_nothing() -> None:
    outcome = handle(Documents(), receipt(status=Status.DUPLICATE))
    assert (outcome.verdict, outcome.events, outcome.puts) == ("ignored", [], {})
    assert handle(Documents(), receipt(status=Status.ACCEPTED)).events == []


def mend(states: Documents) -> Outcome:
    return compute(states, FILES_MENDED, SenderFile("04", "centre/c-1/2025"))


def lying_at(offset: int, **changes: Any) -> Receipt:
    """One of several that were received in the same moment."""
    return receipt(receipt_id=f"r-{offset}", channel=f"submissions.04/0@{offset}", **changes)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.ACCEPTED_LATE, Status.UNCHANGED])
def test_what_was_refused_is_over_when_a_later_file_was_taken(status: Status) -> None:
    states = Documents()
    handle(states, lying_at(1))
    handle(states, lying_at(2, status=Status.CONFLICT))
    assert mend(states).events == []
    handle(states, lying_at(3, status=status))
    assert cleared(mend(states)) == ["submission_conflict/r-2", "submission_rejected/r-1"]
    assert mend(states).events == []


def test_an_earlier_file_mends_nothing_and_a_refusal_that_comes_late_is_not_told() -> None:
    states = Documents()
    handle(states, lying_at(2))
    handle(states, lying_at(1, status=Status.ACCEPTED))
    assert mend(states).events == []
    handle(states, lying_at(4, status=Status.ACCEPTED))
    assert cleared(mend(states)) == ["submission_rejected/r-2"]
    late = handle(states, lying_at(3))
    assert (late.verdict, late.events) == ("mended", [])


def test_what_is_held_is_over_when_it_is_decided() -> None:
    states = Documents()
    handle(states, lying_at(1, status=Status.HELD))
    handle(states, lying_at(1).model_copy(update={"receipt_id": "r-decided"}))
    assert cleared(mend(states)) == ["submission_held/r-1"]


def test_other_subjects_and_senders_are_other_matters() -> None:
    states = Documents()
    handle(states, lying_at(1))
    handle(states, lying_at(2, status=Status.ACCEPTED, subject="c-2"))
    handle(states, lying_at(3, status=Status.ACCEPTED, province="01"))
    handle(states, lying_at(4, status=Status.ACCEPTED, period=2024))
    assert mend(states).events == []


# -------------------------------------------------------------------------------------------------- results


def test_a_result_below_the_threshold_is_told_when_it_rests_and_cleared_when_it_is_no_longer_so() -> None:
    states = Documents()
    assert handle(states, commune(1, 0)).events == []
    (alert,) = alerts_of(judge(states))
    assert (alert.kind, alert.version, alert.subject) == ("result_below_threshold", 1, "01273")
    handle(states, commune(2, 1))
    outcome = judge(states)
    assert (cleared(outcome), alerts_of(outcome)) == ([alert.alert_id], [])
    handle(states, commune(3, 0))
    (again,) = alerts_of(judge(states))
    assert (again.alert_id, again.version) == (alert.alert_id, 3)


def test_the_same_outcome_is_the_same_matter() -> None:
    states = Documents()
    handle(states, commune(1, 0))
    judge(states)
    handle(states, commune(2, 0).model_copy(update={"input_version": 1}))
    assert judge(states).events == []


def test_another_unit_below_the_threshold_is_another_matter() -> None:
    states = Documents()
    handle(states, commune(1, 0))
    judge(states)
    handle(states, centre(1, "yeu"))
    assert [a.alert_id for a in alerts_of(judge(states))] == ["result_below_threshold/centre/01273/2025/grade-yeu"]


def test_an_overtaken_result_raises_nothing() -> None:
    states = Documents()
    handle(states, commune(2, 1))
    handle(states, commune(1, 0))
    assert judge(states).events == []
    assert handle(states, commune(1, 0)).verdict == STALE


def test_an_incomplete_result_raises_nothing() -> None:
    states = Documents()
    handle(states, commune(1, None))
    assert judge(states).events == []


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


DEADLINE = datetime(2026, 4, 10, 17, tzinfo=UTC)
"""24:00 of the last day for the centres' files."""


def test_an_envelope_below_the_minima_is_told_once_to_each_until_it_is_raised() -> None:
    states, flags = Documents(), ("below_legal_minimum",)
    handle(states, line("a", 1))
    handle(states, run(1, flags, a=1))
    assert [event.topic for event in settle(states).events] == ["alerts.04", "alerts.ministry"]
    handle(states, run(2, flags, a=1))
    assert settle(states).events == []
    handle(states, run(3, a=1))
    assert len(cleared(settle(states))) == 2


def test_an_envelope_below_the_minima_still_stands_when_the_budget_was_approved_so() -> None:
    states = Documents()
    handle(states, line("a", 1))
    handle(states, run(1, ("below_legal_minimum",), a=1))
    first = alerts_of(settle(states))
    handle(states, moved(2, "publish", 1, "published"))
    outcome = settle(states)
    assert cleared(outcome) == []
    assert [alert.alert_id for alert in alerts_of(outcome)] == [alert.alert_id for alert in first]
    assert all("The budget was approved so." in alert.action.en for alert in alerts_of(outcome))
    assert not any("before the budget is approved" in alert.action.en for alert in alerts_of(outcome))


async def test_a_proposal_is_told_when_the_time_for_files_is_over_and_not_before() -> None:
    states = Documents()
    handle(states, line("b", 25_000_000), id="e-b", trace="t-b")
    handle(states, line("a", 10_000_000, assessment="not_submitted"), id="e-a", trace="t-a")
    handle(states, run(a=10_000_000, b=25_000_000))
    early: Run[Any] = Run(STANDING_MONEY.decide, Due(ProvinceYear("04", 2026), NOW), states, NOW)
    assert (await decided(early, states)).events == []
    assert early.ask.unreached == [DEADLINE]
    assert settle(states, DEADLINE - timedelta(microseconds=1)).events == []
    outcome = settle(states, DEADLINE)
    (digest,) = alerts_of(outcome)
    assert (digest.kind, digest.subject) == ("support_proposed", "04")
    assert [each.centre_id for each in digest.centres] == ["a", "b"]
    assert outcome.events[0].parent == "t-b"
    assert settle(states, DEADLINE).events == []


def test_when_the_period_closes_no_file_is_asked_for_any_more() -> None:
    states, closes = Documents(), datetime(2026, 12, 31, 17, tzinfo=UTC)
    handle(states, run(1, a=10_000_000))
    handle(states, line("a", 10_000_000, assessment="not_submitted"))
    (open_,) = alerts_of(settle(states, closes - timedelta(seconds=1)))
    assert (open_.due, "Send the assessments" in open_.action.en) == (closes, True)
    (closed,) = alerts_of(settle(states, closes))
    assert (closed.alert_id, closed.version) == (open_.alert_id, 2)
    assert (closed.due, "Send the assessments" in closed.action.en) == (None, False)
    assert settle(states, closes + timedelta(days=9)).events == []


def test_who_is_still_awaited_is_waited_for_after_the_deadline_too() -> None:
    """Funding computes again when it has passed; until then its lines speak of yesterday."""
    states = Documents()
    handle(states, line("a", 10_000_000, assessment="awaited"))
    handle(states, run(a=10_000_000))
    assert settle(states, DEADLINE).events == []


def test_a_change_after_the_digest_is_said_under_the_same_id() -> None:
    states = Documents()
    handle(states, line("a", 20_000_000), at=DEADLINE)
    handle(states, run(a=20_000_000), at=DEADLINE)
    (first,) = alerts_of(settle(states, DEADLINE))
    later = DEADLINE + timedelta(days=3)
    handle(states, line("a", 25_000_000, 2), at=later)
    handle(states, run(2, a=25_000_000), at=later)
    (second,) = alerts_of(settle(states, later))
    assert (second.alert_id, second.version) == (first.alert_id, 2)
    assert "Changed since the time for files was over: 1 (a [a] +5,000,000)." in second.text.en
    handle(states, line("a", 20_000_000, 3), at=later)
    handle(states, run(3, a=20_000_000), at=later)
    (third,) = alerts_of(settle(states, later))
    assert third.text == first.text


def moved(version: int, action: str, run_version: int, state: str | None = None) -> BudgetMoved:
    return BudgetMoved(
        province="04",
        year=2026,
        version=version,
        action=action,
        state=state or action,
        run_version=run_version,
        why="kiểm tra",
        by="lan",
        at=NOW,
    )


@pytest.mark.parametrize("action", ["simulate", "submit"])
def test_a_proposal_is_told_when_an_officer_acts_on_it_and_withdrawn_when_it_moves_on(action: str) -> None:
    states = Documents()
    handle(states, line("a", 25_000_000))
    handle(states, run(a=25_000_000))
    handle(states, moved(1, action, 1))
    (digest,) = alerts_of(settle(states))
    assert digest.kind == "support_proposed"
    handle(states, line("a", 26_000_000, 2))
    handle(states, run(2, a=26_000_000))
    outcome = settle(states)
    assert (cleared(outcome), alerts_of(outcome)) == ([digest.alert_id], [])


def test_once_it_is_decided_the_decision_is_told_instead() -> None:
    states = Documents()
    handle(states, line("a", 25_000_000))
    handle(states, run(a=25_000_000))
    handle(states, moved(1, "submit", 1))
    settle(states)
    handle(states, moved(2, "approve", 1, "approved"))
    assert cleared(settle(states, DEADLINE)) == ["support_proposed/04/2026"]


def test_what_was_thrown_back_is_told_until_people_act_again() -> None:
    states = Documents()
    handle(states, run())
    handle(states, moved(3, "return", 1))
    kinds = [alert.kind for alert in alerts_of(settle(states))]
    assert "budget_returned" in kinds
    handle(states, moved(2, "submit", 1))
    assert settle(states).events == []
    handle(states, moved(4, "simulate", 1))
    assert cleared(settle(states)) == ["budget_returned/04/2026"]


def test_unknown_figures_are_told_with_the_digest() -> None:
    states = Documents()
    handle(states, run().model_copy(update={"last_year_unknown": ["a"]}))
    assert settle(states).events == []
    told = alerts_of(settle(states, DEADLINE))
    assert [(alert.kind, alert.audience) for alert in told] == [
        ("last_year_unknown", "04"),
        ("last_year_unknown", "ministry"),
        ("support_proposed", "04"),
    ]


def test_nothing_is_told_before_all_lines_are_here() -> None:
    states = Documents()
    handle(states, line("a", 25_000_000))
    assert settle(states, DEADLINE).verdict == WAITING
    handle(states, run(a=25_000_000, b=15_000_000))
    assert settle(states, DEADLINE).verdict == WAITING
    handle(states, line("b", 15_000_000))
    assert len(settle(states, DEADLINE).events) == 1


def test_lines_of_an_older_run_with_the_same_sum_do_not_pass() -> None:
    """The sum is the same in every version of a run with the same envelope; the hash is not."""
    states = Documents()
    handle(states, line("a", 25_000_000))
    handle(states, line("b", 15_000_000))
    handle(states, run(2, a=24_000_000, b=16_000_000))
    outcome = settle(states, DEADLINE)
    assert (outcome.verdict, outcome.events) == (WAITING, [])


def test_a_withdrawn_line_is_no_part_of_the_run() -> None:
    states = Documents()
    handle(states, line("a", 25_000_000))
    handle(states, line("gone", 0, flags=["withdrawn"]))
    handle(states, run(a=25_000_000))
    (digest,) = alerts_of(settle(states, DEADLINE))
    assert [centre.centre_id for centre in digest.centres] == ["a"]


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


END_OF_28_FEBRUARY = datetime(2026, 2, 28, 17, tzinfo=UTC)
BEFORE = END_OF_28_FEBRUARY - timedelta(hours=1)


@pytest.mark.parametrize("cause", ["correction", "withdrawal", "recognition", "reference", "recompute", "register"])
def test_a_province_hears_that_a_result_it_knew_is_another_and_why(cause: str) -> None:
    states = Documents()
    handle(states, commune(1, 1), at=BEFORE)
    handle(states, replaced(commune(2, 2), 1, cause))
    (alert,) = alerts_of(judge(states))
    assert (alert.kind, alert.alert_id) == ("result_changed", "result_changed/commune/01273/2025")
    assert "trước đây đạt mức độ 1, nay đạt mức độ 2" in alert.text.vi.lower()
    assert "before, reaches level 1; now, reaches level 2" in alert.text.en.lower()
    assert judge(states).events == []
    handle(states, replaced(commune(3, 1), 2, cause))
    assert cleared(judge(states)) == [alert.alert_id]


def test_the_reason_that_its_sender_gave_is_told() -> None:
    states = Documents()
    handle(states, commune(1, 1), at=BEFORE)
    corrected = replaced(commune(2, 2), 1, "correction")
    assert corrected.supersedes is not None
    before = corrected.supersedes.model_copy(update={"reason": "nhập nhầm số liệu"})
    handle(states, corrected.model_copy(update={"supersedes": before}))
    (alert,) = alerts_of(judge(states))
    assert "thay đổi vì hồ sơ được đính chính (nhập nhầm số liệu): trước đây" in alert.text.vi


def test_while_files_may_still_come_nobody_is_told_that_a_result_changed() -> None:
    states = Documents()
    for version, level in ((1, 1), (2, 2), (3, 1), (4, 2)):
        handle(states, replaced(commune(version + 1, level), 3 - level, "reference"), at=BEFORE)
        assert judge(states).events == []


def test_what_came_late_is_known_at_the_end_of_its_day() -> None:
    states = Documents()
    handle(states, commune(1, 1), at=NOW)
    handle(states, replaced(commune(2, 2), 1, "reference"), at=NOW + timedelta(hours=1))
    assert judge(states).events == []
    handle(states, replaced(commune(3, 1), 2, "reference"), at=NOW + timedelta(days=1))
    (alert,) = alerts_of(judge(states))
    assert "before, reaches level 2; now, reaches level 1" in alert.text.en.lower()


def test_causes_are_all_named_whichever_came_first() -> None:
    told = set()
    for causes in (("reference", "recognition"), ("recognition", "reference")):
        states = Documents()
        handle(states, commune(1, 1), at=BEFORE)
        for version, cause in enumerate(causes, start=2):
            handle(states, replaced(commune(version, 2), 1, cause))
        (alert,) = alerts_of(judge(states))
        told.add(alert.text.en)
    (text,) = told
    assert "because an authority's decision came in or was revoked and another result that it uses changed" in text


def test_a_revoked_decision_is_a_change_though_no_figure_moved() -> None:
    states = Documents()
    handle(states, commune(1, 1), at=BEFORE)
    revocation = {
        "decision_number": "9/QĐ",
        "decided_on": "2026-06-01",
        "decided_by": "UBND",
        "effective_from": "2026-06-01",
        "reason": "sai số liệu",
    }
    beside = {
        "level": 1,
        "grade": None,
        "decision_number": "1/QĐ",
        "decided_on": "2026-03-01",
        "valid_until": "2030-01-01",
        "in_force": True,
        "revocation": revocation,
    }
    revoked = replaced(commune(2, 1), 1, "recognition")
    handle(states, revoked.model_copy(update={"recognition": RecognitionInForce.model_validate(beside)}))
    (alert,) = alerts_of(judge(states))
    assert "now, reaches level 1, its recognition revoked (9/QĐ)" in alert.text.en.lower().replace("9/qđ", "9/QĐ")


def test_a_withdrawn_file_clears_what_stood_for_its_result() -> None:
    states = Documents()
    handle(states, commune(1, 0), at=BEFORE)
    (below,) = alerts_of(judge(states))
    handle(states, replaced(commune(2, None), 0, "withdrawal").model_copy(update={"state": "unassessed"}))
    outcome = judge(states)
    assert cleared(outcome) == [below.alert_id]
    (alert,) = alerts_of(outcome)
    assert "because the submission was withdrawn: before, no level reached; now, unassessed" in alert.text.en


def test_a_new_version_with_the_same_outcome_is_no_news() -> None:
    states = Documents()
    handle(states, commune(1, 1), at=BEFORE)
    handle(states, replaced(commune(2, 1), 1, "correction"))
    assert judge(states).events == []


def test_what_was_incomplete_before_is_said_so() -> None:
    states = Documents()
    handle(states, commune(1, None), at=BEFORE)
    handle(states, replaced(commune(2, 1), 1, "correction", state="incomplete"))
    (alert,) = alerts_of(judge(states))
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


def test_what_is_decided_puts_the_journals_head_into_the_provinces_hands() -> None:
    """No portal reads `budgets`: else nobody in the province could find out a journal that was rewritten whole."""
    for fact in (approved_run(), adjusted()):
        (alert,) = alerts_of(handle(Documents(), fact))
        mark = f"{fact.journal.number}:{fact.journal.hash}"
        assert alert.action.vi.endswith(mark)
        assert alert.action.en.endswith(mark)


def test_an_adjustment_is_told_with_its_sign_its_reason_and_what_is_carried() -> None:
    states = Documents()
    (alert,) = alerts_of(handle(states, adjusted()))
    assert "by −2,000,000 đồng and is now 23,000,000 đồng. Reason: điểm được đính chính" in alert.text.en
    assert "carried" not in alert.text.en
    (second,) = alerts_of(handle(states, adjusted(version=3, delta=500_000, carried=1_500_000)))
    assert "+500.000 đồng" in second.text.vi
    assert "1.500.000 đồng được chuyển sang năm sau" in second.text.vi


def test_a_proposed_adjustment_asks_for_a_decision_until_it_goes_on() -> None:
    states = Documents()
    assert handle(states, proposed()).events == []
    (alert,) = alerts_of(settle(states))
    assert (alert.kind, alert.alert_id) == ("adjustment_proposed", "adjustment_proposed/04/2026/c-1/1")
    assert "25,000,000 đồng were approved, the corrected figures give 23,000,000 đồng" in alert.text.en
    handle(states, proposed(version=2, state="submitted"))
    assert cleared(settle(states)) == [alert.alert_id]
    for version, state in enumerate(("approved", "refused", "void"), start=3):
        handle(states, proposed(version=version, state=state))
        assert settle(states).events == []
    handle(states, proposed(centre_id=None, allocation=None, adjustment_id="04/2026/_reserve/1"))
    assert [alert.subject for alert in alerts_of(settle(states))] == ["04"]
