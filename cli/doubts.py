"""`langhoc warnings`: what is accepted and yet hardly true, of a province."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

import typer
from rich import text as rich_text
from rich.padding import Padding

from cli.client import MOST, Client
from cli.explaining import name_of
from cli.options import AnyProvince, FormatOption, LanguageOption
from cli.output import Column, Format, Language, console, emit, number, plain_errors, say
from shared.answers.warnings import Doubtful
from shared.contracts.base import Problem


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("warnings")(listed)


def listed(
    province: AnyProvince = None,
    period: Annotated[int | None, typer.Option(help="Period or budget year.")] = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """What is accepted and yet hardly true, as the facts stand now; nothing of it is held up by it.

    It is made of the accepted facts, whenever they came: what was mended is gone from it, and a file of last year that
    came later is compared with.

    Example: langhoc warnings --province 01 --period 2025
    """
    with plain_errors():
        found = Client().pages("intake", "/warnings", Doubtful, province=province, period=period, limit=MOST)
        rows = [_Row(one, each) for one in found for each in one.warnings]
        if rows or format is not Format.TABLE:
            emit(rows, _columns(language, format), format, title=_title(language))
        else:
            say("Không có gì đáng ngờ." if language is Language.VI else "Nothing is doubted.")
        for row in rows if format is Format.TABLE else ():
            say(f"{row.of.subject} {row.warning.field} ({row.warning.code}): {language.of(row.warning.said)}")
            console.print(Padding(rich_text.Text(f"→ {language.of(row.warning.mend)}"), (0, 0, 0, 2)))


class _Row(NamedTuple):
    of: Doubtful
    warning: Problem


def _title(language: Language) -> str:
    return "Đã nhận nhưng khó đúng" if language is Language.VI else "Accepted, yet hardly true"


def _columns(language: Language, format: Format) -> Sequence[Column[_Row]]:
    vi = language is Language.VI

    def named(kind: str) -> str:
        return name_of(kind, language)

    def every() -> Iterator[Column[_Row]]:
        yield Column("province", "Tỉnh" if vi else "From", lambda row: row.of.province)
        yield Column(
            "kind", "Loại" if vi else "Kind", lambda row: row.of.kind, shown=lambda key: name_of(key, language)
        )
        yield Column("subject", "Đối tượng" if vi else "Subject", lambda row: row.of.subject)
        yield Column("name", "Tên" if vi else "Name", lambda row: row.of.name)
        yield number("period", "Kỳ" if vi else "Period", lambda row: row.of.period)
        yield number("version", "Phiên bản" if vi else "Version", lambda row: row.of.version)
        if format is not Format.TABLE:
            yield Column("code", "", lambda row: row.warning.code)
            yield Column("field", "", lambda row: row.warning.field)
            yield Column("submission_id", "", lambda row: row.of.submission_id)
            yield Column("receipt_id", "", lambda row: row.of.receipt_id)
            yield Column("message", "", lambda row: language.of(row.warning.message))
            yield Column("mend", "", lambda row: language.of(row.warning.mend))

    return list(every())
