"""A province's budget proposal: the legal minima and the funding policy applied to its centres."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from operator import attrgetter

from services.funding.domain.centres import Centre, Factors, factors_of, stake_of
from services.funding.domain.explanation import Account, explain
from services.funding.domain.sharing import Share, Stake, solve
from shared.contracts.base import Provenance, Step, Text, content_hash
from shared.contracts.facts import Allocation, AllocationCase, BudgetRunProposed
from shared.rulebook import FundingNorms, FundingPolicy, RulebookError

WITHDRAWN = "withdrawn"
"""Flag of the closing line of a centre that left the province's proposal; such a line is no part of the run's proof."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One province's proposal: its lines in order of centre id, and the proof that they add up. Money in đồng."""

    envelope: int
    case: AllocationCase
    lines: tuple[Allocation, ...]
    reserve: int
    lambda_: Fraction | None
    theta: Fraction | None
    flags: tuple[str, ...]
    provenance: Provenance


def allocate(
    centres: Iterable[Centre], envelope: int, *, period: int, norms: FundingNorms, policy: FundingPolicy
) -> Budget:
    """Share `envelope` đồng of the budget year after assessment `period` among a province's eligible centres.

    Floors are the legal minima of Circular 96/2008/TT-BTC; everything above them is policy (see its
    provenance). The order of `centres` does not matter.

    Raises:
        RulebookError: the policy has no factor for a grade, or its rounding step does not divide a legal minimum.
        ValueError: a centre is named twice.
    """
    ordered = sorted(centres, key=attrgetter("centre_id"))
    step = policy.rounding.step
    for area_class, norm in norms.yearly.items():
        if norm.amount % step:
            raise RulebookError(policy.id, "rounding/step", f"{step} does not divide the minimum of {area_class}")
    factors = [factors_of(centre, policy) for centre in ordered]
    stakes = [stake_of(centre, f.weight, norms, policy) for centre, f in zip(ordered, factors, strict=True)]
    solution = solve(stakes, envelope, step=step, relax_caps=policy.surplus.use == "relax_caps")

    floors = sum(stake.floor for stake in stakes)
    account = Account(period, envelope, floors, solution, norms, policy)
    lines = tuple(_line(account, *parts) for parts in zip(ordered, factors, stakes, solution.shares, strict=True))
    flags = {flag for line in lines for flag in line.flags}
    if solution.case in ("below_legal_minimum", "hold_harmless_relaxed"):
        flags.add(solution.case)
    if solution.reserve:
        flags.add("reserve")
    return Budget(
        envelope=envelope,
        case=solution.case,
        lines=lines,
        reserve=solution.reserve,
        lambda_=solution.lambda_,
        theta=solution.theta,
        flags=tuple(sorted(flags)),
        provenance=max(norms.provenance, policy.provenance, key=list(Provenance).index),
    )


def _line(account: Account, centre: Centre, factors: Factors, stake: Stake, share: Share) -> Allocation:
    flags = []
    if share.amount < stake.floor:
        flags.append("below_legal_minimum")
    elif share.amount < stake.lower:
        flags.append("hold_harmless_relaxed")
    if stake.upper is not None and share.amount > stake.upper:
        flags.append("caps_relaxed")
    if centre.assessment == "pending":
        flags.append("pending")
    return Allocation(
        centre_id=centre.centre_id,
        name=centre.name,
        commune_code=centre.commune_code,
        amount=share.amount,
        floor=stake.floor,
        lower=stake.lower,
        upper=stake.upper,
        last_year=centre.last_year,
        performance_factor=str(factors.performance),
        equity_factor=str(factors.equity),
        size_factor=str(factors.size),
        weight=str(stake.weight),
        grade=centre.grade.id if centre.grade else None,
        assessment=centre.assessment,
        result_version=centre.result_version,
        binds=share.binds,
        exact=str(share.exact),
        flags=flags,
        steps=explain(account, centre, factors, stake, share),
    )


def head_of(budget: Budget, *, province: str, year: int, version: int, proposed_at: datetime) -> BudgetRunProposed:
    """The published proof of a budget. Its hash is over `[[centre id, amount], …]` in order of centre id."""
    return BudgetRunProposed(
        province=province,
        year=year,
        version=version,
        envelope=budget.envelope,
        allocated=budget.envelope - budget.reserve,
        reserve=budget.reserve,
        centres=len(budget.lines),
        case=budget.case,
        lambda_=None if budget.lambda_ is None else str(budget.lambda_),
        theta=None if budget.theta is None else str(budget.theta),
        flags=list(budget.flags),
        hash=content_hash([[line.centre_id, line.amount] for line in budget.lines]),
        proposed_at=proposed_at,
        provenance=budget.provenance,
    )


def withdrawn(line: Allocation, policy: FundingPolicy) -> Allocation:
    """The closing line of a centre that no longer takes part: 0 đồng and the reason, so that no old amount stays."""
    reason = Text(
        vi="Trung tâm không còn thuộc đề nghị của tỉnh trong năm ngân sách này (đã chuyển sang tỉnh khác, "
        "hoặc ngày thành lập được đính chính sang năm sau); số đã đề nghị được rút về 0 đồng.",
        en="The centre no longer takes part in the province's proposal for this budget year (it moved to "
        "another province, or its opening date was corrected to a later year); the proposed amount is "
        "withdrawn to 0 đồng.",
    )
    return line.model_copy(
        update={
            "amount": 0,
            "floor": 0,
            "lower": 0,
            "upper": None,
            "weight": "0",
            "binds": "none",
            "exact": "0",
            "flags": [WITHDRAWN],
            "steps": [Step(what=reason, citation=policy.citation, provenance=policy.provenance)],
        }
    )
