"""What notifications holds. The names in the database, the `_id`s and the fields stay as they are."""

from __future__ import annotations

from pydantic import Field, TypeAdapter

from services.notifications.domain import Activity, Place, Standing
from shared.answers.alerts import StandingAlert
from shared.contracts.base import Contract, Dong, Instant, Version
from shared.contracts.facts import (
    AdjustmentProposed,
    AppealDecision,
    AppealMade,
    BudgetMoved,
    BudgetProposed,
    BudgetReconciled,
    BudgetRunProposed,
    LateDecision,
    LateRequested,
    PeriodReopened,
    RankingReleased,
    RegistrationAccepted,
    SubmissionErased,
    Withdrawn,
)
from shared.messaging.decide.documents import Collection, Document
from shared.privacy import erased_text


class Said(StandingAlert):
    """What is kept of an alert."""

    matter: str | None = None
    """The set whose state decides whether it stands; `None`: it happened, and is never over."""
    place: Place | None = None
    """Where the submission that it is about stands among the others of its sender."""
    wordless: bool = Field(default=False, exclude_if=lambda wordless: not wordless)
    """Whether its words are erased."""

    def without_words(self) -> Said:
        """The same alert, saying no more than that its words are erased."""
        gone = {"text": erased_text(), "action": erased_text(), "wordless": True}
        return self.model_copy(update=gone | ({"why_cleared": erased_text()} if self.why_cleared else {}))


class File(Contract):
    """What a sender said of one subject and period: the last submission that was taken, and whether others were not."""

    province: str
    file: str
    taken: Place | None = None
    asked: int = 0


class Seen(Contract):
    """The newest version of a result that was seen, and what its province knew of it before."""

    version: int
    standing: Standing | None = None
    """`None`: seen by a release that kept no more than the version."""
    province: str | None = None
    period: int | None = None


class _Noted(Contract):
    """What is kept of an event beside its fact, for alerts that are raised later."""

    event_id: str
    received_at: Instant
    traceparent: str | None = None


class SupportLine(BudgetProposed, _Noted):
    """The latest line of a centre in a province's proposal, and what it was when the time for its file was over."""

    then: Dong | None = None
    then_version: Version | None = None


class Run(BudgetRunProposed, _Noted):
    """The latest head of a province's proposal."""


class Move(BudgetMoved, _Noted):
    """The latest action on a province's budget."""


class Adjustment(AdjustmentProposed, _Noted):
    """The latest version of a proposal to adjust."""


class Reconciled(BudgetReconciled, _Noted):
    """The latest comparison of a budget year's payments with its decisions."""


class Release(RankingReleased, _Noted):
    """The latest act that released or withdrew a ranking."""


class Reopening(PeriodReopened, _Noted):
    """The latest version of an order that opens a closed period."""


class LateRequest(LateRequested, _Noted):
    """The latest version of a request for late acceptance, and what was decided on it."""

    decision: LateDecision | None = None


class Appeal(AppealMade, _Noted):
    """The latest version of an appeal against a result, and what was decided on it."""

    decision: AppealDecision | None = None


def _of_the_proposal(alert: Document) -> Document:
    """Alerts about a proposal follow it from now on; what else was said before stays as it was said."""
    followed = alert["kind"] in ("support_changed", "below_legal_minimum")
    return alert | {"matter": f"money/{alert['province']}/{alert['period']}"} if followed else alert


ALERTS: Collection[Said] = Collection("alerts", TypeAdapter(Said), schema=2, upgrades={1: _of_the_proposal})
"""By the alert's key. That it is there, and not cleared, is what makes it be said once."""
FILES: Collection[File] = Collection("files", TypeAdapter(File))
"""By sender, kind, subject and period."""
RESULTS: Collection[Seen] = Collection("results", TypeAdapter(Seen), schema=2)
"""By `commune`, `centre` or another series, unit and period."""
ACTIVITIES: Collection[Activity] = Collection("activities", TypeAdapter(Activity))
"""By centre and period."""
CENTRES: Collection[RegistrationAccepted | Withdrawn] = Collection(
    "centres", TypeAdapter(RegistrationAccepted | Withdrawn)
)
"""By centre: as it is registered, or that this was withdrawn."""
SUPPORTS: Collection[SupportLine] = Collection("supports", TypeAdapter(SupportLine), schema=2)
"""By centre and year."""
RUNS: Collection[Run] = Collection("runs", TypeAdapter(Run))
"""By province and year."""
MOVES: Collection[Move] = Collection("moves", TypeAdapter(Move))
"""By province and year."""
ADJUSTMENTS: Collection[Adjustment] = Collection("adjustments", TypeAdapter(Adjustment))
"""By the adjustment's id."""
RECONCILED: Collection[Reconciled] = Collection("reconciled", TypeAdapter(Reconciled))
"""By province and year."""
RELEASES: Collection[Release] = Collection("releases", TypeAdapter(Release))
"""By scope and period."""
REOPENINGS: Collection[Reopening] = Collection("reopenings", TypeAdapter(Reopening))
"""By the order's id."""
LATE_REQUESTS: Collection[LateRequest] = Collection("late_requests", TypeAdapter(LateRequest))
"""By province and the request's id."""
APPEALS: Collection[Appeal] = Collection("appeals", TypeAdapter(Appeal))
"""By province and the appeal's id."""
ERASED: Collection[SubmissionErased] = Collection("erased", TypeAdapter(SubmissionErased))
"""By the receipt's id; it may be known before the receipt is."""
