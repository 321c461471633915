"""What notifications decides: what each event tells whom, and which alerts stand as things are."""

from collections.abc import Mapping
from typing import Any

from services.notifications.decisions import alerts, appeals, erasing, idle, late_requests, payments, periods, releases
from services.notifications.decisions.documents import ADJUSTMENTS, ALERTS, FILES, MOVES, RESULTS, RUNS, SUPPORTS, Said
from services.notifications.decisions.files import FILES_MENDED, SenderFile
from services.notifications.decisions.money import STANDING_MONEY, WAITING, ProvinceYear
from services.notifications.decisions.results import STANDING_RESULTS, ProvincePeriod
from shared.contracts.catalogue import EventType
from shared.messaging.decide import people
from shared.messaging.decide.asking import Decide
from shared.messaging.messages import Received

routes: Mapping[str, Decide[Received[Any]]] = {
    **alerts.routes,
    EventType.SUBMISSION_ERASED: erasing.on_erased,
    EventType.PERSON_ENTERED: people.keep,
    EventType.REGISTRATION_ACCEPTED: idle.on_registration,
    EventType.SUBMISSION_WITHDRAWN: idle.on_withdrawal,
    EventType.PERIOD_REOPENED: periods.on_reopened,
    EventType.LATE_REQUESTED: late_requests.on_request,
    EventType.LATE_DECIDED: late_requests.on_request,
    EventType.APPEAL_MADE: appeals.on_appeal,
    EventType.APPEAL_DECIDED: appeals.on_appeal,
    EventType.BUDGET_RECONCILED: payments.on_reconciled,
    EventType.RANKING_RELEASED: releases.on_released,
}
SETS = (
    FILES_MENDED,
    STANDING_RESULTS,
    STANDING_MONEY,
    idle.IDLE_CENTRES,
    periods.STANDING_OPENINGS,
    late_requests.STANDING_REQUESTS,
    appeals.STANDING_APPEALS,
    payments.STANDING_PAYMENTS,
    releases.STANDING_RELEASES,
)

__all__ = [
    "ADJUSTMENTS",
    "ALERTS",
    "FILES",
    "FILES_MENDED",
    "MOVES",
    "RESULTS",
    "RUNS",
    "SETS",
    "STANDING_MONEY",
    "STANDING_RESULTS",
    "SUPPORTS",
    "WAITING",
    "ProvincePeriod",
    "ProvinceYear",
    "Said",
    "SenderFile",
    "routes",
]
