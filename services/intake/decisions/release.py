"""Deciding held submissions again, once the register knows the code that they wait for, or their centre is registered
otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from services.intake import domain
from services.intake.decisions.documents import (
    AGGREGATES,
    LEARNING_UNITS,
    RECEIPTS,
    REOPENED,
    REOPENINGS,
    SUBMISSIONS,
    Aggregate,
    Answer,
)
from services.intake.decisions.kinds import KINDS, REGISTRATION, filing
from services.intake.decisions.receipts import decided_at
from services.intake.decisions.submissions import original_of, settle
from shared.contracts.base import Status
from shared.contracts.catalogue import CONTRACTS
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.documents import Document
from shared.messaging.decide.register import REGISTERS
from shared.messaging.decide.sets import SetOf, Source
from shared.messaging.messages import Position, Received
from shared.registry import corrections_of, touched_units

HELD = {"status": Status.HELD.value, "released": None, "erased": None}
"""Query for the answers to submissions that are still held; what was erased can never be decided."""


class Code(NamedTuple):
    """A code of a unit or district in a period, or a centre's registration and a year (`domain.awaited_of`), for which
    submissions wait; period 0 for those without one."""

    code: str
    period: int | None


async def release(due: Due[Code], ask: Ask) -> Outcome:
    """Decide again what waits for a code, one after the other in order of arrival.

    What is decided gets a second receipt, linked to the first; nothing happens to what still waits. Lateness, the rule
    in force and whether its period was closed are those of the arrival; what was accepted meanwhile is not overwritten.
    """
    waiting = await ask.all(RECEIPTS, HELD | {"awaits": due.key.code, "period": due.key.period or None})
    await ask.many(RECEIPTS.ref(answer.receipt.receipt_id) for answer in waiting)
    outcome = Outcome(verdict="released")
    ask.over(outcome)
    for answer, received in sorted(((answer, _read_again(answer, due.at)) for answer in waiting), key=_arrival):
        first = answer.receipt
        assert first.kind is not None
        one = await settle(filing(KINDS[first.kind]), received, ask, original_of(first), first.under)
        if one.verdict != Status.HELD:
            outcome.puts |= one.puts
            outcome.put(
                RECEIPTS.ref(first.receipt_id), replace(answer, released=_second(one), decided_at=decided_at(received))
            )
            outcome.events += [replace(event, parent=answer.traceparent) for event in one.events]
    return outcome


def _second(outcome: Outcome) -> str:
    (ref,) = (ref for ref in outcome.puts if ref.collection == RECEIPTS.name)
    return ref.id


def _read_again(answer: Answer, at: datetime) -> Received[Any]:
    """A held submission as it arrived, then, to be decided now."""
    receipt = answer.receipt
    assert receipt.kind is not None, "what is held was read"
    assert answer.raw is not None, "and what was erased is held no longer"
    type_ = KINDS[receipt.kind].type
    topic, _, place = receipt.channel.rpartition("/")
    partition, _, offset = place.partition("@")
    return Received(
        data=CONTRACTS[type_].model.model_validate_json(answer.raw),
        event_id=f"release/{receipt.receipt_id}",
        type=type_,
        source="",
        subject="",
        version=None,
        received_at=receipt.received_at,
        position=Position(topic, int(partition), int(offset)),
        raw=answer.raw,
        traceparent=answer.traceparent,
        clock_offset=receipt.clock_offset_seconds,
        decided_at=at,
    )


def _arrival(held: tuple[Answer, Received[Any]]) -> tuple[datetime, str, int, int]:
    """Records of one batch have one append time."""
    received = held[1]
    return received.received_at, received.position.topic, received.position.partition, received.position.offset


def _held(before: Answer | None, after: Answer | None) -> Iterable[Code]:
    """Also right after it was written: a correction of the register may have come in between."""
    return [Code(after.awaits, after.period or 0)] if after and after.waits and after.awaits else []


def _explained(before: Document | None, after: Document | None) -> Iterable[Code]:
    """Every code that a new correction of the register names, in all periods."""
    known = len(before["corrections"]) if before else 0
    for correction in (fact.correction for fact in corrections_of(after, known)):
        codes = {unit_id.split("@", 1)[0] for unit_id in touched_units(correction)}
        codes |= {unit.district_code for unit in (*correction.added, *correction.changed) if unit.district_code}
        yield from (Code(code, None) for code in sorted(codes))


def _registered(before: Aggregate | None, after: Aggregate | None) -> Iterable[Code]:
    """What waits for another registration of a centre, in all years. Nothing waits for the first one: until then its
    centre is unknown."""
    if before and after and after.kind == REGISTRATION.name:
        yield Code(domain.awaited_of(after.subject), None)


RELEASE = SetOf(
    "release",
    Code,
    release,
    sources=(Source(RECEIPTS, _held), Source(REGISTERS, _explained), Source(AGGREGATES, _registered)),
    keeps=(SUBMISSIONS, LEARNING_UNITS, REOPENED, REOPENINGS),
)
