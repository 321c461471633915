"""What must hold for every province: whatever its centres, norms, policy, debts and later corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import product
from operator import attrgetter
from random import Random
from typing import Any, get_args

from hypothesis import assume, given
from hypothesis import strategies as st

from services.funding.domain import (
    NO_EQUIPMENT,
    Adjustment,
    Assessment,
    Budget,
    Centre,
    Equipment,
    Frozen,
    Registered,
    adjust,
    allocate,
    freeze,
    grade_of,
    head_of,
    months_in,
    participants,
    proof_of,
    rerun,
    shared_by_population,
    standing,
)
from services.funding.domain.centres import Lineage, Part, Record, base_of
from shared.contracts.submissions import AreaClass
from shared.rulebook import FundingNorms, FundingPolicy, funding_norms, funding_policy
from shared.rulebook.funding import Proration
from tests.funding_rules import changed

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LAW, SHIPPED = funding_norms(date(2026, 1, 1)), funding_policy(date(2026, 1, 1))
BEFORE = funding_policy(date(2025, 1, 1))
GRADES = {id: grade_of("clc_2553_2013", id, 2025) for id in ("tot", "kha", "trung_binh", "yeu")}
OWN = changed(LAW, {"id": "own", "yearly": {"region_1": {"amount": 24_000_000}, "other": {"amount": 9_000_000}}})
NORMS = st.sampled_from([LAW, OWN.above(LAW)])
MONEY = st.integers(0, 60) | st.integers(0, 60_000_000)
EQUIPMENT = st.just(NO_EQUIPMENT) | st.builds(
    Equipment, st.sampled_from(["none", "due", "rest", "not_recorded"]), st.sampled_from([0, 1, 12_345_678, 30_000_000])
)
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


POLICIES = st.sampled_from(
    [
        changed(
            SHIPPED,
            {
                "rounding": {"step": step},
                "surplus": {"use": surplus},
                "change": change,
                "not_submitted": {"hold_harmless": protected},
                "not_due": {"factor": int(protected)},
            },
        )
        for step, surplus, change, protected in product(
            [1, 1000],
            ["reserve", "relax_caps"],
            [{}, {"rise": 0, "fall": 0}, {"rise": "1/3", "fall": 1}],
            [True, False],
        )
    ]
)


PARTS = st.lists(st.builds(Part, st.just("p"), st.just(0), MONEY, st.integers(0, 12)), max_size=2).map(tuple)
RECORDS = st.builds(Record, st.integers(2023, 2025), st.none() | MONEY, PARTS)
LINEAGES = st.builds(Lineage, st.integers(2022, 2026), RECORDS, st.none() | RECORDS, st.integers(2024, 2026))


@st.composite
def centres(draw: st.DrawFn, key: str) -> Centre:
    assessment = draw(st.sampled_from(get_args(Assessment)))
    graded = assessment == "scored" or (assessment in ("awaited", "pending") and draw(st.booleans()))
    return Centre(
        centre_id=key,
        name=key,
        commune_code="00004",
        area_class=draw(st.sampled_from(get_args(AreaClass))),
        population_served=draw(st.sampled_from([0, 4_999, 8_000, 15_001])),
        last_year=draw(st.none() | MONEY),
        assessment=assessment,
        grade=GRADES[draw(st.sampled_from(sorted(GRADES)))] if graded else None,
        months=draw(st.sampled_from([12, 12, 12, 7, 1])),
        last_months=draw(st.sampled_from([12, 12, 5])),
        lineage=draw(LINEAGES) if draw(st.integers(0, 3)) == 0 else None,
        unknown=("p",) if draw(st.integers(0, 6)) == 0 else (),
        equipment=draw(EQUIPMENT),
    )


Case = tuple[list[Centre], int, FundingNorms, FundingPolicy, dict[str, int]]


@st.composite
def provinces(draw: st.DrawFn) -> Case:
    """Centres, envelope, norms, policy and carried deltas; the envelope is near the edge of a case in many of them."""
    keys = draw(st.lists(st.text("abc/1", min_size=1, max_size=3), max_size=7, unique=True))
    found = [draw(centres(key)) for key in keys]
    norms, rules = draw(NORMS), draw(POLICIES)
    carried = draw(st.dictionaries(st.sampled_from([*keys, "gone"]), MONEY, max_size=2))
    plenty = allocate(found, 10**12, period=2025, norms=norms, policy=rules)
    first = sum(carried.values()) + sum(grant.amount for grant in (plenty.equipment.lines if plenty.equipment else ()))
    edges = [0, sum(carried.values()), first]
    for stakes in (plenty.stakes_when(norms_relaxed=False), plenty.stakes_when(norms_relaxed=True)):
        edges += [first + sum(s.floor for s in stakes), first + sum(s.lower for s in stakes)]
        edges.append(first + sum((s.upper or 2 * s.lower) if s.weight else s.lower for s in stakes))
    near = draw(st.sampled_from(edges)) + draw(st.integers(-2, 2) | st.integers(-20_000_000, 20_000_000))
    return found, max(0, near), norms, rules, carried


def budget_of(case: Case) -> Budget:
    found, envelope, norms, rules, carried = case
    return allocate(found, envelope, period=2025, norms=norms, policy=rules, carried=carried)


def frozen_of(budget: Budget) -> Frozen:
    return Frozen.from_json(freeze(budget, province="04", year=2026, run_version=1).to_json())


@given(provinces())
def test_every_dong_of_the_envelope_is_accounted_for(case: Case) -> None:
    budget = budget_of(case)
    grants = budget.equipment.lines if budget.equipment else ()
    amounts = [line.amount for line in budget.lines] + [line.amount for line in grants]
    assert sum(amounts) + sum(charge.paid for charge in budget.charges) + budget.reserve == case[1]
    assert min(amounts, default=0) >= 0
    assert all(charge.paid <= charge.due for charge in budget.charges)
    assert all(line.amount <= line.floor for line in grants)


@given(provinces())
def test_the_page_of_proof_holds_and_notices_a_single_dong(case: Case) -> None:
    budget = budget_of(case)
    head = head_of(budget, province="04", year=2026, version=1, proposed_at=NOW)
    assert proof_of(head, budget.lines).holds
    assert not proof_of(head.model_copy(update={"reserve": head.reserve + 1}), budget.lines).holds
    if budget.lines:
        more = budget.lines[0].model_copy(update={"amount": budget.lines[0].amount + 1})
        assert not proof_of(head, [more, *budget.lines[1:]]).holds


@given(provinces())
def test_nobody_is_below_the_law_while_the_envelope_allows(case: Case) -> None:
    """The law's minima come before everything but debts and equipment; a province's own norms before performance."""
    budget = budget_of(case)
    law = {stake.key: stake.floor for stake in budget.stakes_when(norms_relaxed=True)}
    own = {stake.key: stake.floor for stake in budget.stakes_when(norms_relaxed=False)}
    for line in budget.lines:
        if budget.operating >= sum(own.values()):
            assert line.amount >= own[line.centre_id]
        elif budget.operating >= sum(law.values()):
            assert law[line.centre_id] <= line.amount <= own[line.centre_id]
        else:
            assert line.amount <= law[line.centre_id]
            assert "below_legal_minimum" in budget.flags


@given(provinces())
def test_caps_and_protection_hold_where_they_must(case: Case) -> None:
    budget = budget_of(case)
    for line in budget.lines:
        if budget.case in ("performance", "above_caps"):
            assert line.amount >= line.lower
            assert line.upper is None or line.amount <= line.upper or "caps_relaxed" in line.flags


@given(provinces())
def test_whoever_lacks_a_base_is_bounded_by_those_who_have_one(case: Case) -> None:
    """And whose last year is unknown has the minimum alone, whatever there is."""
    budget, known = budget_of(case), {centre.centre_id: centre for centre in case[0]}
    peers = [line.upper for line in budget.lines if not {"without_base", "last_year_unknown"}.intersection(line.flags)]
    for line in budget.lines:
        if "last_year_unknown" in line.flags:
            assert line.amount <= line.lower  # a province's own norm that cannot be paid to all is a bound, no floor
        elif "without_base" in line.flags:
            assert not base_of(known[line.centre_id], 2026, case[3])
            bounded = line.amount <= max([line.lower, *(upper for upper in peers if upper is not None)])
            assert bounded or not peers or "caps_relaxed" in line.flags


@given(provinces())
def test_while_a_file_may_come_nobody_falls_further_than_with_a_result(case: Case) -> None:
    budget, rules = budget_of(case), case[3]
    assume(budget.case in ("performance", "above_caps"))
    for centre, line in zip(sorted(case[0], key=attrgetter("centre_id")), budget.lines, strict=True):
        base = base_of(centre, 2026, rules)
        if centre.assessment in ("awaited", "pending") and base is not None:
            assert line.amount >= (1 - rules.change.fall) * base


@given(provinces(), st.randoms(use_true_random=False))
def test_order_does_not_matter(case: Case, random: Random) -> None:
    found, *rest = case
    shuffled = found.copy()
    random.shuffle(shuffled)
    assert budget_of(case) == budget_of((shuffled, *rest))  # type: ignore[arg-type]


@given(provinces(), st.data())
def test_a_better_grade_never_means_less_money(case: Case, data: st.DataObject) -> None:
    found, *rest = case
    graded = [i for i, centre in enumerate(found) if centre.grade and centre.grade.id != "tot"]
    assume(graded)
    i = data.draw(st.sampled_from(graded))
    better = [replace(centre, grade=GRADES["tot"]) if j == i else centre for j, centre in enumerate(found)]
    key = found[i].centre_id
    before, after = budget_of(case), budget_of((better, *rest))  # type: ignore[arg-type]
    assert exact(after, key) >= exact(before, key)


def exact(budget: Budget, key: str) -> Fraction:
    return next(Fraction(line.exact) for line in budget.lines if line.centre_id == key)


# ---------------------------------------------------------------------------------------------------- corrections


def corrected(draw: Any, found: Sequence[Centre]) -> Sequence[Centre]:
    """The province with one centre changed, or with one more."""
    key = draw(st.sampled_from([*(centre.centre_id for centre in found), "new"]))
    return [*(centre for centre in found if centre.centre_id != key), draw(centres(key))]


def stake_of(found: Sequence[Centre], case: Case, frozen: Frozen, key: str) -> Any:
    _, envelope, norms, rules, carried = case
    budget = allocate(found, envelope, period=2025, norms=norms, policy=rules, carried=carried, approved=frozen)
    return next(stake for stake in budget.stakes_when(frozen.norms_relaxed) if stake.key == key)


@given(provinces(), st.data())
def test_adjustments_conserve_money(case: Case, data: st.DataObject) -> None:
    """Whatever comes, paid + reserve is what was approved, nothing owed is negative, and only the one centre moves."""
    frozen = frozen_of(budget_of(case))
    done: list[Adjustment] = []
    for _ in range(data.draw(st.integers(1, 4))):
        found = corrected(data.draw, case[0])
        now = standing(frozen, done)
        one = adjust(frozen, stake_of(found, case, frozen, found[-1].centre_id), now)
        then = standing(frozen, [*done, one])
        assert one.delta == one.from_reserve + one.carried
        assert sum(then.paid.values()) + then.reserve == frozen.operating
        assert then.reserve >= 0
        assert min(then.carried.values(), default=0) >= 0
        moved = {key for key in then.paid if then.paid[key] != now.paid.get(key, 0)}
        assert moved <= {one.centre_id}
        done.append(one)


@given(provinces())
def test_an_adjustment_without_a_change_is_none(case: Case) -> None:
    frozen = frozen_of(budget_of(case))
    now = standing(frozen)
    assert [adjust(frozen, line.stake, now).delta for line in frozen.lines] == [0] * len(frozen.lines)


@given(provinces(), st.data())
def test_a_correction_taken_back_leaves_everybody_as_approved(case: Case, data: st.DataObject) -> None:
    assume(case[0])
    frozen = frozen_of(budget_of(case))
    line = data.draw(st.sampled_from(frozen.lines))
    found = [*(c for c in case[0] if c.centre_id != line.stake.key), data.draw(centres(line.stake.key))]
    there = adjust(frozen, stake_of(found, case, frozen, line.stake.key), standing(frozen))
    back = adjust(frozen, line.stake, standing(frozen, [there]))
    assert there.delta + back.delta == 0
    assert standing(frozen, [there, back]).support(line.stake.key) == line.amount


@given(provinces(), st.data())
def test_a_new_run_ends_where_it_would_have_begun(case: Case, data: st.DataObject) -> None:
    """Amounts after a rerun are those of a run with the corrected inputs; nothing is carried."""
    frozen, rules = frozen_of(budget_of(case)), case[3]
    found = [replace(centre, equipment=NO_EQUIPMENT) for centre in corrected(data.draw, case[0])]
    again = allocate(found, frozen.operating, period=2025, norms=case[2], policy=rules)
    first = adjust(frozen, stake_of(found, case, frozen, found[-1].centre_id), standing(frozen))
    done = [first, *rerun(frozen, again.stakes, standing(frozen, [first]), rules)]
    settled = standing(frozen, done)
    assert settled.reserve == again.reserve
    assert {key: paid for key, paid in settled.paid.items() if paid} == {
        line.centre_id: line.amount for line in again.lines if line.amount
    }
    assert not settled.carried


@given(provinces())
def test_a_frozen_run_survives_its_json(case: Case) -> None:
    frozen = freeze(budget_of(case), province="04", year=2026, run_version=1)
    assert Frozen.from_json(frozen.to_json()) == frozen


# --------------------------------------------------------------------------------------------------- roster


@st.composite
def registers(draw: st.DrawFn) -> list[Registered]:
    keys = ["a", "b", "c", "d", "e"]
    return [
        Registered(
            key,
            draw(st.integers(0, 9_000)),
            draw(DAYS),
            draw(st.none() | DAYS),
            tuple(draw(st.lists(st.sampled_from(keys), max_size=3))),
        )
        for key in keys
    ]


@given(registers(), st.dictionaries(st.tuples(st.sampled_from("abcde"), st.integers(2022, 2027)), MONEY))
def test_nothing_is_taken_over_twice(register: list[Registered], supports: dict[tuple[str, int], int]) -> None:
    """Of a predecessor's support in the year before a change all parts together, its own included, are never more."""
    found = participants(register, 2026, BEFORE, supports)
    for predecessor in "abcde":
        for change in range(2022, 2027):
            parts = [
                part.amount
                for taking in found.values()
                if taking.succession and taking.succession.year == change
                for part in taking.succession.parts
                if part.predecessor == predecessor
            ]
            assert sum(parts) <= supports.get((predecessor, change - 1), 0)


