"""Collections, indexes and queries of scoring."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from services.scoring import handlers
from services.scoring.handlers import NATION, RANKING_PAGES, RANKINGS, RESULTS
from shared.messaging.handling import Document, Outcome
from shared.messaging.reader import Reader
from shared.mongo import Mongo
from shared.registry import registry

# All that a ranking reads of a result; explanations are a hundred times as long.
STANDING = (
    "unit_id", "code", "name", "holder", "version", "rubric", "point_table", "state", "total", "grade", "level",
    "missing", "rank_key", "provenance",
)  # fmt: skip
_STANDING = {f"result.{name}": 1 for name in STANDING}


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index(RESULTS, [("kind", 1), ("period", 1), ("holder", 1)])
    await mongo.index(RESULTS, [("result.code", 1), ("period", 1)])
    await mongo.index(RESULTS, [("result.centre_id", 1), ("period", 1)])
    await mongo.index(RANKING_PAGES, [("scope", 1), ("period", 1), ("version", 1), ("page", 1)])


async def compute(reader: Reader, scope: str, period: int, now: datetime) -> Outcome:
    """Rank one scope anew."""
    holder = None if scope == NATION else scope.removeprefix("province-")
    query: dict[str, Any] = {"kind": "commune", "period": period}
    if holder is not None:
        query["holder"] = holder
    results = await reader.look(RESULTS, query, _STANDING)
    previous = await reader.get(handlers.ranking_ref(scope, period))
    units = registry().units(date(period, 12, 31), holder)
    return handlers.ranking(scope, period, results, units, previous, now)


async def results(mongo: Mongo, subject: str, period: int | None) -> list[Document]:
    """Results of a commune code, unit id or centre id, newest period first."""
    query: dict[str, Any] = {
        "$or": [{"result.code": subject}, {"result.unit_id": subject}, {"result.centre_id": subject}]
    }
    if period is not None:
        query["period"] = period
    return [row["result"] for row in await mongo.find(RESULTS, query, sort=[("period", -1)])]


async def rankings(mongo: Mongo, period: int | None) -> list[Document]:
    """Heads of the latest versions."""
    query = {} if period is None else {"period": period}
    return _bare(await mongo.find(RANKINGS, query, sort=[("period", -1), ("scope", 1)]))


async def ranking(mongo: Mongo, scope: str, period: int) -> Document | None:
    """Head of the latest version of one ranking."""
    rows = _bare(await mongo.find(RANKINGS, {"_id": f"{scope}/{period}"}))
    return rows[0] if rows else None


async def ranking_page(mongo: Mongo, scope: str, period: int, version: int, page: int) -> Document | None:
    """One page of one version."""
    rows = _bare(await mongo.find(RANKING_PAGES, {"_id": f"{scope}/{period}/{version}/{page}"}))
    return rows[0] if rows else None


async def ranking_row(mongo: Mongo, scope: str, period: int, unit_id: str) -> Document | None:
    """One unit's row in the latest version."""
    head = await ranking(mongo, scope, period)
    if head is None:
        return None
    pages = await mongo.find(
        RANKING_PAGES,
        {"scope": scope, "period": period, "version": head["version"], "rows.unit_id": unit_id},
    )
    for page in pages:
        for row in page["rows"]:
            if row["unit_id"] == unit_id:
                return {**row, "scope": scope, "version": head["version"], "ranked": head["ranked"]}
    return None


def _bare(rows: list[Document]) -> list[Document]:
    return [{name: value for name, value in row.items() if name not in ("_id", "_rev")} for row in rows]
