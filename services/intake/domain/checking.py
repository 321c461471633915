"""What is wrong with one submission, by law, register and rights: all its problems at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from services.intake.domain.code_systems import spoken_of
from services.intake.domain.findings import Arrival, Findings, Known
from services.intake.domain.lifetimes import check_lifetime
from services.intake.domain.units import Named, check_name, check_registrar, check_subject, check_unit
from shared.contracts.base import FIRST_OF_SUPPORT, Problem, Text
from shared.contracts.facts import RecognitionAccepted
from shared.contracts.series import kind_of
from shared.contracts.submissions import (
    AssessmentSubmitted,
    CentreAct,
    CentreRegistered,
    CentreSubmitted,
    CommuneSubmitted,
    EnvelopeSubmitted,
    Recognised,
    RecognitionRevoked,
    RecognitionSubmitted,
    SupportSubmitted,
)
from shared.refusals import problem
from shared.rulebook import (
    NoRuleInForce,
    PassFailRubric,
    PointsRubric,
    Rubric,
    Series,
    check_content,
    cut_off,
    deadline,
    rubric_for,
    rubrics,
    rules_of,
)
from shared.rulebook.standards import StandardsRubric
from shared.rulebook.targets import LEVELS

MOST_CONTENT = 300_000
"""Bytes of an assessment's content as facts and results repeat it. More than a record takes, for the defaults that were
left out of it; but text in NFC may be three times as long as it was sent, and what is made of it must fit too."""


def check_commune(data: CommuneSubmitted, arrival: Arrival, known: Known) -> Findings:
    """Assessment of a commune: unit, right to send, period, rubric, values."""
    findings = Findings()
    on = cut_off(data.period)
    check_unit(findings, data.unit_code, "/unit_code", on, arrival, known, data.unit_name, data.code_system)
    check_name(findings, data.unit_name, "/unit_name", on, known)
    if data.area_class is not None and data.area_class_basis is None:
        findings.warnings.append(problem("intake.area_class_without_basis", "/area_class_basis", area=data.area_class))
    _check_values(findings, "commune", data, arrival, known)
    return findings


def check_centre(data: CentreSubmitted, arrival: Arrival, known: Known) -> Findings:
    """Assessment of a centre: registered, right to send, period, rubric, values."""
    findings = Findings()
    _check_centre(findings, data, arrival, known)
    check_lifetime(findings, data, known)
    _check_values(findings, "centre", data, arrival, known)
    return findings


def check_assessment(data: AssessmentSubmitted, arrival: Arrival, known: Known) -> Findings:
    """Assessment of anything else: subject, right to send, period, rubric, values."""
    findings = Findings()
    named = Named(data.series, data.subject, "/subject", data.period, data.name, system=data.code_system)
    check_subject(findings, named, arrival, known)
    if kind_of(data.series) == "centre":
        check_lifetime(findings, data, known)
    check_name(findings, data.name, "/name", cut_off(data.period), known)
    _check_values(findings, data.series, data, arrival, known)
    return findings


def check_registration(data: CentreRegistered, arrival: Arrival, known: Known) -> Findings:
    """Registration of a centre, or a change of it: where it lies, from when to when, what it came from."""
    findings = Findings()
    on = spoken_of(data, arrival)
    check_unit(findings, data.commune_code, "/commune_code", on, arrival, known, system=data.code_system)
    _check_not_future(findings, data.opened_on, "/opened_on", arrival)
    findings.problems += [*_life(data), *_act(data)]
    if data.decided_on is not None:
        _check_not_future(findings, data.decided_on, "/decided_on", arrival)
    check_registrar(findings, data.centre_id, "/centre_id", arrival, known)
    for index, predecessor in enumerate(data.predecessors):
        pointer = f"/predecessors/{index}"
        if predecessor == data.centre_id:
            findings.problems.append(problem("intake.predecessor_is_itself", pointer, centre=predecessor))
        elif predecessor in data.predecessors[:index]:
            findings.problems.append(problem("intake.predecessor_twice", pointer, centre=predecessor))
        else:
            check_registrar(findings, predecessor, pointer, arrival, known)
            if known.centre(predecessor) is None:
                findings.warnings.append(problem("intake.predecessor_unknown", pointer, centre=predecessor))
    return findings


def _life(data: CentreRegistered) -> Iterator[Problem]:
    """Opened, suspended, resumed and closed in this order."""
    opened, closed, suspended, resumed = data.opened_on, data.closed_on, data.suspended_on, data.resumed_on
    if closed is not None and closed <= opened:
        yield problem("intake.closed_before_opened", "/closed_on", closed=closed, opened=opened)
    if suspended is not None and (suspended < opened or (closed is not None and suspended >= closed)):
        yield problem("intake.suspended_outside_life", "/suspended_on", suspended=suspended)
    if resumed is not None and suspended is None:
        yield problem("intake.resumed_without_suspension", "/resumed_on", resumed=resumed)
    elif resumed is not None and suspended is not None and resumed <= suspended:
        yield problem("intake.resumed_before_suspended", "/resumed_on", resumed=resumed, suspended=suspended)
    if resumed is not None and closed is not None and resumed >= closed:
        yield problem("intake.resumed_after_closing", "/resumed_on", resumed=resumed, closed=closed)


_DAY_OF: Mapping[CentreAct, str | None] = {
    "established": None,
    "merged": None,
    "split": None,
    "suspended": "suspended_on",
    "resumed": "resumed_on",
    "dissolved": "closed_on",
    "revoked": None,
}
"""The day that an act sets, besides that of the opening, which everyone states."""


def _act(data: CentreRegistered) -> Iterator[Problem]:
    """An act is a decision's: with its number, day and signer, and with the day that it sets.

    A merged centre came from others, or went into another and closed: one from nowhere would pass for a new one, to
    which the initial equipment is owed.
    """
    if data.act is not None:
        for name in ("decision_number", "decided_on", "decided_by", _DAY_OF[data.act]):
            if name is not None and getattr(data, name) is None:
                yield problem("intake.act_incomplete", f"/{name}", act=data.act, field=name)
    if data.act == "merged" and not data.predecessors and data.closed_on is None:
        yield problem("intake.act_incomplete", "/predecessors", act=data.act, field="predecessors")


def check_envelope(data: EnvelopeSubmitted, arrival: Arrival, known: Known) -> Findings:
    """A province's envelope: for a year that is near."""
    findings = Findings()
    _check_year(findings, data.year, 2013, arrival.day.year + 1)
    return findings


