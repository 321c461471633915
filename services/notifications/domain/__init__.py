"""Who must be told, and in which words. Pure: no clock, no I/O, no float.

Each module makes the alerts of one kind of fact; `wording` holds what they share. An alert's id is its key:
what has the same key is the same matter, and is said once.
"""

from services.notifications.domain.budgets import (
    Told,
    assessment_deadline,
    below_minimum_alerts,
    is_complete,
    support_changed_alert,
)
from services.notifications.domain.decisions import (
    adjusted_alert,
    adjustment_proposed_alert,
    approved_alert,
)
from services.notifications.domain.receipts import receipt_alert
from services.notifications.domain.results import result_alert, result_changed_alert

__all__ = [
    "Told",
    "adjusted_alert",
    "adjustment_proposed_alert",
    "approved_alert",
    "assessment_deadline",
    "below_minimum_alerts",
    "is_complete",
    "receipt_alert",
    "result_alert",
    "result_changed_alert",
    "support_changed_alert",
]
