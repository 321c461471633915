"""`langhoc wait`, `submit`, `budgets`, `alerts` and `explain`: what the platform holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError

from cli.client import Client, describe
from cli.explaining import Language, collect, render
from cli.output import dong, emit
from cli.platform import Format, console, fail, plain_errors
from cli.publishing import Message, Portal, Sent, UnreadableFiles, read_files
from deploy.local import LocalPlatformError, Platform
from shared.contracts.base import Text
from shared.messaging.clock import BusinessClock

FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, json or csv for programs.")]
Province = Annotated[str | None, typer.Option("--province", "-p", help="Province code, two digits.")]
WAIT_SECONDS = 300.0


def app_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    for command in (wait, submit, budgets, alerts, explain):
        app.command()(command)


def wait_settled(client: Client, seconds: float, doing: str = "Settling") -> None:
    """Wait until the flow has settled, showing what is on its way."""
    with console.status(doing) as spinner:
        client.wait(seconds, lambda flows: spinner.update(f"{doing}: {describe(flows) or 'nothing on its way'}"))


def wait(
    timeout: Annotated[float, typer.Option(help="Give up after so many seconds.")] = WAIT_SECONDS,
) -> None:
    """Wait until everything that was submitted has arrived everywhere.

    That is: nothing to read, nothing to recompute, nothing to send, in all services, seen twice one second apart.
    """
    with plain_errors():
        wait_settled(Client(), timeout)
        console.print("The flow has settled.")


def submit(
    files: Annotated[
        list[Path],
        typer.Argument(help='JSON or JSON-lines files of {"type": …, "data": …} objects, one per submission.'),
    ],
    province: Annotated[str, typer.Option("--province", "-p", help="The province in whose name to publish.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Publish submissions as a province's portal would, and show the receipt of each.

    Example: langhoc submit report.json --province 01
    """
    with plain_errors():
        client = Client()
        try:
            published = publish(client.platform, read_files(files, province))
        except UnreadableFiles as error:
            fail(
                "\n".join(
                    f"{each.file}:{each.line} {_both(each.what)}\n  → {_both(each.mend)}" for each in error.problems
                )
            )
        except ValueError as error:
            raise LocalPlatformError(str(error)) from error
        wait_settled(client, WAIT_SECONDS, "Waiting for the receipts")
        receipts = [client.get("intake", f"/receipts/{item.receipt_id}") for item in published]
        rows = [
            {
                "submission": receipt["submission_id"],
                "status": receipt["status"],
                "version": receipt["version"],
                "receipt": receipt["receipt_id"],
                "problems": "\n".join(
                    f"{problem['field'] or '/'}: {problem['message']['vi']} / {problem['message']['en']}\n"
                    f"  → {problem['mend']['vi']} / {problem['mend']['en']}"
                    for problem in receipt["problems"]
                ),
            }
            for receipt in receipts
        ]
        columns = {
            "submission": "Submission",
            "status": "Status",
            "version": "Version",
            "receipt": "Receipt",
            "problems": "Problems",
        }
        emit(rows, columns, format, full=receipts)


def _both(text: Text) -> str:
    return f"{text.vi} / {text.en}"


def publish(
    platform: Platform,
    messages: Sequence[Message],
    progress: Callable[[int], None] | None = None,
    sampled: Callable[[Message], bool] = lambda message: True,
) -> list[Sent]:
    """Publish as portals do. What a person sends by hand is traced."""

    async def run() -> list[Sent]:
        endpoint = f"{platform.zipkin}/api/v2/spans" if platform.zipkin else None
        async with Portal(platform.kafka, zipkin=endpoint, clock=BusinessClock(platform.clock_offset)) as portal:
            return await portal.publish(messages, progress=progress, sampled=sampled)

    try:
        return asyncio.run(run())
    except KafkaError as error:
        raise LocalPlatformError(f"Kafka at {platform.kafka} did not take the submissions: {error}") from error


