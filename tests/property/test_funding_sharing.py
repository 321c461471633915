"""What must hold for every way of sharing an envelope, whatever the centres, the money and the policy."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.funding.domain import Solution, Stake, bounds, solve

STEPS = st.sampled_from([1, 7, 1000])
WEIGHTS = st.one_of(
    st.sampled_from([Fraction(0), Fraction(1)]),
    st.fractions(min_value=0, max_value=3, max_denominator=60),
)


@st.composite
def provinces(draw: st.DrawFn) -> tuple[list[Stake], int, int, bool]:
    """Stakes, envelope, rounding step and whether caps may be relaxed; all five cases come up."""
    step = draw(STEPS)
    stakes = []
    for key in draw(st.lists(st.text("abc/1", min_size=1, max_size=3), max_size=9, unique=True)):
        floor = draw(st.sampled_from([0, 20, 25, 31])) * step
        lower, upper = bounds(
            floor,
            draw(st.none() | st.integers(0, 60 * step)),
            held=draw(st.booleans()),
            rise=draw(st.sampled_from([Fraction(0), Fraction(1, 4), Fraction(1, 3)])),
            fall=draw(st.sampled_from([Fraction(0), Fraction(3, 20), Fraction(1)])),
            step=step,
        )
        stakes.append(Stake(key, floor, lower, upper, draw(WEIGHTS)))
    top = sum(stake.upper or 2 * stake.lower + 50 * step for stake in stakes) + 20 * step
    near = [0, *(total for total in (floors(stakes), lowers(stakes), top) for total in (total - 1, total, total + 1))]
    envelope = draw(st.integers(0, top) | st.sampled_from([max(0, total) for total in near]))
    return stakes, envelope, step, draw(st.booleans())


def floors(stakes: list[Stake]) -> int:
    return sum(stake.floor for stake in stakes)


def lowers(stakes: list[Stake]) -> int:
    return sum(stake.lower for stake in stakes)


def by_key(stakes: list[Stake], solution: Solution) -> dict[str, int]:
    return {stake.key: share.amount for stake, share in zip(stakes, solution.shares, strict=True)}


@given(provinces())
def test_the_parts_are_the_whole(province: tuple[list[Stake], int, int, bool]) -> None:
    stakes, envelope, step, relax = province
    solution = solve(stakes, envelope, step=step, relax_caps=relax)
    assert sum(share.amount for share in solution.shares) + solution.reserve == envelope
    assert all(share.amount >= 0 and share.amount % step == 0 for share in solution.shares)
    assert solution.reserve >= envelope % step


@given(provinces())
def test_exact_shares_spend_all_that_is_shared(province: tuple[list[Stake], int, int, bool]) -> None:
    """λ and θ are exact: before any rounding the shares are the envelope, down to its part below one step."""
    stakes, envelope, step, relax = province
    solution = solve(stakes, envelope, step=step, relax_caps=relax)
    exact = sum((share.exact for share in solution.shares), Fraction(0))
    if solution.lambda_ is not None or solution.theta is not None or solution.case == "below_legal_minimum":
        assert exact == envelope - envelope % step
    assert exact + solution.reserve == envelope
    assert all(abs(share.exact - share.amount) < step for share in solution.shares)


@given(provinces())
def test_the_case_follows_from_the_sums(province: tuple[list[Stake], int, int, bool]) -> None:
    stakes, envelope, step, relax = province
    solution = solve(stakes, envelope, step=step, relax_caps=relax)
    available = envelope - envelope % step
    tops = [stake.upper if stake.weight else stake.lower for stake in stakes]
    ceiling = None if None in tops else sum(top for top in tops if top is not None)
    if not stakes:
        assert solution.case == "no_centres"
    elif envelope < floors(stakes):
        assert solution.case == "below_legal_minimum"
    elif available < lowers(stakes):
        assert solution.case == "hold_harmless_relaxed"
    elif ceiling is None or available <= ceiling:
        assert solution.case == "performance"
    else:
        assert solution.case == "above_caps"


@given(provinces())
def test_bounds_hold_as_the_case_says(province: tuple[list[Stake], int, int, bool]) -> None:
    stakes, envelope, step, relax = province
    solution = solve(stakes, envelope, step=step, relax_caps=relax)
    for stake, share in zip(stakes, solution.shares, strict=True):
        if envelope >= floors(stakes):
            assert share.amount >= stake.floor
        else:
            assert share.amount <= stake.floor
        if solution.case == "hold_harmless_relaxed":
            assert share.amount <= stake.lower
        if solution.case in ("performance", "above_caps"):
            assert share.amount >= stake.lower
            if stake.upper is not None and not solution.caps_relaxed:
                assert share.amount <= stake.upper
            if not stake.weight:
                assert share.amount == stake.lower
        if solution.caps_relaxed:
            assert solution.reserve == envelope % step


@given(provinces())
def test_lambda_is_the_smallest(province: tuple[list[Stake], int, int, bool]) -> None:
    """Every smaller λ pays less: so at λ some centre must just be rising."""
    stakes, envelope, step, relax = province
    solution = solve(stakes, envelope, step=step, relax_caps=relax)
    if not solution.lambda_:
        return
    rising = [
        stake
        for stake in stakes
        if stake.weight
        and stake.floor + solution.lambda_ * stake.weight > stake.lower
        and (
            stake.upper is None or solution.caps_relaxed or stake.floor + solution.lambda_ * stake.weight <= stake.upper
        )
    ]
    assert rising


@given(provinces(), st.randoms(use_true_random=False))
def test_order_does_not_matter(province: tuple[list[Stake], int, int, bool], random: Random) -> None:
    stakes, envelope, step, relax = province
    shuffled = stakes.copy()
    random.shuffle(shuffled)
    one = solve(stakes, envelope, step=step, relax_caps=relax)
    other = solve(shuffled, envelope, step=step, relax_caps=relax)
    assert by_key(stakes, one) == by_key(shuffled, other)
    assert (one.case, one.reserve, one.lambda_, one.theta) == (other.case, other.reserve, other.lambda_, other.theta)


@given(provinces(), st.fractions(min_value=0, max_value=2, max_denominator=20), st.data())
def test_more_weight_never_means_less_money(
    province: tuple[list[Stake], int, int, bool], more: Fraction, data: st.DataObject
) -> None:
    """Of one centre whose grade rises while nothing else changes."""
    stakes, envelope, step, _ = province
    if not stakes:
        return
    i = data.draw(st.integers(0, len(stakes) - 1))
    raised = [replace(s, weight=s.weight + more) if j == i else s for j, s in enumerate(stakes)]
    before, after = solve(stakes, envelope, step=step), solve(raised, envelope, step=step)
    assert after.shares[i].exact >= before.shares[i].exact


@given(provinces())
def test_equal_centres_differ_by_their_weight_only(province: tuple[list[Stake], int, int, bool]) -> None:
    """Of two centres with the same bounds the heavier one never gets less, but for the one step of a tie."""
    stakes, envelope, step, relax = province
    solution = solve(stakes, envelope, step=step, relax_caps=relax)
    pairs = list(zip(stakes, solution.shares, strict=True))
    for a, share_a in pairs:
        for b, share_b in pairs:
            if (a.floor, a.lower, a.upper) == (b.floor, b.lower, b.upper) and a.weight >= b.weight:
                assert share_a.exact >= share_b.exact
                assert share_a.amount >= share_b.amount - (step if share_a.exact == share_b.exact else 0)


@given(provinces(), st.integers(1, 5000))
def test_more_money_never_means_less_for_anyone(province: tuple[list[Stake], int, int, bool], more: int) -> None:
    stakes, envelope, step, relax = province
    before = solve(stakes, envelope, step=step, relax_caps=relax)
    after = solve(stakes, envelope + more, step=step, relax_caps=relax)
    for one, other in zip(before.shares, after.shares, strict=True):
        assert other.exact >= one.exact


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 6 * 10**11))
def test_a_nation_of_centres_is_shared_in_one_go(envelope: int) -> None:
    """10,000 centres with as many different weights and bounds; the test's own time limit is the measure."""
    stakes = [
        Stake(
            f"c{i:05}",
            20_000_000,
            20_000_000 + 997 * (i % 4999),
            30_000_000 + 1009 * (i % 7919),
            Fraction(i % 313, 1 + i % 97),
        )
        for i in range(10_000)
    ]
    solution = solve(stakes, envelope)
    assert sum(share.amount for share in solution.shares) + solution.reserve == envelope