def check_support(data: SupportSubmitted, arrival: Arrival, known: Known) -> Findings:
    """Support approved in the past: for a registered centre of the sender, for no year to come."""
    findings = Findings()
    _check_centre(findings, data, arrival, known)
    check_lifetime(findings, data, known)
    _check_year(findings, data.year, FIRST_OF_SUPPORT, arrival.day.year)
    centre = known.centre(data.centre_id)
    alone = centre is not None and not centre.predecessors and centre.closed_on is None
    if data.purpose == "operating" and alone and data.year < arrival.day.year - 1:
        findings.warnings.append(problem("intake.support_of_old_year", "/year", year=data.year, budget=data.year + 1))
    return findings


def check_recognition(data: RecognitionSubmitted, arrival: Arrival, known: Known) -> Findings:
    """A decision that recognises a subject: known on the period's cut-off date, decided in the past, at a level or a
    grade of its rule."""
    findings = Findings()
    check_subject(findings, named(data), arrival, known)
    _check_not_future(findings, data.decided_on, "/decided_on", arrival)
    findings.problems.extend(_recognised(data))
    if data.series == "universal_education" and data.standard is None:
        findings.warnings.append(problem("intake.standard_not_named", "/standard"))
    elif data.series == "universal_education" and findings.unit is None:
        findings.warnings.append(problem("intake.standard_above_communes", "/unit_code", code=data.unit_code))
    return findings


def check_revocation(data: RecognitionRevoked, arrival: Arrival, known: Known) -> Findings:
    """A decision that revokes one: of the same subject, decided in the past, and not before the one that it ends.

    It may take effect earlier, back to the first day of the period: a recognition that should never have been given is
    signed after its period, and would count in it for ever otherwise.
    """
    findings = check_withdrawal(named(data), None, arrival, known)
    _check_not_future(findings, data.decided_on, "/decided_on", arrival)
    if isinstance(known.current, RecognitionAccepted):
        signed = known.current.decided_on
        holds = min(signed, date(data.period, 1, 1))
        if data.decided_on < signed:
            findings.problems.append(
                problem("intake.revoked_before_decided", "/decided_on", date=data.decided_on, decided=signed)
            )
        if data.effective_from is not None and data.effective_from < holds:
            findings.problems.append(
                problem("intake.revoked_before_period", "/effective_from", date=data.effective_from, first=holds)
            )
    return findings


def _recognised(data: RecognitionSubmitted) -> list[Problem]:
    """A level under a pass/fail rubric or a standard, a grade under a points rubric.

    The rubric is that of the period; or the one in force when the authority decided, which for a period that an
    old rule governed may already have been the new one.
    """
    found = []
    if data.standard is not None and data.series != "universal_education":
        found.append(problem("intake.standard_of_other_series", "/standard", series=data.series))
    if (data.level is None) == (data.grade is None):
        return [*found, problem("intake.level_or_grade", "/level")]
    days = (cut_off(data.period), data.decided_on)
    possible = [one for one in rubrics() if one.series == data.series and any(one.in_force(day) for day in days)]
    if not possible:
        return [*found, problem("intake.no_rubric", "/period", period=data.period, rules=rules_of(data.series))]
    rules = ", ".join(one.id for one in possible)
    most = max(_levels(one, data) for one in possible)
    grades = [grade.id for one in possible if isinstance(one, PointsRubric) for grade in one.grades]
    if data.level is not None and not most:
        found.append(problem("intake.recognition_needs_grade", "/level", rules=rules))
    elif data.level is not None and data.level > most:
        expected = Text(vi=f"từ 1 đến {most}", en=f"1 to {most}")
        found.append(problem("intake.out_of_range", "/level", given=data.level, expected=expected))
    elif data.grade is not None and not grades:
        expected = Text(vi=f"level từ 1 đến {most}", en=f"a level from 1 to {most}")
        found.append(problem("intake.recognition_needs_level", "/grade", rules=rules, expected=expected))
    elif data.grade is not None and data.grade not in grades:
        found.append(problem("intake.grade_unknown", "/grade", grade=data.grade, grades=", ".join(grades)))
    return found


