"""Printing rows: a table for people, JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from cli.platform import Format, console

UTF8_BOM = "\ufeff"


def emit(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    format: Format,
    *,
    title: str = "",
    numbers: Sequence[str] = (),
    full: object = None,
) -> None:
    """Print rows. `columns` maps keys to headings; `full` is printed instead of the rows as JSON."""
    match format:
        case Format.JSON:
            print(json.dumps(rows if full is None else full, ensure_ascii=False, indent=2))
        case Format.CSV:
            # Spreadsheets read UTF-8 only after a byte order mark.
            if sys.stdout.isatty() is False:
                sys.stdout.write(UTF8_BOM)
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_cell(row.get(key)) for key in columns] for row in rows)
        case Format.TABLE:
            # A column in which nothing stands tells nothing.
            shown = [key for key in columns if not rows or any(_cell(row.get(key)) for row in rows)]
            table = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
            for key in shown:
                number = key in numbers
                table.add_column(columns[key], justify="right" if number else "left", no_wrap=number)
            for row in rows:
                table.add_row(*[_cell(row.get(key)) for key in shown])
            console.print(table, markup=False)  # a bracket in somebody's data is no markup


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def dong(amount: int | None) -> str:
    """An amount of money for people, as Vietnamese writes it: `1.234.567`."""
    return "" if amount is None else f"{amount:,}".replace(",", ".")


def signed_dong(amount: int) -> str:
    """A change of money for people, with its sign: `+1.234`, `-1.234`, `0`."""
    return f"+{dong(amount)}" if amount > 0 else f"-{dong(-amount)}" if amount < 0 else "0"
