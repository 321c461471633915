"""Deciding held submissions again, once the register knows the code that they wait for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from services.intake import domain
from services.intake.decisions.kinds import KINDS, Kind
from services.intake.decisions.submissions import RELEASE, needs, settle
from shared.contracts.base import Status
from shared.contracts.catalogue import CONTRACTS
from shared.contracts.facts import Original, Receipt
from shared.messaging.decide.handling import Document, Outcome, Ref, States
from shared.messaging.messages import Position, Received


@dataclass(frozen=True, slots=True)
class Held:
    """One held submission, read again from the bytes that its receipt keeps."""

    receipt: Receipt
    document: Document
    kind: Kind[Any]
    received: Received[Any]

    @property
    def needs(self) -> list[Ref]:
        """Every document that releasing it reads or puts."""
        return [Ref("receipts", self.receipt.receipt_id), *needs(self.kind, self.received)]

    @property
    def arrival(self) -> tuple[datetime, str, int, int]:
        """By which several are decided one after the other. Records of one batch have one append time."""
        position = self.received.position
        return self.received.received_at, position.topic, position.partition, position.offset


def held_query(code: str | None = None, period: int | None = None) -> dict[str, Any]:
    """The receipts of submissions that are still held: all, or those that wait for this code in this period."""
    query: dict[str, Any] = {"status": Status.HELD.value, "released": None}
    return query if code is None else query | {"awaits": code, "period": period or None}


def awaited(document: Document) -> domain.Awaited:
    """What a held submission waits for."""
    return domain.Awaited(document["awaits"], date.fromisoformat(document["awaits_on"]))


def read_again(document: Document) -> Held:
    """A held submission from its receipt's document: as it arrived, then."""
    receipt = Receipt.model_validate(document["receipt"])
    assert receipt.kind is not None, "what is held was read"
    kind = KINDS[receipt.kind]
    raw = bytes(document["raw"])
    topic, _, place = receipt.channel.rpartition("/")
    partition, _, offset = place.partition("@")
    received: Received[Any] = Received(
        data=CONTRACTS[kind.type].model.model_validate_json(raw),
        event_id=f"{RELEASE}{receipt.receipt_id}",
        type=kind.type,
        source="",
        subject="",
        version=None,
        received_at=receipt.received_at,
        position=Position(topic, int(partition), int(offset)),
        raw=raw,
        traceparent=document["traceparent"],
    )
    return Held(receipt, document, kind, received)


def release(held: Held, states: States, clock_offset: int) -> Outcome:
    """Its second receipt, linked to the first, and what follows; nothing at all while the code still means nothing.

    Lateness and the rule in force are those of its arrival; what was accepted meanwhile is not overwritten.
    """
    first = held.receipt
    original = Original(
        receipt_id=first.receipt_id, received_at=first.received_at, status=first.status, body_hash=first.body_hash
    )
    outcome = settle(held.kind, held.received, states, clock_offset, original)
    (answer,) = (event.data for event in outcome.events if isinstance(event.data, Receipt))
    if answer.status is Status.HELD:
        return Outcome(verdict="held")
    outcome.puts[Ref("receipts", first.receipt_id)] = {**held.document, "released": answer.receipt_id}
    outcome.events = [replace(event, parent=held.received.traceparent) for event in outcome.events]
    return outcome


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """Several outcomes as one."""
    whole = Outcome(verdict="released")
    for outcome in outcomes:
        whole.puts.update(outcome.puts)
        whole.events += outcome.events
        whole.requests += outcome.requests
    return whole
