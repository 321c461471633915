"""The indexes of funding's collections."""

from __future__ import annotations

from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
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
