"""What each event leaves behind: the newest version of its document. What follows from it is computed over the set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.funding.decisions.activity import on_activity
from services.funding.decisions.journal import DECISIONS, OPERATING
from services.funding.decisions.proposal.inputs import (
    CENTRES,
    ENVELOPES,
    EQUIPMENT,
    FILES,
    PAYMENTS,
    PENDING,
    RECOGNISED,
    SCORES,
    SUPPORTS,
    Files,
    Pending,
    Score,
    about,
    again,
    deadline_of,
)
from services.funding.decisions.reconciling import compare_again
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.facts import (
    CentreAccepted,
    CentreScored,
    EnvelopeAccepted,
    PaymentAccepted,
    Purpose,
    Receipt,
    RecognitionAccepted,
    RegistrationAccepted,
    SupportAccepted,
    Withdrawn,
)
from shared.messaging.decide import people
from shared.messaging.decide.asking import STALE, Ask, Decide, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Received
from shared.rulebook import NoRuleInForce

IGNORED = "ignored"
UNSETTLED = frozenset({Status.REJECTED, Status.HELD, Status.CONFLICT})
PERIODS = range(2013, 2101)
"""The periods that contracts admit (`shared.contracts.base.Year`); a receipt only repeats what a sender claimed."""


Fact = (
    RegistrationAccepted
    | EnvelopeAccepted
    | SupportAccepted
    | PaymentAccepted
    | RecognitionAccepted
    | Withdrawn
    | Score
)
GRADED = "centre/"
"""How the subject of a decision on a centre's grade begins."""


async def _newest(ref: Ref[Fact], fact: Fact, ask: Ask) -> Outcome:
    known = await ask.one(ref)
    return Outcome({ref: fact}) if known is None or fact.version > known.version else Outcome(verdict=STALE)


async def _of_centre(ref: Ref[Fact], fact: Fact, centre_id: str, ask: Ask) -> Outcome:
    await ask.many([ref, CENTRES.ref(centre_id)])  # both in one round
    return await _elsewhere(await _newest(ref, fact, ask), fact, centre_id, ask)


async def _elsewhere(outcome: Outcome, fact: Fact | Files, centre_id: str, ask: Ask) -> Outcome:
    """A fact tells the province that it comes from; another one may have the centre by now."""
    centre = await ask.one(CENTRES.ref(centre_id))
    if outcome.puts and centre and centre.province != fact.province:
        wanted = (
            [again(centre.province)]
            if isinstance(fact, Score | Files | RecognitionAccepted)
            else about(centre.province)
        )
        outcome.requests += wanted
    return outcome


async def on_registration(event: Received[RegistrationAccepted], ask: Ask) -> Outcome:
    """A centre as it is registered."""
    return await _of_register(event.data.centre_id, event.data, ask)


async def _of_register(centre_id: str, fact: RegistrationAccepted | Withdrawn, ask: Ask) -> Outcome:
    """What the register says of a centre. Whoever shared with it what it no longer continues has more of that now, and
    nothing that is kept afterwards names the two together."""
    ref = CENTRES.ref(centre_id)
    outcome, known = await _newest(ref, fact, ask), await ask.one(ref)
    if outcome.puts and isinstance(known, RegistrationAccepted):
        kept = fact.predecessors if isinstance(fact, RegistrationAccepted) else ()
        left = await ask.many(CENTRES.ref(key) for key in sorted({*known.predecessors} - {*kept}))
        for province in sorted({each.province for each in left if each}):
            outcome.requests += about(province)
    return outcome


async def on_envelope(event: Received[EnvelopeAccepted], ask: Ask) -> Outcome:
    """The money of a province and year."""
    return await _newest(ENVELOPES.ref(event.data.province, event.data.year), event.data, ask)


async def on_support(event: Received[SupportAccepted], ask: Ask) -> Outcome:
    """What a centre got, for its year's work or of its initial equipment."""
    data = event.data
    return await _of_centre(_support(data.centre_id, data.year, data.purpose), data, data.centre_id, ask)


def _support(centre_id: str, year: int, purpose: Purpose) -> Ref[SupportAccepted | Withdrawn]:
    return (SUPPORTS if purpose == OPERATING else EQUIPMENT).ref(centre_id, year)


async def on_payment(event: Received[PaymentAccepted], ask: Ask) -> Outcome:
    """A movement of money between the treasury and a centre."""
    data = event.data
    return await _of_payment(PAYMENTS.ref(data.province, data.payment_id), data, ask)


async def _of_payment(ref: Ref[PaymentAccepted | Withdrawn], fact: PaymentAccepted | Withdrawn, ask: Ask) -> Outcome:
    """It tells the province that it comes from; another one may have decided on the centre."""
    outcome, known = await _newest(ref, fact, ask), await ask.one(ref)
    for told in (known, fact) if outcome.puts else ():
        if isinstance(told, PaymentAccepted):
            decision = await ask.one(DECISIONS.ref(told.centre_id, told.year, told.purpose))
            if decision and decision.province != told.province:
                outcome.requests.append(compare_again(decision.province, told.year))
    return outcome


