"""`langhoc rankings`: any version of a ranking, and what it changed."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption
from cli.output import Column, CommandError, Format, emit, number, plain_errors
from shared.contracts.facts import RankChange, RankedResult, RankingRow
from shared.contracts.submissions import AreaClass


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(rankings)


def rankings(
    period: Annotated[int, typer.Option(help="Assessment period (year).")],
    province: AnyProvince = None,
    area: Annotated[AreaClass | None, typer.Option(help="Only communes of this area class.")] = None,
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
            raise CommandError("A ranking is of one province or of one area class. Leave out --province or --area.")
        scope = f"area-{area}" if area else scope_of(province)
        client, path, which = Client(), f"/rankings/{scope}/{period}", {"version": version, "on": on}
        if changes:
            changed = list(client.pages("scoring", f"{path}/changes", RankChange, **which))
            emit(changed[:top], CHANGES, format, title=f"Changes of ranking {period}, {scope}")
        else:
            rows = list(client.pages("scoring", path, RankingRow, **which))
            emit(rows[:top], ROWS, format, title=f"Ranking {period}, {scope}")


def scope_of(province: str | None) -> str:
    """The scope of a ranking."""
    return f"province-{province}" if province else "nation"


def ranking_rows(client: Client, period: int, province: str | None) -> list[RankingRow]:
    """All rows of the latest ranking."""
    return list(client.pages("scoring", f"/rankings/{scope_of(province)}/{period}", RankingRow))


def _result(row: RankingRow | RankedResult) -> str:
    if row.level is not None:
        return f"level {row.level}"
    return f"{row.total} {row.grade}" if row.total is not None else ""


def _place(row: RankedResult | None) -> str:
    if row is None:
        return "–"
    return f"{row.rank} · {_result(row)}" if row.rank else f"not ranked: {row.reason.vi if row.reason else ''}"


ROWS: list[Column[RankingRow]] = [
    number("rank", "Rank"),
    number("before", "Before", lambda row: row.previous_rank),
    Column("code", "Code"),
    Column("name", "Commune"),
    Column("holder", "Province"),
    Column("result", "Result", _result),
    Column("reason", "Not ranked because", lambda row: row.reason and row.reason.vi),
]
CHANGES: list[Column[RankChange]] = [
    Column("code", "Code"),
    Column("name", "Commune"),
    Column("holder", "Province"),
    Column("before", "Before", lambda row: _place(row.before)),
    Column("after", "After", lambda row: _place(row.after)),
    Column("cause", "Cause"),
]
