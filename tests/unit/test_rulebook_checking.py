"""The whole rulebook at once: bands, unread files, released rules, what ends soon, and a value that does not fit."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.rulebook import PointsRubric, RulebookError, calendar, rubric, rubric_for, rubrics
from shared.rulebook.checking import expiring, months_later, prove, prove_released, read_all
from shared.rulebook.errors import Unfit
from shared.rulebook.rubrics import end_of, load_rubrics
from shared.rulebook.source import DATA
from tests.unit.rulebook_samples import RUBRIC, put, shipped, table, version

POINTS = [one for one in rubrics() if isinstance(one, PointsRubric)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the shipped rules, to be changed."""
    return Path(shutil.copytree(DATA, tmp_path / "data"))


def codes(*places: Path) -> list[str]:
    return [error.problem.code for error in read_all(places).errors]


def edit(folder: Path, name: str, **changes: Any) -> None:
    put(folder, name, shipped(name) | changes)


# ------------------------------------------------------------------------------------------------- what is shipped


def test_the_shipped_rulebook_has_no_fault() -> None:
    book = read_all((DATA,))
    assert [str(error) for error in book.errors] == []
    assert len({placed.version.id for placed in book.rules}) == len(book.rules)


@pytest.mark.parametrize("rule", POINTS, ids=lambda rule: rule.id)
def test_e2_every_total_has_exactly_one_band_and_the_highest_includes_100(rule: PointsRubric) -> None:
    step = rule.point_table.step
    total = Decimal(0)
    while total <= rule.point_table.total:
        holding = [
            band.id
            for band in rule.grades
            if band.min <= total < band.max or (band.max_inclusive and total == band.max)
        ]
        assert holding == [rule.grade(total).id]
        total += step
    assert rule.grade(Decimal(100)) is rule.grades[-1]


@given(
    st.lists(st.integers(1, 99), min_size=3, max_size=3, unique=True).map(sorted),
    st.integers(1, 3),
    st.sampled_from([-1, 0, 1]),
)
def test_e2_bands_load_only_where_they_meet(cuts: list[int], moved: int, by: int) -> None:
    lows, highs = [0, *cuts], [*cuts, 100]
    lows[moved] += by
    rule = rubric(RUBRIC)
    assert isinstance(rule, PointsRubric)
    bands = [
        grade.model_copy(update={"min": Decimal(low), "max": Decimal(high)})
        for grade, low, high in zip(rule.grades, lows, highs, strict=True)
    ]
    changed = dict(rule) | {"grades": bands}
    if by == 0:
        one = PointsRubric.model_validate(changed)
        assert [one.grade(Decimal(low)).id for low in lows] == [band.id for band in bands]
    else:
        with pytest.raises(ValueError, match="the bands leave a gap" if by > 0 else "the bands overlap"):
            PointsRubric.model_validate(changed)


# --------------------------------------------------------------------------------------------- all faults at once


def test_all_faults_of_all_files_are_told_at_once(copy: Path) -> None:
    edit(copy, f"rubrics/{RUBRIC}.yaml", provenance="sure", citation=" ", colour="red")
    edit(copy, "alert_policy.yaml", versions=[])
    put(copy, "provinces/48/alert_policy.yaml", "versions: [")
    put(copy, "provinces/48/point_table/2016.yaml", table())
    (copy / "rubrics" / "clc_2553_2013.yaml").write_bytes(b"\xff")
    found = {(Path(error.file).name, error.path, error.problem.code) for error in read_all((copy,)).errors}
    assert found >= {
        (f"{RUBRIC}.yaml", "provenance", "wrong_value"),
        (f"{RUBRIC}.yaml", "citation", "entry_empty"),
        (f"{RUBRIC}.yaml", "colour", "unknown_key"),
        ("alert_policy.yaml", "versions", "wrong_value"),
        ("alert_policy.yaml", "line 2", "not_yaml"),
        ("2016.yaml", "", "unexpected_file"),
        ("clc_2553_2013.yaml", "byte 0", "not_utf8"),
    }


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("rubrics/lc.yaml", "", "file_empty"),
        ("rubrics/lc.yaml", "id: [", "not_yaml"),
        ("rubrics/lc.yaml", "id: a\nid: b\n", "repeated_key"),
        ("rubrics/lc.yaml", "min: .inf", "inexact_number"),
        ("rubrics/lc.yaml", "effective_from: 2024-02-30", "no_calendar_day"),
        ("rubrics/lc.yaml", "scoring: points", "entry_missing"),
        ("rubrics/lc.yaml", "scoring: stars", "wrong_value"),
        ("rubrics/lc.txt", "scoring: points", "unexpected_file"),
        ("rubrik/lc.yaml", "scoring: points", "unexpected_file"),
        ("point_tables/a.yaml", "rubric: a", "unexpected_file"),
        ("ministry/rubrics/a.yaml", "rubric: a", "unexpected_file"),
        ("provinces/48/funding_police.yaml", "versions: []", "unexpected_file"),
        ("provinces/04800/funding_policy.yaml", "versions: []", "unexpected_file"),
        ("goals.yaml", "goals: []", "wrong_value"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, name: str, text: str, code: str) -> None:
    assert code in codes(DATA, put(tmp_path, name, text))


