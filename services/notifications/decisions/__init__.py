"""What notifications decides: what each event tells whom, and what a settled proposal does."""

from services.notifications.decisions.alerts import routes
from services.notifications.decisions.documents import ALERTS, RUNS, SUPPORTS, TOLD
from services.notifications.decisions.support import SETTLED_SUPPORT, WAITING, ProvinceYear

SETS = (SETTLED_SUPPORT,)

__all__ = ["ALERTS", "RUNS", "SETS", "SETTLED_SUPPORT", "SUPPORTS", "TOLD", "WAITING", "ProvinceYear", "routes"]
