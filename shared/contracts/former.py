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


def line_of_words(line: Body | None) -> Body | None:
    """A line that told its steps in words, as one of today: it keeps those words, and has no values behind them."""
    if line is None or "steps" not in line:
        return line
    kept = {name: value for name, value in line.items() if name != "steps"}
    return {**kept, "told": line["steps"]}


def _of_lines(body: Body) -> Body:
    return {name: line_of_words(value) if name in ("allocation", "grant") else value for name, value in body.items()}


def _scored(body: Body) -> Body:
    """A result with its words, without them; what other results said stays, what was sent and decided was not told."""
    used = [each for each in body.get("references", []) if each.get("decision_number") is None]
    return verdicts(body) | {"inputs": {"references": used}}


FORMER: Mapping[str, Former] = {
    "langhoc.commune.scored.v1": Former(EventType.COMMUNE_SCORED, _scored),
    "langhoc.centre.scored.v1": Former(EventType.CENTRE_SCORED, _scored),
    "langhoc.assessment.scored.v1": Former(EventType.ASSESSMENT_SCORED, _scored),
    "langhoc.budget.proposed.v1": Former(EventType.BUDGET_PROPOSED, _of_lines),
    "langhoc.budget.approved.v1": Former(EventType.BUDGET_APPROVED, _of_lines),
    "langhoc.budget.adjustment.proposed.v1": Former(EventType.ADJUSTMENT_PROPOSED, _of_lines),
    "langhoc.budget.adjusted.v1": Former(EventType.BUDGET_ADJUSTED, _of_lines),
}
"""By the `ce_type` under which they were published. Each has an example beside those of today's types."""