def _levels(rubric: Rubric, data: Recognised) -> int:
    """The highest level that a rule knows; 0 of one that gives grades."""
    match rubric:
        case PassFailRubric():
            return len(LEVELS)
        case StandardsRubric():
            levels = rubric.outcomes
            return levels.get(data.standard or "", max(levels.values()))
        case _:
            return 0


def named(data: Recognised) -> Named:
    """The subject of an authority's decision."""
    return Named(data.series, data.unit_code, "/unit_code", data.period, decided=True, system=data.code_system)


def check_withdrawal(subject: Named | None, centre_id: str | None, arrival: Arrival, known: Known) -> Findings:
    """May its sender end what is accepted of a subject, or of a centre?

    Whoever may file may; where the register does not know the subject any more, whoever filed. It is never held: what
    could be ended is accepted already.
    """
    findings = Findings()
    if centre_id is not None:
        check_registrar(findings, centre_id, "/centre_id", arrival, known)
    if subject is not None:
        check_subject(findings, subject, arrival, known)
        if findings.subject is None and known.current is not None and known.current.province == arrival.province:
            return Findings()
        if findings.held:
            return Findings(problems=[problem("intake.not_decided_yet", subject.pointer, code=subject.code)])
    return findings


def _check_values(
    findings: Findings,
    series: Series,
    data: CommuneSubmitted | CentreSubmitted | AssessmentSubmitted,
    arrival: Arrival,
    known: Known,
) -> None:
    try:
        rubric = rubric_for(series, data.period, _holder(findings, data, arrival, known))
    except NoRuleInForce:
        findings.problems.append(problem("intake.no_rubric", "/period", period=data.period, rules=rules_of(series)))
        return
    opens = opening(rubric, data.period)
    if arrival.day < opens:
        findings.problems.append(problem("intake.period_not_open", "/period", period=data.period, opens=opens))
    if data.rubric != rubric.id:
        findings.problems.append(
            problem("intake.wrong_rubric", "/rubric", period=data.period, expected=rubric.id, rubric=data.rubric)
        )
    else:
        problems, warnings = check_content(rubric, data.content)
        findings.problems.extend(problems)
        size = len(data.content.model_dump_json().encode())
        if size > MOST_CONTENT:
            findings.problems.append(problem("intake.content_too_large", "/content", bytes=size, most=MOST_CONTENT))
        findings.warnings.extend(warnings)
    findings.deadline = deadline(rubric, data.period)


def _holder(
    findings: Findings, data: CommuneSubmitted | CentreSubmitted | AssessmentSubmitted, arrival: Arrival, known: Known
) -> str:
    """Province by whose own point table it will be judged: it held the subject, or a centre's commune, on that day."""
    if isinstance(data, CentreSubmitted):
        return centre_holder(data, known) or arrival.province
    return findings.subject.holder if findings.subject else arrival.province


def centre_holder(data: CentreSubmitted, known: Known) -> str | None:
    """Province in which a centre lay on the cut-off date; `None` where the register does not tell."""
    centre = known.centre(data.centre_id)
    unit = known.register.counterpart(centre.unit_id, cut_off(data.period)) if centre else None
    return unit.province_code if unit else None


def opening(rubric: Rubric, period: int) -> date:
    """First day on which a period's files are taken: 1 December; 1 January where the rule's last day comes earlier
    than the period's own (Decree 20/2014: figures by 30 September)."""
    early = deadline(rubric, period).date() <= cut_off(period)
    return date(period, 1 if early else 12, 1)


def _check_centre(findings: Findings, data: CentreSubmitted | SupportSubmitted, arrival: Arrival, known: Known) -> None:
    if known.centre(data.centre_id) is None:
        findings.problems.append(problem("intake.centre_unknown", "/centre_id", centre=data.centre_id))
    else:
        check_registrar(findings, data.centre_id, "/centre_id", arrival, known)


def _check_not_future(findings: Findings, day: date, pointer: str, arrival: Arrival) -> None:
    if day > arrival.day:
        findings.problems.append(problem("intake.date_in_future", pointer, date=day, received=arrival.day))


def _check_year(findings: Findings, year: int, low: int, high: int) -> None:
    if not low <= year <= high:
        findings.problems.append(problem("intake.year_out_of_range", "/year", year=year, low=low, high=high))
