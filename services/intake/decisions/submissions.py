"""Submission + state → receipt, accepted fact, new state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.intake import domain
from services.intake.decisions.kinds import KINDS, Kind, S
from services.intake.decisions.receipts import answered, receipt_of, receipt_ref
from services.intake.problems import at_most
from shared.contracts.base import Status, content_hash
from shared.contracts.facts import Accepted, Original, Receipt, RegistrationAccepted
from shared.contracts.topics import sender_of
from shared.messaging.decide.handling import Document, Entry, Outcome, Recalculation, Ref, Route, States
from shared.messaging.decide.register import REGISTER, register_of
from shared.messaging.messages import Outgoing, Received

ACCEPTED_TOPIC = "intake.accepted"
VERSIONS = "versions"
RELEASE = "release/"
"""Scope of the requests to decide held submissions again, followed by the code that they wait for."""


def routes(clock_offset: int) -> Mapping[str, Route[Any]]:
    """Every submission type and how it is handled."""
    return {kind.type: _route(kind, clock_offset) for kind in KINDS.values()}


def _route(kind: Kind[S], clock_offset: int) -> Route[S]:
    return Route(
        lambda received: needs(kind, received), lambda received, states: settle(kind, received, states, clock_offset)
    )


def _taken_ref(received: Received[Any]) -> Ref:
    return Ref("submissions", f"{sender_of(received.position.topic)}/{received.data.submission_id}")


def _aggregate_ref(kind: Kind[S], received: Received[S]) -> Ref:
    subject = kind.subject(received.data, sender_of(received.position.topic))
    return Ref("aggregates", f"{kind.name}/{subject}/{kind.period(received.data)}")


def _registration_ref(centre_id: str) -> Ref:
    return Ref("aggregates", f"registration/{centre_id}/0")


def _owner_ref(learning_unit: str) -> Ref:
    return Ref("learning_units", learning_unit)


def needs(kind: Kind[S], received: Received[S]) -> list[Ref]:
    """Every document that `settle` reads or puts."""
    unit = kind.learning_unit(received.data)
    return [
        REGISTER,
        _taken_ref(received),
        _aggregate_ref(kind, received),
        receipt_ref(received),
        *map(_registration_ref, kind.centres(received.data)),
        *([_owner_ref(unit)] if unit else []),
    ]


def _known(kind: Kind[S], data: S, states: States) -> domain.Known:
    def centre(centre_id: str) -> RegistrationAccepted | None:
        found = states[_registration_ref(centre_id)]
        return RegistrationAccepted.model_validate(found["accepted"]) if found else None

    unit = kind.learning_unit(data)
    owner = states[_owner_ref(unit)] if unit else None
    return domain.Known(
        register_of(states),
        {centre_id: centre(centre_id) for centre_id in kind.centres(data)},
        owner["province"] if owner else None,
    )


def settle(
    kind: Kind[S], received: Received[S], states: States, clock_offset: int, held: Original | None = None
) -> Outcome:
    """Decide one submission. `held`: the receipt under which it waited until now; it is decided as if new."""
    data = received.data
    arrival = domain.Arrival(sender_of(received.position.topic), received.received_at)
    taken_ref, aggregate_ref = _taken_ref(received), _aggregate_ref(kind, received)
    aggregate = states[aggregate_ref]
    taken = _taken(states[taken_ref], held)
    known = _known(kind, data, states)
    findings = kind.check(data, arrival, known)
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
    original = Original.model_validate(taken["original"]) if taken and verdict.status is Status.DUPLICATE else held
    answer = receipt_of(
        received,
        clock_offset,
        status=verdict.status,
        body_hash=body_hash,
        kind=kind.name,
        submission_id=data.submission_id,
        subject=kind.subject(data, arrival.province),
        period=kind.period(data) or None,
        deadline=findings.deadline,
        version=verdict.version,
        original=original,
        problems=at_most(verdict.problems),
        warnings=at_most(findings.warnings) if verdict.accepted else [],
    )
    outcome = answered(received, answer)
    if verdict.status is Status.HELD:
        assert findings.awaited is not None
        outcome.puts[receipt_ref(received)] |= awaiting(findings.awaited)
        # Asked for once more after this is written: so no correction of the register in between is missed.
        outcome.requests.append(Recalculation(release_scope(findings.awaited.code), kind.period(data)))
    if verdict.takes_id:
        outcome.puts[taken_ref] = {"body_hash": body_hash, "original": _original(answer).model_dump(mode="json")}
    elif held is not None:
        outcome.puts[taken_ref] = {"freed_by": answer.receipt_id}
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
        fact = kind.accept(data, base, findings, known)
        outcome.puts[aggregate_ref] = _aggregate(kind.name, answer, contents, fact)
        outcome.puts |= _versions(aggregate_ref, aggregate, _version(answer, contents, fact))
        subject = kind.fact_subject(fact)
        outcome.events.append(Outgoing(ACCEPTED_TOPIC, subject, subject, fact))
        unit = kind.learning_unit(data)
        if unit is not None and known.owner is None:
            outcome.puts[_owner_ref(unit)] = {"province": arrival.province}
    return outcome


def release_scope(code: str) -> str:
    """Scope of the requests to decide again what waits for this code."""
    return RELEASE + code


def awaiting(awaited: domain.Awaited) -> Document:
    """What the receipt of a held submission keeps of what it waits for."""
    return {"awaits": awaited.code, "awaits_on": awaited.on.isoformat()}


def _taken(document: Document | None, held: Original | None) -> Document | None:
    """The earlier submission under the same id, unless it is this very one, or its id was given back."""
    if document is None or "original" not in document:
        return None
    return None if held and document["original"]["receipt_id"] == held.receipt_id else document


def _original(answer: Receipt) -> Original:
    return Original(
        receipt_id=answer.receipt_id,
        received_at=answer.received_at,
        status=answer.status,
        body_hash=answer.body_hash,
    )


def _aggregate(kind: str, answer: Receipt, contents: str, fact: Accepted) -> Document:
    return {
        "kind": kind,
        "subject": answer.subject,
        "period": answer.period,
        "province": fact.province,
        "version": fact.version,
        "content_hash": contents,
        "accepted": fact.model_dump(mode="json"),
    }


def _version(answer: Receipt, contents: str, fact: Accepted) -> Document:
    """What the history says of a version."""
    return {
        "version": fact.version,
        "submission_id": fact.submission_id,
        "receipt_id": fact.receipt_id,
        "received_at": answer.received_at.isoformat(),
        "status": answer.status.value,
        "content_hash": contents,
    }


def _versions(aggregate: Ref, before: Document | None, new: Document) -> dict[Ref, Document]:
    """The new line of the history, and the lines that an older release kept in the aggregate itself."""
    lines = [*((before or {}).get("history") or []), new]
    return {
        Entry(VERSIONS, f"{aggregate.id}/{line['version']:07}"): {"aggregate": aggregate.id, **line} for line in lines
    }
