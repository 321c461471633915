"""The kinds of submission, and what a record can do with one: file it, withdraw it, revoke it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.intake import domain
from services.intake.decisions.documents import AGGREGATES, Aggregate
from shared.contracts.catalogue import EventType
from shared.contracts.facts import (
    Accepted,
    Act,
    AssessmentAccepted,
    CentreAccepted,
    CommuneAccepted,
    EnvelopeAccepted,
    RecognitionAccepted,
    RegistrationAccepted,
    Revocation,
    SubmissionKind,
    SupportAccepted,
    Withdrawn,
)
from shared.contracts.series import OWN_IDS, kind_of
from shared.contracts.submissions import (
    AssessmentSubmitted,
    CentreRegistered,
    CentreSubmitted,
    CommuneSubmitted,
    EnvelopeSubmitted,
    RecognitionRevoked,
    RecognitionSubmitted,
    Submission,
    SupportSubmitted,
    Withdrawal,
)
from shared.messaging.decide.documents import Ref

S = TypeVar("S", bound=Submission)
Base = dict[str, Any]
"""The fields that every accepted fact has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[S]):
    """What differs between the kinds of submission. What is asked of `Any` is asked of withdrawals too."""

    name: SubmissionKind
    type: EventType
    withdrawal: EventType
    subject: Callable[[Any, str], str]
    """`(submission, province)` → what it speaks of, as sent."""
    period: Callable[[Any], int]
    """Period or year; 0 for facts without one."""
    check: Callable[[S, domain.Arrival, domain.Known], domain.Findings]
    accept: Callable[[S, Base, domain.Findings, domain.Known], Accepted]
    fact_subject: Callable[[Any], str]
    code: Callable[[Any], str] | None = None
    """The subject's code, where `subject` says more than that."""
    apart: Callable[[Any], str | None] = lambda data: None
    """Under which name it is kept beside others of its kind, subject and year."""
    named: Callable[[Any], domain.Named | None] = lambda data: None
    """The subject, where the register knows such."""
    centre: Callable[[Any], str | None] = lambda data: None
    """The centre that it is of."""
    predecessors: Callable[[S], list[str]] = lambda data: []
    """Other centres that it names."""
    own_id: Callable[[Any], str | None] = lambda data: None
    """Under which name the owner is kept of what no register holds."""

    def key(self, data: Submission, province: str) -> str:
        """Under which key its record keeps its place among others of its subject."""
        return self.code(data) if self.code else self.subject(data, province)

    def ref(self, data: Submission, province: str) -> Ref[Aggregate]:
        """Where it is kept what is accepted of the same."""
        return AGGREGATES.ref(self.apart(data) or self.name, self.subject(data, province), self.period(data))


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
    centre = known.centre(data.centre_id)
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
        suspended_on=data.suspended_on,
        resumed_on=data.resumed_on,
        act=data.act,
        decision_number=data.decision_number,
        decided_on=data.decided_on,
        decided_by=data.decided_by,
    )


def _accept_recognition(
    data: RecognitionSubmitted, base: Base, findings: domain.Findings, known: domain.Known
) -> RecognitionAccepted:
    subject = findings.subject
    assert subject is not None
    return RecognitionAccepted(
        **base,
        series=data.series,
        unit_id=subject.id,
        code=data.unit_code,
        standard=data.standard,
        period=data.period,
        level=data.level,
        grade=data.grade,
        decision_number=data.decision_number,
        decided_on=data.decided_on,
        decided_by=data.decided_by,
    )


def owned_as(series: str, id: str) -> str | None:
    """Under which name it is kept to whom an id belongs that is a province's own; `None`: a register has it."""
    kind = kind_of(series)
    if kind not in OWN_IDS:
        return None
    return id if kind == "learning_unit" else f"{kind}/{id}"


def recognised(series: str, subject: str, standard: str | None) -> str:
    """`<series>/<subject>[/<standard>]`; of a commune's decision the commune alone."""
    return "/".join(part for part in (series if series != "commune" else "", subject, standard) if part)


