"""What the public sees of a ranking is told to all who are in it: the last act about it stands."""

from __future__ import annotations

from typing import NamedTuple

from services.notifications.decisions.alerts import newest, noted
from services.notifications.decisions.documents import ALERTS, RELEASES, Release
from services.notifications.decisions.telling import keep_true
from services.notifications.domain import released_alerts
from shared.contracts.base import Text
from shared.contracts.facts import RankingReleased
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Received

_WHY = Text(vi="Việc công bố nay không còn như vậy.", en="The release is no longer so.")


class RankingYear(NamedTuple):
    """A ranking of one scope and period."""

    scope: str
    period: int


async def on_released(received: Received[RankingReleased], ask: Ask) -> Outcome:
    """An act that released or withdrew a ranking."""
    act = received.data
    return await newest(ask, RELEASES.ref(act.scope, act.period), Release(**noted(received)))


async def standing_release(due: Due[RankingYear], ask: Ask) -> Outcome:
    """Tell the last act, in place of the one before."""
    act, outcome = await ask.one(RELEASES.ref(*due.key)), Outcome()
    wanted = released_alerts(act, act.event_id, act.received_at) if act else []
    traces = {alert.alert_id: act.traceparent for alert in wanted if act}
    matter = f"releases/{due.key.scope}/{due.key.period}"
    await keep_true(ask, outcome, matter, wanted, at=due.at, why=_WHY, traces=traces)
    return outcome


def _of(act: Release) -> list[RankingYear]:
    return [RankingYear(act.scope, act.period)]


STANDING_RELEASES = SetOf(
    "standing_releases", RankingYear, standing_release, sources=(Source(RELEASES, each(_of)),), keeps=(ALERTS,)
)
