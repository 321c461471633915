"""Event types: which model, which topic, which producer. Typos fail at import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from shared.contracts import facts, register, submissions

Nature = Literal["state", "occurrence"]


class EventType(StrEnum):
    """Every `ce_type` there is."""

    COMMUNE_SUBMITTED = "langhoc.commune.submitted.v1"
    CENTRE_SUBMITTED = "langhoc.centre.submitted.v1"
    ASSESSMENT_SUBMITTED = "langhoc.assessment.submitted.v1"
    CENTRE_REGISTERED = "langhoc.centre.registered.v1"
    ENVELOPE_SUBMITTED = "langhoc.envelope.submitted.v1"
    SUPPORT_SUBMITTED = "langhoc.support.submitted.v1"
    RECOGNITION_SUBMITTED = "langhoc.recognition.submitted.v1"
    RECEIPT_ISSUED = "langhoc.receipt.issued.v1"
    COMMUNE_ACCEPTED = "langhoc.commune.accepted.v1"
    CENTRE_ACCEPTED = "langhoc.centre.accepted.v1"
    ASSESSMENT_ACCEPTED = "langhoc.assessment.accepted.v1"
    REGISTRATION_ACCEPTED = "langhoc.registration.accepted.v1"
    ENVELOPE_ACCEPTED = "langhoc.envelope.accepted.v1"
    SUPPORT_ACCEPTED = "langhoc.support.accepted.v1"
    RECOGNITION_ACCEPTED = "langhoc.recognition.accepted.v1"
    REGISTER_CORRECTED = "langhoc.register.corrected.v1"
    COMMUNE_SCORED = "langhoc.commune.scored.v1"
    CENTRE_SCORED = "langhoc.centre.scored.v1"
    ASSESSMENT_SCORED = "langhoc.assessment.scored.v1"
    RANKING_PUBLISHED = "langhoc.ranking.published.v1"
    RANKING_PAGE = "langhoc.ranking.page.v1"
    RANKING_CHANGES = "langhoc.ranking.changes.v1"
    BUDGET_PROPOSED = "langhoc.budget.proposed.v1"
    BUDGET_RUN_PROPOSED = "langhoc.budget.run.proposed.v1"
    BUDGET_APPROVED = "langhoc.budget.approved.v1"
    BUDGET_RUN_APPROVED = "langhoc.budget.run.approved.v1"
    ADJUSTMENT_PROPOSED = "langhoc.budget.adjustment.proposed.v1"
    BUDGET_ADJUSTED = "langhoc.budget.adjusted.v1"
    ALERT_RAISED = "langhoc.alert.raised.v1"


@dataclass(frozen=True, slots=True)
class EventContract:
    """One event type. `family` is the topic file's name; `state` facts are guarded by version, occurrences by id."""

    model: type[BaseModel]
    type: EventType
    family: str
    nature: Nature


def _contracts() -> dict[str, EventContract]:
    rows: list[tuple[EventType, type[BaseModel], str, Nature]] = [
        (EventType.COMMUNE_SUBMITTED, submissions.CommuneSubmitted, "submissions", "occurrence"),
        (EventType.CENTRE_SUBMITTED, submissions.CentreSubmitted, "submissions", "occurrence"),
        (EventType.ASSESSMENT_SUBMITTED, submissions.AssessmentSubmitted, "submissions", "occurrence"),
        (EventType.CENTRE_REGISTERED, submissions.CentreRegistered, "submissions", "occurrence"),
        (EventType.ENVELOPE_SUBMITTED, submissions.EnvelopeSubmitted, "submissions", "occurrence"),
        (EventType.SUPPORT_SUBMITTED, submissions.SupportSubmitted, "submissions", "occurrence"),
        (EventType.RECOGNITION_SUBMITTED, submissions.RecognitionSubmitted, "submissions", "occurrence"),
        (EventType.RECEIPT_ISSUED, facts.Receipt, "receipts", "occurrence"),
        (EventType.COMMUNE_ACCEPTED, facts.CommuneAccepted, "intake.accepted", "state"),
        (EventType.CENTRE_ACCEPTED, facts.CentreAccepted, "intake.accepted", "state"),
        (EventType.ASSESSMENT_ACCEPTED, facts.AssessmentAccepted, "intake.accepted", "state"),
        (EventType.REGISTRATION_ACCEPTED, facts.RegistrationAccepted, "intake.accepted", "state"),
        (EventType.ENVELOPE_ACCEPTED, facts.EnvelopeAccepted, "intake.accepted", "state"),
        (EventType.SUPPORT_ACCEPTED, facts.SupportAccepted, "intake.accepted", "state"),
        (EventType.RECOGNITION_ACCEPTED, facts.RecognitionAccepted, "intake.accepted", "state"),
        (EventType.REGISTER_CORRECTED, register.RegisterCorrected, "intake.accepted", "state"),
        (EventType.COMMUNE_SCORED, facts.CommuneScored, "scores", "state"),
        (EventType.CENTRE_SCORED, facts.CentreScored, "scores", "state"),
        (EventType.ASSESSMENT_SCORED, facts.AssessmentScored, "scores", "state"),
        (EventType.RANKING_PUBLISHED, facts.RankingPublished, "rankings", "state"),
        (EventType.RANKING_PAGE, facts.RankingPage, "rankings", "state"),
        (EventType.RANKING_CHANGES, facts.RankingChanges, "rankings", "state"),
        (EventType.BUDGET_PROPOSED, facts.BudgetProposed, "budgets", "state"),
        (EventType.BUDGET_RUN_PROPOSED, facts.BudgetRunProposed, "budgets", "state"),
        (EventType.BUDGET_APPROVED, facts.BudgetApproved, "budgets", "state"),
        (EventType.BUDGET_RUN_APPROVED, facts.BudgetRunApproved, "budgets", "state"),
        (EventType.ADJUSTMENT_PROPOSED, facts.AdjustmentProposed, "budgets", "state"),
        (EventType.BUDGET_ADJUSTED, facts.BudgetAdjusted, "budgets", "state"),
        (EventType.ALERT_RAISED, facts.Alert, "alerts", "occurrence"),
    ]
    return {type_: EventContract(model, type_, family, nature) for type_, model, family, nature in rows}


CONTRACTS: Mapping[str, EventContract] = _contracts()
EXAMPLES = Path(__file__).parent / "examples"


@cache
def contract_of(model: type[BaseModel]) -> EventContract:
    """The contract that publishes `model`; `KeyError` if it is no event."""
    for contract in CONTRACTS.values():
        if contract.model is model:
            return contract
    raise KeyError(model.__name__)
