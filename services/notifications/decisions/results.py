"""What the results of a province and period call for, as they stand."""

from __future__ import annotations

from typing import NamedTuple

from services.notifications.decisions.documents import ALERTS, RESULTS, Seen
from services.notifications.decisions.telling import keep_true
from services.notifications.domain import result_alerts
from shared.contracts.base import Text
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each

_WHY = Text(vi="Kết quả nay không còn như vậy.", en="The result is no longer so.")


class ProvincePeriod(NamedTuple):
    """A province and an assessment period."""

    province: str
    period: int


async def standing_results(due: Due[ProvincePeriod], ask: Ask) -> Outcome:
    """Tell what the results call for, and clear what they no longer call for."""
    outcome, wanted, traces = Outcome(), [], {}
    for seen in await ask.all(RESULTS, due.key._asdict()):
        if seen.standing:
            for alert in result_alerts(seen.standing):
                wanted.append(alert)
                traces[alert.alert_id] = seen.standing.traceparent
    matter = f"results/{due.key.province}/{due.key.period}"
    await keep_true(ask, outcome, matter, wanted, at=due.at, why=_WHY, traces=traces)
    return outcome


def _of(seen: Seen) -> list[ProvincePeriod]:
    now = seen.standing
    return [ProvincePeriod(now.province, now.period)] if now and (now.below or now.changed) else []


STANDING_RESULTS = SetOf(
    "standing_results", ProvincePeriod, standing_results, sources=(Source(RESULTS, each(_of)),), keeps=(ALERTS,)
)
