"""A plan's shares stand beside what was reached, and never in its place; and what forms may say of one another."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.reports import judge_report
from shared.contracts.base import Text
from shared.contracts.facts import Reference
from shared.contracts.submissions import (
    CountTarget,
    DayTarget,
    MoneyTarget,
    Share,
    ShareTarget,
    TargetsContent,
    TargetValue,
)
from shared.rulebook import rubric
from shared.rulebook.errors import RulebookError
from shared.rulebook.references import prove_references
from shared.rulebook.report_doubts import report_doubts
from shared.rulebook.reports import CountField, MoneyField, PlainField, ReportRubric, ShareField, planned

NAME = Text(vi="tên", en="name")
GROUND: dict[str, Any] = {"name": NAME, "provenance": "provisional", "citation": "QĐ 1", "required": False}


def form(id: str) -> ReportRubric:
    """The form of that id."""
    rule = rubric(id)
    assert isinstance(rule, ReportRubric)
    return rule


PROGRESS, PLAN = form("scheme_progress_1373_2021"), form("provincial_plan_1373_2021")


def plan_of(share: str, period: int = 2025) -> Reference:
    """The result of a plan that aims at this share of trained people."""
    return Reference(
        series="provincial_plan",
        subject="04",
        period=period,
        version=1,
        rubric=PLAN.id,
        outcome={planned("trained_15_plus"): share},
        hash="0" * 64,
    )


counts = st.integers(0, 10**6)
shares = st.tuples(counts, counts).map(lambda two: Share(numerator=min(two), denominator=max(two)))


@given(reached=shares, aim=shares)
def test_a_target_is_met_by_whoever_reaches_it_and_changes_no_share(reached: Share, aim: Share) -> None:
    content = TargetsContent(targets={"CS5": ShareTarget(share=reached)})
    alone = judge_report(PROGRESS, content, 2025, "04")
    found = judge_report(
        PROGRESS, content, 2025, "04", [plan_of("1/1", 2024), plan_of(f"{aim.numerator}/{aim.denominator}")]
    )
    assert found.shares == alone.shares
    (one,) = (one for one in found.criteria if one.id == "CS5")
    (without,) = (one for one in alone.criteria if one.id == "CS5")
    own = {goal: met for goal, met in one.met.items() if goal not in without.met}
    if not aim.numerator:  # a plan of nothing is no target
        assert own == {}
    elif not reached.denominator:
        assert own == {"plan_trained_15_plus": True}
    else:
        least = Fraction(aim.numerator, aim.denominator)
        assert own == {"plan_trained_15_plus": Fraction(reached.numerator, reached.denominator) >= least}


def test_every_share_that_a_report_tells_can_be_planned() -> None:
    assert {use.outcome for use in PROGRESS.uses} <= set(PLAN.outcomes)
    assert {use.series for use in PROGRESS.uses} == {"provincial_plan"}
    assert not set(PLAN.outcomes) & set(PROGRESS.outcomes)


def test_a_share_that_no_plan_can_name_is_no_rule() -> None:
    odd = ShareField(id="CS99", metric="nobody_plans_it", counted=NAME, **GROUND)
    wider = PROGRESS.model_copy(update={"fields": [*PROGRESS.fields, odd]})
    with pytest.raises(RulebookError, match="planned_nobody_plans_it"):
        prove_references([PLAN, wider])
    prove_references([wider])  # no plan in those days: nothing to compare with, and no fault of the file


@pytest.mark.parametrize("other", ["A1", "C1", "B9"])
def test_a_count_is_out_of_another_count(other: str) -> None:
    fields = [
        PlainField(id="A1", type="boolean", **GROUND),
        CountField(id="B1", type="count", counted=NAME, out_of=other, **GROUND),
        MoneyField(id="C1", type="money", **GROUND),
    ]
    with pytest.raises(ValueError, match=other):
        ReportRubric.model_validate({**dict(PLAN), "fields": fields})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"KT1": CountTarget(count=3), "KT2": CountTarget(count=3)}, []),
        ({"KT1": CountTarget(count=3), "KT2": CountTarget(count=4)}, ["more_than_there_are KT2/count"]),
        ({"KT2": CountTarget(count=4)}, []),
        ({"KP1": MoneyTarget(amount=3), "KP2": MoneyTarget(amount=4)}, ["more_than_there_are KP2/amount"]),
        ({"KH3": DayTarget(day=date(2024, 12, 31))}, []),
        ({"KH3": DayTarget(day=date(2025, 12, 31))}, []),
        ({"KH3": DayTarget(day=date(2026, 1, 1))}, ["day_after_year KH3/day"]),
    ],
)
def test_what_is_hardly_true_of_inspections(values: dict[str, TargetValue], told: list[str]) -> None:
    found = report_doubts(form("inspections_1373_2021"), TargetsContent(targets=values), 2025)
    assert [f"{one.code} {one.field.removeprefix('/content/targets/')}" for one in found] == told


@pytest.mark.parametrize(("day", "told"), [("2024-12-31", 1), ("2025-01-01", 0), ("2025-12-31", 0), ("2026-01-01", 1)])
def test_a_last_meeting_is_in_its_year(day: str, told: int) -> None:
    content = TargetsContent(targets={"HD3": DayTarget(day=date.fromisoformat(day))})
    found = [*report_doubts(form("steering_committee_commune_822_2013"), content, 2025)]
    assert [one.code for one in found] == ["day_not_in_year"] * told
