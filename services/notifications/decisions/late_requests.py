"""A request for late acceptance is the ministry's to answer until it is decided; the answer is told to who asked."""

from __future__ import annotations

from typing import NamedTuple

from services.notifications.decisions.alerts import newest, noted
from services.notifications.decisions.documents import ALERTS, LATE_REQUESTS, LateRequest
from services.notifications.decisions.telling import keep_true, tell
from services.notifications.domain import decided_alert, requested_alert
from shared.contracts.base import Text
from shared.contracts.facts import LateDecided, LateRequested
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Received

_WHY = Text(vi="Đề nghị đã được quyết định hoặc đã rút.", en="The request was decided, or withdrawn.")


class Asked(NamedTuple):
    """A request."""

    province: str
    request_id: str


async def on_request(received: Received[LateRequested] | Received[LateDecided], ask: Ask) -> Outcome:
    """That it waits holds until it is decided or withdrawn; that it was decided happened, and is told once."""
    request = received.data
    outcome = await newest(
        ask, LATE_REQUESTS.ref(request.province, request.request_id), LateRequest(**noted(received))
    )  # fmt: skip
    if outcome.puts and isinstance(request, LateDecided):
        await tell(ask, outcome, [decided_alert(request, received.event_id, received.received_at)])
    return outcome


async def standing_request(due: Due[Asked], ask: Ask) -> Outcome:
    """Tell the ministry that a request waits, in other words when its time is over."""
    request, outcome = await ask.one(LATE_REQUESTS.ref(*due.key)), Outcome()
    waits = request is not None and request.decision is None and request.withdrawn is None
    wanted = (
        [requested_alert(request, request.event_id, request.received_at, overdue=ask.reached(request.decide_by))]
        if request and waits
        else []
    )
    traces = {alert.alert_id: request.traceparent for alert in wanted if request}
    matter = "late_requests/" + "/".join(due.key)
    await keep_true(ask, outcome, matter, wanted, at=due.at, why=_WHY, traces=traces)
    return outcome


def _of(request: LateRequest) -> list[Asked]:
    return [Asked(request.province, request.request_id)]


STANDING_REQUESTS = SetOf(
    "standing_requests", Asked, standing_request, sources=(Source(LATE_REQUESTS, each(_of)),), keeps=(ALERTS,)
)
