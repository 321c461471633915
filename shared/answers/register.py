"""Answers of intake: what a unit is, what a correction of the register leads to, what was submitted of a subject."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from shared.answers.warnings import Doubtful
from shared.contracts.base import Instant, Status, Text
from shared.contracts.facts import (
    Act,
    AssessmentAccepted,
    CentreAccepted,
    CommuneAccepted,
    EnvelopeAccepted,
    PaymentAccepted,
    Receipt,
    RecognitionAccepted,
    RegistrationAccepted,
    SubmissionKind,
    SupportAccepted,
    TitleAccepted,
)


class Relative(BaseModel):
    """A unit that another came from or went to."""

    unit_id: str
    name: str
    share: str
    """`whole` or `part`."""
    is_default: bool


class UnitView(BaseModel):
    """A unit, and in words what it is, why, and what that means for its assessments."""

    unit_id: str
    code: str
    name: str
    type: str
    province: str
    entitled: str
    """Today's province that speaks for it."""
    district_code: str | None
    district_name: str | None
    valid_from: date | None
    valid_to: date | None
    lineage: list[str]
    continues: str | None
    """Id of the one unit that it is the same as; `None`: it starts unassessed."""
    predecessors: list[Relative]
    successors: list[Relative]
    life: list[Text]


@dataclass(frozen=True, slots=True)
class Released:
    """A held submission that is decided again."""

    code: str
    """What it waited for."""
    period: int | None
    province: str
    submission_id: str
    receipt_id: str


@dataclass(frozen=True, slots=True)
class Touched:
    """An accepted submission about a unit that a correction names."""

    kind: SubmissionKind
    subject: str
    period: int | None
    province: str
    version: int
    unit: str
    """The unit, or other subject, under which it was accepted and has its result."""
    means_now: str | None
    """The unit that the same code and period mean after the correction; `None`: none."""


class Corrected(BaseModel):
    """What a correction led to, or with `dry_run` would lead to."""

    version: int
    dry_run: bool
    repeated: bool
    """The same correction was entered before; nothing changed."""
    releases: list[Released]
    """Held submissions whose code the register knows from now on: they are decided again."""
    touched: list[Touched]
    """Accepted submissions about units that it names. They stand as accepted; a province may correct them."""


class AcceptedVersion(BaseModel):
    """One version of what is accepted."""

    version: int
    act: Act = "submission"
    """What made it; a version made by a withdrawal stands for nothing being accepted."""
    reason: str | None = None
    """Why it replaced, revoked or withdrew the version before, as its sender said."""
    submission_id: str
    receipt_id: str
    received_at: Instant
    status: Status
    content_hash: str


class AcceptedSubject(BaseModel):
    """What is accepted of a subject in one period, with all its versions, oldest first."""

    kind: SubmissionKind
    subject: str
    period: int | None
    province: str
    version: int
    act: Act = "submission"
    """What made the last version: by a withdrawal nothing is accepted now."""
    content_hash: str
    accepted: dict[str, Any]
    """The fact of the last version, in the form of its kind; `Withdrawn` after a withdrawal."""
    history: list[AcceptedVersion]


AcceptedFact = (
    CommuneAccepted
    | CentreAccepted
    | AssessmentAccepted
    | RegistrationAccepted
    | EnvelopeAccepted
    | SupportAccepted
    | PaymentAccepted
    | RecognitionAccepted
    | TitleAccepted
)
"""What is accepted of a subject, as `intake.accepted` tells it."""


class IntakeExplanation(BaseModel):
    """What a subject is, and everything that was submitted of it."""

    subject: str
    """Unit id, centre id, or `<series>/<subject id>`."""
    unit: UnitView | None
    """`None`: the subject is no commune."""
    submissions: list[AcceptedSubject]
    receipts: list[Receipt]
    """The newest 1,000, newest first; `/receipts` has all."""
    doubtful: list[Doubtful] = []
    """What of it is hardly true, as the accepted facts stand now."""
