"""Held submissions and the register: what waits is decided again when its code is known, once, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.intake import queries
from services.intake.decisions import RECEIPTS, RELEASE, SETS, Code
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.register import RegisterCorrected
from shared.contracts.submissions import CommuneSubmitted
from shared.messaging.clock import BusinessClock
from shared.messaging.decide.asking import Request
from shared.messaging.decide.documents import Ref
from shared.messaging.decide.register import REGISTER
from shared.messaging.decide.sets import Sets
from shared.messaging.decide.writing import rows_of
from shared.mongo.port import CommitUnknown
from shared.registry import with_correction
from tests.fakes.memory import Fault
from tests.unit.delivery_samples import AT, record
from tests.unit.intake_bench import Bench
from tests.unit.intake_samples import assessment, commune, recognition
from tests.unit.register_samples import correction, fact, gap_filled, split, unit

OLD: dict[str, Any] = {"unit_code": "00999", "period": 2022, "rubric": "lc_commune_44_2014"}
POINTS: dict[str, Any] = {"scoring": "points", "points": {}}
OTHER_POINTS: dict[str, Any] = {"scoring": "points", "points": {"TC1": {"points": "1"}}}


def old(**changes: Any) -> CommuneSubmitted:
    """An assessment for 2022 of a commune that was abolished before the register's reach."""
    return commune(**OLD | {"content": POINTS} | changes)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def correct(bench: Bench, one: Any, **query: Any) -> dict[str, Any]:
    """Enter a correction as a ministry operator does."""
    async with bench.http() as http:
        answer = await http.post("/register/corrections", json=one.model_dump(mode="json"), params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def released(answer: dict[str, Any]) -> list[str]:
    """The codes for which submissions waited until this correction."""
    return [one["code"] for one in answer["releases"]]


# ------------------------------------------------------------------------------------------------- held


async def test_d4_what_cannot_be_resolved_is_held_with_candidates(bench: Bench) -> None:
    """D4: never guessed: the sender is told which codes may be meant, and the submission waits."""
    receipt = await bench.receive(EventType.COMMUNE_SUBMITTED, old(unit_code="00060", unit_name="Phường Trúc Bạch"))
    assert receipt.status is Status.HELD
    (why,) = receipt.problems
    assert (why.code, why.field) == ("register_gap", "/unit_code")
    assert "00004" in why.expected.vi, "Trúc Bạch had this code in 2022: by name a suggestion, never an identity"
    assert "00006" in why.expected.en, "two neighbours swapped"


async def test_d4_the_ministry_sees_all_that_is_held_and_a_province_its_own(bench: Bench) -> None:
    receipt = await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    other = await bench.receive(EventType.COMMUNE_SUBMITTED, old(unit_code="00998"), province="04")
    async with bench.http() as ministry, bench.http("province", "04") as province:
        seen = (await ministry.get("/held")).json()["items"]
        own = (await province.get("/held")).json()["items"]
        foreign = await province.get("/held", params={"province": "01"})
    assert {item["receipt_id"] for item in seen} == {receipt.receipt_id, other.receipt_id}
    assert [item["receipt_id"] for item in own] == [other.receipt_id]
    assert foreign.status_code == 403


async def test_without_a_correction_it_stays_held(bench: Bench) -> None:
    """It asks once by itself after it was written, and then waits."""
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    assert await bench.settle() == 1
    assert await bench.settle() == 0
    assert [receipt.status for receipt in bench.receipts()] == [Status.HELD]
    assert bench.events("intake.accepted") == []


# ------------------------------------------------------------------------------------------------- released


async def test_a_correction_releases_what_waits_for_its_code(bench: Bench) -> None:
    """D4, D5: decided as on its arrival, under a second receipt that names the first; the fact goes out once."""
    first = await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await bench.settle()
    answer = await correct(bench, gap_filled())
    assert (answer["version"], released(answer)) == (1, ["00999"])
    await bench.settle()

    (second,) = bench.receipts(Status.ACCEPTED_LATE)
    assert second.original is not None
    assert (second.original.receipt_id, second.original.status) == (first.receipt_id, Status.HELD)
    assert (second.received_at, second.channel, second.body_hash) == (first.received_at, first.channel, first.body_hash)
    assert (second.province, second.submission_id, second.subject, second.version) == ("01", "HN-1", "00999", 1)
    register, accepted = bench.events("intake.accepted")
    assert register["correction"]["correction_id"] == "GAP-00999"
    assert (accepted["unit_id"], accepted["receipt_id"]) == ("00999@pre-2024-01-01", second.receipt_id)
    assert [receipt["receipt_id"] for receipt in bench.events("receipts.01")] == [first.receipt_id, second.receipt_id]
    assert bench.receipt(first.receipt_id) == first, "the first answer stays as it was given"


async def test_lateness_is_that_of_the_arrival(bench: Bench) -> None:
    """The ministry's own delay makes no province late."""
    in_time = old(period=2023)
    sent = bench.sent(EventType.COMMUNE_SUBMITTED, in_time)
    sent.timestamp = int(datetime(2023, 12, 20, tzinfo=UTC).timestamp() * 1000)
    await bench.pipeline.process([sent])
    await correct(bench, gap_filled(valid_to="2024-06-01"))
    await bench.settle()
    (accepted,) = bench.receipts(Status.ACCEPTED)
    assert accepted.received_at == datetime(2023, 12, 20, tzinfo=UTC)


async def test_every_receipt_says_by_how_much_its_time_is_shifted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BusinessClock(3_600))
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await bench.pipeline.process([record(b"{", {}, topic="submissions.01")])
    await correct(bench, gap_filled())
    await bench.settle()
    assert {receipt.status for receipt in bench.receipts()} == {Status.HELD, Status.REJECTED, Status.ACCEPTED_LATE}
    assert {receipt.clock_offset_seconds for receipt in bench.receipts()} == {3_600}


