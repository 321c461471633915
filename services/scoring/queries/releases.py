"""What was released of rankings: the acts, and what has changed since."""

from __future__ import annotations

from services.scoring.decisions import (
    RANKING_PAGES,
    RELEASE_ACTS,
    RELEASES,
    Act,
    RankingYear,
    held_by,
    pages_apart,
    release,
)
from services.scoring.domain import VersionChange, difference
from shared.contracts.facts import RankingPublished, RankingReleased, RankingRow
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.engine import answer
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index(RELEASE_ACTS.name, [("scope", 1), ("period", 1), ("version", 1)])
    await mongo.index(RELEASE_ACTS.name, [("order_id", 1)])


async def carry_out(commands: Commands, mongo: Mongo, act: Act) -> RankingReleased:
    """Release or withdraw; the same order again is answered as the first time.

    Raises:
        Unreleasable: it is refused.
        Unavailable: the database does not answer; to be repeated with the same id.
    """
    await commands.order(f"release/{act.order_id}", act, release)
    (done,) = await mongo.find(RELEASE_ACTS.name, {"order_id": act.order_id})
    return RELEASE_ACTS.read(done)


async def held(mongo: Mongo, ranking: RankingYear) -> list[str]:
    """Warnings that would hold its release now, `<commune code>/<warning>`, in order. Raises `Altered`."""
    return await answer(lambda ask: held_by(ranking, ask), Reader(mongo))


async def acts(mongo: Mongo, scope: str, period: int) -> list[RankingReleased]:
    """All acts on a ranking, newest first."""
    query = {"scope": scope, "period": period}
    return [RELEASE_ACTS.read(row) for row in await mongo.find(RELEASE_ACTS.name, query, sort=[("version", -1)])]


async def in_force(mongo: Mongo, scope: str, period: int) -> RankingReleased | None:
    """The last act on a ranking; `None`: it was never released."""
    found = await mongo.find(RELEASES.name, {"_id": RELEASES.ref(scope, period).id})
    return RELEASES.read(found[0]) if found else None


async def change(mongo: Mongo, before: RankingPublished, after: RankingPublished) -> VersionChange:
    """What a version changed against any earlier one."""
    gone, come = pages_apart(before, after)
    return difference(await _rows(mongo, gone), await _rows(mongo, come), {})


async def _rows(mongo: Mongo, ids: list[str]) -> list[RankingRow]:
    found = await mongo.find(RANKING_PAGES.name, {"_id": {"$in": ids}})
    return [row for page in map(RANKING_PAGES.read, found) for row in page.rows]
