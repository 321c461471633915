"""Every amount says in both languages what made it, and on which ground; so do corrections."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from services.funding.domain import (
    Budget,
    Centre,
    Equipment,
    Frozen,
    Grade,
    Part,
    Stake,
    Standing,
    Succession,
    adjust,
    allocate,
    freeze,
    grade_of,
    rerun,
    standing,
)
from services.funding.domain.adjustment import Adjustment
from services.funding.domain.centres import Lineage, Record
from services.funding.domain.corrections import corrected
from shared.contracts.base import Provenance, Step
from shared.contracts.facts import Correction
from shared.rulebook import HANOI, FundingNorms, FundingPolicy, RulebookError, funding_norms, funding_policy
from tests.funding_rules import changed
from tests.funding_words import run_of, steps_of

DAY = date(2026, 1, 1)
LAW, POLICY = funding_norms(DAY), funding_policy(DAY)
KHA = grade_of("clc_2553_2013", "kha", 2025, Decimal("72.5"))
MONTHS = changed(POLICY, {"proration": {"use": "months", "counts": "last_day", "citation": "QĐ của tỉnh"}})
BY_POINTS = changed(
    POLICY,
    {
        "performance": {
            "by_grade": None,
            "by_score_line": [{"score": 0, "factor": "0.5"}, {"score": 100, "factor": "1.25"}],
        }
    },
)
OWN = changed(
    LAW,
    {"id": "own", "yearly": {"region_1": {"amount": 24_000_000, "citation": "Nghị quyết 7", "provenance": "found"}}},
).above(LAW)


def centre(**changes: Any) -> Centre:
    facts: dict[str, Any] = {
        "centre_id": "a",
        "name": "TTHTCĐ A",
        "commune_code": "01273",
        "area_class": "region_1",
        "population_served": 8_000,
        "last_year": 20_000_000,
        "assessment": "scored",
        "grade": KHA,
    }
    return Centre(**{**facts, **changes})


def budget(
    given: Centre, *, envelope: int = 22_000_000, norms: FundingNorms = LAW, policy: FundingPolicy = POLICY
) -> Budget:
    return allocate([given], envelope, period=2025, norms=norms, policy=policy)


def told(steps: Sequence[Step]) -> tuple[str, str]:
    for step in steps:
        assert step.citation
        assert step.what.vi != step.what.en
        assert step.what.vi == unicodedata.normalize("NFC", step.what.vi)
    return " ".join(step.what.vi for step in steps), " ".join(step.what.en for step in steps)


RULES: dict[str, Any] = {"norms": LAW, "policy": POLICY}


def only_rules(given: dict[str, Any]) -> dict[str, Any]:
    return {name: rule for name, rule in given.items() if name in RULES}


SUCCESSION = Succession(2026, 1_000_000, (Part("p", 30_000_000, 20_000_000), Part("q", 4_000_000, 4_000_000)))


@pytest.mark.parametrize(
    ("given", "rules", "vietnamese", "english"),
    [
        (
            centre(),
            {},
            "Mức hỗ trợ tối thiểu một năm (khu vực I): 20.000.000 đồng.",
            "20,000,000 đồng approved for 2025; change from −15 % to +25 %",
        ),
        (
            centre(area_class="other"),
            {},
            "Xã ngoài khu vực I, II, III: không quy định mức hỗ trợ tối thiểu, tỉnh quyết định.",
            "no legal minimum; the province decides",
        ),
        (
            centre(),
            {"norms": OWN, "envelope": 24_000_000},
            "Tỉnh quy định mức cao hơn: 24.000.000 đồng một năm.",
            "The province grants more: 24,000,000 đồng per year.",
        ),
        (
            centre(),
            {"norms": OWN},
            "không đủ mức cao hơn của tỉnh: mỗi trung tâm nhận mức tối thiểu và θ = 0,5",
            "not all of the province's own higher norms",
        ),
        (
            centre(months=7),
            {"policy": MONTHS},
            "Hoạt động 7/12 tháng của năm 2026 (tính tháng mà trung tâm tồn tại vào ngày cuối tháng): mức tối thiểu "
            "11.666.667 đồng, làm tròn lên.",
            "Weight = 1 × 1 × 1 × 0.583333… = 0.583333….",
        ),
        (
            centre(last_year=10_000_000, last_months=6),
            {"policy": MONTHS},
            "Năm 2025 được duyệt 10.000.000 đồng cho 6 tháng, tức 20.000.000 đồng cho 12 tháng",
            "10,000,000 đồng approved for 6 months of 2025, that is 20,000,000 đồng for 12 months",
        ),
        (
            centre(),
            {"policy": BY_POINTS},
            "xếp loại Khá, 72,5 điểm; hệ số hiệu quả 1,04375.",
            "72.5 points; performance factor 1.04375.",
        ),
        (
            centre(assessment="not_due", grade=None, last_year=None),
            {},
            "Trung tâm thành lập sau kỳ đánh giá 2025 nên chưa phải nộp hồ sơ: hệ số hiệu quả 0",
            "The centre opened after assessment period 2025, so nothing was due",
        ),
        (
            centre(assessment="not_submitted", grade=None),
            {},
            "Đến hết hạn nộp không có hồ sơ đánh giá kỳ 2025, hoặc hồ sơ không được chấp nhận trước khi khóa sổ: hệ số "
            "hiệu quả 0, không áp dụng mức bảo đảm so với năm trước.",
            "last year's support is not protected",
        ),
        (
            centre(assessment="not_submitted", grade=None),
            {"policy": funding_policy(date(2025, 1, 1))},
            "Không có hồ sơ đánh giá kỳ 2025: hệ số hiệu quả 0, không áp dụng mức bảo đảm so với năm trước.",
            "last year's support is not protected",
        ),
        (
            centre(assessment="pending"),
            {},
            "tạm tính theo xếp loại gần nhất, Khá của kỳ 2025; hệ số hiệu quả 1, vẫn giữ mức bảo đảm",
            "counts meanwhile; performance factor 1, and last year's support stays protected",
        ),
        (
            centre(assessment="pending", grade=None),
            {},
            "không có xếp loại nào của kỳ trước được tính",
            "no earlier grade counts",
        ),
        (
            centre(last_year=None, succession=SUCCESSION),
            {},
            "Kế thừa do sáp nhập hoặc chia tách năm 2026: 20.000.000 trong 30.000.000 đồng của p, theo dân số được "
            "phục vụ; 4.000.000 đồng của q; 1.000.000 đồng của chính trung tâm. Mức bảo đảm 100 % phần kế thừa áp dụng "
            "cho các năm 2026–2028.",
            "Measured against 2025: 25,000,000 đồng",
        ),
        (
            centre(last_year=30_000_000, succession=Succession(2026, 20_000_000, ())),
            {},
            "Đã tách một phần sang trung tâm khác năm 2026: giữ lại 20.000.000 đồng",
            "Gave a part of itself to other centres in 2026",
        ),
        (
            centre(assessment="awaited", grade=KHA, waits_until=datetime(2026, 4, 11, tzinfo=HANOI)),
            {},
            "Hồ sơ đánh giá kỳ 2025 còn trong hạn nộp đến hết ngày 10/04/2026: tạm tính theo xếp loại gần nhất, Khá "
            "của kỳ 2025; hệ số hiệu quả 1, vẫn giữ mức bảo đảm so với năm trước.",
            "The assessment of period 2025 may still come in time until 2026-04-10: the last known grade",
        ),
        (
            centre(assessment="awaited", grade=None, waits_until=datetime(2026, 4, 11, tzinfo=HANOI)),
            {},
            "và không có xếp loại nào của kỳ trước được tính: tạm tính hệ số hiệu quả 0",
            "no earlier grade counts: performance factor 0 meanwhile",
        ),
        (
            centre(assessment="pending", waits_until=datetime(2027, 1, 1, tzinfo=HANOI)),
            {},
            "tạm giữ hoặc chưa đủ; giữ như vậy đến khi khóa sổ kỳ, hết ngày 31/12/2026)",
            "kept so until the period closes after 2026-12-31)",
        ),
        (
            centre(unknown=("a", "p")),
            {},
            "Chưa có số liệu mức hỗ trợ năm 2025 của a, p: chỉ được mức tối thiểu 20.000.000 đồng cho đến khi có số "
            "liệu (0 đồng cũng là số liệu).",
            "The support of 2025 of a, p is on nobody's record: the minimum alone",
        ),
        (
            centre(lineage=Lineage(2025, Record(2025, 37_500_000, (Part("p", 12_500_000, 12_500_000),)))),
            {},
            "Sáp nhập hoặc chia tách năm 2025: mức hỗ trợ năm 2025 là 12.500.000 đồng của p + 37.500.000 đồng của "
            "chính trung tâm = 50.000.000 đồng.",
            "Measured against 2025: 50,000,000 đồng; change from",
        ),
        (
            centre(
                lineage=Lineage(
                    2025,
                    Record(2025, 40_000_000, ()),
                    Record(2024, None, (Part("p", 25_000_000, 25_000_000), Part("q", 50_000_000, 25_000_000))),
                    2025,
                )
            ),
            {},
            "năm chuyển tiếp thứ 2/3: ít nhất 100 % phần kế thừa của mức hỗ trợ năm 2024 là 25.000.000 đồng của p + "
            "25.000.000 trong 50.000.000 đồng của q, theo dân số được phục vụ = 50.000.000 đồng.",
            "year 2 of 3 of the transition: at least 100 % of what was taken over of the support of 2024",
        ),
        (
            centre(last_year=0, area_class="other"),
            {},
            "Năm 2025 không được hỗ trợ và không có mức tối thiểu: không giới hạn mức tăng.",
            "No support in 2025 and no legal minimum: the rise is not capped.",
        ),
    ],
)
def test_what_made_an_amount(given: Centre, rules: dict[str, Any], vietnamese: str, english: str) -> None:
    in_vietnamese, in_english = told(steps_of(budget(given, **rules), **{**RULES, **only_rules(rules)}))
    assert vietnamese in in_vietnamese
    assert english in in_english


def test_a_cap_says_where_it_comes_from() -> None:
    peer = centre(centre_id="b")
    new, zero = centre(last_year=None), centre(last_year=0, area_class="other")
    lifted = replace(new, area_class="region_3", population_served=8_000)
    for given, vietnamese, english in (
        (new, "nhiều nhất 25.000.000 đồng, bằng giới hạn cao nhất của các trung tâm", "at most 25,000,000 đồng"),
        (zero, "Năm 2025 không được hỗ trợ và không có mức tối thiểu: nhiều nhất 25.000.000", "at most 25,000,000"),
        (lifted, "trong tỉnh; ít nhất 25.000.000 đồng", "that have a base; at least 25,000,000"),
    ):
        both = allocate([given, peer], 60_000_000, period=2025, norms=LAW, policy=POLICY)
        line = both.lines[0]
        in_vietnamese, in_english = told(steps_of(both, **RULES))
        assert vietnamese in in_vietnamese
        assert english in in_english
        assert line.flags == ["without_base"]


def test_the_grounds_of_an_amount() -> None:
    """Law, the province's own norm and our working defaults are told apart, and the list of areas is named."""
    area, law, own, *rest = steps_of(budget(centre(), norms=OWN, envelope=24_000_000), norms=OWN, policy=POLICY)
    assert (area.provenance, law.provenance, own.provenance) == (
        Provenance.PARTLY,
        Provenance.FOUND,
        Provenance.FOUND,
    )
    assert area.citation == "Nghị định 272/2025/NĐ-CP ngày 16/10/2025"
    assert law.citation.startswith("Thông tư 96/2008/TT-BTC")
    assert "272/2025" not in law.citation
    assert own.citation == "Nghị quyết 7"
    assert {step.provenance for step in rest} == {Provenance.PROVISIONAL}
    later = steps_of(allocate([centre()], 22_000_000, period=2030, norms=LAW, policy=POLICY), **RULES, year=2031)
    assert "272/2025" not in later[0].citation
    assert later[0].provenance is Provenance.NOT_FOUND


