"""Which centres take part in a budget year, for how many months, and whose support they continue.

Nothing here is recursive: a predecessor matters by its own support of one year, whatever came before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from services.funding.domain.centres import MONTHS, Part, Succession
from services.funding.domain.sharing import largest_remainder
from shared.rulebook import FundingPolicy
from shared.rulebook.funding import Proration

Supports = Mapping[tuple[str, int], int]
"""Support in đồng by (centre id, budget year): approved, with its adjustments and carried delta."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What the register says about a centre's life."""

    centre_id: str
    population_served: int
    opened_on: date
    closed_on: date | None = None
    """First day on which it no longer exists."""
    predecessors: tuple[str, ...] = ()
    """Centres that were merged into it, or the one that it was split from."""

    def exists(self, on: date) -> bool:
        """Whether it exists on a day."""
        return self.opened_on <= on and (self.closed_on is None or on < self.closed_on)


@dataclass(frozen=True, slots=True)
class Participation:
    """How a centre takes part in a budget year; the fields are those of `Centre`."""

    months: int
    last_months: int
    last_year: int | None
    succession: Succession | None
    newly_established: bool


def participants(
    centres: Iterable[Registered],
    year: int,
    policy: FundingPolicy,
    supports: Supports,
    *,
    before: Proration | None = None,
    granted: Collection[str] = (),
) -> dict[str, Participation]:
    """The centres that take part in a budget year; the others are not open yet, or have left.

    Args:
        centres: all registered ones, also closed ones that others continue.
        supports: of the year before, and of as many years before that as the transition runs.
        before: the proration of the policy of the year before; `None`: its support was for whole years.
        granted: centres that ever got the initial equipment.

    Raises:
        ValueError: a centre is named twice.
    """
    listed = list(centres)
    register = {centre.centre_id: centre for centre in listed}
    if len(register) != len(listed):
        raise ValueError("a centre is named twice")
    changes = _Changes(register, supports, policy.proration, before)
    found = {}
    for key, centre in register.items():
        months = months_in(centre, year, policy.proration)
        if months:
            found[key] = Participation(
                months=months,
                last_months=changes.paid_months(centre, year - 1),
                last_year=supports.get((key, year - 1)),
                succession=changes.of(centre, year),
                newly_established=key not in granted and _newly_established(centre, year, policy),
            )
    return found


def months_in(centre: Registered, year: int, rule: Proration) -> int:
    """Months of a budget year that the policy supports a centre for, 0 to 12."""
    if rule.use == "none":
        return MONTHS if centre.exists(date(year, 12, 31)) else 0
    firsts = [date(year, month, 1) for month in range(1, MONTHS + 1)]
    if rule.counts == "last_day":
        firsts = [first - timedelta(days=1) for first in [*firsts[1:], date(year + 1, 1, 1)]]
    return sum(centre.exists(day) for day in firsts)


def _newly_established(centre: Registered, year: int, policy: FundingPolicy) -> bool:
    rule, opened = policy.equipment, centre.opened_on.year
    return opened <= year < opened + rule.within_years and (rule.successors or not centre.predecessors)


def shared_by_population(amount: int, populations: Mapping[str, int]) -> dict[str, int]:
    """An amount shared by population served, to the đồng: largest remainder, ties by centre id.

    Equally where nobody is served.
    """
    keys = sorted(populations)
    total = sum(populations.values())
    exact = [Fraction(amount * populations[key], total) if total else Fraction(amount, len(keys)) for key in keys]
    return dict(zip(keys, largest_remainder(exact, keys), strict=True))


class _Changes:
    """Mergers and splits in a register, and what they move. Support here is always for a whole year."""

    def __init__(
        self, register: Mapping[str, Registered], supports: Supports, rule: Proration, before: Proration | None
    ) -> None:
        self._register, self._supports, self._rule, self._before = register, supports, rule, before
        self._successors: dict[str, list[Registered]] = {}
        for centre in register.values():
            for key in set(centre.predecessors) - {centre.centre_id}:
                self._successors.setdefault(key, []).append(centre)

    def of(self, centre: Registered, year: int) -> Succession | None:
        """The latest change that concerns the centre, up to a budget year."""
        known = [self._register[key] for key in sorted(set(centre.predecessors)) if key in self._register]
        since = {other.centre_id: _year_of(centre, other) for other in known if other is not centre}
        split_off = {_year_of(other, centre) for other in self._leaving(centre)}
        latest = max((change for change in {*since.values(), *split_off} if change <= year), default=None)
        if latest is None:
            return None
        own = self._support(centre, latest - 1)
        if latest in split_off and own is not None:
            own = self._shares(centre, latest, own)[centre.centre_id]
        parts = []
        for other in known:
            support = self._support(other, latest - 1)
            if since.get(other.centre_id) == latest and support is not None:
                amount = self._shares(other, latest, support)[centre.centre_id]
                parts.append(Part(other.centre_id, support, amount, self._months(centre, other, latest)))
        return Succession(latest, own, tuple(parts))

    def paid_months(self, centre: Registered, year: int) -> int:
        """The months that a support of that year paid for."""
        return (months_in(centre, year, self._before) if self._before else MONTHS) or MONTHS

    def _leaving(self, centre: Registered) -> Sequence[Registered]:
        """The centres that were split from one that lives on."""
        return self._successors.get(centre.centre_id, []) if centre.closed_on is None else []

    def _shares(self, other: Registered, change: int, support: int) -> dict[str, int]:
        heirs = [centre for centre in self._successors[other.centre_id] if _year_of(centre, other) == change]
        if other.closed_on is None:
            heirs.append(other)
        return shared_by_population(support, {heir.centre_id: heir.population_served for heir in heirs})

    def _support(self, centre: Registered, year: int) -> int | None:
        amount = self._supports.get((centre.centre_id, year))
        return None if amount is None else amount * MONTHS // self.paid_months(centre, year)

    def _months(self, centre: Registered, other: Registered, change: int) -> int:
        """Of the year of the change, the months in which `centre` carries what `other` no longer does."""
        own = months_in(centre, change, self._rule)
        return own if other.closed_on is None else min(own, MONTHS - months_in(other, change, self._rule))


def _year_of(centre: Registered, predecessor: Registered) -> int:
    """The year of a change: that of the opening, or where a standing centre absorbed another, that of its closing."""
    closed = predecessor.closed_on
    return max(centre.opened_on, closed).year if closed else centre.opened_on.year
