"""`langhoc rankings`: any version of a ranking, and what it changed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.data import FormatOption, Province
from cli.output import emit
from cli.platform import Format, plain_errors
from deploy.local import LocalPlatformError


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(rankings)


class AreaClassOption(StrEnum):
    """Area classes that have a ranking of their own."""

    REGION_1 = "region_1"
    REGION_2 = "region_2"
    REGION_3 = "region_3"
    OTHER = "other"


def rankings(
    period: Annotated[int, typer.Option(help="Assessment period (year).")],
    province: Province = None,
    area: Annotated[AreaClassOption | None, typer.Option(help="Only communes of this area class.")] = None,
    top: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="A version as it was published.")] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="As it stood on this day, e.g. 2026-03-01.")] = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="Whom the version changed against the one before, and why.")
    ] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """The ranking of the nation, of one province or of one area class; unranked communes stand last, with their reason.

    A province is named by its code on the period's cut-off date: 2022 still has the 63 provinces.
    """
    with plain_errors():
        if province and area:
            raise LocalPlatformError(
                "A ranking is of one province or of one area class. Leave out --province or --area."
            )
        scope = f"area-{area.value}" if area else scope_of(province)
        client, path, which = Client(), f"/rankings/{scope}/{period}", {"version": version, "on": on}
        if changes:
            rows = list(client.pages("scoring", f"{path}/changes", **which))
            show_changes(rows[:top], format, f"Changes of ranking {period}, {scope}")
        else:
            rows = list(client.pages("scoring", path, **which))
            show_ranking(rows[:top], format, f"Ranking {period}, {scope}")


def scope_of(province: str | None) -> str:
    """The scope of a ranking."""
    return f"province-{province}" if province else "nation"


def ranking_rows(client: Client, period: int, province: str | None) -> list[dict[str, Any]]:
    """All rows of the latest ranking."""
    return list(client.pages("scoring", f"/rankings/{scope_of(province)}/{period}"))


def show_ranking(rows: list[dict[str, Any]], format: Format, title: str) -> None:
    """Print rows of a ranking."""
    flat = [
        {
            **row,
            "result": _result(row),
            "reason": row["reason"]["vi"] if row["reason"] else "",
            "before": row["previous_rank"] or "",
        }
        for row in rows
    ]
    columns = {
        "rank": "Rank",
        "before": "Before",
        "code": "Code",
        "name": "Commune",
        "holder": "Province",
        "result": "Result",
        "reason": "Not ranked because",
    }
    emit(flat, columns, format, title=title, numbers=["rank", "before"], full=rows)


def show_changes(rows: list[dict[str, Any]], format: Format, title: str) -> None:
    """Print what a version of a ranking changed."""
    flat = [
        {
            "code": row["code"],
            "name": row["name"],
            "holder": row["holder"],
            "cause": row["cause"],
            **{side: _place(row[side]) for side in ("before", "after")},
        }
        for row in rows
    ]
    columns = {
        "code": "Code",
        "name": "Commune",
        "holder": "Province",
        "before": "Before",
        "after": "After",
        "cause": "Cause",
    }
    emit(flat, columns, format, title=title, full=rows)


def _place(row: dict[str, Any] | None) -> str:
    if row is None:
        return "–"
    return f"{row['rank']} · {_result(row)}" if row["rank"] else f"not ranked: {row['reason']['vi']}"


def _result(row: dict[str, Any]) -> str:
    if row["level"] is not None:
        return f"level {row['level']}"
    return f"{row['total']} {row['grade']}" if row["total"] is not None else ""
