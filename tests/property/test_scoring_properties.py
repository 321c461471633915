"""Scoring for any input: monotone, independent of order, and rank keys that are exactly the order of the rule."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain import Recognition, Standing, rank, score_commune
from services.scoring.domain.ranking import _EXPANSION, pass_fail_key
from shared.contracts.facts import CommuneScored
from shared.contracts.submissions import PointsContent, TargetsContent
from shared.registry import registry
from shared.rulebook import PassFailRubric, PointsRubric, rubric
from shared.rulebook.rubrics import BooleanRule, LevelRule, PartsRule, SharePairRule, ShareRule
from tests.unit.scoring_samples import commune, recognition

_commune = rubric("lc_commune_44_2014")
_today = rubric("lc_commune_25_2023")
assert isinstance(_commune, PointsRubric)
assert isinstance(_today, PassFailRubric)
POINTS, TODAY = _commune, _today
GRADES = [grade.id for grade in POINTS.grades]
PEOPLE = 200_000_000
RECOGNISED = [Recognition.of(recognition())]


@st.composite
def awarded(draw: st.DrawFn) -> dict[str, Any]:
    """Points of all criteria, halves, some without evidence."""
    return {
        one.id: {
            "points": Decimal(draw(st.integers(0, int(POINTS.maximum(one.id) * 2)))) / 2,
            "evidence": draw(st.sampled_from([["biên bản"], ["biên bản"], ["biên bản"], []])),
        }
        for one in POINTS.criteria
    }


@st.composite
def shares(draw: st.DrawFn) -> dict[str, int]:
    """A share of people of any size; every second one is whole, so that all levels occur."""
    denominator = draw(st.integers(1, PEOPLE))
    numerator = draw(st.one_of(st.just(denominator), st.integers(0, denominator)))
    return {"numerator": numerator, "denominator": denominator}


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    """Values of all targets, mostly good ones so that every level occurs."""
    yes = st.sampled_from([True] * 20 + [False])
    found: dict[str, Any] = {}
    for target in TODAY.targets:
        match target:
            case BooleanRule():
                value: dict[str, Any] = {"type": "boolean", "met": draw(yes)}
            case PartsRule():
                value = {"type": "parts", "parts": {part: draw(yes) for part in target.parts}}
            case LevelRule():
                value = {
                    "type": "level",
                    "level": draw(st.one_of(st.just(target.max_level), st.integers(0, target.max_level))),
                }
            case ShareRule():
                value = {"type": "share", "share": draw(shares())}
            case SharePairRule():
                value = {"type": "share_pair", "trained": draw(shares()), "university": draw(shares())}
        found[target.id] = value | {"evidence": ["biên bản"] if draw(yes) else []}
    return found


def _points(content: dict[str, Any]) -> CommuneScored:
    return score_commune(commune(PointsContent.model_validate({"points": content})), [], 1)


def _targets(content: dict[str, Any], basis: str | None = None) -> CommuneScored:
    claim = {"difficult_area": basis is not None, "difficult_area_basis": basis}
    return score_commune(commune(TargetsContent.model_validate({"targets": content, **claim})), RECOGNISED, 1)


@given(awarded(), st.data())
def test_more_points_or_evidence_never_hurt(content: dict[str, Any], data: st.DataObject) -> None:
    before = _points(content)
    id = data.draw(st.sampled_from(sorted(content)))
    better = Decimal(data.draw(st.integers(int(content[id]["points"] * 2), int(POINTS.maximum(id) * 2)))) / 2
    after = _points(content | {id: {"points": better, "evidence": ["biên bản"]}})
    assert before.total is not None
    assert after.total is not None
    assert before.grade is not None
    assert after.grade is not None
    assert after.total >= before.total
    assert GRADES.index(after.grade) >= GRADES.index(before.grade)
    assert (after.rank_key or "") >= (before.rank_key or "")


@given(awarded(), st.randoms(use_true_random=False))
def test_the_order_of_criteria_does_not_matter(content: dict[str, Any], shuffle: random.Random) -> None:
    ids = list(content)
    shuffle.shuffle(ids)
    assert _points(content) == _points({id: content[id] for id in ids})


@given(awarded(), st.data())
def test_a_missing_criterion_is_never_a_grade(content: dict[str, Any], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(sorted(content)), min_size=1))
    scored = _points({id: value for id, value in content.items() if id not in gone})
    assert (scored.state, scored.total, scored.grade, scored.rank_key) == ("incomplete", None, None, None)
    assert set(scored.missing) == gone


@given(values(), st.data())
def test_one_more_person_never_hurts(content: dict[str, Any], data: st.DataObject) -> None:
    share = content["C5.1"]["share"]
    more = data.draw(st.integers(share["numerator"], share["denominator"]))
    before = _targets(content)
    after = _targets(content | {"C5.1": content["C5.1"] | {"share": share | {"numerator": more}}})
    assert before.level is not None
    assert after.level is not None
    assert after.level >= before.level
    assert (after.rank_key or "") >= (before.rank_key or "")


@given(values())
def test_a_difficult_area_never_lowers_the_level(content: dict[str, Any]) -> None:
    ordinary, difficult = _targets(content), _targets(content, "QĐ 861/QĐ-TTg")
    assert ordinary.level is not None
    assert difficult.level is not None
    assert difficult.level >= ordinary.level


@given(values())
def test_a_level_means_every_target_of_it(content: dict[str, Any]) -> None:
    scored = _targets(content)
    assert scored.level is not None
    for level in range(1, scored.level + 1):
        assert all(criterion.met[f"L{level}"] for criterion in scored.criteria)
    assert bool(scored.next_step) == (scored.level < 2)


# ------------------------------------------------------------------------------------------------------ rank keys

counts = st.integers(1, PEOPLE)
large = st.one_of(counts, st.integers(PEOPLE - 3, PEOPLE))


@st.composite
def ratios(draw: st.DrawFn) -> list[Fraction]:
    """Value ÷ own area's level-1 threshold for 5.1, 5.2 trained, 5.2 university."""
    thresholds = draw(
        st.sampled_from(
            [
                (Fraction(60, 100), Fraction(50, 100), Fraction(12, 100)),
                (Fraction(60, 100), Fraction(40, 100), Fraction(10, 100)),
            ]
        )
    )
    found = []
    for threshold in thresholds:
        denominator = draw(large)
        numerator = draw(st.one_of(st.integers(0, denominator), st.just(denominator), st.just(denominator - 1)))
        found.append(Fraction(numerator, denominator) / threshold)
    return found


