"""Pure decisions of intake: what is wrong with a submission, and what becomes of it.

Two questions, kept apart: `check_*` looks at one submission against law, register and rights, and finds all its
problems at once; `decide` settles identity and version against what was accepted before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from services.intake.problems import candidates, problem
from shared.contracts.base import Problem, Status
from shared.contracts.facts import RegistrationAccepted
from shared.contracts.submissions import (
    CentreRegistered,
    CentreSubmitted,
    CommuneSubmitted,
    EnvelopeSubmitted,
    RecognitionSubmitted,
    SupportSubmitted,
)
from shared.registry import RegisterGap, Unit, registry, same_name
from shared.rulebook import HANOI, NoRuleInForce, Series, check_content, deadline, rubric_for


@dataclass(slots=True)
class Findings:
    """Everything found about one submission."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    held: list[Problem] = field(default_factory=list)
    """Grounds on which it cannot be decided now, though nothing is wrong with it."""
    unit: Unit | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """By whom and when, from the channel, never from the body."""

    province: str
    received_at: datetime

    @property
    def day(self) -> date:
        """The legal day of reception."""
        return self.received_at.astimezone(HANOI).date()


def cut_off(period: int) -> date:
    """The day whose law and register decide about a period."""
    return date(period, 12, 31)


def check_commune(data: CommuneSubmitted, arrival: Arrival) -> Findings:
    """Assessment of a commune: unit, right to send, period, rubric, values."""
    findings = Findings()
    _check_unit(findings, data.unit_code, "/unit_code", cut_off(data.period), arrival)
    if data.unit_name and findings.unit and not same_name(data.unit_name, findings.unit.name):
        findings.warnings.append(
            problem("name_differs", "/unit_name", given=data.unit_name, registered=findings.unit.name)
        )
    _check_assessment(findings, "commune", data, arrival)
    return findings


def check_centre(data: CentreSubmitted, arrival: Arrival, centre: RegistrationAccepted | None) -> Findings:
    """Assessment of a centre: registered, right to send, period, rubric, values."""
    findings = Findings()
    _check_centre(findings, data.centre_id, arrival, centre)
    _check_assessment(findings, "centre", data, arrival)
    return findings


def check_registration(data: CentreRegistered, arrival: Arrival, centre: RegistrationAccepted | None) -> Findings:
    """Registration of a centre, or a change of it."""
    findings = Findings()
    _check_unit(findings, data.commune_code, "/commune_code", arrival.day, arrival)
    _check_not_future(findings, data.opened_on, "/opened_on", arrival)
    if centre is not None and centre.province != arrival.province:
        findings.problems.append(_other_province(data.centre_id, arrival, centre))
    return findings


def check_envelope(data: EnvelopeSubmitted, arrival: Arrival) -> Findings:
    """A province's envelope: for a year that is near."""
    findings = Findings()
    _check_year(findings, data.year, 2013, arrival.day.year + 1)
    return findings


def check_support(data: SupportSubmitted, arrival: Arrival, centre: RegistrationAccepted | None) -> Findings:
    """Support approved in the past: for a registered centre of the sender, for no year to come."""
    findings = Findings()
    _check_centre(findings, data.centre_id, arrival, centre)
    _check_year(findings, data.year, 2008, arrival.day.year)
    return findings


def check_recognition(data: RecognitionSubmitted, arrival: Arrival) -> Findings:
    """A decision that recognises a commune: the unit of the period, decided in the past."""
    findings = Findings()
    _check_unit(findings, data.unit_code, "/unit_code", cut_off(data.period), arrival)
    _check_not_future(findings, data.decided_on, "/decided_on", arrival)
    return findings


def _check_unit(findings: Findings, code: str, pointer: str, on: date, arrival: Arrival) -> None:
    found = registry().lookup(code, on)
    if isinstance(found, RegisterGap):
        findings.held.append(problem("register_gap", pointer, code=code))
        return
    if not isinstance(found, Unit):
        near = candidates(found.candidates)
        findings.problems.append(problem("unit_unknown", pointer, code=code, on=on.isoformat(), **near))
        return
    entitled = registry().entitled_sender(code, on)
    if entitled != arrival.province:
        findings.problems.append(
            problem("not_entitled", pointer, code=code, entitled=entitled, province=arrival.province)
        )
    findings.unit = found


