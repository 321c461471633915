"""Indexes of notifications, and what its HTTP side reads."""

from __future__ import annotations

from typing import Any

from services.notifications.decisions import ALERTS, STANDING_MONEY, ProvinceYear, Said
from shared.messaging.decide.migrating import name_requests
from shared.messaging.operate.keeping import Kept
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index("alerts", [("audience", 1), ("kind", 1)])
    await mongo.index("alerts", [("province", 1), ("_id", 1)])
    await mongo.index("alerts", [("subject", 1)])
    await mongo.index("alerts", [("matter", 1), ("cleared_at", 1)])
    await mongo.index("results", [("province", 1), ("period", 1)])
    await mongo.index("activities", [("centre_id", 1)])
    for collection in ("supports", "adjustments"):
        await mongo.index(collection, [("province", 1), ("year", 1)])
    await name_requests(mongo, lambda province, year: STANDING_MONEY.request(ProvinceYear(province, year)))


async def alerts(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[Said]:
    """Alerts, ordered by id."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    rows = await mongo.find("alerts", query, sort=[("_id", 1)], limit=limit)
    return [ALERTS.read(row) for row in rows]


async def tally(mongo: Mongo, query: dict[str, Any]) -> dict[str, int]:
    """How many alerts of which kind stand."""
    stands = {**query, "cleared_at": None}
    rows = await mongo.aggregate("alerts", [{"$match": stands}, {"$group": {"_id": "$kind", "count": {"$sum": 1}}}])
    return {row["_id"]: row["count"] for row in sorted(rows, key=lambda row: str(row["_id"]))}


KEPT = (
    Kept(
        rule="past_alert_words",
        kind=ALERTS,
        since="cleared_at",
        text=True,
        query={"wordless": {"$ne": True}},
        lighter=lambda said, at: said.without_words(),
    ),
)
"""What notifications lets go of, by the policy: that an alert was there stays, so that it is not raised again."""
