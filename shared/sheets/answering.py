"""The same sheet with its answers: status, reason and mend in each row, and every cell at the address that it had.

It may be mended and handed in again: the columns of the answer are not read, and rows that did not change are known
again. Formulas come back as their stored values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook

from shared.contracts.base import Problem
from shared.sheets.cells import Cell
from shared.sheets.heads import ANSWERS, Head
from shared.sheets.reading import Sheet
from shared.sheets.template import DATA
from shared.sheets.words import BECAME
from shared.texts import neutral
from shared.wording import VI, Language

ANSWERED = ".answered.xlsx"
"""End of the name of an answered sheet."""
_DAY = "dd/mm/yyyy"
_LONGEST = 32_000
"""Characters of a cell; XLSX allows 32,767."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a row is told."""

    status: str
    """A code; those of `BECAME` stand in words beside it."""
    problems: Sequence[Problem] = ()
    """`field`: the address of a cell, or a place in the body that no cell has."""


def write_answered(sheet: Sheet, answers: Mapping[int, Answer], file: Path, language: Language = VI) -> None:
    """Write the answered sheet, whole or not at all.

    Args:
        answers: by row number; rows without one are blank or headings.

    Raises:
        SheetRefused: the sheet was changed meanwhile.
        OSError: it cannot be written there.
    """
    half = file.with_name(f".{file.name}.{os.getpid()}")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    try:
        book = Workbook(str(half), options)
        writer = _Writer(book)
        places = _places(sheet)
        for raw in sheet.raw():
            cells: dict[int, Cell] = {
                place: cell for place, cell in enumerate(raw.cells) if place not in places.values()
            }
            texts = _told(raw.number, sheet.head, answers.get(raw.number), language)
            cells |= {places[id]: Cell(text) for id, text in texts.items()}
            writer.write(raw.number, cells)
        book.close()
        os.replace(half, file)
    finally:
        half.unlink(missing_ok=True)


def _places(sheet: Sheet) -> dict[str, int]:
    """Where the columns of the answer stand: where they stood, else behind all that stands in any row."""
    stood = {id: place for place, id in sheet.head.unread.items()}
    free = iter(range(sheet.widest, sheet.widest + len(ANSWERS)))
    return {id: stood[id] if id in stood else next(free) for id in ANSWERS}


def _told(row: int, head: Head, answer: Answer | None, language: Language) -> dict[str, str]:
    if row == head.heading:
        return {id: id for id in ANSWERS}
    if row in head.rows and row > head.heading:
        return {id: language.of(name) for id, name in ANSWERS.items()}
    if answer is None:
        return {}
    reasons = [f"{one.field}: {language.of(one.said)}" for one in answer.problems]
    mends = [language.of(one.mend) for one in answer.problems]
    words = BECAME.get(answer.status)
    said = "" if words is None else language.of(words)
    texts = (answer.status, said, "\n".join(reasons), "\n".join(dict.fromkeys(mends)))
    return dict(zip(ANSWERS, texts, strict=True))


class _Writer:
    """Writes cells as they were shown; a text is never run."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._page = book.add_worksheet(DATA)
        self._formats: dict[str, Any] = {}

    def write(self, row: int, cells: Mapping[int, Cell]) -> None:
        """Write one row; rows come in their order."""
        for place, cell in sorted(cells.items()):
            value, at = cell.value, (row - 1, place)
            if value is None or cell.trouble == "uncalculated":  # a stored 0 would come back as a figure
                continue
            if isinstance(value, bool):
                self._page.write_boolean(*at, value)
            elif isinstance(value, int | float):
                self._page.write_number(*at, value, self._format(cell.format))
            elif isinstance(value, date | datetime | time | timedelta):
                self._page.write_datetime(*at, value, self._format(_DAY if cell.format == "General" else cell.format))
            else:
                text = neutral(value, lines=True)[:_LONGEST]
                self._page.write_string(*at, text, self._format("@"))

    def _format(self, number: str) -> Any:
        if number not in self._formats:
            self._formats[number] = self._book.add_format({"num_format": number})
        return self._formats[number]
