"""A centre as the funding policy sees it: its legal minimum, its factors, and so its stake in the envelope."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from services.funding.domain.sharing import Stake, bounds
from shared.contracts.base import Text
from shared.contracts.submissions import AreaClass
from shared.rulebook import FundingNorms, FundingPolicy, PointsRubric, RulebookError, rubric

Assessment = Literal["scored", "pending", "not_submitted"]


@dataclass(frozen=True, slots=True)
class Grade:
    """A centre's grade in one assessment period."""

    id: str
    name: Text
    period: int


@dataclass(frozen=True, slots=True)
class Centre:
    """What is known of one eligible centre when a budget year is proposed."""

    centre_id: str
    name: str
    commune_code: str
    area_class: AreaClass
    population_served: int
    last_year: int | None
    """Support approved for the year before, in đồng; `None` for a new centre."""
    assessment: Assessment
    grade: Grade | None = None
    """The grade whose factor counts: of the period, or for a pending file the last one known before it."""
    result_version: int | None = None


def grade_of(rubric_id: str, grade_id: str, period: int) -> Grade:
    """The grade with the name that its rubric gives it. Raises `LookupError` if the rulebook knows no such grade."""
    found = rubric(rubric_id)
    names = {grade.id: grade.name for grade in found.grades} if isinstance(found, PointsRubric) else {}
    return Grade(grade_id, names[grade_id], period)


@dataclass(frozen=True, slots=True)
class Factors:
    """What a centre's weight is made of."""

    performance: Fraction
    equity: Fraction
    size: Fraction

    @property
    def weight(self) -> Fraction:
        """The centre's part of the performance pool, relative to the others'."""
        return self.performance * self.equity * self.size


def factors_of(centre: Centre, policy: FundingPolicy) -> Factors:
    """The policy's factors for a centre.

    A pending file without any earlier grade counts like one that was not submitted: performance that nobody
    has seen earns no part of the pool. Its protection of last year's support stays (`stake_of`).

    Raises:
        RulebookError: the policy has no factor for the centre's grade.
    """
    performance = policy.performance.not_submitted
    if centre.grade is not None:
        if centre.grade.id not in policy.performance.by_grade:
            path = f"performance/by_grade/{centre.grade.id}"
            raise RulebookError(policy.id, path, f"there is no factor for this grade of centre {centre.centre_id}")
        performance = policy.performance.by_grade[centre.grade.id]
    return Factors(
        performance,
        policy.equity.by_area_class[centre.area_class],
        policy.size.factor(centre.population_served),
    )


def stake_of(centre: Centre, weight: Fraction, norms: FundingNorms, policy: FundingPolicy) -> Stake:
    """Floor, bounds and weight. Only a centre that submitted nothing loses the protection of last year's support."""
    floor = norms.floor(centre.area_class).amount
    lower, upper = bounds(
        floor,
        centre.last_year,
        held=centre.assessment != "not_submitted",
        rise=policy.change.rise,
        fall=policy.change.fall,
        step=policy.rounding.step,
    )
    return Stake(centre.centre_id, floor, lower, upper, weight)
