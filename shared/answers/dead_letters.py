"""Answers about records that a service could not handle."""

from __future__ import annotations

import base64
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from shared.contracts.base import Text
from shared.messaging.messages import Reason
from shared.privacy import Erased


class State(StrEnum):
    """What has become of a dead letter."""

    OPEN = "open"
    WAITING = "waiting"
    """Of a release that knows its type; then it is read again by itself (ADR 26)."""
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class Action(StrEnum):
    """What an operator can do with one."""

    REPLAY = "replay"
    DISCARD = "discard"
    ERASE = "erase"


class Refusal(StrEnum):
    """Why an action was not carried out."""

    NOT_FOUND = "not_found"
    NOT_OPEN = "not_open"
    CHANGED = "changed_meanwhile"
    NO_REASON = "reason_missing"
    EXHAUSTED = "attempts_exhausted"
    OLDER = "older_first"
    STILL_OPEN = "still_open"
    SAME_PERSON = "same_person"


class Raw(BaseModel):
    """Bytes, exactly, and as text where they are text."""

    base64: str
    text: str | None

    @classmethod
    def of(cls, value: bytes | None) -> Raw | None:
        """`None` for what was not there at all."""
        if value is None:
            return None
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = None
        return cls(base64=base64.b64encode(value).decode(), text=text)


class Shape(BaseModel):
    """What an action can change of a dead letter."""

    state: State
    attempts: int
    reason: Reason
    detail: str
    """What the fault said; in the record of actions its fingerprint, to tell one fault from another."""


class Entry(BaseModel):
    """One line of the record of actions."""

    id: str
    letter: str
    at: datetime
    who: str
    role: str
    action: Action
    why: str
    beyond_cap: bool = False
    result: str
    """The verdict, or `refused: …`."""
    before: Shape | None
    after: Shape | None


class Letter(Shape):
    """One dead letter in a list."""

    id: str
    at: datetime
    consumer: str
    position: str
    appended_at: datetime
    event_id: str | None
    type: str
    subject: str
    meaning: Text
    expected: Text
    mend: Text
    preview: str
    erased: Erased | None = None
    """What is left of its bytes, where their time was over."""


class WholeLetter(Letter):
    """Everything that is known of one."""

    key: Raw | None
    headers: list[tuple[str, Raw]]
    value: Raw | None
    actions: list[Entry]


class Written(BaseModel):
    """A document that is written."""

    collection: str
    id: str
    revision: int


class Published(BaseModel):
    """An event that is published."""

    id: str
    topic: str
    key: str
    type: str
    subject: str
    body: Any


class Requested(BaseModel):
    """A result over a set that is computed anew."""

    set: str
    key: list[str | int | None]
    """A part that is `null` stands for every one."""


class Replayed(Shape):
    """What a replay led to, or with `dry_run` would lead to."""

    id: str
    dry_run: bool
    hindrance: Refusal | None
    """Of a dry run: with which code a replay would be refused just now."""
    first: str | None
    """The letter that is to be replayed or discarded before, for `older_first`."""
    verdict: str
    """`failed`, `absorbed`, `skipped`, or the handler's own: `handled`, `stale`, …"""
    writes: list[Written]
    events: list[Published]
    requests: list[Requested]
