"""Answers of funding: where a budget stands, what its journal holds, what would be, and what was over the years."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator

from shared.contracts.base import Instant, Step, Text
from shared.contracts.facts import (
    AdjustmentProposed,
    Allocation,
    AllocationCase,
    BudgetAdjusted,
    BudgetApproved,
    BudgetProposed,
    BudgetRunProposed,
    JournalMark,
    Purpose,
)
from shared.contracts.journal import JournalEntry
from shared.contracts.life import ActionRecord, Approval, State
from shared.contracts.submissions import AreaClass

Exact = Annotated[str, BeforeValidator(str)]
"""A number without loss: `82.5`, `1/3`."""


class BudgetView(BaseModel):
    """Where a budget stands, and everything that was done to it or refused. Money in đồng."""

    province: str
    year: int
    state: State
    version: int
    hash: str
    """Version and hash of the proposal: what an order has to name."""
    submitted_by: str | None
    accepted: list[str] = []
    """Centres that it was submitted with though their file or figure was not there."""
    approval: Approval | None
    envelope: int
    reserve: int
    """As decided; before the approval: as proposed."""
    journals: dict[Purpose, JournalMark]
    run: BudgetRunProposed
    history: list[ActionRecord]


class StatementView(BaseModel):
    """One line of the proof: a figure in đồng or a number of centres, and whether it holds."""

    what: Text
    figure: int
    holds: bool


class ProofView(BaseModel):
    """The page that anybody can check with paper and pencil."""

    holds: bool
    statements: list[StatementView]


class Journal(BaseModel):
    """All entries of a province, year and purpose, and the head that was published with the last decision."""

    province: str
    year: int
    purpose: Purpose
    head: JournalMark
    entries: list[JournalEntry]


class Misfits(BaseModel):
    """What does not say what a journal books. Part of the answer of its verification."""

    altered: list[str] = []
    """Documents that were altered outside the service, or are missing: collection and identity."""


class Acceptance(BaseModel):
    """That a budget was submitted though a centre's file or figure was not there: who accepted that, and why."""

    centre_id: str
    year: int
    by: str
    at: Instant
    why: str


class ToldLine(Allocation):
    """A line with the steps that made its amount, each in the words of the rule that it stands on."""

    steps: list[Step]


class ToldProposal(BudgetProposed):
    """A line of a proposal, told in words."""

    allocation: ToldLine
    grant: ToldLine | None = None


class ToldApproval(BudgetApproved):
    """An approved decision, told in words."""

    allocation: ToldLine


class ToldAdjusted(BudgetAdjusted):
    """An adjusted decision, told in words."""

    allocation: ToldLine


ToldDecision = ToldApproval | ToldAdjusted


class ToldAdjustment(AdjustmentProposed):
    """What a correction would change, told in words."""

    allocation: ToldLine | None


class FundingExplanation(BaseModel):
    """The money of a commune's centres, or of one centre: each line with everything that made its amount."""

    subject: str
    """Unit id, or centre id."""
    lines: list[ToldProposal]
    """Newest year first, then by centre."""
    accepted: list[Acceptance] = []
    """Of these lines' budgets and centres, oldest first."""


# ------------------------------------------------------------------------------------------------ what if


Outcome = Literal["gains", "loses", "same"]


class SideAnswer(BaseModel):
    """One of the two allocations. Money in đồng."""

    envelope: int
    besides: int
    """Equipment of new centres and what is carried over, paid first: besides + allocated + reserve = envelope."""
    allocated: int
    reserve: int
    case: AllocationCase
    gini: Exact
    """Gini coefficient of the amounts, exact as `p/q`."""


class ChangeAnswer(BaseModel):
    """One centre before and after; `null` where it has no line on that side."""

    centre_id: str
    name: str
    area_class: AreaClass | None
    before: int | None
    after: int | None
    delta: int
    outcome: Outcome


class AreaAnswer(BaseModel):
    """All centres of one area class."""

    area_class: AreaClass
    centres: int
    before: int
    after: int
    delta: int


class ComparisonAnswer(BaseModel):
    """Before and after. Nothing of it was written."""

    province: str
    year: int
    before: SideAnswer
    after: SideAnswer
    winners: int
    losers: int
    unchanged: int
    by_area_class: list[AreaAnswer]
    changes: list[ChangeAnswer]


# ----------------------------------------------------------------------------------------- over the years

Trend = Literal["rising", "falling", "steady", "unknown"]
Finding = Literal["effective_under_supported", "weak_over_supported", "balanced", "unknown"]


class Worked(BaseModel):
    """What a centre reported of a year; `None`: nobody knows. Attendances are no persons."""

    classes: int | None = None
    attendances: int | None = None
    active_months: int | None = None


class YearAnswer(BaseModel):
    """One budget year and the assessment before it."""

    year: int
    support: int | None
    total: Exact | None
    grade: str | None


class ViewAnswer(BaseModel):
    """One centre over the years, oldest first."""

    centre_id: str
    name: str
    area_class: AreaClass
    years: list[YearAnswer]
    support_trend: Trend
    score_trend: Trend
    median: Exact | None
    """Median support of its area class in the last year, exact, in đồng."""
    finding: Finding
    worked: dict[int, Worked] = {}
    """By year, what it reported of its activity."""