async def test_every_kind_that_waits_for_the_code_is_released(bench: Bench) -> None:
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await bench.receive(EventType.ASSESSMENT_SUBMITTED, assessment("universal_education", "00999", 2022))
    grade = {"level": None, "grade": "kha", "decided_on": "2023-02-01"}
    await bench.receive(EventType.RECOGNITION_SUBMITTED, recognition(unit_code="00999", period=2022, **grade))
    district = assessment("district", "998", 2024)
    await bench.receive(EventType.ASSESSMENT_SUBMITTED, district)
    assert len(bench.receipts(Status.HELD)) == 4
    answer = await correct(
        bench,
        correction(added=[unit(district_code="998", district_name="Huyện Cũ", valid_to="2025-01-01")]),
    )
    assert released(answer) == ["00999", "00999", "00999", "998"]
    await bench.settle()
    facts = bench.events("intake.accepted")[1:]
    assert sorted(str(fact.get("subject_id") or fact["unit_id"]) for fact in facts) == [
        "00999@pre-2025-01-01", "00999@pre-2025-01-01", "00999@pre-2025-01-01", "998",
    ]  # fmt: skip


async def test_another_code_or_another_time_releases_nothing(bench: Bench) -> None:
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await bench.settle()
    assert (await correct(bench, gap_filled("00998")))["releases"] == []
    later = correction("LATER", added=[unit(valid_from="2023-06-01")])
    assert (await correct(bench, later))["releases"] == [], "the unit began after the period's cut-off date"
    await bench.settle()
    assert [receipt.status for receipt in bench.receipts()] == [Status.HELD]


async def test_what_was_held_may_turn_out_to_be_wrong_and_gives_its_id_back(bench: Bench) -> None:
    """A province that may not speak for the unit is told so; its id is free again, as after any refusal."""
    first = await bench.receive(EventType.COMMUNE_SUBMITTED, old(), province="04")
    await correct(bench, gap_filled())
    await bench.settle()
    (second,) = bench.receipts(Status.REJECTED)
    assert [found.code for found in second.problems] == ["not_entitled"]
    assert second.original is not None
    assert second.original.receipt_id == first.receipt_id
    mended = await bench.receive(EventType.COMMUNE_SUBMITTED, commune(unit_code="01273"), province="04")
    assert (mended.submission_id, mended.status) == ("HN-1", Status.ACCEPTED)