COMMUNE: Kind[CommuneSubmitted] = Kind(
    name="commune",
    type=EventType.COMMUNE_SUBMITTED,
    withdrawal=EventType.COMMUNE_WITHDRAWN,
    subject=lambda data, province: data.unit_code,
    period=lambda data: data.period,
    check=domain.check_commune,
    accept=_accept_commune,
    fact_subject=lambda fact: str(fact.unit_id),
    named=lambda data: domain.Named("commune", data.unit_code, "/unit_code", data.period, system=data.code_system),
)
CENTRE: Kind[CentreSubmitted] = Kind(
    name="centre",
    type=EventType.CENTRE_SUBMITTED,
    withdrawal=EventType.CENTRE_WITHDRAWN,
    subject=lambda data, province: data.centre_id,
    period=lambda data: data.period,
    check=domain.check_centre,
    accept=_accept_centre,
    fact_subject=lambda fact: str(fact.centre_id),
    centre=lambda data: str(data.centre_id),
)
ASSESSMENT: Kind[AssessmentSubmitted] = Kind(
    name="assessment",
    type=EventType.ASSESSMENT_SUBMITTED,
    withdrawal=EventType.ASSESSMENT_WITHDRAWN,
    subject=lambda data, province: f"{data.series}/{data.subject}",
    code=lambda data: str(data.subject),
    period=lambda data: data.period,
    check=domain.check_assessment,
    accept=_accept_assessment,
    fact_subject=lambda fact: f"{fact.series}/{fact.subject_id}",
    named=lambda data: domain.Named(data.series, data.subject, "/subject", data.period, system=data.code_system),
    centre=lambda data: str(data.subject) if kind_of(data.series) == "centre" else None,
    own_id=lambda data: owned_as(data.series, data.subject),
)
REGISTRATION: Kind[CentreRegistered] = Kind(
    name="registration",
    type=EventType.CENTRE_REGISTERED,
    withdrawal=EventType.REGISTRATION_WITHDRAWN,
    subject=lambda data, province: data.centre_id,
    period=lambda data: 0,
    check=domain.check_registration,
    accept=_accept_registration,
    fact_subject=lambda fact: str(fact.centre_id),
    centre=lambda data: str(data.centre_id),
    predecessors=lambda data: data.predecessors,
)
ENVELOPE: Kind[EnvelopeSubmitted] = Kind(
    name="envelope",
    type=EventType.ENVELOPE_SUBMITTED,
    withdrawal=EventType.ENVELOPE_WITHDRAWN,
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
    withdrawal=EventType.SUPPORT_WITHDRAWN,
    subject=lambda data, province: data.centre_id,
    period=lambda data: data.year,
    check=domain.check_support,
    accept=lambda data, base, findings, known: SupportAccepted(
        **base, centre_id=data.centre_id, year=data.year, purpose=data.purpose, amount=data.amount
    ),
    fact_subject=lambda fact: str(fact.centre_id),
    apart=lambda data: "equipment" if data.purpose == "equipment" else None,
    centre=lambda data: str(data.centre_id),
)
RECOGNITION: Kind[RecognitionSubmitted] = Kind(
    name="recognition",
    type=EventType.RECOGNITION_SUBMITTED,
    withdrawal=EventType.RECOGNITION_WITHDRAWN,
    subject=lambda data, province: recognised(data.series, data.unit_code, data.standard),
    code=lambda data: str(data.unit_code),
    period=lambda data: data.period,
    check=domain.check_recognition,
    accept=_accept_recognition,
    fact_subject=lambda fact: recognised(fact.series, fact.unit_id, fact.standard),
    named=domain.named,
    own_id=lambda data: owned_as(data.series, data.unit_code),
)
KINDS: Mapping[SubmissionKind, Kind[Any]] = {
    kind.name: kind for kind in (COMMUNE, CENTRE, ASSESSMENT, REGISTRATION, ENVELOPE, SUPPORT, RECOGNITION)
}
"""By name."""


# --------------------------------------------------------------------------------------------------- what is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed(Generic[S]):
    """What a type of record does with what is accepted of a kind."""

    act: Act
    type: EventType
    kind: Kind[Any]
    check: Callable[[S, domain.Arrival, domain.Known], domain.Findings]
    accept: Callable[[S, Base, domain.Findings, domain.Known], Accepted]

    def centres(self, data: S) -> list[str]:
        """Centres whose registrations are needed for the decision."""
        centre = self.kind.centre(data)
        others = self.kind.predecessors(data) if self.act == "submission" else []
        return [*([centre] if centre else []), *others]


def filing(kind: Kind[Any]) -> Deed[Any]:
    """A submission itself, the first one or a correction."""
    return Deed(act="submission", type=kind.type, kind=kind, check=kind.check, accept=kind.accept)


def _withdrawing(kind: Kind[Any]) -> Deed[Withdrawal]:
    def check(data: Withdrawal, arrival: domain.Arrival, known: domain.Known) -> domain.Findings:
        named = kind.named(data)
        return domain.check_withdrawal(named, None if named else kind.centre(data), arrival, known)

    def accept(data: Withdrawal, base: Base, findings: domain.Findings, known: domain.Known) -> Withdrawn:
        assert known.current is not None
        return Withdrawn(
            **base,
            kind=kind.name,
            subject=kind.fact_subject(known.current),
            period=kind.period(data) or None,
            purpose=getattr(data, "purpose", None),
            withdraws=data.corrects_version,
        )

    return Deed(act="withdrawal", type=kind.withdrawal, kind=kind, check=check, accept=accept)


def _accept_revocation(
    data: RecognitionRevoked, base: Base, findings: domain.Findings, known: domain.Known
) -> RecognitionAccepted:
    assert isinstance(known.current, RecognitionAccepted)
    revocation = Revocation(
        decision_number=data.decision_number,
        decided_on=data.decided_on,
        decided_by=data.decided_by,
        effective_from=data.effective_from or data.decided_on,
        reason=data.reason,
    )
    return known.current.model_copy(update=base | {"revocation": revocation})


DEEDS: Mapping[str, Deed[Any]] = {
    deed.type: deed
    for deed in (
        *map(filing, KINDS.values()),
        *map(_withdrawing, KINDS.values()),
        Deed(
            act="revocation",
            type=EventType.RECOGNITION_REVOKED,
            kind=RECOGNITION,
            check=domain.check_revocation,
            accept=_accept_revocation,
        ),
    )
}
"""By the type of the record."""
