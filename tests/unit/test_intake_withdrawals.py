"""What was accepted is taken back, revoked and filed anew: what each collides with, and what never comes back."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.intake.decisions import AGGREGATES, VERSIONS
from services.intake.decisions.documents import SUBMISSIONS, Used
from services.intake.decisions.kinds import DEEDS, KINDS, Deed, Kind
from services.intake.decisions.submissions import LATER
from services.intake.domain import Current, Findings, decide
from shared.contracts.base import Status, content_hash
from shared.contracts.catalogue import EXAMPLES, EventType
from shared.contracts.facts import Act, Original, Receipt, RecognitionAccepted, Withdrawn
from shared.contracts.submissions import (
    AssessmentWithdrawn,
    CentreWithdrawn,
    CommuneWithdrawn,
    RecognitionRevoked,
    RecognitionWithdrawn,
    RegistrationWithdrawn,
    SupportSubmitted,
    SupportWithdrawn,
    Withdrawal,
)
from shared.messaging.decide.documents import SCHEMA
from shared.messaging.seals import sealed
from tests.unit.delivery_samples import AT
from tests.unit.intake_bench import Bench
from tests.unit.intake_samples import Intake, assessment, commune, recognition, registration
from tests.unit.register_samples import gap_filled

OTHER = {"scoring": "pass_fail", "targets": {"C1.1": {"type": "boolean", "met": False}}}
GAP: dict[str, Any] = {
    "unit_code": "00999",
    "period": 2022,
    "rubric": "lc_commune_44_2014",
    "content": {"scoring": "points", "points": {}},
}


def withdrawn(version: int = 1, **changes: Any) -> CommuneWithdrawn:
    """The withdrawal of Ba Đình's assessment of 2025."""
    given = {"submission_id": "HN-W", "unit_code": "00004", "period": 2025, "corrects_version": version}
    return CommuneWithdrawn.model_validate(given | {"reason": "gửi nhầm"} | changes)


def fact(version: int, **changes: Any) -> Withdrawn:
    """A withdrawal as it stands."""
    given = {"version": version, "submission_id": "HN-W", "receipt_id": "r", "province": "01", "received_at": AT}
    about = {"kind": "commune", "subject": "00004@2025-07", "withdraws": version - 1, "reason": "gửi nhầm"}
    return Withdrawn.model_validate(given | about | changes)


def outcome(act: Act, corrects: int | None, current: Current | None, at: datetime = AT) -> tuple[Status, list[str]]:
    """Status and codes of a record that is right in itself."""
    verdict = decide(
        act=act,
        sender="01",
        submission_id="s-1",
        corrects_version=corrects,
        body_hash="body",
        content_hash="content",
        received_at=at,
        taken=None,
        current=current,
        findings=Findings(),
    )
    return verdict.status, [found.code for found in verdict.problems]


GONE = Current(2, "content", "withdrawal", fact(2))
STANDS = Current(2, "content")


@pytest.mark.parametrize(
    ("act", "corrects", "current", "status", "codes"),
    [
        ("withdrawal", 2, STANDS, Status.ACCEPTED, []),
        ("withdrawal", 1, STANDS, Status.CONFLICT, ["not_current_version"]),
        ("withdrawal", 1, None, Status.CONFLICT, ["nothing_to_withdraw"]),
        ("withdrawal", 1, GONE, Status.CONFLICT, ["already_withdrawn"]),
        ("withdrawal", 2, GONE, Status.CONFLICT, ["already_withdrawn"]),
        ("revocation", 2, STANDS, Status.ACCEPTED, []),
        ("revocation", 1, None, Status.CONFLICT, ["nothing_to_revoke"]),
        ("revocation", 2, GONE, Status.CONFLICT, ["already_withdrawn"]),
        ("submission", None, GONE, Status.ACCEPTED, []),
        ("submission", 2, GONE, Status.ACCEPTED, []),
        ("submission", 1, GONE, Status.CONFLICT, ["not_current_version"]),
        ("submission", 3, GONE, Status.CONFLICT, ["not_current_version"]),
    ],
)
def test_what_a_record_collides_with(
    act: Act, corrects: int | None, current: Current | None, status: Status, codes: list[str]
) -> None:
    assert outcome(act, corrects, current) == (status, codes)


