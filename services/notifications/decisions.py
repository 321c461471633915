"""What notifications does with each event: whom it tells, and that it tells it once.

Documents, by collection and `_id`:

| collection | `_id` | document |
|---|---|---|
| `alerts` | the alert's key | the `Alert`; its presence is what makes it be said once |
| `results` | `commune/<unit id>/<period>`, `centre/<centre id>/<period>` | `version` of the newest result seen |
| `supports` | `<centre id>/<year>` | the latest `BudgetProposed`, with `event_id`, `received_at`, `traceparent` |
| `told` | `<centre id>/<year>` | `amount` and `times` of what was said about changed support |
| `runs` | `<province>/<year>` | the latest `BudgetRunProposed`, with `event_id`, `received_at`, `traceparent` |

Changed support is told only when a province's proposal is settled (`settled`), so that a burst of corrections does not
raise alerts about amounts that live for a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from services.notifications.domain import (
    Told,
    adjusted_alert,
    adjustment_proposed_alert,
    approved_alert,
    assessment_deadline,
    below_minimum_alerts,
    below_minimum_keys,
    is_complete,
    receipt_alert,
    result_alert,
    result_changed_alert,
    support_changed_alert,
)
from shared.contracts.catalogue import EventType
from shared.contracts.facts import (
    Alert,
    BudgetProposed,
    BudgetRunProposed,
    CentreScored,
    CommuneScored,
    Receipt,
)
from shared.messaging.decide.handling import STALE, Document, Outcome, Recalculation, Ref, Route, States
from shared.messaging.messages import Outgoing, Received

IGNORED = "ignored"
REPEATED = "repeated"
"""The matter was told before."""
WAITING = "waiting"
"""Not all lines of the run are here yet; the next one asks again."""
WITHDRAWN = "withdrawn"
"""Funding's flag of a line that is no longer part of the run."""

B = TypeVar("B", bound=BaseModel)


def _alert_ref(key: str) -> Ref:
    return Ref("alerts", key)


def _raise(outcome: Outcome, alert: Alert, parent: str | None = None) -> None:
    outcome.puts[_alert_ref(alert.alert_id)] = alert.model_dump(mode="json")
    outcome.events.append(Outgoing(f"alerts.{alert.audience}", alert.subject, alert.subject, alert, parent=parent))


# ------------------------------------------------------------------------------------------------- receipts


def _receipt_needs(event: Received[Receipt]) -> Iterable[Ref]:
    alert = receipt_alert(event.data, event.event_id)
    return [_alert_ref(alert.alert_id)] if alert else []


def _on_receipt(event: Received[Receipt], states: States) -> Outcome:
    alert = receipt_alert(event.data, event.event_id)
    if alert is None:
        return Outcome(verdict=IGNORED)
    if states[_alert_ref(alert.alert_id)] is not None:
        return Outcome(verdict=REPEATED)
    outcome = Outcome()
    _raise(outcome, alert)
    return outcome


# -------------------------------------------------------------------------------------------------- results

ScoredEvent = Received[CommuneScored] | Received[CentreScored]


def _result_ref(result: CommuneScored | CentreScored) -> Ref:
    if isinstance(result, CommuneScored):
        return Ref("results", f"commune/{result.unit_id}/{result.period}")
    return Ref("results", f"centre/{result.centre_id}/{result.period}")


def _result_needs(event: ScoredEvent) -> Iterable[Ref]:
    return [_result_ref(event.data), *(_alert_ref(alert.alert_id) for alert in _result_alerts(event))]


def _result_alerts(event: ScoredEvent) -> Iterable[Alert]:
    told = (event.data, event.event_id, event.received_at)
    return filter(None, (result_alert(*told), result_changed_alert(*told)))


def _on_result(event: ScoredEvent, states: States) -> Outcome:
    ref = _result_ref(event.data)
    if _is_stale(event.data.version, states[ref]):
        return Outcome(verdict=STALE)
    outcome = Outcome(puts={ref: {"version": event.data.version}})
    for alert in _result_alerts(event):
        if states[_alert_ref(alert.alert_id)] is None:
            _raise(outcome, alert)
    return outcome


def _is_stale(version: int, known: Document | None) -> bool:
    return known is not None and version <= known["version"]


# -------------------------------------------------------------------------------------------------- budgets


def _line_ref(line: BudgetProposed) -> Ref:
    return Ref("supports", f"{line.allocation.centre_id}/{line.year}")


def _run_ref(run: BudgetRunProposed) -> Ref:
    return Ref("runs", f"{run.province}/{run.year}")


def _stored(event: Received[B]) -> Document:
    return {
        **event.data.model_dump(mode="json"),
        "event_id": event.event_id,
        "received_at": event.received_at.isoformat(),
        "traceparent": event.traceparent,
    }


