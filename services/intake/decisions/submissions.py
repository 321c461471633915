"""Submission + state → receipt, accepted fact, new state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from services.intake.decisions.doubting import doubts_now
from services.intake.decisions.kinds import DEEDS, REGISTRATION, Base, Deed, S
from services.intake.decisions.lifetimes import left_outside
from services.intake.decisions.periods import bind
from services.intake.decisions.receipts import answered, receipt_of, receipt_ref
from services.intake.problems import at_most
from shared.answers.register import AcceptedVersion
from shared.contracts.base import Problem, Status, content_hash
from shared.contracts.facts import Accepted, MinistryOrder, Original, Receipt, RegistrationAccepted, Withdrawn
from shared.contracts.submissions import Coded
from shared.contracts.topics import sender_of
from shared.messaging.decide.asking import Ask, Decide, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.decide.register import REGISTER, register_now
from shared.messaging.messages import Outgoing, Received
from shared.refusals import problem

ACCEPTED_TOPIC = "intake.accepted"


NOT_CONTENT = frozenset({"submission_id", "corrects_version", "reason"})
LATER: Mapping[str, Any] = {
    "reason": None,
    "series": "commune",
    "standard": None,
    "code_system": None,
    **dict.fromkeys(("suspended_on", "resumed_on", "act", "decision_number", "decided_on", "decided_by")),
}
"""Fields that the contracts got later, and what a body without them says. They stand in no hash then, so that what an
older release accepted is recognised when it comes again."""


async def settle(
    deed: Deed[S],
    received: Received[S],
    ask: Ask,
    held: Original | None = None,
    under: MinistryOrder | None = None,
) -> Outcome:
    """Decide one record. `held`: the receipt under which it waited until now; it is decided as if new.
    `under`: the order to which no period is closed."""
    said, kind = received.data, deed.kind
    arrival = domain.Arrival(sender_of(received.position.topic), received.received_at)
    data, notes = await _in_codes_of_its_day(said, arrival, ask)
    taken_ref, aggregate_ref = SUBMISSIONS.ref(arrival.province, data.submission_id), kind.ref(data, arrival.province)
    known = await _known(deed, data, ask, aggregate_ref, [taken_ref, receipt_ref(received)])
    taken, before = _taken(await ask.one(taken_ref), held), await ask.one(aggregate_ref)
    findings = deed.check(data, arrival, known)
    findings.warnings += [*notes, *_key_differs(received, kind.key(said, arrival.province))]
    findings.warnings += await left_outside(data, known.current, arrival, ask)
    await bind(findings, kind, data, arrival, ask, under)
    body_hash = content_hash(_body(deed, said))
    contents = content_hash({name: value for name, value in _body(deed, data).items() if name not in NOT_CONTENT})
    verdict = domain.decide(
        act=deed.act,
        sender=arrival.province,
        submission_id=data.submission_id,
        corrects_version=data.corrects_version,
        body_hash=body_hash,
        content_hash=contents,
        received_at=received.received_at,
        taken=domain.Taken(taken.body_hash) if taken else None,
        current=domain.Current(before.version, before.content_hash, before.act, before.accepted) if before else None,
        findings=findings,
    )
    answer = receipt_of(
        received,
        status=verdict.status,
        body_hash=body_hash,
        kind=kind.name,
        act=deed.act,
        submission_id=data.submission_id,
        subject=kind.subject(data, arrival.province),
        period=kind.period(data) or None,
        purpose=kind.apart(data),
        deadline=findings.deadline,
        version=verdict.version,
        original=taken.original if taken and verdict.status is Status.DUPLICATE else held,
        under=findings.under,
        problems=at_most(verdict.problems),
        warnings=at_most(verdict.warnings),
    )
    fact = None
    if verdict.accepted:
        base = _told(answer, "version", "submission_id", "receipt_id", "province", "received_at", "under")
        base |= {"late": verdict.status is Status.ACCEPTED_LATE, "reason": data.reason}
        fact = deed.accept(data, base, findings, known)
        doubts = await doubts_now(kind.name, fact, ask)
        answer = answer.model_copy(update={"warnings": at_most([*verdict.warnings, *findings.warnings, *doubts])})
    outcome = answered(received, answer, findings.awaited if verdict.status is Status.HELD else None)
    if verdict.takes_id:
        outcome.put(taken_ref, Used(body_hash=body_hash, original=original_of(answer)))
    elif held is not None:
        outcome.put(taken_ref, Freed(freed_by=answer.receipt_id))
    if fact is not None:
        _keep(outcome, aggregate_ref, before, answer, contents, fact)
        subject = fact.subject if isinstance(fact, Withdrawn) else kind.fact_subject(fact)
        outcome.events.append(Outgoing(ACCEPTED_TOPIC, subject, subject, fact))
        unit = kind.own_id(data)
        if unit is not None and known.owner is None:
            outcome.put(LEARNING_UNITS.ref(unit), Owner(province=arrival.province))
    return outcome


async def _in_codes_of_its_day(said: S, arrival: domain.Arrival, ask: Ask) -> tuple[S, list[Problem]]:
    """Of few it is asked, and the register is one more round."""
    if not isinstance(said, Coded) or said.code_system is None:
        return said, []
    return domain.in_codes_of_its_day(said, arrival, await register_now(ask))


def _key_differs(received: Received[S], key: str) -> Iterator[Problem]:
    """A doubt, no refusal: what protects a subject is the version that a change names. The key only keeps the order
    between records of one sender, and its software may share out keys in another way than ours anyway."""
    if received.key is not None and received.key != key:
        yield problem("envelope.key_differs", given=received.key[:100], key=key)


def _body(deed: Deed[S], data: S) -> dict[str, Any]:
    """What is hashed of a record. Two kinds of withdrawal may have the same fields."""
    body = data.model_dump(mode="json")
    told = {name: said for name, said in body.items() if name not in LATER or said != LATER.get(name)}
    return told if deed.act == "submission" else told | {"type": deed.type}


async def _known(deed: Deed[S], data: S, ask: Ask, aggregate: Ref[Aggregate], besides: list[Ref[Any]]) -> domain.Known:
    """What the submission is checked against. With it, in one round, `besides` all else that is decided on."""
    centres = {centre_id: AGGREGATES.ref(REGISTRATION.name, centre_id, 0) for centre_id in deed.centres(data)}
    owners = [LEARNING_UNITS.ref(unit)] if (unit := deed.kind.own_id(data)) else []
    await ask.many([REGISTER, aggregate, *besides, *centres.values(), *owners])
    registered = zip(centres, await ask.many(centres.values()), strict=True)
    current = await ask.one(aggregate)
    return domain.Known(
        await register_now(ask),
        {centre_id: registration_of(found) for centre_id, found in registered},
        next((owner.province for owner in await ask.many(owners) if owner), None),
        current.accepted if current else None,
    )


def registration_of(found: Aggregate | None) -> RegistrationAccepted | Withdrawn | None:
    """The registration that is accepted of a centre, or its withdrawal."""
    if found is None:
        return None
    assert isinstance(found.accepted, RegistrationAccepted | Withdrawn)
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
    about = _told(answer, "kind", "subject", "period", "province", "version", "act")
    outcome.put(ref, Aggregate(**about, content_hash=contents, accepted=fact))
    about = _told(answer, "version", "act", "submission_id", "receipt_id", "received_at", "status")
    line = AcceptedVersion(**about, reason=fact.reason, content_hash=contents)
    lines = [*(before.history if before else ()), line]
    for line in lines:
        outcome.put(VERSIONS.ref(ref.id, f"{line.version:07}"), VersionLine(aggregate=ref.id, **dict(line)))


routes: Mapping[str, Decide[Received[Any]]] = {type_: partial(settle, deed) for type_, deed in DEEDS.items()}
