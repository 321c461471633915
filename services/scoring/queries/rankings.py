"""Rankings: indexes and queries."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from services.scoring.decisions import (
    RANKING_CHANGES,
    RANKING_PAGES,
    RANKING_VERSIONS,
    RANKINGS,
    RESULTS,
    page_ids,
)
from services.scoring.domain import Stretch
from shared.contracts.facts import RankingChanges, RankingPublished, RankingRow
from shared.messaging.seals import Altered
from shared.mongo import Mongo
from shared.rulebook import HANOI


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    # Holds all that counting and comparing versions needs, so that no result itself is read for it.
    await mongo.index(
        RESULTS.name,
        [(name, 1) for name in ("kind", "period", "holder", "result.area_class", "version", "_stamp", "_id")],
    )
    await mongo.index(RANKING_VERSIONS.name, [("scope", 1), ("period", 1), ("published_at", 1)])
    await mongo.index(RANKING_CHANGES.name, [("scope", 1), ("period", 1), ("version", 1), ("page", 1)])


async def heads(mongo: Mongo, period: int | None) -> list[RankingPublished]:
    """Heads of the latest versions."""
    query = {} if period is None else {"period": period}
    return [RANKINGS.read(row) for row in await mongo.find(RANKINGS.name, query, sort=[("period", -1), ("scope", 1)])]


async def head(
    mongo: Mongo, scope: str, period: int, version: int | None = None, on: date | None = None
) -> RankingPublished | None:
    """The head of one version: the given one, the one that stood at the end of a day in Viet Nam, or the latest."""
    if version is not None:
        found = await mongo.find(RANKING_VERSIONS.name, {"_id": RANKING_VERSIONS.ref(scope, period, version).id})
    elif on is not None:
        end = datetime.combine(on + timedelta(days=1), time.min, HANOI)
        # Instants are kept as text in UTC; without its zone, the bound sorts before every instant from it on.
        bound = end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        query = {"scope": scope, "period": period, "published_at": {"$lt": bound}}
        found = await mongo.find(RANKING_VERSIONS.name, query, sort=[("published_at", -1), ("version", -1)], limit=1)
    else:
        kept = await mongo.find(RANKINGS.name, {"_id": RANKINGS.ref(scope, period).id})
        return RANKING_VERSIONS.model.validate_python(RANKINGS.lifted(kept[0])) if kept else None
    return RANKING_VERSIONS.read(found[0]) if found else None


async def versions(mongo: Mongo, scope: str, period: int) -> list[RankingPublished]:
    """Heads of all versions of one ranking, newest first."""
    query = {"scope": scope, "period": period}
    return [
        RANKING_VERSIONS.read(row) for row in await mongo.find(RANKING_VERSIONS.name, query, sort=[("version", -1)])
    ]


async def rows(mongo: Mongo, head: RankingPublished, pages: Stretch) -> list[RankingRow]:
    """Rows of consecutive pages of a version, in order; a page that its manifest does not name has none.

    Raises `Altered` of one that it names and that does not say what was published, or is not there.
    """
    ids = page_ids(head, pages)
    found = {row["_id"]: row for row in await mongo.find(RANKING_PAGES.name, {"_id": {"$in": ids}})}
    if gone := [id for id in ids if id not in found]:
        raise Altered(*(f"{RANKING_PAGES.name}/{id}" for id in gone))
    return [row for id in ids for row in RANKING_PAGES.read(found[id]).rows]


async def first_rows(mongo: Mongo, head: RankingPublished, places: int) -> list[RankingRow]:
    """The first rows of a version, to the end of the page on which the last place and all its equals have stood."""
    found: list[RankingRow] = []
    for page in range(1, head.pages + 1):
        found += await rows(mongo, head, Stretch(page, page))
        if len(found) > places and found[-1].rank != found[places - 1].rank:
            break
    return found


async def row(mongo: Mongo, head: RankingPublished, unit_id: str) -> RankingRow | None:
    """One unit's row in a version. Raises `Altered` as `rows` does."""
    pages = await mongo.find(RANKING_PAGES.name, {"_id": {"$in": page_ids(head)}, "rows.unit_id": unit_id})
    if not pages:  # either it has none, or its page says so no more
        await rows(mongo, head, Stretch(1, head.pages))
    return next((row for page in pages for row in RANKING_PAGES.read(page).rows if row.unit_id == unit_id), None)


async def changes(mongo: Mongo, head: RankingPublished) -> list[RankingChanges]:
    """What one version changed: its pages in order. Raises `Altered`, also where one is not there."""
    query = {"scope": head.scope, "period": head.period, "version": head.version}
    rows = await mongo.find(RANKING_CHANGES.name, query, sort=[("page", 1)])
    pages = [RANKING_CHANGES.read(row) for row in rows]
    if sum(len(page.changes) for page in pages) != head.changes:
        raise Altered(f"{RANKING_CHANGES.name}/{head.scope}/{head.period}/{head.version}")
    return pages
