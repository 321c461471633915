"""Event types: which model, which topic, which producer. Typos fail at import."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from shared.contracts import facts, people, register, rules, submissions
from shared.contracts.base import Claim
from shared.contracts.topics import families


class EventType(StrEnum):
    """Every `ce_type` there is, with its model and the family of topics that it lies on (the topic file's name)."""

    COMMUNE_SUBMITTED = "langhoc.commune.submitted.v1", submissions.CommuneSubmitted, "submissions"
    CENTRE_SUBMITTED = "langhoc.centre.submitted.v1", submissions.CentreSubmitted, "submissions"
    ASSESSMENT_SUBMITTED = "langhoc.assessment.submitted.v1", submissions.AssessmentSubmitted, "submissions"
    CENTRE_REGISTERED = "langhoc.centre.registered.v1", submissions.CentreRegistered, "submissions"
    ENVELOPE_SUBMITTED = "langhoc.envelope.submitted.v1", submissions.EnvelopeSubmitted, "submissions"
    SUPPORT_SUBMITTED = "langhoc.support.submitted.v1", submissions.SupportSubmitted, "submissions"
    PAYMENT_SUBMITTED = "langhoc.payment.submitted.v1", submissions.PaymentSubmitted, "submissions"
    RECOGNITION_SUBMITTED = "langhoc.recognition.submitted.v1", submissions.RecognitionSubmitted, "submissions"
    RECOGNITION_REVOKED = "langhoc.recognition.revoked.v1", submissions.RecognitionRevoked, "submissions"
    TITLE_SUBMITTED = "langhoc.title.submitted.v1", submissions.TitleSubmitted, "submissions"
    TITLE_REVOKED = "langhoc.title.revoked.v1", submissions.TitleRevoked, "submissions"
    COMMUNE_WITHDRAWN = "langhoc.commune.withdrawn.v1", submissions.CommuneWithdrawn, "submissions"
    CENTRE_WITHDRAWN = "langhoc.centre.withdrawn.v1", submissions.CentreWithdrawn, "submissions"
    ASSESSMENT_WITHDRAWN = "langhoc.assessment.withdrawn.v1", submissions.AssessmentWithdrawn, "submissions"
    REGISTRATION_WITHDRAWN = "langhoc.registration.withdrawn.v1", submissions.RegistrationWithdrawn, "submissions"
    ENVELOPE_WITHDRAWN = "langhoc.envelope.withdrawn.v1", submissions.EnvelopeWithdrawn, "submissions"
    SUPPORT_WITHDRAWN = "langhoc.support.withdrawn.v1", submissions.SupportWithdrawn, "submissions"
    PAYMENT_WITHDRAWN = "langhoc.payment.withdrawn.v1", submissions.PaymentWithdrawn, "submissions"
    RECOGNITION_WITHDRAWN = "langhoc.recognition.withdrawn.v1", submissions.RecognitionWithdrawn, "submissions"
    TITLE_WITHDRAWN = "langhoc.title.withdrawn.v1", submissions.TitleWithdrawn, "submissions"
    RECEIPT_ISSUED = "langhoc.receipt.issued.v1", facts.Receipt, "receipts"
    COMMUNE_ACCEPTED = "langhoc.commune.accepted.v1", facts.CommuneAccepted, "intake.accepted"
    CENTRE_ACCEPTED = "langhoc.centre.accepted.v1", facts.CentreAccepted, "intake.accepted"
    ASSESSMENT_ACCEPTED = "langhoc.assessment.accepted.v1", facts.AssessmentAccepted, "intake.accepted"
    REGISTRATION_ACCEPTED = "langhoc.registration.accepted.v1", facts.RegistrationAccepted, "intake.accepted"
    ENVELOPE_ACCEPTED = "langhoc.envelope.accepted.v1", facts.EnvelopeAccepted, "intake.accepted"
    SUPPORT_ACCEPTED = "langhoc.support.accepted.v1", facts.SupportAccepted, "intake.accepted"
    PAYMENT_ACCEPTED = "langhoc.payment.accepted.v1", facts.PaymentAccepted, "intake.accepted"
    RECOGNITION_ACCEPTED = "langhoc.recognition.accepted.v1", facts.RecognitionAccepted, "intake.accepted"
    TITLE_ACCEPTED = "langhoc.title.accepted.v1", facts.TitleAccepted, "intake.accepted"
    SUBMISSION_WITHDRAWN = "langhoc.submission.withdrawn.v1", facts.Withdrawn, "intake.accepted"
    SUBMISSION_ERASED = "langhoc.submission.erased.v1", facts.SubmissionErased, "intake.accepted"
    PERIOD_REOPENED = "langhoc.period.reopened.v1", facts.PeriodReopened, "intake.accepted"
    LATE_REQUESTED = "langhoc.late.requested.v1", facts.LateRequested, "intake.accepted"
    LATE_DECIDED = "langhoc.late.decided.v1", facts.LateDecided, "intake.accepted"
    REGISTER_CORRECTED = "langhoc.register.corrected.v1", register.RegisterCorrected, "intake.accepted"
    PERSON_ENTERED = "langhoc.person.entered.v1", people.PersonEntered, "people"
    COMMUNE_SCORED = "langhoc.commune.scored.v2", facts.CommuneScored, "scores"
    CENTRE_SCORED = "langhoc.centre.scored.v2", facts.CentreScored, "scores"
    ASSESSMENT_SCORED = "langhoc.assessment.scored.v2", facts.AssessmentScored, "scores"
    APPEAL_MADE = "langhoc.appeal.made.v1", facts.AppealMade, "scores"
    APPEAL_DECIDED = "langhoc.appeal.decided.v1", facts.AppealDecided, "scores"
    ATTAINMENT_COMPUTED = "langhoc.attainment.computed.v1", facts.AttainmentComputed, "scores"
    RULE_RELEASED = "langhoc.rule.released.v1", rules.RuleReleased, "rules"
    RULEBOOK_RELEASED = "langhoc.rulebook.released.v1", rules.RulebookReleased, "rules"
    RANKING_PUBLISHED = "langhoc.ranking.published.v1", facts.RankingPublished, "rankings"
    RANKING_PAGE = "langhoc.ranking.page.v1", facts.RankingPage, "rankings"
    RANKING_CHANGES = "langhoc.ranking.changes.v1", facts.RankingChanges, "rankings"
    RANKING_RELEASED = "langhoc.ranking.released.v1", facts.RankingReleased, "rankings"
    BUDGET_PROPOSED = "langhoc.budget.proposed.v2", facts.BudgetProposed, "budgets"
    BUDGET_RUN_PROPOSED = "langhoc.budget.run.proposed.v1", facts.BudgetRunProposed, "budgets"
    BUDGET_MOVED = "langhoc.budget.moved.v1", facts.BudgetMoved, "budgets"
    BUDGET_APPROVED = "langhoc.budget.approved.v2", facts.BudgetApproved, "budgets"
    BUDGET_RUN_APPROVED = "langhoc.budget.run.approved.v1", facts.BudgetRunApproved, "budgets"
    ADJUSTMENT_PROPOSED = "langhoc.budget.adjustment.proposed.v2", facts.AdjustmentProposed, "budgets"
    BUDGET_ADJUSTED = "langhoc.budget.adjusted.v2", facts.BudgetAdjusted, "budgets"
    BUDGET_RECONCILED = "langhoc.budget.reconciled.v1", facts.BudgetReconciled, "budgets"
    ALERT_RAISED = "langhoc.alert.raised.v1", facts.Alert, "alerts"
    ALERT_CLEARED = "langhoc.alert.cleared.v1", facts.AlertCleared, "alerts"

    model: type[BaseModel]
    family: str

    def __new__(cls, value: str, model: type[BaseModel] = BaseModel, family: str = "") -> EventType:
        member = str.__new__(cls, value)
        member._value_, member.model, member.family = value, model, family
        return member

    @property
    def claim(self) -> type[Claim]:
        """The model of what an outside sender says."""
        assert issubclass(self.model, Claim), f"{self.value} is no submission"
        return self.model

    @property
    def nature(self) -> Literal["state", "occurrence"]:
        """State facts are guarded by their version, occurrences by their id."""
        return families()[self.family].nature


CONTRACTS: Mapping[str, EventType] = {each.value: each for each in EventType}
EXAMPLES = Path(__file__).parent / "examples"


@cache
def contract_of(model: type[BaseModel]) -> EventType:
    """The event type that publishes `model`; `KeyError` if it is none."""
    for each in EventType:
        if each.model is model:
            return each
    raise KeyError(model.__name__)
