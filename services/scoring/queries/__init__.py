"""Collections, indexes and queries of scoring."""

from services.scoring.queries import rankings, recomputes, results
from services.scoring.queries.computing import compute
from shared.mongo import Mongo

__all__ = ["compute", "migrate", "rankings", "recomputes", "results"]


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await results.migrate(mongo)
    await rankings.migrate(mongo)
