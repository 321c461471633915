"""Payments that are missing or too many hold until the treasury's figures say otherwise."""

from __future__ import annotations

from services.notifications.decisions.alerts import newest, noted
from services.notifications.decisions.documents import ALERTS, RECONCILED, Reconciled
from services.notifications.decisions.money import ProvinceYear
from services.notifications.decisions.telling import keep_true
from services.notifications.domain import missing_alert, overpaid_alert
from shared.contracts.base import Text
from shared.contracts.facts import Alert, BudgetReconciled
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Received
from shared.rulebook.payments import payments_due

_WHY = Text(
    vi="Số liệu chi của kho bạc nay khớp với quyết định.", en="The treasury's payments now agree with the decisions."
)


async def on_reconciled(received: Received[BudgetReconciled], ask: Ask) -> Outcome:
    """How payments and decisions of a budget year compare, newest version."""
    fact = received.data
    return await newest(ask, RECONCILED.ref(fact.province, fact.year), Reconciled(**noted(received)))


async def standing_payments(due: Due[ProvinceYear], ask: Ask) -> Outcome:
    """Tell a province what is missing once its time is over, and at once what is too much."""
    found, outcome, wanted = await ask.one(RECONCILED.ref(*due.key)), Outcome(), list[Alert | None]()
    if found is not None:
        wanted.append(overpaid_alert(found, found.event_id, found.received_at))
        if found.short and ask.reached(payments_due(found.year, found.province)):
            wanted.append(missing_alert(found, found.event_id, found.received_at))
    alerts = [alert for alert in wanted if alert is not None]
    traces = {alert.alert_id: found.traceparent for alert in alerts if found}
    await keep_true(
        ask, outcome, f"payments/{due.key.province}/{due.key.year}", alerts, at=due.at, why=_WHY, traces=traces
    )
    return outcome


def _of(found: Reconciled) -> list[ProvinceYear]:
    return [ProvinceYear(found.province, found.year)]


STANDING_PAYMENTS = SetOf(
    "standing_payments", ProvinceYear, standing_payments, sources=(Source(RECONCILED, each(_of)),), keeps=(ALERTS,)
)
