"""Shares of people (or of families, hamlets, units): exact, compared unrounded, written so that nobody is misled.

A share of nobody (denominator 0) is no number: it reaches a threshold or not as the policy for empty cohorts says.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from shared.contracts.base import Text
from shared.contracts.submissions import Share
from shared.rulebook import EmptyCohort
from shared.wording import EN, VI

PEOPLE = Text(vi="người", en="people")


def fraction(share: Share) -> Fraction:
    """The share as an exact number. Raises `ZeroDivisionError` for a share of nobody."""
    return Fraction(share.numerator, share.denominator)


def written(share: Share) -> str:
    """The two counts a share is made of (`3123/5021`)."""
    return f"{share.numerator}/{share.denominator}"


def nobody(share: Share) -> bool:
    """Whether nobody is there to be counted, so that what is asked is not applicable."""
    return share.denominator == 0


def reaches(share: Share, threshold: Fraction, empty: EmptyCohort) -> bool:
    """Whether a share reaches its threshold ("at least"); one of nobody as the policy says."""
    return empty.counts_as == "met" if nobody(share) else fraction(share) >= threshold


def asked_of(id: str, *what: Text) -> Text:
    """A target as it is named where nobody is there to be counted; `what`: in which shares, where it has others."""
    vi = f" ({', '.join(each.vi for each in what)})" if what else ""
    en = f" ({', '.join(each.en for each in what)})" if what else ""
    return Text(vi=f"{id}{vi}", en=f"{id}{en}")


def inapplicable(asked: Text) -> Text:
    """That nobody is there to be counted."""
    return Text(
        vi=f"{asked.vi}: không áp dụng, không có đối tượng trong diện tính.",
        en=f"{asked.en}: not applicable, the cohort is empty.",
    )


def short(
    id: str, what: Text, share: Share, threshold: Fraction, empty: EmptyCohort, unit: Text = PEOPLE
) -> Text | None:
    """What a share lacks to its threshold ("at least"), counted in `unit`; `None` if it lacks nothing."""
    if reaches(share, threshold, empty):
        return None
    if nobody(share):
        return Text(
            vi=f"{id}: không có đối tượng trong diện tính, coi là không đạt.",
            en=f"{id}: the cohort is empty, which counts as not met.",
        )
    has = fraction(share)
    lack = ceil(threshold * share.denominator) - share.numerator
    return Text(
        vi=f"{id}: {what.vi} {VI.percent(has)} ({written(share)}), cần {VI.percent(threshold)}: thiếu {VI(lack)} "
        f"{unit.vi}.",
        en=f"{id}: {what.en} {EN.percent(has)} ({written(share)}), needs {EN.percent(threshold)}: {EN(lack)} {unit.en} "
        "are missing.",
    )
