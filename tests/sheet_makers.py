"""Makes sheets for tests: small ones with anything in a cell, and files that are none."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from viparse.normalize.encodings import get_charmap

from shared.contracts.base import DECIMAL
from shared.registry import registry
from shared.sheets import (
    Column,
    Form,
    Options,
    Row,
    Sheet,
    SheetRefused,
    csv_template,
    form_of,
    kinds,
    open_sheet,
    xlsx_template,
)
from shared.sheets.guarding import OLE
from shared.sheets.rows import body_of
from shared.sheets.template import DATA, HEAD_ROWS
from shared.sheets.words import Holds

TODAY = date(2026, 2, 20)
OLD_TEXT = "Báo cáo của ủy ban nhân dân xã Hòa Bình về kết quả xây dựng cộng đồng học tập và kinh phí hỗ trợ năm học"
"""TCVN3 has no capitals with tones."""


def value_at(data: Any, column: Column) -> Any:
    """What a body says of a column."""
    if column.path[:2] == ("content", "traits"):
        given = data.get("content", {}).get("traits", [])
        return next((one for one in given if one in column.choices), None)
    for key in column.path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def as_cell(value: Any, column: Column, suffix: str) -> Any:
    """How somebody fills in a value."""
    if isinstance(value, bool):
        return "có" if value else "không"
    if column.holds is Holds.DECIMAL and value is not None and DECIMAL.fullmatch(str(value)):
        return float(value) if suffix == ".xlsx" else str(value).replace(".", ",")
    return "\n".join(value) if isinstance(value, list) else value


def filled_in(form: Form, bodies: Sequence[Mapping[str, Any]], file: Path, province: str = "04") -> Path:
    """The template of a form, as XLSX or CSV, with a row for each body, by another program's hand."""
    rows = [[as_cell(value_at(body, one), one, file.suffix) for one in form.columns] for body in bodies]
    if file.suffix == ".csv":
        text = io.StringIO()
        csv.writer(text, delimiter=";").writerows([["" if cell is None else cell for cell in row] for row in rows])
        file.write_bytes(csv_template(form, province, "1") + text.getvalue().encode())
        return file
    file.write_bytes(xlsx_template(form, province, "1", register=registry(), today=TODAY))
    book = openpyxl.load_workbook(file)
    for number, row in enumerate(rows, start=HEAD_ROWS + 1):
        for place, cell in enumerate(row, start=1):
            if cell is not None:
                book[DATA].cell(number, place).value = cell
    book.save(file)
    return file


def by_sheet(type_: str, body: Mapping[str, Any], file: Path, province: str, today: date = TODAY) -> Row | None:
    """What a record's body becomes that somebody hands in as a sheet of one row.

    `None`: no sheet says the same: its head is none, or something stands in it that no column has.
    """
    kind = next(kind for kind, (event, _) in kinds().items() if event == type_)
    period, series = body.get("period"), body.get("series")
    try:
        form = form_of(kind, province=province, period=period if type(period) is int else None, series=series)
    except SheetRefused:
        return None
    values = {one.id: value_at(body, one) for one in form.columns}
    said = body_of(form, {id: value for id, value in values.items() if value != []})
    if without_nothing(said) != without_nothing({**body, "submission_id": None}):
        return None
    filled_in(form, [body], file, province)
    rows = list(open_sheet(file, options(province=province, today=today)).rows())
    return rows[HEAD_ROWS] if len(rows) > HEAD_ROWS else None


def without_nothing(value: Any) -> Any:
    """A value without what says nothing: a sheet has no null, and no list without entries. 5.0 is not 5: no amount."""
    if isinstance(value, dict):
        return {key: known for key, one in value.items() if (known := without_nothing(one)) not in (None, [])}
    return repr(value) if isinstance(value, float) else value


def options(**given: Any) -> Options:
    """Of a sender in Hà Nội."""
    return Options(**{"province": "01", "today": TODAY, **given})


