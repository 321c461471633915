"""A province's budget proposal: the legal minima and the funding policy applied to its centres."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from operator import attrgetter
from typing import TYPE_CHECKING, Literal

from services.funding.domain.centres import (
    Centre,
    Factors,
    Grade,
    Part,
    Record,
    counted,
    factors_of,
    last_year_of,
    relax_norms,
    stake_of,
)
from services.funding.domain.sharing import Share, Solution, Stake, binds, solve
from shared.contracts.base import Provenance, RuleRef, content_hash
from shared.contracts.facts import (
    Allocation,
    AllocationCase,
    Basis,
    BudgetRunProposed,
    Departure,
    EquipmentStanding,
    GradeCounted,
    SupportLineage,
    SupportOnRecord,
    SupportSuccession,
    TakenOver,
)
from shared.refusals import problem
from shared.rulebook import FundingNorms, FundingPolicy, RulebookError

if TYPE_CHECKING:
    from services.funding.domain.frozen import Frozen

LAST_YEAR_UNKNOWN = "last_year_unknown"
"""Flag of a line (and its run): last year's support should be on record and is not, so it has its minimum alone."""
WITHOUT_BASE = "without_base"
"""Flag of a line (and its run): it is measured against no last year's support."""
NO_ENVELOPE = "no_envelope"
"""Flag of a run whose envelope was withdrawn: it shares nothing."""
_OF_BOUNDS = frozenset({"below_legal_minimum", "provincial_norm_relaxed", "hold_harmless_relaxed", "caps_relaxed"})
WITHDRAWN = "withdrawn"
"""Flag of the closing line of a centre that left the province's proposal; such a line is no part of the run's proof."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A delta of the year before that its reserve could not pay. What is not paid now stays carried (đồng)."""

    centre_id: str
    due: int
    paid: int


@dataclass(frozen=True, slots=True)
class Budget:
    """One province's proposal for one purpose, and the proof that it adds up. Money in đồng.

    Always Σ paid charges + Σ equipment grants + Σ line amounts + reserve = envelope.
    """

    envelope: int
    operating: int
    """What the lines share: the envelope without charges and equipment."""
    lines: tuple[Allocation, ...]
    """In order of centre id."""
    stakes: tuple[Stake, ...]
    """Of the lines, in their order."""
    solution: Solution
    step: int
    flags: tuple[str, ...]
    provenance: Provenance
    norms: str
    policy: str
    """Ids of the rules that it was computed with."""
    norms_relaxed: bool = False
    """The province's own higher norms could not all be paid, so that the floors of `stakes` are the law's."""
    alternative: tuple[Stake, ...] = ()
    """The same stakes under the other assumption about the province's own norms (see `stakes_when`)."""
    charges: tuple[Charge, ...] = ()
    """Deltas carried from the year before, in order of centre id: the first charge."""
    cap: int | None = None
    """What bounds the lines without a base (đồng); `None`: nothing."""
    equipment: Budget | None = None
    """The initial equipment of newly established centres, a purpose of its own; `None` where none is due."""
    equipment_not_recorded: int = 0
    """Centres that the law grants it, of which nothing is on record and the years of its first payment are over."""

    def stakes_when(self, norms_relaxed: bool) -> tuple[Stake, ...]:
        """The stakes as a run sees them that could not (or could) pay the province's own norms.

        A correction is computed as its approved run was, whatever the corrected inputs would make of a new one.
        """
        return self.stakes if norms_relaxed == self.norms_relaxed else self.alternative

    @property
    def case(self) -> AllocationCase:
        """How the money was shared."""
        return self.solution.case

    @property
    def reserve(self) -> int:
        """What is left."""
        return self.solution.reserve

    @property
    def lambda_(self) -> Fraction | None:
        """Đồng per unit of weight."""
        return self.solution.lambda_

    @property
    def theta(self) -> Fraction | None:
        """Part of the protection of last year's support that could be paid."""
        return self.solution.theta


