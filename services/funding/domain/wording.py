"""How explanations write numbers and areas in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from shared.contracts.base import Text
from shared.contracts.submissions import AreaClass

AREAS: Mapping[AreaClass, Text] = {
    "region_1": Text(vi="khu vực I", en="Region I"),
    "region_2": Text(vi="khu vực II", en="Region II"),
    "region_3": Text(vi="khu vực III", en="Region III"),
    "other": Text(vi="ngoài khu vực I, II, III", en="outside Regions I, II, III"),
}
_SEPARATORS = str.maketrans(",.", ".,")


@lru_cache(maxsize=10_000)
def en(number: Fraction | int) -> str:
    """A number as English writes it: `1,234.5`, exact up to six decimals; a longer one is cut, `33.3333…`."""
    if isinstance(number, int) and number >= 0:
        return f"{number:,}"
    sign, number = ("−", -number) if number < 0 else ("", number)
    millionths, rest = divmod(number.numerator * 1_000_000, number.denominator)
    whole, decimals = divmod(millionths, 1_000_000)
    if rest:
        return f"{sign}{whole:,}.{decimals // 100:04}…"
    return sign + f"{whole:,}.{decimals:06}".rstrip("0").rstrip(".")


@lru_cache(maxsize=10_000)
def vi(number: Fraction | int) -> str:
    """The same number as Vietnamese writes it: `1.234,5`."""
    return en(number).translate(_SEPARATORS)
