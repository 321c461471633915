"""Sharing an envelope by floors, bounds and weights. Arithmetic only: it knows no law, no centre and no clock.

Exact fractions inside; whole đồng, a multiple of the rounding step, outside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import itemgetter
from typing import Literal

from shared.contracts.facts import AllocationCase

Binds = Literal["floor", "lower", "upper", "none"]


@dataclass(frozen=True, slots=True)
class Stake:
    """What one centre may and should get, in đồng: `floor ≤ lower ≤ upper`; `upper` is `None` where nothing caps it."""

    key: str
    floor: int
    lower: int
    upper: int | None
    weight: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= self.lower or (self.upper is not None and self.upper < self.lower):
            raise ValueError(f"{self.key}: bounds out of order: {self.floor}, {self.lower}, {self.upper}")
        if self.weight < 0:
            raise ValueError(f"{self.key}: weight {self.weight} is negative")


@dataclass(frozen=True, slots=True)
class Share:
    """One centre's part: `exact` before rounding, `amount` after it (đồng), and the bound that decided."""

    exact: Fraction
    amount: int
    binds: Binds


@dataclass(frozen=True, slots=True)
class Solution:
    """How an envelope is shared: one `Share` per stake, in the stakes' order, and what is left (đồng)."""

    case: AllocationCase
    shares: tuple[Share, ...]
    reserve: int
    lambda_: Fraction | None = None
    """Đồng per unit of weight."""
    theta: Fraction | None = None
    """Part of the hold-harmless amounts above the floors that the envelope pays, 0 ≤ θ < 1."""
    caps_relaxed: bool = False


def bounds(
    floor: int, last_year: Fraction | int | None, *, held: bool, rise: Fraction, fall: Fraction, step: int
) -> tuple[int, int | None]:
    """Lower and upper bound in đồng, moved inward to the rounding step.

    `held`: last year's support protects the centre. A new centre (`last_year` is `None`) and one that got
    nothing and has no floor have no upper bound, so that they can rise.
    """
    if last_year is None:
        return floor, None
    lower = max(floor, round_up((1 - fall) * last_year, step)) if held else floor
    base = max(last_year, floor)
    return lower, max(lower, round_down((1 + rise) * base, step)) if base else None


def solve(stakes: Sequence[Stake], envelope: int, *, step: int = 1, relax_caps: bool = False) -> Solution:
    """Share `envelope` đồng exactly; Σ amounts + reserve = envelope whatever the input, whatever its order.

    Raises `ValueError` where a key comes twice (a centre is counted once) or a bound is no multiple of
    `step`.
    """
    if len({stake.key for stake in stakes}) != len(stakes):
        raise ValueError("a centre is named twice")
    if envelope < 0 or step < 1:
        raise ValueError(f"envelope {envelope} or rounding step {step} out of range")
    # With every bound a whole number of steps, the rest is arithmetic on numbers of steps.
    available = envelope // step
    scaled = [_in_steps(stake, step) for stake in stakes]
    floors = sum(stake.floor for stake in scaled)
    lowers = sum(stake.lower for stake in scaled)
    capped = [stake.upper if stake.weight else stake.lower for stake in scaled]
    ceiling = sum(top for top in capped if top is not None) if None not in capped else None

    relaxed = relax_caps and ceiling is not None and available > ceiling and any(stake.weight for stake in scaled)
    if relaxed:
        scaled = [replace(stake, upper=None) for stake in scaled]

    case: AllocationCase
    level: Fraction | None = None
    theta: Fraction | None = None
    spent = available
    if not scaled:
        case, exact, spent = "no_centres", [], 0
    elif available < floors:
        case, exact = "below_legal_minimum", [Fraction(available * stake.floor, floors) for stake in scaled]
    elif available < lowers:
        case, theta = "hold_harmless_relaxed", Fraction(available - floors, lowers - floors)
        exact = [stake.floor + theta * (stake.lower - stake.floor) for stake in scaled]
    elif relaxed or ceiling is None or available <= ceiling:
        case, level = "above_caps" if relaxed else "performance", _level(scaled, available)
        exact = [_clamp(stake, level) for stake in scaled]
    else:
        case, exact, spent = "above_caps", [Fraction(top) for top in capped if top is not None], ceiling

    whole = largest_remainder(exact, [stake.key for stake in scaled])
    reserve = envelope - step * spent
    if sum(exact) != spent or step * sum(whole) + reserve != envelope:
        raise AssertionError(f"shares {sum(exact)}, rounded {sum(whole)}, are not the {spent} steps to be spent")
    shares = tuple(
        Share(x * step, amount * step, "none" if case == "below_legal_minimum" else binds(stake, x))
        for stake, x, amount in zip(scaled, exact, whole, strict=True)
    )
    return Solution(
        case,
        shares,
        reserve,
        lambda_=None if level is None else level * step,
        theta=theta,
        caps_relaxed=relaxed,
    )


