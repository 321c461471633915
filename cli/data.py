"""`langhoc wait`, `submit`, `budgets` and `alerts`: what the platform holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.client import MOST, Client, describe
from cli.deployments import Deployment
from cli.options import AnyProvince, FormatOption, YearOption
from cli.output import Column, CommandError, Format, console, emit, fail, money, number, plain_errors, say
from cli.publishing import Message, Portal, Sent, UnreadableFiles, read_files
from shared.answers.alerts import StandingAlert
from shared.contracts.base import Text
from shared.contracts.facts import AlertKind, BudgetProposed, BudgetRunProposed, Receipt
from shared.messaging.clock import BusinessClock

WAIT_SECONDS = 300.0


def app_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    for command in (wait, submit, budgets, alerts):
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
        say("The flow has settled.")


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
        published = publish(client.deployment, messages_in(files, province))
        wait_settled(client, WAIT_SECONDS, "Waiting for the receipts")
        receipts = [client.get("intake", f"/receipts/{item.receipt_id}", Receipt) for item in published]
        emit(receipts, RECEIPTS, format)


def messages_in(files: Sequence[Path], province: str) -> list[Message]:
    """The submissions of files. Ends the command with everything that is wrong with them."""
    try:
        return read_files(files, province)
    except UnreadableFiles as error:
        fail(
            "\n".join(f"{each.file}:{each.line} {_both(each.what)}\n  → {_both(each.mend)}" for each in error.problems)
        )
    except ValueError as error:
        raise CommandError(str(error)) from error


def _both(text: Text) -> str:
    return f"{text.vi} / {text.en}"


def publish(
    deployment: Deployment,
    messages: Sequence[Message],
    progress: Callable[[int], None] | None = None,
    sampled: Callable[[Message], bool] = lambda message: True,
) -> list[Sent]:
    """Publish as portals do. What a person sends by hand is traced."""
    kafka = deployment.kafka
    if kafka is None:
        raise CommandError(
            f"Where Kafka is, is not known of {deployment.name}. Set LANGHOC_KAFKA, or kafka in the profile."
        )

    async def run() -> list[Sent]:
        endpoint = f"{deployment.zipkin}/api/v2/spans" if deployment.zipkin else None
        async with Portal(kafka, zipkin=endpoint, clock=BusinessClock(deployment.clock_offset)) as portal:
            return await portal.publish(messages, progress=progress, sampled=sampled)

    try:
        return asyncio.run(run())
    except KafkaError as error:
        raise CommandError(f"Kafka at {kafka} did not take the submissions: {error}") from error


class Proven(BudgetRunProposed):
    """The head of a proposal beside its lines."""

    allocations: Mapping[str, int]
    """Amount of each centre, in đồng."""
    adds_up: bool
    """Whether lines, what stands besides, and reserve are the envelope."""


def budgets(year: YearOption, province: AnyProvince = None, format: FormatOption = Format.TABLE) -> None:
    """The proposed support of all centres: per province with the proof of the sum, or one province's lines."""
    with plain_errors():
        client = Client()
        if province and format is not Format.JSON:
            lines = lines_of(client, year, province)
            lines.sort(key=lambda line: (-line.allocation.amount, line.allocation.centre_id))
            emit(lines, LINES, format, title=f"Support {year}, province {province}")
        else:
            show_budgets(proven(client, year, province), format, f"Budgets {year}")


def proven(client: Client, year: int, province: str | None = None) -> list[Proven]:
    """Per province the head of the proposal, its lines' amounts, and whether they add up."""
    amounts: dict[str, dict[str, int]] = {}
    for line in lines_of(client, year, province):
        if "withdrawn" not in line.allocation.flags:
            amounts.setdefault(line.province, {})[line.allocation.centre_id] = line.allocation.amount
    runs = client.get("funding", "/budgets", list[BudgetRunProposed], year=year, province=province)
    return [_proven(run, amounts.get(run.province, {})) for run in runs]


def _proven(run: BudgetRunProposed, lines: Mapping[str, int]) -> Proven:
    total = sum(lines.values()) + run.carried + run.equipment + run.reserve
    adds_up = total == run.envelope and len(lines) == run.centres
    return Proven(**dict(run), allocations=lines, adds_up=adds_up)


def show_budgets(rows: Sequence[Proven], format: Format, title: str) -> None:
    """Print heads of proposals."""
    emit(rows, BUDGETS, format, title=title)


def lines_of(client: Client, year: int, province: str | None) -> list[BudgetProposed]:
    """One province's lines, or all."""
    return list(client.pages("funding", "/allocations", BudgetProposed, year=year, province=province, limit=MOST))


def alerts(
    province: AnyProvince = None,
    kind: Annotated[AlertKind | None, typer.Option(help="Only this kind.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """What provinces and the ministry were told: what happened, what to do, by when. What stands comes first."""
    with plain_errors():
        asked = {"province": province, "kind": kind, "limit": MOST}
        told = list(Client().pages("notifications", "/alerts", StandingAlert, **asked))
        emit(sorted(told, key=lambda alert: alert.cleared_at is not None), ALERTS, format)


def _problems(receipt: Receipt) -> str:
    return "\n".join(f"{one.field or '/'}: {_both(one.message)}\n  → {_both(one.mend)}" for one in receipt.problems)


RECEIPTS: list[Column[Receipt]] = [
    Column("submission", "Submission", lambda receipt: receipt.submission_id),
    Column("act", "Act"),
    Column("status", "Status"),
    Column("version", "Version"),
    Column("receipt", "Receipt", lambda receipt: receipt.receipt_id),
    Column("problems", "Problems", _problems),
]
BUDGETS: list[Column[Proven]] = [
    Column("province", "Province"),
    number("centres", "Centres"),
    money("envelope", "Envelope ₫"),
    money("allocated", "Σ lines ₫"),
    money("reserve", "Reserve ₫"),
    Column("adds_up", "Adds up"),
    Column("case", "Case"),
    number("version", "Version"),
]
LINES: list[Column[BudgetProposed]] = [
    Column("centre", "Centre", lambda line: line.allocation.centre_id),
    Column("name", "Name", lambda line: line.allocation.name),
    Column("grade", "Grade", lambda line: line.allocation.grade or line.allocation.assessment),
    money("last", "Last year ₫", lambda line: line.allocation.last_year),
    money("amount", "Proposed ₫", lambda line: line.allocation.amount),
    Column("binds", "Bound", lambda line: line.allocation.binds),
    Column("flags", "Marks", lambda line: ", ".join(line.allocation.flags)),
]
ALERTS: list[Column[StandingAlert]] = [
    Column("audience", "To"),
    Column("kind", "Kind"),
    Column("subject", "Subject"),
    Column("text", "What happened", lambda alert: alert.text.vi),
    Column("action", "What to do", lambda alert: alert.action.vi),
    Column("due", "By"),
    Column("over", "Over", lambda alert: alert.why_cleared.vi if alert.why_cleared else None),
]
