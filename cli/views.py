"""`langhoc simulate`, `sustainability` and `export`: views of money that change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.bar import Bar
from rich.table import Table

from cli.client import Client
from cli.output import dong, emit, signed_dong
from cli.platform import Format, console, plain_errors
from deploy.local import LocalPlatformError
from shared.contracts.submissions import AreaClass

FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, json or csv for programs.")]
ProvinceOption = Annotated[str, typer.Option("--province", "-p", help="Province code, two digits.")]
SHOWN = 10
WIDTH = 36
AREAS: Mapping[AreaClass, str] = {
    "region_1": "Region I",
    "region_2": "Region II",
    "region_3": "Region III",
    "other": "no region",
}
FINDINGS: Mapping[str, str] = {
    "effective_under_supported": "effective, under-supported",
    "weak_over_supported": "weak, over-supported",
    "balanced": "",
    "unknown": "not known",
}


def app_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    for command in (simulate, sustainability, export):
        app.command()(command)


def simulate(
    province: ProvinceOption,
    year: Annotated[int, typer.Option("--year", "-y", help="Budget year.")],
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
        body: dict[str, Any] = {"year": year, "envelope": envelope, "policy": _text(policy) if policy else None}
        found = Client().post("funding", f"/simulations/{province}", body)
        columns = {
            "centre_id": "Centre",
            "name": "Name",
            "area_class": "Area",
            "before": "Before ₫",
            "after": "After ₫",
            "delta": "Change ₫",
        }
        if format is not Format.TABLE:
            emit(found["changes"], columns, format, full=found)
            return
        _show_totals(found)
        _show_areas(found["by_area_class"])
        _show_changes(found["changes"])


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LocalPlatformError(f"{file} cannot be read: {error}") from error


def _show_totals(found: dict[str, Any]) -> None:
    rows = []
    for label, side in (("before", found["before"]), ("after", found["after"])):
        rows.append(
            {
                "side": label,
                "envelope": dong(side["envelope"]),
                "allocated": dong(side["allocated"]),
                "reserve": dong(side["reserve"]),
                "case": side["case"],
                "gini": _four_places(Fraction(side["gini"])),
            }
        )
    columns = {
        "side": "",
        "envelope": "Envelope ₫",
        "allocated": "Σ lines ₫",
        "reserve": "Reserve ₫",
        "case": "Case",
        "gini": "Gini",
    }
    title = f"What if: province {found['province']}, {found['year']} (nothing was written)"
    emit(rows, columns, Format.TABLE, title=title, numbers=["envelope", "allocated", "reserve", "gini"])
    console.print(
        f"{found['winners']} centres gain, {found['losers']} lose, {found['unchanged']} stay.\n", highlight=False
    )


def _four_places(number: Fraction) -> str:
    return f"{Decimal(number.numerator) / Decimal(number.denominator):.4f}"


def _show_areas(areas: list[dict[str, Any]]) -> None:
    rows = [
        {
            "area": AREAS.get(area["area_class"], area["area_class"]),
            "centres": area["centres"],
            "before": dong(area["before"]),
            "after": dong(area["after"]),
            "delta": signed_dong(area["delta"]),
        }
        for area in areas
    ]
    columns = {"area": "Area", "centres": "Centres", "before": "Before ₫", "after": "After ₫", "delta": "Change ₫"}
    emit(rows, columns, Format.TABLE, title="By area class", numbers=["centres", "before", "after", "delta"])


def _show_changes(changes: list[dict[str, Any]]) -> None:
    """The largest changes both ways, as bars around their common zero."""
    moved = sorted((one for one in changes if one["delta"]), key=lambda one: (one["delta"], one["centre_id"]))
    if not moved:
        return
    least, most = moved[:SHOWN], moved[max(SHOWN, len(moved) - SHOWN) :]
    low, high = min(moved[0]["delta"], 0), max(moved[-1]["delta"], 0)
    table = Table(title="Largest changes", title_justify="left", title_style="bold", box=None, padding=(0, 1))
    for name, justify in (("Centre", "left"), ("Before ₫", "right"), ("After ₫", "right"), ("Change ₫", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("", width=WIDTH)
    for one in reversed(least + most):
        delta = one["delta"]
        bar = Bar(
            high - low, min(delta, 0) - low, max(delta, 0) - low, width=WIDTH, color="red" if delta < 0 else "green"
        )
        table.add_row(one["centre_id"], dong(one["before"]), dong(one["after"]), signed_dong(delta), bar)
    console.print(table)
    if len(moved) > len(least) + len(most):
        console.print(f"… and {len(moved) - len(least) - len(most)} more; all of them with --format json", style="dim")


def sustainability(
    province: ProvinceOption,
    last: Annotated[int, typer.Option(help="Last budget year to look at.")],
    first: Annotated[int | None, typer.Option(help="First budget year; by default five years are shown.")] = None,
    findings: Annotated[bool, typer.Option("--findings", help="Only centres that stand out.")] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Support beside results of each centre over the years: who works well with little, and the reverse."""
    with plain_errors():
        views = Client().get("funding", f"/sustainability/{province}", last=last, first=first)
        shown = [
            view
            for view in views
            if not findings or view["finding"] in ("effective_under_supported", "weak_over_supported")
        ]
        years = sorted({year["year"] for view in shown for year in view["years"]})
        columns = {"centre_id": "Centre", "area": "Area"}
        columns |= {f"support_{year}": f"{year} ₫" for year in years}
        columns |= {f"result_{year}": f"result {year - 1}" for year in years}
        columns |= {"support_trend": "Support", "score_trend": "Score", "finding": "Finding"}
        numbers = [f"support_{year}" for year in years]
        title = f"Sustainability of centres, province {province} (a view: it moves no money)"
        emit([_flat(view) for view in shown], columns, format, title=title, numbers=numbers, full=shown)


def _flat(view: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "centre_id": view["centre_id"],
        "area": AREAS.get(view["area_class"], view["area_class"]),
        "support_trend": view["support_trend"],
        "score_trend": view["score_trend"],
        "finding": FINDINGS.get(view["finding"], view["finding"]),
    }
    for year in view["years"]:
        row[f"support_{year['year']}"] = dong(year["support"])
        row[f"result_{year['year']}"] = " ".join(filter(None, (year["total"], year["grade"])))
    return row


class ExportForm(StrEnum):
    """Form of an export."""

    CSV = "csv"
    XLSX = "xlsx"
    OCDS = "ocds"


def export(
    province: ProvinceOption,
    year: Annotated[int, typer.Option("--year", "-y", help="Budget year.")],
    out: Annotated[Path, typer.Option(help="File to write.", dir_okay=False)],
    form: Annotated[
        ExportForm, typer.Option("--format", help="csv for systems, xlsx for people, ocds for open contracting.")
    ] = ExportForm.XLSX,
) -> None:
    """Write a province's published decisions to a file: what stands, or with ocds every version and its reason.

    Example: langhoc export --province 01 --year 2026 --out 01.xlsx
    """
    with plain_errors():
        content = Client().download("funding", f"/exports/{province}/{year}", format=form.value)
        try:
            out.write_bytes(content)
        except OSError as error:
            raise LocalPlatformError(f"{out} cannot be written: {error}") from error
        console.print(f"{out}: {len(content):,} bytes", highlight=False)
