"""A centre as the funding policy sees it: its legal minimum, its factors, and so its stake in the envelope."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from services.funding.domain.equipment import NO_EQUIPMENT, Equipment
from services.funding.domain.sharing import Stake, bounds, round_up
from shared.contracts.base import Text
from shared.contracts.submissions import AreaClass
from shared.refusals import problem
from shared.rulebook import FundingNorms, FundingPolicy, PointsRubric, RulebookError, rubric
from shared.rulebook.funding import Meanwhile

Assessment = Literal["scored", "awaited", "pending", "not_submitted", "not_due"]
"""Where a centre's file of the period stands. `not_due`: the centre opened after the period."""
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Grade:
    """A centre's grade of one assessment period, and its points where it was computed and the rubric gives some."""

    id: str
    name: Text
    period: int
    score: Decimal | None = None
    rubric: str = ""
    """By which it was given."""
    decision: str | None = None
    """Number of the authority's decision that gave it; `None`: it was computed from a file."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a centre takes over of one predecessor's support, in đồng a year."""

    predecessor: str
    support: int
    """Of the predecessor in the year before the change, for a whole year."""
    amount: int
    """This centre's part of it."""
    months: int = MONTHS
    """Of the year of the change: the months that the predecessor does not carry itself."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is on record for one year of a centre and of all that it continues, in đồng, never annualised."""

    year: int
    own: int | None
    """Its own; of a centre that gave a part of itself away, what stays of it."""
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()
    """Of whom the figure should be there and is not."""

    @property
    def known(self) -> bool:
        """Whether anything is on record at all."""
        return self.own is not None or bool(self.parts)

    def worth(self, protected: Fraction = Fraction(1), months: int | None = None) -> Fraction:
        """Its sum, with this share of the predecessors' parts; `months`: for these months of the budget year."""
        parts = sum(part.amount * (MONTHS if months is None else min(part.months, months)) for part in self.parts)
        return ((self.own or 0) * (MONTHS if months is None else months) + protected * parts) / MONTHS


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a centre that continues others, or gave a part of itself away, is measured against."""

    year: int
    """The budget year of the latest change."""
    last: Record
    """Of the year before the budget year."""
    before: Record | None = None
    """Within the transition: the best that is wholly on record for the year before a change, or for its year."""
    since: int | None = None
    """The year of that change."""

    def base(self, centre: Centre, policy: FundingPolicy, *, whole_year: bool = False) -> Fraction | None:
        """L in đồng, exact, for the centre's months; `None`: nobody had anything."""
        months = None if whole_year else centre.months
        known = [self.last.worth(months=months)] if self.last.known else []
        if self.before is not None:
            known.append(self.before.worth(policy.transition.protected, months))
        return max(known, default=None)


@dataclass(frozen=True, slots=True)
class Succession:
    """That a centre continues others, or gave a part of itself away, since a budget year."""

    year: int
    own: int | None
    """The support that stays its own, of the year before the change, for a whole year; `None`: it had none."""
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """What it and its predecessors had together in the year before the change."""
        return (self.own or 0) + sum(part.amount for part in self.parts)


@dataclass(frozen=True, slots=True)
class Centre:
    """What is known of one eligible centre when a budget year is proposed."""

    centre_id: str
    name: str
    commune_code: str
    area_class: AreaClass
    population_served: int
    last_year: int | None
    """Support of the year before with its adjustments and carried delta, in đồng; `None` where there was none."""
    assessment: Assessment
    grade: Grade | None = None
    """The result whose factor counts: of the period, or for an awaited or pending file the last one before it."""
    result_version: int | None = None
    months: int = MONTHS
    """Months of the budget year that are supported."""
    last_months: int = MONTHS
    """Months of the year before that `last_year` paid for."""
    succession: Succession | None = None
    """Under a policy that measures by the year before the change."""
    lineage: Lineage | None = None
    """Under a policy that measures by last year."""
    unknown: tuple[str, ...] = ()
    """Centres (itself, predecessors) whose support of last year should be on record and is not: minimum only."""
    waits_until: datetime | None = None
    """Until when an awaited or a pending file may still change the amount by itself."""
    equipment: Equipment = NO_EQUIPMENT
    """Where its initial equipment stands."""


def grade_of(rubric_id: str, grade_id: str, period: int, score: Decimal | None = None) -> Grade:
    """The grade with the name that its rubric gives it. Raises `LookupError` if the rulebook knows no such grade."""
    found = rubric(rubric_id)
    names = {grade.id: grade.name for grade in found.grades} if isinstance(found, PointsRubric) else {}
    return Grade(grade_id, names[grade_id], period, score, rubric_id)


@dataclass(frozen=True, slots=True)
class Factors:
    """What a centre's weight is made of."""

    performance: Fraction
    equity: Fraction
    size: Fraction
    time: Fraction = Fraction(1)
    """Part of the year that is supported."""

    @property
    def weight(self) -> Fraction:
        """The centre's part of the performance pool, relative to the others'."""
        return self.performance * self.equity * self.size * self.time


