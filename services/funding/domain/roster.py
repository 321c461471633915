"""Which centres take part in a budget year, for how many months, and whose support they continue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from services.funding.domain.centres import MONTHS, Lineage, Part, Record, Succession
from services.funding.domain.equipment import Equipment, equipment_of
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
    suspended_on: date | None = None
    """First day of a suspension that the policy counts; `None`: there is none."""
    resumed_on: date | None = None
    """First day after it."""
    province: str = ""
    """Which province has registered it."""

    def exists(self, on: date) -> bool:
        """Whether it is there and at work on a day."""
        return self.opened_on <= on and (self.closed_on is None or on < self.closed_on) and not self._suspended(on)

    def _suspended(self, on: date) -> bool:
        if self.suspended_on is None or on < self.suspended_on:
            return False
        return self.resumed_on is None or self.resumed_on <= self.suspended_on or on < self.resumed_on


@dataclass(frozen=True, slots=True)
class Participation:
    """How a centre takes part in a budget year; the fields are those of `Centre`."""

    months: int
    last_months: int
    last_year: int | None
    succession: Succession | None
    lineage: Lineage | None
    unknown: tuple[str, ...]
    equipment: Equipment


def participants(
    centres: Iterable[Registered],
    year: int,
    policy: FundingPolicy,
    supports: Supports,
    *,
    before: Proration | None = None,
    kin: Iterable[Registered] = (),
    equipment: Mapping[str, int] | None = None,
) -> dict[str, Participation]:
    """The centres that take part in a budget year; the others are not open yet, or have left.

    Args:
        centres: all registered ones, also closed ones that others continue.
        supports: of the year before, and of as many years before that as the transition runs.
        before: the proration of the policy of the year before; `None`: its support was for whole years.
        kin: centres elsewhere that these continue, and others that continue the same ones; they take no part.
        equipment: what is on record as paid of the initial equipment, in đồng, by centre.

    Raises:
        ValueError: a centre is named twice.
    """
    listed, related = list(centres), list(kin)
    own = {centre.centre_id: centre for centre in listed}
    register = own | {centre.centre_id: centre for centre in related}
    if len(register) != len(listed) + len(related):
        raise ValueError("a centre is named twice")
    register = _continued(register)
    changes = _Changes(register, supports, policy.proration, before)
    lines = _Lines(changes, year, policy) if policy.transition.measured == "last_year" else None
    found, paid = {}, equipment or {}
    for key, named in own.items():
        centre = register[key]
        months = months_in(centre, year, policy.proration)
        if months:
            lineage = lines.of(centre) if lines else None
            found[key] = Participation(
                months=months,
                last_months=changes.paid_months(centre, year - 1),
                last_year=supports.get((key, year - 1)),
                succession=None if lines else changes.of(centre, year),
                lineage=lineage,
                unknown=_unknown(centre, year, policy, supports, lineage),
                equipment=equipment_of(
                    centre.opened_on, year, policy.equipment, successor=bool(named.predecessors), paid=paid.get(key)
                ),
            )
    return found


def _continued(register: Mapping[str, Registered]) -> dict[str, Registered]:
    """The register with those predecessors alone that a centre really continues.

    What a centre had stays in its province, with itself or with whoever continues it there: a province may have named
    another's centre before that one was registered. Elsewhere it is continued where nobody does so at home.
    """
    at_home = {
        key
        for centre in register.values()
        for key in centre.predecessors
        if (other := register.get(key)) and (other.closed_on is None or other.province == centre.province)
    }

    def continues(centre: Registered, key: str) -> bool:
        return key not in at_home or register[key].province == centre.province

    return {
        key: replace(centre, predecessors=tuple(each for each in centre.predecessors if continues(centre, each)))
        for key, centre in register.items()
    }


def _unknown(
    centre: Registered, year: int, policy: FundingPolicy, supports: Supports, lineage: Lineage | None
) -> tuple[str, ...]:
    """Who should have support of last year on record and has not, where that leaves the centre without a measure."""
    if policy.unknown is None or policy.unknown.gets == "as_new":
        return ()
    missing = lineage.last.missing if lineage else ()
    if centre.opened_on.year < year - 1 and (centre.centre_id, year - 1) not in supports:
        return tuple(sorted({centre.centre_id, *missing}))
    return () if lineage is None or lineage.before else missing


def months_in(centre: Registered, year: int, rule: Proration) -> int:
    """Months of a budget year that the policy supports a centre for, 0 to 12."""
    if rule.use == "none":
        return MONTHS if centre.exists(date(year, 12, 31)) else 0
    firsts = [date(year, month, 1) for month in range(1, MONTHS + 1)]
    if rule.counts == "last_day":
        firsts = [first - timedelta(days=1) for first in [*firsts[1:], date(year + 1, 1, 1)]]
    return sum(centre.exists(day) for day in firsts)


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
        self.register, self.supports, self._rule, self._before = register, supports, rule, before
        self._successors: dict[str, list[Registered]] = {}
        for centre in register.values():
            for key in set(centre.predecessors) - {centre.centre_id}:
                self._successors.setdefault(key, []).append(centre)

    def of(self, centre: Registered, year: int) -> Succession | None:
        """The latest change that concerns the centre, up to a budget year."""
        known = [self.register[key] for key in sorted(set(centre.predecessors)) if key in self.register]
        since = {other.centre_id: _year_of(centre, other) for other in known if other is not centre}
        split_off = {_year_of(other, centre) for other in self.leaving(centre)}
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
                parts.append(Part(other.centre_id, support, amount, self.months(centre, other, latest)))
        return Succession(latest, own, tuple(parts))

    def paid_months(self, centre: Registered, year: int) -> int:
        """The months that a support of that year paid for."""
        return (months_in(centre, year, self._before) if self._before else MONTHS) or MONTHS

    def leaving(self, centre: Registered) -> Sequence[Registered]:
        """The centres that were split from one that lives on."""
        return self.successors(centre) if centre.closed_on is None else []

    def successors(self, centre: Registered) -> Sequence[Registered]:
        """The centres that name one as their predecessor."""
        return self._successors.get(centre.centre_id, [])

    def _shares(self, other: Registered, change: int, support: int) -> dict[str, int]:
        heirs = [centre for centre in self._successors[other.centre_id] if _year_of(centre, other) == change]
        if other.closed_on is None:
            heirs.append(other)
        return shared_by_population(support, {heir.centre_id: heir.population_served for heir in heirs})

    def _support(self, centre: Registered, year: int) -> int | None:
        amount = self.supports.get((centre.centre_id, year))
        return None if amount is None else amount * MONTHS // self.paid_months(centre, year)

    def months(self, centre: Registered, other: Registered, change: int) -> int:
        """Of the year of the change, the months in which `centre` carries what `other` no longer does."""
        own = months_in(centre, change, self._rule)
        return own if other.closed_on is None else min(own, MONTHS - months_in(other, change, self._rule))


class _Lines:
    """What is on record of a centre and of all that it continues, however long the chain, whatever the year."""

    def __init__(self, changes: _Changes, year: int, policy: FundingPolicy) -> None:
        self._changes, self._year, self._rule = changes, year, policy.transition

    def of(self, centre: Registered) -> Lineage | None:
        """What a centre is measured against in the budget year; `None`: its own support alone."""
        years = self._years(centre, frozenset())
        if not years:
            return None
        last, best, since = self._record(centre, self._year - 1), None, None
        for change in sorted(years):
            if self._rule.hold_harmless == "none" or self._year >= change + self._rule.years:
                continue
            for year in {change - 1, min(change, self._year - 1)}:
                found = self._record(centre, year)
                whole = not found.missing and (found.parts or (found.known and year < change))
                if whole and (best is None or self._protected(found) > self._protected(best)):
                    best, since = found, change
        return Lineage(max(years), last, best, since)

    def _protected(self, record: Record) -> Fraction:
        return record.worth(self._rule.protected)

    def _years(self, centre: Registered, seen: frozenset[str]) -> set[int]:
        """The years of all changes that lead to the centre, up to the budget year."""
        found = {_year_of(other, centre) for other in self._changes.leaving(centre)}
        for key in set(centre.predecessors) - {centre.centre_id} - seen:
            other = self._changes.register.get(key)
            found.add(_year_of(centre, other) if other else centre.opened_on.year)
            if other:
                found |= self._years(other, seen | {centre.centre_id})
        return {change for change in found if change <= self._year}

    def _record(self, centre: Registered, year: int) -> Record:
        figures, missing = self._figures(centre, year, frozenset())
        parts = [self._kept(part, centre, year) for part in figures]
        own = next((part.amount for part in parts if part.predecessor == centre.centre_id), None)
        others = [part for part in parts if part.predecessor != centre.centre_id and (part.amount or not part.support)]
        return Record(year, own, tuple(others), tuple(sorted(missing)))

    def _figures(self, centre: Registered, year: int, seen: frozenset[str]) -> tuple[list[Part], set[str]]:
        """What is on record for a year of the centre and of those that are part of it by now but were not yet: its part
        of each, and of whom a figure is missing."""
        key, changes = centre.centre_id, self._changes
        own = changes.supports.get((key, year))
        found = [] if own is None else [Part(key, own, own)]
        missing = {key} if own is None and centre.opened_on.year < year else set()
        during, absent = list[Part](), set[str]()
        for name in sorted(set(centre.predecessors) - {key} - seen):
            other = changes.register.get(name)
            change = _year_of(centre, other) if other else centre.opened_on.year
            if not year <= change <= self._year or (other and _gone(other, year)):
                continue
            parts, without = self._figures(other, year, seen | {key}) if other else ([], {name})
            if other:
                months = changes.months(centre, other, change) if change == self._year else MONTHS
                parts = [self._passed(part, other, centre, year, months) for part in parts]
            (during if change == year else found).extend(parts)
            (absent if change == year else missing).update(without)
        if not during and own is not None and changes.paid_months(centre, year) == MONTHS:
            absent = set()  # in the year of a change the successor's support of the whole year stands for all of them
        return found + during, missing | absent

    def _passed(self, part: Part, other: Registered, heir: Registered, year: int, months: int) -> Part:
        """What the heir takes over of a figure of its predecessor's."""
        amount = self._divided(part.amount, other, year)[heir.centre_id]
        return replace(part, amount=amount, months=min(part.months, months))

    def _kept(self, part: Part, centre: Registered, year: int) -> Part:
        """What stays the centre's own of a figure, where it lives on without some part of itself."""
        if centre.closed_on is not None:
            return part
        return replace(part, amount=self._divided(part.amount, centre, year)[centre.centre_id])

    def _divided(self, amount: int, other: Registered, year: int) -> dict[str, int]:
        """How what a centre had in a year is divided among those who continue it, itself included where it lives on.

        Of one that lives on nobody takes a part of a year for which it has support of its own.
        """
        lives = other.closed_on is None
        heirs: dict[int, list[Registered]] = {}
        for heir in self._changes.successors(other):
            change = _year_of(heir, other)
            apart = lives and change == year and (heir.centre_id, year) in self._changes.supports
            if year <= change <= self._year and not apart:
                heirs.setdefault(change if lives else 0, []).append(heir)
        found = {heir.centre_id: 0 for heir in self._changes.successors(other)} | {other.centre_id: amount}
        for change in sorted(heirs):
            sharing = [*heirs[change], other] if lives else heirs[change]
            populations = {heir.centre_id: heir.population_served for heir in sharing}
            found |= shared_by_population(found[other.centre_id], populations)
        return found


def _gone(centre: Registered, year: int) -> bool:
    """Whether it had closed before a year began."""
    return centre.closed_on is not None and centre.closed_on <= date(year, 1, 1)


def _year_of(centre: Registered, predecessor: Registered) -> int:
    """The year of a change: that of the opening, or where a standing centre absorbed another, that of its closing."""
    closed = predecessor.closed_on
    return max(centre.opened_on, closed).year if closed else centre.opened_on.year
