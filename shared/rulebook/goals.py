"""Goals of the state's schemes for the learning society, as dated data (`data/goals.yaml`).

A goal judges nobody: it stands beside a share that was counted, so that a reader sees how far the way still is. Those
of a plan of one province hold in that province only.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import Nfc, ProvinceCode, Text, Year
from shared.contracts.submissions import Standard
from shared.rulebook.basis import Gap, Threshold
from shared.rulebook.errors import Findings, Unfit
from shared.rulebook.overlays import folders, nations
from shared.rulebook.source import Grounded, Rule, read

FILE = "goals.yaml"


class Recognised(Rule):
    """Counts the units that decisions in force recognise, of all that there are on the cut-off date."""

    of: Literal["commune", "district", "province"]
    standard: Standard | None = None
    """A standard of universal education; `None` = the learning society's own recognition."""
    level: Annotated[int, Field(ge=1, le=3)]
    """This level or a higher one."""


class Goal(Grounded):
    """A share that is to be reached by the end of a year ("at least")."""

    id: Nfc
    metric: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """What is counted, the same word for the same thing in every scheme: `learning_families`, `literate_15_60`."""
    name: Text
    scheme: Nfc
    """The decision that sets it, or the plan through which it is known."""
    since: Year
    """First year of the scheme."""
    year: Year
    """Year by the end of which the share is to be reached."""
    value: Threshold
    recognised: Recognised | None = None
    """What is counted by decisions; `None` = the shares that are reported under the metric."""
    base: Threshold | None = None
    """Share at the end of the year before the scheme, where the scheme itself states it."""
    value_difficult_area: Threshold | None = None
    """The lower goal of the areas that the scheme calls difficult; `None` = the same for all."""
    province: ProvinceCode | None = None
    """The only province in which it holds; `None` = the nation."""
    note: Text | None = None
    """Where sources differ, or what is uncertain."""

    def share(self, *, difficult_area: bool = False) -> Fraction:
        """The share that is to be reached, exactly."""
        return self.value_difficult_area if difficult_area and self.value_difficult_area is not None else self.value

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.year < self.since:
            raise Unfit("rulebook.goal_before_scheme", id=self.id, year=self.year, since=self.since)
        if self.value_difficult_area is not None and self.value_difficult_area > self.value:
            raise Unfit("rulebook.goal_above_elsewhere", id=self.id)
        return self


class _Goals(Rule):
    goals: Annotated[list[Goal], Field(min_length=1)]
    gaps: list[Gap] = []


def load_goals(places: Sequence[Path]) -> tuple[Goal, ...]:
    """All goals of the rulebook's folders. Raises `RulebookError`: also where an id or a goal stands twice."""
    found = Findings()
    seen: dict[str, Goal] = {}
    aims: set[tuple[object, ...]] = set()
    counted: dict[str, Recognised | None] = {}
    for place in nations(places, FILE):
        with found.noting():
            for nth, goal in enumerate(read(place.file, _Goals, place.name).goals):
                if goal.id in seen or (*_aim(goal), goal.year) in aims:
                    found.add(place.name, f"goals/{nth}", "rulebook.stands_twice", what="goal", id=goal.id)
                if counted.setdefault(goal.metric, goal.recognised) != goal.recognised:
                    found.add(
                        place.name, f"goals/{nth}/recognised", "rulebook.metric_counted_twice", metric=goal.metric
                    )
                seen[goal.id] = goal
                aims.add((*_aim(goal), goal.year))
    found.settle()
    return tuple(seen.values())


@lru_cache
def _goals(places: Sequence[Path]) -> tuple[Goal, ...]:
    return load_goals(places)


def goals() -> tuple[Goal, ...]:
    """All goals, in the order of the files. Raises `RulebookError`."""
    return _goals(folders())


def goals_for(year: int, province: str | None = None) -> tuple[Goal, ...]:
    """The goals towards which a year counts: of each scheme and metric the next one to be reached.

    Args:
        year: an assessment period. 2024 counts towards the goals of 2025, 2026 towards those of 2030.
        province: adds the goals of this province's own plan, once the nation has no earlier one.

    Returns:
        In the order of the file; empty where no scheme covers the year: nothing is carried over from an ended one.

    Raises:
        RulebookError: the file cannot be used.
    """
    return _goals_for(folders(), year, province)


@lru_cache
def _goals_for(places: Sequence[Path], year: int, province: str | None) -> tuple[Goal, ...]:
    ahead = [goal for goal in _goals(places) if goal.since <= year <= goal.year and goal.province in (None, province)]

    def nearest(goal: Goal) -> int:
        """The next year of the same aim: of the nation's goals alone, for a province's own one of all."""
        owners = {None, goal.province}
        return min(one.year for one in ahead if one.province in owners and _aim(one)[:2] == _aim(goal)[:2])

    return tuple(goal for goal in ahead if goal.year == nearest(goal))


def _aim(goal: Goal) -> tuple[str, str, str | None]:
    return goal.scheme, goal.metric, goal.province
