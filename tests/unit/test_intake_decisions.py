"""What becomes of a submission: every status, both sides of the deadline, corrections, duplicates, rights.

The letters are those of the project's list of cases: failures of similar systems that must not happen here.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.intake.decisions import AGGREGATES
from services.intake.domain import (
    Arrival,
    Current,
    Findings,
    Taken,
    check_commune,
    check_registration,
    decide,
)
from services.intake.problems import candidates
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import CommuneAccepted, RegistrationAccepted
from shared.contracts.submissions import CommuneSubmitted
from shared.refusals import problem
from shared.rulebook import HANOI
from tests.unit.delivery_samples import AT
from tests.unit.intake_samples import KNOWN, Intake, commune, registration

LAST_DAY = datetime(2026, 2, 28, tzinfo=HANOI)
DEADLINE = LAST_DAY + timedelta(days=1)
NOTHING_WRONG = Findings(deadline=DEADLINE)
LEGACY: dict[str, Any] = {"period": 2022, "rubric": "lc_commune_44_2014"}
WRONG = [problem("intake.field_missing", "/x")]
HELD = [problem("intake.register_gap", "/unit_code", code="00999", candidates=candidates(()))]


def status(**changes: Any) -> Status:
    """The status of a first submission in time, with single things changed."""
    given: dict[str, Any] = {
        "sender": "01",
        "submission_id": "s-1",
        "corrects_version": None,
        "body_hash": "body",
        "content_hash": "content",
        "received_at": AT,
        "taken": None,
        "current": None,
        "findings": NOTHING_WRONG,
    }
    return decide(**(given | changes)).status


DECISIONS: list[tuple[dict[str, Any], Status]] = [
    ({}, Status.ACCEPTED),
    ({"received_at": DEADLINE}, Status.ACCEPTED_LATE),
    ({"findings": Findings(problems=WRONG)}, Status.REJECTED),
    ({"findings": Findings(held=HELD)}, Status.HELD),
    ({"findings": Findings(problems=WRONG, held=HELD)}, Status.REJECTED),
    ({"taken": Taken("body")}, Status.DUPLICATE),
    ({"taken": Taken("other body")}, Status.CONFLICT),
    ({"taken": Taken("body"), "findings": Findings(problems=WRONG)}, Status.DUPLICATE),
    ({"current": Current(1, "content")}, Status.UNCHANGED),
    ({"current": Current(1, "content"), "corrects_version": 1}, Status.UNCHANGED),
    ({"current": Current(1, "other content")}, Status.CONFLICT),
    ({"current": Current(2, "other content"), "corrects_version": 1}, Status.CONFLICT),
    ({"current": Current(2, "other content"), "corrects_version": 3}, Status.CONFLICT),
    ({"current": Current(2, "other content"), "corrects_version": 2}, Status.ACCEPTED),
    ({"corrects_version": 1}, Status.CONFLICT),
    (
        {"current": Current(2, "other content"), "corrects_version": 2, "received_at": DEADLINE},
        Status.ACCEPTED_LATE,
    ),
]


@pytest.mark.parametrize(("changes", "expected"), DECISIONS)
def test_one_status_for_every_situation(changes: dict[str, Any], expected: Status) -> None:
    assert status(**changes) is expected


def test_the_table_above_reaches_every_status() -> None:
    assert {expected for _, expected in DECISIONS} == set(Status)


@pytest.mark.parametrize(
    ("received_at", "expected"),
    [
        (LAST_DAY, Status.ACCEPTED),
        (DEADLINE - timedelta(microseconds=1), Status.ACCEPTED),
        (DEADLINE, Status.ACCEPTED_LATE),
        (DEADLINE + timedelta(days=400), Status.ACCEPTED_LATE),
        (datetime.fromisoformat("2026-02-28T16:59:59.999999Z"), Status.ACCEPTED),
        (datetime.fromisoformat("2026-02-28T17:00:00Z"), Status.ACCEPTED_LATE),
        (datetime.fromisoformat("2026-03-01T05:59:59+13:00"), Status.ACCEPTED),
    ],
)
def test_the_last_legal_day_counts_to_its_last_instant_in_viet_nam(received_at: datetime, expected: Status) -> None:
    """C2, C3: a deadline compared as a date, or in the host's zone, has made provinces late elsewhere."""
    findings = check_commune(commune(), Arrival("01", received_at), KNOWN)
    assert findings.deadline == DEADLINE
    assert not findings.problems
    assert status(findings=findings, received_at=received_at) is expected


@pytest.mark.parametrize(
    ("received_at", "codes"),
    [
        (datetime(2025, 11, 30, 23, 59, 59, 999_999, tzinfo=HANOI), ["period_not_open"]),
        (datetime(2025, 12, 1, tzinfo=HANOI), []),
    ],
)
def test_a_period_opens_at_midnight_in_viet_nam(received_at: datetime, codes: list[str]) -> None:
    """C1: elsewhere the window was locked while it was open."""
    findings = check_commune(commune(), Arrival("01", received_at), KNOWN)
    assert [found.code for found in findings.problems] == codes


