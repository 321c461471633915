"""Evaluation of targets and indicators: what decides, what is kept of it, and what a dated rule may change."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.scoring.domain import score_assessment, score_centre, score_commune
from services.scoring.domain.recognising import beside
from services.scoring.domain.targets import judge_targets
from shared.contracts.base import Provenance
from shared.contracts.explained import AssessmentExplained, CommuneExplained, TargetResult
from shared.contracts.facts import AssessmentAccepted, RecognisedCounts, Recognition, Reference
from shared.contracts.submissions import PointsContent, TargetsContent
from shared.registry import REORGANISATION
from shared.rulebook import PassFailRubric, PointsRubric, funding_norms, rubric
from shared.rulebook.rubrics import load_rubrics
from shared.rulebook.source import DATA
from shared.rulebook.targets import RecognisedShareRule
from tests.unit.rulebook_samples import put, table
from tests.unit.scoring_assessments import area_targets, standards
from tests.unit.scoring_samples import (
    RECEIVED_AT,
    centre,
    commune,
    points,
    recognition,
    revocation,
    share,
    targets,
)

RECOGNISED = [Recognition.of(recognition())]
PROVINCE = "lc_province_25_2023"


def _assessed(
    series: str, rule: str, content: TargetsContent, period: int = 2024, **changed: Any
) -> AssessmentAccepted:
    return AssessmentAccepted.model_validate(
        {
            "version": 1,
            "submission_id": "s-1",
            "receipt_id": "r-1",
            "province": "01",
            "received_at": RECEIVED_AT,
            "series": series,
            "subject_id": "01",
            "name": "Mẫu",
            "holder": "01",
            "period": period,
            "rubric": rule,
            "content": content,
        }
        | changed
    )


def _reference(series: str, outcome: dict[str, str], **changed: Any) -> Reference:
    return Reference.model_validate(
        {
            "series": series,
            "subject": "00004@2025-07",
            "period": 2025,
            "version": 2,
            "rubric": "pcgd_xmc_20_2014",
            "outcome": outcome,
            "hash": "a" * 64,
        }
        | changed
    )


def _targets_of(scored: CommuneExplained | AssessmentExplained) -> dict[str, TargetResult]:
    return {target.id: target for criterion in scored.criteria for target in criterion.targets}


# --------------------------------------------------------------------------------------------- missing is not zero (A7)


def test_a_missing_count_or_change_is_not_zero() -> None:
    """A7: what nobody sent makes the result incomplete; the same thing sent as 0 is judged."""
    counts = RecognisedCounts("districts", 10, {f"{n:03d}": 2 for n in range(10)})
    for id, zero in (
        ("C3_4", {"type": "count", "count": 0}),
        ("C4_3", {"type": "change", "previous": "0", "current": "0"}),
    ):
        absent = score_assessment(
            _assessed("province", PROVINCE, area_targets(PROVINCE, **{id: None})), RECOGNISED, (), 1, counts
        )
        sent = score_assessment(
            _assessed("province", PROVINCE, area_targets(PROVINCE, **{id: zero})), RECOGNISED, (), 1, counts
        )
        name = id.replace("_", ".")
        assert (absent.state, absent.level, absent.missing) == ("incomplete", None, [name])
        assert _targets_of(absent)[name].met == {"L1": None, "L2": None}
        assert (sent.state, sent.level, sent.missing) == ("scored", 0, [])
        assert _targets_of(sent)[name].met == {"L1": False, "L2": False}


def test_a_percentage_just_below_is_below() -> None:
    """E5: 59.996 % is not 60 %, whether it was submitted or counted under another rubric."""
    below = {"type": "share", "share": share(59_996, 100_000)}
    submitted = score_commune(commune(targets(C5_1=below)), RECOGNISED, (), 1)
    counted = _reference("learning_models", {"learning_citizens": "59996/100000"})
    referred = score_commune(commune(targets()), RECOGNISED, [counted], 1)
    for scored in (submitted, referred):
        assert scored.level == 0
        assert _targets_of(scored)["C5.1"].value == "59996/100000"
        assert any("59.996 %" in text.en for text in scored.next_step)


# ----------------------------------------------------------------------------------- same input, same bytes (E4)


def test_the_hash_is_of_what_was_judged_and_of_nothing_else() -> None:
    """E4: when and how often something is judged changes nothing; any value does."""
    content = targets(1)
    first = score_commune(commune(content), RECOGNISED, (), 1)
    later = commune(content, version=9, submission_id="s-2", receipt_id="r-2", received_at=RECEIVED_AT + timedelta(1))
    again = score_commune(later, reversed(RECOGNISED), (), 7)
    assert first.hash == again.hash
    assert len(first.hash) == 64
    other = score_commune(commune(targets(1, C5_1={"type": "share", "share": share(61)})), RECOGNISED, (), 1)
    assert other.hash != first.hash
    unrecognised = score_commune(commune(content), [], (), 1)
    assert unrecognised.hash != first.hash, "the recognition beside it is part of the result"


def test_evidence_is_kept_with_every_value() -> None:
    evidence = {"type": "boolean", "met": True, "evidence": ["KH 12/KH-UBND", "Báo cáo 7"]}
    scored = score_commune(commune(targets(C1_1=evidence)), [], (), 1)
    assert _targets_of(scored)["C1.1"].evidence == ["KH 12/KH-UBND", "Báo cáo 7"]
    graded = score_commune(commune(points("lc_commune_44_2014")), [], (), 1)
    assert all(criterion.evidence == ["biên bản"] for criterion in graded.criteria)


# ------------------------------------------------------------------------------------------- a province's own table


def test_a_province_is_judged_by_its_own_point_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(put(tmp_path, "provinces/48/point_tables/2016.yaml", table())))
    content = points("lc_commune_44_2014", TC1="7", TC2="5", TC3="5", TC7="5", TC8="8", TC6="5", TC9="9", TC10="5")
    own = score_commune(commune(content, holder="48"), [], (), 1)
    other = score_commune(commune(content, holder="01"), [], (), 1)
    assert own.point_table == "lc_commune_44_2014/da-nang-2016"
    assert own.criteria[0].max_points == 10
    assert other.criteria[0].max_points == 7
    assert other.point_table == "lc_commune_44_2014/working-default-1"
    assert own.rubric == other.rubric == "lc_commune_44_2014"


def test_a_centre_is_judged_by_the_table_of_the_province_that_it_lay_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender today may be the successor of that province: in 2024 the commune 20194 lay in Đà Nẵng (48)."""
    own = table(
        rubric="clc_2553_2013",
        id="clc_2553_2013/da-nang-2016",
        effective_to=None,
        successor=None,
        maxima={"N1": 25, "N2": 25, "N3": 25, "N4": 25},
    )
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(put(tmp_path, "provinces/48/point_tables/2016.yaml", own)))
    content = points("clc_2553_2013", N1="20", N2="20", N3="20", N4="20")
    there = score_centre(centre(content, commune_code="20194", period=2024, province="99"), 1)
    elsewhere = score_centre(centre(content, period=2024), 1)
    assert there.point_table == "clc_2553_2013/da-nang-2016"
    assert elsewhere.point_table == "clc_2553_2013/working-default-1"
    as_accepted = score_centre(centre(content, period=2024, holder="48"), 1)
    assert as_accepted.point_table == there.point_table, "intake saw a corrected register, and said what it saw"


