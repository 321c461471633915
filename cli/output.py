"""What a command says: a table for people, JSON or CSV for programs, and in plain words why it cannot go on."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, NoReturn, TypeVar

import typer
from pydantic_core import to_json
from rich import box
from rich import text as rich_text
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType
from rich.segment import Segment
from rich.table import Table

from deploy.local import LocalPlatformError
from shared import wording
from shared.contracts.base import Text
from shared.rulebook import HANOI
from shared.texts import neutral, neutral_cell, neutral_json
from shared.wording import EN, VI

T = TypeVar("T")
UTF8_BOM = "\ufeff"


class NeutralConsole(Console):
    """Whatever stands in somebody's data, nothing but text reaches the terminal: names, reasons and keys that are older
    than the border, or that another program has stored, may hold what moves a cursor or turns the direction."""

    def render_str(self, text: str, **options: Any) -> rich_text.Text:
        return super().render_str(neutral(text, lines=True), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            told = segment.text if segment.control else neutral(segment.text, lines=True)
            yield segment if told == segment.text else Segment(told, segment.style)


# A pipe has no width; 80 columns would break the tables of whoever reads a log.
console = NeutralConsole(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120)
errors = NeutralConsole(stderr=True)


class Format(StrEnum):
    """How a command prints its result."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Language(StrEnum):
    """Language of what is said."""

    VI = "vi"
    EN = "en"

    def of(self, text: Text) -> str:
        """The text in this language."""
        return self.words.of(text)

    @property
    def words(self) -> wording.Language:
        """How it writes numbers and days."""
        return VI if self is Language.VI else EN


def both(text: Text) -> str:
    """The text in both languages: of what ends a command, or is said whatever language was asked for."""
    return f"{text.vi} / {text.en}"


class CommandError(Exception):
    """Why a command cannot go on, in words for whoever gave it."""


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say what went wrong in the error's own words, without a traceback, and exit with 1."""
    try:
        yield
    except (CommandError, LocalPlatformError) as error:
        fail(str(error))


def fail(text: str) -> NoReturn:
    """Say it in red and exit with 1."""
    errors.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1) from None


def say(text: str, **style: Any) -> None:
    """Say it as it is: a bracket in somebody's data is no markup."""
    console.print(text, markup=False, highlight=False, **style)


def say_json(text: str) -> None:
    """JSON for programs; in a terminal it is nothing but text either."""
    print(neutral_json(text), flush=True)


def say_line(text: str) -> None:
    """A line of a file, as it stands there but for what a terminal would obey."""
    print(neutral(text, lines=True), flush=True)


# --------------------------------------------------------------------------------------------------- rows


def plain(value: Any) -> str:
    """A value as programs read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, datetime) else str(value)


@dataclass(frozen=True)  # with slots, `Column[Row](…)` cannot note what it is of, and fails
class Column(Generic[T]):
    """One column of rows."""

    name: str
    """For programs."""
    heading: str
    """For people."""
    value: Callable[[T], Any] | None = None
    """What stands in it; by default what the row has under the column's name."""
    shown: Callable[[Any], str] = plain
    """How people read it."""
    number: bool = False
    below: bool = False
    """Whether people read it below the table, by the row's first cell: sentences of people are long."""

    def of(self, row: T) -> Any:
        """What stands in it."""
        if self.value is not None:
            return self.value(row)
        return row.get(self.name) if isinstance(row, Mapping) else getattr(row, self.name)

    def cell(self, row: T) -> str:
        """How people read what stands in it."""
        value = self.of(row)
        return "" if value is None else self.shown(value)


def headed(**headings: str) -> list[Column[Any]]:
    """Columns of what rows have under these names."""
    return [Column(name, heading) for name, heading in headings.items()]


def number(name: str, heading: str, value: Callable[[T], Any] | None = None) -> Column[T]:
    """A column of numbers that are not summed up."""
    return Column(name, heading, value, number=True)


def money(name: str, heading: str, value: Callable[[T], Any] | None = None) -> Column[T]:
    """A column of amounts; programs read whole đồng."""
    return Column(name, heading, value, dong, number=True)


def change(name: str, heading: str, value: Callable[[T], Any] | None = None) -> Column[T]:
    """A column of amounts by which others change."""
    return Column(name, heading, value, VI.signed, number=True)


def emit(
    rows: Sequence[T], columns: Sequence[Column[T]], format: Format, *, title: str = "", full: object = None
) -> None:
    """Print rows. `full` is printed instead of them as JSON."""
    match format:
        case Format.JSON:
            say_json(to_json(rows if full is None else full, indent=2, by_alias=True).decode())
        case Format.CSV:
            # Spreadsheets read UTF-8 only after a byte order mark.
            if sys.stdout.isatty() is False:
                sys.stdout.write(UTF8_BOM)
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(column.name for column in columns)
            writer.writerows([neutral_cell(plain(column.of(row))) for column in columns] for row in rows)
        case Format.TABLE:
            cells = {column.heading: [column.cell(row) for row in rows] for column in columns}
            # A column in which nothing stands tells nothing.
            told = [one for one in columns if not one.below and (not rows or any(cells[one.heading]))]
            table = Table(
                title=rich_text.Text(title) if title else None,
                title_justify="left",
                title_style="bold",
                box=box.SIMPLE_HEAD,
            )
            table.padding = (0, 1, 0, 0)
            for column in told:
                justify: JustifyMethod = "right" if column.number else "left"
                # In a narrow terminal texts are broken and numbers stay whole; nothing is cut off.
                table.add_column(column.heading, justify=justify, no_wrap=column.number, overflow="fold")
            for row in zip(*(cells[column.heading] for column in told), strict=True):
                table.add_row(*row)
            console.print(table, markup=False)  # a bracket in somebody's data is no markup
            below = [(column, place) for column in columns if column.below for place in range(len(rows))]
            for column, place in sorted(below, key=lambda one: one[1]):
                if cell := cells[column.heading][place]:
                    say(f"{columns[0].cell(rows[place])} · {column.heading}: {cell}")


# ------------------------------------------------------------------------------------------------- values


def dong(amount: int | None) -> str:
    """An amount of money for people, as Vietnamese writes it: `1.234.567`."""
    return "" if amount is None else VI(amount)


def moment(instant: datetime) -> str:
    """A time for people: Viet Nam's, to the second."""
    return f"{instant.astimezone(HANOI):%Y-%m-%d %H:%M:%S}"
