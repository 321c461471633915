"""`langhoc completeness`: what provinces owe for a period, what came of it, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Annotated

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption
from cli.output import Column, CommandError, Format, Language, emit, headed, number, plain_errors, say
from shared.answers.completeness import Completeness, FileState, OwedFile, OwedSeries
from shared.contracts.base import Text
from shared.rulebook import HANOI, named_closable

STATES: Mapping[FileState, Text] = {
    "on_time": Text(vi="Đúng hạn", en="In time"),
    "late": Text(vi="Muộn", en="Late"),
    "held": Text(vi="Tạm giữ", en="Held"),
    "refused": Text(vi="Bị từ chối", en="Refused"),
    "withdrawn": Text(vi="Đã rút", en="Withdrawn"),
    "awaited": Text(vi="Còn chờ", en="Awaited"),
    "missing": Text(vi="Thiếu", en="Missing"),
}


def app_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(completeness)


def completeness(
    period: Annotated[int, typer.Option(help="Period.")],
    province: AnyProvince = None,
    series: Annotated[OwedSeries | None, typer.Option(help="One series alone.")] = None,
    state: Annotated[
        FileState | None, typer.Option(help="List the subjects that stand so; with --province and --series.")
    ] = None,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """Per series and province: how many files are expected, came in time, late, are held, refused, missing.

    Counted by what was received and accepted. Expected are the communes and working centres of the cut-off date.

    Example: langhoc completeness --period 2025 --province 01 --series commune --state missing
    """
    with plain_errors():
        client = Client()
        if state is not None:
            if province is None or series is None:
                raise CommandError("--state lists the subjects of one province and series: name both.")
            files = client.get("intake", f"/completeness/{series}/{period}/{province}", list[OwedFile], state=state)
            if format is Format.TABLE:
                what = f"{_heading(series, language)} {period} · {province}"
                say(f"{what} · {language.of(STATES[state])}: {len(files)}", style="bold")
            if files or format is not Format.TABLE:
                emit(files, _files(language), format)
            return
        asked = {"period": period, "province": province, "series": series}
        found = client.get("intake", "/completeness", list[Completeness], **asked)
        if format is not Format.TABLE:
            emit(found, _columns(language, format), format)
            return
        if not found:
            vi = language is Language.VI
            say("Không có hồ sơ nào phải nộp." if vi else "No file is owed.")
        for one, rows in groupby(found, lambda row: row.series):
            _show(one, list(rows), language)


def _show(series: OwedSeries, rows: Sequence[Completeness], language: Language) -> None:
    first, vi = rows[0], language is Language.VI
    due, closes = (language.words.day(_last(at)) for at in (first.due_at, first.closes_at))
    dates = f"hạn nộp {due}, khóa sổ {closes}" if vi else f"due {due}, closes {closes}"
    say(f"{_heading(series, language)} {first.period} · {dates}", style="bold")  # wider than the table
    emit(rows, _columns(language, Format.TABLE), Format.TABLE)


def _heading(series: OwedSeries, language: Language) -> str:
    named = language.of(named_closable(series))
    return named[0].upper() + named[1:]


def _last(end: datetime) -> datetime:
    """On the last day that counts."""
    return end.astimezone(HANOI) - timedelta(microseconds=1)


def _columns(language: Language, format: Format) -> list[Column[Completeness]]:
    vi = language is Language.VI
    yes = "có" if vi else "yes"
    zero = None if format is Format.TABLE else 0  # people are spared columns in which nothing but zeros stand
    counted: list[Column[Completeness]] = [
        Column("province", "Tỉnh" if vi else "Province"),
        number("expected", "Phải nộp" if vi else "Expected"),
        number("received", "Đã đến" if vi else "Received"),
        *(number(state, language.of(name), partial(_count, state, zero)) for state, name in STATES.items()),
        number("unexpected", "Ngoài diện" if vi else "Unexpected", partial(_count, "unexpected", zero)),
        number(
            "held_unknown", "Giữ, mã chưa rõ" if vi else "Held, code unknown", partial(_count, "held_unknown", zero)
        ),
        Column("complete", "Đủ" if vi else "Complete", shown=lambda all_there: yes if all_there else ""),
    ]
    if format is Format.TABLE:
        return counted
    return [*headed(series="", period="", due_at="", closes_at=""), *counted]


def _count(name: str, zero: int | None, row: Completeness) -> int | None:
    """`None` where nobody knows."""
    count: int | None = getattr(row, name)
    return zero if count == 0 else count


def _files(language: Language) -> list[Column[OwedFile]]:
    vi = language is Language.VI
    return [
        Column("code", "Mã" if vi else "Code"),
        Column("name", "Tên" if vi else "Name"),
        Column("state", "Hồ sơ" if vi else "File", shown=lambda state: language.of(STATES[state])),
    ]
