"""Submission + state → receipt, accepted fact, new state."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.intake import domain
from services.intake.decisions.documents import (
    AGGREGATES,
    LEARNING_UNITS,
    SUBMISSIONS,
    VERSIONS,
    Aggregate,
    Freed,
    Owner,
    Used,
    VersionLine,
)
from services.intake.decisions.kinds import KINDS, Base, Kind, S
from services.intake.decisions.receipts import answered, receipt_of, receipt_ref
from services.intake.problems import at_most
from shared.answers.register import AcceptedVersion
from shared.contracts.base import Status, content_hash
from shared.contracts.facts import Accepted, Original, Receipt, RegistrationAccepted
from shared.contracts.topics import sender_of
from shared.messaging.decide.asking import Ask, Decide, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.decide.register import REGISTER, register_now
from shared.messaging.messages import Outgoing, Received

ACCEPTED_TOPIC = "intake.accepted"


async def settle(kind: Kind[S], received: Received[S], ask: Ask, held: Original | None = None) -> Outcome:
    """Decide one submission. `held`: the receipt under which it waited until now; it is decided as if new."""
    data = received.data
    arrival = domain.Arrival(sender_of(received.position.topic), received.received_at)
    taken_ref = SUBMISSIONS.ref(arrival.province, data.submission_id)
    aggregate_ref = AGGREGATES.ref(kind.name, kind.subject(data, arrival.province), kind.period(data))
    known = await _known(kind, data, ask, [taken_ref, aggregate_ref, receipt_ref(received)])
    taken, before = _taken(await ask.one(taken_ref), held), await ask.one(aggregate_ref)
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
        taken=domain.Taken(taken.body_hash) if taken else None,
        current=domain.Current(before.version, before.content_hash) if before else None,
        findings=findings,
    )
    answer = receipt_of(
        received,
        status=verdict.status,
        body_hash=body_hash,
        kind=kind.name,
        submission_id=data.submission_id,
        subject=kind.subject(data, arrival.province),
        period=kind.period(data) or None,
        deadline=findings.deadline,
        version=verdict.version,
        original=taken.original if taken and verdict.status is Status.DUPLICATE else held,
        problems=at_most(verdict.problems),
        warnings=at_most(findings.warnings) if verdict.accepted else [],
    )
    outcome = answered(received, answer, findings.awaited if verdict.status is Status.HELD else None)
    if verdict.takes_id:
        outcome.put(taken_ref, Used(body_hash=body_hash, original=original_of(answer)))
    elif held is not None:
        outcome.put(taken_ref, Freed(freed_by=answer.receipt_id))
    if verdict.accepted:
        base = _told(answer, "version", "submission_id", "receipt_id", "province", "received_at")
        late = {"late": verdict.status is Status.ACCEPTED_LATE}
        fact = kind.accept(data, base | late, findings, known)
        _keep(outcome, aggregate_ref, before, answer, contents, fact)
        subject = kind.fact_subject(fact)
        outcome.events.append(Outgoing(ACCEPTED_TOPIC, subject, subject, fact))
        unit = kind.learning_unit(data)
        if unit is not None and known.owner is None:
            outcome.put(LEARNING_UNITS.ref(unit), Owner(province=arrival.province))
    return outcome


async def _known(kind: Kind[S], data: S, ask: Ask, besides: list[Ref[Any]]) -> domain.Known:
    """What the submission is checked against. With it, in one round, `besides` all else that is decided on."""
    centres = {centre_id: AGGREGATES.ref("registration", centre_id, 0) for centre_id in kind.centres(data)}
    owners = [LEARNING_UNITS.ref(unit)] if (unit := kind.learning_unit(data)) else []
    await ask.many([REGISTER, *besides, *centres.values(), *owners])
    registered = zip(centres, await ask.many(centres.values()), strict=True)
    return domain.Known(
        await register_now(ask),
        {centre_id: _registration(found) for centre_id, found in registered},
        next((owner.province for owner in await ask.many(owners) if owner), None),
    )


def _registration(found: Aggregate | None) -> RegistrationAccepted | None:
    if found is None:
        return None
    assert isinstance(found.accepted, RegistrationAccepted)
    return found.accepted


def _taken(found: Used | Freed | None, held: Original | None) -> Used | None:
    """The earlier submission under the same id, unless it is this very one, or its id was given back."""
    if not isinstance(found, Used):
        return None
    return None if held and found.original.receipt_id == held.receipt_id else found


def original_of(answer: Receipt) -> Original:
    """The receipt as later ones refer to it."""
    return Original(
        receipt_id=answer.receipt_id,
        received_at=answer.received_at,
        status=answer.status,
        body_hash=answer.body_hash,
    )


def _told(answer: Receipt, *names: str) -> Base:
    return {name: getattr(answer, name) for name in names}


def _keep(
    outcome: Outcome, ref: Ref[Aggregate], before: Aggregate | None, answer: Receipt, contents: str, fact: Accepted
) -> None:
    """What is accepted now, its line of the history, and the lines that an older release kept in the aggregate."""
    about = _told(answer, "kind", "subject", "period", "province", "version")
    outcome.put(ref, Aggregate(**about, content_hash=contents, accepted=fact))
    about = _told(answer, "version", "submission_id", "receipt_id", "received_at", "status")
    lines = [*(before.history if before else ()), AcceptedVersion(**about, content_hash=contents)]
    for line in lines:
        outcome.put(VERSIONS.ref(ref.id, f"{line.version:07}"), VersionLine(aggregate=ref.id, **dict(line)))


routes: Mapping[str, Decide[Received[Any]]] = {kind.type: partial(settle, kind) for kind in KINDS.values()}