def test_equipment_says_that_it_is_once_and_when_it_is_cut() -> None:
    both = [budget(centre(equipment=Equipment("due")), envelope=envelope) for envelope in (30_000_000, 29_999_999)]
    whole, short = (each.equipment for each in both)
    assert whole is not None
    assert short is not None
    in_vietnamese, in_english = told(steps_of(both[0], whole.lines[0], **RULES))
    assert "hỗ trợ trang thiết bị ban đầu một lần, 30.000.000 đồng" in in_vietnamese
    assert "pro rata" not in in_english
    in_vietnamese, in_english = told(steps_of(both[1], short.lines[0], **RULES))
    assert "Chỉ còn 29.999.999 đồng cho 1 trung tâm mới" in in_vietnamese
    assert "shared pro rata, here 29,999,999 đồng" in in_english
    assert short.lines[0].flags == ["below_legal_minimum"]


# ------------------------------------------------------------------------------------------------- corrections


def approved(**rules: Any) -> Frozen:
    return freeze(budget(centre(), **rules), province="04", year=2026, run_version=3)


def words(frozen: Frozen, one: Adjustment) -> tuple[str, str]:
    run = run_of(budget(centre())).model_copy(
        update={
            "case": frozen.case,
            "lambda_": None if frozen.lambda_ is None else str(frozen.lambda_),
            "theta": None if frozen.theta is None else str(frozen.theta),
        }
    )
    return told(corrected(Correction.model_validate_json(one.correction.model_dump_json()), run, POLICY))


