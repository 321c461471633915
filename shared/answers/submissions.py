"""Answers to what is handed in over HTTP."""

from __future__ import annotations

from pydantic import BaseModel

from shared.contracts.base import Instant, Problem, Status
from shared.contracts.facts import Act, MinistryOrder, Original, Receipt, SubmissionKind


class Judged(BaseModel):
    """What a receipt says, without what only a record has: id, place and time."""

    status: Status
    province: str
    body_hash: str
    kind: SubmissionKind | None
    act: Act
    submission_id: str | None
    subject: str | None
    period: int | None
    purpose: str | None
    deadline: Instant | None
    version: int | None
    original: Original | None
    under: MinistryOrder | None
    problems: list[Problem]
    warnings: list[Problem]

    @classmethod
    def of(cls, receipt: Receipt) -> Judged:
        """What this receipt says."""
        return cls(**{name: getattr(receipt, name) for name in cls.model_fields})


class Filed(BaseModel):
    """What became of one submission, or would have become of it."""

    dry_run: bool = False
    """Nothing was written, and there is no receipt: it was judged by what was known at that moment."""
    status: Status | None
    """`None`: it is written, and not judged yet."""
    receipt_id: str | None = None
    location: str | None = None
    """Where the receipt is, or will be."""
    receipt: Receipt | None = None
    """The one answer; the same as on `receipts.<province>`."""
    verdict: Judged | None = None
    """Of a dry run: what the receipt would say."""

    @property
    def problems(self) -> list[Problem]:
        """Everything that is wrong with it."""
        said = self.receipt or self.verdict
        return said.problems if said else []


class FiledBatch(BaseModel):
    """What became of each submission of a batch, in its order."""

    dry_run: bool = False
    counts: dict[str, int]
    """How many have which status; `unanswered`: written, and not judged yet. Their sum is the size of the batch."""
    items: list[Filed]
