"""The shape of a dead letter: raw bytes, why, and where the record lay. What people do: `operate.dead_letters`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import Binary

from shared.answers.dead_letters import State
from shared.messaging.clock import instant_of
from shared.messaging.consume.batches import Damage
from shared.messaging.decide.documents import Document
from shared.messaging.messages import Position, Reason, Received, Unreadable
from shared.privacy import RETENTION, Erased

OUR_TYPE = re.compile(r"langhoc(\.[a-z]+)+\.v[1-9][0-9]*")
DETAIL_CHARACTERS = 20_000
"""What a dead letter keeps of an error's text, which may repeat the record that it is about."""


def state_of_failed(reason: Reason, type: str) -> State:
    """The state of a letter whose record failed. Types of ours that nobody knows yet come from newer services."""
    return State.WAITING if reason is Reason.UNKNOWN_TYPE and OUR_TYPE.fullmatch(type) else State.OPEN


@dataclass(slots=True)
class Buried:
    """A record as its dead letter keeps it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    checksum: Damage | None = None
    """Set where only the beginning of its bytes was kept: it stays unreadable."""

    @classmethod
    def of(cls, letter: Document) -> Buried:
        """The way back from `dead_letter`."""
        return cls(
            topic=letter["topic"],
            partition=letter["partition"],
            offset=letter["offset"],
            timestamp=round(letter["appended_at"].timestamp() * 1000),
            key=letter["key"],
            value=letter["value"],
            headers=[(name, bytes(value)) for name, value in letter["headers"]],
            checksum=_damage(letter),
        )


def _damage(letter: Document) -> Damage | None:
    cut = letter.get("cut")
    if cut is None:
        return None
    too_large = letter["reason"] == Reason.TOO_LARGE.value
    return Damage(cut["first"], letter["detail"], too_large, False, cut["size"], cut["sha256"])


def dead_letter(
    consumer: str, record: Any, received: Received[Any], reason: Reason, detail: str, now: datetime
) -> Document:
    """The dead-letter document: raw bytes, why, and where the record lay. What people do with it: `dead_letters.py`."""
    position: Position = received.position
    cut = received.data.cut if isinstance(received.data, Unreadable) else None
    inside = not cut and received.raw != (record.value or b"")  # an event in structured mode: found by its data too
    return {
        "state": state_of_failed(reason, received.type).value,
        "consumer": consumer,
        "event_id": received.event_id,
        "topic": position.topic,
        "partition": position.partition,
        "offset": position.offset,
        "appended_at": instant_of(record.timestamp),
        "key": None if record.key is None or cut else Binary(record.key),
        "headers": [] if cut else [[name, Binary(value or b"")] for name, value in record.headers],
        "value": None if record.value is None else Binary(received.raw if cut else record.value),
        **({"data": Binary(received.raw)} if inside else {}),
        "cut": cut and {"size": cut.size, "sha256": cut.sha256, "first": cut.first},
        "type": received.type,
        "subject": received.subject,
        "reason": reason.value,
        "detail": detail.encode("utf-8", "backslashreplace").decode()[:DETAIL_CHARACTERS],
        "attempts": 1,
        "at": now,
    }


def without_bytes(letter: Document, at: datetime, by: str = RETENTION) -> Document:
    """A letter that is closed, without its record: of key, headers and value the hash is left, of the fault its reason.

    It stands for the value that lay in Kafka, or the part of it that was kept.
    """
    value = bytes(letter["value"] or b"")
    gone: Document = {"key": None, "headers": [], "value": None, "detail": "", "subject": ""}
    kept = {name: said for name, said in letter.items() if name != "data"}
    return {**kept, **gone, "erased": Erased.of(value, at=at, by=by).model_dump()}
