"""Standards in levels (Decree 20/2014): shares of people, each with the threshold of every level of every standard.

A level may require levels of other standards (lower secondary 1: primary 1 and literacy 1), so levels form a graph; it
is proven to have no circle, and levels are judged in its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import CriterionId
from shared.rulebook.basis import RubricBase, Threshold, unique
from shared.rulebook.errors import Unfit
from shared.rulebook.source import Grounded, Rule


class Measure(Grounded):
    """A share of people that is sent once and used by every condition that names it; its name says of whom."""

    id: CriterionId
    name: Text
    type: Literal["share"] = "share"


class Minimum(Rule):
    """What must be reached ("at least")."""

    share: CriterionId
    min: Threshold


class Condition(Minimum, Grounded):
    """One condition of a level."""

    special: Minimum | None = None
    """In a specially difficult commune (xã đặc biệt khó khăn): a lower minimum, or other people; `None` = the same."""
    effective_from: date | None = None
    """First day on which the condition is in force, where a later rule added it; `None` = with the rubric."""

    def required(self, special: bool) -> Minimum:
        """What the commune's own kind must reach."""
        return self.special if special and self.special is not None else self


class StandardLevel(NamedTuple):
    """A node of the graph of levels."""

    standard: str
    level: int

    def __str__(self) -> str:
        return f"{self.standard} {self.level}"


class Requirement(Grounded):
    """A level of the same or another standard that must be reached as well."""

    standard: Nfc
    level: Annotated[int, Field(ge=1)]

    @property
    def of(self) -> StandardLevel:
        """The level it names."""
        return StandardLevel(self.standard, self.level)


class Level(Grounded):
    """A level is reached if all its conditions are met and all levels it requires are reached."""

    conditions: Annotated[list[Condition], Field(min_length=1)]
    requires: list[Requirement] = []


class Standard(Grounded):
    """One standard with its levels, lowest first."""

    id: Nfc
    name: Text
    levels: Annotated[list[Level], Field(min_length=1)]

    def conditions(self, level: int, on: date) -> list[Condition]:
        """The conditions of a level (counted from 1) that are in force on a day."""
        return [one for one in self.levels[level - 1].conditions if (one.effective_from or on) <= on]


class SpeciallyDifficult(Grounded):
    """The lower thresholds hold only where the submission names the decision that says so."""

    needs_basis: Literal[True]


class StandardsRubric(RubricBase):
    """Several standards, each with its own levels; no points, no level of the whole."""

    scoring: Literal["standard_levels"]
    measures: Annotated[list[Measure], Field(min_length=1)]
    standards: Annotated[list[Standard], Field(min_length=1)]
    specially_difficult: SpeciallyDifficult

    @property
    def targets(self) -> tuple[Measure, ...]:
        """Everything that a submission may hold."""
        return tuple(self.measures)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Its standards and how many levels each has."""
        return {one.id: len(one.levels) for one in self.standards}

    @property
    def order(self) -> tuple[StandardLevel, ...]:
        """All levels of all standards, each after those it requires."""
        return tuple(TopologicalSorter(self._graph()).static_order())

    def standard(self, id: str) -> Standard:
        """The standard of that id. Raises `StopIteration` if there is none."""
        return next(one for one in self.standards if one.id == id)

    def level(self, of: StandardLevel) -> Level:
        """The rule of a level."""
        return self.standard(of.standard).levels[of.level - 1]

    def _graph(self) -> dict[StandardLevel, list[StandardLevel]]:
        return {
            StandardLevel(standard.id, number): [one.of for one in level.requires]
            for standard in self.standards
            for number, level in enumerate(standard.levels, start=1)
        }

    @model_validator(mode="after")
    def _whole(self) -> Self:
        unique("share", [one.id for one in self.measures])
        unique("standard", [one.id for one in self.standards])
        known = [one.id for one in self.measures]
        for standard in self.standards:
            for number, level in enumerate(standard.levels, start=1):
                where = str(StandardLevel(standard.id, number))
                _shares_known(where, level, known)
                if number > 1 and StandardLevel(standard.id, number - 1) not in [one.of for one in level.requires]:
                    raise Unfit("rulebook.level_without_lower", level=where, lower=f"{standard.id} {number - 1}")
            _levels_rise(standard)
        used = {
            minimum.share
            for standard in self.standards
            for level in standard.levels
            for condition in level.conditions
            for minimum in (condition, condition.special)
            if minimum is not None
        }
        for id in known:
            if id not in used:
                raise Unfit("rulebook.share_unused", id=id)
        graph = self._graph()
        for level_of, required in graph.items():
            for one in required:
                if one not in graph:
                    levels = ", ".join(map(str, graph))
                    raise Unfit("rulebook.unknown_reference", id=level_of, reference=str(one), known=levels)
        _prove_acyclic(graph)
        if self.no_evidence.counts_as != "not_met":
            raise Unfit("rulebook.evidence_counts_as", stated=self.no_evidence.counts_as, allowed="not_met")
        return self


def _shares_known(where: str, level: Level, known: list[str]) -> None:
    for condition in level.conditions:
        for minimum in (condition, condition.special):
            if minimum is not None and minimum.share not in known:
                raise Unfit("rulebook.unknown_reference", id=where, reference=minimum.share, known=", ".join(known))
        special = condition.special
        if special is not None and special.share == condition.share and special.min > condition.min:
            raise Unfit("rulebook.special_above_ordinary", level=where, id=condition.share)
    unique(f"condition of {where} on", [one.share for one in level.conditions])


def _levels_rise(standard: Standard) -> None:
    """A share that a level and a higher one both ask for is asked for no less at the higher one."""
    for special in (False, True):
        asked: dict[str, Minimum] = {}
        for number, level in enumerate(standard.levels, start=1):
            for minimum in (one.required(special) for one in level.conditions):
                if minimum.share in asked and minimum.min < asked[minimum.share].min:
                    raise Unfit("rulebook.level_asks_less", level=f"{standard.id} {number}", id=minimum.share)
                asked[minimum.share] = minimum


def _prove_acyclic(graph: dict[StandardLevel, list[StandardLevel]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise Unfit("rulebook.circular_reference", circle=" → ".join(map(str, reversed(error.args[1])))) from None