def allocate(
    centres: Iterable[Centre],
    envelope: int,
    *,
    period: int,
    norms: FundingNorms,
    policy: FundingPolicy,
    carried: Mapping[str, int] | None = None,
    approved: Frozen | None = None,
) -> Budget:
    """Share `envelope` đồng of the budget year after assessment `period` among a province's eligible centres.

    Deltas `carried` from the year before (by centre id, đồng) leave the envelope first, then the initial equipment of
    newly established centres; what cannot be paid is paid pro rata and marked. Floors are the legal minima of Circular
    96/2008/TT-BTC or a province's higher norms; everything above them is policy (see its provenance). The order of
    `centres` does not matter. A correction of the run `approved` has that run's cap for centres without a base, so that
    no centre's figures move another one's.

    Raises:
        RulebookError: the policy has no factor for a result, or its rounding step does not divide a minimum.
        ValueError: a centre is named twice, or a carried delta is negative.
    """
    ordered = sorted(centres, key=attrgetter("centre_id"))
    step, year = policy.rounding.step, period + 1
    _prove_step(norms, policy)
    charges = _charges(carried or {}, envelope)
    left = envelope - sum(charge.paid for charge in charges)
    equipment = _equipment([c for c in ordered if c.equipment.owed(norms)], left, norms, policy)
    operating = left - (sum(line.amount for line in equipment.lines) if equipment else 0)

    factors = [factors_of(centre, policy) for centre in ordered]
    wanted = [stake_of(centre, f.weight, year, norms, policy) for centre, f in zip(ordered, factors, strict=True)]
    baseless = [stake.upper is None for stake in wanted]
    cap = approved.cap if approved else _peers_maximum(wanted, ordered, policy)
    if cap is not None:
        wanted = [stake if stake.upper is not None else replace(stake, upper=max(stake.lower, cap)) for stake in wanted]
    legal = [relax_norms(stake, centre, norms, policy) for stake, centre in zip(wanted, ordered, strict=True)]
    relaxed = _unpayable(wanted, legal, operating)
    stakes, alternative = (legal, wanted) if relaxed else (wanted, legal)
    solution = solve(stakes, operating, step=step, relax_caps=policy.surplus.use == "relax_caps")
    lines = tuple(
        _line(*parts, policy=policy, cap=cap, norms_relaxed=relaxed)
        for parts in zip(ordered, factors, stakes, solution.shares, baseless, strict=True)
    )

    flags = {flag for line in lines for flag in line.flags if flag != "not_due"}
    if solution.case == "below_legal_minimum":
        flags.add(solution.case)
    elif solution.case == "hold_harmless_relaxed":
        flags.add("provincial_norm_relaxed" if relaxed else solution.case)
    if solution.reserve:
        flags.add("reserve")
    if any(charge.paid < charge.due for charge in charges):
        flags.add("carried_unpaid")
    if equipment and "below_legal_minimum" in equipment.flags:
        flags.add("equipment_below_legal_minimum")
    return Budget(
        envelope=envelope,
        operating=operating,
        lines=lines,
        stakes=tuple(stakes),
        solution=solution,
        step=step,
        flags=tuple(sorted(flags)),
        provenance=_weaker(norms.provenance, policy.provenance),
        norms=norms.id,
        policy=policy.id,
        norms_relaxed=relaxed,
        alternative=tuple(alternative),
        cap=cap,
        charges=charges,
        equipment=equipment,
        equipment_not_recorded=sum(centre.equipment.standing == "not_recorded" for centre in ordered),
    )


def _peers_maximum(stakes: Sequence[Stake], centres: Sequence[Centre], policy: FundingPolicy) -> int | None:
    """The largest upper bound among the centres that have a base; `None`: nobody has one, or the policy caps nobody."""
    if policy.without_base is None or policy.without_base.cap == "none":
        return None
    pairs = zip(stakes, centres, strict=True)
    return max((stake.upper for stake, centre in pairs if stake.upper is not None and not centre.unknown), default=None)


def _prove_step(norms: FundingNorms, policy: FundingPolicy) -> None:
    step = policy.rounding.step
    amounts = {f"yearly/{area}": norm.amount for area, norm in norms.yearly.items()}
    amounts |= {f"{norms.id}/yearly/{area}": norms.legal(area).amount for area in norms.yearly}
    amounts["initial_equipment"] = norms.initial_equipment.amount
    for what, amount in amounts.items():
        if amount % step:
            raise RulebookError(
                policy.id, problem("rulebook.step_too_coarse", "rounding/step", step=step, what=what, amount=amount)
            )


def _charges(carried: Mapping[str, int], envelope: int) -> tuple[Charge, ...]:
    """The first charge, to the đồng: it is a debt of a year whose step may have been another."""
    due = [(key, amount) for key, amount in sorted(carried.items()) if amount]
    stakes = [Stake(key, amount, amount, amount, Fraction(0)) for key, amount in due]
    shares = solve(stakes, min(envelope, sum(carried.values()))).shares
    return tuple(Charge(key, amount, share.amount) for (key, amount), share in zip(due, shares, strict=True))


