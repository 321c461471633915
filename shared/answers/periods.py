"""Answers of intake about periods that close, and about history that the ministry took in."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from shared.contracts.base import Contract, Instant, Provenance
from shared.contracts.facts import Closable, Receipt


class ClosingView(BaseModel):
    """When a period closes for its senders, and on which ground."""

    what: Closable
    period: int
    closes_at: Instant
    """First instant at which it is closed."""
    closed: bool
    citation: str
    provenance: Provenance


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
