"""What is hardly true of an accepted fact, by itself and beside earlier facts of the same subject. Pure.

The same function makes the warnings of a receipt and the list of a province. A receipt says what was known at its
instant; the list is made of the facts as they stand, so that it is the same in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from services.intake.domain.plausible_year import amount_doubts, year_doubts
from shared.contracts.base import Problem
from shared.contracts.facts import (
    Accepted,
    AssessmentAccepted,
    CentreAccepted,
    CommuneAccepted,
    EnvelopeAccepted,
    RecognitionAccepted,
    RegistrationAccepted,
    SupportAccepted,
)
from shared.contracts.series import kind_of
from shared.contracts.submissions import AssessmentSeries, RecognisedSeries, TargetsContent
from shared.refusals import problem
from shared.registry import Registry, same_name
from shared.rulebook import (
    HANOI,
    NoRuleInForce,
    PassFailRubric,
    Plausibility,
    Rubric,
    check_content,
    content_doubts,
    cut_off,
    jumps,
    plausibility_on,
    rubrics,
)
from shared.rulebook.report_doubts import counted, report_doubts
from shared.rulebook.reports import ReportRubric

Assessed = CommuneAccepted | CentreAccepted | AssessmentAccepted


def earlier(fact: Accepted, register: Registry) -> Mapping[int, str]:
    """The earlier periods whose facts it is held against, with the code that the same subject had then: of an
    assessment the period before, of level 2 those whose decisions may still count. Never more than a few."""
    match fact:
        case CommuneAccepted() | CentreAccepted() | AssessmentAccepted():
            periods: Iterable[int] = [fact.period - 1]
        case RecognitionAccepted(level=2, revocation=None) if (rule := _of_levels(fact)) is not None:
            latest = _latest(rule, fact)
            periods = range(latest, latest - rule.validity.months // 12 - 1, -1)
        case _:
            return {}
    codes = ((period, _code_then(fact, period, register)) for period in periods)
    return {period: code for period, code in codes if code is not None}


def _code_then(fact: Assessed | RecognitionAccepted, period: int, register: Registry) -> str | None:
    """`None`: there was no such subject, or nobody knows which one is the same."""
    day = cut_off(period)
    series: RecognisedSeries | AssessmentSeries
    match fact:
        case CentreAccepted():
            return fact.centre_id
        case CommuneAccepted():
            return _commune_then(fact.unit_id, day, register)
        case AssessmentAccepted() if kind_of(fact.series) == "commune":
            return _commune_then(fact.subject_id, day, register)
        case AssessmentAccepted():
            series, code = fact.series, fact.subject_id
        case RecognitionAccepted():
            if fact.series == "commune":
                return _commune_then(fact.unit_id, day, register)
            series, code = fact.series, fact.unit_id
    if kind_of(series) != "province":
        return code
    now, then = register.province(code, cut_off(fact.period)), register.province(code, day)
    return code if now and then and same_name(now.name, then.name) else None


def _commune_then(unit_id: str, day: date, register: Registry) -> str | None:
    same = map(register.by_id, register.lineage(unit_id))
    return next((unit.code for unit in same if unit is not None and unit.valid(day)), None)


def standing_doubts(fact: Accepted, before: Sequence[Accepted]) -> list[Problem]:
    """All that can be told of a fact at any time: what its content alone was warned of, and what is hardly true."""
    known = _rubric(fact.rubric) if isinstance(fact, Assessed) else None
    found = check_content(known, fact.content)[1] if known and isinstance(fact, Assessed) else []
    return [*found, *doubts(fact, before)]


def doubts(fact: Accepted, before: Sequence[Accepted]) -> list[Problem]:
    """What is hardly true of a fact: of one that was withdrawn or revoked nothing.

    Args:
        before: what is accepted of the same subject in the periods that `earlier` names, and of a report on a centre
            also its registration and the support of that year; may hold less.
    """
    try:
        rule = plausibility_on(_day(fact), fact.province)
    except NoRuleInForce:
        return []  # a warning is never worth more than what it warns of
    match fact:
        case CommuneAccepted() | CentreAccepted() | AssessmentAccepted():
            return [*_assessed(fact, before, rule)]
        case RegistrationAccepted(population_served=people) if people > rule.served.most:
            most, citation = rule.served.most, rule.served.citation
            place = "/population_served"
            return [problem("plausible.served_too_many", place, people=people, most=most, citation=citation)]
        case SupportAccepted(amount=amount):
            return [*amount_doubts(amount, rule.least_money.support, rule)]
        case EnvelopeAccepted(amount=amount):
            return [*amount_doubts(amount, rule.least_money.envelope, rule)]
        case RecognitionAccepted(revocation=None):
            return [*_recognised(fact, before)]
        case _:
            return []


def _rubric(id: str) -> Rubric | None:
    """`None`: a ministry has taken the rule away since."""
    return next((one for one in rubrics() if one.id == id), None)


def _day(fact: Accepted) -> date:
    """On which day the rule is looked up."""
    year = getattr(fact, "period", None) or getattr(fact, "year", None)
    return cut_off(year) if year else fact.received_at.astimezone(HANOI).date()


def _assessed(fact: Assessed, before: Sequence[Accepted], rule: Plausibility) -> Iterator[Problem]:
    if (known := _rubric(fact.rubric)) is not None:
        yield from content_doubts(known, fact.content, rule)
        if isinstance(known, ReportRubric) and isinstance(fact.content, TargetsContent):
            yield from report_doubts(known, fact.content, fact.period)
    for one in before:
        if isinstance(one, type(fact)) and one.rubric == fact.rubric:
            yield from jumps(counted(known, one.content), counted(known, fact.content), one.period, rule.jump)
    if isinstance(known, ReportRubric) and isinstance(fact, AssessmentAccepted):
        yield from year_doubts(known, fact, before, rule)


def _recognised(fact: RecognitionAccepted, before: Sequence[Accepted]) -> Iterator[Problem]:
    if fact.decided_on < date(fact.period, 1, 1):
        yield problem("plausible.decided_before_period", "/decided_on", date=fact.decided_on, period=fact.period)
    rule = _of_levels(fact)
    if fact.level == 2 and rule is not None and not any(_opens(one, fact, rule) for one in before):
        yield problem(
            "plausible.level_1_unknown",
            "/level",
            period=fact.period,
            latest=_latest(rule, fact),
            citation=rule.recognised.citation,
        )


def _of_levels(fact: RecognitionAccepted) -> PassFailRubric | None:
    """The rule that knows level 2 and asks for level 1 before it: of the period, or of the day of the decision."""
    days = (cut_off(fact.period), fact.decided_on)
    found = (one for day in days for one in rubrics() if one.series == fact.series and one.in_force(day))
    return next((one for one in found if isinstance(one, PassFailRubric)), None)


def _latest(rule: PassFailRubric, fact: RecognitionAccepted) -> int:
    """The last period whose level 1 is long enough ago."""
    return fact.period - -(-rule.recognised.months // 12)


def _opens(one: Accepted, fact: RecognitionAccepted, rule: PassFailRubric) -> bool:
    """Whether an earlier decision recognises level 1 or higher and still counts at the end of the period."""
    if not isinstance(one, RecognitionAccepted) or one.level is None or one.period > _latest(rule, fact):
        return False
    valid_until = date(one.decided_on.year + 1 + rule.validity.months // 12, 1, 1)
    day = cut_off(fact.period)
    return day < valid_until and (one.revocation is None or day < one.revocation.effective_from)
