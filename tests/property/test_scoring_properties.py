"""Scoring for any input: monotone, independent of order, and rank keys that are exactly the order of the rule."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain import Standing, rank, score_commune
from services.scoring.domain.judging import Judgement
from services.scoring.domain.ranking import _EXPANSION, pass_fail_key
from services.scoring.domain.targets import judge_targets
from shared.contracts.explained import CommuneExplained
from shared.contracts.facts import RecognisedCounts, Recognition, Reference
from shared.contracts.submissions import AwardedPoints, PointsContent, TargetsContent
from shared.registry import registry
from shared.rulebook import PassFailRubric, PointsRubric, rubric
from shared.rulebook.targets import (
    LEVELS,
    BooleanRule,
    ChangeRule,
    CountRule,
    LevelRule,
    PartsRule,
    RecognisedShareRule,
    SharePairRule,
    ShareRule,
)
from tests.unit.scoring_samples import commune, recognition, targets

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
    """A share of people of any size, now and then of nobody; every second one is whole, so that all levels occur."""
    denominator = draw(st.one_of(st.integers(1, PEOPLE), st.integers(0, PEOPLE), st.just(0)))
    numerator = draw(st.one_of(st.just(denominator), st.integers(0, denominator)))
    return {"numerator": numerator, "denominator": denominator}


@st.composite
def values(draw: st.DrawFn, rule: PassFailRubric = TODAY) -> dict[str, Any]:
    """Values of all targets that are sent, mostly good ones so that every level occurs."""
    yes = st.sampled_from([True] * 20 + [False])
    found: dict[str, Any] = {}
    for target in rule.targets:
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
            case CountRule():
                value = {"type": "count", "count": draw(st.one_of(st.just(4), st.integers(0, 10)))}
            case ChangeRule():
                year = st.decimals(0, 100, places=2)
                value = {"type": "change", "previous": draw(year), "current": draw(year)}
            case RecognisedShareRule():
                continue
        found[target.id] = value | {"evidence": ["biên bản"] if draw(yes) else []}
    return found


def _points(content: dict[str, Any]) -> CommuneExplained:
    return score_commune(commune(PointsContent.model_validate({"points": content})), [], (), 1)


def _targets(content: dict[str, Any], basis: str | None = None) -> CommuneExplained:
    claim = {"difficult_area": basis is not None, "difficult_area_basis": basis}
    return score_commune(commune(TargetsContent.model_validate({"targets": content, **claim})), RECOGNISED, (), 1)


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


NOBODY = {"type": "share", "share": {"numerator": 0, "denominator": 0}, "evidence": ["biên bản"]}


@given(values())
def test_nobody_is_met_for_the_level_and_neither_helps_nor_hurts_in_the_ranking(content: dict[str, Any]) -> None:
    """Against the same commune with a met target, only counts and means of the others decide."""
    everybody = {"numerator": 60, "denominator": 100}
    met = _targets(content | {"C5.1": NOBODY | {"share": everybody}})
    empty = _targets(content | {"C5.1": NOBODY})
    target = empty.criteria[4].targets[0]
    assert (target.applicable, target.met, target.value) == (False, {"L1": True, "L2": True}, "0/0")
    assert met.level is not None
    assert empty.level is not None
    assert min(empty.level, 1) == min(met.level, 1)  # at level 2 the other one lacks 20 of 100
    others = [one for criterion in empty.criteria for one in criterion.targets if one.applicable]
    assert empty.rank_key is not None
    share = Fraction(sum(one.met["L1"] is True for one in others), len(others)) * 15
    assert empty.rank_key.split(".")[1].partition("~")[0] == f"{int(share):02d}"
    assert ("~" in empty.rank_key.split(".")[1]) == (share.denominator > 1)


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


# ----------------------------------------------------------------------------- every pass/fail rubric, and references

_province, _unit = rubric("lc_province_25_2023"), rubric("lu_unit_24_2023")
assert isinstance(_province, PassFailRubric)
assert isinstance(_unit, PassFailRubric)
PROVINCE, UNIT = _province, _unit
assert UNIT.traits is not None
kinds = st.tuples(*(st.sampled_from(sorted(group)) for group in UNIT.traits.groups))
RECOGNISED_LONG_AGO = [Recognition.of(recognition(decided_on=date(2023, 1, 1)))]
DISTRICTS = RecognisedCounts("districts", 10, {f"{number:03d}": 2 for number in range(9)})


def _judged(rule: PassFailRubric, content: dict[str, Any], traits: Sequence[str] = ()) -> Judgement:
    whole = TargetsContent.model_validate({"targets": content, "traits": list(traits)})
    return judge_targets(rule, whole, 2024, RECOGNISED_LONG_AGO, (), DISTRICTS)


def _better(data: st.DataObject, value: dict[str, Any], rule: object) -> dict[str, Any]:
    """The same value or a better one, with evidence."""
    match rule, value:
        case _, {"met": met}:
            changed = {"met": met or data.draw(st.booleans())}
        case LevelRule(max_level=most), {"level": level}:
            changed = {"level": data.draw(st.integers(level, most))}
        case _, {"count": count}:
            changed = {"count": data.draw(st.integers(count, 20))}
        case _, {"share": one}:
            more = data.draw(st.integers(one["numerator"], one["denominator"]))
            changed = {"share": one | {"numerator": more}}
        case ChangeRule(direction=direction), {"current": current}:
            step = data.draw(st.decimals(0, 10, places=2))
            changed = {"current": current + step if direction == "increase" else max(Decimal(0), current - step)}
        case _:
            changed = {}
    return value | changed | {"evidence": ["biên bản"]}


@given(
    st.one_of(st.tuples(st.just(PROVINCE), values(PROVINCE)), st.tuples(st.just(UNIT), values(UNIT))), kinds, st.data()
)
def test_a_better_value_never_hurts(
    case: tuple[PassFailRubric, dict[str, Any]], kind: tuple[str, ...], data: st.DataObject
) -> None:
    rule, content = case
    traits = kind if rule is UNIT else ()
    target = data.draw(st.sampled_from([one for one in rule.targets if one.id in content]))
    before = _judged(rule, content, traits)
    after = _judged(rule, content | {target.id: _better(data, content[target.id], target)}, traits)
    assert before.level is not None
    assert after.level is not None
    assert after.level >= before.level


@given(values(UNIT), kinds, st.data())
def test_a_target_is_missing_exactly_where_it_holds(
    content: dict[str, Any], kind: tuple[str, ...], data: st.DataObject
) -> None:
    """A7: what was not sent makes the result incomplete, unless the rule does not ask it of such a unit."""
    gone = data.draw(st.sets(st.sampled_from(sorted(content)), min_size=1))
    judged = _judged(UNIT, {id: value for id, value in content.items() if id not in gone}, kind)
    asked = {one.id for one in UNIT.targets if any(one.holds(level, kind) for level in LEVELS)}
    assert set(judged.missing) == gone & asked
    assert (judged.level is None) == bool(gone & asked)


@given(values(), st.randoms(use_true_random=False))
def test_the_order_of_targets_changes_no_byte(content: dict[str, Any], shuffle: random.Random) -> None:
    """E4: same input, same hash, in whatever order it is written."""
    ids = list(content)
    shuffle.shuffle(ids)
    one, other = _targets(content), _targets({id: content[id] for id in ids})
    assert one.model_dump_json() == other.model_dump_json()
    assert one.hash == other.hash


@given(st.integers(1, PEOPLE), st.data())
def test_a_share_is_met_exactly_from_its_threshold_on(denominator: int, data: st.DataObject) -> None:
    """E5: in whole numbers, 100 · n ≥ 60 · d; no rounding on either side."""
    edge = -(-60 * denominator // 100)
    numerator = min(denominator, max(0, edge + data.draw(st.integers(-2, 2))))
    content = {"type": "share", "share": {"numerator": numerator, "denominator": denominator}, "evidence": ["biểu"]}
    scored = score_commune(commune(targets(1, C5_1=content)), [], (), 1)
    assert scored.criteria[4].targets[0].met["L1"] is (100 * numerator >= 60 * denominator)


@given(awarded(), st.lists(st.sampled_from(["tot", "kha", "yeu"]), max_size=3), st.data())
def test_indicators_only_ever_limit_points(content: dict[str, Any], grades: list[str], data: st.DataObject) -> None:
    """More points never hurt under a cap either, and no reference ever adds a point."""
    references = [
        Reference(
            series="centre",
            subject=f"TT-{number}",
            period=2022,
            version=1,
            rubric="clc_2553_2013",
            outcome={"grade": grade},
            hash="0" * 64,
        )
        for number, grade in enumerate(grades)
    ]
    whole = PointsContent.model_validate({"points": content})
    free, capped = (score_commune(commune(whole), [], known, 1) for known in ((), references))
    assert free.total is not None
    assert capped.total is not None
    limited = bool(grades) and "tot" not in grades
    lost = max(Decimal(0), content["TC4"]["points"] - 8) if limited and content["TC4"]["evidence"] else 0
    assert free.total - capped.total == lost
    more = Decimal(data.draw(st.integers(int(content["TC4"]["points"] * 2), 20))) / 2
    better = whole.points | {"TC4": AwardedPoints(points=more, evidence=["biên bản"])}
    after = score_commune(commune(PointsContent(points=better)), [], references, 1)
    assert after.total is not None
    assert after.total >= capped.total


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
BASE = score_commune(commune(PointsContent(points={})), [], (), 1).model_dump() | {
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
