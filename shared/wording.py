"""How numbers, shares, money and days are written in Vietnamese and in English, by Unicode's CLDR.

`VI(number)` and `EN(number)` write a number, their methods all else; nobody writes a figure or a day by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import final

from babel import Locale
from babel.dates import format_date
from babel.numbers import get_decimal_symbol, get_group_symbol

from shared.contracts.base import Text
from shared.contracts.submissions import AreaClass, TitleModel

Number = int | Decimal | Fraction
_PLACES = 6


@final
class Language:
    """One language's way of writing."""

    def __init__(self, locale: Locale, day: str) -> None:
        """`day`: the pattern of a day, in CLDR's letters."""
        self._locale = locale
        self._day = day
        self._symbols = str.maketrans({",": get_group_symbol(locale), ".": get_decimal_symbol(locale)})

    def __call__(self, number: Number) -> str:
        """`1.234,5`: exact up to six decimals; a longer one is cut, never rounded: `33,333333…`."""
        if isinstance(number, int):  # the budget of the nation writes a million of them
            return self._written(f"{abs(number):,}", number)
        whole, rest = divmod(abs(Fraction(number)) * 10**_PLACES, 1)
        units, decimals = divmod(whole, 10**_PLACES)
        digits = f"{units:,}.{decimals:0{_PLACES}}"
        return self._written(f"{digits}…" if rest else digits.rstrip("0").rstrip("."), number)

    def _written(self, digits: str, number: Number) -> str:
        return f"{'−' if number < 0 else ''}{digits.translate(self._symbols)}"

    def percent(self, share: Decimal | Fraction) -> str:
        """`62,198 %`: cut after three decimals, so that 59.9999 % does not read as 60 %."""
        return f"{self(Fraction(int(share * 100_000), 1000))} %"

    def money(self, amount: Number) -> str:
        """`1.250.000 đồng`."""
        return f"{self(amount)} đồng"

    def signed(self, number: int) -> str:
        """A change: `+1.234`, `−1.234`, `0`."""
        return f"+{self(number)}" if number > 0 else self(number)

    def of(self, text: Text) -> str:
        """The half of a bilingual text that is in this language."""
        return text.vi if self._locale.language == "vi" else text.en

    def day(self, day: date) -> str:
        """`31/12/2025`, `2025-12-31`."""
        return format_date(day, self._day, self._locale)

    def moment(self, instant: datetime) -> str:
        """`31/12/2025 17:30`, in the zone that the instant is given in."""
        return f"{self.day(instant.date())} {instant:%H:%M}"


VI = Language(Locale("vi"), "dd/MM/y")
EN = Language(Locale("en"), "y-MM-dd")
TITLES: Mapping[TitleModel, Text] = {
    "family": Text(vi="gia đình học tập", en="learning family"),
    "clan": Text(vi="dòng họ học tập", en="learning clan"),
    "hamlet": Text(vi="cộng đồng học tập thôn, tổ dân phố", en="learning hamlet"),
    "unit": Text(vi="đơn vị học tập thuộc xã", en="learning unit of the commune"),
    "citizen": Text(vi="công dân học tập", en="learning citizen"),
}
"""What titles of the learning models are called."""
AREAS: Mapping[AreaClass, Text] = {
    "region_1": Text(vi="khu vực I", en="Region I"),
    "region_2": Text(vi="khu vực II", en="Region II"),
    "region_3": Text(vi="khu vực III", en="Region III"),
    "other": Text(vi="ngoài khu vực I, II, III", en="outside Regions I, II, III"),
}
"""What area classes are called."""


def reached(level: int) -> Text:
    """A level in words; nobody has reached a "level 0"."""
    return Text(vi=f"mức độ {level}", en=f"level {level}") if level else Text(vi="chưa đạt", en="not reached")


def plain(number: Decimal) -> str:
    """A decimal as data have it, in no language: without groups, exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
