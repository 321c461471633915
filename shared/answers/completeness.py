"""Answers of intake: how complete, and how timely, what a province owes for a period is."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, model_validator

from shared.contracts.base import Instant
from shared.contracts.submissions import AssessmentSeries

OwedSeries = Literal["commune", "centre", AssessmentSeries]
"""Series of which files are submitted."""
FileState = Literal["on_time", "late", "held", "refused", "withdrawn", "awaited", "missing"]
"""Where the file of one subject stands. `on_time`, `late`: accepted, by the arrival of the first version since nothing
stood; a correction makes no file late. `held`, `refused`: nothing is accepted of what came. `withdrawn`: what was
accepted was taken back. `awaited`: nothing came, and its time is not over; `missing`: its time is over."""


class OwedFile(BaseModel):
    """One subject whose file is owed, and where that stands."""

    series: OwedSeries
    code: str
    """As submissions name it."""
    name: str
    state: FileState


class Completeness(BaseModel):
    """What a province owes of a series in a period, counted by what was received. Each subject counts once."""

    province: str
    """Today's, which may send."""
    series: OwedSeries
    period: int
    due_at: Instant
    """In time is what came before it."""
    closes_at: Instant
    """First instant at which the period is closed to its senders: another day than the one on which files are due."""
    expected: int | None
    """Subjects that there were on the cut-off date; `None`: nobody knows how many (learning units and vocational
    centres are registered nowhere, and counted as they are spoken of)."""
    on_time: int
    late: int
    held: int
    refused: int
    withdrawn: int
    awaited: int | None
    missing: int | None
    """These two are `None` where `expected` is."""
    unexpected: int
    """Files that are accepted of subjects of which none is expected: a centre that was closed or suspended by then."""
    held_unknown: int
    """Files that wait because the register lacks their code: whether they are expected is known when it has it."""
    complete: bool | None
    """Whether a file is accepted of every subject that is expected. Whether a file says all that its rule asks for is
    a matter of its result."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        known = self.awaited is not None and self.missing is not None
        if known != (self.expected is not None):
            raise ValueError("what is not there can be counted where all are known, and nowhere else")
        if self.expected is not None and self.expected != self.received + (self.awaited or 0) + (self.missing or 0):
            raise ValueError(f"{self.expected} expected are not those of which something came and the others")
        return self

    @property
    def received(self) -> int:
        """Subjects of which something came."""
        return self.on_time + self.late + self.held + self.refused + self.withdrawn
