"""Answers of intake about periods that close, requests for late acceptance, and history that the ministry took in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.contracts.base import Contract, Instant, Provenance
from shared.contracts.facts import Closable, LateDecision, LateRequested, Receipt


class ClosingView(BaseModel):
    """When a period closes for its senders, and on which ground."""

    what: Closable
    period: int
    closes_at: Instant
    """First instant at which it is closed."""
    closed: bool
    citation: str
    provenance: Provenance


RequestState = Literal["open", "overdue", "withdrawn", "refused", "granted", "over"]
"""`overdue`: nobody has decided, and the time for it is over. `over`: granted, and the period is closed again."""


class LateRequestView(LateRequested):
    """A request for late acceptance, and what became of it."""

    decision: LateDecision | None = None
    state: RequestState


class HistoryImported(Contract):
    """An order of history as it was carried out."""

    order_id: str
    why: str
    decision_number: str
    hash: str
    """SHA-256 over the whole order as it was sent."""
    provinces: list[str]
    ordered_by: str
    ordered_at: Instant
    receipts: list[str]
    """Of its submissions, in their order."""
    import_id: Annotated[str | None, Field(exclude_if=lambda id: id is None)] = None
    """The signed import that it is a part of."""


class HistoryAnswer(BaseModel):
    """What became of an order of history."""

    order: HistoryImported
    dry_run: bool
    repeated: bool
    """It was carried out before; nothing happened now."""
    receipts: list[Receipt]
    """Of its submissions, in their order."""
