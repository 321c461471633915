"""What alerts say: what happened, why, what to do and by when, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest

from services.notifications.domain import (
    Proposal,
    below_minimum_alerts,
    digest_alert,
    result_alerts,
    returned_alert,
    standing,
    unknown_alerts,
)
from services.notifications.domain.receipts import receipt_alert
from services.notifications.domain.wording import by_when, numbered
from shared.contracts.base import Problem, Provenance, Status, Step, Text
from shared.contracts.facts import (
    Alert,
    Allocation,
    BudgetMoved,
    BudgetRunProposed,
    CentreScored,
    CommuneScored,
    Receipt,
    SubmissionKind,
)
from shared.contracts.submissions import AssessmentSeries
from shared.refusals import problem as refused

NOW = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
END_OF_28_FEBRUARY = datetime(2026, 2, 28, 17, 0, tzinfo=UTC)
"""24:00 in Viet Nam."""


def problem(number: int) -> Problem:
    return Problem(
        code=f"p{number}",
        field="",
        message=Text(vi=f"Lỗi {number}.", en=f"Fault {number}."),
        expected=Text(vi="", en=""),
        mend=Text(vi=f"Sửa {number}.", en=f"Mend {number}."),
    )


def receipt(**changes: Any) -> Receipt:
    facts = {
        "receipt_id": "r-9",
        "status": Status.REJECTED,
        "province": "04",
        "received_at": NOW,
        "channel": "http",
        "body_hash": "0" * 64,
        "kind": "commune",
        "submission_id": "s-1",
        "subject": "01273",
        "period": 2025,
        "deadline": END_OF_28_FEBRUARY,
        "problems": [problem(1)],
    }
    return Receipt(**{**facts, **changes})


def commune(**changes: Any) -> CommuneScored:
    facts = {
        "version": 2,
        "input_version": 3,
        "period": 2025,
        "rubric": "lc_commune_25_2023",
        "point_table": None,
        "state": "scored",
        "total": None,
        "grade": None,
        "level": 0,
        "criteria": {"C5": {"met": {"L1": False}, "targets": {"C5.1": {"L1": False, "L2": False}}}},
        "missing": [],
        "provenance": Provenance.FOUND,
        "received_at": NOW,
        "unit_id": "01273",
        "code": "01273",
        "name": "Phường Thục Phán",
        "holder": "04",
        "province": "04",
        "rank_key": None,
    }
    return CommuneScored(**{**facts, **changes})


def centre(**changes: Any) -> CentreScored:
    facts = {"centre_id": "c-1", "name": "TTHTCĐ Một", "commune_code": "01273", "rubric": "clc_2553_2013"}
    return CentreScored(**{**commune().model_dump(), "level": None, **facts, **changes})


def line(amount: int, last_year: int | None, **changes: Any) -> Allocation:
    facts = {
        "centre_id": "c-1",
        "name": "TTHTCĐ Một",
        "commune_code": "01273",
        "amount": amount,
        "floor": 20_000_000,
        "lower": 20_000_000,
        "upper": None,
        "last_year": last_year,
        "performance_factor": "5/4",
        "equity_factor": "1",
        "size_factor": "1",
        "weight": "5/4",
        "grade": "tot",
        "assessment": "scored",
        "result_version": 1,
        "binds": "none",
        "exact": str(amount),
        "steps": [
            Step(what=Text(vi="v", en="e"), citation="c", provenance=Provenance.PROVISIONAL),
        ],
    }
    return Allocation(**{**facts, **changes})


def run(**changes: Any) -> BudgetRunProposed:
    facts = {
        "province": "04",
        "year": 2026,
        "version": 1,
        "envelope": 36_000_000,
        "allocated": 36_000_000,
        "reserve": 0,
        "centres": 2,
        "case": "below_legal_minimum",
        "flags": ["below_legal_minimum"],
        "hash": "0" * 64,
        "proposed_at": NOW,
        "provenance": Provenance.PROVISIONAL,
    }
    return BudgetRunProposed(**{**facts, **changes})


# ------------------------------------------------------------------------------------------------- receipts


def test_a_rejection_says_what_is_wrong_what_to_do_and_by_when() -> None:
    alert = receipt_alert(receipt(), "cause-1")
    assert alert is not None
    assert (alert.alert_id, alert.kind, alert.severity) == (
        "submission_rejected/r-9",
        "submission_rejected",
        "warning",
    )
    assert (alert.audience, alert.province, alert.subject, alert.period) == ("04", "04", "01273", 2025)
    assert alert.text == Text(
        vi="Hồ sơ đánh giá cộng đồng học tập cấp xã (mã 01273, năm 2025, mã hồ sơ s-1, biên nhận r-9) bị từ chối. "
        "Lỗi 1.",
        en="The assessment of a commune (code 01273, year 2025, submission s-1, receipt r-9) was rejected. Fault 1.",
    )
    assert alert.action == Text(
        vi="Sửa 1. Thời hạn: 24:00 ngày 28/02/2026 (giờ Việt Nam).",
        en="Mend 1. Time limit: 24:00 on 2026-02-28 (Viet Nam time).",
    )
    assert (alert.due, alert.raised_at, alert.cause) == (END_OF_28_FEBRUARY, NOW, "cause-1")


@pytest.mark.parametrize(
    ("status", "kind", "severity", "words"),
    [
        (Status.HELD, "submission_held", "info", "tạm giữ"),
        (Status.CONFLICT, "submission_conflict", "warning", "không được nhận"),
    ],
)
def test_held_and_conflict(status: Status, kind: str, severity: str, words: str) -> None:
    alert = receipt_alert(receipt(status=status), "x")
    assert alert is not None
    assert (alert.kind, alert.severity) == (kind, severity)
    assert words in alert.text.vi


@pytest.mark.parametrize(
    "found",
    [
        refused("intake.submission_id_reused", "/submission_id", id="s-1", naming=""),
        refused("intake.already_accepted", "/corrects_version", version=2),
        refused("intake.nothing_to_correct", "/corrects_version", named=1),
        refused("intake.not_current_version", "/corrects_version", named=1, version=2),
    ],
    ids=lambda found: str(found.code),
)
def test_a_conflict_says_its_own_cause_and_what_to_do_about_it(found: Problem) -> None:
    alert = receipt_alert(receipt(status=Status.CONFLICT, problems=[found]), "x")
    assert alert is not None
    assert found.message.vi.rstrip(".") in alert.text.vi
    assert found.message.en.rstrip(".") in alert.text.en
    assert alert.action.vi.startswith(found.mend.vi.rstrip("."))


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.ACCEPTED_LATE, Status.DUPLICATE, Status.UNCHANGED])
def test_receipts_that_ask_nothing_raise_nothing(status: Status) -> None:
    assert receipt_alert(receipt(status=status), "x") is None


KINDS: tuple[Any, ...] = (*get_args(SubmissionKind), None)
SERIES: tuple[str, ...] = get_args(AssessmentSeries)
ASKING = (Status.HELD, Status.REJECTED, Status.CONFLICT)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_receipt_has_its_words_for_every_status(kind: Any, status: Status) -> None:
    alert = receipt_alert(receipt(kind=kind, status=status, problems=[]), "x")
    assert (alert is not None) == (status in ASKING)
    if alert is not None:
        for text in (alert.text, alert.action):
            assert text.vi
            assert text.en
            assert text.vi != text.en


@pytest.mark.parametrize("status", ASKING)
def test_no_two_kinds_are_called_the_same(status: Status) -> None:
    alerts = [receipt_alert(receipt(kind=kind, status=status), "x") for kind in KINDS]
    alerts += [receipt_alert(receipt(kind="assessment", status=status, subject=f"{one}/1"), "x") for one in SERIES]
    opening = [(alert.text.vi.split(" (")[0], alert.text.en.split(" (")[0]) for alert in alerts if alert is not None]
    assert len(opening) == len(KINDS) + len(SERIES)
    assert len({vi for vi, _ in opening}) == len({en for _, en in opening}) == len(opening)


def test_an_assessment_is_called_by_its_series() -> None:
    alert = receipt_alert(receipt(kind="assessment", subject="learning_models/740"), "x")
    assert alert is not None
    assert alert.text == Text(
        vi="Hồ sơ đánh giá các mô hình học tập (mã learning_models/740, năm 2025, mã hồ sơ s-1, biên nhận r-9) bị từ "
        "chối. Lỗi 1.",
        en="The assessment of learning models (code learning_models/740, year 2025, submission s-1, receipt r-9) was "
        "rejected. Fault 1.",
    )


@pytest.mark.parametrize("subject", [None, "740", "of_next_year/740", "district", "province-01/1"])
def test_an_assessment_of_no_known_series_is_an_assessment(subject: str | None) -> None:
    """The subject of a file that could not be read is what its sender wrote."""
    alert = receipt_alert(receipt(kind="assessment", subject=subject), "x")
    assert alert is not None
    assert alert.text.vi.startswith("Hồ sơ đánh giá (")
    assert alert.text.en.startswith("An assessment (")


def test_an_unreadable_record_still_reaches_its_sender() -> None:
    alert = receipt_alert(
        receipt(kind=None, submission_id=None, subject=None, period=None, deadline=None, problems=[]), "x"
    )
    assert alert is not None
    assert alert.subject == "04"
    assert alert.text.vi == "Bản ghi không đọc được loại hồ sơ (biên nhận r-9) bị từ chối."
    assert alert.action.en == ("See the receipt for details, mend and send again. The rules name no time limit.")


def test_only_the_first_problems_are_named_each_once() -> None:
    alert = receipt_alert(receipt(problems=[problem(n) for n in (1, 1, 2, 3, 4, 5)]), "x")
    assert alert is not None
    assert alert.text.vi.endswith("(1) Lỗi 1; (2) Lỗi 2; (3) Lỗi 3; và 2 nội dung khác.")
    assert alert.action.en.startswith("(1) Mend 1; (2) Mend 2; (3) Mend 3; and 2 more.")


def test_a_time_limit_that_passed_is_said_to_have_passed() -> None:
    at_the_end = by_when(END_OF_28_FEBRUARY, END_OF_28_FEBRUARY)
    assert "đã qua" in at_the_end.vi
    assert "has passed" in at_the_end.en
    assert "đã qua" not in by_when(END_OF_28_FEBRUARY, END_OF_28_FEBRUARY - timedelta(seconds=1)).vi


# -------------------------------------------------------------------------------------------------- results


def below(result: CommuneScored | CentreScored, at: datetime = NOW) -> Alert:
    """The alert about a first version."""
    (alert,) = result_alerts(standing(result, None, "x", at))
    return alert


def test_a_commune_without_a_level() -> None:
    alert = below(commune())
    assert alert.alert_id == "result_below_threshold/commune/01273/2025/level-0"
    assert alert.text == Text(
        vi="Kết quả kỳ 2025 của Phường Thục Phán (mã 01273): chưa đạt, thuộc diện phải cảnh báo.",
        en="Result of Phường Thục Phán (code 01273) for period 2025: no level reached, which calls for an alert.",
    )
    assert alert.action.en == (
        "C5.1: not met (Share of citizens holding the title Learning Citizen). Where figures or evidence are wrong, "
        "send a correction of version 3. "
        "Time limit: 24:00 on 2026-02-28 (Viet Nam time)."
    )
    assert alert.due == END_OF_28_FEBRUARY


def test_a_weak_centre() -> None:
    alert = below(centre(grade="yeu", total=Decimal("42.5")))
    assert alert.alert_id == "result_below_threshold/centre/c-1/2025/grade-yeu"
    assert "xếp loại Yếu (42,5 điểm)" in alert.text.vi
    assert "(42.5 points)" in alert.text.en


def test_a_commune_of_the_directives_own_rule() -> None:
    result = commune(period=2022, rubric="lc_commune_44_2014", grade="chua_dat", level=None, total=Decimal(40))
    alert = below(result)
    assert alert.alert_id.endswith("/2022/grade-chua_dat")
    assert "has passed" in alert.action.en


@pytest.mark.parametrize(
    "result",
    [
        commune(level=1),
        commune(state="incomplete", level=None),
        commune(state="incomplete", level=0),
        centre(grade="trung_binh", total=Decimal(55)),
        centre(state="incomplete", grade=None),
    ],
)
def test_results_that_call_for_no_alert(result: CommuneScored | CentreScored) -> None:
    assert list(result_alerts(standing(result, None, "x", NOW))) == []


# -------------------------------------------------------------------------------------------------- budgets


def digest(*lines: Allocation, then: tuple[int | None, ...] = (), is_closed: bool = False, **changes: Any) -> Alert:
    proposal = Proposal(run(**changes), lines, then or (None,) * len(lines))
    return digest_alert(proposal, "x", NOW, is_closed=is_closed)


@pytest.mark.parametrize(
    ("amount", "last_year", "named"),
    [
        (22_000_000, 20_000_000, False),
        (22_000_001, 20_000_000, True),
        (18_000_000, 20_000_000, False),
        (17_999_999, 20_000_000, True),
        (20_000_000, None, False),
        (0, 0, False),
        (1, 0, True),
    ],
)
def test_exactly_the_policys_share_is_no_change_worth_naming(amount: int, last_year: int | None, named: bool) -> None:
    alert = digest(line(amount, last_year))
    assert [each.centre_id for each in alert.centres] == (["c-1"] if named else [])
    assert ("No centre changes by more than 10 % against 2025." in alert.text.en) is not named


def test_a_digest_has_the_provinces_sums_and_who_rises_and_falls() -> None:
    lines = [
        line(25_000_000, 20_000_000, centre_id="a", name="Một"),
        line(10_000_000, 20_000_000, centre_id="b", name="Hai"),
        line(1_000_000, 20_000_000, centre_id="c", name="Ba"),
    ]
    alert = digest(*lines, flags=["reserve"], envelope=40_000_000, reserve=4_000_000, centres=3)
    assert (alert.alert_id, alert.severity, alert.subject) == ("support_proposed/04/2026", "warning", "04")
    assert alert.text == Text(
        vi="Đề nghị hỗ trợ năm 2026 của Tỉnh Cao Bằng (04): 36.000.000 đồng cho 3 trung tâm, dự phòng 4.000.000 đồng, "
        "trong kinh phí 40.000.000 đồng. So với năm 2025, tăng quá 10 %: 1 trung tâm (Một [a] +5.000.000); giảm quá "
        "10 %: 2 trung tâm (Ba [c] −19.000.000; Hai [b] −10.000.000).",
        en="Support proposed in 2026 for Tỉnh Cao Bằng (04): 36,000,000 đồng for 3 centres, reserve 4,000,000 đồng, of "
        "an envelope of 40,000,000 đồng. Against 2025, up by more than 10 %: 1 (Một [a] +5,000,000); down by more "
        "than 10 %: 2 (Ba [c] −19,000,000; Hai [b] −10,000,000).",
    )
    assert [(each.centre_id, each.amount, each.last_year) for each in alert.centres] == [
        ("c", 1_000_000, 20_000_000),
        ("b", 10_000_000, 20_000_000),
        ("a", 25_000_000, 20_000_000),
    ]


def test_a_digest_names_the_first_few_and_counts_all() -> None:
    alert = digest(*(line(10_000_000 + n, 20_000_000, centre_id=f"c-{n}") for n in range(5)))
    assert "giảm quá 10 %: 5 trung tâm (TTHTCĐ Một [c-0] −10.000.000;" in alert.text.vi
    assert "; and 2 more)" in alert.text.en


@pytest.mark.parametrize(
    ("assessment", "words", "due"),
    [
        ("awaited", "1 still awaited until the deadline", datetime(2026, 4, 10, 17, tzinfo=UTC)),
        ("pending", "1 sent and not settled", datetime(2026, 12, 31, 17, tzinfo=UTC)),
        ("not_submitted", "1 not submitted", datetime(2026, 12, 31, 17, tzinfo=UTC)),
    ],
)
def test_a_digest_counts_what_is_open_and_says_by_when(assessment: str, words: str, due: datetime | None) -> None:
    alert = digest(line(20_000_000, 20_000_000, assessment=assessment))
    assert f"Assessments of period 2025: {words}." in alert.text.en
    assert alert.due == due


def test_a_digest_asks_nothing_of_a_centre_that_owes_no_file() -> None:
    alert = digest(line(20_000_000, None, assessment="not_submitted", flags=["not_due"]))
    assert "not submitted" not in alert.text.en
    assert "Send the assessments" not in alert.action.en
    assert alert.due is None


def test_a_digest_asks_for_no_file_when_the_period_has_closed() -> None:
    missing = line(20_000_000, 20_000_000, assessment="not_submitted")
    before, after = digest(missing), digest(missing, is_closed=True)
    assert "Gửi các hồ sơ đánh giá kỳ 2025 còn thiếu" in before.action.vi
    assert before.action.vi.endswith("Thời hạn: 24:00 ngày 31/12/2026 (giờ Việt Nam).")
    assert "còn thiếu" not in after.action.vi
    assert after.due is None
    assert after.action.vi.endswith(
        "Kỳ đã khóa sổ (24:00 ngày 31/12/2026, giờ Việt Nam): hồ sơ chỉ được nhận trong thời gian Bộ mở lại."
    )


@pytest.mark.parametrize(
    ("received_at", "words"),
    [
        (datetime(2026, 12, 31, 16, 59, tzinfo=UTC), "is recorded as late, until 24:00 on 2026-12-31."),
        (datetime(2026, 12, 31, 17, tzinfo=UTC), "files are taken only while the ministry has it open again."),
    ],
)
def test_after_the_time_limit_files_are_late_and_after_the_closing_they_are_refused(
    received_at: datetime, words: str
) -> None:
    alert = receipt_alert(receipt(received_at=received_at), "x")
    assert alert is not None
    assert alert.action.en.endswith(words)
    assert below(commune(), received_at).action.en.endswith(words)


def test_money_that_provinces_state_has_no_time_limit_but_a_closing() -> None:
    alert = receipt_alert(receipt(kind="envelope", subject="04", period=2026, deadline=None), "x")
    assert alert is not None
    assert alert.action.vi.endswith("Quy định không nêu thời hạn; khóa sổ lúc 24:00 ngày 31/12/2026 (giờ Việt Nam).")


@pytest.mark.parametrize("period", [0, 9999, 10_000, None])
def test_a_year_that_no_rule_knows_has_no_closing(period: int | None) -> None:
    alert = receipt_alert(receipt(period=period, deadline=None), "x")
    assert alert is not None
    assert alert.action.en.endswith("The rules name no time limit.")


def test_a_digest_says_what_changed_since_the_time_for_files_was_over() -> None:
    changed = line(21_000_000, 20_000_000, centre_id="a")
    alert = digest(changed, line(20_000_000, 20_000_000, centre_id="b"), then=(20_000_000, 20_000_000))
    assert "Changed since the time for files was over: 1 (TTHTCĐ Một [a] +1,000,000)." in alert.text.en
    assert [(each.centre_id, each.before) for each in alert.centres] == [("a", 20_000_000)]


def test_unknown_figures_are_told_to_province_and_ministry_and_stand_in_the_digest() -> None:
    unknown = run(flags=[], last_year_unknown=["d", "b", "a", "c"])
    alerts = unknown_alerts(unknown, "x", NOW)
    assert [alert.audience for alert in alerts] == ["04", "ministry"]
    assert "support of 2025 not on record: 4 (a, b, c and 1 more)" in alerts[0].text.en
    assert "Support of 2025 not on record" in digest(last_year_unknown=["a"]).text.en
    assert unknown_alerts(run(), "x", NOW) == ()


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("return", "was returned. Reason: thiếu chữ ký"),
        ("propose", "what was submitted no longer stands"),
        ("submit", None),
    ],
)
def test_a_budget_thrown_back_is_told_until_people_act_again(action: str, words: str | None) -> None:
    moved = BudgetMoved(
        province="04",
        year=2026,
        version=3,
        action=action,
        state="returned",
        run_version=2,
        why="thiếu chữ ký",
        by="hoa",
        at=NOW,
    )
    alert = returned_alert(moved, "x", NOW)
    assert (alert is not None) == (words is not None)
    if alert is not None:
        assert str(words) in alert.text.en


def test_an_envelope_below_the_minima_is_told_to_province_and_ministry() -> None:
    alerts = below_minimum_alerts(run(), "x", NOW)
    assert [(alert.alert_id, alert.audience) for alert in alerts] == [
        ("below_legal_minimum/04/2026/04", "04"),
        ("below_legal_minimum/04/2026/ministry", "ministry"),
    ]
    assert {alert.severity for alert in alerts} == {"urgent"}
    assert "Tỉnh Cao Bằng (04) là 36.000.000 đồng" in alerts[0].text.vi
    assert "Thông tư 96/2008/TT-BTC" in alerts[0].text.en
    assert alerts[0].action != alerts[1].action


def test_an_envelope_that_pays_the_minima_is_no_matter() -> None:
    assert below_minimum_alerts(run(case="performance", flags=["reserve"]), "x", NOW) == ()


# -------------------------------------------------------------------------------------------------- wording


def test_no_problems_no_list() -> None:
    assert numbered([]) is None