@pytest.mark.parametrize(
    ("data", "province", "problems", "held"),
    [
        (commune(), "01", [], []),
        (commune(), "04", ["not_entitled"], []),
        (commune(unit_code="99999"), "01", ["unit_unknown"], []),
        (commune(unit_code="00999", **LEGACY), "01", ["wrong_rubric_kind"], ["register_gap"]),
        (commune(rubric="lc_commune_44_2014"), "01", ["wrong_rubric"], []),
        (commune(period=2013, unit_code="00004"), "01", ["no_rubric"], []),
        (
            commune(unit_code="99999", rubric="x", period=2026), "01",
            ["unit_unknown", "period_not_open", "wrong_rubric"], [],
        ),
        # A10: Hà Giang's ward of 2022 is reported by Tuyên Quang, its province's successor.
        (commune(unit_code="00688", **LEGACY), "08", ["wrong_rubric_kind"], []),
        (commune(unit_code="00688", **LEGACY), "02", ["not_entitled", "wrong_rubric_kind"], []),
    ],
)  # fmt: skip
def test_all_problems_of_an_assessment_are_found_at_once(
    data: CommuneSubmitted, province: str, problems: list[str], held: list[str]
) -> None:
    findings = check_commune(data, Arrival(province, AT), KNOWN)
    assert [found.code for found in findings.problems] == problems
    assert [found.code for found in findings.held] == held


def test_a_name_that_differs_is_a_warning_and_its_spelling_is_none() -> None:
    """B3, B10: the code decides; NFD and NFC are the same name."""
    decomposed = "Phu\u031bo\u031b\u0300ng Ba \u0110i\u0300nh"
    assert check_commune(commune(unit_name=decomposed), Arrival("01", AT), KNOWN).warnings == []
    findings = check_commune(commune(unit_name="Phường Trúc Bạch"), Arrival("01", AT), KNOWN)
    assert [found.code for found in findings.warnings] == ["name_differs"]
    assert findings.problems == []


@pytest.mark.parametrize(("opened_on", "codes"), [("2026-01-10", []), ("2026-01-11", ["date_in_future"])])
def test_today_is_today_in_viet_nam(opened_on: str, codes: list[str]) -> None:
    late_evening_in_utc = datetime.fromisoformat("2026-01-09T17:30:00Z")  # already the 10th in Hà Nội
    findings = check_registration(registration(opened_on=opened_on), Arrival("01", late_evening_in_utc), KNOWN)
    assert [found.code for found in findings.problems] == codes


# ------------------------------------------------------------------------------------------------- through the handlers


OTHER = {"scoring": "pass_fail", "targets": {"C1.1": {"type": "boolean", "met": False}}}


def test_a_resend_is_answered_with_the_first_receipt() -> None:
    """A1, A3: the second of two identical submissions is a duplicate, and says of what."""
    intake = Intake()
    first = intake.commune()
    again = intake.commune(at=AT + timedelta(days=90))

    assert (first.status, again.status) == (Status.ACCEPTED, Status.DUPLICATE)
    assert again.original is not None
    assert again.original.receipt_id == first.receipt_id != again.receipt_id
    assert (again.original.received_at, again.original.status) == (first.received_at, Status.ACCEPTED)
    assert again.original.body_hash == first.body_hash == again.body_hash
    assert again.version == 1


def test_an_id_that_is_used_again_for_other_content_is_a_conflict_that_keeps_the_first() -> None:
    """A2: the answer says how to correct, and that correction is then accepted."""
    intake = Intake()
    intake.commune()
    conflict = intake.commune(content=OTHER)

    assert conflict.status is Status.CONFLICT
    assert [found.code for found in conflict.problems] == ["submission_id_reused"]
    assert "corrects_version = 1" in conflict.problems[0].mend.en
    stored = intake.states[AGGREGATES.ref("commune", "00004", 2025)]
    assert stored is not None
    assert stored.version == 1
    corrected = intake.commune(submission_id="HN-2", content=OTHER, corrects_version=1)
    assert (corrected.status, corrected.version) == (Status.ACCEPTED, 2)


def test_an_id_of_a_held_submission_has_no_version_to_correct() -> None:
    intake = Intake()
    points = {"scoring": "points", "points": {}}
    assert intake.commune(unit_code="00999", **LEGACY, content=points).status is Status.HELD
    conflict = intake.commune(
        unit_code="00999", **LEGACY, content={"scoring": "points", "points": {"TC1": {"points": 1}}}
    )
    assert conflict.status is Status.CONFLICT
    assert "corrects_version" not in conflict.problems[0].mend.en


