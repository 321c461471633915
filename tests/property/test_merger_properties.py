"""Mergers of any parts on any day: each is found, by nothing but the day and the kinds; differences add up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.mergers import difference
from services.scoring.domain.reports import judge_report
from shared.contracts.facts import MergerFinding
from shared.contracts.submissions import CountTarget, DayTarget, MetTarget, PartsTarget, TargetsContent, TargetValue
from shared.rulebook import check_content, rubric
from shared.rulebook.reports import ReportRubric

_rule = rubric("centre_mergers_39_2015")
assert isinstance(_rule, ReportRubric)
assert _rule.merger is not None
RULE, RULES = _rule, _rule.merger
FIRST, LAST = date(2014, 1, 1), date(2027, 12, 31)
EDGES = sorted({day for one in RULES.rules for day in (one.since, one.until) if day is not None})
DAYS = st.one_of(st.dates(FIRST, LAST), st.sampled_from(EDGES), st.sampled_from([day - timedelta(1) for day in EDGES]))
COUNTS = st.fixed_dictionaries({id: st.sampled_from([0, 0, 1, 2]) for id in RULES.parts}).filter(
    lambda counts: sum(counts.values()) > 1
)


def merger(day: date, counts: Mapping[str, int], **more: TargetValue) -> TargetsContent:
    """A merger with a whole scheme that was not carried out."""
    whole = PartsTarget(parts={"staffing": True, "premises": True, "settlement": True})
    given: dict[str, TargetValue] = {id: CountTarget(count=count) for id, count in counts.items()}
    return TargetsContent(targets=given | {"DX1": DayTarget(day=day), "DK1": whole, "TH1": MetTarget(met=False)} | more)


@given(DAYS, COUNTS)
def test_every_merger_is_found_and_says_why(day: date, counts: dict[str, int]) -> None:
    content = merger(day, counts)
    assert check_content(RULE, content) == ([], [])
    found = judge_report(RULE, content, day.year)
    assert found.missing == []
    assert found.finding in get_args(MergerFinding)
    assert all(step.citation and step.what.vi and step.what.en for step in (*found.steps, *found.notes))


@given(DAYS, COUNTS, st.integers(1, 200_000_000), st.integers(0, 3))
def test_neither_how_many_of_a_kind_nor_the_period_changes_what_is_found(
    day: date, counts: dict[str, int], times: int, later: int
) -> None:
    many = {id: min(count * times, 200_000_000) for id, count in counts.items()}
    found = judge_report(RULE, merger(day, counts), day.year)
    assert judge_report(RULE, merger(day, many), day.year + later).finding == found.finding


@given(COUNTS)
def test_a_finding_changes_only_on_the_days_that_the_rules_name(counts: dict[str, int]) -> None:
    for start, end in pairwise([FIRST, *EDGES, LAST]):
        days = (start, start + (end - start) // 2, end - timedelta(1))
        assert len({judge_report(RULE, merger(day, counts), day.year).finding for day in days}) == 1


@given(DAYS, COUNTS, st.sampled_from(["DX1", *RULES.parts]))
def test_without_the_day_or_a_kind_nothing_is_found(day: date, counts: dict[str, int], lost: str) -> None:
    content = merger(day, counts)
    content.targets.pop(lost)
    found = judge_report(RULE, content, day.year)
    assert (found.finding, found.missing) == (None, [lost])


@given(DAYS, COUNTS)
def test_a_day_after_the_period_is_not_judged_in_it(day: date, counts: dict[str, int]) -> None:
    found = judge_report(RULE, merger(day, counts), day.year - 1)
    assert (found.finding, found.missing) == (None, ["DX1"])


AMOUNTS = st.one_of(st.just(0), st.integers(0, 500), st.integers(0, 10**15))


@given(AMOUNTS, AMOUNTS)
def test_a_difference_leads_from_one_figure_to_the_other(before: int, after: int) -> None:
    said = difference(before, after).en
    if before == after:
        assert said == "unchanged"
        return
    way, _, rest = said.partition(" by ")
    moved = int(rest.split(" ")[0].replace(",", ""))
    assert before + (moved if way == "up" else -moved) == after
    assert ("%" in said) == (before > 0)
    assert difference(after, before).en.startswith("down by" if way == "up" else "up by")