# --------------------------------------------------------------------------------------------------- references


def test_only_references_of_the_period_that_decide_something_are_kept() -> None:
    used = _reference("universal_education", {"primary": "3", "literacy": "2"})
    others = [
        _reference("universal_education", {"primary": "1"}, period=2024, version=9),
        _reference("centre", {"grade": "yeu"}),
        _reference("learning_models", {"learning_families": "1/2"}),
    ]
    scored = score_commune(commune(targets()), RECOGNISED, [*others, used], 1)
    assert scored.references == [used]
    assert scored.level == 2
    target = _targets_of(scored)["C4.2"]
    assert target.evidence == ["pcgd_xmc_20_2014/00004@2025-07/2025#aaaaaaaaaaaa"]


def test_the_same_result_under_a_new_version_changes_nothing() -> None:
    once, again = (_reference("universal_education", {"primary": "2"}, version=version) for version in (2, 3))
    first, second = (score_commune(commune(targets()), RECOGNISED, [each], 1) for each in (once, again))
    assert first.hash == second.hash
    assert _without(first, "references") == _without(second, "references")
    other = _reference("universal_education", {"primary": "2"}, hash="b" * 64)
    assert score_commune(commune(targets()), RECOGNISED, [other], 1).hash != first.hash


def test_the_order_of_references_does_not_matter() -> None:
    centres = [
        _reference("centre", {"grade": grade}, subject=f"TT-{grade}", period=2022, rubric="clc_2553_2013")
        for grade in ("kha", "trung_binh", "tot")
    ]
    content = points("lc_commune_44_2014")
    one = score_commune(commune(content), [], centres, 1)
    assert one == score_commune(commune(content), [], list(reversed(centres)), 1)
    assert [each.subject for each in one.references] == ["TT-kha", "TT-tot", "TT-trung_binh"]
    assert _targets_of(one)["TC4.c"].value == "TT-kha: kha, TT-tot: tot, TT-trung_binh: trung_binh"


