"""Standards for any shares: monotone, independent of order, and never changed by what was missing."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.judging import Judgement
from services.scoring.domain.standards import judge_standards
from shared.contracts.submissions import TargetsContent
from shared.rulebook import rubric
from shared.rulebook.standards import StandardLevel, StandardsRubric

_rule = rubric("pcgd_xmc_20_2014")
assert isinstance(_rule, StandardsRubric)
RULE = _rule
PERIOD, CUT_OFF = 2025, date(2025, 12, 31)
IDS = [measure.id for measure in RULE.measures]


@st.composite
def one_share(draw: st.DrawFn) -> dict[str, Any]:
    """A share of people of any size, mostly near the thresholds, so that every level occurs."""
    denominator = draw(st.one_of(st.integers(1, 200_000_000), st.just(0)))
    near = st.sampled_from([Fraction(percent, 100) for percent in (60, 70, 80, 85, 90, 95, 98, 100)])
    numerator = draw(
        st.one_of(
            st.just(denominator),
            st.integers(0, denominator),
            near.map(lambda share: int(share * denominator)),
        )
    )
    evidence = draw(st.sampled_from([["biên bản"]] * 9 + [[]]))
    return {"type": "share", "share": {"numerator": numerator, "denominator": denominator}, "evidence": evidence}


contents = st.fixed_dictionaries({id: one_share() for id in IDS})


def _judge(targets: dict[str, Any], basis: str | None = None) -> Judgement:
    area = {"specially_difficult": basis is not None, "specially_difficult_basis": basis}
    return judge_standards(RULE, TargetsContent.model_validate({"targets": targets, **area}), PERIOD)


basis = st.sampled_from([None, "QĐ 861/QĐ-TTg"])


@given(contents, basis, st.sampled_from(IDS), st.data())
def test_one_more_person_or_evidence_never_hurts(
    content: dict[str, Any], basis: str | None, id: str, data: st.DataObject
) -> None:
    share = content[id]["share"]
    more = data.draw(st.integers(share["numerator"], share["denominator"]))
    better = {"type": "share", "share": share | {"numerator": more}, "evidence": ["biên bản"]}
    before, after = _judge(content, basis), _judge(content | {id: better}, basis)
    assert before.standards.keys() == after.standards.keys() == {one.id for one in RULE.standards}
    assert all(after.standards[standard] >= level for standard, level in before.standards.items())


@given(contents, basis, st.randoms(use_true_random=False))
def test_the_order_of_shares_does_not_matter(
    content: dict[str, Any], basis: str | None, shuffle: random.Random
) -> None:
    ids = list(content)
    shuffle.shuffle(ids)
    assert _judge(content, basis) == _judge({id: content[id] for id in ids}, basis)


@given(contents, basis, st.sets(st.sampled_from(IDS), min_size=1))
def test_what_was_computed_without_a_share_stands_when_it_arrives(
    content: dict[str, Any], basis: str | None, gone: set[str]
) -> None:
    partly = _judge({id: value for id, value in content.items() if id not in gone}, basis)
    fully = _judge(content, basis)
    assert set(partly.missing) <= gone
    assert bool(partly.missing) == (len(partly.standards) < len(RULE.standards))
    assert partly.standards.items() <= fully.standards.items()


@given(contents, basis)
def test_a_level_means_all_its_conditions_and_all_it_requires(content: dict[str, Any], basis: str | None) -> None:
    levels = _judge(content, basis).standards

    def holds(level: StandardLevel) -> bool:
        return all(
            content[minimum.share]["evidence"]
            and content[minimum.share]["share"]["numerator"]
            >= minimum.min * content[minimum.share]["share"]["denominator"]
            for minimum in (
                condition.required(basis is not None)
                for condition in RULE.standard(level.standard).conditions(level.level, CUT_OFF)
            )
        ) and all(levels[one.standard] >= one.level for one in RULE.level(level).requires)

    for standard in RULE.standards:
        reached = levels[standard.id]
        every = [StandardLevel(standard.id, number) for number in range(1, len(standard.levels) + 1)]
        assert all(holds(level) for level in every[:reached])
        assert not any(holds(level) for level in every[reached:])


@given(contents)
def test_a_specially_difficult_commune_never_reaches_less(content: dict[str, Any]) -> None:
    """Preschool and primary, where both kinds of commune count the same children."""
    ordinary, special = _judge(content), _judge(content, "QĐ 861/QĐ-TTg")
    for standard in ("preschool_5", "primary"):
        assert special.standards[standard] >= ordinary.standards[standard]
