"""`langhoc wait`, `submit`, `budgets` and `alerts`: what the platform holds."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from rich import text as rich_text
from rich.padding import Padding

from cli.client import MOST, POLL_SECONDS, Client, describe
from cli.deployments import Deployment
from cli.explaining import marks
from cli.options import AnyProvince, FormatOption, LanguageOption, YearOption, known_province
from cli.output import (
    Column,
    CommandError,
    Format,
    Language,
    both,
    console,
    emit,
    fail,
    money,
    number,
    plain_errors,
    say,
)
from cli.publishing import Message, Portal, Sent, UnreadableFiles, read_files, structured
from cli.sheets import (
    TRIED,
    Declared,
    NumbersOption,
    PeriodOption,
    SeriesOption,
    UnitOption,
    Ways,
    is_sheet,
    submit_sheet,
)
from shared.answers.alerts import StandingAlert
from shared.answers.budgets import ToldProposal
from shared.answers.submissions import Filed, Judged
from shared.contracts.base import Status, Text
from shared.contracts.facts import AlertKind, BudgetRunProposed, Receipt, RetiredAlertKind
from shared.messaging.clock import BusinessClock
from shared.rulebook import HANOI
from shared.sheets import Repair

WAIT_SECONDS = 300.0
BATCH_EVENTS, BATCH_BYTES = 500, 900_000
"""Of one request: within what the door over HTTP takes."""


def app_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    for command in (wait, submit, budgets, alerts):
        app.command()(command)


def wait_settled(client: Client, seconds: float, doing: str = "Settling", of: Collection[str] | None = None) -> None:
    """Wait until the flow has settled (in the services `of`), showing what is on its way."""
    with console.status(doing) as spinner:
        client.wait(seconds, lambda flows: spinner.update(f"{doing}: {describe(flows) or 'nothing on its way'}"), of)


def wait_receipts(client: Client) -> None:
    """Wait until everything that was sent is answered. What other services make of it holds up nobody's answer."""
    wait_settled(client, WAIT_SECONDS, "Waiting for the receipts", of={"intake"})


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
        typer.Argument(
            help="Sheets (.xlsx, .csv); JSON or JSON lines: {type, data}, CloudEvents, or records like the examples."
        ),
    ],
    province: Annotated[
        str | None, typer.Option("--province", "-p", help="In whose name; left out, whose channel the files name.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would become of them; nothing is written.")
    ] = False,
    kind: Annotated[str | None, typer.Option(help="What a sheet holds, where it does not say so itself.")] = None,
    period: PeriodOption = None,
    series: SeriesOption = None,
    numbers: NumbersOption = None,
    unit: UnitOption = None,
    sheet: Annotated[str | None, typer.Option(help="Which sheet of a workbook, where it has several.")] = None,
    repair_codes: Annotated[
        bool, typer.Option("--repair-codes", help="Put back zeros that codes in a sheet have lost; each is told.")
    ] = False,
    repair_encoding: Annotated[
        bool, typer.Option("--repair-encoding", help="Read a sheet in TCVN3, VNI or Windows-1258; it is told.")
    ] = False,
    hidden_rows: Annotated[bool, typer.Option("--hidden-rows", help="Send hidden rows of a sheet too.")] = False,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Submit a province's files, and show the receipt of each. Ends with 1 when any of them was not accepted.

    To Kafka where it is known, as a portal does, else by HTTP. Sending the same again is harmless. A sheet comes back
    as FILE.answered.xlsx with status, reason and mend in each row; its good rows are in.

    Example: langhoc submit communes.xlsx --province 01 --dry-run
    """
    with plain_errors():
        sheets = [file for file in files if is_sheet(file)]
        asked: dict[Repair, bool] = {"codes": repair_codes, "encoding": repair_encoding}
        repair = frozenset(one for one in asked if asked[one])
        declared = Declared(kind, period, series, numbers, unit, sheet, repair, hidden_rows)
        good = _sheets(sheets, province, declared, language, format, dry_run=dry_run)
        if len(sheets) < len(files):
            good &= _messages([file for file in files if file not in sheets], province, format, dry_run=dry_run)
    if not good:
        raise typer.Exit(1)


def _sheets(
    files: Sequence[Path],
    province: str | None,
    declared: Declared,
    language: Language,
    format: Format,
    *,
    dry_run: bool,
) -> bool:
    """Whether all rows of all sheets were accepted, or could be sent."""
    if not files:
        return True
    if known_province(province) is None or province is None:
        fail("Nêu tỉnh gửi trang tính (--province). / Name the province that sends the sheet (--province).")
    client = None if dry_run else Client()
    clock = BusinessClock(client.deployment.clock_offset if client else 0)
    options = declared.options(province, clock.now().astimezone(HANOI).date())

    def settle() -> None:
        if client is not None:
            wait_receipts(client)

    def by_http(messages: Sequence[Message]) -> list[Receipt]:
        return _received(Client(), handed_in(messages, dry_run=False))

    def rehearse(messages: Sequence[Message]) -> list[Judged]:
        return [one.verdict for one in handed_in(messages, dry_run=True) if one.verdict]

    ways = Ways(settle, by_http, rehearse)
    done = [submit_sheet(file, options, client, ways, language, format) for file in files]
    return all(done)


def _messages(files: Sequence[Path], province: str | None, format: Format, *, dry_run: bool) -> bool:
    """Whether all submissions of JSON files were accepted, or would be."""
    messages = messages_in(files, province)
    if not messages:
        fail("Không có hồ sơ nào để gửi: danh sách rỗng. / There is nothing to submit: the list is empty.")
    if len({each.province for each in messages}) > 1:
        fail("Mỗi lần gửi cho một tỉnh. / Submit for one province at a time.")
    client = Client()
    said: Sequence[Receipt | Judged]
    if dry_run:
        said = [one.verdict for one in handed_in(messages, dry_run=True) if one.verdict]
    elif client.deployment.kafka is None:
        said = _received(client, handed_in(messages, dry_run=False))
    else:
        published = publish(client.deployment, messages)
        wait_receipts(client)
        said = [client.get("intake", f"/receipts/{item.receipt_id}", Receipt) for item in published]
    show_said(said, format, dry_run=dry_run)
    return all(map(_stands, said))


def handed_in(messages: Sequence[Message], *, dry_run: bool) -> list[Filed]:
    """What became of messages of one province over HTTP, or would become of them."""
    province = messages[0].province
    client = Client(usual="province", province=province)
    clock = BusinessClock(client.deployment.clock_offset)
    events = [structured(message, clock.now()) for message in messages]
    return [one for some in _batches(events) for one in client.hand_in(some, province, dry_run=dry_run).items]


def _batches(events: Sequence[bytes]) -> Iterator[list[bytes]]:
    """In their order, each batch as large as the door takes it."""
    batch: list[bytes] = []
    for event in events:
        if batch and (len(batch) == BATCH_EVENTS or sum(map(len, batch)) + len(batch) + len(event) > BATCH_BYTES):
            yield batch
            batch = []
        batch.append(event)
    if batch:
        yield batch


def _received(client: Client, handed: Sequence[Filed]) -> list[Receipt]:
    """Their receipts, the late ones as soon as they are there. Raises `CommandError` where one does not come."""
    return [one.receipt or _late(client, one.location or "") for one in handed]


def _late(client: Client, location: str) -> Receipt:
    give_up = time.monotonic() + WAIT_SECONDS
    while (found := client.find("intake", location, Receipt)) is None:
        if time.monotonic() > give_up:
            raise CommandError(f"It is written, and not judged yet: ask for {location} later.")
        time.sleep(POLL_SECONDS)
    return found


def _stands(said: Receipt | Judged) -> bool:
    """Whether its content is accepted, now or before."""
    status = said.original.status if said.status is Status.DUPLICATE and said.original else said.status
    return status in (Status.ACCEPTED, Status.ACCEPTED_LATE, Status.UNCHANGED)


def show_said(said: Sequence[Receipt | Judged], format: Format, *, dry_run: bool) -> None:
    """Print receipts, or what they would say: for people a narrow table, and below it what is wrong, in sentences."""
    if format is not Format.TABLE:
        emit(said, SAID, format)
        return
    emit(said, SAID_IN_A_ROW, format)
    for one in said:
        for found in (*one.problems, *one.warnings):
            say(f"{one.submission_id or '–'} {found.field or '/'}: {both(found.said)}")
            console.print(Padding(rich_text.Text(f"→ {both(found.mend)}"), (0, 0, 0, 2)))
    counts = Counter(one.status.value for one in said)
    say(f"{len(said)}: " + ", ".join(f"{count} {status}" for status, count in counts.items()))
    if dry_run:
        say(TRIED)


def messages_in(files: Sequence[Path], province: str | None) -> list[Message]:
    """The submissions of files. Ends the command with everything that is wrong with them."""
    try:
        return read_files(files, province)
    except UnreadableFiles as error:
        fail("\n".join(f"{each.file}:{each.line} {both(each.what)}\n  → {both(each.mend)}" for each in error.problems))
    except ValueError as error:
        raise CommandError(str(error)) from error


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
        raise CommandError(f"Kafka at {kafka.bootstrap} did not take the submissions: {error}") from error


class Proven(BudgetRunProposed):
    """The head of a proposal beside its lines."""

    allocations: Mapping[str, int]
    """Amount of each centre, in đồng."""
    adds_up: bool
    """Whether lines, what stands besides, and reserve are the envelope."""


def budgets(
    year: YearOption,
    province: AnyProvince = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """The proposed support of all centres: per province with the proof of the sum, or one province's lines."""
    with plain_errors():
        client = Client()
        if province and format is not Format.JSON:
            lines = lines_of(client, year, province)
            lines.sort(key=lambda line: (-line.allocation.amount, line.allocation.centre_id))
            emit(lines, _lines_in(language, format), format, title=f"Support {year}, province {province}")
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
    emit(rows, _heads_in(format), format, title=title)


