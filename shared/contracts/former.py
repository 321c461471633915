"""Event types of earlier releases: none of ours is published as one any more; who reads a topic whole meets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.contracts.catalogue import EventType
from shared.contracts.verdicts import verdicts

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Former:
    """A type that another one has replaced."""

    now: EventType
    """What it is read as."""
    lift: Callable[[Body], Body]
    """Its body as a body of `now`; takes what fitted the former contract, and returns a body of its own."""


def _scored(body: Body) -> Body:
    """A result with its words, without them; what other results said stays, what was sent and decided was not told."""
    used = [each for each in body.get("references", []) if each.get("decision_number") is None]
    return verdicts(body) | {"inputs": {"references": used}}


FORMER: Mapping[str, Former] = {
    "langhoc.commune.scored.v1": Former(EventType.COMMUNE_SCORED, _scored),
    "langhoc.centre.scored.v1": Former(EventType.CENTRE_SCORED, _scored),
    "langhoc.assessment.scored.v1": Former(EventType.ASSESSMENT_SCORED, _scored),
}
"""By the `ce_type` under which they were published. Each has an example beside those of today's types."""
