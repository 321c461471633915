"""How far a goal is reached: exact, never counted twice, whichever fact comes first."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.attainment import attained, path, share_of, together
from shared.contracts.facts import Counted
from shared.rulebook.goals import Goal, goals

GOALS = st.sampled_from(goals())
BASES = st.none() | st.fractions(min_value=0, max_value=1, max_denominator=1000)
ORDER = ["unknown", "behind", "not_met", "on_path", "met"]


@st.composite
def counts(draw: st.DrawFn) -> Counted:
    whole = draw(st.integers(0, 10**6))
    return Counted(
        numerator=draw(st.integers(0, whole)), denominator=whole, reported=1, of=draw(st.none() | st.just(1))
    )


@st.composite
def years(draw: st.DrawFn) -> tuple[Goal, int]:
    goal = draw(GOALS)
    return goal, draw(st.integers(goal.since, goal.year))


@given(st.lists(counts(), max_size=6), st.randoms(use_true_random=False), st.integers(0, 6))
def test_a_sum_is_the_same_in_any_order_and_by_any_parts(parts: list[Counted], mixed: object, cut: int) -> None:
    other = sorted(parts, key=lambda each: mixed.random())  # type: ignore[attr-defined]
    assert together(parts) == together(other) == together([together(parts[:cut]), together(parts[cut:])])
    assert together(parts).numerator == sum(each.numerator for each in parts)


@given(years(), BASES)
def test_a_path_rises_by_the_same_step_and_ends_at_the_goal(at: tuple[Goal, int], base: Fraction | None) -> None:
    goal, _ = at
    steps = [path(goal, base, year) for year in range(goal.since - 1, goal.year + 1)]
    if base is None:
        assert set(steps) == {None}
        return
    known = [step for step in steps if step is not None]
    assert known[-1] == goal.value
    assert len({after - before for before, after in pairwise(known)}) <= 1
    assert known == sorted(known)
    assert known[0] == min(base, goal.value)


@given(years(), BASES, counts())
def test_what_is_needed_is_enough_and_one_less_is_not(
    at: tuple[Goal, int], base: Fraction | None, count: Counted
) -> None:
    goal, period = at
    told = attained(goal, count, base, period)
    share = share_of(count)
    if share is None:
        assert (told.standing, told.reason, told.needed_for_goal) == ("unknown", "nobody", None)
        return
    assert told.to_goal is not None
    assert Fraction(told.to_goal) == share - goal.value
    for needed, wanted in ((told.needed_for_goal, goal.value), (told.needed_for_path, path(goal, base, period))):
        if needed is None or wanted is None:
            assert base is None
            continue
        assert Fraction(count.numerator + needed, count.denominator) >= wanted
        assert needed == 0 or Fraction(count.numerator + needed - 1, count.denominator) < wanted
    assert (told.standing == "met") == (told.needed_for_goal == 0)


@given(years(), BASES, counts(), st.integers(0, 10**6))
def test_more_reached_never_stands_lower(
    at: tuple[Goal, int], base: Fraction | None, count: Counted, more: int
) -> None:
    goal, period = at
    above = count.model_copy(update={"numerator": min(count.denominator, count.numerator + more)})
    before, after = (attained(goal, each, base, period).standing for each in (count, above))
    assert ORDER.index(after) >= ORDER.index(before)


@given(years(), BASES)
def test_what_nobody_reported_is_unknown_and_not_zero(at: tuple[Goal, int], base: Fraction | None) -> None:
    told = attained(at[0], None, base, at[1])
    assert (told.standing, told.reason, told.count, told.needed_for_goal) == ("unknown", "not_reported", None, None)
