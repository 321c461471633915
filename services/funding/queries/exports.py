"""Published decisions, read for export."""

from __future__ import annotations

from services.funding.queries.proposals import bare
from shared.contracts.facts import Decided
from shared.mongo import Mongo


async def published(mongo: Mongo, province: str, year: int) -> list[Decided]:
    """Every version of every published decision of a province and budget year, in order of centre, purpose, version."""
    rows = await mongo.find("releases", {"province": province, "year": year}, sort=[("_id", 1)])
    return [Decided.model_validate(row) for row in bare(rows)]
