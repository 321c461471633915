"""Templates: a sheet to fill in, with drop-downs, the province's own units, and a page that explains each column.

The same form is written as XLSX and as CSV. Bytes are the same for the same arguments.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from shared.contracts.base import Text
from shared.registry import Registry
from shared.rulebook import cut_off
from shared.sheets.cells import letters
from shared.sheets.columns import Column, Form
from shared.sheets.heads import BEFORE, FILLED, MARK
from shared.sheets.numbers import UNITS, Style, Unit
from shared.sheets.prefilling import Centres, Subject, laid_out
from shared.sheets.units import COMMUNES
from shared.sheets.words import FLAGS, Holds
from shared.texts import neutral, neutral_cell

HEAD_ROWS = 3
"""Declaration, headings for programs, headings for people."""
ROWS_CHECKED = 50_000
"""Rows to which drop-downs reach."""
DATA, PAGE, LISTS = "Số liệu", "Hướng dẫn", "Danh mục"
_GREY = {"font_color": "#7F7F7F", "bg_color": "#F2F2F2"}
_BEFORE = "Số liệu năm trước, chỉ để đối chiếu: không được đọc.\nLast year's figure, to compare with: it is not read."
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - a file's date has no zone; the same form gives the same bytes
_LOOKS: Mapping[Holds, tuple[str, int]] = {
    Holds.TEXT: ("@", 26),
    Holds.ID: ("@", 14),
    Holds.UNIT: ("@", 30),
    Holds.WHOLE: ("0", 14),
    Holds.MONEY: ("#,##0.###", 16),
    Holds.DECIMAL: ("0.####", 12),
    Holds.DATE: ("dd/mm/yyyy", 14),
    Holds.FLAG: ("@", 14),
    Holds.CHOICE: ("@", 14),
    Holds.LIST: ("@", 32),
}
"""Number format and width of a column."""


def declaration(
    form: Form, province: str, numbers: Style, unit: Unit, sheet: str, subjects: Sequence[Subject] = ()
) -> list[str]:
    """The first row of a sheet: what it is, how its numbers are written, and what is filled in already."""
    fixed = [str(part) for pair in form.fixed.items() for part in pair]
    filled = [FILLED, " ".join(dict.fromkeys(id for one in subjects for id in one.cells))] if subjects else []
    return [MARK, form.kind, "province", province, *fixed, "numbers", numbers, "unit", unit, "sheet", sheet, *filled]


def csv_template(
    form: Form,
    province: str,
    sheet: str,
    numbers: Style = "vi",
    unit: Unit = "đồng",
    subjects: Sequence[Subject] = (),
) -> bytes:
    """UTF-8 with a byte order mark, fields parted as the declared way of writing numbers has it in spreadsheets."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";" if numbers == "vi" else ",")
    columns = laid_out(form, subjects)
    point = "," if numbers == "vi" else "."
    writer.writerow(declaration(form, province, numbers, unit, sheet, subjects))
    writer.writerow(column.id for column in columns)
    writer.writerow(neutral_cell(column.name.vi) for column in columns)
    for subject in subjects:
        values = (_filled(subject, column) for column in columns)
        texts = (f"{one}".replace(".", point) if isinstance(one, Decimal) else f"{one}" for one in values)
        writer.writerow(map(neutral_cell, texts))
    return text.getvalue().encode("utf-8-sig")


