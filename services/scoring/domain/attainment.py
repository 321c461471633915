"""How far a province or the nation is on its way to a goal: exact, in shares and in whole people, families or units.

Missing is not zero: a goal for which nothing was reported is `unknown`. A goal without a known beginning has no path,
so nobody is `behind` on it: it is `met` or `not_met`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil

from shared.contracts.facts import Attained, Counted, GoalAttained
from shared.rulebook.goals import Goal
from shared.rulebook.policies import PathPolicy


def together(counts: Iterable[Counted]) -> Counted:
    """The sum of counts over parts that do not overlap, whichever comes first."""
    total = Counted(numerator=0, denominator=0, reported=0, of=0)
    for each in counts:
        total = Counted(
            numerator=total.numerator + each.numerator,
            denominator=total.denominator + each.denominator,
            reported=total.reported + each.reported,
            of=None if total.of is None or each.of is None else total.of + each.of,
        )
    return total


def share_of(count: Counted | None) -> Fraction | None:
    """The exact share; `None` where nothing was reported or nobody is there to be counted."""
    return Fraction(count.numerator, count.denominator) if count is not None and count.denominator else None


def path(goal: Goal, base: Fraction | None, period: int) -> Fraction | None:
    """The share that is to be reached by the end of a period on a straight line; `None`: nobody knows where it began.

    Args:
        base: share at the end of the year before the scheme. One above the goal asks for no more than the goal.
        period: from the scheme's first year to the goal's own.
    """
    if base is None:
        return None
    if base >= goal.value:
        return goal.value
    begin = goal.since - 1
    return base + (goal.value - base) * Fraction(period - begin, goal.year - begin)


def base_periods(goal: Goal, policy: PathPolicy) -> range:
    """The periods of which the last known share stands for the beginning of a scheme, the latest first."""
    return range(goal.since - 1, goal.since - 1 - policy.base.within_years, -1)


def base_of(goal: Goal, policy: PathPolicy, known: Mapping[int, Counted]) -> Fraction | None:
    """Where a path begins: as the scheme itself states it, else the last share that is known of before it."""
    if goal.base is not None:
        return goal.base
    shares = (share_of(known.get(period)) for period in base_periods(goal, policy))
    return next((share for share in shares if share is not None), None)


def attained(
    goal: Goal, count: Counted | None, base: Fraction | None, period: int, missing: Sequence[str] = ()
) -> GoalAttained:
    """How one goal stands in a period.

    Args:
        count: what was counted; `None`: nothing was reported for it.
        base: as `base_of` tells it.
        missing: provinces of the nation that reported nothing for it.
    """
    share, due = share_of(count), path(goal, base, period)
    if count is None or share is None:
        return GoalAttained(
            goal=goal.id, standing="unknown", reason="not_reported" if count is None else "nobody", count=count
        )
    return GoalAttained(
        goal=goal.id,
        standing=_standing(share, goal.value, due),
        count=count,
        to_goal=str(share - goal.value),
        needed_for_goal=_needed(count, goal.value),
        path=None if due is None else str(due),
        to_path=None if due is None else str(share - due),
        needed_for_path=None if due is None else _needed(count, due),
        missing=tuple(missing),
    )


def _standing(share: Fraction, goal: Fraction, due: Fraction | None) -> Attained:
    if share >= goal:
        return "met"
    if due is None:
        return "not_met"
    return "on_path" if share >= due else "behind"


def _needed(count: Counted, wanted: Fraction) -> int:
    """How many more, in whole ones, of as many as there are now."""
    return max(0, ceil(wanted * count.denominator) - count.numerator)
