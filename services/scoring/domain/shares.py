"""Shares of people (or of families, hamlets, units): exact, compared unrounded, written so that nobody is misled."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from shared.contracts.base import Text
from shared.contracts.submissions import Share
from shared.wording import EN, VI

PEOPLE = Text(vi="người", en="people")


def fraction(share: Share) -> Fraction:
    """The share as an exact number."""
    return Fraction(share.numerator, share.denominator)


def written(share: Share) -> str:
    """The two counts a share is made of (`3123/5021`)."""
    return f"{share.numerator}/{share.denominator}"


def short(id: str, what: Text, share: Share, threshold: Fraction, unit: Text = PEOPLE) -> Text | None:
    """What a share lacks to its threshold ("at least"), counted in `unit`; `None` if it lacks nothing."""
    has = fraction(share)
    if has >= threshold:
        return None
    lack = ceil(threshold * share.denominator) - share.numerator
    return Text(
        vi=f"{id}: {what.vi} {VI.percent(has)} ({written(share)}), cần {VI.percent(threshold)}: thiếu {VI(lack)} "
        f"{unit.vi}.",
        en=f"{id}: {what.en} {EN.percent(has)} ({written(share)}), needs {EN.percent(threshold)}: {EN(lack)} {unit.en} "
        "are missing.",
    )
