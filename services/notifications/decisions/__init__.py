"""What notifications decides: what each event tells whom, and what a settled proposal does."""

from collections.abc import Mapping
from typing import Any

from services.notifications.decisions import alerts, periods
from services.notifications.decisions.documents import ALERTS, RUNS, SUPPORTS, TOLD
from services.notifications.decisions.support import SETTLED_SUPPORT, WAITING, ProvinceYear
from shared.contracts.catalogue import EventType
from shared.messaging.decide.asking import Decide
from shared.messaging.messages import Received

routes: Mapping[str, Decide[Received[Any]]] = {**alerts.routes, EventType.PERIOD_REOPENED: periods.on_reopened}
SETS = (SETTLED_SUPPORT,)

__all__ = ["ALERTS", "RUNS", "SETS", "SETTLED_SUPPORT", "SUPPORTS", "TOLD", "WAITING", "ProvinceYear", "routes"]
