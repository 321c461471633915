"""Results: indexes and queries."""

from __future__ import annotations

from typing import Any

from services.scoring.decisions.documents import AREAS, RESULTS, SUPERSEDED
from shared.messaging.decide.handling import Document
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index(RESULTS, [("kind", 1), ("subject", 1), ("period", 1)], unique=True)
    await mongo.index(RESULTS, [("kind", 1), ("period", 1), ("holder", 1)])
    await mongo.index(RESULTS, [("subject", 1), ("period", 1)])
    await mongo.index(RESULTS, [("result.code", 1), ("period", 1)])
    await mongo.index(RESULTS, [("feeds", 1), ("period", 1)])
    await mongo.index(RESULTS, [("period", 1), ("accepted.province", 1), ("_id", 1)])
    await mongo.index(SUPERSEDED, [("of", 1), ("version", 1)])
    await mongo.index(AREAS, [("period", 1), ("accepted.province", 1)])


async def results(mongo: Mongo, subject: str, period: int | None) -> list[Document]:
    """Results of a commune code, unit id, centre id or `<series>/<subject id>`, newest period first.

    Each is the result as it was published, with the versions that it superseded, oldest first.
    """
    query: dict[str, Any] = {"$or": [{"result.code": subject}, {"subject": subject}]}
    if period is not None:
        query["period"] = period
    return await with_superseded(mongo, await mongo.find(RESULTS, query, sort=[("period", -1), ("_id", 1)]))


async def with_superseded(mongo: Mongo, rows: list[Document]) -> list[Document]:
    """Kept results as they were published, each with the versions that it superseded, oldest first."""
    before: dict[str, list[Document]] = {row["_id"]: list(row.get("superseded") or []) for row in rows}
    for line in await mongo.find(SUPERSEDED, {"of": {"$in": list(before)}}, sort=[("of", 1), ("version", 1)]):
        before[line["of"]].append(line["was"])
    return [row["result"] | {"superseded": before[row["_id"]]} for row in rows]
