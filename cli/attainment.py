"""`langhoc attainment`: how far the goals of the state are reached."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated

import typer

from cli.client import Client
from cli.options import AnyProvince, FormatOption, LanguageOption
from cli.output import Column, Format, Language, emit, fail, number, plain_errors, say
from shared.answers.attainment import AttainedGoal, AttainmentView
from shared.contracts.base import Text
from shared.contracts.facts import Attained
from shared.wording import EN, VI

STANDINGS: Mapping[Attained, Text] = {
    "met": Text(vi="đạt", en="met"),
    "on_path": Text(vi="đúng lộ trình", en="on its path"),
    "behind": Text(vi="chậm lộ trình", en="behind"),
    "not_met": Text(vi="chưa đạt", en="not met"),
    "unknown": Text(vi="chưa biết", en="unknown"),
}
REASONS: Mapping[str, Text] = {
    "not_reported": Text(vi="chưa có báo cáo", en="nothing is reported for it"),
    "nobody": Text(vi="không có đối tượng", en="nobody is there to be counted"),
}


def app_commands(parent: typer.Typer) -> None:
    """Register this module's commands."""
    parent.command()(attainment)


def attainment(
    period: Annotated[int, typer.Option(help="Assessment period.")],
    province: AnyProvince = None,
    goal: Annotated[str | None, typer.Option(help="One goal by its id: what it rests on, and its source.")] = None,
    known: Annotated[bool, typer.Option("--known", help="Only goals for which something was reported.")] = False,
    language: LanguageOption = Language.VI,
    format: FormatOption = Format.TABLE,
) -> None:
    """How far each goal of the state is reached by the nation, or by a province, and how many more it needs.

    Example: langhoc attainment --period 2025 --province 01 --known
    """
    with plain_errors():
        seen = Client().get("scoring", f"/attainment/{province or 'vn'}/{period}", AttainmentView)
    if goal is not None:
        one = next((each for each in seen.goals if each.goal == goal), None)
        if one is None:
            fail(f"No goal {goal} is in force in {period}; `langhoc attainment --period {period}` lists them.")
        _detail(one, language, format)
        return
    rows = [one for one in seen.goals if not known or one.standing != "unknown"]
    vi = language is Language.VI
    columns: list[Column[AttainedGoal]] = [
        Column("goal", "mục tiêu" if vi else "goal", lambda one: one.goal),
        number("year", "năm" if vi else "year", lambda one: one.year),
        number("value", "cần" if vi else "asked", lambda one: _percent(one.value, language)),
        number("share", "hiện có" if vi else "now", lambda one: _share(one, language)),
        Column("standing", "tình hình" if vi else "standing", lambda one: _said(STANDINGS[one.standing], language)),
        number("needed", "còn thiếu" if vi else "needs", lambda one: one.needed_for_goal),
    ]
    where = province or ("cả nước" if vi else "the nation")
    title = f"Mục tiêu {period}, {where}" if vi else f"Goals in {period}, {where}"
    emit(rows, columns, format, title=title, full=seen)


def _detail(one: AttainedGoal, language: Language, format: Format) -> None:
    if format is not Format.TABLE:
        emit([one], [Column("goal", "goal")], Format.JSON, full=one)
        return
    vi, count = language is Language.VI, one.count
    say(f"{one.goal}: {_said(one.name, language)}")
    say(f"{'Cần' if vi else 'Asked'} {_percent(one.value, language)} ({one.year}); {one.citation} [{one.provenance}]")
    if one.note is not None:
        say(_said(one.note, language))
    if count is None or one.to_goal is None:
        say(f"{_said(STANDINGS[one.standing], language)}: {_said(REASONS[one.reason or 'not_reported'], language)}")
        return
    of = "" if count.of is None else f"/{count.of}"
    counted = f"{count.numerator}/{count.denominator}"
    rests = f"từ {count.reported}{of} đơn vị" if vi else f"from {count.reported}{of} units"
    say(f"{_said(STANDINGS[one.standing], language)}: {counted} = {_share(one, language)}, {rests}")
    say(f"{'Còn thiếu đến mục tiêu' if vi else 'Needed for the goal'}: {one.needed_for_goal}")
    if one.path is not None:
        due = _percent(one.path, language)
        say(
            f"Lộ trình năm nay {due}, còn thiếu: {one.needed_for_path}"
            if vi
            else f"This year's path asks for {due}; needed for it: {one.needed_for_path}"
        )
    if one.missing:
        say(f"{'Chưa báo cáo (không tính là 0)' if vi else 'Missing (not zero)'}: {', '.join(one.missing)}")


def _said(text: Text, language: Language) -> str:
    return text.vi if language is Language.VI else text.en


def _percent(share: str, language: Language) -> str:
    return (VI if language is Language.VI else EN).percent(Fraction(share))


def _share(one: AttainedGoal, language: Language) -> str:
    if one.count is None or not one.count.denominator:
        return ""
    return _percent(f"{one.count.numerator}/{one.count.denominator}", language)