def write(
    file: Path,
    rows: Sequence[Sequence[str]],
    put: Mapping[str, Any],
    *,
    merge: str | None = None,
    hide: int | None = None,
    book_options: Mapping[str, Any] | None = None,
) -> Path:
    """A workbook of one sheet: rows of texts, then single cells by their address.

    A cell is a plain value, or `{formula, value}`, `{number, format}`, `{day}`, `{instant}`, `{text}`.
    """
    book = xlsxwriter.Workbook(str(file), dict(book_options or {}))
    page = book.add_worksheet(DATA)
    for number, texts in enumerate(rows):
        for place, text in enumerate(texts):
            page.write_string(number, place, text)
    for at, value in put.items():
        match value:
            case {"formula": formula}:
                page.write_formula(at, formula, None, value.get("value", 0))
            case {"number": number}:
                page.write_number(at, number, book.add_format({"num_format": value["format"]}))
            case {"day": day}:
                page.write_datetime(at, datetime.fromisoformat(str(day)), book.add_format({"num_format": "dd/mm/yyyy"}))
            case {"instant": instant}:
                page.write_datetime(at, datetime.fromisoformat(instant), book.add_format({"num_format": "dd/mm/yyyy"}))
            case {"text": text}:
                page.write_string(at, text)
            case bool():
                page.write_boolean(at, value)
            case int() | float():
                page.write_number(at, value)
            case _:
                page.write_string(at, str(value))
    if merge is not None:
        page.merge_range(merge, "")
        (first, _) = merge.split(":")
        if first in put:
            page.write(first, put[first])
    if hide is not None:
        page.set_row(hide - 1, None, None, {"hidden": True})
    book.close()
    return file


def headed(kind: str, numbers: str = "vi", **more: str) -> list[list[str]]:
    """Declaration, headings, names of a sheet of a kind."""
    period = 2025 if kind in ("centre", "commune") else None
    form = form_of(kind, province="01", period=period)
    said = ["langhoc", kind, "numbers", numbers, *(["period", "2025"] if period else [])]
    said += [part for pair in more.items() for part in pair]
    return [said, [one.id for one in form.columns], [one.name.vi for one in form.columns]]


def read(file: Path, **given: Any) -> tuple[Sheet, list[Row]]:
    """A sheet and its rows."""
    sheet = open_sheet(file, options(**given))
    return sheet, list(sheet.rows())


def found(file: Path, **given: Any) -> list[list[str]]:
    """Codes and addresses of everything that is wrong with a sheet; nothing where all its rows can be sent."""
    try:
        _, rows = read(file, **given)
    except SheetRefused as refused:
        problems = list(refused.problems)
    else:
        problems = [one for row in rows for one in row.problems]
    for one in problems:
        assert all((one.message.vi, one.message.en, one.expected.vi, one.mend.vi, one.mend.en))
    return [[one.code, one.field] for one in problems]


def old_bytes(text: str, encoding: str) -> bytes:
    """A text as an old program wrote it."""
    if encoding == "windows-1258":
        pieces = []
        for letter in unicodedata.normalize("NFC", text):
            try:
                pieces.append(letter.encode("cp1258"))
            except UnicodeEncodeError:
                apart = unicodedata.normalize("NFD", letter)
                tone = next(one for one in apart[1:] if one in "\u0300\u0301\u0303\u0309\u0323")
                base = unicodedata.normalize("NFC", "".join(one for one in apart if one != tone))
                pieces.append(f"{base}{tone}".encode("cp1258"))
        return b"".join(pieces)
    return in_old_letters(text, encoding).encode("latin-1")


def in_old_letters(text: str, encoding: str) -> str:
    """A text as an XLSX has it that was written in a font of TCVN3 or VNI."""
    table = get_charmap(encoding)
    assert table is not None
    back = {new: old for old, new in reversed(table.pairs)}
    return "".join(back.get(letter, letter) for letter in text)


# -------------------------------------------------------------------------------------------------------- files


def envelope(file: Path) -> Path:
    """A sheet with nothing wrong."""
    return write(file, headed("envelope"), {"A4": 2026, "C4": 75_000_000})


def altered(file: Path, changes: Mapping[str, bytes | None], more: Sequence[tuple[str, bytes]] = ()) -> Path:
    """A sound workbook with some of its parts changed."""
    envelope(file)
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as whole:
        parts = [(one, changes.get(one, whole.read(one))) for one in whole.namelist()]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in [*parts, *more]:
            if content is not None:
                packed.writestr(name, content)
    return file


SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def part(file: Path, name: str) -> bytes:
    """A part of a sound workbook."""
    with zipfile.ZipFile(envelope(file)) as whole:
        return whole.read(name)


