"""What Langhoc does where every rule is silent, as dated data: never under the name of a law."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from shared.rulebook.overlays import Layers, folders, load_layers, nation_alone
from shared.rulebook.source import Dated, Grounded

FILE = "readings.yaml"


class EmptyCohort(Grounded):
    """What a target counts as where nobody is to be counted (denominator 0): no child of that age, no clan, no commune.

    Missing is not zero, and nobody is neither: the target is *not applicable*. A ranking leaves it out of its counts
    and means, whatever it counts as.
    """

    counts_as: Literal["met", "not_met"]
    """For levels, standards, goals and indicators."""


class Readings(Dated):
    """The grounds of what is ours in every result."""

    cut_off: Grounded
    """The day of a period that decides by which rule, and by which state of the register, it is judged."""
    missing: Grounded
    """That what was not sent is unknown, neither 0 nor failed."""
    declared: Grounded
    """That a value rests on its sender's word while there is no result under the rule that would decide it."""
    basis: Grounded
    """That a claim to easier thresholds needs the decision that says so."""
    claimed_area: Grounded
    """That the area class of a commune is what its province declares."""
    empty_cohort: EmptyCohort
    withdrawn: Grounded
    """That nothing of a submission counts that its sender has withdrawn, nor an earlier version of it."""
    recognised: Grounded
    """That only a decision recognises: what was computed counts nowhere in its place."""
    recognised_standard: Grounded
    """That a decision on a standard of universal education counts before the level that was computed, in its year."""
    same_unit: Grounded
    """That a unit which continues one whole former unit is the same one, and no other unit inherits a decision."""


@lru_cache
def readings_layers(places: Sequence[Path]) -> Layers[Readings]:
    """All of these folders. Raises `RulebookError`: also where a province has its own: all are ranked together."""
    return nation_alone(load_layers(places, FILE, Readings))


def readings_on(on: date) -> Readings:
    """Those of a day: the ministry's, else Langhoc's.

    Raises:
        NoRuleInForce: none was in force.
        RulebookError: a file cannot be used.
    """
    return readings_layers(folders()).in_force(on)
