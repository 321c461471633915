"""What is wrong with a decision on a title, or with what revokes it. Pure."""

from __future__ import annotations

import re
from datetime import date

from services.intake.domain.checking import check_withdrawal
from services.intake.domain.findings import Arrival, Findings, Known
from services.intake.domain.units import Named, check_subject
from shared.contracts.facts import TitleAccepted
from shared.contracts.submissions import Titled, TitleRevoked, TitleSubmitted
from shared.refusals import problem
from shared.rulebook import NoRuleInForce
from shared.rulebook.titles import titles_policy

_OF_A_PERSON = re.compile(r"[0-9]{9}|[0-9]{12}")
"""The forms of the numbers of identity cards."""


def titled(data: Titled) -> Named:
    """The commune whose title it is, as it is named on the day of the decision."""
    return Named(
        "learning_models",
        data.commune_code,
        "/commune_code",
        data.decided_on.year,
        system=data.code_system,
        day=data.decided_on,
    )


def check_title(data: TitleSubmitted, arrival: Arrival, known: Known) -> Findings:
    """A title: an opaque holder, a commune of its day, the right to send it, a decision of the past."""
    findings = Findings()
    check_subject(findings, titled(data), arrival, known)
    if _OF_A_PERSON.fullmatch(data.holder_id):
        findings.problems.append(problem("intake.holder_id_of_person", "/holder_id"))
    _check_past(findings, data.decided_on, "/decided_on", arrival)
    try:
        titles_policy(data.decided_on)
    except NoRuleInForce:
        findings.problems.append(problem("intake.title_before_schemes", "/decided_on", date=data.decided_on))
    if data.ends_on is not None and data.ends_on <= data.decided_on:
        findings.problems.append(
            problem("intake.title_ends_before_decided", "/ends_on", date=data.ends_on, decided=data.decided_on)
        )
    unit = findings.unit
    if unit is not None and known.register.counterpart(unit.unit_id, max(data.decided_on, arrival.day)) is None:
        findings.warnings.append(
            problem("intake.title_of_divided_commune", "/commune_code", code=unit.code, name=unit.name)
        )
    return findings


def check_title_revoked(data: TitleRevoked, arrival: Arrival, known: Known) -> Findings:
    """What revokes a title: decided in the past, and neither signed nor in effect before the title's own day."""
    findings = check_withdrawal(titled(data), None, arrival, known)
    _check_past(findings, data.revoked_on, "/revoked_on", arrival)
    if isinstance(known.current, TitleAccepted):
        signed = known.current.decided_on
        for pointer, day in (("/revoked_on", data.revoked_on), ("/effective_from", data.effective_from)):
            if day is not None and day < signed:
                findings.problems.append(problem("intake.revoked_before_decided", pointer, date=day, decided=signed))
    return findings


def _check_past(findings: Findings, day: date, pointer: str, arrival: Arrival) -> None:
    if day > arrival.day:
        findings.problems.append(problem("intake.date_in_future", pointer, date=day, received=arrival.day))
