"""Targets and indicators in the rulebook: what each kind of malformed file says, and what the shipped ones hold."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.rulebook import PassFailRubric, PointsRubric, RulebookError, rubric, rubrics
from shared.rulebook.rubrics import load_rubrics
from tests.unit.rulebook_samples import put, shipped

COMMUNE, POINTS, PROVINCE, UNIT = "lc_commune_25_2023", "lc_commune_44_2014", "lc_province_25_2023", "lu_unit_24_2023"


def _changed(tmp_path: Path, id: str, change: Callable[[dict[str, Any]], object]) -> Path:
    content = shipped(f"rubrics/{id}.yaml")
    content |= {"effective_to": None}
    content.pop("successor", None)
    change(content)
    return put(tmp_path, f"rubrics/{id}.yaml", content)


def _target(content: dict[str, Any], id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        target for criterion in content["criteria"] for target in criterion["targets"] if target["id"] == id
    )
    return found


def _indicator_table(content: dict[str, Any], **points: Any) -> None:
    content["point_table"]["indicators"] = {id.replace("_", "."): value for id, value in points.items()}


@pytest.mark.parametrize(
    ("id", "change", "code", "message"),
    [
        (UNIT, lambda c: _target(c, "C1.3").update(only_for=["ministry"]), "unknown_reference", "refers to 'ministry'"),
        (UNIT, lambda c: _target(c, "C2.4").update(not_for=["firm"]), "unknown_reference", "refers to 'firm'"),
        (
            UNIT,
            lambda c: _target(c, "C3.3").update(exempt={"L2": {"having": ["village_unit"]}}),
            "unknown_reference",
            "C3.3 refers to 'village_unit'",
        ),
        (UNIT, lambda c: c.pop("traits"), "unknown_reference", "C1.3 refers to"),
        (
            UNIT,
            lambda c: c["traits"]["groups"][1].update(district_unit={"vi": "Đơn vị", "en": "unit"}),
            "stands_twice",
            "district_unit",
        ),
        (UNIT, lambda c: _target(c, "C3.4")["level_names"].pop(2), "level_unnamed", "C3.4 does not name each"),
        (PROVINCE, lambda c: c.update(gaps=[]), "unknown_reference", "C4.1 refers to 'districts_ended'"),
        (
            PROVINCE,
            lambda c: _target(c, "C3.4")["minimum"].update(L2=3),
            "level_asks_less",
            "asks for less of C3.4",
        ),
        (PROVINCE, lambda c: _target(c, "C4.1")["thresholds"].pop("L1"), "threshold_missing", "C4.1 lacks"),
        (COMMUNE, lambda c: c.pop("difficult_area"), "ground_missing", "C5.2 needs the ground `difficult_area`"),
        (POINTS, lambda c: c.pop("indicator_policy"), "ground_missing", "needs the ground `indicator_policy`"),
        (
            POINTS,
            lambda c: c["criteria"][3]["indicators"].append(dict(c["criteria"][3]["indicators"][0])),
            "stands_twice",
            "TC4.a",
        ),
        (POINTS, lambda c: _indicator_table(c, TC9_x=3), "unknown_reference", "refers to 'TC9.x'"),
        (
            POINTS,
            lambda c: _indicator_table(c, TC5_a=4, TC5_b=5),
            "indicators_unshared",
            "of TC5 do not share its maximum 8",
        ),
        (
            POINTS,
            lambda c: c["criteria"][4]["indicators"].append(dict(c["criteria"][4]["indicators"][0]) | {"id": "TC5.c"}),
            "indicators_unshared",
            "of TC5 do not share its maximum 8",
        ),
    ],
)
def test_a_malformed_rubric_says_what_is_wrong(
    tmp_path: Path, id: str, change: Callable[[dict[str, Any]], object], code: str, message: str
) -> None:
    with pytest.raises(RulebookError) as caught:
        load_rubrics((_changed(tmp_path, id, change),))
    problem = caught.value.problem
    assert problem.code == code
    assert message in problem.message.en
    assert all(text.vi and text.en for text in (problem.message, problem.expected, problem.mend))


def test_a_third_is_no_exact_share(tmp_path: Path) -> None:
    """Three times 11/3, as 28 digits have it, is 11 again; no result can hold 11/3."""

    def change(content: dict[str, Any]) -> None:
        content["point_table"]["maxima"] |= {"TC5": 11, "TC8": 5}
        indicators = content["criteria"][4]["indicators"]
        indicators.append(dict(indicators[0]) | {"id": "TC5.c"})

    with pytest.raises(RulebookError, match="the indicators of TC5 do not share its maximum 11 exactly"):
        load_rubrics((_changed(tmp_path, POINTS, change),))


def test_a_table_may_weigh_indicators_itself(tmp_path: Path) -> None:
    place = _changed(tmp_path, POINTS, lambda c: _indicator_table(c, TC5_a=5, TC5_b=3))
    rule = load_rubrics((place,))[POINTS]
    assert isinstance(rule, PointsRubric)
    assert rule.indicator_points(rule.criteria[4]) == {"TC5.a": 5, "TC5.b": 3}
    assert set(rule.indicator_points(rule.criteria[3]).values()) == {2}, "TC4 still shares equally"


def test_every_total_has_exactly_one_grade() -> None:
    """E2: from 0 to the total, both included, in the smallest step a result can hold next to every edge."""
    for rule in rubrics():
        if isinstance(rule, PointsRubric):
            step, total = Decimal("0.0001"), rule.point_table.total
            edges = {
                edge + shift for band in rule.grades for edge in (band.min, band.max) for shift in (-step, 0, step)
            }
            for points in sorted(edge for edge in edges if 0 <= edge <= total):
                inside = [
                    band.id
                    for band in rule.grades
                    if band.min <= points and (points < band.max or (band.max_inclusive and points == band.max))
                ]
                assert inside == [rule.grade(points).id]


def test_references_name_series_that_have_a_rubric() -> None:
    known = {rule.series for rule in rubrics()}
    used = {series for rule in rubrics() for series in rule.refers_to}
    assert used == {"centre", "commune", "district", "universal_education", "learning_models", "provincial_plan"}
    assert used <= known


def test_each_rubric_of_the_law_has_its_targets() -> None:
    sizes = {rule.id: len(rule.targets) for rule in rubrics() if isinstance(rule, PassFailRubric)}
    assert sizes == {
        "lc_commune_25_2023": 15,
        "lc_district_25_2023": 13,
        "lc_province_25_2023": 16,
        "lu_unit_24_2023": 17,
    }
    assert rubric("lc_district_25_2023").successor == "not_found"
    assert rubric("lu_unit_24_2023").no_evidence.provenance == "found"