def budgets(
    year: Annotated[int, typer.Option(help="Budget year.")],
    province: Province = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """The proposed support of all centres: per province with the proof of the sum, or one province's lines."""
    with plain_errors():
        client = Client()
        runs = budget_rows(client, year, province)
        if province and format is not Format.JSON:
            show_lines(lines_of(client, year, province), format, f"Support {year}, province {province}")
        else:
            show_budgets(runs, format, f"Budgets {year}")


def budget_rows(client: Client, year: int, province: str | None = None) -> list[dict[str, Any]]:
    """Per province the head of the proposal, its lines' amounts, and whether they add up."""
    amounts: dict[str, dict[str, int]] = {}
    for line in client.pages("funding", "/allocations", year=year, province=province, limit=1_000):
        if "withdrawn" not in line["allocation"]["flags"]:
            amounts.setdefault(line["province"], {})[line["allocation"]["centre_id"]] = line["allocation"]["amount"]
    rows = []
    for run in client.get("funding", "/budgets", year=year, province=province):
        lines = amounts.get(run["province"], {})
        besides = run["carried"] + run["equipment"] + run["reserve"]
        adds_up = sum(lines.values()) + besides == run["envelope"] and len(lines) == run["centres"]
        rows.append({**run, "adds_up": adds_up, "allocations": lines})
    return rows


def show_budgets(rows: list[dict[str, Any]], format: Format, title: str) -> None:
    """Print heads of proposals."""
    flat = [
        {
            **row,
            "envelope": dong(row["envelope"]) if format is Format.TABLE else row["envelope"],
            "allocated": dong(row["allocated"]) if format is Format.TABLE else row["allocated"],
            "reserve": dong(row["reserve"]) if format is Format.TABLE else row["reserve"],
        }
        for row in rows
    ]
    columns = {
        "province": "Province",
        "centres": "Centres",
        "envelope": "Envelope ₫",
        "allocated": "Σ lines ₫",
        "reserve": "Reserve ₫",
        "adds_up": "Adds up",
        "case": "Case",
        "version": "Version",
    }
    numbers = ["version", "centres", "envelope", "allocated", "reserve"]
    emit(flat, columns, format, title=title, numbers=numbers, full=rows)


def lines_of(client: Client, year: int, province: str) -> list[dict[str, Any]]:
    """One province's lines."""
    return list(client.pages("funding", "/allocations", year=year, province=province, limit=1_000))


def show_lines(lines: list[dict[str, Any]], format: Format, title: str) -> None:
    """Print a province's lines, largest first."""
    people = format is Format.TABLE
    rows = [
        {
            "centre": line["allocation"]["centre_id"],
            "name": line["allocation"]["name"],
            "grade": line["allocation"]["grade"] or line["allocation"]["assessment"],
            "last": dong(line["allocation"]["last_year"]) if people else line["allocation"]["last_year"],
            "amount": dong(line["allocation"]["amount"]) if people else line["allocation"]["amount"],
            "binds": line["allocation"]["binds"],
            "flags": ", ".join(line["allocation"]["flags"]),
        }
        for line in sorted(lines, key=lambda line: (-line["allocation"]["amount"], line["allocation"]["centre_id"]))
    ]
    columns = {
        "centre": "Centre",
        "name": "Name",
        "grade": "Grade",
        "last": "Last year ₫",
        "amount": "Proposed ₫",
        "binds": "Bound",
        "flags": "Marks",
    }
    emit(rows, columns, format, title=title, numbers=["last", "amount"])


def alerts(
    province: Province = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, e.g. support_changed.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """What provinces and the ministry were told: what happened, what to do, and by when."""
    with plain_errors():
        rows = list(Client().pages("notifications", "/alerts", province=province, kind=kind, limit=1_000))
        flat = [{**row, "text": row["text"]["vi"], "action": row["action"]["vi"]} for row in rows]
        columns = {
            "audience": "To",
            "kind": "Kind",
            "subject": "Subject",
            "text": "What happened",
            "action": "What to do",
            "due": "By",
        }
        emit(flat, columns, format, full=rows)


def explain(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE|SUBJECT",
            help="Commune code (5 digits), unit id, centre id, or another assessment's subject, e.g. district/001.",
        ),
    ],
    period: Annotated[int | None, typer.Option(help="Assessment period; the latest by default.")] = None,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Day on which the code is meant, e.g. 2022-12-31.")
    ] = None,
    language: Annotated[Language, typer.Option("--lang", help="Language of the explanation.")] = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """The whole way from a submission to rank and money, each step with its rule and citation.

    A code alone names no unit: most codes were used again in July 2025. It is read on the day given with --on, else on
    the last day of --period.
    """
    with plain_errors():
        try:
            day = date.fromisoformat(on) if on is not None else None
        except ValueError:
            raise LocalPlatformError(f"{on!r} is not a date. Write it like 2022-12-31.") from None
        story = collect(Client(), code, period, day)
        if format is Format.JSON:
            emit([], {}, format, full=story)
        else:
            render(story, language)