def xlsx_template(
    form: Form,
    province: str,
    sheet: str,
    *,
    register: Registry,
    today: date,
    centres: Centres = (),
    subjects: Sequence[Subject] = (),
    numbers: Style = "vi",
    unit: Unit = "đồng",
) -> bytes:
    """A workbook with the sheet to fill in, a page that explains it, and the lists of its drop-downs.

    Args:
        province: today's code of whoever fills it in.
        sheet: identity of this sheet; what is sent from it again is known again.
        register: gives the units that the province speaks for on the day of which the form speaks.
        centres: those that are known to the caller; without any, their column takes what is written.
        subjects: whose rows are there already, with last year's figures.
    """
    file = io.BytesIO()
    book = Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": _MADE, "title": f"langhoc {form.kind}"})
    data, page, lists = (book.add_worksheet(name) for name in (DATA, PAGE, LISTS))
    choices = _choices(form, province, register, today, centres)
    _write_lists(lists, choices)
    columns = laid_out(form, subjects)
    dress(book, data, columns, choices)
    head = book.add_format({"bold": True, "bg_color": "#DDE7F0"})
    names = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#EEF3F8"})
    said = declaration(form, province, numbers, unit, sheet, subjects)
    for place, text in enumerate(said):
        data.write_string(0, place, text, book.add_format({"num_format": "@", "font_color": "#666666"}))
    for name, known in (("numbers", ["vi", "en"]), ("unit", list(UNITS))):
        place = said.index(name) + 1
        data.data_validation(0, place, 0, place, {"validate": "list", "source": known})
    for place, column in enumerate(columns):
        data.write_string(1, place, column.id, head)
        data.write_string(2, place, neutral(column.name.vi), names)
    for row, subject in enumerate(subjects, start=HEAD_ROWS):
        for place, column in enumerate(columns):
            value = _filled(subject, column)
            data.write(row, place, neutral(value) if isinstance(value, str) else value)
    data.set_row(2, 90)
    data.freeze_panes(HEAD_ROWS, 1)
    _write_page(book, page, form)
    lists.hide()
    book.close()
    return file.getvalue()


def _filled(subject: Subject, column: Column) -> str | int | Decimal:
    """What stands in a cell before anybody writes."""
    if not column.id.startswith(BEFORE):
        return subject.cells.get(column.id, "")
    value = subject.before.get(column.id.removeprefix(BEFORE), "")
    if isinstance(value, bool):
        return FLAGS[value]
    return Decimal(value) if column.holds is Holds.DECIMAL and value != "" else value


def dress(book: Workbook, sheet: Worksheet, columns: Sequence[Column], choices: Mapping[str, tuple[int, int]]) -> None:
    """Give each column its format and its drop-down; texts and codes are cells of text, so that no zero is lost.

    Args:
        choices: by column, the place and the length of its list on the sheet of lists.
    """
    for place, column in enumerate(columns):
        format, width = _LOOKS[column.holds]
        grey = _GREY if column.id.startswith(BEFORE) else {}
        sheet.set_column(place, place, width, book.add_format({"num_format": format, **grey}))
        rule = _rule(column, choices.get(column.id))
        if rule is not None:
            sheet.data_validation(HEAD_ROWS, place, ROWS_CHECKED, place, rule)


def _rule(column: Column, listed: tuple[int, int] | None) -> dict[str, Any] | None:
    """A drop-down or a check of what is typed. Codes only warn: what the list does not know may still be right."""
    if column.id.startswith(BEFORE):
        return {"validate": "any", "input_title": column.id[:32], "input_message": _BEFORE}
    shown = {"input_title": column.id[:32], "input_message": f"{column.note.vi}\n{column.note.en}"[:255]}
    if column.holds is Holds.FLAG:
        return {"validate": "list", "source": list(FLAGS.values()), **shown}
    if listed is not None:
        place, length = listed
        source = f"='{LISTS}'!${letters(place)}$2:${letters(place)}${length + 1}"
        return {"validate": "list", "source": source, "error_type": "warning", **shown}
    if column.holds is Holds.WHOLE:
        return {"validate": "integer", "criteria": ">=", "value": 0, **shown}
    if column.holds in (Holds.MONEY, Holds.DECIMAL):
        return {"validate": "decimal", "criteria": ">=", "value": 0, **shown}
    if column.holds is Holds.DATE:
        return {"validate": "date", "criteria": ">=", "value": date(1900, 3, 1), **shown}
    return None


# --------------------------------------------------------------------------------------------------------- lists


