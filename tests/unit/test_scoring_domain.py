"""Scoring: what a result says besides its grade or level, and how results become a ranking."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from services.scoring.domain import score_centre, score_commune
from services.scoring.domain.ranking import pass_fail_key, points_key
from shared.contracts.base import Provenance
from shared.contracts.explained import CommuneExplained
from shared.contracts.facts import Recognition
from shared.rulebook import rubric
from shared.wording import EN
from tests.unit.scoring_samples import centre, commune, points, recognition, share, targets

COMMUNE = "lc_commune_44_2014"
TODAY = rubric("lc_commune_25_2023")


def test_a_points_result_carries_everything_that_made_it() -> None:
    scored = score_commune(commune(points(COMMUNE, TC4="1", TC9="3"), version=4), [], (), version=7)
    assert (scored.version, scored.input_version, scored.period, scored.rubric) == (7, 4, 2022, COMMUNE)
    assert (scored.total, scored.grade, scored.level) == (Decimal(85), "tot", None)
    assert scored.point_table == "lc_commune_44_2014/working-default-1"
    assert scored.provenance is Provenance.PROVISIONAL, "the point table is a working default"
    assert len(scored.criteria) == 15
    assert scored.criteria[3].points == 1
    assert scored.criteria[3].max_points == 10
    assert any("Điều 4.3a" in step.citation for step in scored.explanation)
    assert scored.next_step == []


def test_next_step_names_points_and_zeros() -> None:
    scored = score_commune(
        commune(points(COMMUNE, TC4="0", TC5="0", TC8="0", TC9="0", TC1="0", TC2="0", TC3="0")), [], (), 1
    )
    assert (scored.total, scored.grade) == (Decimal(44), "chua_dat")
    texts = [step.en for step in scored.next_step]
    assert "6 points are missing for average (from 50)." in texts
    assert sum("more than 0 points" in text for text in texts) == 7


def test_a_centre_has_no_rank() -> None:
    scored = score_centre(centre(points("clc_2553_2013", N2="10")), 1)
    assert (scored.total, scored.grade, scored.centre_id) == (Decimal(80), "tot", "TT/1")
    assert not hasattr(scored, "rank_key")


def test_missing_is_not_zero() -> None:
    scored = score_commune(commune(points(COMMUNE, TC9=None)), [], (), 1)
    assert (scored.state, scored.total, scored.grade, scored.rank_key) == ("incomplete", None, None, None)
    assert scored.missing == ["TC9"]
    assert scored.criteria[8].points is None
    zero = score_commune(commune(points(COMMUNE, TC9="0")), [], (), 1)
    assert (zero.state, zero.total) == ("scored", Decimal(91))


def test_an_incomplete_pass_fail_result_still_tells_what_is_known() -> None:
    scored = score_commune(commune(targets(C5_1=None, C1_1={"type": "boolean", "met": False})), [], (), 1)
    assert (scored.state, scored.level, scored.missing) == ("incomplete", None, ["C5.1"])
    met = {one.id: one.met["L1"] for one in scored.criteria}
    assert met == {"C1": False, "C2": True, "C3": True, "C4": True, "C5": None}


def test_values_and_thresholds_stay_exact_and_readable() -> None:
    scored = score_commune(commune(targets(C5_1={"type": "share", "share": share(59_996, 100_000)})), [], (), 1)
    target = scored.criteria[4].targets[0]
    assert (target.value, target.threshold) == ("59996/100000", {"L1": "≥ 60 %", "L2": "≥ 80 %"})
    assert target.reason is not None
    assert "59,996 %" in target.reason.vi
    assert "thiếu 4 người" in target.reason.vi


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(3, 5), "60 %"),
        (Fraction(599_999, 10**6), "59.999 %"),
        (Fraction(599_999_999, 10**9), "59.999 %"),
        (Fraction(1, 8), "12.5 %"),
        (Fraction(1, 2000), "0.05 %"),
        (Fraction(0), "0 %"),
        (Fraction(1), "100 %"),
    ],
)
def test_percent_is_cut_never_rounded(value: Fraction, text: str) -> None:
    assert EN.percent(value) == text


def test_level_2_is_computed_and_says_so() -> None:
    scored = score_commune(commune(targets()), [Recognition.of(recognition())], (), 1)
    assert (scored.level, scored.provenance) == (2, Provenance.READING)
    assert any("12/QĐ-PGDĐT" in step.what.vi for step in scored.explanation)
    assert any("computed" in step.what.en for step in scored.explanation)


def test_the_gap_of_the_deciding_authority_is_shown_once_it_exists() -> None:
    def told(period: int) -> bool:
        scored = score_commune(commune(targets(1), period=period), [], (), 1)
        return any("no rule was found" in step.what.en for step in scored.explanation)

    assert not told(2024)
    assert told(2025)


def test_content_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit the rubric"):
        score_commune(commune(targets(), rubric=COMMUNE), [], (), 1)
    with pytest.raises(KeyError):
        score_commune(commune(targets(), rubric="nothing"), [], (), 1)


# ------------------------------------------------------------------------------------------------------- order


def test_keys_follow_the_ranking_rule() -> None:
    half, more = [Fraction(1)] * 3, [Fraction(1), Fraction(1), Fraction(11, 10)]
    ordered = [
        pass_fail_key(0, 9, 9, [Fraction(9)] * 3),
        pass_fail_key(0, 10, 0, half),
        pass_fail_key(0, 10, 2, half),
        pass_fail_key(0, 10, 2, more),
        pass_fail_key(1, 15, 3, half),
        pass_fail_key(2, 15, 15, half),
    ]
    assert ordered == sorted(ordered)
    assert len(set(ordered)) == len(ordered)
    assert points_key(Decimal("9.5")) < points_key(Decimal(10)) < points_key(Decimal(100))
    assert points_key(Decimal("84.5")) == points_key(Decimal("84.50"))


def test_each_commune_is_measured_by_the_thresholds_of_its_own_area() -> None:
    ordinary = score_commune(commune(targets(1)), [], (), 1)
    difficult = {"type": "share_pair", "trained": share(40), "university": share(10)}
    other = score_commune(commune(targets(1, difficult_area_basis="QĐ 861/QĐ-TTg", C5_2=difficult)), [], (), 1)
    assert ordinary.level == other.level == 1
    assert ordinary.rank_key == other.rank_key, "both stand exactly at their own thresholds"


def test_a_share_without_evidence_gives_no_lead() -> None:
    proven = {"type": "share", "share": share(50), "evidence": ["a"]}
    low = score_commune(commune(targets(1, C5_1=proven | {"share": share(1)})), [], (), 1)
    unproven = score_commune(commune(targets(1, C5_1=proven | {"evidence": []})), [], (), 1)
    assert low.rank_key is not None
    assert unproven.rank_key is not None
    assert unproven.rank_key < low.rank_key


def test_a_result_survives_json() -> None:
    scored = score_commune(commune(targets(1)), [], (), 1)
    assert CommuneExplained.model_validate_json(scored.model_dump_json()) == scored
