"""What a world has come to, without the way by which it came there: two orders of the same facts must agree in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.contracts.catalogue import EventType
from tests.casework.events import Data, Event, Published
from tests.explaining import explained

WAY = frozenset(
    {"version", "result_version", "run_version", "previous_amount", "supersedes", "cause"}
    | {
        "proposed_at",
        "published_at",
        "decided_at",
        "reconciled_at",
        "raised_at",
        "alert_id",
        "adjustment_id",
        "snapshot",
        "journal",
    }
)
"""Fields that tell how and when, but not what. A snapshot and a journal hash the versions with it."""
RUN = re.compile(r"\((run|lần) [0-9]+\)")
RESULTS = {
    EventType.COMMUNE_SCORED: ("unit_id", "period"),
    EventType.CENTRE_SCORED: ("centre_id", "period"),
    EventType.ASSESSMENT_SCORED: ("series", "subject_id", "period"),
}
PROPOSALS = {
    EventType.BUDGET_PROPOSED: ("allocation.centre_id", "year"),
    EventType.BUDGET_RUN_PROPOSED: ("province", "year"),
}
DECISIONS = {EventType.BUDGET_APPROVED: ("centre_id", "year", "purpose")}
GONE = {"withdrawn", "no_envelope"}
"""Flags of a line or run that is no longer proposed: as if it had never been."""
OPEN = ("proposed", "submitted")
"""States of an adjustment on which people have still to decide."""
MOVED = ("result_changed",)
"""Kinds of alerts that tell of a movement: against what had been published, and to publish is an act of its own
(ADR 33). That they follow the published versions in any order: `tests/property/test_standing_alerts.py`."""
ALERT = ("kind", "severity", "audience", "subject", "period", "due")
"""What an alert is about. Its words tell when it was raised, and what moved since."""


def end_state(events: Iterable[Event]) -> dict[str, Any]:
    """Everything that stands, by what it is about. Adjustments and alerts: those that are open."""
    published = Published(events)
    stands: dict[str, Any] = {}
    for type, names in {**RESULTS, **PROPOSALS, **DECISIONS}.items():
        for key, data in _newest(published, type, names).items():
            if type not in PROPOSALS or GONE.isdisjoint({**data, **data.get("allocation", {})}["flags"]):
                stands[f"{type} {key}"] = essence(in_words(data) if type in RESULTS else data)
    for key, data in _newest(published, EventType.BUDGET_RECONCILED, ("province", "year")).items():
        if data["purposes"]:  # nothing left to compare is as if there had never been anything
            stands[f"payments {key}"] = essence(data)
    for (scope, period), head in _newest(published, EventType.RANKING_PUBLISHED, ("scope", "period")).items():
        stands[f"ranking {scope} {period}"] = essence(published.rows(head))
    for (scope, period), told in _newest(published, EventType.ATTAINMENT_COMPUTED, ("scope", "period")).items():
        stands[f"attainment {scope} {period}"] = told["goals"]
    for adjustment in _newest(published, EventType.ADJUSTMENT_PROPOSED, ("adjustment_id",)).values():
        if adjustment["state"] in OPEN:
            about = essence({name: value for name, value in adjustment.items() if name != "hash"})
            stands[f"adjustment {adjustment['province']} {adjustment['year']} {adjustment['centre_id']}"] = about
    for audience in {each["audience"] for each in published.all(EventType.ALERT_RAISED)}:
        for alert in sorted(
            published.open_alerts(audience), key=lambda alert: (str(alert["period"]), alert["alert_id"])
        ):
            if alert["kind"] not in MOVED:
                about = {name: alert[name] for name in ALERT}
                stands.setdefault(f"alert {audience} {alert['kind']} {alert['subject']}", []).append(about)
    return stands


def in_words(scored: Data) -> Data:
    """A result with the words that it has, and without all that lay beside it when it was judged: what changes neither
    a figure nor a sentence is not published anew."""
    told = {name: value for name, value in scored.items() if name != "inputs"}
    return told | {"explained": explained(scored).model_dump(mode="json")}


def _newest(published: Published, type: EventType, names: tuple[str, ...]) -> Mapping[tuple[Any, ...], Data]:
    found: dict[tuple[Any, ...], Data] = {}
    for data in published.all(type):
        key = tuple(_at(data, name) for name in names)
        if key not in found or data["version"] > found[key]["version"]:
            found[key] = data
    return found


def _at(data: Data, path: str) -> Any:
    value: Any = data
    for name in path.split("."):
        value = value[name]
    return value


def essence(value: Any) -> Any:
    """A value without what tells the way."""
    match value:
        case dict():
            return {name: essence(each) for name, each in value.items() if name not in WAY}
        case list():
            return [essence(each) for each in value]
        case str():
            return RUN.sub(r"(\1)", value)
        case _:
            return value


def unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Where two states differ, in words."""
    return [
        f"{about}{path}: {mine!r} or {theirs!r}"
        for about in sorted(one.keys() | other.keys())
        for path, mine, theirs in _apart("", one.get(about), other.get(about))
    ]


def _apart(path: str, one: Any, other: Any) -> Iterable[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys()):
            yield from _apart(f"/{name}" if not path else f"{path}/{name}", one.get(name), other.get(name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _apart(f"{path}/{number}", mine, theirs)
    elif one != other:
        yield path, one, other