async def test_two_that_waited_for_one_code_are_decided_in_the_order_of_their_arrival(bench: Bench) -> None:
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await bench.receive(EventType.COMMUNE_SUBMITTED, old(submission_id="HN-2", content=OTHER_POINTS))
    await correct(bench, gap_filled())
    await bench.settle()
    (accepted,) = bench.receipts(Status.ACCEPTED_LATE)
    (conflict,) = bench.receipts(Status.CONFLICT)
    assert accepted.received_at == conflict.received_at, "appended in one batch, in one millisecond"
    assert (accepted.submission_id, conflict.submission_id) == ("HN-1", "HN-2")
    assert [found.code for found in conflict.problems] == ["already_accepted"]


async def test_what_was_accepted_meanwhile_is_not_overwritten(bench: Bench) -> None:
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await correct(bench, gap_filled())
    newer = await bench.receive(EventType.COMMUNE_SUBMITTED, old(submission_id="HN-2", content=OTHER_POINTS))
    assert newer.status is Status.ACCEPTED_LATE
    await bench.settle()
    (conflict,) = bench.receipts(Status.CONFLICT)
    assert conflict.submission_id == "HN-1"


async def test_a_resend_after_the_release_is_a_duplicate_of_the_second_receipt(bench: Bench) -> None:
    """A3."""
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await correct(bench, gap_filled())
    await bench.settle()
    (accepted,) = bench.receipts(Status.ACCEPTED_LATE)
    again = await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    assert again.status is Status.DUPLICATE
    assert again.original is not None
    assert again.original.receipt_id == accepted.receipt_id


async def test_every_submission_counts_once_whatever_became_of_it(bench: Bench) -> None:
    """A8: received = the sum of the statuses, before and after a release."""
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-3"))
    async with bench.http() as http:
        before = (await http.get("/tally")).json()
        await correct(bench, gap_filled())
        await bench.settle()
        after = (await http.get("/tally")).json()
        held = (await http.get("/held")).json()["items"]
    assert (before["received"], before["held"], before["accepted_late"]) == (2, 1, 0)
    assert (after["received"], after["held"], after["accepted_late"]) == (2, 0, 1)
    assert held == []


# ------------------------------------------------------------------------------------------------- what asks for it


def asked(ref: Ref[Any], before: Any, after: Any) -> list[Request]:
    """The sets that a change of a document asks for."""
    return list(Sets(SETS).touched(ref, before, after))


async def test_an_answer_asks_for_a_release_only_while_its_submission_waits(bench: Bench) -> None:
    receipt = await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    ref = RECEIPTS.ref(receipt.receipt_id)
    held = RECEIPTS.read(bench.mongo.rows("receipts")[ref.id])
    assert asked(ref, None, held) == [Request("release", ("00999", 2022))]
    assert asked(ref, held, replace(held, released="r-2")) == []
    assert asked(ref, None, replace(held, status=Status.REJECTED)) == []


def test_a_correction_asks_for_every_code_that_it_names_in_all_periods_and_the_ones_before_it_for_nothing() -> None:
    first = with_correction(None, fact(1, gap_filled("00998")))
    new = correction(added=[unit(district_code="998", district_name="Huyện Cũ")])
    second = with_correction(first, fact(2, new))
    assert asked(REGISTER, None, first) == [Request("release", ("00998", None))]
    assert asked(REGISTER, first, second) == [Request("release", ("00999", None)), Request("release", ("998", None))]
    assert asked(REGISTER, second, second) == []


