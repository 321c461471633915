"""`langhoc journal`: the entries behind approved money, and whether anybody changed them, verified on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError

from cli.client import Client
from cli.explaining import Language
from cli.output import dong, emit
from cli.platform import Format, console, plain_errors
from deploy.local import LocalPlatformError
from shared.contracts.facts import JournalMark, Purpose
from shared.contracts.journal import JournalEntry, balances, verify

app = typer.Typer(no_args_is_help=True, help="The journal of approved money: show it, verify it on this machine.")
ProvinceOption = Annotated[str, typer.Option(help="Province code of two digits.")]
YearOption = Annotated[int, typer.Option(help="Budget year.")]
PurposeOption = Annotated[Purpose, typer.Option(help="operating, or equipment of new centres.")]


class Journal(BaseModel):
    """What the service answers, and what `show --format json` writes into a file."""

    province: str
    year: int
    purpose: Purpose
    head: JournalMark
    entries: list[JournalEntry]


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="journal")


@app.command()
def show(
    province: ProvinceOption,
    year: YearOption,
    purpose: PurposeOption = "operating",
    format: Annotated[Format, typer.Option("--format", help="json can be kept and verified later.")] = Format.TABLE,
) -> None:
    """All entries of a province's journal: amount, why, who, when, and what each one comes from."""
    with plain_errors():
        answer = _ask(province, year, purpose)
        rows = [
            {
                **entry,
                "centre": entry["centre_id"] or "reserve",
                "amount": dong(entry["amount"]) if format is Format.TABLE else entry["amount"],
                "hash": entry["hash"][:12],
            }
            for entry in answer["entries"]
        ]
        columns = {
            "number": "No",
            "kind": "Kind",
            "centre": "Centre",
            "amount": "Amount ₫",
            "reverses": "Reverses",
            "who": "Who",
            "at": "At",
            "ref": "From",
            "why": "Why",
            "hash": "Hash",
        }
        title = f"Journal {province}/{year}, {purpose}"
        emit(rows, columns, format, title=title, numbers=["number", "amount"], full=answer)


@app.command("verify")
def verify_journal(
    province: Annotated[str | None, typer.Option(help="Province code of two digits.")] = None,
    year: Annotated[int | None, typer.Option(help="Budget year.")] = None,
    purpose: PurposeOption = "operating",
    file: Annotated[Path | None, typer.Option(help="A journal kept with `show --format json`; asks no server.")] = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="NUMBER:HASH", help="A mark from a published decision; best from your own records."),
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of what is said.")] = Language.EN,
) -> None:
    """Compute every hash again on this machine: was an entry changed, removed, added, moved, or the end cut off?

    Example: langhoc journal verify --file journal-01-2026.json --head 41:9f86d0…
    """
    with plain_errors():
        journal = _journal(province, year, purpose, file)
        mark = journal.head if head is None else _mark(head)
        breaches = verify(journal.entries, mark)
        for breach in breaches:
            text = breach.text.vi if language is Language.VI else breach.text.en
            console.print(f"Entry {breach.number}: {breach.broken}. {text}", markup=False, highlight=False)
        if breaches:
            console.print(f"The journal is broken in {len(breaches)} place(s).", style="bold red")
            raise typer.Exit(1)
        sums = balances(journal.entries)
        console.print(
            f"Whole: {len(journal.entries)} entries, head {mark.number}:{mark.hash}. Support "
            f"{dong(sum(sums.centres.values()))} + settled {dong(sum(sums.settled.values()))} + reserve "
            f"{dong(sums.reserve)} = {dong(sums.total)} đồng; carried to the next year "
            f"{dong(sum(sums.carried.values()))}.",
            highlight=False,
        )


def _ask(province: str, year: int, purpose: str) -> dict[str, Any]:
    answer: dict[str, Any] = Client().get("funding", f"/journal/{province}/{year}", purpose=purpose)
    return answer


def _journal(province: str | None, year: int | None, purpose: str, file: Path | None) -> Journal:
    if file is None:
        if province is None or year is None:
            raise LocalPlatformError("Name the journal: either --province and --year, or --file.")
        return Journal.model_validate(_ask(province, year, purpose))
    try:
        return Journal.model_validate(json.loads(file.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError) as error:
        what = f"{error.error_count()} problem(s)" if isinstance(error, ValidationError) else str(error)
        raise LocalPlatformError(
            f"{file} is no journal ({what}). Keep one with: langhoc journal show --province 01 --year 2026 "
            "--format json"
        ) from error


def _mark(head: str) -> JournalMark:
    number, _, hash = head.partition(":")
    if not (number.isdigit() and hash):
        raise LocalPlatformError(f"--head is NUMBER:HASH as published with a decision; {head!r} is not.")
    return JournalMark(number=int(number), hash=hash)
