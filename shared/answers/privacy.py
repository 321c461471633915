"""Answers about what is held on whom, what is erased, and who looked at personal data."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from shared.contracts.base import Contract, Instant


class Erasure(Contract):
    """An order to erase: asked for by one person, carried out when another one confirms it."""

    order_id: str
    receipts: list[str] = []
    """As they were named."""
    also: list[str] = []
    """Further receipts of the very same content (repeats, what was held and decided), which are erased with them; of
    very many the first of them."""
    more: int = 0
    """How many further ones there are besides: for another order."""
    standing: list[str] = []
    """Further ones that stand, and stay: their sender corrects or withdraws them first."""
    person: str | None = None
    """Of the directory; then there are no receipts."""
    why: str
    requested_by: str
    requested_at: Instant
    confirmed_by: str | None = None
    confirmed_at: Instant | None = None
    confirmed_why: str | None = None


class ErasureAnswer(BaseModel):
    """An order to erase, and whether it was only looked at."""

    order: Erasure
    dry_run: bool
    letters: list[str] = []
    """Dead letters of intake with the same bytes. They stay: each is closed, and erased by another person."""


class Holding(BaseModel):
    """A document in which a text occurs; the text itself is not repeated."""

    collection: str
    id: str
    places: list[str]
    """Fields of the document, with dots."""


class PersonalRead(BaseModel):
    """That somebody looked at personal data."""

    id: str
    at: datetime
    who: str
    role: str
    what: str
    """What was looked at: `text` (a search of everything that is kept), `dead_letter`, `person`, …"""
    about: str
    """Which: an id, or of a text the beginning of its SHA-256, so that the record repeats nothing."""
    why: str
