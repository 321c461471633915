"""`langhoc template`, and what `langhoc submit` does with a sheet: read it, send its good rows, answer each row."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from cli.client import MOST, Away, Client, NoAnswer, Refused
from cli.deployments import Deployment
from cli.output import Column, CommandError, Format, Language, both, console, emit, say
from cli.publishing import WINDOW, Message, Portal
from deploy.local.errors import NotRunning
from shared.answers.submissions import Judged
from shared.contracts.base import Problem, Status
from shared.contracts.facts import Receipt
from shared.contracts.topics import submission_key
from shared.messaging.access import KafkaAccess
from shared.messaging.clock import BusinessClock
from shared.sheets import (
    ANSWERED,
    BECAME,
    NOT_SENT,
    READY,
    Answer,
    Options,
    Repair,
    Row,
    Sheet,
    SheetRefused,
    Style,
    Unit,
    open_sheet,
    write_answered,
)

SHEETS = (".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv")
"""Ends of the names of files that are read as sheets."""
TAKEN = {Status.ACCEPTED, Status.ACCEPTED_LATE, Status.UNCHANGED}
"""What a row came to that needs nothing more; a duplicate is what its first one was."""
NumbersOption = Annotated[
    Style | None, typer.Option("--numbers", help="How a sheet writes numbers, where it does not say so itself.")
]
UnitOption = Annotated[
    Unit | None, typer.Option("--unit", help="Unit of its amounts of money, where it does not say so itself.")
]
PeriodOption = Annotated[int | None, typer.Option("--period", help="Year that is assessed.")]
SeriesOption = Annotated[str | None, typer.Option("--series", help="Of kind assessment: what is assessed.")]


# -------------------------------------------------------------------------------------------------------- submit


class refusals:
    """Says a refused sheet in both languages, and ends the command with 1."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, SheetRefused):
            raise CommandError("\n".join(map(in_words, error.problems))) from error


def in_words(problem: Problem) -> str:
    """A problem with its place, in both languages."""
    place = f"{problem.field} " if problem.field else ""
    return f"{place}{both(problem.said)}\n  → {both(problem.mend)}"


def is_sheet(file: Path) -> bool:
    """Whether a file is read as a sheet."""
    return file.suffix.casefold() in SHEETS


@dataclass(frozen=True, slots=True)
class Declared:
    """What a sender says beside a sheet; see `Options`."""

    kind: str | None
    period: int | None
    series: str | None
    numbers: Style | None
    unit: Unit | None
    table: str | None
    repair: frozenset[Repair]
    hidden: bool

    def options(self, province: str, today: date) -> Options:
        """The same of a sender, on a day."""
        said = (self.kind, self.period, self.series, self.numbers, self.unit, self.table, self.repair, self.hidden)
        return Options(province, today, *said)


@dataclass(frozen=True, slots=True)
class Ways:
    """How what is sent is answered."""

    settle: Callable[[], None]
    """Waits until everything that was published is answered."""
    by_http: Callable[[Sequence[Message]], list[Receipt]]
    """Hands in over HTTP, where Kafka is not known."""
    rehearse: Callable[[Sequence[Message]], list[Judged]]
    """Asks what would become of them; nothing is written. Raises one of `UNASKED`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the answer, as it is printed."""

    row: int
    status: str
    problems: str


TRIED = "Chạy thử: chưa ghi gì, không có biên nhận. / Dry run: nothing was written, and there is no receipt."
UNASKED = (NotRunning, NoAnswer, Away)
"""Why a dry run has only the sheet to go by."""
SHOWN = 50
"""Rows with problems that are printed; the answered sheet has all."""