async def test_what_a_release_before_named_sets_held_is_released_too(bench: Bench) -> None:
    """Neither its set nor an open request is known by then; or the request is there under its former name."""
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await bench.receive(EventType.COMMUNE_SUBMITTED, old(submission_id="HN-2", unit_code="00998"))
    bench.mongo.rows("recalculations").clear()
    former = {"scope": "release/00998", "period": 2022, "due": None, "at": AT}
    await bench.mongo.insert("recalculations", [former])
    for _ in range(2):
        await queries.migrate(bench.mongo)
        assert {row["key"] for row in bench.mongo.all("recalculations")} == {'["00999", 2022]', '["00998", 2022]'}
    await bench.settle()
    await queries.migrate(bench.mongo)
    assert bench.mongo.all("recalculations") == [], "they are known now"
    await correct(bench, gap_filled())
    await bench.settle()
    assert [receipt.subject for receipt in bench.receipts(Status.ACCEPTED_LATE)] == ["00999"]


# ------------------------------------------------------------------------------------------------- exactly once


async def test_a_hold_that_was_decided_beside_the_correction_is_not_missed(bench: Bench) -> None:
    """Decided on the old register, written after the correction and its releases: its own request finds it."""

    async def meanwhile() -> None:
        await correct(bench, gap_filled())
        await bench.settle()

    bench.mongo.meanwhile.append(meanwhile)
    assert (await bench.receive(EventType.COMMUNE_SUBMITTED, old())).status is Status.HELD
    await bench.settle()
    assert len(bench.receipts(Status.ACCEPTED_LATE)) == 1


@pytest.mark.parametrize("applied", [True, False])
async def test_a_release_whose_commit_is_unknown_has_its_effect_once(bench: Bench, applied: bool) -> None:
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await correct(bench, gap_filled())
    bench.mongo.commit_faults[bench.mongo.commits + 1] = Fault(CommitUnknown, applied=applied)
    await bench.settle()
    await bench.mongo.insert("recalculations", rows_of([RELEASE.request(Code("00999", 2022))], AT))
    await bench.settle()
    assert len(bench.receipts()) == 2
    assert len(bench.events("intake.accepted")) == 2
    assert len(bench.events("receipts.01")) == 2


async def test_a_correction_that_repeats_releases_nothing_again(bench: Bench) -> None:
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    assert not (await correct(bench, gap_filled()))["repeated"]
    await bench.settle()
    again = await correct(bench, gap_filled())
    assert (again["repeated"], again["version"], again["releases"]) == (True, 1, [])
    await bench.settle()
    assert len(bench.receipts()) == 2
    assert len(bench.events("intake.accepted")) == 2


# ------------------------------------------------------------------------------------------------- over HTTP


async def test_an_unsound_correction_is_refused_with_all_its_problems_and_leaves_nothing(bench: Bench) -> None:
    wrong = correction(ended=["99999@2025-07"], added=[unit(province_code="99")]).model_dump(mode="json")
    async with bench.http() as http:
        answer = await http.post("/register/corrections", json=wrong)
        unreadable = await http.post("/register/corrections", json=wrong | {"decree": {"number": "1"}, "who": "me"})
    assert answer.status_code == unreadable.status_code == 422
    body = answer.json()
    assert body["code"] == "correction_unsound"
    assert [(one["code"], one["field"]) for one in body["problems"]] == [
        ("province_unknown", "/added/0/province_code"),
        ("unit_id_unknown", "/ended/0"),
    ]
    assert all(one["mend"]["vi"] and one["mend"]["en"] for one in body["problems"])
    assert {(one["code"], one["field"]) for one in unreadable.json()["problems"]} == {
        ("field_missing", "/decree/issued_on"),
        ("field_missing", "/decree/effective_on"),
        ("field_unknown", "/who"),
    }
    assert bench.events("intake.accepted") == []
    assert not bench.mongo.rows("register")


@pytest.mark.parametrize(("role", "province"), [("province", "01"), ("finance", None), ("auditor", None)])
async def test_only_the_ministry_corrects_the_register(bench: Bench, role: Any, province: str | None) -> None:
    async with bench.http(role, province) as http:
        answer = await http.post("/register/corrections", json=gap_filled().model_dump(mode="json"))
    assert answer.status_code == 403
    assert not bench.mongo.rows("register")