def test_a_cap_says_what_made_it() -> None:
    centre = _reference("centre", {"grade": "kha"}, subject="TT-1", period=2022, rubric="clc_2553_2013")
    scored = score_commune(commune(points("lc_commune_44_2014", TC4="9.5")), [], [centre], 1)
    criterion = scored.criteria[3]
    assert criterion.points == 8
    assert criterion.reason is not None
    assert "at most 8 points instead of 9.5" in criterion.reason.en
    assert "nhiều nhất 8 điểm, thay cho 9,5" in criterion.reason.vi
    assert criterion.provenance is Provenance.PROVISIONAL
    policy = rubric("lc_commune_44_2014")
    assert isinstance(policy, PointsRubric)
    assert policy.indicator_policy is not None
    assert policy.indicator_policy.citation in criterion.citation
    within = score_commune(commune(points("lc_commune_44_2014", TC4="8")), [], [centre], 1)
    assert within.criteria[3].reason is None, "8 of 10 are what the cap allows"
    assert not any("at most" in step.what.en for step in within.explanation)


def test_points_without_evidence_are_not_capped_but_void() -> None:
    centre = _reference("centre", {"grade": "kha"}, subject="TT-1", period=2022, rubric="clc_2553_2013")
    content = points("lc_commune_44_2014")
    bare = content.points | {"TC4": content.points["TC4"].model_copy(update={"evidence": []})}
    scored = score_commune(commune(PointsContent(points=bare)), [], [centre], 1)
    assert scored.criteria[3].points == 0
    assert scored.criteria[3].reason is not None
    assert "No evidence: 10 points do not count." in scored.criteria[3].reason.en


# ------------------------------------------------------------------------------------------------- recognition


@pytest.mark.parametrize(
    ("decided_on", "until", "in_force"),
    [
        (date(2025, 12, 31), date(2029, 1, 1), True),
        (date(2022, 1, 1), date(2026, 1, 1), True),
        (date(2021, 12, 31), date(2025, 1, 1), False),
    ],
)
def test_a_level_holds_for_36_months_after_the_year_of_the_decision(
    decided_on: date, until: date, in_force: bool
) -> None:
    stands = beside(rubric("lc_commune_25_2023"), [Recognition.of(recognition(decided_on=decided_on))], 2025)
    assert stands is not None
    shown = stands.shown
    assert (shown.level, shown.valid_until, shown.in_force) == (1, until, in_force)


def test_the_decision_for_the_latest_period_stands_beside_the_result_whenever_it_was_signed() -> None:
    decisions = [
        Recognition.of(recognition(period=2025, decided_on=date(2026, 3, 1), level=2, decision_number="9/QĐ")),
        Recognition.of(recognition(period=2023, decided_on=date(2026, 9, 1))),
        Recognition.of(recognition(period=2026, decided_on=date(2025, 1, 2), decision_number="1/QĐ")),
    ]
    for order in permutations(decisions):
        stands = beside(rubric("lc_commune_25_2023"), order, 2025)
        assert stands is not None
        assert (stands.shown.level, stands.shown.decision_number, stands.in_force) == (2, "9/QĐ", True)


