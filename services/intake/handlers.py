"""Submission + state → receipt, accepted fact, new state. Pure; called by the pipeline.

Collections: `submissions` (ids that are used up), `aggregates` (what is accepted per kind, subject and period, with its
history), `receipts` (every answer ever given, with the raw bytes it answers).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bson import Binary

from services.intake import domain
from services.intake.problems import at_most, of_unreadable
from shared.contracts.base import IDENTIFIER, Status, content_hash
from shared.contracts.catalogue import EventType
from shared.contracts.facts import (
    Accepted,
    CentreAccepted,
    CommuneAccepted,
    EnvelopeAccepted,
    Original,
    Receipt,
    RecognitionAccepted,
    RegistrationAccepted,
    SubmissionKind,
    SupportAccepted,
)
from shared.contracts.submissions import (
    CentreRegistered,
    CentreSubmitted,
    CommuneSubmitted,
    EnvelopeSubmitted,
    RecognitionSubmitted,
    Submission,
    SupportSubmitted,
)
from shared.contracts.topics import sender_of
from shared.messaging.handling import (
    Document,
    Outcome,
    Outgoing,
    Received,
    Ref,
    Route,
    States,
    Unreadable,
    derived_id,
)

S = TypeVar("S", bound=Submission)
ACCEPTED_TOPIC = "intake.accepted"
_IDENTIFIER = re.compile(IDENTIFIER)
KINDS: Mapping[str, SubmissionKind] = {
    EventType.COMMUNE_SUBMITTED: "commune",
    EventType.CENTRE_SUBMITTED: "centre",
    EventType.CENTRE_REGISTERED: "registration",
    EventType.ENVELOPE_SUBMITTED: "envelope",
    EventType.SUPPORT_SUBMITTED: "support",
    EventType.RECOGNITION_SUBMITTED: "recognition",
}


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """What differs between the kinds of submission."""

    name: SubmissionKind
    subject: Callable[[S, str], str]
    """`(submission, province)` → what it speaks of, as sent."""
    period: Callable[[S], int]
    """Period or year; 0 for facts without one."""
    centre: Callable[[S], str | None]
    """Centre whose registration is needed for the decision."""
    check: Callable[[S, domain.Arrival, RegistrationAccepted | None], domain.Findings]
    accept: Callable[[S, dict[str, Any], domain.Findings, RegistrationAccepted | None], Accepted]
    """`(submission, fields every accepted fact has, findings, centre)` → the fact."""
    fact_subject: Callable[[Any], str]


def _accept_commune(
    data: CommuneSubmitted,
    base: dict[str, Any],
    findings: domain.Findings,
    centre: RegistrationAccepted | None,
) -> CommuneAccepted:
    unit = findings.unit
    assert unit is not None
    return CommuneAccepted(
        **base,
        unit_id=unit.unit_id,
        code=unit.code,
        name=unit.name,
        holder=unit.province_code,
        period=data.period,
        rubric=data.rubric,
        content=data.content,
    )


def _accept_centre(
    data: CentreSubmitted,
    base: dict[str, Any],
    findings: domain.Findings,
    centre: RegistrationAccepted | None,
) -> CentreAccepted:
    assert centre is not None
    return CentreAccepted(
        **base,
        centre_id=data.centre_id,
        name=centre.name,
        commune_code=centre.commune_code,
        period=data.period,
        rubric=data.rubric,
        content=data.content,
    )


def _accept_registration(
    data: CentreRegistered,
    base: dict[str, Any],
    findings: domain.Findings,
    centre: RegistrationAccepted | None,
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
    )


def _accept_recognition(
    data: RecognitionSubmitted,
    base: dict[str, Any],
    findings: domain.Findings,
    centre: RegistrationAccepted | None,
) -> RecognitionAccepted:
    unit = findings.unit
    assert unit is not None
    return RecognitionAccepted(
        **base,
        unit_id=unit.unit_id,
        code=unit.code,
        period=data.period,
        level=data.level,
        decision_number=data.decision_number,
        decided_on=data.decided_on,
        decided_by=data.decided_by,
    )


COMMUNE: Kind[CommuneSubmitted] = Kind(
    "commune",
    lambda data, province: data.unit_code,
    lambda data: data.period,
    lambda data: None,
    lambda data, arrival, centre: domain.check_commune(data, arrival),
    _accept_commune,
    lambda fact: str(fact.unit_id),
)
CENTRE: Kind[CentreSubmitted] = Kind(
    "centre",
    lambda data, province: data.centre_id,
    lambda data: data.period,
    lambda data: data.centre_id,
    domain.check_centre,
    _accept_centre,
    lambda fact: str(fact.centre_id),
)
REGISTRATION: Kind[CentreRegistered] = Kind(
    "registration",
    lambda data, province: data.centre_id,
    lambda data: 0,
    lambda data: data.centre_id,
    domain.check_registration,
    _accept_registration,
    lambda fact: str(fact.centre_id),
)
ENVELOPE: Kind[EnvelopeSubmitted] = Kind(
    "envelope",
    lambda data, province: province,
    lambda data: data.year,
    lambda data: None,
    lambda data, arrival, centre: domain.check_envelope(data, arrival),
    lambda data, base, findings, centre: EnvelopeAccepted(
        **base, year=data.year, purpose=data.purpose, amount=data.amount
    ),
    lambda fact: str(fact.province),
)
SUPPORT: Kind[SupportSubmitted] = Kind(
    "support",
    lambda data, province: data.centre_id,
    lambda data: data.year,
    lambda data: data.centre_id,
    domain.check_support,
    lambda data, base, findings, centre: SupportAccepted(
        **base, centre_id=data.centre_id, year=data.year, purpose=data.purpose, amount=data.amount
    ),
    lambda fact: str(fact.centre_id),
)
RECOGNITION: Kind[RecognitionSubmitted] = Kind(
    "recognition",
    lambda data, province: data.unit_code,
    lambda data: data.period,
    lambda data: None,
    lambda data, arrival, centre: domain.check_recognition(data, arrival),
    _accept_recognition,
    lambda fact: str(fact.unit_id),
)


def receipt_ref(received: Received[Any]) -> Ref:
    """The receipt of a record; its id is also the id of the receipt's event."""
    return Ref("receipts", derived_id(received.event_id, 0))