def raised(floor: int, weight: int) -> Stake:
    return Stake("a", floor, floor, None, Fraction(weight))


@pytest.mark.parametrize(
    ("frozen", "stake", "now", "vietnamese", "english"),
    [
        (
            approved(),
            raised(20_000_000, 2),
            Standing(2_000_000, {"a": 22_000_000}, {}),
            "theo λ = 2.000.000 đồng đã duyệt: 24.000.000 đồng",
            "2,000,000 đồng are paid from the reserve (2,000,000 đồng); 0 đồng are left.",
        ),
        (
            approved(),
            raised(20_000_000, 2),
            Standing(1_999_999, {"a": 22_000_000}, {}),
            "Dự phòng còn 1.999.999 đồng, không đủ chi 2.000.000 đồng: chuyển sang năm sau",
            "carried to the next year as a first charge on its envelope",
        ),
        (
            approved(),
            raised(20_000_000, 0),
            Standing(0, {"a": 22_000_000}, {"a": 1_500_000}),
            "Hoàn 2.000.000 đồng về dự phòng; giảm 1.500.000 đồng số chuyển sang năm sau.",
            "2,000,000 đồng return to the reserve; 1,500,000 đồng are no longer carried",
        ),
        (
            approved(),
            raised(20_000_000, 1),
            Standing(0, {"a": 22_000_000}, {}),
            "Số tiền không đổi.",
            "The amount does not change.",
        ),
        (
            approved(envelope=10_000_000),
            raised(25_000_000, 1),
            Standing(0, {"a": 10_000_000}, {}),
            "theo tỷ lệ chi mức tối thiểu đã duyệt: 12.500.000 đồng",
            "the approved share of the minima",
        ),
        (
            freeze(budget(centre(last_year=40_000_000), envelope=27_000_000), province="04", year=2026, run_version=3),
            Stake("a", 20_000_000, 30_000_000, None, Fraction(1)),
            Standing(0, {"a": 27_000_000}, {}),
            "theo θ = 0,5 đã duyệt: 25.000.000 đồng",
            "the approved θ = 0.5",
        ),
        (
            approved(envelope=26_000_000),
            Stake("a", 20_000_000, 20_000_000, 26_000_000, Fraction(1)),
            Standing(1_000_000, {"a": 25_000_000}, {}),
            "theo các giới hạn đã duyệt (mọi trung tâm đạt giới hạn): 26.000.000 đồng",
            "the approved bounds (all were capped)",
        ),
    ],
)
def test_what_made_an_adjustment(frozen: Frozen, stake: Stake, now: Standing, vietnamese: str, english: str) -> None:
    in_vietnamese, in_english = words(frozen, adjust(frozen, stake, now))
    assert vietnamese in in_vietnamese
    assert english in in_english
    assert "Đính chính sau khi duyệt (lần 3)" in in_vietnamese