def test_what_was_sent_before_the_withdrawal_is_not_filed_after_it() -> None:
    """One that was held meanwhile is decided later than it was sent."""
    assert outcome("submission", None, GONE, AT - timedelta(seconds=1)) == (Status.CONFLICT, ["withdrawn_meanwhile"])
    assert outcome("submission", 2, GONE, AT - timedelta(seconds=1)) == (Status.CONFLICT, ["withdrawn_meanwhile"])


# ------------------------------------------------------------------------------------------------- through the routes


def test_a_withdrawal_is_the_next_version_under_the_subject_of_what_it_takes_back() -> None:
    intake = Intake()
    intake.commune()
    receipt, made = intake.receive(EventType.COMMUNE_WITHDRAWN, withdrawn(), at=AT + timedelta(days=300))
    assert (receipt.status, receipt.version, receipt.act, receipt.deadline) == (Status.ACCEPTED, 2, "withdrawal", None)
    event = made.events[1]
    assert (event.topic, event.key, event.subject) == ("intake.accepted", "00004@2025-07", "00004@2025-07")
    assert isinstance(event.data, Withdrawn)
    assert (event.data.kind, event.data.period, event.data.withdraws, event.data.late) == ("commune", 2025, 1, False)
    stands = intake.states[AGGREGATES.ref("commune", "00004", 2025)]
    assert stands is not None
    assert (stands.act, stands.version) == ("withdrawal", 2)
    line = intake.states[VERSIONS.ref("commune/00004/2025", "0000002")]
    assert line is not None
    assert (line.act, line.reason) == ("withdrawal", "gửi nhầm")


def test_the_same_content_counts_again_after_a_withdrawal() -> None:
    intake = Intake()
    intake.commune()
    intake.receive(EventType.COMMUNE_WITHDRAWN, withdrawn())
    anew = intake.commune(submission_id="HN-2")
    assert (anew.status, anew.version) == (Status.ACCEPTED, 3)
    assert intake.commune(submission_id="HN-3").status is Status.UNCHANGED


WITHDRAWALS: list[tuple[EventType, Withdrawal]] = [
    (EventType.COMMUNE_WITHDRAWN, withdrawn()),
    (
        EventType.RECOGNITION_WITHDRAWN,
        RecognitionWithdrawn(
            submission_id="HN-W", unit_code="00004", period=2025, corrects_version=1, reason="gửi nhầm"
        ),
    ),
]


def test_two_kinds_of_withdrawal_with_the_same_fields_are_no_repetition_of_each_other() -> None:
    intake = Intake()
    intake.commune()
    intake.receive(EventType.RECOGNITION_SUBMITTED, recognition())
    first, second = (intake.receive(type_, data)[0] for type_, data in WITHDRAWALS)
    assert first.status is Status.ACCEPTED
    assert (second.status, [found.code for found in second.problems]) == (Status.CONFLICT, ["submission_id_reused"])


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        (EventType.CENTRE_WITHDRAWN, CentreWithdrawn),
        (EventType.SUPPORT_WITHDRAWN, SupportWithdrawn),
        (EventType.REGISTRATION_WITHDRAWN, RegistrationWithdrawn),
    ],
)
def test_what_is_of_another_provinces_centre_is_not_withdrawn(type_: EventType, data: type[Withdrawal]) -> None:
    intake = Intake()
    intake.register()
    given: dict[str, Any] = {"submission_id": "W", "centre_id": "C-1", "corrects_version": 1, "reason": "x"}
    year = {name: 2025 for name in ("period", "year") if name in data.model_fields}
    receipt, _ = intake.receive(type_, data.model_validate(given | year), "04")
    assert [found.code for found in receipt.problems] == ["centre_of_other_province"]


