"""Ten years of a nation's budgets in memory: every centre, every amount explained, corrected, proven and carried on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from random import Random
from typing import get_args

from services.funding.domain import (
    Adjustment,
    Assessment,
    Budget,
    Centre,
    Registered,
    Stake,
    adjust,
    allocate,
    freeze,
    grade_of,
    head_of,
    participants,
    proof_of,
    solve,
    standing,
)
from shared.contracts.submissions import AreaClass
from shared.registry import registry
from shared.rulebook import funding_norms, funding_policy
from tests.bench.ground import Ground
from tests.bench.table import Measured, Row, ratio

LAST_YEAR = 2026
GRADES = [grade_of("clc_2553_2013", id, 2025) for id in ("tot", "kha", "kha", "trung_binh", "yeu")]
HALVINGS = 60


@dataclass
class Province:
    """A made-up province and its history so far."""

    code: str
    random: Random
    register: dict[str, Registered] = field(default_factory=dict)
    areas: dict[str, AreaClass] = field(default_factory=dict)
    supports: dict[tuple[str, int], int] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)
    equipment: dict[str, int] = field(default_factory=dict)

    def add(self, key: str, opened: date, predecessors: tuple[str, ...] = ()) -> None:
        """One more centre."""
        self.register[key] = Registered(key, self.random.randrange(500, 30_000), opened, None, predecessors)
        self.areas[key] = self.random.choice(get_args(AreaClass))

    def pass_year(self, year: int) -> None:
        """Two mergers, a split and a new centre in mid-year."""
        day = date(year, 7, 1)
        standing_now = [key for key, centre in self.register.items() if centre.exists(day)]
        a, b, c, d, e = self.random.sample(standing_now, 5)
        for number, old in enumerate([(a, b), (c, d), (e,), (e,), ()]):
            for key in old:
                gone = self.register[key]
                self.register[key] = Registered(key, gone.population_served, gone.opened_on, day, gone.predecessors)
            self.add(f"{self.code}-{year}-{number}", day, old)

    def centres(self, year: int) -> list[Centre]:
        """Who takes part, with a result for nine in ten."""
        policy = funding_policy(date(year, 1, 1))
        found = participants(self.register.values(), year, policy, self.supports, equipment=self.equipment)
        centres = []
        for key, part in found.items():
            place, graded = self.register[key], self.random.random() < 0.9
            missing: Assessment = "not_due" if place.opened_on.year == year else "not_submitted"
            centres.append(
                Centre(
                    centre_id=key,
                    name=key,
                    commune_code="00004",
                    area_class=self.areas[key],
                    population_served=place.population_served,
                    last_year=part.last_year,
                    assessment="scored" if graded else missing,
                    grade=self.random.choice(GRADES) if graded else None,
                    months=part.months,
                    last_months=part.last_months,
                    succession=part.succession,
                    equipment=part.equipment,
                )
            )
        return centres


def run(ground: Ground) -> Measured:
    """Measure in this process."""
    years = range(LAST_YEAR + 1 - ground.sizes.years, LAST_YEAR + 1)
    provinces = [
        Province(province.code, Random(f"{province.code}/1")) for province in registry().provinces(date(2026, 1, 1))
    ]
    for province in provinces:
        for number in range(ground.sizes.centres):
            province.add(f"{province.code}-{number:04}", date(2010, 1, 1))
    budgets: list[Budget] = []
    lines = corrections = 0
    started = time.perf_counter()
    for year in years:
        budgets = [budget_of(province, year) for province in provinces]
        corrections += sum(live_through(*each, year) for each in zip(provinces, budgets, strict=True))
        lines += sum(len(budget.lines) for budget in budgets)
    whole = time.perf_counter() - started

    solving = measured(budgets, exact=True)
    naive = measured(budgets, exact=False)
    centres = sum(len(budget.lines) for budget in budgets)
    return Measured(
        [
            Row(
                f"{len(years)} years of {len(provinces)} provinces, {centres:,} centres at the end: {lines:,} amounts, "
                f"{corrections:,} corrections",
                f"{whole:.1f} s",
                f"{whole / len(years):.1f} s per national year",
            ),
            Row(f"one year's λ by {HALVINGS} halvings, inexact", f"{naive:.2f} s", "baseline"),
            Row("the same year exactly, rounded and checked", f"{solving:.2f} s", ratio(solving, naive)),
        ],
        {"budget_year_s": whole / len(years), "solve_over_halving": solving / naive},
    )


def budget_of(province: Province, year: int) -> Budget:
    """A year's budget: about 12 % above the minima and what is owed."""
    province.pass_year(year)
    norms, policy = funding_norms(date(year, 1, 1)), funding_policy(date(year, 1, 1))
    centres = province.centres(year)
    floors = sum(norms.floor(centre.area_class).amount for centre in centres) + sum(province.carried.values())
    floors += sum(centre.equipment.owed(norms) for centre in centres)
    envelope = floors * province.random.randrange(106, 118) // 100
    budget = allocate(centres, envelope, period=year - 1, norms=norms, policy=policy, carried=province.carried)
    head = head_of(budget, province=province.code, year=year, version=1, proposed_at=datetime(year, 3, 1, tzinfo=UTC))
    if not proof_of(head, budget.lines).holds:
        raise AssertionError(f"{province.code}/{year} does not add up")
    return budget


def live_through(province: Province, budget: Budget, year: int) -> int:
    """Approve the budget, correct one centre in fifty, and carry everything into the next year."""
    frozen = freeze(budget, province=province.code, year=year, run_version=1)
    done: list[Adjustment] = []
    now = standing(frozen)
    for line in frozen.lines[:: province.random.randrange(40, 60)]:
        stake = line.stake
        corrected = Stake(
            stake.key, stake.floor, stake.lower, stake.upper, stake.weight * province.random.choice([0, 1, 2])
        )
        done.append(adjust(frozen, corrected, now))
        now = standing(frozen, done)
    unpaid = {charge.centre_id: charge.due - charge.paid for charge in budget.charges}
    province.supports |= {(key, year): now.support(key) for key in now.paid}
    province.carried = {**unpaid, **{key: unpaid.get(key, 0) + owed for key, owed in now.carried.items()}}
    for grant in budget.equipment.lines if budget.equipment else ():
        province.equipment[grant.centre_id] = province.equipment.get(grant.centre_id, 0) + grant.amount
    return len(done)


def measured(budgets: Sequence[Budget], *, exact: bool) -> float:
    """Seconds for one year's shares of all provinces."""
    started = time.perf_counter()
    for budget in budgets:
        if exact:
            solve(budget.stakes, budget.operating)
        else:
            halved(budget.stakes, budget.operating)
    return time.perf_counter() - started


def halved(stakes: Sequence[Stake], envelope: int) -> list[Fraction]:
    """λ as one would look for it without walking the turns: never exact, so it needs repairs afterwards."""
    low, high = Fraction(0), Fraction(10**9)
    for _ in range(HALVINGS):
        level = (low + high) / 2
        if sum(amount(stake, level) for stake in stakes) < envelope:
            low = level
        else:
            high = level
    return [amount(stake, low) for stake in stakes]


def amount(stake: Stake, level: Fraction) -> Fraction:
    """floor + λ · weight within the bounds."""
    raw = max(stake.floor + level * stake.weight, Fraction(stake.lower))
    return raw if stake.upper is None else min(raw, Fraction(stake.upper))