def test_a_new_run_tells_of_itself() -> None:
    frozen = approved()
    (one,) = rerun(frozen, [raised(20_000_000, 0)], standing(frozen), POLICY)
    in_vietnamese, in_english = words(frozen, one)
    assert "Tính lại toàn tỉnh trên 22.000.000 đồng đã duyệt (lần 3)" in in_vietnamese
    assert f"by policy {POLICY.id}" in in_english


def test_a_centre_that_left_gives_everything_back_in_a_new_run() -> None:
    frozen = approved()
    (one,) = rerun(frozen, [], standing(frozen), POLICY)
    assert (one.after, one.from_reserve, standing(frozen, [one]).reserve) == (0, -22_000_000, 22_000_000)


# ------------------------------------------------------------------------------------------ what cannot be


NOTHING = Correction(run_version=3, exact="0", due=0)


def move(before: int, after: int, from_reserve: int, carried: int) -> Adjustment:
    return Adjustment("a", before, after, from_reserve, carried, Fraction(after), NOTHING)


@pytest.mark.parametrize(
    "wrong",
    [
        move(21_000_000, 20_000_000, -1_000_000, 0),
        move(22_000_000, 23_000_000, 500_000, 0),
        move(22_000_000, 23_000_000, 1_000_000, 0),
        move(22_000_000, 21_000_000, 0, -1_000_000),
    ],
    ids=["starts elsewhere", "parts are not the whole", "more than the reserve", "takes back what was never owed"],
)
def test_an_adjustment_that_cannot_be_is_refused(wrong: Adjustment) -> None:
    with pytest.raises(ValueError, match="a: "):
        standing(approved(), [wrong])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reserve": 1}, "are not the"),
        ({"operating": 21_999_999}, "are not the"),
        ({"lines": []}, "are not the"),
    ],
)
def test_a_frozen_run_that_does_not_add_up_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Frozen.from_json({**approved().to_json(), **change})


