"""What the texts of all alerts share: lists, time limits, provinces, in Vietnamese and in English."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, get_args

from shared.contracts.base import Text
from shared.contracts.facts import Alert, Closable
from shared.registry import registry
from shared.rulebook import HANOI, NoRuleInForce, closing
from shared.wording import EN, VI

AlertOf = Callable[[Any, str, datetime], Alert | None]
"""What a fact calls for: the fact, the id of its event, and when it was received; `None` = nothing."""
SHOWN = 3
"""How many problems or steps an alert names; the receipt or the result holds all of them."""


def joined(*parts: Text | None) -> Text:
    """Sentences one after the other; `None` says nothing."""
    said = [part for part in parts if part is not None]
    return Text(vi=" ".join(part.vi for part in said), en=" ".join(part.en for part in said))


def numbered(texts: Iterable[Text]) -> Text | None:
    """`(1) …; (2) ….`, each text once, the first few of them; `None` where there is none."""
    distinct = list({(text.vi, text.en): text for text in texts}.values())
    if not distinct:
        return None
    shown, more = distinct[:SHOWN], len(distinct) - SHOWN
    return Text(
        vi=_numbered([text.vi for text in shown], f"và {more} nội dung khác" if more > 0 else None),
        en=_numbered([text.en for text in shown], f"and {more} more" if more > 0 else None),
    )


def _numbered(texts: list[str], rest: str | None) -> str:
    trimmed = [text.rstrip(" .;") for text in texts]
    if len(trimmed) == 1 and rest is None:
        return f"{trimmed[0]}."
    return "; ".join([*(f"({i}) {text}" for i, text in enumerate(trimmed, 1)), *([rest] if rest else [])]) + "."


def by_when(due: datetime | None, now: datetime, closes: datetime | None = None) -> Text:
    """Until when, and what it means if that moment has passed. In time is what comes *before* `due`.

    Args:
        due: the time limit that the rules name, if they do.
        now: when it is said.
        closes: when the period closes for what is asked here, if it does: later nothing is taken any more.
    """
    last = None if closes is None else _moment(closes)
    if closes is not None and last is not None and now >= closes:
        return Text(
            vi=f"Kỳ đã khóa sổ ({last.vi}, giờ Việt Nam): hồ sơ chỉ được nhận trong thời gian Bộ mở lại.",
            en=f"The period has closed ({last.en}, Viet Nam time): files are taken only while the ministry has it open "
            "again.",
        )
    if due is None:
        if last is None:
            return Text(vi="Quy định không nêu thời hạn.", en="The rules name no time limit.")
        return Text(
            vi=f"Quy định không nêu thời hạn; khóa sổ lúc {last.vi} (giờ Việt Nam).",
            en=f"The rules name no time limit; the period closes at {last.en} (Viet Nam time).",
        )
    moment = _moment(due)
    if now < due:
        return Text(vi=f"Thời hạn: {moment.vi} (giờ Việt Nam).", en=f"Time limit: {moment.en} (Viet Nam time).")
    until = Text(vi="", en="") if last is None else Text(vi=f", đến khi khóa sổ lúc {last.vi}", en=f", until {last.en}")
    return Text(
        vi=f"Thời hạn ({moment.vi}, giờ Việt Nam) đã qua: hồ sơ gửi sau thời hạn được ghi nhận là nộp muộn{until.vi}.",
        en=f"The time limit ({moment.en}, Viet Nam time) has passed: what is sent after it is recorded as late"
        f"{until.en}.",
    )


def closing_of(what: str, period: int | None) -> datetime | None:
    """When the period closes for what is called so; `None` where it never does, or for a year that no rule knows."""
    closable = next((each for each in get_args(Closable) if each == what), None)
    if closable is None or period is None:
        return None
    try:
        return closing(closable, period).at
    except (NoRuleInForce, ValueError):  # such a year stands in refused records only
        return None


def _moment(instant: datetime) -> Text:
    """A legal day ends at 24:00; the same instant is 00:00 of a day that nobody means."""
    local = instant.astimezone(HANOI)
    day, clock = local.date(), f"{local:%H:%M}"
    if local.time() == time.min:
        day, clock = day - timedelta(days=1), "24:00"
    return Text(vi=f"{clock} ngày {VI.day(day)}", en=f"{clock} on {EN.day(day)}")


def province_name(code: str, on: date) -> str:
    """The province's name on that day with its code, or the code alone where the register does not know it."""
    province = registry().province(code, on)
    return f"{province.name} ({code})" if province else code