async def test_an_id_that_is_used_again_for_other_content_is_refused(bench: Bench) -> None:
    await correct(bench, gap_filled())
    other = gap_filled(name="Xã Khác").model_dump(mode="json")
    async with bench.http() as http:
        for _ in range(2):
            answer = await http.post("/register/corrections", json=other)
            assert [one["code"] for one in answer.json()["problems"]] == ["correction_id_reused"]


async def test_corrections_are_numbered_and_told_with_who_and_when(bench: Bench) -> None:
    await correct(bench, gap_filled())
    await correct(bench, split())
    async with bench.http() as http:
        told = [RegisterCorrected.model_validate(row) for row in (await http.get("/register")).json()]
    assert [(one.version, one.correction.correction_id, one.entered_by) for one in told] == [
        (1, "GAP-00999", "local:an"),
        (2, "SPLIT", "local:an"),
    ]
    assert [event["version"] for event in bench.events("intake.accepted")] == [1, 2]


async def test_two_operators_at_the_same_moment_are_decided_one_after_the_other(bench: Bench) -> None:
    async def meanwhile() -> None:
        await correct(bench, gap_filled())

    bench.mongo.meanwhile.append(meanwhile)
    assert (await correct(bench, split()))["version"] == 2
    assert [event["version"] for event in bench.events("intake.accepted")] == [1, 2]


async def test_a_dry_run_tells_what_it_touches_and_writes_nothing(bench: Bench) -> None:
    await bench.receive(EventType.COMMUNE_SUBMITTED, old())
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-3"))
    await bench.receive(EventType.ASSESSMENT_SUBMITTED, assessment("learning_models", "00004", 2025))
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune(submission_id="HN-4", unit_code="00008"))
    await bench.settle()
    commits = bench.mongo.commits
    told = await correct(bench, split(), dry_run=True)
    assert (told["dry_run"], told["version"], told["releases"]) == (True, 1, [])
    assert [(row["kind"], row["subject"], row["period"], row["unit"]) for row in told["touched"]] == [
        ("commune", "00004", 2025, "00004@2025-07"),
        ("assessment", "learning_models/00004", 2025, "00004@2025-07"),
    ]
    assert {row["means_now"] for row in told["touched"]} == {"00004@2025-07"}, "2025 stays the old unit's"
    (waiting,) = (await correct(bench, gap_filled(), dry_run=True))["releases"]
    (held,) = bench.receipts(Status.HELD)
    assert waiting == {
        "code": "00999", "period": 2022, "province": "01", "submission_id": "HN-1", "receipt_id": held.receipt_id,
    }  # fmt: skip
    assert bench.mongo.commits == commits
    assert not bench.mongo.rows("register")


async def test_the_view_of_a_unit_is_that_of_the_corrected_register(bench: Bench) -> None:
    async with bench.http("province", "01") as http:
        missing = await http.get("/register/units/00999", params={"on": "2022-12-31"})
        await correct(bench, gap_filled())
        found = (await http.get("/register/units/00999", params={"on": "2022-12-31"})).json()
        by_id = (await http.get("/register/units/00004@2025-07")).json()
    assert missing.status_code == 404
    assert (found["unit_id"], found["name"], found["entitled"]) == ("00999@pre-2024-01-01", "Xã Cũ", "01")
    assert any("Nghị quyết 1286/2023" in line["vi"] for line in found["life"])
    assert by_id["continues"] is None
    assert {row["share"] for row in by_id["predecessors"]} == {"whole", "part"}


async def test_intake_decides_on_the_corrected_register_of_its_own_database(bench: Bench) -> None:
    """The document that handlers read is the one that the command wrote, in the form that every service keeps."""
    await correct(bench, gap_filled())
    kept = await queries.corrections(bench.mongo)
    told = RegisterCorrected.model_validate(bench.events("intake.accepted")[0])
    assert kept == with_correction(None, told)
    assert fact(1, gap_filled()).correction == told.correction
    assert (await bench.receive(EventType.COMMUNE_SUBMITTED, old())).status is Status.ACCEPTED_LATE