class _Lists(dict[str, tuple[int, int]]):
    """Where each list stands, and what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.columns: list[tuple[str, Sequence[str]]] = []

    def add(self, id: str, values: Sequence[str]) -> None:
        if values:
            self[id] = (len(self.columns), len(values))
            self.columns.append((id, values))


def _choices(form: Form, province: str, register: Registry, today: date, centres: Centres) -> _Lists:
    found = _Lists()
    for column in form.columns:
        if column.holds is Holds.UNIT and _of_communes(form, column):
            on = cut_off(form.fixed["period"]) if "period" in form.fixed else today
            found.add(column.id, list(own_units(register, province, on)))
        elif column.id == "centre_id":
            found.add(column.id, [f"{id} – {name}" if name else id for id, name in centres])
        elif column.choices:
            found.add(column.id, list(column.choices))
    return found


def _of_communes(form: Form, column: Column) -> bool:
    return column.id == "commune_code" or form.fixed.get("series", "commune") in COMMUNES


def own_units(register: Registry, province: str, on: date) -> Iterator[str]:
    """The units that a province of today speaks for, as they were on a day: `00004 – Phường Ba Đình`."""
    for held in register.provinces(on):
        if register.speaker(held.code, on) == province:
            for unit in register.units(on, held.code):
                yield f"{unit.code} – {unit.name}"


def _write_lists(sheet: Worksheet, lists: _Lists) -> None:
    for place, (id, values) in enumerate(lists.columns):
        sheet.write_string(0, place, id)
        for row, value in enumerate(values, start=1):
            sheet.write_string(row, place, neutral(value))


# ---------------------------------------------------------------------------------------------------------- page

_PAGE_HEADINGS = ("cột / column", "tên", "name", "bắt buộc / required", "điền gì", "what to write", "giá trị / values")
_INTRODUCTION: Sequence[Text] = (
    Text(
        vi="Điền từ dòng 4 của trang “Số liệu”, mỗi dòng một hồ sơ; dòng trống được bỏ qua. Ô trống nghĩa là không có "
        "số liệu, không phải 0.",
        en="Fill in from row 4 of the sheet “Số liệu”, one submission a row; blank rows are passed over. An empty cell "
        "means that there is no figure, not 0.",
    ),
    Text(
        vi="Dòng chỉ có mã và tên ghi sẵn được coi là dòng trống. Cột xám là số liệu năm trước, chỉ để đối chiếu: "
        "không được đọc, không được gửi.",
        en="A row with nothing but the code and name that are there already is a blank one. Grey columns are last "
        "year's figures to compare with: they are neither read nor sent.",
    ),
    Text(
        vi="Dòng 1 nêu kiểu số (numbers: vi là 2.982 và 62,198; en là 2,982 và 62.198) và đơn vị tiền (unit).",
        en="Row 1 says how numbers are written (numbers: vi is 2.982 and 62,198; en is 2,982 and 62.198) and the unit "
        "of money.",
    ),
    Text(
        vi="Gửi bằng `langhoc submit TỆP --province …`; thử trước bằng `--dry-run`. Câu trả lời nằm trong tệp "
        "`….answered.xlsx`: sửa ngay trong đó rồi gửi lại được.",
        en="Send it by `langhoc submit FILE --province …`; try it first with `--dry-run`. The answer is in "
        "`….answered.xlsx`: mend it there and send that file again.",
    ),
)


def _write_page(book: Workbook, page: Worksheet, form: Form) -> None:
    bold = book.add_format({"bold": True, "bg_color": "#DDE7F0"})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    rule = form.rubric
    heads = [f"{form.kind} ({form.event})", rule.legal_reference if rule else ""]
    lines = [*heads, *(half for text in _INTRODUCTION for half in (text.vi, text.en))]
    for row, line in enumerate(line for line in lines if line):
        page.write_string(row, 0, line)
    start = sum(bool(line) for line in lines) + 1
    page.write_row(start, 0, _PAGE_HEADINGS, bold)
    for row, column in enumerate(form.columns, start=start + 1):
        needed = "có / yes" if column.required else ""
        known = "; ".join(
            value if name.vi == value else f"{value}: {name.vi} / {name.en}" for value, name in column.choices.items()
        )
        cells = (column.id, column.name.vi, column.name.en, needed, column.note.vi, column.note.en, known)
        for place, text in enumerate(cells):
            page.write_string(row, place, neutral(text), wrap)
    for place, width in enumerate((30, 50, 50, 14, 40, 40, 40)):
        page.set_column(place, place, width)
    page.freeze_panes(start + 1, 1)
