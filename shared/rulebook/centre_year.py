"""What a report on a centre's year is held against: its own months, the register, and the money on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.submissions import CriterionId
from shared.rulebook.basis import Authority
from shared.rulebook.overlays import Layers, folders, load_layers, nation_alone
from shared.rulebook.source import Dated, Exact, Grounded, Rule

MONTHS = 12


class Attendances(Grounded):
    """Attendances of classes, beside the people whom the centre serves."""

    figure: CriterionId
    most_per_person: Annotated[Exact, Field(gt=0)]
    """More of them for each person served, in a year, are hardly true."""


class Received(Grounded):
    """Amounts received in the year, among which the support on record must be."""

    figures: Annotated[list[CriterionId], Field(min_length=1)]


class Steady(Grounded):
    """Counts that are held against those of the year before, by the measure of a jump."""

    figures: Annotated[list[CriterionId], Field(min_length=1)]


class CentreYear(Rule):
    """Fields of a report on a centre's year, by what they are held against."""

    months: CriterionId
    """A field of named parts: the twelve months in their order, whether there was activity in each."""
    last_day: CriterionId
    """Last day with activity."""
    days_open: CriterionId
    """How many days of the year it was open."""
    classes: CriterionId
    """How many classes it held."""
    attendances: Attendances
    received: Received
    steady: Steady

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Every field that is named, with the type that it must have."""
        counts = [self.days_open, self.classes, self.attendances.figure, *self.steady.figures]
        return [
            (self.months, "parts"),
            (self.last_day, "day"),
            *((each, "count") for each in counts),
            *((each, "money") for each in self.received.figures),
        ]


class IdleRule(Dated):
    """What follows where a centre was without activity for so long. On which day that was so decides which version."""

    months: Annotated[int, Field(ge=1, le=60)]
    """In a row."""
    consequence: Literal["suspension", "none"]
    """`none`: no ground for a suspension was found; it is told as a fact."""
    decided_by: Annotated[list[Authority], Field(min_length=1)]
    """Who suspends or dissolves a centre."""

    def authority(self, on: date) -> Authority:
        """Who decides on a day."""
        return next((one for one in self.decided_by if one.until is None or on < one.until), self.decided_by[-1])


@lru_cache
def idle_rules(places: Sequence[Path]) -> Layers[IdleRule]:
    """All versions in these folders. Raises `RulebookError`."""
    return nation_alone(load_layers(places, "idle_centres.yaml", IdleRule))


def idle_rule(on: date) -> IdleRule:
    """The rule in force on a day. Raises `NoRuleInForce`, `RulebookError`."""
    return idle_rules(folders()).in_force(on)
