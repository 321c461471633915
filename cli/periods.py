"""`langhoc periods`: when periods close for their senders, and the ministry's orders that open them again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption, day_of
from cli.output import Column, Format, Language, emit, moment, plain_errors
from cli.people import Names
from cli.result_tree import word
from shared.answers.periods import ClosingView
from shared.contracts.facts import Closable, PeriodReopened
from shared.rulebook import HANOI, named_closable

WhyOption = Annotated[str, typer.Option("--why", help="The reason; it stays on record, and all concerned are told.")]
IdOption = Annotated[str | None, typer.Option("--id", help="The order's own id, to give the same order again.")]
OrderId = Annotated[str, typer.Argument(help="Id of the order, from `langhoc periods`.")]

periods = typer.Typer(
    invoke_without_command=True, help="When periods close for their senders; open one again for a while."
)


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.add_typer(periods, name="periods")


@periods.callback()
def closings(
    context: typer.Context,
    year: Annotated[
        int | None, typer.Option("--year", "-y", help="Period or budget year; this year's without.")
    ] = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """When each kind of submission of a year closes, on which ground, and the orders that opened it again.

    Example: langhoc periods --year 2025
    """
    if context.invoked_subcommand is not None:
        return
    with plain_errors():
        client = Client()
        found = client.get("intake", "/periods", list[ClosingView], year=year)
        orders = client.get("intake", "/periods/reopenings", list[PeriodReopened], period=found[0].period)
        vi, yes_or_no = language is Language.VI, {True: word("true", language), False: word("false", language)}
        columns: list[Column[ClosingView]] = [
            Column("what", "Loại" if vi else "What", lambda one: language.of(named_closable(one.what))),
            Column("last", "Ngày cuối" if vi else "Last day", lambda one: _last(one.closes_at), language.words.day),
            Column(
                "closed",
                "Đã khóa" if vi else "Closed",
                shown=yes_or_no.__getitem__,
            ),
            Column("provenance", "Mức căn cứ" if vi else "Provenance"),
            Column("citation", "Căn cứ" if vi else "Ground"),
        ]
        title = f"{'Kỳ' if vi else 'Period'} {found[0].period}"
        emit(found, columns, format, title=title, full={"closings": found, "reopenings": orders})
        if orders and format is Format.TABLE:
            _show(client, orders, language, format)


@periods.command()
def reopen(
    what: Annotated[Closable, typer.Argument(help="What is opened again.")],
    period: Annotated[int, typer.Argument(help="Period or budget year.")],
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day on which it is open.")],
    why: WhyOption,
    province: AnyProvince = None,
    subject: Annotated[
        str | None, typer.Option(help="One commune, centre, … of the province alone, as submissions name it.")
    ] = None,
    decision: Annotated[str | None, typer.Option("--decision", help="Number of the ministry's decision.")] = None,
    id: IdOption = None,
    language: LanguageOption = Language.EN,
    format: FormatOption = Format.TABLE,
) -> None:
    """Open a closed period again for a while: for all provinces, one, or one subject of it. All concerned are told.

    Example: langhoc periods reopen commune 2025 -p 04 --until 2027-01-31 --why "Lũ quét" --decision 7/QĐ-BGDĐT
    """
    with plain_errors():
        last = day_of(until)
        assert last is not None
        order = {
            "order_id": id or uuid.uuid4().hex,
            "what": what,
            "period": period,
            "province": province,
            "subject": subject,
            "reason": why,
            "until": (datetime(last.year, last.month, last.day, tzinfo=HANOI) + timedelta(days=1)).isoformat(),
            "decision_number": decision,
        }
        client = Client()
        _show(client, [client.post("intake", "/periods/reopenings", PeriodReopened, order)], language, format)


@periods.command()
def end(
    order_id: OrderId, why: WhyOption, language: LanguageOption = Language.EN, format: FormatOption = Format.TABLE
) -> None:
    """End a reopening now, before its time. What arrived before stands."""
    with plain_errors():
        path = f"/periods/reopenings/{order_id}/end"
        client = Client()
        _show(client, [client.post("intake", path, PeriodReopened, {"reason": why})], language, format)


def _show(client: Client, orders: Sequence[PeriodReopened], language: Language, format: Format) -> None:
    vi = language is Language.VI
    columns: list[Column[PeriodReopened]] = [
        Column("order_id", "Lệnh" if vi else "Order"),
        Column("what", "Mở lại" if vi else "Opens", lambda one: language.of(named_closable(one.what))),
        Column("period", "Kỳ" if vi else "Period"),
        Column("province", "Tỉnh" if vi else "Province", lambda one: one.province or ("mọi tỉnh" if vi else "all")),
        Column("subject", "Đối tượng" if vi else "Subject"),
        Column("from", "Từ" if vi else "From", lambda one: moment(one.ordered_at)),
        Column("until", "Đến trước" if vi else "Until before", lambda one: moment(one.closes_at)),
        Column("reason", "Lý do" if vi else "Why", lambda one: one.ended.reason if one.ended else one.reason),
        Column("decision", "Quyết định" if vi else "Decision", lambda one: one.decision_number),
        Column(
            "by",
            "Người ra lệnh" if vi else "By",
            lambda one: one.ended.ended_by if one.ended else one.ordered_by,
            Names(client),
        ),
    ]
    emit(orders, columns, format, title="Lệnh mở lại" if vi else "Opened again", full=list(orders))


def _last(closes_at: datetime) -> date:
    return (closes_at.astimezone(HANOI) - timedelta(microseconds=1)).date()