def test_two_corrections_in_the_wrong_order_never_let_the_last_arrival_win() -> None:
    """A4: a correction names the version that it replaces."""
    intake = Intake()
    intake.commune()
    assert intake.commune(submission_id="HN-2", content=OTHER, corrects_version=1).version == 2
    late = intake.commune(submission_id="HN-3", corrects_version=1)
    assert (late.status, late.version) == (Status.CONFLICT, 2)
    assert [found.code for found in late.problems] == ["not_current_version"]


def test_a_rejected_submission_may_be_mended_and_sent_again_under_its_id() -> None:
    intake = Intake()
    assert intake.commune(rubric="lc_commune_44_2014").status is Status.REJECTED
    assert intake.commune().status is Status.ACCEPTED


def test_the_statuses_add_up_to_what_was_received() -> None:
    """A8: received = accepted + late + held + rejected + conflict + duplicate + unchanged, each record once."""
    intake = Intake()
    receipts = [
        intake.commune(),
        intake.commune(),
        intake.commune(submission_id="HN-2"),
        intake.commune(content=OTHER),
        intake.commune(submission_id="HN-3", content=OTHER, corrects_version=1, at=DEADLINE),
        intake.commune(province="04"),
        intake.receive(EventType.COMMUNE_SUBMITTED, b"{")[0],
        intake.receive("unheard.of.v1", commune())[0],
    ]
    assert [receipt.status.value for receipt in receipts] == [
        "accepted", "duplicate", "unchanged", "conflict", "accepted_late", "rejected", "rejected", "rejected",
    ]  # fmt: skip
    kept = [document for ref, document in intake.states.items() if ref.collection == "receipts"]
    assert len(kept) == len(receipts) == len({receipt.receipt_id for receipt in receipts})


def test_an_extra_field_is_refused_and_the_sender_is_never_taken_from_the_body() -> None:
    """A9: elsewhere `super_admin: 1` in the body was accepted."""
    body = commune().model_dump(mode="json") | {"super_admin": 1, "province": "01"}
    receipt, _ = Intake().receive(EventType.COMMUNE_SUBMITTED, json.dumps(body).encode(), province="04")
    assert (receipt.status, receipt.province) == (Status.REJECTED, "04")
    assert {(found.code, found.field) for found in receipt.problems} == {
        ("field_unknown", "/super_admin"),
        ("field_unknown", "/province"),
    }


def test_another_provinces_unit_and_centre_cannot_be_written() -> None:
    """A10."""
    intake = Intake()
    assert intake.commune(province="04").status is Status.REJECTED
    intake.receive(EventType.CENTRE_REGISTERED, registration())
    stolen = registration(commune_code="01273", submission_id="CB-1")
    receipt, outcome = intake.receive(EventType.CENTRE_REGISTERED, stolen, province="04")
    assert [found.code for found in receipt.problems] == ["centre_of_other_province"]
    assert len(outcome.events) == 1, "a refusal publishes nothing but its receipt"


@pytest.mark.parametrize("code", ["4", "0004", " 4 ", 4])
def test_an_eaten_leading_zero_is_refused_with_the_code_that_was_meant(code: object) -> None:
    """B1: a spreadsheet made `4` of `00004`; nothing is repaired behind the sender's back."""
    body = commune().model_dump(mode="json") | {"unit_code": code}
    receipt, _ = Intake().receive(EventType.COMMUNE_SUBMITTED, json.dumps(body).encode())
    assert receipt.status is Status.REJECTED
    (found,) = receipt.problems
    assert found.field == "/unit_code"
    assert "00004" in found.expected.vi
    assert "00004" in found.expected.en


@pytest.mark.parametrize("day", ["05/09/2010", "5.9.2010", "2010-13-05", "2010-09-05T00:00:00+07:00 ", 40_426.5])
def test_a_date_is_iso_or_refused_never_guessed(day: object) -> None:
    """B7: elsewhere day and month were swapped silently."""
    body = registration().model_dump(mode="json") | {"opened_on": day}
    receipt, _ = Intake().receive(EventType.CENTRE_REGISTERED, json.dumps(body).encode())
    assert receipt.status is Status.REJECTED
    assert [found.field for found in receipt.problems] == ["/opened_on"]


def test_missing_is_not_zero() -> None:
    """A7: an absent criterion is accepted as absent, and travels on as absent."""
    _, outcome = Intake().receive(EventType.COMMUNE_SUBMITTED, commune(content={"scoring": "pass_fail", "targets": {}}))
    fact = outcome.events[1].data
    assert isinstance(fact, CommuneAccepted)
    assert fact.content.model_dump()["targets"] == {}


def test_an_accepted_fact_carries_the_whole_state_and_its_ancestry() -> None:
    receipt, outcome = Intake().receive(EventType.CENTRE_REGISTERED, registration())
    fact = outcome.events[1].data
    assert isinstance(fact, RegistrationAccepted)
    assert outcome.events[1].topic == "intake.accepted"
    assert (fact.version, fact.receipt_id, fact.submission_id) == (1, receipt.receipt_id, "HN-R1")
    assert (fact.province, fact.unit_id, fact.received_at) == ("01", "00004@2025-07", AT)