def _in_steps(stake: Stake, step: int) -> Stake:
    """The stake counted in rounding steps."""
    for bound in (stake.floor, stake.lower, stake.upper or 0):
        if bound % step:
            raise ValueError(f"{stake.key}: {bound} is no multiple of the rounding step {step}")
    upper = None if stake.upper is None else stake.upper // step
    return replace(stake, floor=stake.floor // step, lower=stake.lower // step, upper=upper)


def _level(stakes: Sequence[Stake], available: int) -> Fraction:
    """The smallest λ ≥ 0 with Σ clamp(floor + λ·weight, lower, upper) = available; the caller knows that there is one.

    The sum is `constant + λ·slope` between two turns, where a turn is the λ at which a stake leaves its lower
    bound or reaches its upper one. Walking the turns in order finds the piece that holds `available`; nothing
    is approximated.
    """
    turns: list[tuple[Fraction, int, Fraction]] = []
    for stake in stakes:
        if stake.weight:
            turns.append(((stake.lower - stake.floor) / stake.weight, stake.floor - stake.lower, stake.weight))
            if stake.upper is not None:
                turns.append(((stake.upper - stake.floor) / stake.weight, stake.upper - stake.floor, -stake.weight))
    constant, slope = sum(stake.lower for stake in stakes), Fraction(0)
    for turn, constant_change, slope_change in sorted(turns, key=itemgetter(0)):
        if constant + slope * turn >= available:
            break
        constant += constant_change
        slope += slope_change
    return (available - constant) / slope if slope else Fraction(0)


def _clamp(stake: Stake, level: Fraction) -> Fraction:
    amount = max(stake.floor + level * stake.weight, Fraction(stake.lower))
    return amount if stake.upper is None else min(amount, Fraction(stake.upper))


def largest_remainder(exact: Sequence[Fraction], keys: Sequence[str]) -> list[int]:
    """The one rounding: largest remainder, ties by key.

    The steps to hand out are fewer than the shares with a remainder, and the bounds are whole: so no share
    passes its upper bound by its one step, and none falls below a bound that its exact value respects.
    """
    whole = [math.floor(x) for x in exact]
    missing = sum(exact, Fraction(0)) - sum(whole)
    order = sorted(range(len(exact)), key=lambda i: (whole[i] - exact[i], keys[i]))
    for i in order[: int(missing)]:
        whole[i] += 1
    return whole


def binds(stake: Stake, exact: Fraction) -> Binds:
    """The bound that a share of paid minima lies at."""
    if exact == stake.floor:
        return "floor"
    if stake.weight and exact == stake.upper:
        return "upper"
    return "lower" if exact == stake.lower else "none"


def round_up(amount: Fraction, step: int) -> int:
    """The least whole number of steps that is not below `amount`."""
    return math.ceil(amount / step) * step


def round_down(amount: Fraction, step: int) -> int:
    """The largest whole number of steps that is not above `amount`."""
    return math.floor(amount / step) * step
