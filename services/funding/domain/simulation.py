"""What if: two allocations of one province side by side. Pure; nothing here is ever written. Money in đồng."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from shared.answers.budgets import Outcome
from shared.contracts.facts import Allocation, AllocationCase
from shared.contracts.submissions import AreaClass


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two allocations."""

    envelope: int
    operating: int
    """What the envelope leaves for the lines, when equipment and what is carried over are paid."""
    reserve: int
    case: AllocationCase
    lines: Sequence[Allocation]


@dataclass(frozen=True, slots=True)
class Change:
    """One centre before and after; `None` where it has no line on that side."""

    centre_id: str
    name: str
    area_class: AreaClass | None
    before: int | None
    after: int | None
    delta: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Total:
    """Several centres together."""

    centres: int
    before: int
    after: int

    @property
    def delta(self) -> int:
        """What they gain."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    """Before and after."""

    before: Side
    after: Side
    changes: Sequence[Change]
    """Per centre, in order of centre id."""
    gini_before: Fraction
    gini_after: Fraction
    by_area_class: Mapping[AreaClass, Total]
    winners: int
    losers: int
    unchanged: int


def compare(before: Side, after: Side, area_class: Mapping[str, AreaClass]) -> Comparison:
    """Hold two allocations of the same province and year against each other.

    Args:
        area_class: of each centre. A centre without one is counted in no area class.
    """
    old = {line.centre_id: line for line in before.lines}
    new = {line.centre_id: line for line in after.lines}
    changes = [_change(id, old.get(id), new.get(id), area_class.get(id)) for id in sorted(old.keys() | new.keys())]
    outcomes = [change.outcome for change in changes]
    return Comparison(
        before=before,
        after=after,
        changes=changes,
        gini_before=gini(line.amount for line in before.lines),
        gini_after=gini(line.amount for line in after.lines),
        by_area_class=_by_area_class(changes),
        winners=outcomes.count("gains"),
        losers=outcomes.count("loses"),
        unchanged=outcomes.count("same"),
    )


def _change(id: str, before: Allocation | None, after: Allocation | None, area: AreaClass | None) -> Change:
    delta = (after.amount if after else 0) - (before.amount if before else 0)
    known = after or before
    assert known is not None
    return Change(
        centre_id=id,
        name=known.name,
        area_class=area,
        before=before.amount if before else None,
        after=after.amount if after else None,
        delta=delta,
        outcome="gains" if delta > 0 else "loses" if delta < 0 else "same",
    )


def _by_area_class(changes: Iterable[Change]) -> dict[AreaClass, Total]:
    grouped: dict[AreaClass, list[Change]] = {}
    for change in changes:
        if change.area_class is not None:
            grouped.setdefault(change.area_class, []).append(change)
    return {
        area: Total(len(each), sum(one.before or 0 for one in each), sum(one.after or 0 for one in each))
        for area, each in sorted(grouped.items())
    }


def gini(amounts: Iterable[int]) -> Fraction:
    """Gini coefficient, exact: 0 = all get the same, towards 1 = one gets everything; 0 where nothing is shared.

    With amounts in rising order x₁ … xₙ: G = 2·Σ i·xᵢ / (n·Σ xᵢ) − (n + 1)/n.
    """
    ordered = sorted(amounts)
    total, count = sum(ordered), len(ordered)
    if not total:
        return Fraction(0)
    weighted = sum(place * amount for place, amount in enumerate(ordered, start=1))
    return Fraction(2 * weighted, count * total) - Fraction(count + 1, count)
