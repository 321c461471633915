"""The indexes of funding's collections, and what an older release left."""

from __future__ import annotations

from services.funding.decisions import ENVELOPES, PROPOSAL, again
from shared.messaging.collections import RECALCULATIONS, SETS
from shared.messaging.decide.migrating import name_requests
from shared.messaging.decide.sets import key_text
from shared.messaging.decide.writing import rows_of
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes, and make known what sets there are. Safe to repeat."""
    await _take_over(mongo)
    for collection in ("centres", "pending"):
        await mongo.index(collection, [("province", 1)])
    for collection in ("scores", "supports"):
        await mongo.index(collection, [("centre_id", 1)])
    await mongo.index("allocations", [("province", 1), ("year", 1)])
    await mongo.index("allocations", [("allocation.centre_id", 1)])
    await mongo.index("allocations", [("allocation.commune_code", 1)])
    await mongo.index("decisions", [("province", 1), ("year", 1)])
    await mongo.index("decisions", [("centre_id", 1), ("year", 1)])
    await mongo.index("releases", [("province", 1), ("year", 1)])
    await mongo.index("adjustments", [("province", 1), ("year", 1)])
    await mongo.index("actions", [("province", 1), ("year", 1)])
    await mongo.index("actions", [("command", 1)])
    # An entry's place is its `_id`; that no two entries follow the same one is for the database to refuse as well.
    await mongo.index("journal", [("previous_hash", 1)], unique=True)
    await mongo.index("journal", [("province", 1), ("year", 1), ("purpose", 1), ("number", 1)], unique=True)


async def _take_over(mongo: Mongo) -> None:
    """A release before named sets knew none: each budget year that has an envelope is one, and is looked at once."""
    await name_requests(mongo, again)
    known = [*await mongo.find(SETS, {"set": PROPOSAL}), *await mongo.find(RECALCULATIONS, {"set": PROPOSAL})]
    keys = {row["key"] for row in known}
    envelopes = [ENVELOPES.read(row) for row in await mongo.find(ENVELOPES.name, {})]
    requests = [again(envelope.province, envelope.year) for envelope in envelopes]
    new = [request for request in requests if key_text(request.key) not in keys]
    await mongo.insert(RECALCULATIONS, rows_of(new, await mongo.time()))