@pytest.mark.parametrize("written", ["1e999999999", "0e-999999999", "1" * 5_000, "0.5", "1/0", "1/2/3", "", "1_0"])
@pytest.mark.parametrize("place", ["lambda", "theta", "weight", "exact"])
def test_a_frozen_run_has_only_fractions_as_they_are_written(place: str, written: str) -> None:
    """Whoever verifies a snapshot may have it from anybody."""
    stored = approved().to_json()
    first, *others = stored["lines"]
    change = {"lines": [{**first, place: written}, *others]} if place in first else {place: written}
    with pytest.raises(ValueError, match="is no fraction"):
        Frozen.from_json({**stored, **change})


def test_a_frozen_run_names_each_centre_once_and_in_order() -> None:
    stored = approved().to_json()
    with pytest.raises(ValueError, match="each centre once"):
        Frozen.from_json({**stored, "lines": stored["lines"] * 2, "operating": 44_000_000})


def test_a_stake_off_the_steps_of_the_run_is_refused() -> None:
    frozen = approved(policy=changed(POLICY, {"rounding": {"step": 1000}}))
    with pytest.raises(ValueError, match="no multiple of the rounding step"):
        adjust(frozen, raised(20_000_001, 1), standing(frozen))


@pytest.mark.parametrize(
    ("policy", "grade", "path"),
    [
        (POLICY, Grade("xuat_sac", KHA.name, 2025), "performance/by_grade/xuat_sac"),
        (BY_POINTS, Grade("kha", KHA.name, 2025), "performance/by_score"),
        (BY_POINTS, Grade("kha", KHA.name, 2025, Decimal(101)), "performance/by_score"),
    ],
)
def test_a_result_that_the_policy_does_not_weigh_stops_the_proposal(
    policy: FundingPolicy, grade: Grade, path: str
) -> None:
    with pytest.raises(RulebookError) as caught:
        budget(centre(grade=grade), policy=policy)
    assert (caught.value.path, caught.value.problem.code) == (path, "factor_missing")


def test_a_debt_is_never_negative() -> None:
    with pytest.raises(ValueError, match="out of"):
        allocate([centre()], 1, period=2025, norms=LAW, policy=POLICY, carried={"a": -1})
