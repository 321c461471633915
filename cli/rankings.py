"""`langhoc rankings`: any version of a ranking, what it changed, and what was released of it."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption, day_of
from cli.output import Column, CommandError, Format, Language, emit, headed, number, plain_errors, say
from cli.result_tree import cause_in
from shared.answers.results import ReleaseState
from shared.contracts.facts import RankChange, RankedResult, RankingPublished, RankingReleased, RankingRow
from shared.contracts.submissions import AreaClass
from shared.wording import reached

app = typer.Typer(invoke_without_command=True)
PeriodOption = Annotated[int, typer.Option(help="Assessment period (year).")]
AreaOption = Annotated[AreaClass | None, typer.Option(help="Only communes of this area class.")]
NumberOption = Annotated[str, typer.Option("--number", help="Number of the decision.")]
DecidedOption = Annotated[str, typer.Option("--decided-on", metavar="DATE", help="Day on which it was signed.")]
SignedOption = Annotated[str, typer.Option("--signed-by", help="Who signed it.")]
IdOption = Annotated[str | None, typer.Option("--id", help="Id of an order that broke off, to give it again.")]


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="rankings")


@app.callback()
def rankings(
    context: typer.Context,
    period: Annotated[int | None, typer.Option(help="Assessment period (year).")] = None,
    province: AnyProvince = None,
    area: AreaOption = None,
    top: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="A version as it was published.")] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="As it stood on this day, e.g. 2026-03-01.")] = None,
    changes: Annotated[
        bool, typer.Option("--changes", help="Whom the version changed against the one before, and why.")
    ] = False,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """The ranking of the nation, of one province or of one area class; unranked communes stand last, with their reason.

    A province is named by its code on the period's cut-off date: 2022 still has the 63 provinces.
    """
    if context.invoked_subcommand is not None:
        return
    with plain_errors():
        if period is None:
            raise CommandError("Which period? Add --period YEAR.")
        scope = _scope(province, area)
        client, path, which = Client(), f"/rankings/{scope}/{period}", {"version": version, "on": on}
        if changes:
            changed = list(client.pages("scoring", f"{path}/changes", RankChange, **which))
            emit(changed[:top], _changes_in(language), format, title=f"Changes of ranking {period}, {scope}")
        else:
            rows = list(client.pages("scoring", path, RankingRow, **which))
            emit(rows[:top], rows_in(language), format, title=f"Ranking {period}, {scope}")
            if format is Format.TABLE:
                say(_released(client.get("scoring", f"{path}/release", ReleaseState)), soft_wrap=True)


@app.command()
def release(
    period: PeriodOption,
    number: NumberOption,
    decided_on: DecidedOption,
    signed_by: SignedOption,
    province: AnyProvince = None,
    area: AreaOption = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="The version that was looked at; the newest by default.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why it replaces the release before, or accepts warnings; needed then.")
    ] = None,
    accepts: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE/WARNING", help="A warning that is not to hold it; repeat it for each of `held`."),
    ] = None,
    id: IdOption = None,
) -> None:
    """Release a ranking by a decision: what the public sees from then on. By the ministry, or the province it is of."""
    with plain_errors():
        client, path = Client(), f"/rankings/{_scope(province, area)}/{period}"
        head = client.get("scoring", f"{path}/head", RankingPublished, version=version)
        body = _act(id, number, decided_on, signed_by, reason) | {"version": head.version, "hash": head.hash}
        body["accepts"] = accepts or []
        _tell(client.post("scoring", f"{path}/releases", RankingReleased, body))


@app.command()
def held(
    period: PeriodOption, province: AnyProvince = None, area: AreaOption = None, format: FormatOption = Format.TABLE
) -> None:
    """Warnings that hold the release of a ranking: to be mended, or accepted by name when it is released."""
    with plain_errors():
        scope = _scope(province, area)
        found = Client().get("scoring", f"/rankings/{scope}/{period}/held", list[str])
        if not found and format is Format.TABLE:
            say(f"Nothing holds the ranking {scope} {period}.")
            return
        emit([{"accepts": each} for each in found], headed(accepts="Accept it as"), format, title=f"Holding {scope}")


@app.command()
def withdraw(
    period: PeriodOption,
    release: Annotated[int, typer.Option("--release", min=1, help="Number of the release that is taken back.")],
    number: NumberOption,
    decided_on: DecidedOption,
    signed_by: SignedOption,
    reason: Annotated[str, typer.Option(help="Why, as the public is told.")],
    province: AnyProvince = None,
    area: AreaOption = None,
    id: IdOption = None,
) -> None:
    """Take a release back by a decision. No earlier one takes its place."""
    with plain_errors():
        path = f"/rankings/{_scope(province, area)}/{period}/releases/{release}/withdraw"
        _tell(Client().post("scoring", path, RankingReleased, _act(id, number, decided_on, signed_by, reason)))


@app.command()
def releases(
    period: PeriodOption, province: AnyProvince = None, area: AreaOption = None, format: FormatOption = Format.TABLE
) -> None:
    """Every act that released or withdrew a ranking, newest first."""
    with plain_errors():
        scope = _scope(province, area)
        found = Client().get("scoring", f"/rankings/{scope}/{period}/releases", list[RankingReleased])
        emit(found, ACTS, format, title=f"Releases of ranking {period}, {scope}")


def _scope(province: str | None, area: str | None) -> str:
    if province and area:
        raise CommandError("A ranking is of one province or of one area class. Leave out --province or --area.")
    return f"area-{area}" if area else scope_of(province)


def _act(id: str | None, number: str, decided_on: str, signed_by: str, reason: str | None) -> dict[str, Any]:
    return {
        "id": id or str(uuid.uuid4()),
        "decision_number": number,
        "decided_on": str(day_of(decided_on)),
        "signed_by": signed_by,
        "reason": reason,
    }


def _tell(act: RankingReleased) -> None:
    moved = f" Against the act before: {act.changes} results, {act.shifted} more ranks." if act.supersedes else ""
    say(f"Version {act.ranking.version} of ranking {act.period}, {act.scope}: {_said(act)}.{moved}", soft_wrap=True)


def _said(act: RankingReleased) -> str:
    by = f"by {act.decision_number} of {act.decided_on}, {act.signed_by}"
    if act.state == "withdrawn":
        return f"withdrawn {by}: {act.reason}"
    accepted = f"; {len(act.accepted)} warnings accepted, because: {act.reason}" if act.accepted else ""
    return f"released as number {act.version} {by} (order of the ranking: {act.ranking.provenance}){accepted}"


def _released(state: ReleaseState) -> str:
    """How the ranking stands to what was released of it."""
    if state.act is None:
        return "Not released: computed, without a decision."
    moved = state.changes or state.shifted
    since = f" Changed since: {state.changes} results, {state.shifted} more ranks." if moved else ""
    return f"Version {state.act.ranking.version} was {_said(state.act)}.{since}"


def scope_of(province: str | None) -> str:
    """The scope of a ranking."""
    return f"province-{province}" if province else "nation"


def ranking_rows(client: Client, period: int, province: str | None) -> list[RankingRow]:
    """All rows of the latest ranking."""
    return list(client.pages("scoring", f"/rankings/{scope_of(province)}/{period}", RankingRow))


def _result(row: RankingRow | RankedResult, language: Language) -> str:
    if row.level is not None:
        return language.of(reached(row.level))
    return f"{row.total} {row.grade}" if row.total is not None else ""


def _place(row: RankedResult | None, language: Language) -> str:
    if row is None:
        return "–"
    if row.rank:
        return f"{row.rank} · {_result(row, language)}"
    not_ranked = "không xếp hạng" if language is Language.VI else "not ranked"
    return f"{not_ranked}: {language.of(row.reason)}" if row.reason else not_ranked


def rows_in(language: Language) -> list[Column[RankingRow]]:
    """Columns of a ranking."""
    vi = language is Language.VI
    return [
        number("rank", "Hạng" if vi else "Rank"),
        number("before", "Trước" if vi else "Before", lambda row: row.previous_rank),
        Column("code", "Mã" if vi else "Code"),
        Column("name", "Xã" if vi else "Commune"),
        Column("holder", "Tỉnh" if vi else "Province"),
        Column("result", "Kết quả" if vi else "Result", lambda row: _result(row, language)),
        Column(
            "reason",
            "Lý do không xếp hạng" if vi else "Not ranked because",
            lambda row: language.of(row.reason) if row.reason else None,
        ),
    ]


def _changes_in(language: Language) -> list[Column[RankChange]]:
    vi = language is Language.VI
    return [
        Column("code", "Mã" if vi else "Code"),
        Column("name", "Xã" if vi else "Commune"),
        Column("holder", "Tỉnh" if vi else "Province"),
        Column("before", "Trước" if vi else "Before", lambda row: _place(row.before, language)),
        Column("after", "Nay" if vi else "After", lambda row: _place(row.after, language)),
        Column("cause", "Vì" if vi else "Cause", shown=lambda cause: cause_in(cause, language)),
    ]


ACTS: list[Column[RankingReleased]] = [
    number("version", "Number"),
    Column("state", "State"),
    number("ranking", "Version", lambda act: act.ranking.version),
    Column("decision_number", "Decision"),
    Column("decided_on", "Of"),
    Column("signed_by", "Signed by"),
    number("changes", "Results"),
    number("shifted", "Ranks"),
    Column("provenance", "Order", lambda act: act.ranking.provenance),
    Column("reason", "Reason"),
    Column("accepted", "Accepted", lambda act: ", ".join(act.accepted) or None),
]