def make(name: str, file: Path) -> Path:
    """A file of the hostile corpus by its name."""
    match name:
        case "nothing":
            file.write_bytes(b"")
        case "half":
            whole = envelope(file).read_bytes()
            file.write_bytes(whole[: len(whole) // 2])
        case "picture":
            file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 100)
        case "old":
            file.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600)
        case "other_zip":
            with zipfile.ZipFile(file, "w") as packed:
                packed.writestr("readme.txt", "hello")
        case "bomb":
            content = part(file, SHEET).replace(b"</sheetData>", b"<c/><!---->" * (25 << 20) + b"</sheetData>")
            altered(file, {SHEET: content})
        case "rows_without_end":
            content = part(file, SHEET).replace(b"</sheetData>", b"<row/>" * (2 << 20) + b"</sheetData>")
            altered(file, {SHEET: content})
        case "bomb_of_texts":
            altered(file, {STRINGS: b"<sst>" + b"<si><t>a</t></si>" * (8 << 20) + b"</sst>"})
        case "endless_cell":
            altered(file, {SHEET: part(file, SHEET).replace(b"<sheetData>", b"<sheetData>" + b"a" * (3 << 20))})
        case "lying":
            whole = envelope(file).read_bytes()
            size = re.search(rb"PK\x01\x02.{20}(.{4})", whole, re.DOTALL)
            assert size is not None
            file.write_bytes(whole[: size.start(1)] + b"\1\0\0\0" + whole[size.end(1) :])
        case "twice":
            altered(file, {}, [(SHEET, b"<worksheet/>")])
        case "many_parts":
            altered(file, {}, [(f"xl/media/{number}", b"") for number in range(10_000)])
        case "torn":
            altered(file, {SHEET: part(file, SHEET).partition(b'<row r="4"')[0] + b'<row r="4"><c r="A4'})
        case "entities":
            bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
            altered(file, {SHEET: part(file, SHEET).replace(b"<worksheet", bomb + b"<worksheet", 1)})
        case "far_away":
            write(file, headed("envelope"), {"A4": 2026, "C4": 75, "A12000": 2027, "C12000": 80})
        case "dimensions":
            wide = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:XFD1048576"', part(file, SHEET))
            altered(file, {SHEET: wide})
        case "external_link":
            link = b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
            altered(file, {}, [("xl/externalLinks/externalLink1.xml", link)])
        case "macros":
            altered(file, {}, [("xl/vbaProject.bin", OLE + b"\0" * 600)])
        case "inline_texts":
            write(file, headed("envelope"), {"A4": 2026, "C4": 75_000_000}, book_options={"constant_memory": True})
        case "days_from_1904":
            since = {"date_1904": True}
            put = {"A4": "TT-1", "B4": "TT", "C4": "00004", "D4": "other", "E4": 6000, "F4": {"day": "2011-09-05"}}
            write(file, headed("registration"), put, book_options=since)
        case "hidden_sheet":
            book = xlsxwriter.Workbook(str(file))
            book.add_worksheet("a")
            hidden = book.add_worksheet("b")
            hidden.write_row(0, 0, ["langhoc", "envelope"])
            hidden.hide()
            book.close()
        case "empty_sheets":
            book = xlsxwriter.Workbook(str(file))
            book.add_worksheet("a")
            book.close()
        case "two_sheets":
            book = xlsxwriter.Workbook(str(file))
            for each in ("a", "b"):
                book.add_worksheet(each).write_row(0, 0, ["langhoc", "envelope"])
            book.close()
        case _:
            raise AssertionError(name)
    return file


def bytes_of(name: str) -> bytes:
    """Bytes of a text file of the hostile corpus by its name."""
    text = f"langhoc,envelope\nyear,amount,reason\n2026,75,{OLD_TEXT}\n"
    match name:
        case "tcvn3" | "vni":
            return old_bytes(text, name)
        case "windows":
            return old_bytes(text, "windows-1258")
        case "noise":
            return bytes(range(128, 256)) * 4
        case "zip":
            return b"PK\x03\x04" + b"\0" * 100
        case "half_letter":
            return b"langhoc,envelope\nyear,amount\n2026,75\xe1\xba"
        case "half_utf16":
            return "langhoc,envelope\nyear,amount\n2026,75".encode("utf-16")[:-1]
        case _:
            raise AssertionError(name)


def template(kind: str, file: Path, period: int | None = None, **given: Any) -> Path:
    """A template as `langhoc template` writes it."""
    form = form_of(kind, province="01", period=period, series=given.pop("series", None))
    file.write_bytes(xlsx_template(form, "01", "7f3a09c1", register=registry(), today=TODAY, **given))
    return file
