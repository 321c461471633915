"""What comes in and what goes out: records as a decision sees them, and events that it raises. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha1
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")
_NAMESPACE = bytes.fromhex("6f0d0c3e6a3b5b0e9d440d7a3f1f6c11")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record lies in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}@{self.offset}"


@dataclass(frozen=True, slots=True)
class Received(Generic[T]):
    """One record on its way through a handler."""

    data: T
    """`None` where nobody reads its body."""
    event_id: str
    """The inbox id; deterministic ids of raised events are derived from it."""
    type: str
    source: str
    subject: str
    version: int | None
    received_at: datetime
    """Business time of reception (broker append time, shifted by the clock offset)."""
    position: Position
    raw: bytes
    """The value, or the data of the event in it (structured mode); of a record that was `Cut`, its beginning."""
    traceparent: str | None = None
    clock_offset: int = 0
    """Seconds by which `received_at` is shifted."""
    decided_at: datetime | None = None
    """Business time at which it is decided on, long after its reception at times; `None`: then. For nothing but what
    counts from the decision: whatever is decided rests on `received_at`."""
    key: str | None = None
    """The record's key, empty where it has none; `None`: it is no record of Kafka."""


class Reason(StrEnum):
    """Why a record could not be read. Stable codes, shown to senders and operators."""

    BAD_HEADER = "bad_header"
    MISSING_HEADER = "missing_header"
    UNKNOWN_TYPE = "unknown_type"
    NOT_UTF8 = "not_utf8"
    BAD_JSON = "bad_json"
    INVALID_BODY = "invalid_body"
    HANDLER_FAILED = "handler_failed"
    UNWRITABLE = "unwritable"
    TOO_LARGE = "too_large"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Cut:
    """Bytes of which only the beginning was kept."""

    size: int
    """How many there were."""
    sha256: str
    """Their hash: the record's value, or the whole batch as it was received."""
    first: int
    """Offset of the first record that these bytes stand for; the last is where they lie."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is known of a record that could not be read into its model."""

    reason: Reason
    detail: str
    type: str | None
    body: Any
    """The decoded JSON, or `None` where it was no JSON."""
    errors: tuple[Mapping[str, Any], ...] = ()
    """Everything that is wrong, in its place: Pydantic's errors of a body, or `{"problem": Problem}` of what was found
    in the attributes, or out of the bounds of `shared.outside`."""
    cut: Cut | None = None
    """What is known of the bytes, where only their beginning was kept: `too_large`, `damaged`."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to publish. Its id is derived from the cause, so that a repeat raises the same id again."""

    topic: str
    key: str
    subject: str
    data: BaseModel
    parent: str | None = None
    """`traceparent` to hang under instead of the span being processed (recalculations)."""


@lru_cache(maxsize=8_192)  # of a batch: a receipt is asked for by its id at every step
def derived_id(cause: str, index: int) -> str:
    """Id of the `index`-th event raised by `cause` (an inbox id): the same on every repeat, in every release.

    The text of `uuid.uuid5`, made for a third of its time.
    """
    digest = bytearray(sha1(_NAMESPACE + f"{cause}|{index}".encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50  # version 5
    digest[8] = digest[8] & 0x3F | 0x80  # of RFC 9562
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
