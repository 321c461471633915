"""Receipts: the one answer to each record, kept with the raw bytes that it answers."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

from services.intake.decisions.documents import RECEIPTS, Answer
from services.intake.decisions.kinds import DEEDS, ENVELOPE, PAYMENT, RECOGNITION, SUPPORT, Kind, paid, recognised
from services.intake.domain import Awaited
from services.intake.problems import of_unreadable
from shared.contracts.base import IDENTIFIER, Status
from shared.contracts.facts import Receipt
from shared.contracts.topics import sender_of
from shared.messaging.decide.asking import Ask, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Outgoing, Received, Unreadable, derived_id

_IDENTIFIER = re.compile(IDENTIFIER)


def receipt_ref(received: Received[Any]) -> Ref[Answer]:
    """The receipt of a record; its id is also the id of the receipt's event."""
    return RECEIPTS.ref(derived_id(received.event_id, 0))


def receipt_of(received: Received[Any], **fields: Any) -> Receipt:
    """The answer to a record, with everything that its channel says."""
    return Receipt(
        receipt_id=receipt_ref(received).id,
        province=sender_of(received.position.topic),
        received_at=received.received_at,
        clock_offset_seconds=received.clock_offset,
        channel=str(received.position),
        **fields,
    )


def decided_at(received: Received[Any]) -> datetime:
    """When it is decided; never before it was received, whatever the clock of the broker says."""
    return max(received.received_at, received.decided_at or received.received_at)


def answered(received: Received[Any], receipt: Receipt, awaited: Awaited | None = None) -> Outcome:
    """The receipt, kept and sent. It must stay the first event: its id is derived as index 0."""
    kept = Answer(
        receipt=receipt,
        province=receipt.province,
        status=receipt.status,
        kind=receipt.kind,
        subject=receipt.subject,
        period=receipt.period,
        submission_id=receipt.submission_id,
        received_at=received.received_at,
        decided_at=None if receipt.status is Status.HELD else decided_at(received),
        traceparent=received.traceparent,
        raw=received.raw,
        awaits=awaited.code if awaited else None,
        awaits_on=awaited.on if awaited else None,
    )
    key = receipt.subject or receipt.province
    return Outcome(
        {receipt_ref(received): kept},
        [Outgoing(f"receipts.{receipt.province}", key, key, receipt)],
        verdict=receipt.status.value,
    )


async def refusals(received: Received[Unreadable], ask: Ask) -> Outcome:
    """How a record that cannot be read is answered: rejected, every problem named, the raw bytes kept."""
    await ask.one(receipt_ref(received))
    unreadable = received.data
    body = unreadable.body if isinstance(unreadable.body, dict) else {}
    deed = DEEDS.get(unreadable.type or "")
    receipt = receipt_of(
        received,
        status=Status.REJECTED,
        body_hash=unreadable.cut.sha256 if unreadable.cut else hashlib.sha256(received.raw).hexdigest(),
        **({"kind": deed.kind.name, "act": deed.act} if deed else {}),
        submission_id=_identifier(body.get("submission_id")),
        subject=_subject(body, deed.kind if deed else None, sender_of(received.position.topic)),
        period=None if deed and deed.kind is PAYMENT else _year(body.get("period", body.get("year"))),
        purpose="equipment" if deed and deed.kind is SUPPORT and body.get("purpose") == "equipment" else None,
        problems=of_unreadable(unreadable),
    )
    return answered(received, receipt)


def _subject(body: dict[str, Any], kind: Kind[Any] | None, province: str) -> str | None:
    """The one that a readable record of its kind would have: what is sent instead is known to mend it."""
    names = ("series", "subject", "payment_id", "centre_id", "unit_code", "standard")
    said = {name: _identifier(body.get(name)) for name in names}
    if kind is ENVELOPE:
        return province
    if kind is PAYMENT:
        return _identifier(paid(said["payment_id"], province)) if said["payment_id"] else None
    if kind is RECOGNITION and said["unit_code"]:
        return _identifier(recognised(said["series"] or "commune", said["unit_code"], said["standard"]))
    if said["series"] and said["subject"]:
        return _identifier(f"{said['series']}/{said['subject']}")
    return said["centre_id"] or said["unit_code"]


def _identifier(value: object) -> str | None:
    """What is surely an identifier; anything else from an unreadable body is not repeated to anybody."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None


def _year(value: object) -> int | None:
    return value if isinstance(value, int) and 1900 < value < 2200 else None