@pytest.mark.parametrize(("effective_from", "in_force"), [(date(2025, 12, 31), False), (date(2026, 1, 1), True)])
def test_a_revoked_decision_counts_up_to_the_day_before_it_ends(effective_from: date, in_force: bool) -> None:
    revoked = Recognition.of(recognition(revocation=revocation(effective_from)))
    stands = beside(rubric("lc_commune_25_2023"), [revoked], 2025)
    assert stands is not None
    assert (stands.in_force, stands.shown.revocation) == (in_force, revoked.revocation)
    scored = score_commune(commune(targets(2)), [revoked], (), 1)
    assert scored.level == (2 if in_force else 1)
    said = [step.what.en for step in scored.explanation if "revoked by decision 3/QĐ" in step.what.en]
    assert len(said) == 1
    assert said[0].endswith("it still counts in this period." if in_force else "it does not count in this period.")


def test_where_the_latest_decision_is_revoked_an_earlier_one_that_counts_stands() -> None:
    revoked = recognition(period=2024, decided_on=date(2025, 3, 1), revocation=revocation(date(2025, 6, 1)))
    stands = beside(rubric("lc_commune_25_2023"), [*RECOGNISED, Recognition.of(revoked)], 2025)
    assert stands is not None
    assert (stands.decision.period, stands.in_force) == (2023, True)


def test_where_no_rule_says_how_long_a_decision_holds_none_is_shown() -> None:
    assert beside(rubric("clc_2553_2013"), RECOGNISED, 2025) is None


# ----------------------------------------------------------------------- three notions of difficult, never one flag


def _without(scored: CommuneExplained, *fields: str) -> dict[str, Any]:
    return scored.model_dump(exclude={*fields, "hash"})


def test_the_area_class_moves_money_and_no_threshold() -> None:
    plain = score_commune(commune(targets(1)), [], (), 1)
    third = score_commune(commune(targets(1), area_class="region_3"), [], (), 1)
    assert third.area_class == "region_3"
    assert _without(plain, "area_class") == _without(third, "area_class")
    norms = funding_norms(date(2025, 12, 31))
    assert norms.floor("region_3").amount > norms.floor("region_1").amount


def test_a_difficult_area_moves_target_5_2_alone() -> None:
    ordinary = _targets_of(score_commune(commune(targets(1)), [], (), 1))
    difficult = _targets_of(score_commune(commune(targets(1, difficult_area_basis="QĐ 861")), [], (), 1))
    assert [id for id, target in ordinary.items() if difficult[id].threshold != target.threshold] == ["C5.2"]
    content = standards()
    claims = content.model_copy(update={"difficult_area": True, "difficult_area_basis": "QĐ 861"})
    one, other = (
        score_assessment(_assessed("universal_education", "pcgd_xmc_20_2014", each), [], (), 1)
        for each in (content, claims)
    )
    assert one.hash == other.hash, "Decree 20 does not know that notion"


def test_a_specially_difficult_commune_moves_decree_20_alone() -> None:
    claim = {"specially_difficult": True, "specially_difficult_basis": "QĐ 861"}
    content = targets(1)
    one, other = (score_commune(commune(each), [], (), 1) for each in (content, content.model_copy(update=claim)))
    assert one.hash == other.hash, "Circular 25/2023 does not know that notion"
    full = standards()
    ordinary, special = (
        _targets_of(score_assessment(_assessed("universal_education", "pcgd_xmc_20_2014", each), [], (), 1))
        for each in (full, full.model_copy(update=claim))
    )
    moved = {id for id, target in ordinary.items() if id not in special or special[id].threshold != target.threshold}
    assert moved >= {"TH2", "XM1"}, "lower shares, and other people for literacy"


# ---------------------------------------------------------------------------- target 4.1 of a province after districts


def _province(period: int, counts: RecognisedCounts | None, rule: PassFailRubric | None = None) -> AssessmentExplained:
    accepted = _assessed("province", PROVINCE, area_targets(PROVINCE), period)
    return score_assessment(accepted, RECOGNISED, (), 1, counts, rule=rule)


