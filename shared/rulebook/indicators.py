"""Indicators (chỉ số) of a points criterion. Where a machine can check one, awarded points cannot contradict it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import CriterionId
from shared.rulebook.basis import LevelSource, Series, Threshold, Use
from shared.rulebook.source import Grounded, Rule


class GradeOf(Rule):
    """At least one result of the series for the same unit and period has this grade."""

    type: Literal["grade"]
    series: Series
    grade: Nfc


class LevelOf(Rule):
    """The unit reaches a level under another rubric."""

    type: Literal["level"]
    reference: LevelSource
    min_level: Annotated[int, Field(ge=1, le=3)]


class ShareAtLeast(Rule):
    """A minimum share of people; checked where numerator and denominator were sent."""

    type: Literal["share"]
    min: Threshold


class Indicator(Grounded):
    """One indicator; `rule` is `None` where only people can judge it."""

    id: CriterionId
    name: Text
    rule: Annotated[GradeOf | LevelOf | ShareAtLeast | None, Field(discriminator="type")] = None

    @property
    def use(self) -> Use | None:
        """What the indicator takes from results under another rubric."""
        match self.rule:
            case GradeOf(series=series, grade=grade):
                return Use(self.id, series, grade)
            case LevelOf(reference=source, min_level=level):
                return Use(self.id, source.series, source.standard, level)
            case _:
                return None


class IndicatorPolicy(Grounded):
    """What an indicator is worth, and what one that is shown not to be met does to its criterion.

    `equal_shares`: the criterion's maximum, divided by its number of indicators, unless the point table states them.
    `cap`: the criterion gets at most its maximum without the points of the indicators that are not met.
    """

    points: Literal["equal_shares"]
    unmet: Literal["cap"]
