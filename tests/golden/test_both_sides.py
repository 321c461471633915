"""No threshold of a rule without a golden case on either side of it: one that reaches it, and one that does not.

Which thresholds there are is asked of the rules themselves: what each level wants of each target, in every year, area
and kind of subject in which the rule can hold; of points also the bands and minima.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from services.scoring.domain.results import _judge
from shared.contracts.explained import CriterionResult
from shared.contracts.submissions import Content, TargetsContent
from shared.rulebook import PassFailRubric, PointsRubric, Rubric, cut_off, rubric, rubrics
from shared.rulebook.given import read_given
from shared.rulebook.goals import goals
from tests.golden import test_other_rubrics, test_reports, test_scoring
from tests.unit.test_scoring_recompute import stricter

LAST = max(goal.year for goal in goals())
Threshold = tuple[str, str, str]
"""What is measured, for what (a level, a grade, a goal), and at least how much."""
MEASURED = ("≥", "↓", "↑")
"""How a threshold begins; what is only done or not done has none."""


# ------------------------------------------------------------------------------------------- which there are


def thresholds(rule: Rubric) -> set[Threshold]:
    """Every threshold of a rule."""
    if isinstance(rule, PointsRubric):
        return {each for each, _ in _of_points(rule, None, [])}
    judged = (
        _judge(rule, content, period, [], [], None, province).criteria
        for period in range(2013, LAST + 1)
        if rule.in_force(cut_off(period))
        for province in {goal.province or "" for goal in goals()}
        for content in _kinds(rule)
    )
    return {threshold for criteria in judged for threshold, _ in _of_targets(criteria)}


def _kinds(rule: Rubric) -> Iterator[Content]:
    """Files without any value, of every kind of subject that the rule tells apart."""
    groups = rule.traits.groups if isinstance(rule, PassFailRubric) and rule.traits else []
    for difficult, *traits in product((None, "QĐ 1"), *groups):
        area = {"difficult_area": bool(difficult), "difficult_area_basis": difficult}
        special = {"specially_difficult": bool(difficult), "specially_difficult_basis": difficult}
        yield TargetsContent.model_validate({"targets": {}, "traits": traits} | area | special)


def _of_targets(criteria: Iterable[CriterionResult]) -> Iterator[tuple[Threshold, bool | None]]:
    """Each threshold of a judgement and whether it was reached; of a pair of shares each by itself."""
    for target in (target for criterion in criteria for target in criterion.targets if target.applicable):
        for name, least in target.threshold.items():
            if ", ≥" in least:
                parts = least.split(", ")
                values = target.value.split(", ") if target.value else [None] * len(parts)
                for nth, (value, part) in enumerate(zip(values, parts, strict=True), start=1):
                    reached = None if value in (None, "0/0") else Fraction(value) >= _number(part)
                    yield (f"{target.id}, share {nth}", name, part), reached
            elif least.startswith(MEASURED):
                yield (target.id, name, least), target.met[name]


def _number(least: str) -> Fraction:
    return Fraction(least.removeprefix("≥ ").removesuffix(" %")) / (100 if least.endswith("%") else 1)


def _of_points(
    rule: PointsRubric, result: Any, criteria: Iterable[CriterionResult]
) -> Iterator[tuple[Threshold, bool | None]]:
    """The bands, reached exactly or missed by one step; the minimum; the indicators that are checked."""
    total = result.total if result is not None else None
    for grade in rule.grades[1:]:
        side = None if total is None else {grade.min: True, grade.min - rule.point_table.step: False}.get(total)
        yield ("total", grade.id, str(grade.min)), side
    minimum = rule.minimum_rule
    points = [one.points for one in criteria if one.points is not None]
    if minimum is not None:
        yield (
            ("every criterion", minimum.grade, "minimum"),
            None if not points or None in points else all(map(minimum.met, points)),
        )
    met = {target.id: target.met.get("met") for one in criteria for target in one.targets}
    for indicator in (indicator for criterion in rule.criteria for indicator in criterion.indicators):
        if indicator.rule is not None:
            yield (indicator.id, "met", indicator.rule.type), met.get(indicator.id)


# ---------------------------------------------------------------------------------------------- what is shown


def played() -> Iterator[tuple[Rubric, Any]]:
    for case in (param.values[0] for param in test_scoring._cases()):
        yield rubric(case["rubric"]), test_scoring._score(case)
    yield from test_other_rubrics.played()
    yield from test_reports.played()


SHOWN: dict[str, set[tuple[Threshold, bool]]] = {}
for rule, result in played():
    found = (
        _of_points(rule, result, result.criteria) if isinstance(rule, PointsRubric) else _of_targets(result.criteria)
    )
    SHOWN.setdefault(rule.id, set()).update((each, side) for each, side in found if side is not None)


@pytest.mark.parametrize("rule", rubrics(), ids=lambda rule: str(rule.id))
def test_every_threshold_has_a_case_on_either_side(rule: Rubric) -> None:
    wanted = set(product(thresholds(rule), (True, False)))
    assert wanted - SHOWN.get(rule.id, set()) == set()


def test_a_threshold_without_cases_is_found() -> None:
    """Of a rule that asks for more than the one that the cases are of."""
    stricter_rule = read_given(stricter()).rubrics["lc_commune_test"]
    assert thresholds(stricter_rule) - thresholds(rubric("lc_commune_25_2023")) == {("C5.1", "L1", "≥ 75 %")}
