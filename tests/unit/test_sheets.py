"""Sheets: columns from the contract, cells as they are declared, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import app
from shared.contracts.catalogue import CONTRACTS, EXAMPLES, EventType
from shared.contracts.series import kind_of
from shared.contracts.submissions import AssessmentSeries
from shared.outside import read_json
from shared.registry import registry
from shared.rulebook import Rubric, rubric, rubrics
from shared.rulebook.reports import ReportRubric
from shared.sheets import Answer, Form, SheetRefused, form_of, kinds, write_answered
from shared.sheets.cells import address
from shared.sheets.encodings import recognised
from shared.sheets.numbers import days, readings, shown_by, stored
from shared.sheets.rows import body_of
from shared.sheets.template import DATA, HEAD_ROWS
from shared.sheets.words import EXPLAINED, Holds
from tests.casework.records import templates
from tests.sheet_makers import (
    OLD_TEXT,
    filled_in,
    found,
    headed,
    in_old_letters,
    make,
    old_bytes,
    read,
    template,
    write,
)

PERIOD = 2025
WITH_CONTENT = {"commune": None, "centre": None, "assessment": "universal_education"}

# ------------------------------------------------------------------------------------------------------- columns


def form(kind: str) -> Form:
    return form_of(kind, province="01", period=PERIOD, series=WITH_CONTENT.get(kind))


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_of_submission_has_a_form_of_all_its_fields(kind: str) -> None:
    made = form(kind)
    ids = [column.id for column in made.columns]
    assert len(ids) == len(set(ids))
    model = made.model.model_fields.keys() - {
        "submission_id",
        "content",
        "by_decision",
    }  # the last two hang on the rule
    assert model <= {column.path[0] for column in made.columns} | made.fixed.keys()
    assert all(column.name.vi and column.name.en and column.note.vi for column in made.columns)


def test_a_model_may_be_counted_by_single_decisions() -> None:
    made = form_of("assessment", province="01", period=2025, series="learning_models")
    said = body_of(made, {"subject": "00008", "by_decision.GD1.existing": 7, "by_decision.GD1.recognised": 3})
    assert said["by_decision"] == {"GD1": {"existing": 7, "recognised": 3}}
    assert said["content"]["targets"] == {}
    assert "by_decision.CD2.existing" not in {column.id for column in made.columns}, "no decision says who is an adult"


def test_every_submission_of_the_catalogue_has_a_kind() -> None:
    assert {event for event, _ in kinds().values()} == {
        one.value for one in CONTRACTS.values() if one.family == "submissions"
    }
    assert set(EXPLAINED) == set(Holds)


def test_columns_of_an_assessment_are_those_of_the_rule_of_its_year() -> None:
    before = {column.id for column in form_of("commune", province="01", period=2022).columns}
    now = {column.id for column in form("commune").columns}
    assert "C5.1.share.numerator" in now - before
    assert any(id.endswith(".points") for id in before - now)


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("không có", {"period": 2025}, "kind_unknown"),
        ("commune", {}, "period_missing"),
        ("commune", {"period": 1999}, "no_rubric"),
        ("commune", {"period": 0}, "no_rubric"),
        ("commune", {"period": 10**10}, "no_rubric"),
        ("assessment", {"period": 2025, "series": "commune-x"}, "series_unknown"),
    ],
)
def test_a_form_that_there_is_not_says_why(kind: str, given: dict[str, Any], code: str) -> None:
    with pytest.raises(SheetRefused, match=code):
        form_of(kind, province="01", **given)


# ------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("text", "vi", "en"),
    [
        ("2.982", "2982", "2.982"),
        ("62,198", "62.198", "62198"),
        ("1.234.567,5", "1234567.5", None),
        ("1,234.5", None, "1234.5"),
        ("75 000 000", "75000000", "75000000"),
        ("8,5", "8.5", None),
        ("8.5", None, "8.5"),
        ("-3", "-3", "-3"),
        ("1.23.4", None, None),
        ("75 triệu", None, None),
        ("1e3", None, None),
        ("", None, None),
        ("٣", None, None),
    ],
)
def test_a_number_is_read_in_each_way_of_writing(text: str, vi: str | None, en: str | None) -> None:
    meant = {"vi": vi, "en": en}
    assert readings(text) == {way: Decimal(number) for way, number in meant.items() if number is not None}


@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_a_number_written_in_a_way_is_read_in_it(number: Decimal) -> None:
    english = f"{number:,.3f}"
    assert readings(english)["en"] == number
    assert readings(english.translate(str.maketrans(",.", ".,")))["vi"] == number


def test_a_machine_number_is_what_the_spreadsheet_shows() -> None:
    assert stored(0.1 + 0.2) == Decimal("0.3")
    assert stored(75_000_000) == Decimal(75_000_000)


@pytest.mark.parametrize(
    ("format", "percent", "scaled", "words"),
    [
        ("General", False, False, ""),
        ("#,##0", False, False, ""),
        ("0.0%", True, False, ""),
        ("#,##0,,", False, True, ""),
        ('#,##0" triệu"', False, False, "triệu"),
        ('"%"0', False, False, "%"),
        ("[$-42A]#,##0", False, False, ""),
    ],
)
def test_what_a_number_format_does_is_known(format: str, percent: bool, scaled: bool, words: str) -> None:
    assert shown_by(format) == (percent, scaled, words)


def test_a_day_is_read_day_first_and_month_first() -> None:
    assert days("05/04/2025") == (date(2025, 4, 5), date(2025, 5, 4))
    assert days("31/12/2025") == (date(2025, 12, 31), None)
    assert days("31.02.2025") == (None, None)


def test_addresses_are_those_of_spreadsheets() -> None:
    assert [address(7, place) for place in (0, 25, 26, 701, 702)] == ["A7", "Z7", "AA7", "ZZ7", "AAA7"]


# --------------------------------------------------------------------------------------------------------- cells

REGISTERED = {"A4": "TT-1", "B4": "Trung tâm", "C4": "00004", "D4": "other", "E4": 6000, "F4": "05/09/2011"}


def one(tmp_path: Path, kind: str, put: dict[str, Any], numbers: str = "vi", **given: Any) -> Any:
    """The one row of data of a sheet."""
    more = given.pop("declared", {})
    _, rows = read(write(tmp_path / "one.xlsx", headed(kind, numbers, **more), put), **given)
    (row,) = (row for row in rows if row.state in ("ready", "refused"))
    return row


@pytest.mark.parametrize(
    ("unit", "amount", "dong"),
    [("đồng", "75.000.000", 75_000_000), ("nghìn", "75.000", 75_000_000), ("triệu", "62,198", 62_198_000)],
)
def test_money_is_in_the_unit_that_is_declared(tmp_path: Path, unit: str, amount: str, dong: int) -> None:
    row = one(tmp_path, "envelope", {"A4": 2026, "C4": amount}, declared={"unit": unit})
    assert row.data["amount"] == dong


def test_a_name_that_one_unit_has_is_its_code_and_is_told(tmp_path: Path) -> None:
    for name in ("Phường Ba Đình", "Ba Đình", "00004 – Phường Ba Đình"):
        row = one(tmp_path, "registration", REGISTERED | {"C4": name})
        assert row.data["commune_code"] == "00004"
    assert [told.code for told in one(tmp_path, "registration", REGISTERED | {"C4": "Ba Đình"}).warnings] == [
        "unit_by_name"
    ]


def test_a_code_is_mended_only_where_its_sender_asks(tmp_path: Path) -> None:
    lost = REGISTERED | {"C4": 4}
    (refused,) = one(tmp_path, "registration", lost).problems
    assert (refused.code, refused.field) == ("code_zeros_lost", "C4")
    assert "00004" in refused.message.vi
    row = one(tmp_path, "registration", lost, repair=frozenset({"codes"}))
    assert row.data["commune_code"] == "00004"
    assert [told.code for told in row.warnings] == ["code_repaired"]


@pytest.mark.parametrize(
    ("kind", "period", "given", "says"),
    [
        ("registration", None, "Quận Ba Đình", "001 Quận Ba Đình (cấp huyện)"),
        ("registration", None, "001 – Quận Ba Đình", "001 Quận Ba Đình (cấp huyện)"),
        ("commune", 2025, "Thành phố Hà Nội", "01 Thành phố Hà Nội (cấp tỉnh)"),
        ("commune", 2025, "Huyện Đông Anh", "Năm 2025 không có quy định đánh giá cấp huyện"),
        ("commune", 2024, "Huyện Đông Anh", "mẫu `assessment --series district --period 2024`"),
        ("commune", 2025, "01", "mẫu `assessment --series province --period 2025`"),
    ],
)
def test_a_district_or_province_is_no_commune_and_is_filed_elsewhere(
    tmp_path: Path, kind: str, period: int | None, given: str, says: str
) -> None:
    form = form_of(kind, province="01", period=period)
    place = [column.id for column in form.columns].index("commune_code" if kind == "registration" else "unit_code")
    said = [["langhoc", kind, "numbers", "vi", *(["period", str(period)] if period else [])]]
    _, rows = read(write(tmp_path / "one.xlsx", [*said, [one.id for one in form.columns]], {address(3, place): given}))
    (told,) = [problem for problem in rows[2].problems if problem.code == "unit_above_communes"]
    assert says in f"{told.message.vi} {told.mend.vi}"


def test_a_code_that_lost_zeros_may_also_be_a_districts(tmp_path: Path) -> None:
    """268 was the district of Hà Đông, and may be what is left of 00268."""
    (told,) = one(tmp_path, "registration", {"A4": "TT-1", "C4": "268"}).problems
    assert told.code in ("code_zeros_lost", "unit_above_communes")
    assert "268 Quận Hà Đông (cấp huyện)" in told.message.vi


def test_a_year_before_every_rule_says_which_rules_there_are() -> None:
    with pytest.raises(SheetRefused) as refused:
        form_of("commune", province="01", period=2014)
    (told,) = refused.value.problems
    assert "lc_commune_44_2014 (2015–2023); lc_commune_25_2023 (từ 2024 trở đi)" in told.expected.vi
    assert "`recognition`" in told.mend.vi


def test_a_share_as_one_figure_is_told_the_two_columns_that_it_needs(tmp_path: Path) -> None:
    heads = headed("commune")
    by_heading = write(tmp_path / "heads.xlsx", [heads[0], ["unit_code", "C5.1", "C1.1.met"]], {"A3": "00004"})
    with pytest.raises(SheetRefused) as refused:
        read(by_heading)
    (told,) = refused.value.problems
    assert (told.code, told.field) == ("heading_of_share", "B2")
    assert "C5.1.share.numerator và C5.1.share.denominator" in told.expected.vi

    place = heads[1].index("C5.1.share.numerator")
    percent = {"A4": "00004", address(4, place): {"number": 0.62, "format": "0%"}}
    _, rows = read(write(tmp_path / "cells.xlsx", heads, percent))
    (told,) = [problem for problem in rows[3].problems if problem.code == "percent"]
    assert "C5.1.share.numerator và C5.1.share.denominator" in told.mend.vi

    half = write(tmp_path / "half.xlsx", [heads[0], ["unit_code", "C5.1.share.numerator"]], {"A3": "00004", "B3": 62})
    (told,) = read(half)[1][2].problems
    assert (told.code, told.field) == ("column_needed", "B3")
    assert "C5.1.share.denominator" in told.message.vi


@pytest.mark.parametrize(
    ("kind", "put", "written"),
    [
        ("centre", {"A4": "TT-1", "D4": ".7.50"}, "“.7.50”"),
        ("envelope", {"A4": 2026, "C4": "7,50"}, "7,50"),
        ("envelope", {"A4": 2026, "C4": "-5.000"}, "“-5.000”"),
        ("registration", {"A4": "TT-1", "C4": "00004", "D4": "other", "E4": "7,50"}, "“7,50”"),
        ("registration", {"A4": "TT-1", "C4": "00004", "D4": "other", "E4": 2.98}, "“2.98” không phải số nguyên."),
        ("registration", {"A4": "TT-1", "C4": "00004", "D4": "other", "E4": 2.98}, "thì số là 2980"),
    ],
)
def test_a_value_is_told_as_it_was_written(tmp_path: Path, kind: str, put: dict[str, Any], written: str) -> None:
    told = one(tmp_path, kind, put).problems
    assert any(written in problem.message.vi for problem in told), told


def test_a_format_of_zeros_shows_the_code_that_is_meant(tmp_path: Path) -> None:
    row = one(tmp_path, "registration", REGISTERED | {"C4": {"number": 4, "format": "00000"}})
    assert row.data["commune_code"] == "00004"


def test_a_name_is_read_on_the_day_of_which_the_row_speaks(tmp_path: Path) -> None:
    """Phường Phúc Xá ended with June 2025: it is no unit today, and one of the day before it closed."""
    open_now = REGISTERED | {"C4": "Phường Phúc Xá"}
    assert [told.code for told in one(tmp_path, "registration", open_now).problems] == ["name_unknown"]
    assert one(tmp_path, "registration", open_now | {"G4": "2025-07-01"}).data["commune_code"] == "00001"


def test_days_are_iso_in_the_submission(tmp_path: Path) -> None:
    assert one(tmp_path, "registration", REGISTERED).data["opened_on"] == "2011-09-05"
    assert one(tmp_path, "registration", REGISTERED | {"F4": {"day": "2011-09-05"}}).data["opened_on"] == "2011-09-05"


def test_a_stored_result_counts_and_no_formula_is_run(tmp_path: Path) -> None:
    row = one(tmp_path, "envelope", {"A4": 2026, "C4": {"formula": "=1+1", "value": 75_000_000}})
    assert row.data["amount"] == 75_000_000


@pytest.mark.parametrize("since_1904", [False, True])
def test_days_of_both_systems_are_the_days_that_are_shown(tmp_path: Path, since_1904: bool) -> None:
    book = {"date_1904": since_1904}
    file = write(
        tmp_path / "one.xlsx", headed("registration"), REGISTERED | {"F4": {"day": "2011-09-05"}}, book_options=book
    )
    sheet, rows = read(file)
    assert rows[3].data is not None
    assert rows[3].data["opened_on"] == "2011-09-05"
    assert [note.code for note in sheet.notes] == (["days_from_1904"] if since_1904 else [])


def test_counts_add_up_and_blank_rows_are_counted(tmp_path: Path) -> None:
    put = {"A4": 2026, "C4": 75, "A6": 2027, "C6": "nhiều", "A9": 2028, "C9": 80}
    sheet, rows = read(write(tmp_path / "one.xlsx", headed("envelope"), put))
    assert sheet.counts == {"header": 3, "blank": 3, "ready": 2, "refused": 1}
    assert len(rows) == sum(sheet.counts.values()) == 9


def test_a_hidden_row_is_sent_where_its_sender_asks(tmp_path: Path) -> None:
    file = write(tmp_path / "one.xlsx", headed("envelope"), {"A4": 2026, "C4": 75}, hide=4)
    assert found(file) == [["row_hidden", "4:4"]]
    assert found(file, hidden=True) == []


def test_a_sheet_without_a_declaration_is_read_as_its_sender_says(tmp_path: Path) -> None:
    file = write(tmp_path / "one.xlsx", [["Năm ngân sách", "Số tiền"]], {"A2": 2026, "B2": "75.000"})
    assert found(file) == [["kind_missing", ""]]
    assert found(file, kind="envelope") == [["number_ambiguous", "B2"]]
    assert found(file, kind="envelope", numbers="vi") == []


def test_one_of_several_sheets_is_named(tmp_path: Path) -> None:
    file = tmp_path / "two.xlsx"
    book = openpyxl.Workbook()
    for name in ("quý 1", "quý 2"):
        page = book.create_sheet(name)
        page.append(["langhoc", "envelope"])
        page.append(["year", "amount"])
        page.append([2026, 75])
    book.save(file)
    assert found(file) == [["several_sheets", ""]]
    assert found(file, table="quý 2") == []
    assert found(file, table="quý 3") == [["sheet_unknown", ""]]


# ----------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize("encoding", ["tcvn3", "vni", "windows-1258"])
def test_an_old_text_file_is_recognised_and_mended_only_where_asked(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "one.csv"
    file.write_bytes(old_bytes(f"langhoc,envelope\nyear,amount,reason\n2026,75,{OLD_TEXT}\n", encoding))
    with pytest.raises(SheetRefused) as refused:
        read(file)
    assert encoding.upper() in refused.value.problems[0].message.vi
    sheet, rows = read(file, repair=frozenset({"encoding"}))
    assert rows[2].data is not None
    assert rows[2].data["reason"] == OLD_TEXT
    assert [note.code for note in sheet.notes] == ["encoding_mended"]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_unicode_says_exactly_is_read(tmp_path: Path, codec: str) -> None:
    file = tmp_path / "one.csv"
    decomposed = "Ủy ban"
    file.write_bytes(f"langhoc;envelope\r\nyear;amount;reason\r\n2026;75;{decomposed}\r\n".encode(codec))
    _, rows = read(file)
    assert rows[2].data is not None
    assert rows[2].data["reason"] == "Ủy ban"


@pytest.mark.parametrize("encoding", ["tcvn3", "vni"])
def test_a_column_in_an_old_font_is_told_and_mended_only_where_asked(tmp_path: Path, encoding: str) -> None:
    old = in_old_letters(OLD_TEXT, encoding)
    assert recognised([old]) == encoding
    file = write(tmp_path / "one.xlsx", headed("envelope"), {"A4": 2026, "C4": 75, "E4": old})
    assert found(file) == [["encoding_old", "E4"]]
    _, rows = read(file, repair=frozenset({"encoding"}))
    assert rows[3].data is not None
    assert rows[3].data["reason"] == OLD_TEXT


@pytest.mark.parametrize("text", [OLD_TEXT, "Hà Nam", "Lê", "café"])
def test_unicode_is_no_old_encoding(text: str) -> None:
    assert recognised([text]) is None


# ----------------------------------------------------------------------------------------- templates, round trips


def example(event: EventType) -> dict[str, Any]:
    """The published example of a submission, as a sheet can say it."""
    data = read_json((EXAMPLES / f"{event}.json").read_text(encoding="utf-8"))["data"]
    del data["submission_id"]
    return dict(data)


def is_report(given: Mapping[str, Any]) -> bool:
    """Whether a template of the cases is one of a report."""
    return "rubric" in given and isinstance(rubric(given["rubric"]), ReportRubric)


def without_defaults(made: Form, data: dict[str, Any]) -> Any:
    return made.model.model_validate({"submission_id": "x", **data}).model_dump(exclude={"submission_id"})


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_an_example_that_is_filled_in_is_read_as_what_it_is(tmp_path: Path, kind: str, suffix: str) -> None:
    """Of every kind the published example, by another program's hand."""
    event, _ = kinds()[kind]
    data = example(EventType(event))
    made = form_of(kind, province="04", period=data.get("period"), series=data.get("series"))
    filled = filled_in(made, [data], tmp_path / f"filled{suffix}")
    _, rows = read(filled, province="04")
    row = rows[HEAD_ROWS]
    assert row.problems == []
    assert row.data is not None
    said = {name: value for name, value in row.data.items() if name != "submission_id"}
    assert without_defaults(made, said) == without_defaults(made, data)


