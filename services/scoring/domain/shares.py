"""Shares of people (or of families, hamlets, units): exact, compared unrounded, written so that nobody is misled."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from shared.contracts.base import Text
from shared.contracts.submissions import Share

PEOPLE = Text(vi="người", en="people")


def fraction(share: Share) -> Fraction:
    """The share as an exact number."""
    return Fraction(share.numerator, share.denominator)


def written(share: Share) -> str:
    """The two counts a share is made of (`3123/5021`)."""
    return f"{share.numerator}/{share.denominator}"


def percent(share: Fraction) -> str:
    """A share for reading: percent cut, never rounded, after three digits, so that 59.9999 % does not read as 60 %."""
    whole, rest = divmod(share.numerator * 100_000 // share.denominator, 1000)
    return f"{whole}{f'.{rest:03d}'.rstrip('0') if rest else ''} %"


def short(id: str, what: Text, share: Share, threshold: Fraction, unit: Text = PEOPLE) -> Text | None:
    """What a share lacks to its threshold ("at least"), counted in `unit`; `None` if it lacks nothing."""
    if fraction(share) >= threshold:
        return None
    lack = ceil(threshold * share.denominator) - share.numerator
    has, needs = percent(fraction(share)), percent(threshold)
    return Text(
        vi=f"{id}: {what.vi} {has} ({written(share)}), cần {needs}: thiếu {lack} {unit.vi}.",
        en=f"{id}: {what.en} {has} ({written(share)}), needs {needs}: {lack} {unit.en} are missing.",
    )