def test_a_service_does_not_start_with_a_fault_in_its_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(put(tmp_path / "sound", "README.md", "")))
    prove()
    faulty = put(tmp_path / "faulty", "ministry/alert_policy.yaml", "versions: []")
    put(faulty, "ministry/funding_policy.yaml", "versions: []")
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(faulty))
    with pytest.raises(RulebookError) as caught:
        prove()
    assert len(caught.value.all) == 2
    assert "and 1 more: `langhoc rulebook check` names them all" in str(caught.value)


def test_a_folder_may_hold_a_readme_and_must_exist(tmp_path: Path) -> None:
    assert codes(DATA, put(tmp_path, "README.md", "Quy định của tỉnh")) == []
    assert codes(DATA, tmp_path / "missing") == ["no_folder"]


def test_references_between_rubrics_never_run_in_a_circle(copy: Path) -> None:
    assert {one.id for one in rubrics() if one.refers_to} >= {RUBRIC, "lc_commune_25_2023"}
    centre = shipped("rubrics/clc_2553_2013.yaml")
    commune = shipped(f"rubrics/{RUBRIC}.yaml")
    indicator = next(
        each for one in commune["criteria"] for each in one.get("indicators", []) if "reference" in str(each)
    )
    back = yaml.safe_load(yaml.safe_dump(indicator).replace("series: universal_education", "series: commune"))
    centre["criteria"][0]["indicators"] = [back | {"id": "N1.a"}]
    centre["indicator_policy"] = commune["indicator_policy"]
    put(copy, "rubrics/clc_2553_2013.yaml", centre)
    with pytest.raises(RulebookError) as caught:
        load_rubrics((copy,))
    circular = [str(error) for error in caught.value.all if error.problem.code == "circular_reference"]
    assert len(circular) == 1
    assert "clc_2553_2013 → " in circular[0]


def test_a_ministry_loads_a_new_rubric_without_a_release_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = "lc_commune_25_2023", "lc_commune_2027"
    rule = shipped(f"rubrics/{old}.yaml")
    put(tmp_path, f"rubrics/{old}.yaml", rule | {"effective_to": date(2027, 7, 1), "successor": new})
    put(tmp_path, f"rubrics/{new}.yaml", rule | {"id": new, "effective_from": date(2027, 7, 1)})
    assert codes(DATA, tmp_path) == []
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(tmp_path))
    assert [rubric_for("commune", period).id for period in (2026, 2027)] == [old, new]
    (before,) = [due for due in calendar(2026) if due.row.id == "commune_dossier"]
    (after,) = [due for due in calendar(2027) if due.row.id == new]
    assert (after.row.who, after.row.what, after.row.rubric) == (before.row.who, before.row.what, new)
    assert after.end == end_of(rubric(new).deadline, 2027)


# --------------------------------------------------------------------------------------------------- E7: released


def test_e7_every_shipped_rule_is_released_and_unchanged() -> None:
    """If this fails, undo the change and make it a new version with a new id; a new rule is added to the list."""
    prove_released(DATA, read_all((DATA,)).rules)


def test_e7_a_changed_rule_under_its_old_id_is_refused(copy: Path) -> None:
    rule = shipped(f"rubrics/{RUBRIC}.yaml")
    rule["grades"][2]["max"] = rule["grades"][3]["min"] = 86
    put(copy, f"rubrics/{RUBRIC}.yaml", rule)
    (error,) = read_all((copy,)).errors
    assert error.problem.code == "changed_under_same_id"
    assert error.file.endswith(f"{RUBRIC}.yaml")
    assert "give it a new id" in error.problem.mend.en
    assert "mã mới" in error.problem.mend.vi


def test_e7_ending_a_rule_is_no_change_of_it(copy: Path) -> None:
    edit(copy, "rubrics/lc_commune_25_2023.yaml", effective_to=date(2030, 1, 1), successor="not_found")
    assert codes(copy) == []


def test_e7_a_rule_can_neither_vanish_nor_appear_unlisted(copy: Path) -> None:
    one = version("alert_policy.yaml")
    put(copy, "alert_policy.yaml", {"versions": [one | {"id": "alert_policy/new"}]})
    found = {(error.problem.code, error.path) for error in read_all((copy,)).errors}
    assert found == {
        ("released_rule_gone", "alert_policy/working-default-1"),
        ("not_in_release", "alert_policy/new"),
    }


# ------------------------------------------------------------------------------------------------------- E6: ends


def test_e6_what_ends_is_told_months_ahead() -> None:
    ends = {placed.version.id: placed.version.effective_to for placed in expiring(date(2030, 7, 1), 6)}
    assert {"area_classes/272-2025", "provincial_plan_1373_2021"} <= set(ends)
    assert set(ends.values()) == {date(2031, 1, 1)}
    assert expiring(date(2030, 6, 30), 6) == []
    assert expiring(date(2031, 1, 1), 6) == []  # it has ended; there is nothing to tell ahead


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 5), 1, date(2027, 1, 5)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 1, 15), 0, date(2026, 1, 15)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
    ],
)
def test_months_later(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 60))
def test_months_later_keeps_the_day_or_takes_the_last_of_the_month(day: date, months: int) -> None:
    later = months_later(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


# ----------------------------------------------------------------------------------------------- the catalogue


def test_a_value_that_does_not_fit_reads_as_one_sentence() -> None:
    unfit = Unfit("rulebook.dates_overlap", before="a", after="b", start=date(2026, 1, 1))
    assert str(unfit) == (
        "b starts on 2026-01-01 while a is still in force; expected one version in force on any day; "
        "end a on that day or start b later"
    )
    assert unfit.problems[0].message.vi == "b bắt đầu ngày 2026-01-01 khi a còn hiệu lực"
