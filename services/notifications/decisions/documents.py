"""What notifications holds. The names in the database, the `_id`s and the fields stay as they are."""

from __future__ import annotations

from pydantic import TypeAdapter

from services.notifications.domain import Told
from shared.contracts.base import Contract, Instant
from shared.contracts.facts import Alert, BudgetProposed, BudgetRunProposed
from shared.messaging.decide.documents import Collection


class Seen(Contract):
    """The newest version of a result that was seen."""

    version: int


class _Noted(Contract):
    """What is kept of an event beside its fact, for alerts that are raised later."""

    event_id: str
    received_at: Instant
    traceparent: str | None = None


class SupportLine(BudgetProposed, _Noted):
    """The latest line of a centre in a province's proposal."""


class Run(BudgetRunProposed, _Noted):
    """The latest head of a province's proposal."""


ALERTS: Collection[Alert] = Collection("alerts", TypeAdapter(Alert))
"""By the alert's key. That it is there is what makes it be said once."""
RESULTS: Collection[Seen] = Collection("results", TypeAdapter(Seen))
"""By `commune` or `centre`, unit and period."""
SUPPORTS: Collection[SupportLine] = Collection("supports", TypeAdapter(SupportLine))
"""By centre and year."""
TOLD: Collection[Told] = Collection("told", TypeAdapter(Told))
"""What the province was told about a centre's changed support, by centre and year."""
RUNS: Collection[Run] = Collection("runs", TypeAdapter(Run))
"""By province and year."""
