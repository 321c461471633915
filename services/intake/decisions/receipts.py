"""Receipts: the one answer to each record, kept with the raw bytes that it answers."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from bson import Binary

from services.intake.decisions.kinds import KINDS
from services.intake.problems import of_unreadable
from shared.contracts.base import IDENTIFIER, Status
from shared.contracts.facts import Receipt
from shared.contracts.topics import sender_of
from shared.messaging.decide.handling import Document, Outcome, Ref, Route, States
from shared.messaging.messages import Outgoing, Received, Unreadable, derived_id

_IDENTIFIER = re.compile(IDENTIFIER)
_NAME_BY_TYPE = {kind.type.value: kind.name for kind in KINDS.values()}


def receipt_ref(received: Received[Any]) -> Ref:
    """The receipt of a record; its id is also the id of the receipt's event."""
    return Ref("receipts", derived_id(received.event_id, 0))


def receipt_of(received: Received[Any], clock_offset: int, **fields: Any) -> Receipt:
    """The answer to a record, with everything that its channel says."""
    return Receipt(
        receipt_id=receipt_ref(received).id,
        province=sender_of(received.position.topic),
        received_at=received.received_at,
        clock_offset_seconds=clock_offset,
        channel=str(received.position),
        **fields,
    )


def answered(received: Received[Any], answer: Receipt) -> Outcome:
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


def refusals(clock_offset: int) -> Route[Unreadable]:
    """How a record that cannot be read is answered: rejected, every problem named, the raw bytes kept."""

    def handle(received: Received[Unreadable], states: States) -> Outcome:
        unreadable = received.data
        body = unreadable.body if isinstance(unreadable.body, dict) else {}
        answer = receipt_of(
            received,
            clock_offset,
            status=Status.REJECTED,
            body_hash=unreadable.cut.sha256 if unreadable.cut else hashlib.sha256(received.raw).hexdigest(),
            kind=_NAME_BY_TYPE.get(unreadable.type or ""),
            submission_id=_identifier(body.get("submission_id")),
            subject=_subject(body),
            period=_year(body.get("period", body.get("year"))),
            problems=of_unreadable(unreadable),
        )
        return answered(received, answer)

    return Route(lambda received: [receipt_ref(received)], handle)


def _subject(body: dict[str, Any]) -> str | None:
    series, subject = _identifier(body.get("series")), _identifier(body.get("subject"))
    if series and subject:
        return _identifier(f"{series}/{subject}")
    return _identifier(body.get("centre_id")) or _identifier(body.get("unit_code"))


def _identifier(value: object) -> str | None:
    """What is surely an identifier; anything else from an unreadable body is not repeated to anybody."""
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) else None


def _year(value: object) -> int | None:
    return value if isinstance(value, int) and 1900 < value < 2200 else None
