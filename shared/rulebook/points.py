"""Points rubrics: points per criterion, summed, graded by bands."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import CriterionId
from shared.rulebook.basis import Quantity, RubricBase, Use, unique
from shared.rulebook.errors import Unfit
from shared.rulebook.indicators import Indicator, IndicatorPolicy
from shared.rulebook.source import Grounded

_SMALLEST = Decimal("0.0001")
"""Smallest part of a point that a result can hold."""


class PointsCriterion(Grounded):
    """One criterion (tiêu chí); its maximum stands in the point table."""

    id: CriterionId
    name: Text
    indicators: list[Indicator] = []
    """Those that are known; where a machine can check one, it limits the criterion's points."""


class PointTable(Grounded):
    """Maximum points per criterion. Only results of the same table are ranked together."""

    id: Nfc
    total: Quantity
    step: Annotated[Quantity, Field(gt=0)]
    """Smallest part of a point that may be awarded."""
    maxima: dict[CriterionId, Quantity]
    indicators: dict[CriterionId, Quantity] = {}
    """Points of single indicators; a criterion of which none is named shares its maximum equally."""


class Grade(Grounded):
    """A band of totals: from `min`, included, to `max`, excluded unless `max_inclusive`."""

    id: Nfc
    name: Text
    min: Quantity
    max: Quantity
    max_inclusive: bool = False


class MinimumRule(Grounded):
    """A criterion below its minimum bars every grade but `grade`, whatever the total.

    The minimum is written as the law writes it: "no criterion with 0" is `more_than: 0`, "none below 5" `at_least: 5`.
    """

    grade: Nfc
    more_than: Quantity | None = None
    at_least: Quantity | None = None

    @model_validator(mode="after")
    def _one_minimum(self) -> Self:
        if (self.more_than is None) == (self.at_least is None):
            raise Unfit("rulebook.minimum_unclear")
        return self

    def met(self, points: Decimal) -> bool:
        """Whether the points of one criterion reach it."""
        return points > self.more_than if self.more_than is not None else points >= (self.at_least or 0)


class FractionalTotals(Grounded):
    """Where the law writes the bands in whole numbers: a total between two of them (84.5) belongs to the band below."""

    policy: Literal["band_below"]


class PointsRubric(RubricBase):
    """Points per criterion, summed, graded by bands."""

    scoring: Literal["points"]
    criteria: Annotated[list[PointsCriterion], Field(min_length=1)]
    point_table: PointTable
    grades: Annotated[list[Grade], Field(min_length=1)]
    minimum_rule: MinimumRule | None = None
    fractional_totals: FractionalTotals | None = None
    gap_free_bands: Grounded | None = None
    """The ground of bands that leave no total open ("from 70 to below 85"). One of the two is always stated."""
    indicator_policy: IndicatorPolicy | None = None

    @property
    def uses(self) -> tuple[Use, ...]:
        """The results that decide some of its indicators."""
        every = (indicator.use for criterion in self.criteria for indicator in criterion.indicators)
        return tuple(use for use in every if use is not None)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Its grades."""
        return dict.fromkeys((grade.id for grade in self.grades), 0)

    def maximum(self, criterion: str) -> Decimal:
        """Maximum points of a criterion."""
        return self.point_table.maxima[criterion]

    def indicator_points(self, criterion: PointsCriterion) -> dict[str, Decimal]:
        """What each indicator of a criterion is worth, exactly."""
        stated = {one.id: self.point_table.indicators.get(one.id) for one in criterion.indicators}
        equal = self.maximum(criterion.id) / max(len(stated), 1)
        return {id: equal if points is None else points for id, points in stated.items()}

    def grade(self, total: Decimal) -> Grade:
        """The band of a total between 0 and the table's total."""
        return next(band for band in reversed(self.grades) if band.min <= total)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ids = [criterion.id for criterion in self.criteria]
        unique("criterion", ids)
        table = self.point_table
        if set(table.maxima) != set(ids):
            odd = sorted(set(table.maxima) ^ set(ids))
            raise Unfit("rulebook.criteria_differ", odd=", ".join(odd))
        total = sum(table.maxima.values(), Decimal(0))
        if total != table.total:
            raise Unfit("rulebook.maxima_not_total", sum=total, total=table.total)
        unique("grade", [grade.id for grade in self.grades])
        _bands_cover(self.grades, table.total)
        if (self.fractional_totals is None) == (self.gap_free_bands is None):
            raise Unfit("rulebook.bands_unclear")
        known = [grade.id for grade in self.grades]
        if self.minimum_rule and self.minimum_rule.grade not in known:
            grade, names = self.minimum_rule.grade, ", ".join(known)
            raise Unfit("rulebook.unknown_grade", who="minimum_rule", grade=grade, known=names)
        if self.no_evidence.counts_as != "zero_points":
            raise Unfit("rulebook.evidence_counts_as", stated=self.no_evidence.counts_as, allowed="zero_points")
        self._prove_indicators()
        return self

    def _prove_indicators(self) -> None:
        """Indicators share a criterion's maximum wholly and exactly."""
        ids = [indicator.id for criterion in self.criteria for indicator in criterion.indicators]
        unique("indicator", ids)
        for unknown in sorted(set(self.point_table.indicators) - set(ids)):
            raise Unfit("rulebook.unknown_reference", id="point_table", reference=unknown, known=", ".join(ids) or "–")
        if ids and self.indicator_policy is None:
            raise Unfit("rulebook.ground_missing", id=ids[0], entry="indicator_policy")
        for criterion in self.criteria:
            points, maximum = self.indicator_points(criterion), self.maximum(criterion.id)
            exact = not any(each % _SMALLEST for each in points.values())
            if points and not (exact and sum(points.values(), Decimal(0)) == maximum):
                raise Unfit("rulebook.indicators_unshared", criterion=criterion.id, maximum=maximum)


def _bands_cover(grades: list[Grade], total: Decimal) -> None:
    """Bands stand from lowest to highest, meet without gap or overlap, start at 0 and include the total."""
    if grades[0].min != 0:
        raise Unfit("rulebook.bands_start", start=grades[0].min)
    for below, above in pairwise(grades):
        if below.max_inclusive:
            raise Unfit("rulebook.band_includes_maximum", below=below.id)
        if below.max < above.min:
            raise Unfit("rulebook.bands_gap", low=below.max, below=below.id, high=above.min, above=above.id)
        if below.max > above.min:
            raise Unfit("rulebook.bands_overlap", low=above.min, above=above.id, high=below.max, below=below.id)
    for grade in grades:
        if grade.min >= grade.max:
            raise Unfit("rulebook.band_empty", id=grade.id, low=grade.min, high=grade.max)
    if grades[-1].max != total or not grades[-1].max_inclusive:
        raise Unfit("rulebook.bands_end", total=total)