def _equipment(centres: Sequence[Centre], available: int, norms: FundingNorms, policy: FundingPolicy) -> Budget | None:
    """The initial equipment as a budget of its own: all that is owed, or pro rata what there is.

    What a payment of any amount left open is paid to the đồng, like a debt; nothing is rounded away from it.
    """
    if not centres:
        return None
    owed = [centre.equipment.owed(norms) for centre in centres]
    step = policy.rounding.step if not any(amount % policy.rounding.step for amount in owed) else 1
    stakes = [
        Stake(centre.centre_id, amount, amount, amount, Fraction(0))
        for centre, amount in zip(centres, owed, strict=True)
    ]
    envelope = min(available - available % step, sum(owed))
    solution = solve(stakes, envelope, step=step)
    lines = tuple(
        Allocation(
            centre_id=centre.centre_id,
            name=centre.name,
            commune_code=centre.commune_code,
            amount=share.amount,
            floor=stake.floor,
            lower=stake.lower,
            upper=stake.upper,
            last_year=None,
            performance_factor="0",
            equity_factor="0",
            size_factor="0",
            weight="0",
            grade=None,
            assessment=_published(centre),
            result_version=None,
            binds=share.binds,
            exact=str(share.exact),
            flags=["below_legal_minimum"] if share.amount < stake.floor else [],
            basis=Basis(
                area_class=centre.area_class,
                population_served=centre.population_served,
                equipment=EquipmentStanding(standing=centre.equipment.standing, paid=centre.equipment.paid),
            ),
        )
        for centre, stake, share in zip(centres, stakes, solution.shares, strict=True)
    )
    return Budget(
        envelope=envelope,
        operating=envelope,
        lines=lines,
        stakes=tuple(stakes),
        solution=solution,
        step=step,
        flags=("below_legal_minimum",) if solution.case == "below_legal_minimum" else (),
        provenance=_weaker(norms.provenance, policy.provenance),
        norms=norms.id,
        policy=policy.id,
    )


def _unpayable(wanted: Sequence[Stake], legal: Sequence[Stake], operating: int) -> bool:
    """Whether the province grants more than the law and cannot pay that to all.

    Then the law's minima are the floors and its own norms only bounds, so that what a province grants above the law is
    never paid with another centre's legal minimum.
    """
    floors = sum(stake.floor for stake in wanted)
    return operating < floors and floors > sum(stake.floor for stake in legal)


def _weaker(*marks: Provenance) -> Provenance:
    return max(marks, key=list(Provenance).index)


def _published(centre: Centre) -> Literal["scored", "awaited", "pending", "not_submitted"]:
    return "not_submitted" if centre.assessment == "not_due" else centre.assessment


def bound_flags(amount: int, stake: Stake, *, norms_relaxed: bool) -> list[str]:
    """What an amount says of its bounds."""
    flags = []
    if amount < stake.floor:
        flags.append("below_legal_minimum")
    elif amount < stake.lower:
        flags.append("provincial_norm_relaxed" if norms_relaxed else "hold_harmless_relaxed")
    if stake.upper is not None and amount > stake.upper:
        flags.append("caps_relaxed")
    return flags


def at_amount(line: Allocation, amount: int, exact: Fraction, stake: Stake, *, norms_relaxed: bool) -> Allocation:
    """A line with another amount, as it stands to the bounds of its stake then."""
    others = [flag for flag in line.flags if flag not in _OF_BOUNDS]
    basis = line.basis and line.basis.model_copy(update={"norms_relaxed": norms_relaxed})
    told = {
        "amount": amount,
        "exact": str(exact),
        "floor": stake.floor,
        "lower": stake.lower,
        "upper": stake.upper,
        "binds": binds(stake, exact),
        "flags": [*bound_flags(amount, stake, norms_relaxed=norms_relaxed), *others],
        "basis": basis,
    }
    return line.model_copy(update=told)


