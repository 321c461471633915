"""What is hardly true of a report on a centre's year, beside its registration, support and the year before. Pure."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable, Iterator, Sequence

from shared.contracts.base import Problem
from shared.contracts.facts import Accepted, AssessmentAccepted, RegistrationAccepted, SupportAccepted
from shared.contracts.submissions import (
    CountTarget,
    DayTarget,
    MoneyTarget,
    TargetsContent,
    TargetValue,
)
from shared.refusals import problem
from shared.rulebook import Plausibility
from shared.rulebook.centre_year import CentreYear
from shared.rulebook.reports import ReportRubric

Values = dict[str, TargetValue]


def year_doubts(
    rubric: ReportRubric, fact: AssessmentAccepted, before: Sequence[Accepted], rule: Plausibility
) -> Iterator[Problem]:
    """All that is hardly true of it; nothing under a rubric that is of no centre's year.

    Args:
        before: what is accepted of the same centre: its registration, the support of the year, the report before.
    """
    year, values = rubric.centre_year, _values(fact)
    if year is None:
        return
    yield from _days(year, fact.period, values, rubric.activity(fact.content))
    for id in year.received.figures:
        if isinstance(sent := values.get(id), MoneyTarget):
            place = f"/content/targets/{id}/amount"
            yield from amount_doubts(sent.amount, rule.least_money.support, rule, place)
    for one in before:
        match one:
            case RegistrationAccepted(population_served=people):
                yield from _attendances(year, values, people)
            case SupportAccepted(amount=amount, purpose="operating", year=paid) if paid == fact.period:
                yield from _received(year, values, amount)
            case AssessmentAccepted(period=period) if period == fact.period - 1:
                yield from _moved(year, values, _values(one), period, rule)


def amount_doubts(amount: int, least: int, rule: Plausibility, place: str = "/amount") -> Iterator[Problem]:
    """An amount that looks like thousands or millions: `amount_too_small`."""
    if 0 < amount < least:
        yield problem(
            "plausible.amount_too_small",
            place,
            amount=amount,
            least=least,
            thousands=amount * 1_000,
            millions=amount * 1_000_000,
            citation=rule.least_money.citation,
        )


def _values(fact: AssessmentAccepted) -> Values:
    return dict(fact.content.targets) if isinstance(fact.content, TargetsContent) else {}


def _days(year: CentreYear, period: int, values: Values, months: Sequence[bool | None]) -> Iterator[Problem]:
    """The last day lies in a month without activity, before one with it, or after the year; more days than it has."""
    last, opened = values.get(year.last_day), values.get(year.days_open)
    if isinstance(last, DayTarget):
        day = last.day
        in_year = day.year == period
        idle, after = in_year and months[day.month - 1] is False, months[day.month :] if in_year else months
        if day.year > period or idle or any(after):
            place = f"/content/targets/{year.last_day}/day"
            yield problem("plausible.last_day_contradicts", place, day=day, id=year.last_day, months=year.months)
    most = 366 if isleap(period) else 365
    if isinstance(opened, CountTarget) and opened.count > most:
        at = f"/content/targets/{year.days_open}/count"
        yield problem("plausible.days_above_year", at, id=year.days_open, days=opened.count, most=most)


def _attendances(year: CentreYear, values: Values, people: int) -> Iterator[Problem]:
    rule = year.attendances
    counted = values.get(rule.figure)
    if isinstance(counted, CountTarget) and counted.count > people * rule.most_per_person:
        yield problem(
            "plausible.attendances_too_many",
            f"/content/targets/{rule.figure}/count",
            id=rule.figure,
            count=counted.count,
            people=people,
            times=rule.most_per_person,
            citation=rule.citation,
        )


def _received(year: CentreYear, values: Values, support: int) -> Iterator[Problem]:
    """Less than the support on record; nothing where one of the amounts is unknown, for the rest may be in it."""
    rule = year.received
    amounts = [one.amount for id in rule.figures if isinstance(one := values.get(id), MoneyTarget)]
    if len(amounts) == len(rule.figures) and sum(amounts) < support:
        yield problem(
            "plausible.received_below_support",
            f"/content/targets/{rule.figures[0]}/amount",
            ids=" + ".join(rule.figures),
            amount=sum(amounts),
            support=support,
            citation=rule.citation,
        )


def _moved(year: CentreYear, now: Values, then: Values, period: int, rule: Plausibility) -> Iterator[Problem]:
    for id, count, was in _both(year.steady.figures, now, then):
        less, more = sorted((count, was))
        if more >= rule.jump.least and more > less * rule.jump.times:
            yield problem(
                "plausible.count_jump",
                f"/content/targets/{id}/count",
                id=id,
                count=count,
                before=was,
                period=period,
                times=rule.jump.times,
                citation=rule.jump.citation,
            )


def _both(figures: Iterable[str], now: Values, then: Values) -> Iterator[tuple[str, int, int]]:
    for id in figures:
        count, was = now.get(id), then.get(id)
        if isinstance(count, CountTarget) and isinstance(was, CountTarget):
            yield id, count.count, was.count
