"""Periods that close for their senders, and the ministry's orders that open them again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.intake.domain.findings import Arrival, Findings, Known
from services.intake.domain.units import Named, check_registrar, check_subject
from shared.contracts.base import FIRST_YEAR, LAST_YEAR, Problem
from shared.contracts.facts import Closable, PeriodReopened, SubmissionKind
from shared.contracts.orders import PeriodReopening
from shared.contracts.submissions import AssessmentSeries, Submission
from shared.refusals import problem
from shared.rulebook import HANOI, Closing, named_closable

LONGEST = timedelta(days=366)
"""For which a period is opened again at most."""


def closable(kind: SubmissionKind, data: Submission) -> Closable | None:
    """Whose periods bind a submission, its correction or its withdrawal.

    `None` of what authorities decide (recognitions, titles, revocations), of the register of centres, and of payments,
    on which no amount rests: no period binds them.
    """
    match kind:
        case "registration" | "recognition" | "title" | "payment":
            return None
        case "assessment":
            series: AssessmentSeries = data.series  # type: ignore[attr-defined]
            return series
        case _:
            return kind


def is_covered(reopened: PeriodReopened, province: str, subject: str, at: datetime) -> bool:
    """Whether what arrives from this province about this subject of the reopened period is taken under the order."""
    return (
        reopened.ordered_at <= at < reopened.closes_at
        and reopened.province in (None, province)
        and reopened.subject in (None, subject)
    )


def closed_problem(what: Closable, period: int, closing: Closing) -> Problem:
    """That a period is closed: since when, on which ground, and what can be done."""
    return problem(
        "intake.period_closed",
        "/year" if what in ("envelope", "support") else "/period",
        what=named_closable(what),
        period=period,
        last=closing.last,
        ground=closing.ground.citation,
    )


def check_reopening(order: PeriodReopening, closing: Closing, known: Known, at: datetime) -> list[Problem]:
    """Everything that makes no sense in an order of this moment to open a period again."""
    arrival = Arrival(order.province or "", at)
    findings = Findings([*_of_time(order, closing, at)])
    if order.what != "support" and order.period < FIRST_YEAR:
        low, high = FIRST_YEAR, LAST_YEAR
        findings.problems.append(problem("intake.year_out_of_range", "/period", year=order.period, low=low, high=high))
    if order.province is not None and known.register.province(order.province, arrival.day) is None:
        findings.problems.append(problem("intake.province_unknown", "/province", code=order.province, on=arrival.day))
    elif order.subject is not None:
        _check_subject(findings, order, arrival, known)
    return [*findings.problems, *findings.held]


def _of_time(order: PeriodReopening, closing: Closing, at: datetime) -> list[Problem]:
    if order.until <= at:
        return [problem("intake.reopening_in_past", "/until", until=order.until.astimezone(HANOI).date())]
    if order.until > at + LONGEST:
        return [problem("intake.reopening_too_long", "/until", most=(at + LONGEST).astimezone(HANOI).date())]
    if order.until <= closing.at:
        named = named_closable(order.what)
        return [problem("intake.period_still_open", "/period", what=named, period=order.period, last=closing.last)]
    return []


def _check_subject(findings: Findings, order: PeriodReopening, arrival: Arrival, known: Known) -> None:
    """The subject exists and its province speaks for it, by the same checks as that of a submission."""
    subject = order.subject
    assert subject is not None
    match order.what:
        case "envelope":
            findings.problems.append(problem("intake.reopening_without_subject", "/subject"))
        case _ if order.province is None:
            findings.problems.append(problem("intake.reopening_needs_province", "/province", subject=subject))
        case "centre" | "support":
            if known.centre(subject) is None:
                findings.problems.append(problem("intake.centre_unknown", "/subject", centre=subject))
            check_registrar(findings, subject, "/subject", arrival, known)
        case series:
            check_subject(findings, Named(series, subject, "/subject", order.period), arrival, known)