def test_without_districts_target_4_1_is_a_gap_that_is_shown() -> None:
    communes = RecognisedCounts("communes", 126, {f"{n:05d}@2025-07": 1 for n in range(120)})
    scored = _province(2025, communes)
    target = _targets_of(scored)["C4.1"]
    assert (scored.state, scored.level, scored.missing) == ("incomplete", None, ["C4.1"])
    assert (target.value, target.met) == (None, {"L1": None, "L2": None})
    assert target.reason is not None
    assert "120/126 (95,238 %)" in target.reason.vi
    assert [text.en for text in scored.next_step] == [target.reason.en], "nothing that the province could send"
    assert any(step.what == target.reason and "chỉ tiêu 4.1" in step.citation for step in scored.explanation)


def test_the_last_period_with_districts_is_computed() -> None:
    districts = RecognisedCounts("districts", 30, {f"{n:03d}": 1 for n in range(27)})
    scored = _province(2024, districts)
    target = _targets_of(scored)["C4.1"]
    assert (scored.state, scored.level) == ("scored", 1)
    assert (target.value, target.provenance) == ("L1 27/30, L2 0/30", Provenance.READING)
    assert target.evidence[:2] == ["000: L1", "001: L1"]


@pytest.mark.parametrize(("series", "counted"), [("district", "communes"), ("province", "districts")])
def test_computed_levels_stand_beside_and_count_nowhere(series: str, counted: Any) -> None:
    every = {f"{n:05d}": 2 for n in range(10)}
    rule = f"lc_{series}_25_2023"
    accepted = _assessed(series, rule, area_targets(rule), 2024)
    scored = score_assessment(accepted, RECOGNISED, (), 1, RecognisedCounts(counted, 10, {}, every))
    assert (scored.level, _targets_of(scored)["C4.1"].value) == (0, "L1 0/10, L2 0/10")
    beside = [step for step in scored.explanation if "by computed results: level 1: 10/10" in step.what.en]
    assert [step.provenance for step in beside] == [Provenance.READING]


def test_the_ministry_may_say_what_is_counted_instead(tmp_path: Path) -> None:
    """The data can say `counts: communes`; no code changes."""
    content = yaml.safe_load((DATA / f"rubrics/{PROVINCE}.yaml").read_text(encoding="utf-8"))
    target = content["criteria"][3]["targets"][0]
    assert target["id"] == "C4.1"
    del target["not_computable"], target["without_decisions"]
    target |= {"counts": "communes", "citation": "Thông tư sửa đổi (giả định trong kiểm thử)"}
    changed = load_rubrics((put(tmp_path, f"rubrics/{PROVINCE}.yaml", content),))[PROVINCE]
    assert isinstance(changed, PassFailRubric)
    for recognised, level in ((114, 1), (113, 0)):  # 90 % of 126 is 113.4
        counts = RecognisedCounts("communes", 126, {f"{n:05d}@2025-07": 1 for n in range(recognised)})
        scored = _province(2025, counts, changed)
        assert (scored.state, scored.level) == ("scored", level)
        assert _targets_of(scored)["C4.1"].citation.startswith("Thông tư sửa đổi (giả định trong kiểm thử)")
    assert _province(2025, None, changed).missing == ["C4.1"]


def test_the_day_that_ends_districts_is_that_of_the_register() -> None:
    rule = rubric(PROVINCE)
    assert isinstance(rule, PassFailRubric)
    target = next(one for one in rule.targets if isinstance(one, RecognisedShareRule))
    assert target.not_computable is not None
    assert target.not_computable.since == REORGANISATION == rubric("lc_district_25_2023").effective_to


# ------------------------------------------------------------------------------------------------------ next step


def test_the_next_step_names_every_lacking_target() -> None:
    rule = rubric("lc_commune_25_2023")
    assert isinstance(rule, PassFailRubric)
    none = {"type": "boolean", "met": False}
    content = targets(
        C1_1=none, C2_2=none, C4_2={"type": "level", "level": 1}, C5_1={"type": "share", "share": share(1)}
    )
    judged = judge_targets(rule, content, 2025)
    assert [text.en.partition(":")[0] for text in judged.next_step] == ["C1.1", "C2.2", "C4.2", "C5.1"]
    assert all(text.vi != text.en for text in judged.next_step)
