"""What is wrong with one submission, by law, register and rights: all its problems at once. Pure."""

from __future__ import annotations

from datetime import date

from services.intake.domain.findings import Arrival, Findings, Known
from services.intake.domain.units import check_name, check_subject, check_unit
from shared.contracts.base import Problem
from shared.contracts.facts import RegistrationAccepted
from shared.contracts.submissions import (
    AssessmentSubmitted,
    CentreRegistered,
    CentreSubmitted,
    CommuneSubmitted,
    EnvelopeSubmitted,
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
)

MOST_CONTENT = 300_000
"""Bytes of an assessment's content as facts and results repeat it. More than a record takes, for the defaults that were
left out of it; but text in NFC may be three times as long as it was sent, and what is made of it must fit too."""


def check_commune(data: CommuneSubmitted, arrival: Arrival, known: Known) -> Findings:
    """Assessment of a commune: unit, right to send, period, rubric, values."""
    findings = Findings()
    check_unit(findings, data.unit_code, "/unit_code", cut_off(data.period), arrival, known, data.unit_name)
    check_name(findings, data.unit_name, "/unit_name")
    if data.area_class is not None and data.area_class_basis is None:
        findings.warnings.append(problem("intake.area_class_without_basis", "/area_class_basis", area=data.area_class))
    _check_values(findings, "commune", data, arrival, known)
    return findings


def check_centre(data: CentreSubmitted, arrival: Arrival, known: Known) -> Findings:
    """Assessment of a centre: registered, right to send, period, rubric, values."""
    findings = Findings()
    _check_centre(findings, data.centre_id, "/centre_id", arrival, known)
    _check_values(findings, "centre", data, arrival, known)
    return findings


def check_assessment(data: AssessmentSubmitted, arrival: Arrival, known: Known) -> Findings:
    """Assessment of anything else: subject, right to send, period, rubric, values."""
    findings = Findings()
    check_subject(findings, data, arrival, known)
    check_name(findings, data.name, "/name")
    _check_values(findings, data.series, data, arrival, known)
    return findings


def check_registration(data: CentreRegistered, arrival: Arrival, known: Known) -> Findings:
    """Registration of a centre, or a change of it: where it lies, from when to when, what it came from."""
    findings = Findings()
    check_unit(findings, data.commune_code, "/commune_code", arrival.day, arrival, known)
    _check_not_future(findings, data.opened_on, "/opened_on", arrival)
    if data.closed_on is not None and data.closed_on <= data.opened_on:
        findings.problems.append(
            problem("intake.closed_before_opened", "/closed_on", closed=data.closed_on, opened=data.opened_on)
        )
    centre = known.centres[data.centre_id]
    if centre is not None and centre.province != arrival.province:
        findings.problems.append(_other_province("/centre_id", arrival, centre))
    for index, predecessor in enumerate(data.predecessors):
        pointer = f"/predecessors/{index}"
        if predecessor == data.centre_id:
            findings.problems.append(problem("intake.predecessor_is_itself", pointer, centre=predecessor))
        elif predecessor in data.predecessors[:index]:
            findings.problems.append(problem("intake.predecessor_twice", pointer, centre=predecessor))
        elif (found := known.centres[predecessor]) is None:
            findings.warnings.append(problem("intake.predecessor_unknown", pointer, centre=predecessor))
        elif found.province != arrival.province:
            findings.problems.append(_other_province(pointer, arrival, found))
    return findings


def check_envelope(data: EnvelopeSubmitted, arrival: Arrival, known: Known) -> Findings:
    """A province's envelope: for a year that is near."""
    findings = Findings()
    _check_year(findings, data.year, 2013, arrival.day.year + 1)
    return findings


def check_support(data: SupportSubmitted, arrival: Arrival, known: Known) -> Findings:
    """Support approved in the past: for a registered centre of the sender, for no year to come."""
    findings = Findings()
    _check_centre(findings, data.centre_id, "/centre_id", arrival, known)
    _check_year(findings, data.year, 2008, arrival.day.year)
    return findings


def check_recognition(data: RecognitionSubmitted, arrival: Arrival, known: Known) -> Findings:
    """A decision that recognises a commune: the unit of the period, decided in the past, at a level or a grade."""
    findings = Findings()
    check_unit(findings, data.unit_code, "/unit_code", cut_off(data.period), arrival, known)
    _check_not_future(findings, data.decided_on, "/decided_on", arrival)
    findings.problems.extend(_recognised(data))
    return findings


def _recognised(data: RecognitionSubmitted) -> list[Problem]:
    """A level under a pass/fail rubric, a grade under a points rubric.

    The rubric is that of the period; or the one in force when the authority decided, which for a period that an
    old rule governed may already have been the new one.
    """
    if (data.level is None) == (data.grade is None):
        return [problem("intake.level_or_grade", "/level")]
    days = (cut_off(data.period), data.decided_on)
    possible = [one for one in rubrics() if one.series == "commune" and any(one.in_force(day) for day in days)]
    if not possible:
        return [problem("intake.no_rubric", "/period", period=data.period)]
    rules = ", ".join(one.id for one in possible)
    if data.grade is None:
        if any(isinstance(one, PassFailRubric) for one in possible):
            return []
        return [problem("intake.recognition_needs_grade", "/level", rules=rules)]
    grades = [grade.id for one in possible if isinstance(one, PointsRubric) for grade in one.grades]
    if not grades:
        return [problem("intake.recognition_needs_level", "/grade", rules=rules)]
    if data.grade not in grades:
        return [problem("intake.grade_unknown", "/grade", grade=data.grade, grades=", ".join(grades))]
    return []


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
        findings.problems.append(problem("intake.no_rubric", "/period", period=data.period))
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
    centre = known.centres[data.centre_id]
    unit = known.register.counterpart(centre.unit_id, cut_off(data.period)) if centre else None
    return unit.province_code if unit else None


def opening(rubric: Rubric, period: int) -> date:
    """First day on which a period's files are taken: 1 December; 1 January where the rule's last day comes earlier
    than the period's own (Decree 20/2014: figures by 30 September)."""
    early = deadline(rubric, period).date() <= cut_off(period)
    return date(period, 1 if early else 12, 1)


def _check_centre(findings: Findings, centre_id: str, pointer: str, arrival: Arrival, known: Known) -> None:
    centre = known.centres[centre_id]
    if centre is None:
        findings.problems.append(problem("intake.centre_unknown", pointer, centre=centre_id))
    elif centre.province != arrival.province:
        findings.problems.append(_other_province(pointer, arrival, centre))


def _other_province(pointer: str, arrival: Arrival, centre: RegistrationAccepted) -> Problem:
    return problem(
        "intake.centre_of_other_province",
        pointer,
        centre=centre.centre_id,
        entitled=centre.province,
        province=arrival.province,
    )


def _check_not_future(findings: Findings, day: date, pointer: str, arrival: Arrival) -> None:
    if day > arrival.day:
        findings.problems.append(problem("intake.date_in_future", pointer, date=day, received=arrival.day))


def _check_year(findings: Findings, year: int, low: int, high: int) -> None:
    if not low <= year <= high:
        findings.problems.append(problem("intake.year_out_of_range", "/year", year=year, low=low, high=high))
