"""Rows and figures of measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Figures = Mapping[str, float]
"""By the name under which a figure stands in `build/bench.json`."""


class Row(NamedTuple):
    """What was done, how fast, and how that compares with a baseline of the same run."""

    what: str
    figure: str
    against: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a module found: rows for people, figures for programs."""

    rows: Sequence[Row]
    figures: Figures = field(default_factory=dict)


def ratio(one: float, other: float) -> str:
    """`3.2 ×`."""
    return f"{one / other:.2g} ×" if one / other < 10 else f"{one / other:.0f} ×"


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
