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
from shared.contracts.base import Step, Text
from shared.contracts.facts import AllocationCase
from shared.rulebook import FundingPolicy
from shared.wording import EN, VI


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
    steps: tuple[Step, ...]

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


def adjust(frozen: Frozen, corrected: Stake, now: Standing, policy: FundingPolicy) -> Adjustment:
    """What a correction changes for its centre alone, by the approved run's own λ or θ.

    A raise is paid whole from the reserve, or where the reserve cannot, carried whole to the next year as a first
    charge on its envelope. A cut first takes back what is still carried, then returns the rest to the reserve, as far
    as this year has paid it: what a later year settled is not this reserve's. Nobody else's amount moves.

    Args:
        frozen: the approved run.
        corrected: the centre's stake with the corrected inputs, under the norms and policy of the run
            (`Budget.stakes_when` of a budget with these inputs). A centre that was not part of the run has nothing yet.
        now: where the money stands (`standing`).
        policy: of the run; it is cited.

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
    steps = (
        _rule_step(frozen, exact, due, policy),
        _money_step(from_reserve, carried, now.reserve, after - due, policy),
    )
    return Adjustment(key, paid + owed, after, from_reserve, carried, exact, steps)


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
            step = _rerun_step(frozen, operating, exact, after, policy)
            adjustments.append(Adjustment(key, paid + owed, after, after - paid, -owed, exact, (step,)))
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


def _rule_step(frozen: Frozen, exact: Fraction, after: int, policy: FundingPolicy) -> Step:
    rule = policy.after_approval
    if frozen.case == "below_legal_minimum":
        means = Text(vi="tỷ lệ chi mức tối thiểu đã duyệt", en="the approved share of the minima")
    elif frozen.theta is not None:
        means = Text(vi=f"θ = {VI(frozen.theta)} đã duyệt", en=f"the approved θ = {EN(frozen.theta)}")
    elif frozen.lambda_ is not None:
        means = Text(vi=f"λ = {VI.money(frozen.lambda_)} đã duyệt", en=f"the approved λ = {EN.money(frozen.lambda_)}")
    else:
        means = Text(
            vi="các giới hạn đã duyệt (mọi trung tâm đạt giới hạn)", en="the approved bounds (all were capped)"
        )
    what = Text(
        vi=f"Đính chính sau khi duyệt (lần {frozen.run_version}): tính lại riêng trung tâm này theo {means.vi}: "
        f"{VI.money(exact)}, làm tròn {VI.money(after)}. Số của trung tâm khác không đổi.",
        en=f"Correction after approval (run {frozen.run_version}): this centre alone is computed again by {means.en}: "
        f"{EN.money(exact)}, rounded {EN.money(after)}. No other centre's amount changes.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _money_step(from_reserve: int, carried: int, reserve: int, kept: int, policy: FundingPolicy) -> Step:
    rule = policy.after_approval
    if carried > 0:
        what = Text(
            vi=f"Dự phòng còn {VI.money(reserve)}, không đủ chi {VI.money(carried)}: chuyển sang năm sau, chi trước "
            "tiên từ kinh phí năm sau.",
            en=f"The reserve holds {EN.money(reserve)} and cannot pay {EN.money(carried)}: carried to the next year as "
            "a first charge on its envelope.",
        )
    elif from_reserve > 0:
        what = Text(
            vi=f"Chi {VI.money(from_reserve)} từ dự phòng ({VI.money(reserve)}); còn "
            f"{VI.money(reserve - from_reserve)}.",
            en=f"{EN.money(from_reserve)} are paid from the reserve ({EN.money(reserve)}); "
            f"{EN(reserve - from_reserve)} đồng are left.",
        )
    elif from_reserve or carried:
        what = Text(
            vi=f"Hoàn {VI.money(-from_reserve)} về dự phòng; giảm {VI.money(-carried)} số chuyển sang năm sau.",
            en=f"{EN.money(-from_reserve)} return to the reserve; {EN.money(-carried)} are no longer carried to the "
            "next year.",
        )
    else:
        what = Text(vi="Số tiền không đổi.", en="The amount does not change.")
    if kept:
        what = Text(
            vi=f"{what.vi} {VI.money(kept)} đã do kinh phí năm sau chi, không hoàn về dự phòng của năm này.",
            en=f"{what.en} {EN.money(kept)} were paid by a later year's budget and do not return to this reserve.",
        )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)


def _rerun_step(frozen: Frozen, operating: int, exact: Fraction, after: int, policy: FundingPolicy) -> Step:
    rule = policy.after_approval
    what = Text(
        vi=f"Tính lại toàn tỉnh trên {VI.money(operating)} đã duyệt (lần {frozen.run_version}), theo chính sách "
        f"{policy.id}: {VI.money(exact)}, làm tròn {VI.money(after)}.",
        en=f"The whole province again over the {EN.money(operating)} approved (run {frozen.run_version}), by "
        f"policy {policy.id}: {EN.money(exact)}, rounded {EN.money(after)}.",
    )
    return Step(what=what, citation=rule.citation, provenance=rule.provenance)
