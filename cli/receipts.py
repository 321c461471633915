"""`langhoc receipts`: what was answered to whatever was sent, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

import typer
from rich import text as rich_text
from rich.padding import Padding

from cli.client import Client
from cli.explaining import name_of
from cli.options import AnyProvince, FormatOption, LanguageOption, day_of
from cli.output import Column, Format, Language, console, emit, headed, number, plain_errors, say
from shared.answers.page import Page
from shared.contracts.base import Problem, Status, Text
from shared.contracts.facts import Receipt, SubmissionKind
from shared.rulebook import HANOI

LIMIT, MOST = 100, 5_000


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(receipts)


def receipts(
    search: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|CODE", help="Code of the subject, or a part of its name: `ba dinh` finds Ba Đình."
        ),
    ] = None,
    province: AnyProvince = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day of arrival, in Hà Nội.")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Last day of arrival.")] = None,
    status: Annotated[Status | None, typer.Option(help="What became of it.")] = None,
    kind: Annotated[SubmissionKind | None, typer.Option(help="What was sent.")] = None,
    period: Annotated[int | None, typer.Option(help="Period or budget year.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many, from the newest on.")] = LIMIT,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """What was answered to whatever was sent, newest first; below it what is wrong or doubted, and how to mend it.

    Names are those of the register, and of centres and learning units of which something is accepted.

    Example: langhoc receipts "ba dinh" --from 2026-03-01 --status rejected
    """
    with plain_errors():
        asked = {
            "search": search,
            "province": province,
            "from": day_of(first),
            "until": day_of(until),
            "kind": kind,
            "status": status,
            "period": period,
        }
        page = Client().get("intake", "/receipts", Page[Receipt], **asked, limit=limit)
        if format is not Format.TABLE:
            emit(page.items, _columns(language, format), format)
        elif page.items:
            _show(page, _in_words(asked, language), language)
        else:
            _show_none(asked, language)


_ASKED: Mapping[str, Text] = {
    "search": Text(vi="tên hoặc mã “{}”", en="name or code “{}”"),
    "province": Text(vi="tỉnh {}", en="province {}"),
    "from": Text(vi="từ ngày {}", en="from {}"),
    "until": Text(vi="đến hết ngày {}", en="until the end of {}"),
    "kind": Text(vi="loại: {}", en="kind: {}"),
    "status": Text(vi="kết quả: {}", en="status: {}"),
    "period": Text(vi="kỳ {}", en="period {}"),
}


def _in_words(asked: Mapping[str, object], language: Language) -> str:
    """What was asked for."""

    def shown(name: str, value: object) -> str:
        if isinstance(value, date):
            return language.words.day(value)
        return name_of(str(value), language) if name in ("kind", "status") else str(value)

    given = {name: value for name, value in asked.items() if value is not None}
    return "; ".join(language.of(_ASKED[name]).format(shown(name, value)) for name, value in given.items())


def _show(page: Page[Receipt], asked: str, language: Language) -> None:
    vi = language is Language.VI
    heading = "Phiếu tiếp nhận, mới nhất trước" if vi else "Receipts, newest first"
    emit(page.items, _columns(language, Format.TABLE), Format.TABLE, title=f"{heading}: {asked}" if asked else heading)
    for receipt in page.items:
        for found in (*receipt.problems, *receipt.warnings):
            say(f"{receipt.submission_id or receipt.receipt_id} {found.field or '/'}: {language.of(found.said)}")
            console.print(Padding(rich_text.Text(f"→ {language.of(found.mend)}"), (0, 0, 0, 2)))
    if page.next is not None:
        count = len(page.items)
        more = f"Còn phiếu cũ hơn {count} phiếu này" if vi else f"There are older ones than these {count}"
        how = f"thu hẹp, hoặc --limit đến {MOST}" if vi else f"narrow it, or --limit up to {MOST}"
        say(f"{more}: {how}.")


def _show_none(asked: Mapping[str, object], language: Language) -> None:
    said = _in_words(asked, language)
    nothing = "Không có phiếu tiếp nhận nào" if language is Language.VI else "There is no receipt"
    say(f"{nothing}: {said}." if said else f"{nothing}.")
    if asked["search"] is not None:
        say(f"→ {language.of(_WHERE_NAMES_ARE)}")


_WHERE_NAMES_ARE = Text(
    vi="Tên được tìm trong danh mục đơn vị, và trong các trung tâm và đơn vị học tập đã có hồ sơ được nhận; hồ sơ khác "
    "tìm theo mã, ngày hoặc kết quả.",
    en="Names are those of the register, and of centres and learning units of which something is accepted; look for "
    "anything else by code, day or status.",
)


def _columns(language: Language, format: Format) -> list[Column[Receipt]]:
    """People look for one among many: what takes a line of its own stands below, or is for programs."""
    vi = language is Language.VI

    def named(key: str) -> str:
        return "" if key == "submission" else name_of(key, language)

    def at(instant: datetime) -> str:
        return language.words.moment(instant.astimezone(HANOI))

    for_all: list[Column[Receipt]] = [
        Column("received_at", "Nhận lúc" if vi else "Received", shown=at),
        Column("province", "Tỉnh" if vi else "From"),
        Column("kind", "Loại" if vi else "Kind", shown=named),
        Column("act", "Việc" if vi else "Act", shown=named),
        Column("subject", "Đối tượng" if vi else "Subject"),
        number("period", "Kỳ" if vi else "Period"),
        Column("status", "Kết quả" if vi else "Status", shown=named),
        Column("submission_id", "Mã hồ sơ" if vi else "Submission"),
    ]
    if format is Format.TABLE:
        return for_all
    return [*for_all, *headed(receipt_id=""), Column("problems", "", lambda one: _codes(one.problems))]


def _codes(problems: Sequence[Problem]) -> str:
    return ", ".join(f"{one.code} {one.field or '/'}" for one in problems)
