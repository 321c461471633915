"""Event types of earlier releases: none of ours is published as one any more; who reads a topic whole meets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.contracts.catalogue import EventType

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Former:
    """A type that another one has replaced."""

    now: EventType
    """What it is read as."""
    lift: Callable[[Body], Body]
    """Its body as a body of `now`; takes what fitted the former contract, and returns a body of its own."""


FORMER: Mapping[str, Former] = {}
"""By the `ce_type` under which they were published. Each has an example beside those of today's types."""
