"""`langhoc journal`: the entries behind approved money, and whether anybody changed them, verified on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption, ProvinceOption, YearOption
from cli.output import Column, CommandError, Format, Language, console, dong, emit, money, number, plain_errors, say
from cli.people import Names
from shared.answers.budgets import Journal, Misfits
from shared.contracts.facts import Decided, JournalMark, Purpose
from shared.contracts.journal import JournalEntry, balances, unbooked, verify
from shared.outside import read_kept

app = typer.Typer(no_args_is_help=True, help="The journal of approved money: show it, verify it on this machine.")
PurposeOption = Annotated[Purpose, typer.Option(help="operating, or equipment of new centres.")]


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(app, name="journal")


@app.command()
def show(
    province: ProvinceOption,
    year: YearOption,
    purpose: PurposeOption = "operating",
    format: FormatOption = Format.TABLE,
) -> None:
    """All entries of a province's journal: amount, why, who, when, and what each one comes from.

    Kept with `--format json` it can be verified later, without any server.
    """
    with plain_errors():
        client = Client()
        found = _ask(client, province, year, purpose)
        emit(found.entries, _entries(Names(client)), format, title=f"Journal {province}/{year}, {purpose}", full=found)


@app.command("verify")
def verify_journal(
    province: AnyProvince = None,
    year: Annotated[int | None, typer.Option("--year", "-y", help="Budget year.")] = None,
    purpose: PurposeOption = "operating",
    file: Annotated[Path | None, typer.Option(help="A journal kept with `show --format json`; asks no server.")] = None,
    head: Annotated[
        str | None,
        typer.Option(metavar="NUMBER:HASH", help="A mark from a published decision; best from your own records."),
    ] = None,
    language: LanguageOption = Language.EN,
) -> None:
    """Compute every hash again on this machine: was an entry changed, removed, added, moved, or the end cut off?

    Example: langhoc journal verify --file journal-01-2026.json --head 41:9f86d0…
    """
    with plain_errors():
        journal, altered = _journal(province, year, purpose, file)
        mark = journal.head if head is None else _mark(head)
        breaches = verify(journal.entries, mark)
        for breach in breaches:
            say(f"Entry {breach.number}: {breach.broken}. {language.of(breach.text)}")
        for each in [] if breaches else altered:
            say(f"Altered outside the service, or missing: {each}")
        if breaches:
            console.print(f"The journal is broken in {len(breaches)} place(s).", style="bold red")
        elif altered:
            console.print(f"{len(altered)} document(s) do not say what the journal books.", style="bold red")
        if breaches or altered:
            raise typer.Exit(1)
        sums = balances(journal.entries)
        say(
            f"Whole: {len(journal.entries)} entries, head {mark.number}:{mark.hash}. Support "
            f"{dong(sum(sums.centres.values()))} + settled {dong(sum(sums.settled.values()))} + reserve "
            f"{dong(sums.reserve)} = {dong(sums.total)} đồng; carried to the next year "
            f"{dong(sum(sums.carried.values()))}."
        )


def _ask(client: Client, province: str, year: int, purpose: str) -> Journal:
    return client.get("funding", f"/journal/{province}/{year}", Journal, purpose=purpose)


def _journal(province: str | None, year: int | None, purpose: str, file: Path | None) -> tuple[Journal, list[str]]:
    """The journal, and what is not as it books: by the service, and of the decisions that it tells by this machine.

    The entries are asked for last: they book every version that was told before, also one that was approved meanwhile.
    """
    if file is not None:
        return _kept(file), []
    if province is None or year is None:
        raise CommandError("Name the journal: either --province and --year, or --file.")
    client, place = Client(), f"{province}/{year}"
    altered = client.get("funding", f"/journal/{place}/verify", Misfits, purpose=purpose).altered
    told = [] if altered else client.get("funding", f"/budgets/{place}/decisions", list[Decided])
    journal = _ask(client, province, year, purpose)
    wrong = unbooked(journal.entries, [each for each in told if each.purpose == purpose])
    return journal, altered or [f"decisions/{each.centre_id}/{each.year}/{each.purpose}" for each in wrong]


def _kept(file: Path) -> Journal:
    try:
        kept = file.read_text(encoding="utf-8-sig")
        read_kept(kept)
        return Journal.model_validate_json(kept)
    except (OSError, ValueError) as error:
        what = f"{error.error_count()} problem(s)" if isinstance(error, ValidationError) else str(error)
        raise CommandError(
            f"{file} is no journal ({what}). Keep one with: langhoc journal show --province 01 --year 2026 "
            "--format json"
        ) from error


def _mark(head: str) -> JournalMark:
    number, _, hash = head.partition(":")
    if not (number.isdigit() and hash):
        raise CommandError(f"--head is NUMBER:HASH as published with a decision; {head!r} is not.")
    return JournalMark(number=int(number), hash=hash)


def _entries(names: Names) -> list[Column[JournalEntry]]:
    return [
        number("number", "No"),
        Column("kind", "Kind"),
        Column("centre", "Centre", lambda entry: entry.centre_id or "reserve"),
        money("amount", "Amount ₫"),
        number("reverses", "Reverses"),
        Column("who", "Who", shown=names),
        Column("at", "At"),
        Column("ref", "From"),
        Column("why", "Why"),
        Column("hash", "Hash", lambda entry: entry.hash[:12]),
    ]
