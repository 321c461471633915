"""Cases of the rubrics besides communes and centres, for officials to read; this file only carries them out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.scoring.domain.indicators import judge_with_indicators
from services.scoring.domain.judging import Judgement
from services.scoring.domain.results import score_assessment
from shared.contracts.base import Provenance, Step
from shared.contracts.explained import AssessmentExplained
from shared.contracts.facts import AssessmentAccepted
from shared.contracts.submissions import Content, PointsContent, TargetsContent
from shared.rulebook import PointsRubric, Rubric, check_content, rubric, rubric_for
from shared.rulebook.models import ModelsRubric
from shared.rulebook.standards import StandardsRubric

HERE = Path(__file__).parent / "scoring"
HIGHEST = {
    "MN1": "950/1000",
    "MN2": "850/1000",
    "TH1": "980/1000",
    "TH2": "800/1000",
    "TH3": "900/1000",
    "TH4": "1000/1000",
    "CS1": "950/1000",
    "CS2": "800/1000",
    "XM1": "900/1000",
    "XM2": "900/1000",
    "KT1": "600/1000",
}
HIGHEST_SPECIAL = {
    "MN1": "900/1000",
    "MN2": "800/1000",
    "TH1": "980/1000",
    "TH2": "700/1000",
    "TH3": "800/1000",
    "TH4": "1000/1000",
    "CS1": "900/1000",
    "CS2": "700/1000",
    "XM1.s": "900/1000",
    "XM2.s": "900/1000",
    "KT1": "600/1000",
}
"""Every share exactly at the threshold of the highest level."""
HIGHEST_LEVELS = {"preschool_5": 1, "primary": 3, "lower_secondary": 3, "literacy": 2}


def _book(name: str) -> list[Any]:
    book = yaml.safe_load((HERE / name).read_text(encoding="utf-8"))
    shared = {key: value for key, value in book.items() if key != "cases"}
    return [pytest.param(shared | case, id=f"{name}: {case['name']}") for case in book["cases"]]


def _share(id: str, text: str, case: dict[str, Any]) -> dict[str, Any]:
    numerator, denominator = map(int, text.split("/"))
    evidence = [] if id in case.get("no_evidence", []) else ["biên bản"]
    return {"type": "share", "share": {"numerator": numerator, "denominator": denominator}, "evidence": evidence}


def _targets(shares: dict[str, str], case: dict[str, Any], **area: Any) -> TargetsContent:
    kept = {id: _share(id, text, case) for id, text in shares.items() if id not in case.get("missing", [])}
    return TargetsContent.model_validate({"targets": kept, **area})


def _points(case: dict[str, Any], start: Decimal | None) -> tuple[PointsRubric, PointsContent]:
    """Every criterion at `start` (else its maximum), single ones changed."""
    rule = rubric(case["rubric"])
    assert isinstance(rule, PointsRubric)
    points = {one.id: start or rule.maximum(one.id) for one in rule.criteria}
    points |= {id: Decimal(str(value)) for id, value in case.get("points", {}).items()}
    content = PointsContent.model_validate(
        {
            "points": {
                id: {"points": value, "evidence": [] if id in case.get("no_evidence", []) else ["biên bản"]}
                for id, value in points.items()
                if id not in case.get("missing", [])
            },
            "indicators": {id: _share(id, text, case) for id, text in case.get("shares", {}).items()},
        }
    )
    return rule, content


def _score(case: dict[str, Any], content: Content) -> AssessmentExplained:
    rule, period = rubric(case["rubric"]), case["period"]
    assert check_content(rule, content)[0] == [], "a case must be one that intake lets pass"
    accepted = {
        "version": 3,
        "submission_id": "s-1",
        "receipt_id": "r-1",
        "province": case.get("province", "01"),
        "holder": case.get("province", "01"),
        "received_at": datetime(period + 1, 1, 10, tzinfo=UTC),
        "series": rule.series,
        "subject_id": "00004@2025-07",
        "name": "Phường Mẫu",
        "period": period,
        "rubric": rule.id,
        "content": content,
    }
    scored = score_assessment(AssessmentAccepted.model_validate(accepted), [], [], 1)
    assert rubric_for(rule.series, period).id == rule.id, "a case must belong to the period of its rubric"
    return scored


def _applicable(case: dict[str, Any], scored: AssessmentExplained) -> None:
    targets = (target for criterion in scored.criteria for target in criterion.targets)
    assert {one.id for one in targets if not one.applicable} == set(case["expect"].get("not_applicable", []))


def _told(case: dict[str, Any], steps: list[Step], next_step: list[Any]) -> None:
    """What a case expects of the explanation, and what holds for every one."""
    assert case["citation"]
    expect = case["expect"]
    assert all(step.citation and step.what.vi and step.what.en for step in steps)
    if "explains" in expect:
        assert any(expect["explains"] in step.what.en for step in steps), [step.what.en for step in steps]
    if "next_step" in expect:
        assert any(expect["next_step"] in step.en for step in next_step), [step.en for step in next_step]


def _standards(case: dict[str, Any]) -> AssessmentExplained:
    start = HIGHEST_SPECIAL if "special" in case else HIGHEST
    area = {"specially_difficult": "special" in case, "specially_difficult_basis": case.get("special")}
    return _score(case, _targets(start | case.get("values", {}), case, **area))


def _models(case: dict[str, Any]) -> AssessmentExplained:
    area = {"difficult_area": "difficult_area" in case, "difficult_area_basis": case.get("difficult_area")}
    return _score(case, _targets(case["shares"], case, **area))


def _units(case: dict[str, Any]) -> AssessmentExplained:
    return _score(case, _points(case, None)[1])


def _citizens(case: dict[str, Any]) -> Judgement:
    rule, content = _points(case, Decimal(8))
    return judge_with_indicators(rule, content, case["period"])


BOOKS: dict[str, Callable[[dict[str, Any]], AssessmentExplained | Judgement]] = {
    "universal_education_20_2014.yaml": _standards,
    "learning_models.yaml": _models,
    "learning_unit_22_2020.yaml": _units,
    "learning_citizen_244_2022.yaml": _citizens,
    "learning_citizen_324_2023.yaml": _citizens,
}
"""Files in a notation of their own; all others are read by `test_scoring`."""


def played() -> Iterator[tuple[Rubric, AssessmentExplained | Judgement]]:
    """What comes of every case of these files, with its rule."""
    for name, judge in BOOKS.items():
        for (case,) in (param.values for param in _book(name)):
            yield rubric(case["rubric"]), judge(case)


@pytest.mark.parametrize("case", _book("universal_education_20_2014.yaml"))
def test_standards(case: dict[str, Any]) -> None:
    expect = case["expect"]
    scored = _standards(case)
    levels = {id: expect.get(id, highest) for id, highest in HIGHEST_LEVELS.items()}
    assert scored.standards == {id: level for id, level in levels.items() if level != "open"}
    assert scored.missing == expect.get("missing", [])
    assert scored.state == ("incomplete" if scored.missing else "scored")
    assert (scored.total, scored.grade, scored.level) == (None, None, None)
    for standard in scored.criteria:
        assert (standard.reason is not None) == (levels[standard.id] == "open")
        level = levels[standard.id]
        assert level == "open" or all(standard.met[f"L{n}"] for n in range(1, level + 1))
    if "provenance" in expect:
        assert scored.provenance == Provenance(expect["provenance"])
    _applicable(case, scored)
    _told(case, scored.explanation, scored.next_step)


@pytest.mark.parametrize("case", _book("learning_models.yaml"))
def test_models(case: dict[str, Any]) -> None:
    expect = case["expect"]
    scored = _models(case)
    assert {goal: met for one in scored.criteria for goal, met in one.met.items()} == expect["goals"]
    if "shares" in expect:
        assert scored.shares == expect["shares"]
    assert scored.missing == expect.get("missing", [])
    assert (scored.total, scored.grade, scored.level) == (None, None, None)
    _applicable(case, scored)
    _told(case, scored.explanation, scored.next_step)


@pytest.mark.parametrize("case", _book("learning_unit_22_2020.yaml"))
def test_learning_units(case: dict[str, Any]) -> None:
    expect = case["expect"]
    scored = _units(case)
    assert scored.total == (None if expect["total"] is None else Decimal(expect["total"]))
    assert scored.grade == expect["grade"]
    assert scored.missing == expect.get("missing", [])
    if "provenance" in expect:
        assert scored.provenance == Provenance(expect["provenance"])
    _told(case, scored.explanation, scored.next_step)


@pytest.mark.parametrize("case", [*_book("learning_citizen_244_2022.yaml"), *_book("learning_citizen_324_2023.yaml")])
def test_learning_citizens(case: dict[str, Any]) -> None:
    expect = case["expect"]
    judged = _citizens(case)
    assert judged.total == Decimal(expect["total"])
    assert judged.grade == expect["grade"]
    _told(case, judged.steps, judged.next_step)


def test_the_two_decisions_on_learning_citizens_ask_for_the_same() -> None:
    older, newer = (
        _points({"rubric": id}, None)[0] for id in ("learning_citizen_244_2022", "learning_citizen_324_2023")
    )
    assert older.point_table.maxima == newer.point_table.maxima
    assert (older.minimum_rule and older.minimum_rule.at_least) == (newer.minimum_rule and newer.minimum_rule.at_least)
    assert older.provenance is newer.provenance is Provenance.PARTLY


def test_one_rule_of_each_series_follows_the_other() -> None:
    assert [rubric_for("learning_unit", period).id for period in (2020, 2022, 2023, 2024, 2025)] == [
        "lu_unit_22_2020",
        "lu_unit_22_2020",
        "lu_unit_22_2020",
        "lu_unit_24_2023",
        "lu_unit_24_2023",
    ]
    assert rubric("lu_unit_22_2020").effective_to == rubric("lu_unit_24_2023").effective_from
    assert rubric_for("learning_citizen", 2022).id == "learning_citizen_244_2022"
    assert rubric_for("learning_citizen", 2023).id == "learning_citizen_324_2023"


def test_the_cases_start_at_the_thresholds_of_the_rubric() -> None:
    rule = rubric("pcgd_xmc_20_2014")
    assert isinstance(rule, StandardsRubric)
    assert {one.id: len(one.levels) for one in rule.standards} == HIGHEST_LEVELS
    assert {one.id for one in rule.targets} == HIGHEST.keys() | HIGHEST_SPECIAL.keys()
    for id in ("learning_models_448_2015", "learning_models_387_2022"):
        models = rubric(id)
        assert isinstance(models, ModelsRubric)
        assert all(gap.state == "not_found" for gap in models.gaps)