def lines_of(client: Client, year: int, province: str | None) -> list[ToldProposal]:
    """One province's lines, or all."""
    return list(client.pages("funding", "/allocations", ToldProposal, year=year, province=province, limit=MOST))


def alerts(
    province: AnyProvince = None,
    kind: Annotated[AlertKind | None, typer.Option(help="Only this kind.")] = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """What provinces and the ministry were told: what happened, what to do, by when. What stands comes first."""
    with plain_errors():
        asked = {"province": province, "kind": kind, "limit": MOST}
        told = list(Client().pages("notifications", "/alerts", StandingAlert, **asked))
        told.sort(key=lambda alert: alert.cleared_at is not None)
        if format is not Format.TABLE:
            emit(told, _alert_columns(language), format)
        for alert in told if format is Format.TABLE else ():
            _show(alert, language)


def _show(alert: StandingAlert, language: Language) -> None:
    """Sentences are read, not compared: no table."""
    vi, style = language is Language.VI, "dim" if alert.cleared_at else ""
    by = [f"{'đến hết' if vi else 'by'} {language.words.day(_last_day(alert.due))}"] if alert.due else []
    about = [str(each) for each in (alert.subject, alert.period) if each is not None]
    parts = (alert.audience, language.of(ALERT_KINDS[alert.kind]), *about, *by)
    say("\n" + " · ".join(parts), style=style or "bold")
    said = [language.of(alert.text), f"→ {language.of(alert.action)}"]
    if alert.cleared_at and alert.why_cleared:
        at = language.words.moment(alert.cleared_at.astimezone(HANOI))
        said.append(f"{'Đã hết lúc' if vi else 'Over since'} {at}: {language.of(alert.why_cleared)}")
    for each in said:
        console.print(Padding(rich_text.Text(each, style), (0, 0, 0, 2)))


def _last_day(due: datetime) -> date:
    """In time is what comes before it: the day before, where it is 0:00 of a day."""
    return (due.astimezone(HANOI) - timedelta(microseconds=1)).date()


def _problems(receipt: Receipt | Judged) -> str:
    return "\n".join(f"{one.field or '/'}: {both(one.said)}\n  → {both(one.mend)}" for one in receipt.problems)


SAID: list[Column[Receipt | Judged]] = [
    Column("submission", "Submission", lambda said: said.submission_id),
    Column("act", "Act"),
    Column("status", "Status"),
    Column("version", "Version"),
    Column("receipt", "Receipt", lambda said: said.receipt_id if isinstance(said, Receipt) else None),
    Column("problems", "Problems", _problems),
]
SAID_IN_A_ROW: list[Column[Receipt | Judged]] = [
    SAID[0],
    Column("act", "Act", lambda said: said.act if said.act != "submission" else None),
    *SAID[2:5],
]


def _heads_in(format: Format) -> list[Column[Proven]]:
    """All that makes up an envelope. People are spared columns in which nothing but zeros stand."""
    for_people = format is Format.TABLE
    return [
        Column("province", "Province"),
        number("centres", "Centres"),
        money("envelope", "Envelope ₫"),
        money("allocated", "Σ lines ₫"),
        money("equipment", "Equipment ₫", lambda run: run.equipment or (None if for_people else 0)),
        money("carried", "Carried ₫", lambda run: run.carried or (None if for_people else 0)),
        money("reserve", "Reserve ₫"),
        Column("adds_up", "Adds up"),
        Column("case", "Case"),
        number("version", "Version"),
    ]


def _lines_in(language: Language, format: Format) -> list[Column[ToldProposal]]:
    """Marks are words for people, and names for programs."""
    for_people = format is Format.TABLE
    return [
        Column("centre", "Centre", lambda line: line.allocation.centre_id),
        Column("name", "Name", lambda line: line.allocation.name),
        Column("grade", "Grade", lambda line: line.allocation.grade),
        *([] if for_people else [Column[ToldProposal]("assessment", "", lambda line: line.allocation.assessment)]),
        money("last", "Last year ₫", lambda line: line.allocation.last_year),
        money("amount", "Proposed ₫", lambda line: line.allocation.amount),
        money("equipment", "Equipment ₫", lambda line: line.grant.amount if line.grant else None),
        Column("binds", "Bound", lambda line: line.allocation.binds),
        Column(
            "flags",
            "Marks",
            lambda line: marks(line.allocation, language) if for_people else ", ".join(line.allocation.flags),
        ),
    ]


ALERT_KINDS: Mapping[AlertKind | RetiredAlertKind, Text] = {
    "submission_rejected": Text(vi="hồ sơ bị từ chối", en="a file was rejected"),
    "submission_held": Text(vi="hồ sơ tạm giữ", en="a file is held"),
    "submission_conflict": Text(vi="hồ sơ khác dữ liệu đã có", en="a file in conflict with what was accepted"),
    "result_below_threshold": Text(vi="kết quả dưới ngưỡng", en="a result below the threshold"),
    "result_changed": Text(vi="kết quả thay đổi", en="a result changed"),
    "support_proposed": Text(vi="đề nghị hỗ trợ", en="support proposed"),
    "below_legal_minimum": Text(vi="dưới mức tối thiểu theo luật", en="below the legal minimum"),
    "last_year_unknown": Text(vi="chưa có số liệu năm trước", en="last year's support unknown"),
    "budget_returned": Text(vi="dự toán được trả lại", en="a budget was returned"),
    "support_approved": Text(vi="hỗ trợ được phê duyệt", en="support approved"),
    "support_adjusted": Text(vi="hỗ trợ được điều chỉnh", en="support adjusted"),
    "adjustment_proposed": Text(vi="đề nghị điều chỉnh", en="an adjustment is proposed"),
    "period_reopened": Text(vi="mở lại kỳ", en="a period was reopened"),
    "ranking_released": Text(vi="công bố xếp hạng", en="a ranking was released"),
    "late_requested": Text(vi="đề nghị nộp sau khóa sổ", en="late acceptance is asked for"),
    "late_decided": Text(vi="trả lời đề nghị nộp sau khóa sổ", en="a request for late acceptance was decided"),
    "appeal_made": Text(vi="đề nghị xem xét lại kết quả", en="a result is appealed against"),
    "appeal_decided": Text(vi="trả lời đề nghị xem xét lại kết quả", en="an appeal was decided"),
    "support_changed": Text(vi="mức hỗ trợ thay đổi", en="support changed"),
}
"""What kinds of alerts are called."""


def _alert_columns(language: Language) -> list[Column[StandingAlert]]:
    return [
        *(Column[StandingAlert](name, name) for name in ("audience", "kind", "subject")),
        Column("text", "text", lambda alert: language.of(alert.text)),
        Column("action", "action", lambda alert: language.of(alert.action)),
        Column("due", "due"),
        Column("over", "over", lambda alert: language.of(alert.why_cleared) if alert.why_cleared else None),
    ]
