"""Calendar of deadlines, goals of the schemes, lists of area classes: what holds when, and what is open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.base import Provenance
from shared.rulebook import NoRuleInForce, RulebookError, area_list, calendar, deadline, goals_for, rubric, rubrics
from shared.rulebook.deadlines import SUBMITTED, load_deadlines
from shared.rulebook.goals import goals, load_goals
from tests.unit.rulebook_samples import put, shipped

# ---------------------------------------------------------------------------------------------------- deadlines


def test_the_calendar_of_2025_in_order() -> None:
    days = [(one.row.id, one.end and (one.end - timedelta(days=1)).date()) for one in calendar(2025)]
    assert days == [
        ("plan_report", date(2025, 3, 31)),
        ("universal_education_commune", date(2025, 9, 30)),
        ("universal_education_district", date(2025, 10, 5)),
        ("universal_education_province", date(2025, 10, 10)),
        ("week_report", date(2025, 10, 20)),
        ("learning_models_report_387", date(2025, 12, 15)),
        ("universal_education_checks", date(2025, 12, 30)),
        ("unit_dossier", date(2026, 1, 15)),
        ("unit_decision_district", date(2026, 2, 15)),
        ("unit_decision_province", date(2026, 2, 15)),
        ("commune_dossier", date(2026, 2, 28)),
        ("province_committee_report", date(2026, 2, 28)),
        ("commune_committee_report", date(2026, 2, 28)),
        ("inspections_report", date(2026, 2, 28)),
        ("progress_report", date(2026, 2, 28)),
        ("officials_report", date(2026, 2, 28)),
        ("workers_report", date(2026, 2, 28)),
        ("vocational_centre_report", date(2026, 2, 28)),
        ("merger_report", date(2026, 2, 28)),
        ("streaming_2239_2021", date(2026, 2, 28)),
        ("reading_culture_1520_2022", date(2026, 2, 28)),
        ("unit_results", date(2026, 3, 15)),
        ("commune_decision", date(2026, 3, 31)),
        ("centre_evaluation", date(2026, 4, 10)),
        ("centre_activity_report", date(2026, 4, 10)),
        ("province_dossier", date(2026, 7, 31)),
        ("province_decision", None),
        ("school_year_report", None),
    ]


def test_rules_of_other_years_have_other_deadlines() -> None:
    by_period = {period: {one.row.id for one in calendar(period)} for period in (2018, 2023, 2024)}
    assert "learning_models_report_448" in by_period[2018]
    assert {"commune_points", "unit_points"} <= by_period[2023]
    assert by_period[2023].isdisjoint({"commune_dossier", "unit_dossier", "district_dossier"})
    assert {"commune_dossier", "district_dossier", "province_dossier"} <= by_period[2024]
    assert calendar(2012) == ()


def test_a_day_counts_to_its_end_in_viet_nam() -> None:
    (due,) = [one for one in calendar(2027) if one.row.id == "commune_dossier"]
    assert due.end == datetime(2028, 2, 28, 17, tzinfo=UTC)
    assert due.end is not None
    assert due.end.isoformat() == "2028-02-29T00:00:00+07:00"


@pytest.mark.parametrize("period", range(2013, 2031))
def test_the_calendar_agrees_with_the_deadline_of_each_rubric(period: int) -> None:
    dossiers = {one.row.rubric: one.end for one in calendar(period) if one.row.dossier}
    judging = [one for one in rubrics() if one.in_force(date(period, 12, 31)) and one.series in SUBMITTED]
    assert dossiers == {one.id: deadline(one, period) for one in judging}


def test_days_that_the_law_does_not_name_are_said_and_not_guessed() -> None:
    undated = {one.row.id: one for one in calendar(2025) if one.end is None}
    assert undated.keys() == {"province_decision", "school_year_report"}
    assert undated["province_decision"].gap is not None
    assert "20 working days" in undated["province_decision"].gap.en
    assert "20 ngày làm việc" in undated["province_decision"].gap.vi


def test_whoever_ended_with_the_districts_is_named_as_a_gap() -> None:
    gaps = {period: {one.row.id for one in calendar(period) if one.end and one.gap} for period in (2023, 2024, 2025)}
    assert gaps[2023] == set()
    assert gaps[2024] == set()  # the last day of all of them came before 1 July 2025
    assert gaps[2025] == {
        "universal_education_commune",
        "universal_education_district",
        "unit_decision_district",
        "commune_dossier",
        "unit_results",
        "commune_decision",
        "centre_evaluation",
    }


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"rubric": "lc_commune"}, "unknown_reference", "deadlines/0/rubric"),
        ({"day": {"month": 1, "day": 16, "years_after": 1}}, "deadline_differs", "deadlines/0/day"),
        ({"day": {"month": 2, "day": 29, "years_after": 1}}, "no_calendar_day", "deadlines/0/day"),
        ({"day": None}, "deadline_unclear", "deadlines/0"),
        ({"id": "commune_dossier"}, "id_used_twice", "deadlines/3/id"),
        ({"citation": " "}, "entry_empty", "deadlines/0/citation"),
    ],
)
def test_a_malformed_calendar_says_what_and_where(
    tmp_path: Path, changes: dict[str, Any], code: str, path: str
) -> None:
    content = shipped("deadlines.yaml")
    assert content["deadlines"][0]["id"] == "unit_dossier"
    content["deadlines"][0] |= changes
    put(tmp_path, "deadlines.yaml", content)
    with pytest.raises(RulebookError) as caught:
        load_deadlines((tmp_path,), rubrics())
    assert (code, path) in [(error.problem.code, error.path) for error in caught.value.all]


def test_the_first_rubric_of_a_series_needs_a_row_of_its_own(tmp_path: Path) -> None:
    content = shipped("deadlines.yaml")
    content["deadlines"] = [row for row in content["deadlines"] if row["id"] != "centre_evaluation"]
    put(tmp_path, "deadlines.yaml", content)
    with pytest.raises(RulebookError) as caught:
        load_deadlines((tmp_path,), rubrics())
    assert {each.problem.code for each in caught.value.all} == {"deadline_missing"}


# -------------------------------------------------------------------------------------------------------- goals


@pytest.mark.parametrize(
    ("year", "metric", "province", "value"),
    [
        (2016, "learning_families", None, Fraction(70, 100)),
        (2020, "learning_hamlets", None, Fraction(60, 100)),
        (2020, "literate_15_60", None, Fraction(98, 100)),
        (2021, "learning_families", None, None),  # Decision 281 has ended, Decision 387 begins in 2022
        (2021, "learning_families", "01", None),
        (2025, "learning_families", "01", Fraction(70, 100)),
        (2026, "learning_families", "01", Fraction(80, 100)),
        (2025, "learning_families", "48", Fraction(70, 100)),  # Decision 387 to 2025 is the nation's
        (2026, "learning_families", "48", None),
        (2025, "provinces_preschool_all_ages", None, Fraction(70, 100)),
        (2026, "provinces_lower_secondary_2", None, None),
        (2025, "provinces_literacy_2", None, Fraction(70, 100)),
        (2026, "provinces_literacy_2", None, Fraction(90, 100)),
        (2020, "lower_secondary_to_vocation", None, Fraction(30, 100)),
        (2025, "learning_citizens_adults", None, Fraction(40, 100)),
        (2026, "learning_citizens_adults", None, Fraction(60, 100)),
        (2030, "learning_citizens_officials", None, Fraction(80, 100)),
        (2021, "learning_citizens_adults", None, None),
        (2024, "university_15_plus", None, Fraction(12, 100)),
        (2026, "university_15_plus", None, Fraction(15, 100)),
        (2031, "university_15_plus", None, None),
    ],
)
def test_a_year_counts_towards_the_next_goal_of_its_scheme(
    year: int, metric: str, province: str | None, value: Fraction | None
) -> None:
    assert [goal.value for goal in goals_for(year, province) if goal.metric == metric] == (
        [] if value is None else [value]
    )


def test_difficult_areas_have_their_own_goal_where_the_scheme_sets_one() -> None:
    by_id = {goal.id: goal for goal in goals()}
    assert by_id["families_281"].share(difficult_area=True) == Fraction(60, 100)
    assert by_id["families_281"].share() == Fraction(70, 100)
    assert by_id["units_281"].share(difficult_area=True) == Fraction(50, 100)


def test_where_sources_differ_the_goal_says_so() -> None:
    by_id = {goal.id: goal for goal in goals()}
    adults = by_id["citizens_adults_677_2030"]
    assert adults.provenance is Provenance.PARTLY
    assert adults.note is not None
    assert "70 %" in adults.note.en
    assert {gap["id"] for gap in shipped("goals.yaml")["gaps"]} == {
        "officials_language_89",
        "effective_centres_89",
        "national_goals_387_2030",
        "centres_use_it_1373_2030",
        "learning_districts_1373_2025",
        "lower_secondary_2_1373_2030",
        "officials_163",
        "workers_231",
        "reading_329_2030",
        "language_1659_2030",
        "counts_329",
        "yearly_growth",
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"year": 2013}, "goal_before_scheme"),
        ({"value_difficult_area": "71/100"}, "goal_above_elsewhere"),
        ({"value": "70 %"}, "wrong_value"),
        ({"value": "101/100"}, "wrong_value"),
        ({"id": "clans_281"}, "stands_twice"),
        ({"recognised": {"of": "district", "level": 1}}, "metric_counted_twice"),
    ],
)
def test_a_malformed_goal_is_told(tmp_path: Path, changes: dict[str, Any], code: str) -> None:
    content = shipped("goals.yaml")
    content["goals"][0] |= changes
    put(tmp_path, "goals.yaml", content)
    with pytest.raises(RulebookError) as caught:
        load_goals((tmp_path,))
    assert code in [error.problem.code for error in caught.value.all]


# ------------------------------------------------------------------------------------------------- area classes


@pytest.mark.parametrize(
    ("on", "reference"),
    [
        (date(2006, 11, 27), "Quyết định 301/2006/QĐ-UBDT"),
        (date(2020, 12, 31), "Quyết định 301/2006/QĐ-UBDT"),
        (date(2021, 1, 1), "Quyết định 33/2020/QĐ-TTg"),
        (date(2025, 12, 31), "Quyết định 33/2020/QĐ-TTg"),
        (date(2026, 1, 1), "Nghị định 272/2025/NĐ-CP"),
        (date(2030, 12, 31), "Nghị định 272/2025/NĐ-CP"),
    ],
)
def test_one_list_of_areas_holds_on_any_day(on: date, reference: str) -> None:
    assert area_list(on).legal_reference.startswith(reference)


@pytest.mark.parametrize("on", [date(2006, 11, 26), date(2031, 1, 1)])
def test_outside_the_lists_there_is_none(on: date) -> None:
    with pytest.raises(NoRuleInForce, match="area_classes"):
        area_list(on)


def test_the_rubrics_that_the_calendar_names_exist() -> None:
    for row in shipped("deadlines.yaml")["deadlines"]:
        assert rubric(row["rubric"]).id == row["rubric"]


def test_a_ministry_s_own_folder_adds_goals_and_deadlines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goal = shipped("goals.yaml")["goals"][0] | {
        "id": "families_next",
        "scheme": "QĐ 1/QĐ-TTg",
        "since": 2031,
        "year": 2035,
    }
    row = shipped("deadlines.yaml")["deadlines"][0] | {"id": "unit_reminder", "dossier": False}
    put(put(tmp_path, "goals.yaml", {"goals": [goal]}), "deadlines.yaml", {"deadlines": [row]})
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(tmp_path))
    assert [one.id for one in goals_for(2031)] == ["families_next"]
    assert "unit_reminder" in {one.row.id for one in calendar(2025)}
