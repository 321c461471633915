"""`langhoc budget` and `langhoc adjustments`: the life of a province's budget, as its officers take the steps.

On a local platform the name after `--by` is trusted; elsewhere people come with tokens of their own.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

import typer

from cli.client import Client
from cli.explaining import Language
from cli.output import dong, emit, signed_dong
from cli.platform import Format, console, plain_errors
from shared.contracts.life import Action, AdjustmentAction, BudgetAction
from shared.rulebook import HANOI

budget = typer.Typer(no_args_is_help=True, help="The life of a budget: show it, take a step, prove that it adds up.")
adjustments = typer.Typer(no_args_is_help=True, help="Corrections after an approval: look, and decide.")

ProvinceOption = Annotated[str, typer.Option("--province", "-p", help="Province code, two digits.")]
YearOption = Annotated[int, typer.Option("--year", "-y", help="Budget year.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason; it stays on record.")]
ByOption = Annotated[str | None, typer.Option("--by", help="In whose name; by default yours.")]
RoleOption = Annotated[str, typer.Option("--role", help="province, finance or ministry.")]
FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, json or csv for programs.")]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of what is told.")]


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(budget, name="budget")
    parent.add_typer(adjustments, name="adjustments")


def _officer(action: Action, province: str, by: str | None, role: str) -> Client:
    """Whoever usually takes such a step, where no role is named."""
    usual = "province" if action in (Action.SIMULATE, Action.SUBMIT, Action.WITHDRAW) else "finance"
    chosen: Any = role or usual
    return Client(account=by, role=chosen, province=province if chosen == "province" else None)


def _order(found: dict[str, Any], why: str) -> dict[str, Any]:
    """An order on exactly what was just read; its id makes a repeat harmless."""
    return {"why": why, "version": found["version"], "hash": found["hash"], "id": uuid.uuid4().hex}


@budget.command()
def show(province: ProvinceOption, year: YearOption, format: FormatOption = Format.TABLE) -> None:
    """Where a budget stands, and everything that was done to it or refused."""
    with plain_errors():
        _show(Client().get("funding", f"/budgets/{province}/{year}"), format)


def _show(found: dict[str, Any], format: Format) -> None:
    if format is Format.TABLE:
        console.print(
            f"Budget {found['year']} of province {found['province']}: [bold]{found['state']}[/bold], proposal "
            f"{found['version']}, envelope {dong(found['envelope'])} ₫, reserve {dong(found['reserve'])} ₫",
            highlight=False,
        )
    rows = [{**one, "at": _moment(one["at"])} for one in found["history"]]
    columns = {
        "number": "No",
        "at": "When (Viet Nam)",
        "who": "Who",
        "role": "Role",
        "action": "Action",
        "version": "Proposal",
        "result": "Result",
        "why": "Why",
    }
    emit(rows, columns, format, title="What was done", numbers=["number", "version"], full=found)


def _money(amount: int | None, format: Format) -> str | int | None:
    """Programs read plain numbers."""
    return dong(amount) if format is Format.TABLE else amount


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(HANOI):%d/%m/%Y %H:%M}"


@budget.command()
def step(
    action: Annotated[BudgetAction, typer.Argument(help="The step to take.")],
    province: ProvinceOption,
    year: YearOption,
    why: WhyOption,
    by: ByOption = None,
    role: RoleOption = "",
    format: FormatOption = Format.TABLE,
) -> None:
    """Take a step with the proposal as it stands now.

    A province simulates and submits, another person of the finance side approves, then it is published.

    Example: langhoc budget step approve --province 01 --year 2026 --by binh --why "Nghị quyết 12/NQ-HĐND"
    """
    with plain_errors():
        officer = _officer(action, province, by, role)
        found = officer.get("funding", f"/budgets/{province}/{year}")
        _show(officer.post("funding", f"/budgets/{province}/{year}/{action}", _order(found, why)), format)


@budget.command()
def proof(
    province: ProvinceOption,
    year: YearOption,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """The page that anybody can check with paper and pencil: that all amounts add up to the envelope."""
    with plain_errors():
        found = Client().get("funding", f"/budgets/{province}/{year}/proof")
        rows = [
            {**one, "what": one["what"][language.value], "figure": _money(one["figure"], format)}
            for one in found["statements"]
        ]
        columns = {"what": "Statement", "figure": "Figure", "holds": "Holds"}
        emit(rows, columns, format, title=f"Budget {year} of province {province}", numbers=["figure"], full=found)
        if not found["holds"]:
            raise typer.Exit(1)


@adjustments.command("list")
def list_adjustments(
    province: Annotated[str | None, typer.Option("--province", "-p", help="Province code, two digits.")] = None,
    year: Annotated[int | None, typer.Option("--year", "-y", help="Budget year.")] = None,
    state: Annotated[str | None, typer.Option(help="proposed, submitted, approved, refused or void.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """What corrections after an approval would change, or have changed."""
    with plain_errors():
        found = list(Client().pages("funding", "/adjustments", province=province, year=year, state=state))
        rows = [
            {
                **one,
                "amount": _money(one["amount"], format),
                "corrected": _money(one["corrected"], format),
                "delta": signed_dong(one["delta"]) if format is Format.TABLE else one["delta"],
                "carried": _money(one["carried"] or None, format),
                "reason": one["reason"]["vi"],
            }
            for one in found
        ]
        columns = {
            "adjustment_id": "Adjustment",
            "state": "State",
            "amount": "Decided ₫",
            "corrected": "Corrected ₫",
            "delta": "Change ₫",
            "carried": "Carried ₫",
            "reason": "Why",
        }
        emit(rows, columns, format, numbers=["amount", "corrected", "delta", "carried"], full=found)


@adjustments.command("decide")
def decide(
    action: Annotated[AdjustmentAction, typer.Argument(help="What to do.")],
    adjustment_id: Annotated[str, typer.Argument(help="Id from `langhoc adjustments list`.")],
    why: WhyOption,
    by: ByOption = None,
    role: RoleOption = "",
) -> None:
    """Submit, approve, refuse or reverse an adjustment. Whoever submitted it does not approve it."""
    with plain_errors():
        officer = _officer(action, adjustment_id.split("/", 1)[0], by, role)
        found = officer.get("funding", f"/adjustments/{adjustment_id}")
        after = officer.post("funding", f"/adjustments/{adjustment_id}/{action}", _order(found, why))
        console.print(
            f"{after['adjustment_id']}: [bold]{after['state']}[/bold], {signed_dong(after['delta'])} ₫", highlight=False
        )
