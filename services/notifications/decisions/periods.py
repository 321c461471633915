"""A closed period that the ministry opens again is told to all whom it touches."""

from __future__ import annotations

from services.notifications.decisions.alerts import REPEATED
from services.notifications.decisions.telling import tell
from services.notifications.domain import reopened_alerts
from shared.contracts.facts import PeriodReopened
from shared.messaging.decide.asking import Ask, Outcome
from shared.messaging.messages import Received


async def on_reopened(received: Received[PeriodReopened], ask: Ask) -> Outcome:
    """Each version of an order is one matter for each province; one that is known already is told no more."""
    outcome = Outcome()
    await tell(ask, outcome, reopened_alerts(received.data, received.event_id, received.received_at))
    return outcome if outcome.events else Outcome(verdict=REPEATED)
