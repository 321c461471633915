"""Who must be told, and in which words. Pure: no clock, no I/O, no float.

Each module makes the alerts of one kind of fact. What simply happened is said once, and stands under `CALLS` beside the
fact that calls for it; the others hold as long as what they rest on says so. An alert's id is its key: what has the
same key is the same matter. `wording` holds what they share.
"""

from collections.abc import Mapping

from services.notifications.domain import decisions
from services.notifications.domain.appeals import appeal_decided_alert, appeal_made_alert
from services.notifications.domain.budgets import (
    Proposal,
    assessment_deadline,
    assessments_close,
    below_minimum_alerts,
    digest_alert,
    is_complete,
    known_until,
    returned_alert,
    unknown_alerts,
)
from services.notifications.domain.decisions import adjustment_proposed_alert
from services.notifications.domain.idle import Activity, activity_of, idle_alert
from services.notifications.domain.late_requests import decided_alert, requested_alert
from services.notifications.domain.payments import missing_alert, overpaid_alert
from services.notifications.domain.periods import reopened_alerts
from services.notifications.domain.receipts import RECEIPT_KINDS, TAKEN, Place, file_of, place_of, receipt_alert
from services.notifications.domain.releases import released_alerts
from services.notifications.domain.results import Standing, result_alerts, standing
from services.notifications.domain.wording import AlertOf

CALLS: Mapping[str, tuple[AlertOf, ...]] = {**decisions.CALLS}
"""By event type, the alerts that a fact calls for by itself, once and for all."""

__all__ = [
    "CALLS",
    "RECEIPT_KINDS",
    "TAKEN",
    "Activity",
    "Place",
    "Proposal",
    "Standing",
    "activity_of",
    "adjustment_proposed_alert",
    "appeal_decided_alert",
    "appeal_made_alert",
    "assessment_deadline",
    "assessments_close",
    "below_minimum_alerts",
    "decided_alert",
    "digest_alert",
    "file_of",
    "idle_alert",
    "is_complete",
    "known_until",
    "missing_alert",
    "overpaid_alert",
    "place_of",
    "receipt_alert",
    "released_alerts",
    "reopened_alerts",
    "requested_alert",
    "result_alerts",
    "returned_alert",
    "standing",
    "unknown_alerts",
]
