"""The files that sheets stand in: XLSX as a stream of rows, CSV by the standard library; read as often as asked.

Nothing of a file is ever run: of a formula only the stored result is read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol

from python_calamine_plus import CalamineCell, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from shared.contracts.base import Problem, to_nfc
from shared.refusals import problem
from shared.sheets.cells import EMPTY, Cell, RawRow, address
from shared.sheets.columns import SheetRefused
from shared.sheets.encodings import WINDOWS, FileEncoding, encoding_of, mended
from shared.sheets.guarding import MOST_BYTES, OLE, guard_xlsx

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
"""Names of files that are never text; what they are is asked of their bytes."""
MOST_COLUMNS = 600
"""Columns that are looked at; the widest form has about two hundred."""
MOST_ROWS = 100_000
"""Rows in which something stands."""
_FIELD = 1 << 17
"""Characters of one field of a CSV; a quote that nobody closes would swallow the rest of the file."""


class Table(Protocol):
    """One table of a file."""

    @property
    def name(self) -> str:
        """What the sheet is called; of a CSV the file."""

    @property
    def notes(self) -> Sequence[Problem]:
        """What was met in the file that a sender should know."""

    def rows(self, columns: int = MOST_COLUMNS, last: int | None = None) -> Iterator[RawRow]:
        """Its rows from the first, as often as asked. Raises `SheetRefused` where the file ends in the middle."""


def tables(path: Path, mend_encoding: bool) -> list[Table]:
    """The tables of a file that may be meant: of an XLSX its visible sheets.

    Args:
        mend_encoding: whether a text file in an old encoding is read; else it is refused.

    Raises:
        SheetRefused: the file is none of the two, damaged, too large, or in an old encoding.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
        size = path.stat().st_size
    except OSError as error:
        raise SheetRefused(problem("sheets.file_unread")) from error
    if path.suffix.casefold() in WORKBOOKS or start[:2] == b"PK" or start == OLE:
        guard_xlsx(path)
        return _xlsx_tables(path)
    if size > MOST_BYTES:
        raise SheetRefused(problem("sheets.file_too_large", size=size, most=MOST_BYTES))
    return [_csv_table(path, mend_encoding)]


# --------------------------------------------------------------------------------------------------------- XLSX


@contextmanager
def _reading() -> Iterator[None]:
    """What the reader stumbles over is the file's fault; its panics are no `Exception`."""
    try:
        yield
    except SheetRefused:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise SheetRefused(problem("sheets.file_damaged")) from error
        raise


@dataclass(frozen=True)
class XlsxTable:
    """One visible sheet of a workbook."""

    path: Path
    name: str
    notes: Sequence[Problem]

    def rows(self, columns: int = MOST_COLUMNS, last: int | None = None) -> Iterator[RawRow]:
        """See `Table`."""
        most = None if last is None else last - 1
        with _reading():
            book = CalamineWorkbook.from_path(self.path)
            # A program that wrote formulas without computing them says so, and stores 0.
            never = bool((book.calculation or {}).get("full_calc_on_load"))
            stream = book.stream_sheet_by_name(self.name, rich=True, max_row=most, max_col=columns - 1)
            for number, cells in enumerate(stream, start=1):
                read = [_cell(cell, never) for cell in cells]  # type: ignore[arg-type]
                yield RawRow(number, read, bool((stream.row_info or {}).get("hidden")))


def _cell(cell: CalamineCell, never: bool) -> Cell:
    value, formula = cell.value, cell.formula
    if value == "" and formula is None and cell.merged_range is None:
        return EMPTY
    made = Cell(None if value == "" else value, formula=formula is not None)
    style = cell.style
    if style is not None:
        made.format = style.get("number_format") or "General"
    merged = cell.merged_range
    if merged is not None and merged[0] != merged[1]:
        made.trouble = "merged"
    elif cell.data_type == "e":
        made.trouble = "error"
    elif made.formula and (made.value is None or (never and made.value == 0 and made.value is not False)):
        made.trouble = "uncalculated"
    return made


def _xlsx_tables(path: Path) -> list[Table]:
    with _reading(), CalamineWorkbook.from_path(path) as book:
        notes = [problem("sheets.days_from_1904")] if book.epoch_1904 else []
        of_sheets = [one for one in book.sheets_metadata if one.typ == SheetTypeEnum.WorkSheet]
        visible = [one.name for one in of_sheets if one.visible == SheetVisibleEnum.Visible]
    return [XlsxTable(path, name, notes) for name in visible]


# ---------------------------------------------------------------------------------------------------------- CSV


@dataclass(frozen=True)
class CsvTable:
    """A text file of fields that are parted by commas, semicolons or tabs."""

    path: Path
    encoding: FileEncoding
    delimiter: str
    notes: Sequence[Problem] = field(default_factory=tuple)

    @property
    def name(self) -> str:
        """The file."""
        return self.path.name

    def rows(self, columns: int = MOST_COLUMNS, last: int | None = None) -> Iterator[RawRow]:
        """See `Table`. A record is a row, as a spreadsheet program counts them."""
        number = 0
        try:
            with self.path.open(encoding=self.encoding.codec, newline="", errors="strict") as file:
                csv.field_size_limit(_FIELD)
                for number, fields in enumerate(csv.reader(file, delimiter=self.delimiter, strict=True), start=1):
                    if last is not None and number > last:
                        return
                    yield RawRow(number, [self._cell(one) for one in fields[:columns]])
        except (csv.Error, UnicodeError) as error:
            at = address(number + 1, 0)
            raise SheetRefused(problem("sheets.csv_broken", at)) from error

    def _cell(self, text: str) -> Cell:
        if not text:
            return EMPTY
        old = self.encoding.old
        return Cell(mended(text, old) if old not in (None, WINDOWS) else to_nfc(text))


def _csv_table(path: Path, mend_encoding: bool) -> CsvTable:
    encoding = encoding_of(path)
    if encoding.old == "unknown":
        raise SheetRefused(problem("sheets.encoding_unknown"))
    if encoding.old is not None and not mend_encoding:
        raise SheetRefused(problem("sheets.file_encoding_old", encoding=encoding.old.upper()))
    notes = []
    if encoding.old is not None:
        notes.append(problem("sheets.encoding_mended", encoding=encoding.old.upper()))
    if encoding.note is not None:
        notes.append(problem("sheets.encoding_met", encoding=encoding.note))
    return CsvTable(path, encoding, _delimiter(path, encoding), notes)


def _delimiter(path: Path, encoding: FileEncoding) -> str:
    """What parts the fields: the sign of which the first lines have most."""
    with path.open(encoding=encoding.codec, errors="replace") as file:
        start = "".join(islice(iter(lambda: file.readline(_FIELD), ""), 3))
    return max(",;\t", key=start.count)