def submit_sheet(
    path: Path,
    options: Options,
    client: Client | None,
    ways: Ways,
    language: Language,
    format: Format,
) -> bool:
    """Send the good rows of a sheet, and write `FILE.answered.xlsx` beside it; returns whether all were accepted.

    Args:
        client: of the deployment that it is sent to; `None`: only ask what would become of its rows, and send nothing.
        ways: how it is sent, and how its answers come.

    To send the same sheet again is harmless: after a crash it completes what was begun.
    """
    with refusals():
        sheet = open_sheet(path, options)
        for note in sheet.notes:
            say(in_words(note), style="yellow")
        with console.status("Reading") as spinner:
            if client is None:
                answers = _rehearsed(sheet, options.province, ways, spinner.update)
            else:
                answers = _sent(sheet, client, options.province, ways, spinner.update)
        answered = path.with_name(f"{path.stem}{ANSWERED}")
        try:
            write_answered(sheet, answers, answered, language.words)
        except OSError as error:
            raise CommandError(f"{answered} cannot be written: {error.strerror or error}") from error
    _tell(sheet, answers, answered, language, format)
    if client is None and format is Format.TABLE:
        say(TRIED)
    return all(answer.good for answer in answers.values())


@dataclass(frozen=True, slots=True)
class Told(Answer):
    """What a row is told, and whether it needs nothing more."""

    good: bool = False


def _filled(sheet: Sheet) -> Iterator[Row]:
    return (row for row in sheet.rows() if row.state in ("ready", "refused"))


def _ready(sheet: Sheet, answers: dict[int, Told]) -> Iterator[Row]:
    """The rows that can be sent; of each row that is filled in, what the sheet alone tells goes to the answers."""
    for row in _filled(sheet):
        answers[row.number] = _unsent(row)
        if row.state == "ready":
            yield row


def _unsent(row: Row) -> Told:
    ready = row.state == "ready"
    return Told(READY if ready else NOT_SENT, [*row.problems, *row.warnings], ready)


def _rehearsed(sheet: Sheet, province: str, ways: Ways, doing: Callable[[str], None]) -> dict[int, Told]:
    """What would become of each row; where nobody can be asked, what the sheet alone tells."""
    answers: dict[int, Told] = {}
    rows = _ready(sheet, answers)
    while window := list(islice(rows, WINDOW)):
        try:
            told = ways.rehearse([_message(sheet, row, province) for row in window])
        except UNASKED as error:
            vi = f"Từ dòng {window[0].number} chỉ kiểm tra được trang tính."
            en = f"From row {window[0].number} on only the sheet itself could be checked."
            say(f"{vi} / {en} {error}", style="yellow")
            deque(rows, maxlen=0)
            break
        for row, verdict in zip(window, told, strict=True):
            answers[row.number] = _would_be(_told(verdict, row.number, sheet, answers[row.number]))
        doing(f"Tried: up to row {window[-1].number}")
    return answers


def _would_be(told: Told) -> Told:
    """In a dry run, what would be accepted has not been."""
    return replace(told, status=READY) if told.status in (Status.ACCEPTED, Status.ACCEPTED_LATE) else told


def _sent(sheet: Sheet, client: Client, province: str, ways: Ways, doing: Callable[[str], None]) -> dict[int, Told]:
    """Send, wait, and gather the receipts."""
    answers: dict[int, Told] = {}
    receipts: dict[int, str] = {}
    ready = _ready(sheet, answers)
    if client.deployment.kafka is None:
        while window := list(islice(ready, WINDOW)):
            told = ways.by_http([_message(sheet, row, province) for row in window])
            for row, receipt in zip(window, told, strict=True):
                answers[row.number] = _told(receipt, row.number, sheet, answers[row.number])
            doing(f"Sent and answered: up to row {window[-1].number}")
        return answers
    asyncio.run(_publish(client.deployment, client.deployment.kafka, sheet, ready, province, receipts, doing))
    ways.settle()
    row_of = {receipt_id: number for number, receipt_id in receipts.items()}
    for count, receipt in enumerate(answers_to(client, province, row_of), start=1):
        number = row_of[receipt.receipt_id]
        answers[number] = _told(receipt, number, sheet, answers[number])
        if count % WINDOW == 0:
            doing(f"Reading receipts: {count} of {len(receipts)}")
    return answers