def test_a_learning_unit_stays_its_provinces_when_its_assessment_is_withdrawn() -> None:
    intake = Intake()
    intake.assess("learning_unit", "DV-1")
    gone = AssessmentWithdrawn(
        submission_id="W", series="learning_unit", subject="DV-1", period=2024, corrects_version=1, reason="x"
    )
    assert intake.receive(EventType.ASSESSMENT_WITHDRAWN, gone, "04")[0].status is Status.REJECTED
    assert intake.receive(EventType.ASSESSMENT_WITHDRAWN, gone)[0].status is Status.ACCEPTED
    other, _ = intake.receive(EventType.ASSESSMENT_SUBMITTED, assessment("learning_unit", "DV-1"), "04")
    assert [found.code for found in other.problems] == ["subject_of_other_province"]


def test_equipment_never_stands_where_operating_support_does() -> None:
    """Ids of centres are opaque: one may look like the key of another's equipment."""
    intake = Intake()
    for number, centre in enumerate(("C-1", "C-1/equipment", "equipment/C-1")):
        intake.register(centre_id=centre, submission_id=f"R{number}")
        for purpose in ("operating", "equipment"):
            sent = SupportSubmitted(
                submission_id=f"S{number}{purpose}", centre_id=centre, year=2025, purpose=purpose, amount=number
            )
            receipt, _ = intake.receive(EventType.SUPPORT_SUBMITTED, sent)
            assert (receipt.status, receipt.version, receipt.subject) == (Status.ACCEPTED, 1, centre)


# ------------------------------------------------------------------------------------------------- revocations


def revoked(**changes: Any) -> RecognitionRevoked:
    """The revocation of Ba Đình's recognition."""
    given = {"submission_id": "TH-1", "unit_code": "00004", "period": 2025, "corrects_version": 1, "reason": "nhầm"}
    decision = {"decision_number": "20/QĐ", "decided_on": "2026-01-10", "decided_by": "UBND"}
    return RecognitionRevoked.model_validate(given | decision | changes)


def test_a_revocation_ends_the_decision_from_its_own_day_and_keeps_what_it_said() -> None:
    intake = Intake()
    intake.receive(EventType.RECOGNITION_SUBMITTED, recognition())
    receipt, made = intake.receive(EventType.RECOGNITION_REVOKED, revoked())
    assert (receipt.status, receipt.version, receipt.act) == (Status.ACCEPTED, 2, "revocation")
    ended = made.events[1].data
    assert isinstance(ended, RecognitionAccepted)
    assert ended.revocation is not None
    assert (ended.level, ended.decision_number, ended.submission_id) == (1, "12/QĐ-UBND", "TH-1")
    assert ended.revocation.effective_from == ended.revocation.decided_on
    again, _ = intake.receive(EventType.RECOGNITION_REVOKED, revoked(submission_id="TH-2", corrects_version=2))
    assert [found.code for found in again.problems] == ["already_revoked"]
    taken, made = intake.receive(EventType.RECOGNITION_SUBMITTED, recognition(submission_id="CN-2", corrects_version=2))
    assert (taken.status, taken.version) == (Status.ACCEPTED, 3)
    replaced = made.events[1].data
    assert isinstance(replaced, RecognitionAccepted)
    assert replaced.revocation is None


def test_a_withdrawn_predecessor_still_belongs_to_its_province() -> None:
    intake = Intake()
    intake.register()
    gone = RegistrationWithdrawn(submission_id="W", centre_id="C-1", corrects_version=1, reason="nhầm")
    intake.receive(EventType.REGISTRATION_WITHDRAWN, gone)
    taking: dict[str, Any] = {"submission_id": "R-2", "centre_id": "C-2", "predecessors": ["C-1"]}
    elsewhere = intake.register("04", **taking, commune_code="01273")
    assert [(one.code, one.field) for one in elsewhere.problems] == [("centre_of_other_province", "/predecessors/0")]
    own = intake.register(**taking)
    assert (own.status, [one.code for one in own.warnings]) == (Status.ACCEPTED, ["predecessor_unknown"])