results = st.tuples(st.integers(0, 2), st.integers(0, 15), st.integers(0, 15), ratios())
same_counts = st.tuples(st.just(1), st.just(15), st.just(3), ratios())


@given(st.one_of(st.tuples(results, results), st.tuples(same_counts, same_counts)))
def test_keys_sort_exactly_as_the_rule(pair: tuple[tuple[int, int, int, list[Fraction]], ...]) -> None:
    (a, b) = ((*one[:3], sum(one[3], Fraction(0)) / 3) for one in pair)
    key_a, key_b = (pass_fail_key(*one) for one in pair)
    assert (key_a < key_b, key_a == key_b) == (a < b, a == b)
    assert len(key_a) == len(key_b)


def test_the_closest_possible_means_get_different_keys() -> None:
    """N/D − M/E = 1/(D·E), the smallest difference two means can have, with the largest coprime denominators."""
    d, e = PEOPLE * (PEOPLE - 1) * (PEOPLE - 3), (PEOPLE - 7) * (PEOPLE - 9) * (PEOPLE - 11)
    assert gcd(d, e) == 1
    n = pow(e, -1, d)
    m = (n * e - 1) // d
    larger, smaller = Fraction(n, d), Fraction(m, e)
    assert larger - smaller == Fraction(1, d * e)
    assert pass_fail_key(1, 15, 3, [larger]) > pass_fail_key(1, 15, 3, [smaller])


def test_the_expansion_is_long_enough_for_the_thresholds_in_force() -> None:
    ratio_denominators = []
    for target in TODAY.targets:
        if isinstance(target, ShareRule):
            ratio_denominators.append(target.thresholds["L1"].numerator)
        if isinstance(target, SharePairRule):
            for difficult in (False, True):
                pair = target.required("L1", difficult)
                ratio_denominators += [pair.trained.numerator, pair.university.numerator]
    constant = 3 * lcm(*ratio_denominators)
    smallest_difference = Fraction(1, constant * (PEOPLE**3) ** 2)
    assert smallest_difference >= Fraction(1, 10**_EXPANSION)


UNITS = registry().units(date(2025, 12, 31), "01")[:12]
BASE = score_commune(commune(PointsContent(points={})), [], 1).model_dump() | {
    "rubric": TODAY.id,
    "point_table": None,
    "missing": [],
}


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcd")), min_size=12, max_size=12), st.randoms())
def test_ranks_agree_with_keys(keys: list[str | None], shuffle: random.Random) -> None:
    standings = {
        unit.unit_id: Standing.model_validate(BASE | {"unit_id": unit.unit_id, "rank_key": key})
        for unit, key in zip(UNITS, keys, strict=True)
    }
    rows = rank(UNITS, standings, TODAY)
    shuffled = list(UNITS)
    shuffle.shuffle(shuffled)
    assert rank(shuffled, standings, TODAY) == rows
    assert len(rows) == len(UNITS), "every unit has exactly one row"
    by_id = {row.unit_id: row for row in rows}
    for unit in UNITS:
        key = standings[unit.unit_id].rank_key
        better = sum(other is not None and key is not None and other > key for other in keys)
        assert by_id[unit.unit_id].rank == (None if key is None else better + 1)
        assert (by_id[unit.unit_id].reason is None) == (key is not None)
