"""Corrections after approval: what one changed input is worth under the approved run, and whose money pays for it.

What a centre should have got follows from the frozen run and its corrected stake alone, so that corrections in any
order, repeated or taken back, end at the same amounts (docs/adr/0016).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from services.funding.domain.frozen import Frozen, FrozenLine
from services.funding.domain.sharing import Stake, round_down, solve
from shared.contracts.facts import AllocationCase, Correction
from shared.rulebook import FundingPolicy


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the money of an approved run stands after some adjustments. Money in đồng.

    Always Σ paid + `reserve` = what was shared (`Frozen.operating`); Σ carried is a debt to the next year's envelope.
    """

    reserve: int
    paid: Mapping[str, int]
    """Per centre: approved amount and the adjustments paid in the year."""
    carried: Mapping[str, int]
    """Per centre: what the reserve could not pay; never negative, centres without one are left out."""
    settled: Mapping[str, int] = field(default_factory=dict)
    """Per centre: the part of `paid` that a later year paid of what was carried; it cannot return to this reserve."""

    def support(self, centre_id: str) -> int:
        """What counts as the year's support in the next one: approved + adjustments + carried delta."""
        return self.paid[centre_id] + self.carried.get(centre_id, 0)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One centre's change. Always `delta` = `from_reserve` + `carried`, all signed, in đồng."""

    centre_id: str
    before: int
    """What was decided before: paid and carried."""
    after: int
    """What the corrected inputs give."""
    from_reserve: int
    """Paid from the reserve; negative: returned to it."""
    carried: int
    """Added to what next year's envelope owes; negative: no longer owed."""
    exact: Fraction
    """`after` before rounding."""
    correction: Correction
    """The values that made it, as its line tells them."""

    @property
    def delta(self) -> int:
        """What changes for the centre."""
        return self.after - self.before


def standing(frozen: Frozen, adjustments: Iterable[Adjustment] = ()) -> Standing:
    """The sum of an approved run and its adjustments, in the order they were decided.

    Raises:
        ValueError: an adjustment does not start where the one before ended, or takes money that is not there.
    """
    reserve = frozen.reserve
    paid = {line.stake.key: line.amount for line in frozen.lines}
    carried: dict[str, int] = {}
    for one in adjustments:
        key = one.centre_id
        known = paid.get(key, 0) + carried.get(key, 0)
        if one.before != known or one.delta != one.from_reserve + one.carried:
            raise ValueError(f"{key}: an adjustment from {one.before} to {one.after} does not follow on {known} đồng")
        paid[key] = paid.get(key, 0) + one.from_reserve
        carried[key] = carried.get(key, 0) + one.carried
        reserve -= one.from_reserve
        if reserve < 0 or paid[key] < 0 or carried[key] < 0:
            raise ValueError(f"{key}: the adjustment takes money that is not there")
    if sum(paid.values()) + reserve != frozen.operating:
        raise AssertionError(f"paid and reserve are not the {frozen.operating} đồng approved")
    return Standing(reserve, paid, {key: amount for key, amount in carried.items() if amount})


def adjust(frozen: Frozen, corrected: Stake, now: Standing) -> Adjustment:
    """What a correction changes for its centre alone, by the approved run's own λ or θ.

    A raise is paid whole from the reserve, or where the reserve cannot, carried whole to the next year as a first
    charge on its envelope. A cut first takes back what is still carried, then returns the rest to the reserve, as far
    as this year has paid it: what a later year settled is not this reserve's. Nobody else's amount moves.

    Args:
        frozen: the approved run.
        corrected: the centre's stake with the corrected inputs, under the norms and policy of the run
            (`Budget.stakes_when` of a budget with these inputs). A centre that was not part of the run has nothing yet.
        now: where the money stands (`standing`).

    Raises:
        ValueError: a bound of the stake is no multiple of the run's rounding step.
    """
    key = corrected.key
    exact = entitled(frozen, corrected)
    due = _rounded(frozen, corrected, exact)
    paid, owed, settled = (amounts.get(key, 0) for amounts in (now.paid, now.carried, now.settled))
    delta = due - paid - owed
    if delta > now.reserve:
        from_reserve, carried = 0, delta
    elif delta >= 0:
        from_reserve, carried = delta, 0
    else:
        carried = max(delta, -owed)
        from_reserve = max(delta - carried, settled - paid)
    after = paid + owed + from_reserve + carried
    correction = Correction(
        run_version=frozen.run_version,
        exact=str(exact),
        due=due,
        paid=from_reserve,
        carried=carried,
        reserve=now.reserve,
        kept=after - due,
    )
    return Adjustment(key, paid + owed, after, from_reserve, carried, exact, correction)


