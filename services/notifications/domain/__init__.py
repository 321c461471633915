"""Who must be told, and in which words. Pure: no clock, no I/O, no float.

Each module makes the alerts of one kind of fact, and lists under `CALLS` which fact calls for which; `wording` holds
what they share. An alert's id is its key: what has the same key is the same matter, and is said once.
"""

from collections.abc import Mapping

from services.notifications.domain import decisions, receipts, results
from services.notifications.domain.budgets import (
    Told,
    assessment_deadline,
    below_minimum_alerts,
    is_complete,
    support_changed_alert,
)
from services.notifications.domain.periods import reopened_alerts
from services.notifications.domain.wording import AlertOf

CALLS: Mapping[str, tuple[AlertOf, ...]] = {**receipts.CALLS, **results.CALLS, **decisions.CALLS}
"""By event type, the alerts that a fact calls for by itself. What a whole proposal calls for is in `budgets`."""

__all__ = [
    "CALLS",
    "Told",
    "assessment_deadline",
    "below_minimum_alerts",
    "is_complete",
    "reopened_alerts",
    "support_changed_alert",
]
