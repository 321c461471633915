"""What every service answers its operators."""

from __future__ import annotations

from pydantic import BaseModel

from shared.contracts.base import Problem, Text


class Flow(BaseModel):
    """What is still on its way in one process."""

    service: str
    lag: int
    """Records to read."""
    outbox: int
    """Events to send."""
    requests: int
    """Results over sets to compute anew."""
    busy: bool
    settled: bool
    """Nothing is on its way."""
    dead_letters: int
    """How many wait for a person."""
    dead_letters_waiting: int
    """How many wait for a release that knows their type."""


class Refusal(BaseModel):
    """The part of a refusal (RFC 9457) that is told to people."""

    message: Text
    mend: Text
    problems: list[Problem] = []