def _line(
    centre: Centre,
    factors: Factors,
    stake: Stake,
    share: Share,
    baseless: bool,
    *,
    policy: FundingPolicy,
    cap: int | None,
    norms_relaxed: bool,
) -> Allocation:
    flags = bound_flags(share.amount, stake, norms_relaxed=norms_relaxed)
    if centre.assessment in ("awaited", "pending", "not_due"):
        flags.append(centre.assessment)
    if centre.unknown:
        flags.append(LAST_YEAR_UNKNOWN)
    elif baseless and policy.without_base is not None:
        flags.append(WITHOUT_BASE)
    grade = counted(centre, policy)
    return Allocation(
        centre_id=centre.centre_id,
        name=centre.name,
        commune_code=centre.commune_code,
        amount=share.amount,
        floor=stake.floor,
        lower=stake.lower,
        upper=stake.upper,
        last_year=last_year_of(centre, policy),
        performance_factor=str(factors.performance),
        equity_factor=str(factors.equity),
        size_factor=str(factors.size),
        months=centre.months,
        weight=str(stake.weight),
        grade=grade.id if grade else None,
        score=None if grade is None or grade.score is None else grade.score,
        assessment=_published(centre),
        awaited_until=centre.waits_until,
        result_version=centre.result_version,
        binds=share.binds,
        exact=str(share.exact),
        flags=flags,
        basis=_basis(centre, grade, cap if baseless else None, norms_relaxed=norms_relaxed),
    )


def _basis(centre: Centre, grade: Grade | None, cap: int | None, *, norms_relaxed: bool) -> Basis:
    since, lineage = centre.succession, centre.lineage
    return Basis(
        area_class=centre.area_class,
        population_served=centre.population_served,
        graded=grade and GradeCounted(rubric=grade.rubric, period=grade.period, decision_number=grade.decision),
        last_months=centre.last_months,
        lineage=lineage
        and SupportLineage(
            year=lineage.year,
            last=_on_record(lineage.last),
            before=lineage.before and _on_record(lineage.before),
            since=lineage.since,
        ),
        succession=since and SupportSuccession(year=since.year, own=since.own, parts=_parts(since.parts)),
        unknown=centre.unknown,
        cap=cap,
        norms_relaxed=norms_relaxed,
    )


def _on_record(record: Record) -> SupportOnRecord:
    return SupportOnRecord(year=record.year, own=record.own, parts=_parts(record.parts))


def _parts(parts: Iterable[Part]) -> tuple[TakenOver, ...]:
    return tuple(TakenOver.model_validate(part, from_attributes=True) for part in parts)


def head_of(
    budget: Budget,
    *,
    province: str,
    year: int,
    version: int,
    proposed_at: datetime,
    rules: tuple[RuleRef, ...] = (),
) -> BudgetRunProposed:
    """The published proof of a budget. Its hash is over `[[centre id, amount], …]` in order of centre id.

    `rules`: by which it was computed (`grounds.references`).
    """
    flagged = Counter(flag for line in budget.lines for flag in line.flags)
    missing = sum(line.assessment == "not_submitted" for line in budget.lines)
    return BudgetRunProposed(
        province=province,
        year=year,
        version=version,
        envelope=budget.envelope,
        carried=sum(charge.paid for charge in budget.charges),
        equipment=sum(line.amount for line in budget.equipment.lines) if budget.equipment else 0,
        allocated=budget.operating - budget.reserve,
        reserve=budget.reserve,
        floors=sum(stake.floor for stake in budget.stakes),
        grants=len(budget.equipment.lines) if budget.equipment else 0,
        centres=len(budget.lines),
        case=budget.case,
        lambda_=None if budget.lambda_ is None else str(budget.lambda_),
        theta=None if budget.theta is None else str(budget.theta),
        flags=list(budget.flags),
        awaited=flagged["awaited"],
        pending=flagged["pending"],
        not_submitted=missing - flagged["not_due"],
        without_base=flagged[WITHOUT_BASE],
        last_year_unknown=[line.centre_id for line in budget.lines if LAST_YEAR_UNKNOWN in line.flags],
        equipment_not_recorded=budget.equipment_not_recorded,
        hash=content_hash([[line.centre_id, line.amount] for line in budget.lines]),
        rules=rules,
        proposed_at=proposed_at,
        provenance=budget.provenance,
    )


def withdrawn(line: Allocation, departure: Departure) -> Allocation:
    """The closing line of a centre that no longer takes part: 0 đồng and the reason, so that no old amount stays."""
    return line.model_copy(
        update={
            "amount": 0,
            "floor": 0,
            "lower": 0,
            "upper": None,
            "awaited_until": None,
            "weight": "0",
            "binds": "none",
            "exact": "0",
            "flags": [WITHDRAWN],
            "basis": None,
            "departure": departure,
            "correction": None,
            "told": (),
        }
    )
