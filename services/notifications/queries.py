"""Collections, indexes and queries of notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.notifications.decisions import settled, told_ref
from shared.messaging.decide.handling import Document, Outcome, Ref
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index("alerts", [("audience", 1), ("kind", 1)])
    await mongo.index("alerts", [("province", 1), ("_id", 1)])
    await mongo.index("alerts", [("subject", 1)])
    await mongo.index("supports", [("province", 1), ("year", 1)])


async def compute(reader: Reader, scope: str, period: int, now: datetime) -> Outcome:
    """Tell what changed in the support of province `scope` for the year `period`, once its proposal is settled."""
    run = await reader.get(Ref("runs", f"{scope}/{period}"))
    supports = list((await reader.find("supports", {"province": scope, "year": period})).values())
    refs = [told_ref(support["allocation"]["centre_id"], period) for support in supports]
    await reader.load(refs)
    return settled(run, supports, {ref.id: said for ref in refs if (said := reader[ref]) is not None}, now)


async def alerts(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[Document]:
    """Alerts, ordered by id."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    return await mongo.find("alerts", query, sort=[("_id", 1)], limit=limit)


async def tally(mongo: Mongo, query: dict[str, Any]) -> dict[str, int]:
    """How many alerts of which kind."""
    rows = await mongo.aggregate("alerts", [{"$match": query}, {"$group": {"_id": "$kind", "count": {"$sum": 1}}}])
    return {row["_id"]: row["count"] for row in sorted(rows, key=lambda row: str(row["_id"]))}
