"""What was published, as a reader of the topics sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.contracts.catalogue import EventType
from shared.contracts.topics import family_of

Data = dict[str, Any]
READ = ("receipts", "intake.accepted", "scores", "rankings", "budgets", "alerts")
"""Families of topics that are looked at."""


@dataclass(frozen=True)
class Event:
    """One event on a topic."""

    topic: str
    type: str
    data: Data

    @classmethod
    def of(cls, record: Any) -> Event:
        """From a record of Kafka."""
        headers: Mapping[str, bytes] = dict(record.headers)
        return cls(record.topic, headers["ce_type"].decode(), json.loads(record.value))


class Published:
    """All events so far; of a state, the newest version counts."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = [event for event in events if family_of(event.topic) in READ]

    def all(self, type: EventType, where: Callable[[Data], bool] = lambda data: True) -> list[Data]:
        """Of a type, in order of their topic."""
        return [event.data for event in self._events if event.type == type and where(event.data)]

    def newest(self, type: EventType, where: Callable[[Data], bool]) -> Data | None:
        """The one of the highest version; `None` if there is none."""
        return max(self.all(type, where), key=lambda data: int(data["version"]), default=None)

    def alerts(self, audience: str) -> list[Data]:
        """Everything that an audience was told: each matter once, as it was said last."""
        return list(_by_id(self.all(EventType.ALERT_RAISED, lambda data: bool(data["audience"] == audience))).values())

    def open_alerts(self, audience: str) -> list[Data]:
        """What an audience was told and is not over."""
        over = _by_id(self.all(EventType.ALERT_CLEARED))
        return [
            alert
            for alert in self.alerts(audience)
            if alert["alert_id"] not in over or over[alert["alert_id"]]["version"] < alert["version"]
        ]

    def rows(self, head: Data) -> list[Data]:
        """The rows of a version of a ranking: each page as it last changed, by the manifest of its head."""

        def here(data: Data) -> bool:
            return bool((data["scope"], data["period"]) == (head["scope"], head["period"]))

        pages = {(page["version"], page["page"]): page["rows"] for page in self.all(EventType.RANKING_PAGE, here)}
        return [row for entry in head["manifest"] for row in pages[entry["version"], entry["page"]]]


def _by_id(alerts: Iterable[Data]) -> dict[str, Data]:
    return {alert["alert_id"]: alert for alert in sorted(alerts, key=lambda alert: int(alert["version"]))}
