"""`langhoc budget` and `langhoc adjustments`: the life of a province's budget, as its officers take the steps.

On a local platform the name after `--by` is trusted; elsewhere people come with tokens of their own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption, ProvinceOption, YearOption
from cli.output import (
    Column,
    Format,
    Language,
    change,
    console,
    dong,
    emit,
    moment,
    money,
    number,
    plain_errors,
    say,
)
from cli.payments import reconcile
from cli.people import Names
from deploy.local import Role
from shared.answers.budgets import BudgetView, ProofView, StatementView, ToldAdjustment
from shared.contracts.facts import AdjustmentState
from shared.contracts.life import Action, ActionRecord, AdjustmentAction, BudgetAction
from shared.wording import VI

budget = typer.Typer(no_args_is_help=True, help="The life of a budget: show it, take a step, prove that it adds up.")
adjustments = typer.Typer(no_args_is_help=True, help="Corrections after an approval: look, and decide.")

WhyOption = Annotated[str, typer.Option("--why", help="The reason; it stays on record.")]
ByOption = Annotated[str | None, typer.Option("--by", help="In whose name; by default yours.")]
RoleOption = Annotated[Role | None, typer.Option("--role", help="By default that of who usually takes such a step.")]


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    budget.command()(reconcile)
    parent.add_typer(budget, name="budget")
    parent.add_typer(adjustments, name="adjustments")


def _officer(action: Action, province: str, by: str | None, role: Role | None) -> Client:
    usual: Role = "province" if action in (Action.SIMULATE, Action.SUBMIT, Action.WITHDRAW) else "finance"
    return Client(by, role, usual=usual, province=province)


def _order(found: BudgetView | ToldAdjustment, why: str) -> dict[str, Any]:
    """An order on exactly what was just read; its id makes a repeat harmless."""
    return {"why": why, "version": found.version, "hash": found.hash, "id": uuid.uuid4().hex}


@budget.command()
def show(province: ProvinceOption, year: YearOption, format: FormatOption = Format.TABLE) -> None:
    """Where a budget stands, and everything that was done to it or refused."""
    with plain_errors():
        client = Client()
        _show(client, client.get("funding", f"/budgets/{province}/{year}", BudgetView), format)


def _show(client: Client, found: BudgetView, format: Format) -> None:
    if format is Format.TABLE:
        console.print(
            f"Budget {found.year} of province {found.province}: [bold]{found.state}[/bold], proposal "
            f"{found.version}, envelope {dong(found.envelope)} ₫, reserve {dong(found.reserve)} ₫",
            highlight=False,
        )
        if told := "; ".join(_open(found)):
            say(f"{told[0].upper()}{told[1:]}.")
    emit(found.history, _history(Names(client)), format, title="What was done", full=found)


def _open(found: BudgetView) -> Iterator[str]:
    """What is not there yet of the proposal, and what stands beside it; nothing of what is 0."""
    run = found.run
    counted = [
        (run.awaited, "awaited"),
        (run.pending, "pending"),
        (run.not_submitted, "not submitted"),
        (run.without_base, "without a base"),
    ]
    if files := ", ".join(f"{count} {what}" for count, what in counted if count):
        yield f"of {run.centres} centres {files}"
    if run.last_year_unknown:
        yield f"last year's support unknown of {', '.join(run.last_year_unknown)}"
    if found.accepted:
        yield f"submitted without file or figure of {', '.join(found.accepted)}"
    if run.equipment:
        yield f"initial equipment {dong(run.equipment)} ₫"
    if run.equipment_not_recorded:
        yield f"equipment of {run.equipment_not_recorded} centres not on record"
    if run.carried:
        yield f"carried from earlier years {dong(run.carried)} ₫"


@budget.command()
def step(
    action: Annotated[BudgetAction, typer.Argument(help="The step to take.")],
    province: ProvinceOption,
    year: YearOption,
    why: WhyOption,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", help="With submit: a centre whose file or figure is not there. Once for each."),
    ] = None,
    by: ByOption = None,
    role: RoleOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Take a step with the proposal as it stands now.

    A province simulates and submits, another person of the finance side approves, then it is published.

    Example: langhoc budget step approve --province 01 --year 2026 --by binh --why "Nghị quyết 12/NQ-HĐND"

    Before the deadline: langhoc budget step submit … --accept TT-1 --accept TT-2 --why "Công văn 7/SGDĐT: chờ hồ sơ"
    """
    with plain_errors():
        officer, path = _officer(action, province, by, role), f"/budgets/{province}/{year}"
        found = officer.get("funding", path, BudgetView)
        order = _order(found, why) | ({"accepts": accept} if accept else {})
        _show(officer, officer.post("funding", f"{path}/{action}", BudgetView, order), format)


@budget.command()
def proof(
    province: ProvinceOption,
    year: YearOption,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """The page that anybody can check with paper and pencil: that all amounts add up to the envelope."""
    with plain_errors():
        found = Client().get("funding", f"/budgets/{province}/{year}/proof", ProofView)
        columns: list[Column[StatementView]] = [
            Column("what", "Statement", lambda one: language.of(one.what)),
            money("figure", "Figure"),
            Column("holds", "Holds"),
        ]
        emit(found.statements, columns, format, title=f"Budget {year} of province {province}", full=found)
        if not found.holds:
            raise typer.Exit(1)


@adjustments.command("list")
def list_adjustments(
    province: AnyProvince = None,
    year: Annotated[int | None, typer.Option("--year", "-y", help="Budget year.")] = None,
    state: Annotated[AdjustmentState | None, typer.Option(help="Only those in this state.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """What corrections after an approval would change, or have changed."""
    with plain_errors():
        asked = {"province": province, "year": year, "state": state}
        emit(list(Client().pages("funding", "/adjustments", ToldAdjustment, **asked)), ADJUSTMENTS, format)


@adjustments.command()
def decide(
    action: Annotated[AdjustmentAction, typer.Argument(help="What to do.")],
    adjustment_id: Annotated[str, typer.Argument(help="Id from `langhoc adjustments list`.")],
    why: WhyOption,
    by: ByOption = None,
    role: RoleOption = None,
) -> None:
    """Submit, approve, refuse or reverse an adjustment. Whoever submitted it does not approve it."""
    with plain_errors():
        officer = _officer(action, adjustment_id.split("/", 1)[0], by, role)
        path = f"/adjustments/{adjustment_id}"
        found = officer.get("funding", path, ToldAdjustment)
        after = officer.post("funding", f"{path}/{action}", ToldAdjustment, _order(found, why))
        said = f"{after.adjustment_id}: [bold]{after.state}[/bold], {VI.signed(after.delta)} ₫"
        console.print(said, highlight=False)


def _history(names: Names) -> list[Column[ActionRecord]]:
    return [
        number("number", "No"),
        Column("at", "When (Viet Nam)", shown=moment),
        Column("who", "Who", shown=names),
        Column("role", "Role"),
        Column("action", "Action"),
        number("version", "Proposal"),
        Column("result", "Result"),
        Column("accepts", "Accepts", lambda one: ", ".join(one.accepts)),
        Column("why", "Why"),
    ]


ADJUSTMENTS: list[Column[ToldAdjustment]] = [
    Column("adjustment_id", "Adjustment"),
    Column("state", "State"),
    money("amount", "Decided ₫"),
    money("corrected", "Corrected ₫"),
    change("delta", "Change ₫"),
    money("carried", "Carried ₫", lambda one: one.carried or None),
    Column("reason", "Why", lambda one: one.reason.vi),
]
