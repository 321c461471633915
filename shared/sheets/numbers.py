"""Numbers and days as people write them: the way is declared, and what can be read in two ways is not guessed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

Style = Literal["vi", "en"]
"""`vi`: `2.982` is 2982 and `62,198` is 62.198; `en` the other way round."""
Unit = Literal["đồng", "nghìn", "triệu"]
UNITS: Mapping[Unit, int] = {"đồng": 1, "nghìn": 1_000, "triệu": 1_000_000}
"""Units in which amounts of money may be written, in đồng."""
MOST_CHARACTERS = 40

_FORMS: Mapping[Style, tuple[re.Pattern[str], str, str]] = {
    "vi": (re.compile(r"-?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]+)?"), ".", ","),
    "en": (re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?"), ",", "."),
}
_SPACED = re.compile(r"-?[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?")
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


def readings(text: str) -> dict[Style, Decimal]:
    """The number that a text is in each way of writing; empty where it is none in either."""
    text = text.strip().replace("−", "-")
    if len(text) > MOST_CHARACTERS:
        return {}
    if _SPACED.fullmatch(text):
        text = re.sub(r"[ \u00a0\u202f]", "", text)
    found: dict[Style, Decimal] = {}
    for style, (form, group, point) in _FORMS.items():
        if form.fullmatch(text):
            found[style] = Decimal(text.replace(group, "").replace(point, "."))
    return found


def stored(value: float) -> Decimal:
    """A machine number as a spreadsheet shows it: 15 digits, without the noise of binary fractions."""
    return Decimal(value) if isinstance(value, int) else Decimal(f"{value:.15g}")


class Shown(NamedTuple):
    """What a number format does beside writing a number."""

    percent: bool
    """0.62 is shown as 62 %."""
    scaled: bool
    """Thousands or millions are left out: 75000000 is shown as 75."""
    words: str
    """Text behind the number that changes its meaning: `triệu`."""


def shown_by(format: str) -> Shown:
    """What a number format of XLSX does with a number."""
    first = format.split(";")[0]
    bare = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.', "", first)
    said = " ".join(re.findall(r'"([^"]*)"', first)).casefold()
    word = re.search(r"nghìn|ngàn|triệu|tỷ|tỉ|million|thousand|billion|%", said)
    return Shown("%" in bare, re.search(r"[0#?],+(?![0#?,])", bare) is not None, word[0] if word else "")


def zeros(format: str) -> int:
    """How many digits a format of zeros alone (`00000`) shows; else 0."""
    return len(format) if format and not format.strip("0") else 0


def iso_day(text: str) -> date | None:
    """The day of `2025-12-31`."""
    found = _ISO.fullmatch(text.strip())
    return _day(found[1], found[2], found[3]) if found else None


def days(text: str) -> tuple[date | None, date | None]:
    """The days that `05/04/2025` is with the day first, and with the month first; `None` where it is none."""
    found = _DAY_FIRST.fullmatch(text.strip())
    return (_day(found[3], found[2], found[1]), _day(found[3], found[1], found[2])) if found else (None, None)


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