def factors_of(centre: Centre, policy: FundingPolicy) -> Factors:
    """The policy's factors for a centre.

    An awaited or pending file without any earlier result counts like one that was not submitted: performance that
    nobody has seen earns no part of the pool. Its protection of last year's support is a rule of its own (`stake_of`).

    Raises:
        RulebookError: the policy has no factor for the centre's grade or points.
    """
    return Factors(
        _performance(centre, policy),
        policy.equity.by_area_class[centre.area_class],
        policy.size.factor(centre.population_served),
        Fraction(centre.months, MONTHS),
    )


def counted(centre: Centre, policy: FundingPolicy) -> Grade | None:
    """The result that the policy lets count for a centre, if there is one."""
    rule = meanwhile(centre, policy)
    if centre.assessment == "scored" or (rule is not None and rule.counts == "last_result"):
        return centre.grade
    return None


def meanwhile(centre: Centre, policy: FundingPolicy) -> Meanwhile | None:
    """The rule for a centre whose result may still come; `None`: there is nothing to wait for."""
    return {"awaited": policy.awaited, "pending": policy.pending}.get(centre.assessment)


def _performance(centre: Centre, policy: FundingPolicy) -> Fraction:
    grade, rule = counted(centre, policy), policy.performance
    if grade is None:
        return policy.not_due.factor if centre.assessment == "not_due" else policy.not_submitted.factor
    try:
        if not rule.by_score:
            return rule.of_grade(grade.id)
        if grade.score is not None:
            return rule.of_score(grade.score)
    except LookupError:
        pass
    path = "performance/by_score" if rule.by_score else f"performance/by_grade/{grade.id}"
    result = "" if grade.score is None else f" ({grade.score})"
    missing = problem("rulebook.factor_missing", path, result=f"{grade.id}{result}", centre=centre.centre_id)
    raise RulebookError(policy.id, missing)


def held(centre: Centre, policy: FundingPolicy) -> bool:
    """Whether last year's support protects the centre."""
    rule = meanwhile(centre, policy) or {
        "not_submitted": policy.not_submitted,
        "not_due": policy.not_due,
    }.get(centre.assessment)
    return rule is None or rule.hold_harmless


def takes_over(centre: Centre, year: int, policy: FundingPolicy) -> bool:
    """Whether the transition of merged and split centres still counts for the centre in a budget year."""
    rule, since = policy.transition, centre.succession
    return since is not None and rule.hold_harmless != "none" and since.year <= year < since.year + rule.years


def base_of(centre: Centre, year: int, policy: FundingPolicy) -> Fraction | None:
    """L of a budget year: what its support is measured against, in đồng for the months of that year; exact.

    Last year's support, stretched or cut to as many months as are supported now; of a merged or split centre what its
    `lineage` or `succession` says. `None`: there was none, the centre is new; or it is unknown.
    """
    if centre.unknown:
        return None
    if centre.lineage is not None:
        return centre.lineage.base(centre, policy)
    own = None if centre.last_year is None else Fraction(centre.last_year * centre.months, centre.last_months)
    since = centre.succession
    if since is None or not takes_over(centre, year, policy):
        return own
    protected = policy.transition.protected
    if year == since.year:
        if since.own is None and not since.parts:
            return None
        kept = Fraction((since.own or 0) * centre.months, MONTHS)
        return kept + sum(protected * part.amount * part.months / MONTHS for part in since.parts)
    parts = sum(part.amount for part in since.parts)
    guaranteed = ((since.own or 0) + protected * parts) * centre.months / MONTHS
    return max(own, guaranteed) if own is not None else guaranteed


def last_year_of(centre: Centre, policy: FundingPolicy) -> int | None:
    """Last year's support as its line states it, in whole đồng: of a merged or split centre L for a whole year."""
    if centre.lineage is None:
        return centre.last_year
    base = None if centre.unknown else centre.lineage.base(centre, policy, whole_year=True)
    return None if base is None else int(base)


def stake_of(centre: Centre, weight: Fraction, year: int, norms: FundingNorms, policy: FundingPolicy) -> Stake:
    """Floor, bounds and weight in one budget year. A part of a year has that part of the floor, never rounded down."""
    floor = floor_of(norms.floor(centre.area_class).amount, centre, policy)
    if centre.unknown:
        return Stake(centre.centre_id, floor, floor, floor, Fraction(0))
    lower, upper = bounds(
        floor,
        base_of(centre, year, policy),
        held=held(centre, policy),
        rise=policy.change.rise,
        fall=policy.change.fall,
        step=policy.rounding.step,
    )
    return Stake(centre.centre_id, floor, lower, upper, weight)


def relax_norms(stake: Stake, centre: Centre, norms: FundingNorms, policy: FundingPolicy) -> Stake:
    """The stake where a province cannot pay its own higher norms: the law's minimum, and its norm as a bound."""
    return replace(stake, floor=floor_of(norms.legal(centre.area_class).amount, centre, policy), lower=stake.floor)


def floor_of(amount: int, centre: Centre, policy: FundingPolicy) -> int:
    """A yearly minimum for the months that are supported, up to the rounding step."""
    return round_up(Fraction(amount * centre.months, MONTHS), policy.rounding.step)
