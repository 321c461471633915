"""The content check for kinds of unit, computed targets, counts, changes and indicators: what it says and where."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.submissions import Content, PointsContent, TargetsContent
from shared.rulebook import check_content, rubric

UNIT, PROVINCE, COMMUNE = "lu_unit_24_2023", "lc_province_25_2023", "lc_commune_25_2023"
KIND = ["district_unit", "state_agency", "no_school"]


def _content(targets: dict[str, Any] | None = None, traits: list[str] | None = None, **more: Any) -> TargetsContent:
    return TargetsContent.model_validate({"targets": targets or {}, "traits": traits or [], **more})


def _indicators(**indicators: Any) -> PointsContent:
    return PointsContent.model_validate(
        {"points": {}, "indicators": {id.replace("_", "."): value for id, value in indicators.items()}}
    )


def _share(numerator: int, denominator: int = 100) -> dict[str, Any]:
    return {"type": "share", "share": {"numerator": numerator, "denominator": denominator}}


def _pair(trained: tuple[int, int], university: tuple[int, int]) -> dict[str, Any]:
    shares = {"trained": trained, "university": university}
    return {"type": "share_pair"} | {name: _share(*counts)["share"] for name, counts in shares.items()}


@pytest.mark.parametrize(
    ("id", "content", "found"),
    [
        (UNIT, _content(traits=KIND), []),
        (UNIT, _content(), [("trait_missing", "/content/traits")] * 3),
        (UNIT, _content(traits=KIND[:2]), [("trait_missing", "/content/traits")]),
        (UNIT, _content(traits=[*KIND, "university"]), [("traits_contradict", "/content/traits")]),
        (
            UNIT,
            _content(traits=[*KIND, "ministry", "school"]),
            [("unknown_trait", "/content/traits/3"), ("unknown_trait", "/content/traits/4")],
        ),
        (COMMUNE, _content(traits=["state_agency"]), [("unknown_trait", "/content/traits/0")]),
        (
            PROVINCE,
            _content({"C4.1": _share(9, 10)}),
            [("computed_target", "/content/targets/C4.1")],
        ),
        (
            PROVINCE,
            _content(
                {"C3.4": {"type": "count", "count": 4}, "C4.2": {"type": "change", "previous": "2.9", "current": "2"}}
            ),
            [],
        ),
        (
            PROVINCE,
            _content({"C3.4": _share(4), "C4.2": {"type": "count", "count": 3}, "C9.9": _share(1)}),
            [
                ("wrong_target_type", "/content/targets/C3.4/type"),
                ("wrong_target_type", "/content/targets/C4.2/type"),
                ("unknown_target", "/content/targets/C9.9"),
            ],
        ),
        ("lc_commune_44_2014", _indicators(TC4_d=_share(40), TC4_e=_share(85)), []),
        (
            "lc_commune_44_2014",
            _indicators(TC4_c=_share(1), TC4_d=_share(101), TC4_e={"type": "count", "count": 3}),
            [
                ("unknown_indicator", "/content/indicators/TC4.c"),
                ("numerator_above_denominator", "/content/indicators/TC4.d/share/numerator"),
                ("wrong_target_type", "/content/indicators/TC4.e/type"),
            ],
        ),
        (
            "pcgd_xmc_20_2014",
            _content({"TH1": _share(90), "TH9": _share(1)}),
            [("unknown_target", "/content/targets/TH9")],
        ),
        (
            "pcgd_xmc_20_2014",
            _content({"TH1": _share(101)}),
            [("numerator_above_denominator", "/content/targets/TH1/share/numerator")],
        ),
        ("pcgd_xmc_20_2014", _content({"TH1": _share(0, 0)}), []),
        (
            "pcgd_xmc_20_2014",
            _content({"TH1": _share(1, 0)}),
            [("numerator_of_nobody", "/content/targets/TH1/share/numerator")],
        ),
        ("learning_models_387_2022", _content({"GD1": _share(0, 0)}), []),
        (COMMUNE, _content({"C5.2": _pair((0, 0), (0, 0))}), []),
        (COMMUNE, _content({"C5.2": _pair((0, 0), (3, 10))}), []),
        (
            COMMUNE,
            _content({"C5.2": _pair((3, 10), (4, 10))}),
            [("university_above_trained", "/content/targets/C5.2/university")],
        ),
        ("lc_commune_44_2014", _indicators(TC4_d=_share(0, 0)), []),
        ("pcgd_xmc_20_2014", PointsContent(points={}), [("wrong_rubric_kind", "/content/scoring")]),
        ("learning_models_387_2022", PointsContent(points={}), [("wrong_rubric_kind", "/content/scoring")]),
    ],
)
def test_all_problems_at_once(id: str, content: Content, found: list[tuple[str, str]]) -> None:
    problems, warnings = check_content(rubric(id), content)
    assert [(problem.code, problem.field) for problem in problems] == found
    assert warnings == []
    for problem in problems:
        for text in (problem.message, problem.expected, problem.mend):
            assert text.vi
            assert text.en
            assert text.vi != text.en


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    problems, _ = check_content(rubric(UNIT), _content(traits=[*KIND, "ministry"]))
    assert "`ministry`" in problems[0].message.en
    for trait in ("`district_unit` (unit of district level)", "`state_agency` (state agency)", "`university`"):
        assert trait in problems[0].expected.en
    assert "`state_agency` (Cơ quan nhà nước)" in problems[0].expected.vi
    missing, _ = check_content(rubric(UNIT), _content(traits=KIND[1:]))
    assert missing[0].expected.en == (
        "exactly one of: `district_unit` (unit of district level), `province_unit` (unit of provincial level)"
    )


@pytest.mark.parametrize(
    ("id", "content", "code", "field"),
    [
        (
            COMMUNE,
            _content(difficult_area=True),
            "difficult_area_without_basis",
            "/content/difficult_area_basis",
        ),
        (
            "pcgd_xmc_20_2014",
            _content(specially_difficult=True),
            "specially_difficult_without_basis",
            "/content/specially_difficult_basis",
        ),
        (COMMUNE, _content(specially_difficult=True), "not_used", "/content/specially_difficult"),
        (PROVINCE, _content(difficult_area=True), "not_used", "/content/difficult_area"),
        (
            "pcgd_xmc_20_2014",
            _content(difficult_area=True, difficult_area_basis="QĐ 1"),
            "not_used",
            "/content/difficult_area",
        ),
        (
            UNIT,
            _content({"C3.4": {"type": "level", "level": 2}}, KIND),
            "target_does_not_hold",
            "/content/targets/C3.4",
        ),
    ],
)
def test_what_is_hardly_meant_is_accepted_with_a_warning(
    id: str, content: TargetsContent, code: str, field: str
) -> None:
    problems, warnings = check_content(rubric(id), content)
    assert problems == []
    assert [(one.code, one.field) for one in warnings] == [(code, field)]
    assert all(text.vi and text.en for one in warnings for text in (one.message, one.expected, one.mend))
