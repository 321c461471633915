"""Collections, indexes and queries of scoring."""

from services.scoring.decisions import RECOGNITIONS, RESULTS, TITLES
from services.scoring.queries import appeals, former, rankings, recomputes, releases, results
from shared.messaging.decide.migrating import contract
from shared.mongo import Mongo

__all__ = ["appeals", "migrate", "rankings", "recomputes", "releases", "results"]


async def migrate(mongo: Mongo) -> None:
    """Create the indexes, and lift what an older release left. Safe to repeat."""
    await results.migrate(mongo)
    await rankings.migrate(mongo)
    await releases.migrate(mongo)
    await appeals.migrate(mongo)
    await mongo.index(TITLES.name, [("units", 1)])
    await contract(mongo, RECOGNITIONS, RESULTS)
    await former.migrate(mongo)
