"""Collections, indexes and queries of funding."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.funding.handlers import ProvinceInputs, propose
from shared.messaging.handling import Document, Outcome, Ref
from shared.messaging.reader import Reader
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    for collection in ("centres", "scores", "supports", "pending"):
        await mongo.index(collection, [("province", 1)])
    await mongo.index("allocations", [("province", 1), ("year", 1)])
    await mongo.index("allocations", [("allocation.centre_id", 1)])
    await mongo.index("allocations", [("allocation.commune_code", 1)])


async def compute(reader: Reader, scope: str, period: int, now: datetime) -> Outcome:
    """Propose the budget of province `scope` for the year `period` anew."""
    province, year = scope, period
    centres = list((await reader.find("centres", {"province": province})).values())
    allocations = await reader.find("allocations", {"province": province, "year": year})
    # A centre that came from another province has its line there.
    own = [Ref("allocations", f"{centre['centre_id']}/{year}") for centre in centres]
    await reader.load(own)
    allocations |= {ref.id: line for ref in own if (line := reader[ref]) is not None}
    inputs = ProvinceInputs(
        province=province,
        year=year,
        envelope=await reader.get(Ref("envelopes", f"{province}/{year}")),
        centres=centres,
        scores=list((await reader.find("scores", {"province": province, "period": {"$lt": year}})).values()),
        supports=list((await reader.find("supports", {"province": province, "year": year - 1})).values()),
        pending=list((await reader.find("pending", {"province": province, "period": year - 1})).values()),
    )
    run = await reader.get(Ref("runs", f"{province}/{year}"))
    return propose(inputs, run, allocations.values(), now)


async def runs(mongo: Mongo, query: dict[str, Any]) -> list[Document]:
    """Latest proposal of each province and year."""
    return _bare(await mongo.find("runs", query, sort=[("year", -1), ("province", 1)]))


async def allocations(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[Document]:
    """Lines of proposals, ordered by id (`<centre id>/<year>`)."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    return await mongo.find("allocations", query, sort=[("_id", 1)], limit=limit)


def _bare(rows: list[Document]) -> list[Document]:
    return [{name: value for name, value in row.items() if name not in ("_id", "_rev")} for row in rows]