def rerun(
    frozen: Frozen, stakes: Sequence[Stake], now: Standing, policy: FundingPolicy, *, more: int = 0
) -> tuple[Adjustment, ...]:
    """The whole run again with other inputs or another policy, as deltas of every centre against what was decided.

    For policy `after_approval: rerun`, and for a policy that is changed for a year already approved. What is shared
    stays what was approved, with the `more` đồng by which the envelope was corrected since, so everything is paid
    within the year and nothing stays carried. A centre that is not among `stakes` any more gives back all it has. Only
    changes are returned, cuts first, so that the reserve can pay the raises.

    Raises:
        ValueError: as `solve`.
    """
    relax, operating = policy.surplus.use == "relax_caps", frozen.operating + more
    solution = solve(stakes, operating, step=policy.rounding.step, relax_caps=relax)
    shares = {stake.key: share for stake, share in zip(stakes, solution.shares, strict=True)}
    adjustments = []
    for key in sorted(shares.keys() | now.paid.keys()):
        share = shares.get(key)
        exact, after = (share.exact, share.amount) if share else (Fraction(0), 0)
        paid, owed = now.paid.get(key, 0), now.carried.get(key, 0)
        if after != paid or owed:
            told = Correction(run_version=frozen.run_version, shared=operating, exact=str(exact), due=after)
            adjustments.append(Adjustment(key, paid + owed, after, after - paid, -owed, exact, told))
    adjustments.sort(key=lambda one: (one.from_reserve, one.centre_id))
    if now.reserve - sum(one.from_reserve for one in adjustments) != solution.reserve:
        raise AssertionError("a new run over the same money must end at its own reserve")
    return tuple(adjustments)


def entitled(frozen: Frozen, stake: Stake) -> Fraction:
    """What the approved run gives for a stake, exactly, in đồng."""
    case: AllocationCase = frozen.case
    if case == "below_legal_minimum":
        floors = sum(line.stake.floor for line in frozen.lines)
        return Fraction(stake.floor * sum((line.exact for line in frozen.lines), Fraction(0)), floors)
    if frozen.theta is not None:
        return stake.floor + frozen.theta * (stake.lower - stake.floor)
    if frozen.lambda_ is None and stake.weight and stake.upper is not None:
        return Fraction(stake.upper)  # everybody with a weight had the upper bound
    upper = None if frozen.caps_relaxed else stake.upper
    raw = max(stake.floor + _level(frozen) * stake.weight, Fraction(stake.lower))
    return raw if upper is None else min(raw, Fraction(upper))


def _level(frozen: Frozen) -> Fraction:
    """The run's λ. Where all were capped, or nobody took part, the smallest λ that brings everybody to the cap."""
    if frozen.lambda_ is not None:
        return frozen.lambda_
    return max((_turn(line) for line in frozen.lines), default=Fraction(0))


def _turn(line: FrozenLine) -> Fraction:
    stake = line.stake
    return (stake.upper - stake.floor) / stake.weight if stake.weight and stake.upper is not None else Fraction(0)


def _rounded(frozen: Frozen, stake: Stake, exact: Fraction) -> int:
    """One centre alone is rounded down; but the same share keeps its amount, and a higher one never gets less."""
    for bound in (stake.floor, stake.lower, stake.upper or 0):
        if bound % frozen.step:
            raise ValueError(f"{stake.key}: {bound} is no multiple of the rounding step {frozen.step}")
    line = frozen.by_centre.get(stake.key)
    down = round_down(exact, frozen.step)
    return down if line is None or exact < line.exact else max(down, line.amount)
