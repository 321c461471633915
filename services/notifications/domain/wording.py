"""What the texts of all alerts share: lists, time limits, provinces, in Vietnamese and in English."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from shared.contracts.base import Text
from shared.contracts.facts import Alert
from shared.registry import registry
from shared.rulebook import HANOI
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


def by_when(due: datetime | None, now: datetime) -> Text:
    """Until when, and what it means if that moment has passed. In time is what comes *before* `due`."""
    if due is None:
        return Text(vi="Quy định không nêu thời hạn.", en="The rules name no time limit.")
    moment = _moment(due)
    if now < due:
        return Text(vi=f"Thời hạn: {moment.vi} (giờ Việt Nam).", en=f"Time limit: {moment.en} (Viet Nam time).")
    return Text(
        vi=f"Thời hạn ({moment.vi}, giờ Việt Nam) đã qua: hồ sơ gửi sau thời hạn được ghi nhận là nộp muộn.",
        en=f"The time limit ({moment.en}, Viet Nam time) has passed: what is sent after it is recorded as late.",
    )


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
