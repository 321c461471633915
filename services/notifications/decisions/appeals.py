"""An appeal against a result is the ministry's to decide until it is decided; the decision is told to who appealed."""

from __future__ import annotations

from typing import NamedTuple

from services.notifications.decisions.alerts import newest, noted
from services.notifications.decisions.documents import ALERTS, APPEALS, Appeal
from services.notifications.decisions.telling import keep_true, tell
from services.notifications.domain import appeal_decided_alert, appeal_made_alert
from shared.contracts.base import Text
from shared.contracts.facts import AppealDecided, AppealMade
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Received

_WHY = Text(vi="Đề nghị đã được quyết định hoặc đã rút.", en="The appeal was decided, or withdrawn.")


class Made(NamedTuple):
    """An appeal."""

    province: str
    appeal_id: str


async def on_appeal(received: Received[AppealMade] | Received[AppealDecided], ask: Ask) -> Outcome:
    """That it waits holds until it is decided or withdrawn; that it was decided happened, and is told once."""
    fact = received.data
    outcome = await newest(ask, APPEALS.ref(fact.province, fact.appeal_id), Appeal(**noted(received)))
    if outcome.puts and isinstance(fact, AppealDecided):
        await tell(ask, outcome, [appeal_decided_alert(fact, received.event_id, received.received_at)])
    return outcome


async def standing_appeal(due: Due[Made], ask: Ask) -> Outcome:
    """Tell the ministry that an appeal waits, in other words when its time is over."""
    appeal, outcome = await ask.one(APPEALS.ref(*due.key)), Outcome()
    wanted = []
    if appeal is not None and appeal.decision is None and appeal.withdrawn is None:
        overdue = ask.reached(appeal.decide_by)
        wanted.append(appeal_made_alert(appeal, appeal.event_id, appeal.received_at, overdue=overdue))
    traces = {alert.alert_id: appeal.traceparent for alert in wanted if appeal}
    await keep_true(ask, outcome, "appeals/" + "/".join(due.key), wanted, at=due.at, why=_WHY, traces=traces)
    return outcome


def _of(appeal: Appeal) -> list[Made]:
    return [Made(appeal.province, appeal.appeal_id)]


STANDING_APPEALS = SetOf(
    "standing_appeals", Made, standing_appeal, sources=(Source(APPEALS, each(_of)),), keeps=(ALERTS,)
)
