"""Answers of intake about imports of history: what was signed, how far it came, what would become of records."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.answers.submissions import Judged
from shared.contracts.base import Contract, Instant
from shared.contracts.imports import Tally


class ImportRevoked(Contract):
    """That no further part is taken."""

    reason: str
    revoked_by: str
    revoked_at: Instant


class HistorySigned(Contract):
    """An import as it was signed."""

    import_id: str
    digest: str
    parts: list[str]
    """SHA-256 of each, in their order."""
    tally: list[Tally]
    """What the signer saw of it, and what the digest covers."""
    provinces: list[str]
    why: str
    decision_number: str
    signed_by: str
    signed_at: Instant
    revoked: ImportRevoked | None = Field(None, exclude_if=lambda revoked: revoked is None)


class ImportView(BaseModel):
    """Where an import stands. A province is told of what is its own."""

    import_id: str
    digest: str
    tally: list[Tally]
    why: str
    decision_number: str
    signed_by: str
    signed_at: Instant
    revoked: ImportRevoked | None
    parts: int
    taken: list[int]
    """Numbers of the parts that were taken, from 1."""


class Trial(BaseModel):
    """What would become of each record, in their order; nothing was written."""

    verdicts: list[Judged]
