"""Indexes of notifications, and what its HTTP side reads."""

from __future__ import annotations

from typing import Any

from services.notifications.decisions import ALERTS, SETTLED_SUPPORT, ProvinceYear
from shared.contracts.facts import Alert
from shared.messaging.decide.migrating import name_requests
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index("alerts", [("audience", 1), ("kind", 1)])
    await mongo.index("alerts", [("province", 1), ("_id", 1)])
    await mongo.index("alerts", [("subject", 1)])
    await mongo.index("supports", [("province", 1), ("year", 1)])
    await name_requests(mongo, lambda province, year: SETTLED_SUPPORT.request(ProvinceYear(province, year)))


async def alerts(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[Alert]:
    """Alerts, ordered by id."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    rows = await mongo.find("alerts", query, sort=[("_id", 1)], limit=limit)
    return [ALERTS.read(row) for row in rows]


async def tally(mongo: Mongo, query: dict[str, Any]) -> dict[str, int]:
    """How many alerts of which kind."""
    rows = await mongo.aggregate("alerts", [{"$match": query}, {"$group": {"_id": "$kind", "count": {"$sum": 1}}}])
    return {row["_id"]: row["count"] for row in sorted(rows, key=lambda row: str(row["_id"]))}
