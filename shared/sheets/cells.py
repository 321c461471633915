"""A row of a sheet as it was read, whatever file it stood in. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Literal

Plain = str | int | float | bool | date | datetime | time | timedelta | None
"""What a cell holds; `None` = nothing. The machine numbers of XLSX stay what they are until a column asks for one."""
Trouble = Literal["error", "uncalculated", "merged"]


@dataclass(slots=True)
class Cell:
    """One cell: the value that is stored, and how it is shown."""

    value: Plain = None
    format: str = "General"
    """Number format of XLSX, which may show 0.62 as 62 %."""
    trouble: Trouble | None = None
    """`error`: `#REF!` and its like; `uncalculated`: a formula without a stored result; `merged` with others."""
    formula: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing stands in it."""
        return self.trouble is None and (self.value is None or (isinstance(self.value, str) and not self.value.strip()))


EMPTY = Cell()


@dataclass(slots=True)
class RawRow:
    """One row with its number as the spreadsheet program shows it, from 1."""

    number: int
    cells: Sequence[Cell]
    hidden: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing stands in it."""
        return all(cell.blank for cell in self.cells)

    def texts(self) -> list[str]:
        """Its cells as headings are compared."""
        return ["" if cell.value is None else str(cell.value).strip() for cell in self.cells]


@cache
def letters(column: int) -> str:
    """`A` of column 0, `AB` of 27."""
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found


def address(row: int, column: int) -> str:
    """`B7` of row number 7 and column 1."""
    return f"{letters(column)}{row}"
