"""`langhoc rulebook`: what a ministry or province sees when it loads, looks at and compares rules."""

from __future__ import annotations

import json
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.rules_text import changes, exact
from shared.rulebook.source import DATA
from tests.unit.rulebook_samples import MAXIMA, RUBRIC, put, shipped, table, version

DA_NANG = "48"
PRESCHOOL = "standards/preschool_5/levels/0"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of own rules: the point table of Đà Nẵng."""
    return put(tmp_path / "own", f"provinces/{DA_NANG}/point_tables/2016.yaml", table())


def langhoc(*arguments: str, folder: Path | None = None) -> Result:
    env = {"LANGHOC_RULEBOOK": "" if folder is None else str(folder), "COLUMNS": "400"}
    return CliRunner().invoke(app, ["rulebook", *arguments], env=env)


# ------------------------------------------------------------------------------------------------------- check


def test_check_proves_the_shipped_rules() -> None:
    result = langhoc("check", "--on", "2026-01-01")
    assert result.exit_code == 0, result.output
    assert "rules in langhoc: no problem." in result.output


def test_check_proves_an_own_folder_with_the_shipped_rules(own: Path) -> None:
    result = langhoc("check", str(own), "--on", "2026-01-01", "--lang", "vi")
    assert result.exit_code == 0, result.output
    assert f"quy định trong langhoc, {own}: không có lỗi." in result.output


def test_check_names_all_problems_with_file_place_and_mend(own: Path) -> None:
    put(own, f"provinces/{DA_NANG}/point_tables/2016.yaml", table(maxima=MAXIMA | {"TC1": 11}, provenance="found"))
    put(own, "provinces/99/alert_policy.yaml", {"versions": [version("alert_policy.yaml", id="a", citation=" ")]})
    put(own, "ministry/rules.yaml", "a: 1")
    result = langhoc("check", str(own), "--on", "2026-01-01")
    assert result.exit_code == 1
    assert f"{own}/provinces/{DA_NANG}/point_tables/2016.yaml\n" in result.output
    assert "  the maxima sum to 101, not to 100  (maxima_not_total)" in result.output
    assert "  Mend: correct the point table" in result.output
    assert f"{own}/provinces/99/alert_policy.yaml › versions/0/citation" in result.output
    assert "(unexpected_file)" in result.output
    assert "3 problems." in result.output
    vietnamese = langhoc("check", str(own), "--on", "2026-01-01", "--lang", "vi").output
    assert "  tổng điểm tối đa là 101, không phải 100  (maxima_not_total)" in vietnamese
    assert "  Cách sửa: sửa bảng điểm" in vietnamese
    assert "3 lỗi." in vietnamese


def test_check_gives_problems_as_data(own: Path) -> None:
    put(own, f"provinces/{DA_NANG}/point_tables/2016.yaml", table(colour="red"))
    result = langhoc("check", str(own), "--on", "2026-01-01", "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {
            "kind": "problem",
            "file": f"{own}/provinces/{DA_NANG}/point_tables/2016.yaml",
            "place": "colour",
            "code": "unknown_key",
            "what": "this key is not known here",
            "expected": "only the keys of the form",
            "mend": "remove it or correct its spelling",
        }
    ]


def test_check_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    result = langhoc("check", str(tmp_path / "gone"))
    assert result.exit_code == 1
    assert "(no_folder)" in result.output


def test_e6_check_warns_of_what_ends_within_the_months_and_stays_sound() -> None:
    far, near = (langhoc("check", "--on", "2030-06-15", "--months", months) for months in ("6", "7"))
    assert far.exit_code == near.exit_code == 0
    assert "Ends soon" not in far.output
    assert "Ends soon: area_classes/272-2025 on 2031-01-01; nothing follows: decide what does" in near.output


def test_e6_an_end_with_a_successor_names_it(own: Path) -> None:
    first = table(effective_to=date(2020, 1, 1), successor=f"{RUBRIC}/da-nang-2020")
    second = table(id=f"{RUBRIC}/da-nang-2020", effective_from=date(2020, 1, 1))
    put(own, f"provinces/{DA_NANG}/point_tables/2016.yaml", first)
    put(own, f"provinces/{DA_NANG}/point_tables/2020.yaml", second)
    result = langhoc("check", str(own), "--on", "2019-12-01", "--lang", "vi")
    assert f"{RUBRIC}/da-nang-2016 ngày 2020-01-01; {RUBRIC}/da-nang-2020 tiếp nối" in result.output


def test_e7_check_refuses_a_changed_rule_under_its_old_id(own: Path) -> None:
    rule = shipped(f"rubrics/{RUBRIC}.yaml") | {"legal_reference": "Thông tư 44"}
    put(own, f"rubrics/{RUBRIC}.yaml", rule)
    assert langhoc("check", str(own)).exit_code == 0, "words may be corrected"
    rule["deadline"]["day"] -= 1
    put(own, f"rubrics/{RUBRIC}.yaml", rule)
    result = langhoc("check", str(own))
    assert result.exit_code == 1
    assert "give it a new id" in result.output


def test_e7_a_released_folder_is_guarded_like_the_shipped_rules(tmp_path: Path) -> None:
    name = f"provinces/{DA_NANG}/point_tables/2016.yaml"
    first = put(tmp_path / "first", name, table())
    assert f"Released: {RUBRIC}/da-nang-2016" in langhoc("release", str(first)).output
    assert "nothing new" in langhoc("release", str(first)).output
    assert langhoc("check", str(first), "--on", "2026-01-01").exit_code == 0
    later = put(tmp_path / "later", name, table(maxima=MAXIMA | {"TC1": 9, "TC2": 6}))
    put(later, "released.yaml", (first / "released.yaml").read_text(encoding="utf-8"))
    for command in ("check", "release"):
        result = langhoc(command, str(later))
        assert result.exit_code == 1
        assert f"{RUBRIC}/da-nang-2016 was released and its content differs from then" in result.output


# -------------------------------------------------------------------------------------------------------- show


def test_show_lists_every_rule_with_its_dates() -> None:
    rows = {row["id"]: row for row in json.loads(langhoc("show", "--on", "2023-12-31", "--format", "json").stdout)}
    assert rows[RUBRIC] == {
        "id": RUBRIC,
        "name": "Learning community, commune level (points)",
        "owner": "nation",
        "from": "2015-01-25",
        "to": "2024-02-12",
        "in_force": "yes",
        "provenance": "found",
    }
    assert rows["lc_commune_25_2023"]["in_force"] == "no"
    assert {f"{file.stem}" for file in (DATA / "rubrics").glob("*.yaml")} <= rows.keys()


def test_show_prints_a_rubric_for_people() -> None:
    text = langhoc("show", "lc_commune_25_2023", "--on", "2025-12-31", "--lang", "vi").output
    assert "Ai quyết định ngày 2025-12-31: chưa tìm thấy" in text
    assert "Hạn nộp của kỳ 2025: 2026-02-28" in text
    assert "Ngưỡng L1: 60 %, L2: 80 %" in text
    assert "Không tìm thấy định nghĩa “vùng khó khăn”." in text
    assert "Quyết định 324/QĐ-KHVN" in text
    earlier = langhoc("show", "lc_commune_25_2023", "--on", "2025-06-30").output
    assert "Who decides on 2025-06-30: Head of the district education office" in earlier


def test_show_prints_bands_and_the_table_that_applies_in_a_province(own: Path) -> None:
    there, elsewhere = (
        langhoc("show", RUBRIC, "--on", "2020-12-31", "--province", province, folder=own).output
        for province in (DA_NANG, "01")
    )
    assert f"Point table that applies: {RUBRIC}/da-nang-2016" in there
    assert "TC1: 10" in there
    assert "Quyết định 1178/QĐ-UBND" in there
    assert f"Point table that applies: {RUBRIC}/working-default-1" in elsewhere
    assert "TC1: 7" in elsewhere
    assert "tot good, from 85, below 100, its maximum included  [found: Thông tư 44/2014/TT-BGDĐT Điều 4.3a]" in there
    assert "chua_dat not reached, from 0, below 50" in there


def test_show_prints_the_policy_of_a_province(own: Path) -> None:
    policy = version("funding_policy.yaml", id="funding_policy/da-nang", effective_from=date(2026, 1, 1))
    put(own, f"provinces/{DA_NANG}/funding_policy.yaml", {"versions": [policy]})
    shown = {
        (day, province): langhoc("show", "funding_policy", "--on", day, "--province", province, folder=own).output
        for day in ("2025-12-31", "2026-01-01")
        for province in (DA_NANG, "01")
    }
    assert [text.split(":")[0] for text in shown.values()] == [
        "funding_policy/working-default-1",
        "funding_policy/working-default-1",
        "funding_policy/da-nang",
        "funding_policy/working-default-2",
    ]


def test_show_says_which_list_of_areas_a_minimum_goes_by() -> None:
    text = langhoc("show", "funding_norms/96-2008", "--on", "2025-12-31").output
    assert "List of area classes on 2025-12-31: Quyết định 33/2020/QĐ-TTg" in text
    assert "amount (đồng) 25.000.000" in text


def test_show_calendar_and_goals() -> None:
    due = json.loads(langhoc("show", "calendar", "--on", "2025-12-31", "--format", "json").stdout)
    assert ("2026-02-28", "Commune People's Committee") in {(one["last_day"], one["who"]) for one in due}
    assert due[-1]["last_day"] == ""
    assert "school year" in due[-1]["open"]
    goals = json.loads(langhoc("show", "goals", "--on", "2026-01-01", "--lang", "vi", "--format", "json").stdout)
    assert "Tỷ lệ người lớn đạt danh hiệu “Công dân học tập”" in {goal["goal"] for goal in goals}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "lc_village"), "There is no rule 'lc_village'. Known are:"),
        (("show", "commune", "--on", "2014-12-31"), "No version of commune was in force on 2014-12-31."),
        (("show", "alert_policy", "--on", "2012-01-01"), "No version of alert_policy was in force on 2012-01-01."),
        (("show", "--on", "31/12/2025"), "'31/12/2025' is no day of the calendar; write it as YYYY-MM-DD."),
    ],
)
def test_what_is_not_there_is_said_plainly(arguments: tuple[str, ...], said: str) -> None:
    result = langhoc(*arguments)
    assert result.exit_code == 1
    assert said in result.output


def test_nothing_is_shown_of_a_rulebook_with_a_fault(own: Path) -> None:
    put(own, "ministry/alert_policy.yaml", "versions: []")
    result = langhoc("show", RUBRIC, folder=own)
    assert result.exit_code == 1
    assert "The rulebook has 1 problem; `langhoc rulebook check` names them all." in result.output


# -------------------------------------------------------------------------------------------------------- diff


def test_diff_of_two_dates_of_a_series() -> None:
    rows = json.loads(langhoc("diff", "commune@2023-12-31", "commune@2024-12-31", "--format", "json").stdout)
    by_place = {row["place"]: (row["before"], row["after"]) for row in rows}
    assert by_place["id"] == (RUBRIC, "lc_commune_25_2023")
    assert by_place["deadline/month"] == ("12", "2")
    assert by_place["grades/tot/min"] == ("85", "")
    assert by_place["criteria/C5/targets/C5.1/thresholds/L1"] == ("", "60 %")


@pytest.mark.parametrize(
    ("kind", "last", "first", "differs"),
    [
        ("commune", "2024-02-11", "2024-02-12", {"id": (RUBRIC, "lc_commune_25_2023")}),
        ("commune", "2025-06-30", "2025-07-01", {"decided_by/0/until": ("2025-07-01", "")}),
        ("commune", "2025-06-30", "2025-07-01", {"gaps/decided_by_after_2025_07_01/state": ("", "not_found")}),
        ("province", "2025-06-30", "2025-07-01", {"gaps/districts_ended/state": ("", "not_found")}),
        ("province", "2025-06-30", "2025-07-01", {"criteria/C4/targets/C4.1/not_computable/since": ("", "2025-07-01")}),
        ("universal_education", "2016-05-09", "2016-05-10", {f"{PRESCHOOL}/conditions/2/min": ("", "60 %")}),
        ("area_classes", "2020-12-31", "2021-01-01", {"id": ("area_classes/301-2006", "area_classes/33-2020")}),
    ],
)  # fmt: skip
def test_a_date_is_that_day_and_not_the_end_of_its_year(
    kind: str, last: str, first: str, differs: dict[str, tuple[str, str]]
) -> None:
    rows = json.loads(langhoc("diff", f"{kind}@{last}", f"{kind}@{first}", "--format", "json").stdout)
    found = {row["place"]: (row["before"], row["after"]) for row in rows}
    assert {place: found.get(place) for place in differs} == differs


def test_a_policy_that_begins_in_the_middle_of_a_year_is_shown_from_that_day_on(own: Path) -> None:
    policy = version("funding_policy.yaml", id="funding_policy/da-nang", effective_from=date(2026, 5, 1))
    put(own, f"provinces/{DA_NANG}/funding_policy.yaml", {"versions": [policy]})
    for day, id in (("2026-04-30", "funding_policy/working-default"), ("2026-05-01", "funding_policy/da-nang")):
        shown = langhoc("show", "funding_policy", "--on", day, "--province", DA_NANG, folder=own).output
        assert shown.startswith(id), day


def test_a_province_is_compared_with_its_own_table_of_that_day(own: Path) -> None:
    start = table()["effective_from"]
    before = (start - timedelta(days=1)).isoformat()
    arguments = ("diff", f"commune@{before}", f"commune@{start}", "--province", DA_NANG, "--format", "json")
    places = {row["place"] for row in json.loads(langhoc(*arguments, folder=own).stdout)}
    assert {"point_table/id", "point_table/maxima/TC1"} <= places


def test_show_tells_what_holds_on_that_day() -> None:
    before = langhoc("show", "commune", "--on", "2024-02-11").output
    assert before.startswith(f"{RUBRIC}:")
    assert "Last day for the period 2023" not in before, "it was 31 December 2023"
    after = langhoc("show", "commune", "--on", "2024-02-12").output
    assert after.startswith("lc_commune_25_2023:")
    assert "Last day for the period 2024: 2025-02-28" in after
    assert "decided_by_after_2025_07_01" not in after
    assert "Who decides on 2025-07-01: not found" in langhoc("show", "commune", "--on", "2025-07-01").output


def test_diff_of_two_files_value_by_value(tmp_path: Path) -> None:
    before, after = tmp_path / "a.yaml", tmp_path / "b.yaml"
    put(tmp_path, "a.yaml", table())
    put(tmp_path, "b.yaml", table(maxima=MAXIMA | {"TC1": 9, "TC2": 6}, successor=None, effective_to=None))
    rows = json.loads(langhoc("diff", str(before), str(after), "--format", "json").stdout)
    assert {row["place"]: (row["before"], row["after"]) for row in rows} == {
        "maxima/TC1": ("10", "9"),
        "maxima/TC2": ("5", "6"),
        "effective_to": ("2024-02-12", ""),
        "successor": ("not_found", ""),
    }


def test_diff_of_a_rule_with_itself_and_with_its_file() -> None:
    assert "No value differs." in langhoc("diff", RUBRIC, RUBRIC).output
    assert "No value differs." in langhoc("diff", RUBRIC, str(DATA / "rubrics" / f"{RUBRIC}.yaml")).output


@pytest.mark.parametrize("file", sorted((DATA / "rubrics").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_rule_and_its_file_never_differ(file: Path) -> None:
    assert "No value differs." in langhoc("diff", file.stem, str(file)).output


def test_entries_are_compared_by_id_not_by_position() -> None:
    before = {"grades": [{"id": "a", "min": 0}, {"id": "b", "min": 50}]}
    after = {"grades": [{"id": "b", "min": 50}, {"id": "a", "min": 1}]}
    assert changes(before, after) == [("grades/a/min", "0", "1")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(60, 100), "60 %"),
        (Fraction(59996, 100000), "0.59996"),
        (Fraction(1, 3), "1/3"),
        (Fraction(5, 4), "1.25"),
        (Fraction(0), "0"),
        (Fraction(25_000_000), "25000000"),
    ],
)
def test_shares_are_written_without_loss(value: Fraction, text: str) -> None:
    assert exact(value) == text
