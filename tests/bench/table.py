"""Rows of measurements."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """What was done, how fast, and how that compares with a baseline of the same run."""

    what: str
    figure: str
    against: str


def ratio(one: float, other: float) -> str:
    """`3.2 ×`."""
    return f"{one / other:.2g} ×" if one / other < 10 else f"{one / other:.0f} ×"