def test_a_revocation_is_never_held() -> None:
    """Held submissions are read again as what is filed; and nothing is accepted yet that could be revoked."""
    receipt, made = Intake().receive(EventType.RECOGNITION_REVOKED, revoked(unit_code="00999", period=2022))
    assert (receipt.status, [found.code for found in receipt.problems]) == (Status.REJECTED, ["not_decided_yet"])
    assert len(made.events) == 1


@pytest.mark.parametrize("deed", [deed for deed in DEEDS.values() if deed.act != "submission"], ids=lambda d: d.type)
def test_nothing_that_ends_something_is_held(deed: Deed[Any]) -> None:
    example = json.loads((EXAMPLES / f"{deed.type.value}.json").read_text(encoding="utf-8"))["data"]
    unknown = {name: "00999" for name in ("unit_code", "subject") if name in example}
    given = example | unknown | ({"period": 2022} if "period" in example else {})
    receipt, _ = Intake().receive(deed.type, json.dumps(given).encode(), "04")
    assert receipt.status in (Status.REJECTED, Status.CONFLICT), receipt


# ------------------------------------------------------------------------------------------------- releases


async def test_a_held_submission_is_not_accepted_after_what_was_filed_meanwhile_is_withdrawn(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    held = await bench.receive(EventType.COMMUNE_SUBMITTED, commune(**GAP))
    assert held.status is Status.HELD
    refused = await bench.receive(
        EventType.COMMUNE_WITHDRAWN, withdrawn(unit_code="00999", period=2022, submission_id="HN-W0")
    )
    assert [found.code for found in refused.problems] == ["not_decided_yet"]
    async with bench.http() as http:
        await http.post("/register/corrections", json=gap_filled().model_dump(mode="json"))
    points = {"scoring": "points", "points": {"TC1": {"points": "1"}}}
    filed = await bench.receive(EventType.COMMUNE_SUBMITTED, commune(**GAP | {"content": points}, submission_id="HN-2"))
    gone = await bench.receive(EventType.COMMUNE_WITHDRAWN, withdrawn(unit_code="00999", period=2022))
    assert (filed.version, gone.version) == (1, 2)
    aggregate = bench.mongo.rows("aggregates")["commune/00999/2022"]
    aggregate["accepted"]["received_at"] = (
        held.received_at + timedelta(minutes=5)
    ).isoformat()  # all came at once here
    bench.mongo.seal()

    await bench.settle()

    (late,) = [one for one in bench.receipts(Status.CONFLICT) if one.original]
    assert [found.code for found in late.problems] == ["withdrawn_meanwhile"]
    assert bench.mongo.rows("aggregates")["commune/00999/2022"]["act"] == "withdrawal"
    async with bench.http() as http:
        tally = (await http.get("/tally")).json()
    assert tally.pop("received") == sum(tally.values()) == 4
    assert (tally["accepted_late"], tally["accepted"], tally["conflict"], tally["rejected"]) == (1, 1, 1, 1)


# ------------------------------------------------------------------------------------------------- what older ones left


def test_a_repeat_of_what_an_older_release_took_is_still_a_repeat() -> None:
    """Fields that the contracts got later stand in no hash where they say nothing."""
    intake = Intake()
    for type_, data in (
        (EventType.COMMUNE_SUBMITTED, commune()),
        (EventType.CENTRE_REGISTERED, registration()),
        (EventType.RECOGNITION_SUBMITTED, recognition()),
    ):
        later = {"reason", "code_system", "series", "standard", "suspended_on", "resumed_on", "act"}
        later |= {"decision_number", "decided_on", "decided_by"} if type_ is EventType.CENTRE_REGISTERED else set()
        body = {name: said for name, said in data.model_dump(mode="json").items() if name not in later}
        first = Original(receipt_id="r-1", received_at=AT, status=Status.ACCEPTED, body_hash=content_hash(body))
        intake.states[SUBMISSIONS.ref("01", data.submission_id)] = Used(body_hash=first.body_hash, original=first)
        again, _ = intake.receive(type_, data)
        assert (again.status, again.original) == (Status.DUPLICATE, first)


FROM_THE_BEGINNING = {
    "corrects_version", "unit_name", "area_class", "area_class_basis", "name", "closed_on", "predecessors", "purpose",
    "level", "grade", "direction", "ends_on",
}  # fmt: skip
"""Optional fields that every release knew that knew of their kind."""


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_field_that_a_submission_gains_is_left_out_of_its_hash_where_it_says_nothing(kind: Kind[Any]) -> None:
    fields = kind.type.model.model_fields.items()
    gained = {name: field.default for name, field in fields if not field.is_required()}
    for name in gained.keys() - FROM_THE_BEGINNING:
        assert LATER[name] == gained[name], name


def test_a_reason_is_no_content() -> None:
    intake = Intake()
    intake.commune()
    assert intake.commune(submission_id="HN-2", corrects_version=1, reason="vì sao").status is Status.UNCHANGED


def test_what_an_older_release_accepted_is_read_and_withdrawn() -> None:
    intake = Intake()
    intake.commune()
    ref = AGGREGATES.ref("commune", "00004", 2025)
    stands = intake.states[ref]
    assert stands is not None
    old = AGGREGATES.written(stands)
    del old["act"], old["accepted"]["reason"]
    intake.states[ref] = AGGREGATES.read(sealed(ref.collection, ref.id, old | {"_id": ref.id, SCHEMA: 1}))
    assert intake.receive(EventType.COMMUNE_WITHDRAWN, withdrawn())[0].status is Status.ACCEPTED
    gone = intake.states[ref]
    assert gone is not None
    assert AGGREGATES.model.validate_python(AGGREGATES.written(gone)) == gone


async def test_the_history_says_what_each_version_did_and_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    corrected = commune(submission_id="HN-2", content=OTHER, corrects_version=1, reason="nhập nhầm")
    await bench.receive(EventType.COMMUNE_SUBMITTED, corrected)
    await bench.receive(EventType.COMMUNE_WITHDRAWN, withdrawn(2))
    await bench.receive(
        EventType.RECOGNITION_SUBMITTED,
        recognition(series="universal_education", standard="primary", level=3),
    )
    async with bench.http() as http:
        (told,) = (await http.get("/subjects/00004")).json()
        (decided,) = (await http.get("/subjects/universal_education/00004")).json()
        explained = (await http.get("/explanations/universal_education/00004?period=2025")).json()
    assert [(line["version"], line["act"], line["reason"]) for line in told["history"]] == [
        (1, "submission", None),
        (2, "submission", "nhập nhầm"),
        (3, "withdrawal", "gửi nhầm"),
    ]
    assert (told["act"], told["accepted"]["withdraws"]) == ("withdrawal", 2)
    assert (decided["subject"], decided["accepted"]["level"]) == ("universal_education/00004/primary", 3)
    assert [receipt["subject"] for receipt in explained["receipts"]] == [decided["subject"]]


def test_a_resend_of_what_was_withdrawn_says_so_and_a_resend_of_the_withdrawal_does_not() -> None:
    """A5: withdrawn on … by …"""
    intake = Intake()
    intake.commune()
    first, _ = intake.receive(EventType.COMMUNE_WITHDRAWN, withdrawn())
    resent: Receipt = intake.commune()
    assert (resent.status, [found.code for found in resent.warnings]) == (Status.DUPLICATE, ["already_withdrawn"])
    again, _ = intake.receive(EventType.COMMUNE_WITHDRAWN, withdrawn())
    assert (again.status, again.warnings) == (Status.DUPLICATE, [])
    assert again.original is not None
    assert again.original.receipt_id == first.receipt_id
