"""Support and results of each centre over the years (directive, task 4). Pure; it informs and moves no money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from shared.answers.budgets import Finding, Trend, Worked
from shared.contracts.submissions import AreaClass
from shared.rulebook.sustainability import SustainabilityPolicy


@dataclass(frozen=True, slots=True)
class Year:
    """One budget year of a centre, with the assessment period before it."""

    year: int
    support: int | None
    """Đồng; `None` where nothing is known."""
    total: Decimal | None
    """Points of the period before."""
    grade: str | None


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one centre."""

    centre_id: str
    name: str
    area_class: AreaClass
    years: Sequence[Year]
    """In any order."""
    worked: Mapping[int, Worked] = field(default_factory=dict)
    """By year, what it reported of its activity; it decides no finding."""


@dataclass(frozen=True, slots=True)
class View:
    """One centre over the years, oldest first."""

    centre_id: str
    name: str
    area_class: AreaClass
    years: Sequence[Year]
    support_trend: Trend
    score_trend: Trend
    median: Fraction | None
    """Median support of the area class in the last year, in đồng."""
    finding: Finding
    worked: Mapping[int, Worked]


def views(histories: Iterable[History], policy: SustainabilityPolicy) -> list[View]:
    """All centres of a province, in order of centre id.

    A centre is *effective but under-supported* if its last grade is an effective one and its support of the last year
    lies below the median of its area class in that year; *weak but over-supported* the other way round. Where the last
    grade or support is not known, nothing is found: missing is neither weak nor poor.
    """
    ordered = sorted(histories, key=lambda history: history.centre_id)
    last = max((year.year for history in ordered for year in history.years), default=0)
    medians = _medians(ordered, last)
    return [_view(history, last, medians.get(history.area_class), policy) for history in ordered]


def _view(history: History, last: int, median: Fraction | None, policy: SustainabilityPolicy) -> View:
    years = sorted(history.years, key=lambda year: year.year)
    latest = next((year for year in years if year.year == last), None)
    return View(
        centre_id=history.centre_id,
        name=history.name,
        area_class=history.area_class,
        years=years,
        support_trend=_trend([year.support for year in years if year.support is not None]),
        score_trend=_trend([year.total for year in years if year.total is not None]),
        median=median,
        finding=_finding(latest, median, policy),
        worked=dict(sorted(history.worked.items())),
    )


def _trend(values: Sequence[int] | Sequence[Decimal]) -> Trend:
    """The last known value against the first."""
    if len(values) < 2:
        return "unknown"
    first, last = values[0], values[-1]
    return "rising" if last > first else "falling" if last < first else "steady"


def _finding(latest: Year | None, median: Fraction | None, policy: SustainabilityPolicy) -> Finding:
    if latest is None or latest.support is None or latest.grade is None or median is None:
        return "unknown"
    if latest.grade in policy.effective_grades and latest.support < median:
        return "effective_under_supported"
    if latest.grade in policy.weak_grades and latest.support > median:
        return "weak_over_supported"
    return "balanced"


def _medians(histories: Iterable[History], last: int) -> Mapping[AreaClass, Fraction]:
    supports: dict[AreaClass, list[int]] = {}
    for history in histories:
        for year in history.years:
            if year.year == last and year.support is not None:
                supports.setdefault(history.area_class, []).append(year.support)
    return {area: _median(sorted(each)) for area, each in supports.items()}


def _median(ordered: Sequence[int]) -> Fraction:
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Fraction(ordered[middle])
    return Fraction(ordered[middle - 1] + ordered[middle], 2)