REPORTS = [name for name, one in templates()["assessment"].items() if is_report(one)]


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_that_is_filled_in_is_read_as_what_it_is(tmp_path: Path, name: str, suffix: str) -> None:
    """Figures, amounts, days, numbers of decisions and named parts, each in its own column."""
    one = templates()["assessment"][name]
    series, period = rubric(one["rubric"]).series, one.get("period", 2025)
    subject = {"province": "01", "commune": "00004"}.get(kind_of(series) or "", "X-1")
    data = {"series": series, "subject": subject, "period": period, **one}
    made = form_of("assessment", province="01", period=period, series=series)
    _, rows = read(filled_in(made, [data], tmp_path / f"filled{suffix}", province="01"), province="01")
    row = rows[HEAD_ROWS]
    assert row.problems == []
    assert row.data is not None
    said = {name: value for name, value in row.data.items() if name != "submission_id"}
    assert without_defaults(made, said) == without_defaults(made, data)


LABELS = st.text("abc đệỦ-/09", min_size=1, max_size=20).map(str.strip).filter(lambda text: bool(text))
ROWS = st.fixed_dictionaries(
    {
        "centre_id": st.from_regex(r"TT-[A-Z0-9]{1,8}", fullmatch=True),
        "name": LABELS.filter(lambda text: any(map(str.isalnum, text))),
        "commune_code": st.sampled_from(["00004", "00008", "00025"]),
        "area_class": st.sampled_from(["region_1", "other"]),
        "population_served": st.integers(0, 200_000_000),
        "opened_on": st.dates(date(1990, 1, 1), date(2026, 1, 1)),
    },
    optional={"decision_number": LABELS, "decided_on": st.dates(date(1990, 1, 1), date(2026, 1, 1))},
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=1, max_size=5))
def test_what_is_typed_into_a_template_is_what_is_sent(tmp_path: Path, typed: list[dict[str, Any]]) -> None:
    book = openpyxl.load_workbook(template("registration", tmp_path / "template.xlsx"))
    page = book[DATA]
    places = {cell.value: cell.column for cell in page[2]}
    for number, row in enumerate(typed, start=HEAD_ROWS + 1):
        for name, value in row.items():
            cell = page.cell(number, places[name])
            cell.value = value
            cell.data_type = "s" if isinstance(value, str) else cell.data_type
    book.save(tmp_path / "filled.xlsx")
    sheet, rows = read(tmp_path / "filled.xlsx")
    assert sheet.counts == {"header": 3, "ready": len(typed)}
    _, same = read(tmp_path / "filled.xlsx")
    assert same == rows
    for given_row, read_back in zip(typed, rows[HEAD_ROWS:], strict=True):
        assert read_back.data is not None
        expected = {k: v.isoformat() if isinstance(v, date) else v for k, v in given_row.items()}
        assert {k: v for k, v in read_back.data.items() if k != "submission_id"} == expected


