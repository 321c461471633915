"""`langhoc late`: a province asks for a file to be taken whose period is closed; the ministry grants or refuses it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption, ProvinceOption, day_of
from cli.output import Column, Format, Language, emit, number, plain_errors, say
from cli.people import Names
from shared.answers.periods import LateRequestView, RequestState
from shared.contracts.base import Text
from shared.rulebook import HANOI, named_closable

STATES: Mapping[RequestState, Text] = {
    "open": Text(vi="chờ trả lời", en="waits"),
    "overdue": Text(vi="quá hạn trả lời", en="overdue"),
    "withdrawn": Text(vi="đã rút", en="withdrawn"),
    "refused": Text(vi="không chấp thuận", en="refused"),
    "granted": Text(vi="đang mở", en="granted"),
    "over": Text(vi="đã khóa lại", en="closed again"),
}
WhyOption = Annotated[str, typer.Option("--why", help="The reason; it stays on record, and all concerned are told.")]
RequestId = Annotated[str, typer.Argument(help="Id of the request, from `langhoc late`.")]
DecisionOption = Annotated[str | None, typer.Option("--decision", help="Number of the ministry's decision.")]

late = typer.Typer(invoke_without_command=True, help="Requests for late acceptance, and the ministry's answers.")


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(late, name="late")


@late.callback()
def requests(
    context: typer.Context,
    province: AnyProvince = None,
    period: Annotated[int | None, typer.Option(help="Period or budget year.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what nobody has decided yet.")] = False,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Who asks for a file to be taken after its period closed, why, until when it is answered, and who decided what.

    Example: langhoc late --waiting
    """
    if context.invoked_subcommand is not None:
        return
    with plain_errors():
        client = Client()
        asked = {"province": province, "period": period, "waiting": "true" if waiting else None}
        found = list(client.pages("intake", "/late-requests", LateRequestView, **asked))
        if not found and format is Format.TABLE:
            say("Không có đề nghị nào." if language is Language.VI else "There is no request.")
            return
        _show(client, found, language, format)


@late.command()
def ask(
    receipt: Annotated[str, typer.Argument(help="Id of the receipt that refused the file.")],
    province: ProvinceOption,
    why: WhyOption,
    id: Annotated[str | None, typer.Option("--id", help="The request's own id, to make the same again.")] = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask the ministry, in a province's name, to take a file that was refused because its period is closed.

    Example: langhoc late ask 7f2c1f0e-… -p 08 --why "Lũ quét tháng 12 làm hỏng hồ sơ"
    """
    with plain_errors():
        client = Client(usual="province", province=province)
        body = {"request_id": id or uuid.uuid4().hex, "receipt_id": receipt, "reason": why}
        made = client.post("intake", f"/late-requests/{province}", LateRequestView, body)
        _show(client, [made], language, format)


@late.command()
def withdraw(
    request: RequestId,
    province: ProvinceOption,
    why: WhyOption,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask no more, while nobody has decided. What was granted is revoked by `langhoc periods end ORDER`."""
    with plain_errors():
        client = Client(usual="province", province=province)
        path = f"/late-requests/{province}/{request}/withdraw"
        _show(client, [client.post("intake", path, LateRequestView, {"reason": why})], language, format)


@late.command()
def grant(
    request: RequestId,
    province: ProvinceOption,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day on which the file is taken.")],
    why: WhyOption,
    decision: DecisionOption = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Open the period to exactly this file until a last day. By another person than who asked.

    Example: langhoc late grant YC-1 -p 08 --until 2027-01-19 --why "Có xác nhận của UBND tỉnh"
    """
    with plain_errors():
        last = day_of(until)
        assert last is not None
        end = datetime(last.year, last.month, last.day, tzinfo=HANOI) + timedelta(days=1)
        answer = {"granted": True, "until": end.isoformat(), "reason": why, "decision_number": decision}
        _answer(province, request, answer, language, format)


@late.command()
def refuse(
    request: RequestId,
    province: ProvinceOption,
    why: WhyOption,
    decision: DecisionOption = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Leave the period closed to this file, with a reason. By another person than who asked."""
    with plain_errors():
        answer = {"granted": False, "reason": why, "decision_number": decision}
        _answer(province, request, answer, language, format)


def _answer(province: str, request: str, answer: Mapping[str, object], language: Language, format: Format) -> None:
    client = Client()
    path = f"/late-requests/{province}/{request}/answer"
    _show(client, [client.post("intake", path, LateRequestView, answer)], language, format)


def _show(client: Client, found: Sequence[LateRequestView], language: Language, format: Format) -> None:
    vi = language is Language.VI

    def day(end: datetime) -> str:
        """The last day before it."""
        return language.words.day((end - timedelta(microseconds=1)).astimezone(HANOI))

    columns: list[Column[LateRequestView]] = [
        Column("request_id", "Đề nghị" if vi else "Request"),
        Column("province", "Tỉnh" if vi else "Province"),
        Column("what", "Loại" if vi else "What", shown=lambda what: language.of(named_closable(what)), below=True),
        number("period", "Kỳ" if vi else "Period"),
        Column("subject", "Đối tượng" if vi else "Subject"),
        Column("state", "Tình trạng" if vi else "State", shown=lambda state: language.of(STATES[state])),
        Column("reason", "Lý do" if vi else "Why", below=True),
        Column("decide_by", "Trả lời đến hết" if vi else "Answer until", shown=day),
        Column("until", "Mở đến hết" if vi else "Open until", lambda one: one.decision and one.decision.until, day),
        Column(
            "answer",
            "Trả lời" if vi else "Answer",
            lambda one: one.decision.reason if one.decision else one.withdrawn and one.withdrawn.reason,
            below=True,
        ),
        Column(
            "decided_by",
            "Người quyết định" if vi else "Decided by",
            lambda one: one.decision and one.decision.decided_by,
            Names(client) if format is Format.TABLE else str,
            below=True,
        ),
    ]
    if format is Format.CSV:
        columns += [
            Column("receipt_id", ""),
            Column("order_id", "", lambda one: one.decision and one.decision.order_id),
        ]
    emit(found, columns, format, title="Đề nghị nộp sau khóa sổ" if vi else "Late acceptance", full=list(found))