@given(registers(), st.dictionaries(st.tuples(st.sampled_from("abcde"), st.integers(2022, 2026)), MONEY), st.randoms())
def test_of_what_is_on_record_nothing_counts_twice(
    register: list[Registered], supports: dict[tuple[str, int], int], random: Random
) -> None:
    """Through chains and splits, whatever the order of the register."""
    ordered = [
        replace(each, predecessors=tuple(p for p in each.predecessors if p < each.centre_id)) for each in register
    ]
    found = participants(ordered, 2026, SHIPPED, supports)
    random.shuffle(ordered)
    assert participants(ordered, 2026, SHIPPED, supports) == found
    records = [part.lineage.last if part.lineage else Record(2025, part.last_year, ()) for part in found.values()]
    for key in "abcde":
        parts = [part.amount for record in records for part in record.parts if part.predecessor == key]
        own = [record.own or 0 for name, record in zip(found, records, strict=True) if name == key]
        assert sum(parts) + sum(own) <= supports.get((key, 2025), 0)


@given(st.integers(0, 10**12), st.dictionaries(st.text("abc", min_size=1), st.integers(0, 10**6), min_size=1))
def test_a_share_by_population_is_exact(amount: int, populations: dict[str, int]) -> None:
    shared = shared_by_population(amount, populations)
    assert sum(shared.values()) == amount
    total = sum(populations.values())
    if total:
        assert all(abs(shared[key] - Fraction(amount * people, total)) < 1 for key, people in populations.items())


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.sampled_from(["first_day", "last_day"]))
def test_a_month_counts_once_whenever_a_centre_is_replaced(day: date, counts: str) -> None:
    rule = changed(SHIPPED.proration, {"use": "months", "counts": counts})
    assert isinstance(rule, Proration)
    old, new = Registered("a", 1, date(2010, 1, 1), day), Registered("b", 1, day)
    assert months_in(old, 2026, rule) + months_in(new, 2026, rule) == 12
