"""`langhoc simulate`, `sustainability` and `export`: views of money that change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.bar import Bar
from rich.table import Table

from cli.client import Client
from cli.options import FormatOption, ProvinceOption, YearOption
from cli.output import (
    Column,
    CommandError,
    Format,
    change,
    console,
    dong,
    emit,
    money,
    number,
    plain_errors,
    say,
)
from shared.answers.budgets import (
    AreaAnswer,
    ChangeAnswer,
    ComparisonAnswer,
    Finding,
    SideAnswer,
    ViewAnswer,
    Worked,
    YearAnswer,
)
from shared.wording import AREAS, EN, VI

SHOWN = 10
WIDTH = 36
FINDINGS: Mapping[Finding, str] = {
    "effective_under_supported": "effective, under-supported",
    "weak_over_supported": "weak, over-supported",
    "balanced": "",
    "unknown": "not known",
}
STANDS_OUT = ("effective_under_supported", "weak_over_supported")


def app_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    for command in (simulate, sustainability, export):
        app.command()(command)


def simulate(
    province: ProvinceOption,
    year: YearOption,
    policy: Annotated[
        Path | None, typer.Option(help="A policy to try, in the form of funding_policy.yaml.", dir_okay=False)
    ] = None,
    envelope: Annotated[int | None, typer.Option(min=0, help="An envelope to try, in đồng.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """What another policy or envelope would make of a province's budget. Nothing is written.

    Example: langhoc simulate --province 01 --year 2026 --envelope 5000000000
    """
    with plain_errors():
        body = {"year": year, "envelope": envelope, "policy": _text(policy) if policy else None}
        found = Client().post("funding", f"/simulations/{province}", ComparisonAnswer, body)
        if format is not Format.TABLE:
            emit(found.changes, CHANGES, format, full=found)
            return
        title = f"What if: province {found.province}, {found.year} (nothing was written)"
        emit([("before", found.before), ("after", found.after)], SIDES, format, title=title)
        say(f"{found.winners} centres gain, {found.losers} lose, {found.unchanged} stay.\n")
        emit(found.by_area_class, BY_AREA, format, title="By area class")
        _show_changes(found.changes)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error


def _four_places(exact: str) -> str:
    number = Fraction(exact)
    return f"{Decimal(number.numerator) / Decimal(number.denominator):.4f}"


def _show_changes(changes: Sequence[ChangeAnswer]) -> None:
    """The largest changes both ways, as bars around their common zero."""
    moved = sorted((one for one in changes if one.delta), key=lambda one: (one.delta, one.centre_id))
    if not moved:
        return
    least, most = moved[:SHOWN], moved[max(SHOWN, len(moved) - SHOWN) :]
    low, high = min(moved[0].delta, 0), max(moved[-1].delta, 0)
    table = Table(title="Largest changes", title_justify="left", title_style="bold", box=None, padding=(0, 1))
    table.add_column("Centre", no_wrap=True)
    for name in ("Before ₫", "After ₫", "Change ₫"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", width=WIDTH)
    for one in reversed(least + most):
        begin, end = sorted((one.delta, 0))
        bar = Bar(high - low, begin - low, end - low, width=WIDTH, color="red" if one.delta < 0 else "green")
        table.add_row(one.centre_id, dong(one.before), dong(one.after), VI.signed(one.delta), bar)
    console.print(table)
    if len(moved) > len(least) + len(most):
        say(f"… and {len(moved) - len(least) - len(most)} more; all of them with --format json", style="dim")


def sustainability(
    province: ProvinceOption,
    last: Annotated[int, typer.Option(help="Last budget year to look at.")],
    first: Annotated[int | None, typer.Option(help="First budget year; by default five years are shown.")] = None,
    findings: Annotated[bool, typer.Option("--findings", help="Only centres that stand out.")] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Support beside results of each centre over the years: who works well with little, and the reverse.

    Beside them stands what centres reported of their activity: classes, attendances (not persons), months.
    """
    with plain_errors():
        views = Client().get("funding", f"/sustainability/{province}", list[ViewAnswer], last=last, first=first)
        shown = [view for view in views if not findings or view.finding in STANDS_OUT]
        years = sorted({year.year for view in shown for year in view.years})
        columns: list[Column[ViewAnswer]] = [
            Column("centre_id", "Centre"),
            Column("area", "Area", lambda view: AREAS[view.area_class].en),
            *(number(f"support_{year}", f"{year} ₫", partial(_support, year)) for year in years),
            *(Column(f"result_{year}", f"result {year - 1}", partial(_result, year)) for year in years),
            Column("support_trend", "Support"),
            Column("score_trend", "Score"),
            Column("finding", "Finding", lambda view: FINDINGS[view.finding]),
            Column("activity", "Activity", _activity, below=True),
        ]
        title = f"Sustainability of centres, province {province} (a view: it moves no money)"
        emit(shown, columns, format, title=title)


def _activity(view: ViewAnswer) -> str | None:
    """What was reported of each year, in the words of people."""
    return "; ".join(f"{year}: {_worked(of)}" for year, of in view.worked.items()) or None


def _worked(of: Worked) -> str:
    counts = ((of.classes, "classes"), (of.attendances, "attendances"), (of.active_months, "months with activity"))
    return ", ".join(f"{EN(count)} {what}" for count, what in counts if count is not None) or "not known"


def _year(year: int, view: ViewAnswer) -> YearAnswer | None:
    return next((one for one in view.years if one.year == year), None)


def _support(year: int, view: ViewAnswer) -> str:
    found = _year(year, view)
    return dong(found.support) if found else ""


def _result(year: int, view: ViewAnswer) -> str:
    found = _year(year, view)
    return " ".join(filter(None, (found.total, found.grade))) if found else ""


class ExportForm(StrEnum):
    """Form of an export."""

    CSV = "csv"
    XLSX = "xlsx"
    OCDS = "ocds"


def export(
    province: ProvinceOption,
    year: YearOption,
    out: Annotated[Path, typer.Option(help="File to write.", dir_okay=False)],
    form: Annotated[
        ExportForm, typer.Option("--format", help="csv for systems, xlsx for people, ocds for open contracting.")
    ] = ExportForm.XLSX,
) -> None:
    """Write a province's published decisions to a file: what stands, or with ocds every version and its reason.

    Example: langhoc export --province 01 --year 2026 --out 01.xlsx
    """
    with plain_errors():
        content = Client().download("funding", f"/exports/{province}/{year}", format=form)
        try:
            out.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
        say(f"{out}: {EN(len(content))} bytes")


SIDES: list[Column[tuple[str, SideAnswer]]] = [
    Column("side", "", lambda row: row[0]),
    money("envelope", "Envelope ₫", lambda row: row[1].envelope),
    money("besides", "Equipment, carried ₫", lambda row: row[1].besides or None),
    money("allocated", "Σ lines ₫", lambda row: row[1].allocated),
    money("reserve", "Reserve ₫", lambda row: row[1].reserve),
    Column("case", "Case", lambda row: row[1].case),
    number("gini", "Gini", lambda row: _four_places(row[1].gini)),
]
BY_AREA: list[Column[AreaAnswer]] = [
    Column("area", "Area", lambda area: AREAS[area.area_class].en),
    number("centres", "Centres"),
    money("before", "Before ₫"),
    money("after", "After ₫"),
    change("delta", "Change ₫"),
]
CHANGES: list[Column[ChangeAnswer]] = [
    Column("centre_id", "Centre"),
    Column("name", "Name"),
    Column("area_class", "Area"),
    money("before", "Before ₫"),
    money("after", "After ₫"),
    change("delta", "Change ₫"),
]
