"""What Langhoc does where every rule is silent, as dated data: never under the name of a law."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.source import Dated, Grounded

FILE = "readings.yaml"


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


@lru_cache
def readings_layers(places: Sequence[Path]) -> Layers[Readings]:
    """All of these folders. Raises `RulebookError`."""
    return load_layers(places, FILE, Readings)


def readings_on(on: date) -> Readings:
    """Those of a day: the ministry's, else Langhoc's.

    Raises:
        NoRuleInForce: none was in force.
        RulebookError: a file cannot be used.
    """
    return readings_layers(folders()).in_force(on)