def _on_line(event: Received[BudgetProposed], states: States) -> Outcome:
    ref = _line_ref(event.data)
    if _is_stale(event.data.version, states[ref]):
        return Outcome(verdict=STALE)
    return Outcome(puts={ref: _stored(event)}, requests=[Recalculation(event.data.province, event.data.year)])


def _on_run(event: Received[BudgetRunProposed], states: States) -> Outcome:
    ref = _run_ref(event.data)
    if _is_stale(event.data.version, states[ref]):
        return Outcome(verdict=STALE)
    outcome = Outcome(puts={ref: _stored(event)}, requests=[Recalculation(event.data.province, event.data.year)])
    for alert in below_minimum_alerts(event.data, event.event_id, event.received_at):
        if states[_alert_ref(alert.alert_id)] is None:
            _raise(outcome, alert)
    return outcome


def told_ref(centre_id: str, year: int) -> Ref:
    """What the province was told about a centre's changed support."""
    return Ref("told", f"{centre_id}/{year}")


def settled(run: Document | None, supports: Iterable[Document], told: Mapping[str, Document], now: datetime) -> Outcome:
    """The alerts about changed support of one province and budget year, once its proposal has settled.

    Nothing happens while lines of the run are missing: sum and hash of the stored lines must be those of the
    run. Each alert hangs under its centre's budget event, and was raised at the time of the run's latest
    event.

    A centre without an assessment is told of only when the time for it is over: until then its amount says nothing.
    The outcome asks to be computed again on that day.

    Args:
        run: the document of `runs`, or `None` where no run is known yet.
        supports: the documents of `supports` of the province and year.
        told: the documents of `told` by their `_id`, at least those of these centres and the year.
        now: business time.
    """
    if run is None:
        return Outcome(verdict=WAITING)
    documents = [document for document in supports if WITHDRAWN not in document["allocation"]["flags"]]
    lines = [BudgetProposed.model_validate(document) for document in documents]
    if not is_complete(BudgetRunProposed.model_validate(run), lines):
        return Outcome(verdict=WAITING)
    raised_at = max(datetime.fromisoformat(document["received_at"]) for document in [run, *documents])
    outcome = Outcome()
    for line, document in sorted(zip(lines, documents, strict=True), key=lambda pair: pair[0].allocation.centre_id):
        time_limit = assessment_deadline(line)
        if line.allocation.assessment == "not_submitted" and now < time_limit:
            outcome.requests = [Recalculation(line.province, line.year, due=time_limit)]
            continue
        ref = told_ref(line.allocation.centre_id, line.year)
        before = told.get(ref.id)
        known = Told(before["amount"], before["times"]) if before else None
        at = max(raised_at, time_limit) if line.allocation.assessment == "not_submitted" else raised_at
        alert = support_changed_alert(line, known, document["event_id"], at)
        if alert:
            outcome.puts[ref] = {"amount": line.allocation.amount, "times": (known.times if known else 0) + 1}
            _raise(outcome, alert, parent=document["traceparent"])
    return outcome


# ------------------------------------------------------------------------------------------------ decisions


def _decision(alert_of: Callable[[B, str, datetime], Alert | None]) -> Route[B]:
    """A decision about money is told once; its key holds the version that it speaks of."""

    def needs(event: Received[B]) -> Iterable[Ref]:
        alert = alert_of(event.data, event.event_id, event.received_at)
        return [_alert_ref(alert.alert_id)] if alert else []

    def handle(event: Received[B], states: States) -> Outcome:
        alert = alert_of(event.data, event.event_id, event.received_at)
        if alert is None:
            return Outcome(verdict=IGNORED)
        if states[_alert_ref(alert.alert_id)] is not None:
            return Outcome(verdict=REPEATED)
        outcome = Outcome()
        _raise(outcome, alert)
        return outcome

    return Route(needs, handle)


ROUTES: Mapping[str, Route[Any]] = {
    EventType.BUDGET_RUN_APPROVED: _decision(approved_alert),
    EventType.BUDGET_ADJUSTED: _decision(adjusted_alert),
    EventType.ADJUSTMENT_PROPOSED: _decision(adjustment_proposed_alert),
    EventType.RECEIPT_ISSUED: Route(_receipt_needs, _on_receipt),
    EventType.COMMUNE_SCORED: Route(_result_needs, _on_result),
    EventType.CENTRE_SCORED: Route(_result_needs, _on_result),
    EventType.BUDGET_PROPOSED: Route(lambda event: [_line_ref(event.data)], _on_line),
    EventType.BUDGET_RUN_PROPOSED: Route(
        lambda event: [_run_ref(event.data), *map(_alert_ref, below_minimum_keys(event.data))], _on_run
    ),
}
