"""What notifications does with each event: whom it tells, and that it tells it once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.notifications.decisions.documents import ALERTS, RESULTS, RUNS, SUPPORTS, Run, Seen, SupportLine
from services.notifications.domain import CALLS, below_minimum_alerts
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Alert, BudgetProposed, BudgetRunProposed, CentreScored, CommuneScored
from shared.messaging.decide.asking import STALE, Ask, Decide, Outcome
from shared.messaging.messages import Outgoing, Received

IGNORED = "ignored"
REPEATED = "repeated"
"""The matter was told before."""


async def tell(ask: Ask, outcome: Outcome, alerts: Iterable[Alert]) -> None:
    """Raise the alerts that were not raised before."""
    by_ref = {ALERTS.ref(alert.alert_id): alert for alert in alerts}
    for (ref, alert), said in zip(by_ref.items(), await ask.many(by_ref), strict=True):
        if said is None:
            outcome.put(ref, alert)
            outcome.events.append(Outgoing(f"alerts.{alert.audience}", alert.subject, alert.subject, alert))


def _called_for(received: Received[Any]) -> list[Alert]:
    matter = (received.data, received.event_id, received.received_at)
    return [alert for alert_of in CALLS.get(received.type, ()) if (alert := alert_of(*matter))]


async def on_matter(received: Received[Any], ask: Ask) -> Outcome:
    """An event that is one matter by itself; the keys of its alerts say which."""
    alerts = _called_for(received)
    if not alerts:
        return Outcome(verdict=IGNORED)
    outcome = Outcome()
    await tell(ask, outcome, alerts)
    return outcome if outcome.events else Outcome(verdict=REPEATED)


async def on_result(received: Received[CommuneScored] | Received[CentreScored], ask: Ask) -> Outcome:
    """A result below its threshold, or one that replaces another."""
    result = received.data
    if isinstance(result, CommuneScored):
        ref = RESULTS.ref("commune", result.unit_id, result.period)
    else:
        ref = RESULTS.ref("centre", result.centre_id, result.period)
    if _is_stale(result.version, await ask.one(ref)):
        return Outcome(verdict=STALE)
    outcome = Outcome({ref: Seen(version=result.version)})
    await tell(ask, outcome, _called_for(received))
    return outcome


async def on_line(received: Received[BudgetProposed], ask: Ask) -> Outcome:
    """A line of a proposal: kept until the proposal is settled."""
    line = received.data
    ref = SUPPORTS.ref(line.allocation.centre_id, line.year)
    if _is_stale(line.version, await ask.one(ref)):
        return Outcome(verdict=STALE)
    return Outcome({ref: SupportLine(**_noted(received))})


async def on_run(received: Received[BudgetRunProposed], ask: Ask) -> Outcome:
    """The head of a proposal: kept; an envelope that is too small is told at once."""
    run = received.data
    ref = RUNS.ref(run.province, run.year)
    if _is_stale(run.version, await ask.one(ref)):
        return Outcome(verdict=STALE)
    outcome = Outcome({ref: Run(**_noted(received))})
    await tell(ask, outcome, below_minimum_alerts(run, received.event_id, received.received_at))
    return outcome


def _noted(received: Received[Any]) -> dict[str, Any]:
    beside = {name: getattr(received, name) for name in ("event_id", "received_at", "traceparent")}
    return {**dict(received.data), **beside}


def _is_stale(version: int, known: Seen | SupportLine | Run | None) -> bool:
    return known is not None and version <= known.version


routes: Mapping[str, Decide[Received[Any]]] = {
    **dict.fromkeys(CALLS, on_matter),
    EventType.COMMUNE_SCORED: on_result,
    EventType.CENTRE_SCORED: on_result,
    EventType.BUDGET_PROPOSED: on_line,
    EventType.BUDGET_RUN_PROPOSED: on_run,
}
