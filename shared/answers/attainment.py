"""How far goals are reached, as it is answered."""

from __future__ import annotations

from shared.contracts.base import Contract, Instant, Provenance, Text
from shared.contracts.facts import GoalAttained


class AttainedGoal(GoalAttained):
    """One goal with its words."""

    metric: str
    name: Text
    scheme: str
    year: int
    value: str
    """The share that is to be reached, exact (`7/10`)."""
    note: Text | None = None
    provenance: Provenance
    citation: str


class AttainmentView(Contract):
    """Every goal in force in a period, for a province or the nation."""

    scope: str
    period: int
    version: int | None
    """`None`: nothing was ever counted there."""
    computed_at: Instant | None
    policy: str
    """Id of the path policy."""
    goals: list[AttainedGoal]