async def on_withdrawal(event: Received[Withdrawn], ask: Ask) -> Outcome:
    """What its sender took back: nothing of it counts from then on. It may come before what it takes back."""
    data = event.data
    match data.kind, data.period:
        case "registration", _:
            return await _of_register(data.subject, data, ask)
        case "envelope", int(year):
            return await _newest(ENVELOPES.ref(data.province, year), data, ask)
        case "support", int(year):
            ref = _support(data.subject, year, data.purpose or OPERATING)
            return await _of_centre(ref, data, data.subject, ask)
        case "payment", _:
            return await _of_payment(PAYMENTS.ref(data.subject.removeprefix("payment/")), data, ask)
        case "centre", int(period):
            return await _filed(
                Files(
                    centre_id=data.subject,
                    period=period,
                    province=data.province,
                    withdrawn=data.version,
                    withdrawn_at=data.received_at,
                ),
                ask,
            )
        case "recognition", int(period) if data.subject.startswith(GRADED):
            centre_id = data.subject.removeprefix(GRADED)
            return await _of_centre(RECOGNISED.ref(centre_id, period), data, centre_id, ask)
        case _:
            return Outcome(verdict=IGNORED)


async def on_recognition(event: Received[RecognitionAccepted], ask: Ask) -> Outcome:
    """What an authority decided on a centre's grade, or that it was revoked; other decisions move no money."""
    data = event.data
    if data.series != "centre":
        return Outcome(verdict=IGNORED)
    return await _of_centre(RECOGNISED.ref(data.unit_id, data.period), data, data.unit_id, ask)


async def on_score(event: Received[CentreScored], ask: Ask) -> Outcome:
    """A centre's result."""
    kept = Score.model_fields.keys() & CentreScored.model_fields.keys()
    score = Score(**{name: getattr(event.data, name) for name in kept}, traceparent=event.traceparent)
    return await _of_centre(SCORES.ref(score.centre_id, score.period), score, score.centre_id, ask)


async def on_file(event: Received[CentreAccepted], ask: Ask) -> Outcome:
    """When a file of a centre came; what it comes to is told by its score."""
    data = event.data
    came = {data.version: data.received_at}
    return await _filed(Files(centre_id=data.centre_id, period=data.period, province=data.province, arrivals=came), ask)


async def _filed(files: Files, ask: Ask) -> Outcome:
    ref = FILES.ref(files.centre_id, files.period)
    known, _ = await ask.many([ref, CENTRES.ref(files.centre_id)])
    both = files.beside(known) if isinstance(known, Files) else files
    return await _elsewhere(
        Outcome(verdict=STALE) if both == known else Outcome({ref: both}), files, files.centre_id, ask
    )


async def on_receipt(event: Received[Receipt], ask: Ask) -> Outcome:
    """The file that a receipt leaves open, if it does: the first of the period, whichever receipt comes first.

    The province is part of the key: a sender may have named a centre that is not its own. A withdrawal that was refused
    is no file.
    """
    data = event.data
    if (data.kind, data.act) != ("centre", "submission") or data.status not in UNSETTLED or not data.subject:
        return Outcome(verdict=IGNORED)
    if data.period is None or data.period not in PERIODS:
        return Outcome(verdict=IGNORED)
    ref = PENDING.ref(data.province, data.subject, data.period)
    file = Pending(
        centre_id=data.subject,
        period=data.period,
        province=data.province,
        status=data.status,
        receipt_id=data.receipt_id,
        received_at=data.received_at,
        in_time=data.received_at if _in_time(data.received_at, data.period) else None,
    )
    known, centre = await ask.one(ref), await ask.one(CENTRES.ref(data.subject))
    both = file.beside(known) if known else file
    if both == known:
        return Outcome(verdict=IGNORED)
    moved = centre is not None and centre.province != data.province
    return Outcome({ref: both}, requests=[again(centre.province)] if centre and moved else [])


def _in_time(at: datetime, period: int) -> bool:
    try:
        return at < deadline_of(period)
    except NoRuleInForce:
        return False


routes: Mapping[str, Decide[Received[Any]]] = {
    EventType.REGISTRATION_ACCEPTED: on_registration,
    EventType.ENVELOPE_ACCEPTED: on_envelope,
    EventType.SUPPORT_ACCEPTED: on_support,
    EventType.PAYMENT_ACCEPTED: on_payment,
    EventType.CENTRE_ACCEPTED: on_file,
    EventType.CENTRE_SCORED: on_score,
    EventType.ASSESSMENT_SCORED: on_activity,
    EventType.RECEIPT_ISSUED: on_receipt,
    EventType.RECOGNITION_ACCEPTED: on_recognition,
    EventType.SUBMISSION_WITHDRAWN: on_withdrawal,
    EventType.PERSON_ENTERED: people.keep,
}