def _aggregate_ref(kind: str, subject: str, period: int) -> Ref:
    return Ref("aggregates", f"{kind}/{subject}/{period}")


def registration_of(states: States, centre_id: str | None) -> RegistrationAccepted | None:
    """The centre as registered now."""
    if centre_id is None:
        return None
    found = states[_aggregate_ref("registration", centre_id, 0)]
    return RegistrationAccepted.model_validate(found["accepted"]) if found else None


def _route(kind: Kind[S], clock_offset: int) -> Route[S]:
    def refs(received: Received[S]) -> tuple[Ref, Ref, Ref]:
        data, province = received.data, sender_of(received.position.topic)
        return (
            Ref("submissions", f"{province}/{data.submission_id}"),
            _aggregate_ref(kind.name, kind.subject(data, province), kind.period(data)),
            receipt_ref(received),
        )

    def needs(received: Received[S]) -> list[Ref]:
        centre = kind.centre(received.data)
        return [*refs(received), *([_aggregate_ref("registration", centre, 0)] if centre else [])]

    def handle(received: Received[S], states: States) -> Outcome:
        data = received.data
        arrival = domain.Arrival(sender_of(received.position.topic), received.received_at)
        taken_ref, aggregate_ref, receipt = refs(received)
        taken, aggregate = states[taken_ref], states[aggregate_ref]
        centre = registration_of(states, kind.centre(data))
        findings = kind.check(data, arrival, centre)
        body = data.model_dump(mode="json")
        body_hash = content_hash(body)
        contents = content_hash({k: v for k, v in body.items() if k not in ("submission_id", "corrects_version")})
        verdict = domain.decide(
            submission_id=data.submission_id,
            corrects_version=data.corrects_version,
            body_hash=body_hash,
            content_hash=contents,
            received_at=received.received_at,
            taken=domain.Taken(taken["body_hash"]) if taken else None,
            current=domain.Current(aggregate["version"], aggregate["content_hash"]) if aggregate else None,
            findings=findings,
        )
        answer = _receipt(
            received,
            arrival.province,
            clock_offset,
            receipt_id=receipt.id,
            status=verdict.status,
            body_hash=body_hash,
            kind=kind.name,
            submission_id=data.submission_id,
            subject=kind.subject(data, arrival.province),
            period=kind.period(data) or None,
            deadline=findings.deadline,
            version=verdict.version,
            original=Original.model_validate(taken["original"])
            if taken and verdict.status is Status.DUPLICATE
            else None,
            problems=at_most(verdict.problems),
            warnings=findings.warnings if verdict.accepted else [],
        )
        outcome = _answered(received, answer)
        if verdict.takes_id:
            outcome.puts[taken_ref] = {
                "body_hash": body_hash,
                "original": {
                    "receipt_id": answer.receipt_id,
                    "received_at": answer.received_at.isoformat(),
                    "status": answer.status.value,
                    "body_hash": body_hash,
                },
            }
        if verdict.accepted:
            assert verdict.version is not None
            base = {
                "version": verdict.version,
                "submission_id": data.submission_id,
                "receipt_id": answer.receipt_id,
                "province": arrival.province,
                "received_at": received.received_at,
                "late": verdict.status is Status.ACCEPTED_LATE,
            }
            fact = kind.accept(data, base, findings, centre)
            outcome.puts[aggregate_ref] = _aggregate(kind.name, answer, contents, fact, aggregate)
            subject = kind.fact_subject(fact)
            outcome.events.append(Outgoing(ACCEPTED_TOPIC, subject, subject, fact))
        return outcome

    return Route(needs, handle)


