"""Collections, indexes and queries of intake."""

from __future__ import annotations

from typing import Any

from shared.contracts.base import Status
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index("receipts", [("province", 1), ("_id", 1)])
    await mongo.index("receipts", [("subject", 1), ("period", 1)])
    await mongo.index("receipts", [("submission_id", 1)])
    await mongo.index("receipts", [("period", 1), ("status", 1)])
    await mongo.index("aggregates", [("subject", 1), ("period", 1)])


async def receipts(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Receipts as JSON, ordered by id."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    rows = await mongo.find("receipts", query, projection={"receipt": 1}, sort=[("_id", 1)], limit=limit)
    return [row["receipt"] for row in rows]


async def receipt(mongo: Mongo, receipt_id: str) -> dict[str, Any] | None:
    """One receipt as JSON."""
    rows = await mongo.find("receipts", {"_id": receipt_id}, projection={"receipt": 1})
    return rows[0]["receipt"] if rows else None


async def tally(mongo: Mongo, query: dict[str, Any]) -> dict[str, int]:
    """How many submissions have which status. All statuses are listed; their sum is what was received."""
    rows = await mongo.aggregate("receipts", [{"$match": query}, {"$group": {"_id": "$status", "count": {"$sum": 1}}}])
    counted = {row["_id"]: row["count"] for row in rows}
    return {status.value: counted.get(status.value, 0) for status in Status}


async def history(mongo: Mongo, subject: str, period: int | None) -> list[dict[str, Any]]:
    """What is accepted of a subject, per kind and period, with its versions."""
    query: dict[str, Any] = {"subject": subject}
    if period is not None:
        query["period"] = period
    rows = await mongo.find("aggregates", query, sort=[("period", 1)])
    return [{name: value for name, value in row.items() if name not in ("_id", "_rev")} for row in rows]


async def centres_of(mongo: Mongo, commune_code: str) -> list[dict[str, Any]]:
    """Registered centres of a commune."""
    rows = await mongo.find("aggregates", {"kind": "registration", "accepted.commune_code": commune_code})
    return [row["accepted"] for row in rows]
