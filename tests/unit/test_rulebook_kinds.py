"""Rubrics besides points for communes and pass/fail: their values, and a message for each malformed kind of file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from shared.contracts.base import Provenance
from shared.contracts.submissions import AssessmentSeries
from shared.rulebook import PointsRubric, RulebookError, rubric, rubrics
from shared.rulebook.models import ModelsRubric
from shared.rulebook.points import MinimumRule
from shared.rulebook.rubrics import load_rubrics
from shared.rulebook.source import DATA
from shared.rulebook.standards import StandardLevel, StandardsRubric

Change = Callable[[dict[str, Any]], object]
STANDARDS, MODELS, UNITS, CITIZENS, COMMUNES, TODAY, CENTRES = (
    "pcgd_xmc_20_2014",
    "learning_models_387_2022",
    "lu_unit_22_2020",
    "learning_citizen_324_2023",
    "lc_commune_44_2014",
    "lc_commune_25_2023",
    "clc_2553_2013",
)


def _folder(tmp_path: Path, id: str, change: Change, *, all_series: bool = False) -> Path:
    """The rubrics of one series, or of all, one of them changed."""
    series = rubric(id).series
    (tmp_path / "rubrics").mkdir()
    for one in rubrics():
        if all_series or one.series == series:
            content = yaml.safe_load((DATA / "rubrics" / f"{one.id}.yaml").read_text(encoding="utf-8"))
            if one.id == id:
                change(content)
            (tmp_path / "rubrics" / f"{one.id}.yaml").write_text(
                yaml.safe_dump(content, allow_unicode=True), encoding="utf-8"
            )
    return tmp_path


def _set(*path: str | int, to: Any) -> Change:
    def change(content: Any) -> None:
        for part in path[:-1]:
            content = content[part]
        content[path[-1]] = to

    return change


def _drop(*path: str | int) -> Change:
    def change(content: Any) -> None:
        for part in path[:-1]:
            content = content[part]
        del content[path[-1]]

    return change


def _literacy_needs_lower_secondary(content: dict[str, Any]) -> None:
    content["standards"][3]["levels"][0]["requires"] = [
        {"standard": "lower_secondary", "level": 1, "provenance": "provisional", "citation": "x"}
    ]


PRIMARY_2, PRIMARY_3 = ("standards", 1, "levels", 1), ("standards", 1, "levels", 2)


@pytest.mark.parametrize(
    ("file", "change", "code", "path", "message"),
    [
        (
            STANDARDS,
            _literacy_needs_lower_secondary,
            "circular_reference",
            "",
            "(lower_secondary 1 → literacy 1 → lower_secondary 1|literacy 1 → lower_secondary 1 → literacy 1)",
        ),
        (
            STANDARDS,
            _set(*PRIMARY_2, "requires", 0, "standard", to="secondary"),
            "level_without_lower",
            "",
            "primary 2 does not require primary 1",
        ),
        (STANDARDS, _drop(*PRIMARY_3, "requires"), "level_without_lower", "", "primary 3 does not require primary 2"),
        (
            STANDARDS,
            _set("standards", 2, "levels", 0, "requires", 1, "level", to=3),
            "unknown_reference",
            "",
            "lower_secondary 1 refers to 'literacy 3', which does not exist; expected one of: preschool_5 1, primary 1",
        ),
        (
            STANDARDS,
            _set(*PRIMARY_2, "conditions", 0, "share", to="TH9"),
            "unknown_reference",
            "",
            "primary 2 refers to 'TH9', which does not exist; expected one of: MN1, MN2",
        ),
        (
            STANDARDS,
            _set("standards", 3, "levels", 0, "conditions", 0, "special", "share", to="XM9"),
            "unknown_reference",
            "",
            "literacy 1 refers to 'XM9'",
        ),
        (STANDARDS, _set(*PRIMARY_3, "conditions", 0, "min", to="0.94"), "level_asks_less", "", "primary 3 .* TH1"),
        (
            STANDARDS,
            _set(*PRIMARY_3, "conditions", 1, "special", "min", to="0.65"),
            "level_asks_less",
            "",
            "primary 3 asks for less of TH3 than a lower level",
        ),
        (
            STANDARDS,
            _set(*PRIMARY_2, "conditions", 1, "special", "min", to="0.85"),
            "special_above_ordinary",
            "",
            "more of TH3 in a specially difficult commune",
        ),
        (
            STANDARDS,
            lambda content: content["measures"].append(content["measures"][0] | {"id": "MN3"}),
            "share_unused",
            "",
            "no level uses the share MN3",
        ),
        (STANDARDS, _set("measures", 1, "id", to="MN1"), "stands_twice", "", "the share MN1 stands twice"),
        (
            STANDARDS,
            _set("standards", 1, "id", to="literacy"),
            "stands_twice",
            "",
            "the standard literacy stands twice",
        ),
        (
            STANDARDS,
            _set(*PRIMARY_2, "conditions", 1, "share", to="TH1"),
            "stands_twice",
            "",
            "the condition of primary 2 on TH1 stands twice",
        ),
        (
            STANDARDS,
            _set("no_evidence", "counts_as", to="zero_points"),
            "evidence_counts_as",
            "",
            "only count as not_met",
        ),
        (
            STANDARDS,
            _set(*PRIMARY_2, "conditions", 0, "min", to="95"),
            "wrong_value",
            "/".join(map(str, PRIMARY_2)),
            "the value does not fit",
        ),
        (
            STANDARDS,
            _drop(*PRIMARY_2, "conditions", 0, "citation"),
            "entry_missing",
            "/".join(map(str, PRIMARY_2)),
            "conditions",
        ),
        (STANDARDS, _set(*PRIMARY_2, "conditions", to=[]), "wrong_value", "/".join(map(str, PRIMARY_2)), "conditions"),
        (STANDARDS, _drop("specially_difficult"), "entry_missing", "specially_difficult", "missing"),
        (MODELS, _set("models", 1, "id", to="GD1"), "stands_twice", "", "the share GD1 stands twice"),
        (
            MODELS,
            _set("models", 1, "metric", to="learning_families"),
            "stands_twice",
            "",
            "the metric learning_families stands twice",
        ),
        (MODELS, _set("models", 1, "metric", to="Learning clans"), "wrong_value", "models/1/metric", "metric"),
        (MODELS, _drop("models", 0, "counted", "en"), "entry_missing", "models/0/counted/en", "missing"),
        (MODELS, _set("no_evidence", "counts_as", to="zero_points"), "evidence_counts_as", "", "only count as not_met"),
        (UNITS, _drop("gap_free_bands"), "bands_unclear", "", "either `fractional_totals` or `gap_free_bands`"),
        (
            UNITS,
            _set("fractional_totals", to={"policy": "band_below", "provenance": "provisional", "citation": "x"}),
            "bands_unclear",
            "",
            "not both",
        ),
        (UNITS, _set("effective_to", to=date(2024, 1, 1)), "no_successor", "successor", "no rule takes over"),
        (COMMUNES, _drop("fractional_totals"), "bands_unclear", "", "unclear what a total between two bands is"),
        (CITIZENS, _drop("minimum_rule", "at_least"), "minimum_unclear", "minimum_rule", "not none"),
        (CITIZENS, _set("minimum_rule", "more_than", to=0), "minimum_unclear", "minimum_rule", "not both"),
        (CITIZENS, _set("minimum_rule", "grade", to="kem"), "unknown_grade", "", "'kem', which does not exist"),
    ],
)
def test_a_malformed_file_says_what_and_where(
    tmp_path: Path, file: str, change: Change, code: str, path: str, message: str
) -> None:
    with pytest.raises(RulebookError, match=message) as caught:
        load_rubrics((_folder(tmp_path, file, change),))
    assert caught.value.problem.code == code
    assert caught.value.file.endswith(f"rubrics/{file}.yaml")
    assert caught.value.path.startswith(path)
    problem = caught.value.problem
    assert all(text.vi and text.en for text in (problem.message, problem.expected, problem.mend))


def _centre_uses_its_commune(content: dict[str, Any]) -> None:
    ground = {"provenance": "provisional", "citation": "x"}
    content["indicator_policy"] = {"points": "equal_shares", "unmet": "cap"} | ground
    rule = {"type": "grade", "series": "commune", "grade": "tot"}
    content["criteria"][0]["indicators"] = [{"id": "N1.a", "name": {"vi": "x", "en": "y"}, "rule": rule} | ground]


@pytest.mark.parametrize(
    ("file", "change", "code", "message"),
    [
        (
            CENTRES,
            _centre_uses_its_commune,
            "circular_reference",
            "circle: (clc_2553_2013 → lc_commune_44_2014 → clc_2553_2013|lc_commune_44_2014 → clc_2553_2013 → lc_)",
        ),
        (
            TODAY,
            _set("criteria", 3, "targets", 1, "reference", "standard", to="primary_school"),
            "unknown_reference",
            "C4.2 refers to 'primary_school 3', .* preschool_5 1-1, primary 1-3, lower_secondary 1-3, literacy 1-2",
        ),
        (
            STANDARDS,
            lambda content: content["standards"][1]["levels"].pop(),
            "unknown_reference",
            "C4.2 refers to 'primary 3', which does not exist",
        ),
        (
            TODAY,
            _set("criteria", 4, "targets", 0, "reference", "share", to="citizens"),
            "unknown_reference",
            "C5.1 refers to 'citizens', which does not exist; expected one of: learning_families",
        ),
        (
            CENTRES,
            _set("grades", 3, "id", to="rat_tot"),
            "unknown_reference",
            "refers to 'tot', which does not exist; expected one of: yeu, trung_binh, kha, rat_tot",
        ),
    ],
)
def test_a_reference_to_another_rubric_leads_somewhere_and_not_back(
    tmp_path: Path, file: str, change: Change, code: str, message: str
) -> None:
    with pytest.raises(RulebookError, match=message) as caught:
        load_rubrics((_folder(tmp_path, file, change, all_series=True),))
    assert caught.value.problem.code == code


def test_a_series_without_a_rubric_is_an_open_value_and_no_fault(tmp_path: Path) -> None:
    assert load_rubrics((_folder(tmp_path, COMMUNES, lambda content: None),)).keys() == {COMMUNES, TODAY}


def test_the_levels_of_decree_20() -> None:
    rule = rubric(STANDARDS)
    assert isinstance(rule, StandardsRubric)
    order = list(rule.order)
    assert set(order) == {
        StandardLevel(standard.id, number)
        for standard in rule.standards
        for number in range(1, len(standard.levels) + 1)
    }
    for level in order:
        assert all(order.index(required.of) < order.index(level) for required in rule.level(level).requires)
    lower = rule.level(StandardLevel("lower_secondary", 1))
    assert [str(one.of) for one in lower.requires] == ["primary 1", "literacy 1"]
    silent = rule.level(StandardLevel("literacy", 2)).requires
    assert [(str(one.of), one.provenance) for one in silent] == [("literacy 1", Provenance.PROVISIONAL)]
    assert all(
        one.provenance is Provenance.FOUND
        for level in order
        if level.standard != "literacy"
        for one in rule.level(level).requires
    )


def test_a_specially_difficult_commune_counts_other_people_for_literacy() -> None:
    rule = rubric(STANDARDS)
    assert isinstance(rule, StandardsRubric)
    first, *_ = rule.standard("literacy").conditions(1, date(2025, 12, 31))
    assert (first.required(False).share, first.required(True).share) == ("XM1", "XM1.s")
    assert first.required(False).min == first.required(True).min == Fraction(9, 10)


def test_a_condition_holds_from_its_own_day() -> None:
    rule = rubric(STANDARDS)
    assert isinstance(rule, StandardsRubric)
    for standard in rule.standards:
        before, since = (
            {one.share for one in standard.conditions(1, day)} for day in (date(2016, 5, 9), date(2016, 5, 10))
        )
        assert since - before == {"KT1"}


@pytest.mark.parametrize(
    ("rule", "points", "met"),
    [
        ({"more_than": Decimal(0)}, "0", False),
        ({"more_than": Decimal(0)}, "0.0001", True),
        ({"at_least": Decimal(5)}, "4.9999", False),
        ({"at_least": Decimal(5)}, "5", True),
    ],
)
def test_a_minimum_is_read_as_it_is_written(rule: dict[str, Decimal], points: str, met: bool) -> None:
    ground = {"grade": "x", "provenance": "found", "citation": "x"}
    assert MinimumRule.model_validate(ground | rule).met(Decimal(points)) is met


def test_no_points_where_the_table_was_not_found() -> None:
    for one in rubrics():
        if isinstance(one, ModelsRubric):
            assert {"criteria", "point_table", "grades"}.isdisjoint(type(one).model_fields)
    older = rubric("learning_models_448_2015")
    assert {gap.id for gap in older.gaps} >= {"family_criteria", "clan_criteria", "hamlet_criteria", "unit_criteria"}


def test_the_points_of_circular_22() -> None:
    rule = rubric(UNITS)
    assert isinstance(rule, PointsRubric)
    groups: dict[str, Decimal] = {}
    for id, points in rule.point_table.maxima.items():
        groups[id.split(".")[0]] = groups.get(id.split(".")[0], Decimal(0)) + points
    assert groups == {"C1": 30, "C2": 30, "C3": 40}
    assert [one.id for one in rule.criteria if one.indicators] == ["C2.1", "C2.2", "C2.3", "C2.4", "C3.1"]
    assert rule.minimum_rule is None
    assert rule.fractional_totals is None


def test_no_person_can_be_submitted() -> None:
    """The rule of the learning citizen is there, and no event carries a person to be judged by it."""
    submitted = {"commune", "centre", *get_args(AssessmentSeries)}
    assert {one.series for one in rubrics()} - submitted == {"learning_citizen"}
