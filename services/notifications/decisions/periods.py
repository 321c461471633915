"""A closed period that the ministry opens again is told to all whom it touches, until it is closed again."""

from __future__ import annotations

from typing import NamedTuple

from services.notifications.decisions.alerts import newest, noted
from services.notifications.decisions.documents import ALERTS, REOPENINGS, Reopening
from services.notifications.decisions.telling import keep_true, tell
from services.notifications.domain import reopened_alerts
from shared.contracts.base import Text
from shared.contracts.facts import PeriodReopened
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Received

_WHY = Text(vi="Kỳ này đã được khóa lại.", en="The period is closed again.")


class OpeningOrder(NamedTuple):
    """An order that opens a closed period."""

    order_id: str


async def on_reopened(received: Received[PeriodReopened], ask: Ask) -> Outcome:
    """That it ended before its time happened, and is told once; that it is open holds for a while."""
    reopened = received.data
    outcome = await newest(ask, REOPENINGS.ref(reopened.order_id), Reopening(**noted(received)))
    if outcome.puts and reopened.ended:
        await tell(ask, outcome, reopened_alerts(reopened, received.event_id, received.received_at))
    return outcome


async def standing_opening(due: Due[OpeningOrder], ask: Ask) -> Outcome:
    """Tell that a period is open until its time is over, or was ended."""
    order, outcome = await ask.one(REOPENINGS.ref(*due.key)), Outcome()
    is_open = order is not None and order.ended is None and not ask.reached(order.until)
    wanted = reopened_alerts(order, order.event_id, order.received_at) if order and is_open else []
    traces = {alert.alert_id: order.traceparent for alert in wanted if order}
    await keep_true(ask, outcome, f"reopenings/{due.key.order_id}", wanted, at=due.at, why=_WHY, traces=traces)
    return outcome


def _of(order: Reopening) -> list[OpeningOrder]:
    return [OpeningOrder(order.order_id)]


STANDING_OPENINGS = SetOf(
    "standing_openings", OpeningOrder, standing_opening, sources=(Source(REOPENINGS, each(_of)),), keeps=(ALERTS,)
)