def _refuse(clock_offset: int) -> Route[Unreadable]:
    """Answer a record that could not be read: rejected, every problem named, the raw bytes kept."""

    def handle(received: Received[Unreadable], states: States) -> Outcome:
        unreadable = received.data
        body = unreadable.body if isinstance(unreadable.body, dict) else {}
        answer = _receipt(
            received,
            sender_of(received.position.topic),
            clock_offset,
            receipt_id=receipt_ref(received).id,
            status=Status.REJECTED,
            body_hash=hashlib.sha256(received.raw).hexdigest(),
            kind=KINDS.get(unreadable.type or ""),
            submission_id=_identifier(body.get("submission_id")),
            subject=_identifier(body.get("centre_id")) or _identifier(body.get("unit_code")),
            period=_year(body.get("period", body.get("year"))),
            problems=at_most(of_unreadable(unreadable)),
        )
        return _answered(received, answer)

    return Route(lambda received: [receipt_ref(received)], handle)


def _receipt(received: Received[Any], province: str, clock_offset: int, **fields: Any) -> Receipt:
    return Receipt(
        province=province,
        received_at=received.received_at,
        clock_offset_seconds=clock_offset,
        channel=str(received.position),
        **fields,
    )


def _answered(received: Received[Any], answer: Receipt) -> Outcome:
    """The receipt, kept and sent. It must stay the first event: its id is derived as index 0."""
    kept: Document = {
        "receipt": answer.model_dump(mode="json"),
        "province": answer.province,
        "status": answer.status.value,
        "kind": answer.kind,
        "subject": answer.subject,
        "period": answer.period,
        "submission_id": answer.submission_id,
        "received_at": received.received_at,
        "traceparent": received.traceparent,
        "raw": Binary(received.raw),
    }
    key = answer.subject or answer.province
    return Outcome(
        puts={receipt_ref(received): kept},
        events=[Outgoing(f"receipts.{answer.province}", key, key, answer)],
        verdict=answer.status.value,
    )


def _aggregate(kind: str, answer: Receipt, contents: str, fact: Accepted, before: Document | None) -> Document:
    entry = {
        "version": fact.version,
        "submission_id": fact.submission_id,
        "receipt_id": fact.receipt_id,
        "received_at": answer.received_at.isoformat(),
        "status": answer.status.value,
        "content_hash": contents,
    }
    return {
        "kind": kind,
        "subject": answer.subject,
        "period": answer.period,
        "province": fact.province,
        "version": fact.version,
        "content_hash": contents,
        "accepted": fact.model_dump(mode="json"),
        "history": [*(before["history"] if before else []), entry],
    }


def _identifier(value: object) -> str | None:
    """What is surely an identifier; anything else from an unreadable body is not repeated to anybody."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None


def _year(value: object) -> int | None:
    return value if isinstance(value, int) and 1900 < value < 2200 else None


def routes(clock_offset: int) -> dict[str, Route[Any]]:
    """Every submission type and how it is handled."""
    kinds: list[Kind[Any]] = [COMMUNE, CENTRE, REGISTRATION, ENVELOPE, SUPPORT, RECOGNITION]
    by_name = {kind.name: kind for kind in kinds}
    return {type_: _route(by_name[name], clock_offset) for type_, name in KINDS.items()}


def refusals(clock_offset: int) -> Route[Unreadable]:
    """How a record that cannot be read is answered."""
    return _refuse(clock_offset)