def answers_to(client: Client, province: str, ids: Collection[str]) -> Iterator[Receipt]:
    """The receipts of these ids: they are among the province's newest, which are read by the page; the rest singly."""
    left = set(ids)
    with suppress(Refused):  # a page is, for one altered receipt in it, which need not be ours
        newest = client.pages("intake", "/receipts", Receipt, province=province, limit=MOST)
        for receipt in islice(newest, len(left) + MOST):
            if receipt.receipt_id in left:
                left.remove(receipt.receipt_id)
                yield receipt
            if not left:
                return
    for receipt_id in sorted(left):
        yield client.get("intake", f"/receipts/{receipt_id}", Receipt)


async def _publish(
    deployment: Deployment,
    kafka: KafkaAccess,
    sheet: Sheet,
    rows: Iterator[Row],
    province: str,
    receipts: dict[int, str],
    doing: Callable[[str], None],
) -> None:
    """Send rows as they are read, so that no more than a window of them is held."""
    try:
        async with Portal(kafka, clock=BusinessClock(deployment.clock_offset)) as portal:
            while window := list(islice(rows, WINDOW)):
                sent = await portal.publish([_message(sheet, row, province) for row in window])
                receipts |= {row.number: one.receipt_id for row, one in zip(window, sent, strict=True)}
                doing(f"Sending: {len(receipts)} rows")
    except KafkaError as error:
        raise CommandError(
            f"Kafka at {kafka.bootstrap} took {len(receipts)} rows and no more: {error}. "
            "Send the same sheet again: what was taken is known."
        ) from error


def _message(sheet: Sheet, row: Row, province: str) -> Message:
    data = row.data or {}
    return Message(
        province, submission_key(data, province), sheet.form.event, json.dumps(data, ensure_ascii=False).encode()
    )


def _told(receipt: Receipt | Judged, row: int, sheet: Sheet, before: Told) -> Told:
    """A receipt in the row that it answers, its places as addresses of cells."""
    what = receipt.original.status if receipt.status is Status.DUPLICATE and receipt.original else receipt.status
    said = [
        one.model_copy(update={"field": sheet.head.place(one.field, row)})
        for one in (*receipt.problems, *receipt.warnings)
    ]
    return Told(receipt.status, [*said, *before.problems], what in TAKEN)


def _columns(language: Language) -> list[Column[Line]]:
    """For programs the codes, for people the words."""
    row, status, problems = ("Dòng", "Kết quả", "Vấn đề") if language is Language.VI else ("Row", "Status", "Problems")
    return [
        Column("row", row),
        Column("status", status, shown=lambda code: f"{language.of(BECAME[code])} ({code})"),
        Column("problems", problems),
    ]


def _tell(sheet: Sheet, answers: Mapping[int, Told], answered: Path, language: Language, format: Format) -> None:
    lines = [
        Line(number, answer.status, "\n".join(f"{one.field} {language.of(one.said)}" for one in answer.problems))
        for number, answer in answers.items()
    ]
    columns = _columns(language)
    if format is not Format.TABLE:
        emit(lines, columns, format)
        return
    odd = [line for line in lines if not answers[line.row].good]
    if odd:
        emit(odd[:SHOWN], columns, format)
    found: dict[str, int] = {}
    for line in lines:
        found[line.status] = found.get(line.status, 0) + 1
    counted = [f"{count} {status} ({language.of(BECAME[status])})" for status, count in found.items()]
    read = sum(sheet.counts.values())
    parts = [f"{sheet.counts['header']} header", f"{sheet.counts['blank']} blank", *counted]
    say(f"{read} rows read = {' + '.join(parts)}")
    if not answers:
        say("Trang tính không có dòng số liệu nào. / The sheet has no row of data.")
    say(f"→ {answered}")