def _check_assessment(
    findings: Findings, series: Series, data: CommuneSubmitted | CentreSubmitted, arrival: Arrival
) -> None:
    if arrival.day < date(data.period, 12, 1):
        findings.problems.append(problem("period_not_open", "/period", period=data.period))
    try:
        rubric = rubric_for(series, data.period)
    except NoRuleInForce:
        findings.problems.append(problem("no_rubric", "/period", period=data.period))
        return
    if data.rubric != rubric.id:
        findings.problems.append(
            problem("wrong_rubric", "/rubric", period=data.period, expected=rubric.id, rubric=data.rubric)
        )
    else:
        problems, warnings = check_content(rubric, data.content)
        findings.problems.extend(problems)
        findings.warnings.extend(warnings)
    findings.deadline = deadline(rubric, data.period)


def _check_centre(findings: Findings, centre_id: str, arrival: Arrival, centre: RegistrationAccepted | None) -> None:
    if centre is None:
        findings.problems.append(problem("centre_unknown", "/centre_id", centre=centre_id))
    elif centre.province != arrival.province:
        findings.problems.append(_other_province(centre_id, arrival, centre))


def _other_province(centre_id: str, arrival: Arrival, centre: RegistrationAccepted) -> Problem:
    return problem(
        "centre_of_other_province",
        "/centre_id",
        centre=centre_id,
        entitled=centre.province,
        province=arrival.province,
    )


def _check_not_future(findings: Findings, day: date, pointer: str, arrival: Arrival) -> None:
    if day > arrival.day:
        findings.problems.append(
            problem("date_in_future", pointer, date=day.isoformat(), received=arrival.day.isoformat())
        )


def _check_year(findings: Findings, year: int, low: int, high: int) -> None:
    if not low <= year <= high:
        findings.problems.append(problem("year_out_of_range", "/year", year=year, low=low, high=high))


# ----------------------------------------------------------------------------------------------- identity and version


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of an earlier submission under the same id (accepted, held or unchanged; a refusal takes no id)."""

    body_hash: str


@dataclass(frozen=True, slots=True)
class Current:
    """The version that is accepted for the same subject and period."""

    version: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a submission."""

    status: Status
    version: int | None = None
    """Version made (accepted), repeated (unchanged) or collided with (conflict)."""
    problems: Sequence[Problem] = ()

    @property
    def accepted(self) -> bool:
        """Whether a new version came into being."""
        return self.status in (Status.ACCEPTED, Status.ACCEPTED_LATE)

    @property
    def takes_id(self) -> bool:
        """Whether the submission id is used up. A refused one may be mended and sent again under its id."""
        return self.accepted or self.status in (Status.HELD, Status.UNCHANGED)


def decide(
    *,
    submission_id: str,
    corrects_version: int | None,
    body_hash: str,
    content_hash: str,
    received_at: datetime,
    taken: Taken | None,
    current: Current | None,
    findings: Findings,
) -> Verdict:
    """One of the seven statuses. Arrival order never decides between two contents: a correction names its version."""
    version = current.version if current else None
    if taken is not None:
        if taken.body_hash == body_hash:
            return Verdict(Status.DUPLICATE, version)
        reused = problem(
            "submission_id_reused",
            "/submission_id",
            id=submission_id,
            naming_vi=f" và corrects_version = {version}" if version else "",
            naming_en=f" and corrects_version = {version}" if version else "",
        )
        return Verdict(Status.CONFLICT, version, [reused])
    if findings.problems:
        return Verdict(Status.REJECTED, None, findings.problems)
    if findings.held:
        return Verdict(Status.HELD, None, findings.held)
    if current is None:
        if corrects_version is not None:
            nothing = problem("nothing_to_correct", "/corrects_version", named=corrects_version)
            return Verdict(Status.CONFLICT, None, [nothing])
    elif current.content_hash == content_hash:
        return Verdict(Status.UNCHANGED, version)
    elif corrects_version is None:
        return Verdict(Status.CONFLICT, version, [problem("already_accepted", "/corrects_version", version=version)])
    elif corrects_version != version:
        moved = problem("not_current_version", "/corrects_version", named=corrects_version, version=version)
        return Verdict(Status.CONFLICT, version, [moved])
    late = findings.deadline is not None and received_at >= findings.deadline
    return Verdict(Status.ACCEPTED_LATE if late else Status.ACCEPTED, (version or 0) + 1)
