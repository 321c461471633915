"""Records for the tests of delivery: whole and valid, with single things changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.contracts.catalogue import EventType
from shared.messaging.consume.batches import Damage

AT = datetime(2026, 1, 10, 2, 30, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Stored:
    """A Kafka record."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    key: bytes | None = None
    timestamp: int = int(AT.timestamp() * 1000)
    checksum: Damage | None = None


def head(type_: str = EventType.REGISTRATION_ACCEPTED, id: str = "e-1", **more: str) -> dict[str, str]:
    """CloudEvents headers."""
    return {"ce_specversion": "1.0", "ce_id": id, "ce_source": "/langhoc/intake", "ce_type": type_, **more}


def record(
    value: bytes | None,
    headers: Mapping[str, str | bytes],
    *,
    topic: str = "intake.accepted",
    partition: int = 0,
    offset: int = 0,
    key: str | None = None,
) -> Stored:
    """A record whose headers are given as text, or as bytes where they are to be none."""
    raw = [(name, value if isinstance(value, bytes) else value.encode()) for name, value in headers.items()]
    return Stored(topic, partition, offset, value, raw, key.encode() if key else None)