@pytest.mark.parametrize("rubric", rubrics(), ids=lambda one: str(one.id))
def test_the_template_of_every_rule_is_read_as_its_own_columns(tmp_path: Path, rubric: Rubric) -> None:
    known = {*get_args(AssessmentSeries), "commune", "centre"}
    if rubric.series not in known:
        return  # of persons, whom nobody files
    kind = rubric.series if rubric.series in ("commune", "centre") else "assessment"
    sheet, _ = read(template(kind, tmp_path / "one.xlsx", rubric.effective_from.year, series=rubric.series))
    assert list(sheet.head.columns.values()) == list(sheet.form.columns)
    assert len({column.id for column in sheet.form.columns}) == len(sheet.form.columns)


def test_a_template_lists_the_provinces_own_units_of_the_day(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(template("commune", tmp_path / "one.xlsx", PERIOD))
    listed = [cell.value for cell in book["Danh mục"]["A"][1:] if cell.value]
    assert "00004 – Phường Ba Đình" in listed
    assert len(listed) == len(registry().units(date(PERIOD, 12, 31), "01"))
    assert book["Danh mục"].sheet_state == "hidden"
    assert any("minh chứng" in str(cell.value) for cell in book["Hướng dẫn"]["B"])


def test_a_template_is_the_same_for_the_same_form(tmp_path: Path) -> None:
    first, second = (template("centre", tmp_path / name, PERIOD).read_bytes() for name in ("a.xlsx", "b.xlsx"))
    assert first == second


def test_a_template_that_is_not_filled_in_has_nothing_to_send(tmp_path: Path) -> None:
    sheet, rows = read(template("support", tmp_path / "one.xlsx", centres=[("TT-1", "Trung tâm 1")]))
    assert sheet.counts == {"header": 3}
    assert len(rows) == 3


def test_a_sheet_is_looked_at_no_wider_than_its_head_says(tmp_path: Path) -> None:
    """A program that streams what it writes knows no dimensions, and says the largest."""
    sheet, rows = read(make("inline_texts", tmp_path / "one.xlsx"))
    assert sheet.head.reach == sheet.head.width
    assert [row.state for row in rows] == ["header", "header", "header", "ready"]


# ------------------------------------------------------------------------------------------------------ answered


def test_the_same_row_of_the_same_sheet_is_the_same_submission(tmp_path: Path) -> None:
    first = one(tmp_path, "envelope", {"A4": 2026, "C4": "75"}, declared={"sheet": "a"}).data
    again = one(tmp_path, "envelope", {"A4": 2026, "C4": 75}, declared={"sheet": "a"}).data
    other = one(tmp_path, "envelope", {"A4": 2026, "C4": 75}, declared={"sheet": "b"}).data
    assert first == again
    assert first["submission_id"] != other["submission_id"]


def test_an_answered_sheet_says_in_each_row_what_became_of_it_and_can_be_handed_in_again(tmp_path: Path) -> None:
    put = {
        "A4": 2026,
        "C4": "75.000",
        "A6": 2027,
        "C6": "nhiều",
        "E6": {"text": "=1+1"},
        "A7": 2028,
        "C7": {"formula": "=1"},
    }
    sheet, rows = read(write(tmp_path / "one.xlsx", headed("envelope", sheet="a"), put))
    status = {"ready": "ready", "refused": "not_sent"}
    answers = {row.number: Answer(status[row.state], row.problems) for row in rows if row.state in status}
    answered = tmp_path / "one.answered.xlsx"
    write_answered(sheet, answers, answered)
    page = openpyxl.load_workbook(answered)[DATA]
    heads = ["answer.status", "answer.words", "answer.reason", "answer.mend"]
    assert [page.cell(2, place).value for place in (7, 8, 9, 10)] == heads
    assert [page.cell(row, 7).value for row in (3, 4, 5, 6)] == ["Mã kết quả", "ready", None, "not_sent"]
    assert [page.cell(row, 8).value for row in (3, 4, 5, 6)] == ["Kết quả", "gửi được", None, "chưa gửi: cần sửa"]
    assert page["I6"].value.startswith("C6: “nhiều”")
    assert page["E6"].value == "=1+1"
    assert page["C7"].value is None, "a result that was never computed is no 0"
    sheet, back = read(answered)
    assert [row.data for row in back[:6]] == [row.data for row in rows[:6]]
    write_answered(sheet, answers, answered)
    assert openpyxl.load_workbook(answered)[DATA].max_column == page.max_column


def test_a_place_of_a_receipt_is_the_cell_that_it_stands_in(tmp_path: Path) -> None:
    sheet, _ = read(write(tmp_path / "one.xlsx", headed("commune"), {"A4": "00004"}))
    ids = [column.id for column in sheet.form.columns]

    def at(id: str) -> str:
        return address(4, ids.index(id))

    place = sheet.head.place
    assert place("/unit_code", 4) == "A4"
    assert place("/content/targets/C5.1/share/numerator", 4) == at("C5.1.share.numerator")
    assert place("/content/targets/C1.1/evidence/0", 4) == at("C1.1.evidence")
    assert place("/content/targets/C1.1", 4) == at("C1.1.met")
    assert place("/content/scoring", 4) == "/content/scoring"
    assert place("", 4) == ""


# ------------------------------------------------------------------------------------------------------- command


def langhoc(*given: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(given))
    return result.exit_code, result.output


def test_the_command_makes_a_template_and_tries_it(tmp_path: Path) -> None:
    file = tmp_path / "envelope.xlsx"
    assert langhoc("template", "envelope", "-p", "01", "-o", str(file))[0] == 0
    code, said = langhoc("template", "envelope", "-p", "01", "-o", str(file))
    assert code == 1, said
    code, said = langhoc("submit", str(file), "-p", "01", "--dry-run")
    assert code == 0, said
    book = openpyxl.load_workbook(file)
    book[DATA].append([2026, None, "nhiều"])
    book.save(file)
    code, said = langhoc("submit", str(file), "-p", "01", "--dry-run")
    assert code == 1
    assert "C4" in said
    assert file.with_name("envelope.answered.xlsx").exists()
    assert langhoc("submit", str(file), "-p", "04", "--dry-run")[0] == 1, "a sheet of another province"
