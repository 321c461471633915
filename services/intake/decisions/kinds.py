"""The kinds of submission: what differs between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.intake import domain
from shared.contracts.catalogue import EventType
from shared.contracts.facts import (
    Accepted,
    AssessmentAccepted,
    CentreAccepted,
    CommuneAccepted,
    EnvelopeAccepted,
    RecognitionAccepted,
    RegistrationAccepted,
    SubmissionKind,
    SupportAccepted,
)
from shared.contracts.submissions import (
    AssessmentSubmitted,
    CentreRegistered,
    CentreSubmitted,
    CommuneSubmitted,
    EnvelopeSubmitted,
    RecognitionSubmitted,
    Submission,
    SupportSubmitted,
)

S = TypeVar("S", bound=Submission)
Base = dict[str, Any]
"""The fields that every accepted fact has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[S]):
    """What differs between the kinds of submission."""

    name: SubmissionKind
    type: EventType
    subject: Callable[[S, str], str]
    """`(submission, province)` → what it speaks of, as sent."""
    period: Callable[[S], int]
    """Period or year; 0 for facts without one."""
    check: Callable[[S, domain.Arrival, domain.Known], domain.Findings]
    accept: Callable[[S, Base, domain.Findings, domain.Known], Accepted]
    fact_subject: Callable[[Any], str]
    centres: Callable[[S], list[str]] = lambda data: []
    """Centres whose registrations are needed for the decision."""
    learning_unit: Callable[[S], str | None] = lambda data: None
    """The learning unit whose owner is needed for the decision."""


def _accept_commune(
    data: CommuneSubmitted, base: Base, findings: domain.Findings, known: domain.Known
) -> CommuneAccepted:
    unit = findings.unit
    assert unit is not None
    return CommuneAccepted(
        **base,
        unit_id=unit.unit_id,
        code=unit.code,
        name=unit.name,
        holder=unit.province_code,
        area_class=data.area_class,
        period=data.period,
        rubric=data.rubric,
        content=data.content,
    )


def _accept_centre(data: CentreSubmitted, base: Base, findings: domain.Findings, known: domain.Known) -> CentreAccepted:
    centre = known.centres[data.centre_id]
    assert centre is not None
    return CentreAccepted(
        **base,
        centre_id=data.centre_id,
        name=centre.name,
        commune_code=centre.commune_code,
        unit_id=centre.unit_id,
        holder=domain.centre_holder(data, known),
        period=data.period,
        rubric=data.rubric,
        content=data.content,
    )


def _accept_assessment(
    data: AssessmentSubmitted, base: Base, findings: domain.Findings, known: domain.Known
) -> AssessmentAccepted:
    subject = findings.subject
    assert subject is not None
    return AssessmentAccepted(
        **base,
        series=data.series,
        subject_id=subject.id,
        name=subject.name,
        holder=subject.holder,
        period=data.period,
        rubric=data.rubric,
        content=data.content,
    )


def _accept_registration(
    data: CentreRegistered, base: Base, findings: domain.Findings, known: domain.Known
) -> RegistrationAccepted:
    unit = findings.unit
    assert unit is not None
    return RegistrationAccepted(
        **base,
        centre_id=data.centre_id,
        name=data.name,
        commune_code=unit.code,
        unit_id=unit.unit_id,
        area_class=data.area_class,
        population_served=data.population_served,
        opened_on=data.opened_on,
        closed_on=data.closed_on,
        predecessors=data.predecessors,
    )


def _accept_recognition(
    data: RecognitionSubmitted, base: Base, findings: domain.Findings, known: domain.Known
) -> RecognitionAccepted:
    unit = findings.unit
    assert unit is not None
    return RecognitionAccepted(
        **base,
        unit_id=unit.unit_id,
        code=unit.code,
        period=data.period,
        level=data.level,
        grade=data.grade,
        decision_number=data.decision_number,
        decided_on=data.decided_on,
        decided_by=data.decided_by,
    )


COMMUNE: Kind[CommuneSubmitted] = Kind(
    name="commune",
    type=EventType.COMMUNE_SUBMITTED,
    subject=lambda data, province: data.unit_code,
    period=lambda data: data.period,
    check=domain.check_commune,
    accept=_accept_commune,
    fact_subject=lambda fact: str(fact.unit_id),
)
CENTRE: Kind[CentreSubmitted] = Kind(
    name="centre",
    type=EventType.CENTRE_SUBMITTED,
    subject=lambda data, province: data.centre_id,
    period=lambda data: data.period,
    check=domain.check_centre,
    accept=_accept_centre,
    fact_subject=lambda fact: str(fact.centre_id),
    centres=lambda data: [data.centre_id],
)
ASSESSMENT: Kind[AssessmentSubmitted] = Kind(
    name="assessment",
    type=EventType.ASSESSMENT_SUBMITTED,
    subject=lambda data, province: f"{data.series}/{data.subject}",
    period=lambda data: data.period,
    check=domain.check_assessment,
    accept=_accept_assessment,
    fact_subject=lambda fact: f"{fact.series}/{fact.subject_id}",
    learning_unit=lambda data: data.subject if data.series == "learning_unit" else None,
)
REGISTRATION: Kind[CentreRegistered] = Kind(
    name="registration",
    type=EventType.CENTRE_REGISTERED,
    subject=lambda data, province: data.centre_id,
    period=lambda data: 0,
    check=domain.check_registration,
    accept=_accept_registration,
    fact_subject=lambda fact: str(fact.centre_id),
    centres=lambda data: [data.centre_id, *data.predecessors],
)
ENVELOPE: Kind[EnvelopeSubmitted] = Kind(
    name="envelope",
    type=EventType.ENVELOPE_SUBMITTED,
    subject=lambda data, province: province,
    period=lambda data: data.year,
    check=domain.check_envelope,
    accept=lambda data, base, findings, known: EnvelopeAccepted(
        **base, year=data.year, purpose=data.purpose, amount=data.amount
    ),
    fact_subject=lambda fact: str(fact.province),
)
SUPPORT: Kind[SupportSubmitted] = Kind(
    name="support",
    type=EventType.SUPPORT_SUBMITTED,
    subject=lambda data, province: data.centre_id,
    period=lambda data: data.year,
    check=domain.check_support,
    accept=lambda data, base, findings, known: SupportAccepted(
        **base, centre_id=data.centre_id, year=data.year, purpose=data.purpose, amount=data.amount
    ),
    fact_subject=lambda fact: str(fact.centre_id),
    centres=lambda data: [data.centre_id],
)
RECOGNITION: Kind[RecognitionSubmitted] = Kind(
    name="recognition",
    type=EventType.RECOGNITION_SUBMITTED,
    subject=lambda data, province: data.unit_code,
    period=lambda data: data.period,
    check=domain.check_recognition,
    accept=_accept_recognition,
    fact_subject=lambda fact: str(fact.unit_id),
)
KINDS: Mapping[SubmissionKind, Kind[Any]] = {
    kind.name: kind for kind in (COMMUNE, CENTRE, ASSESSMENT, REGISTRATION, ENVELOPE, SUPPORT, RECOGNITION)
}
"""By name."""
