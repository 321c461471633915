"""Every database port takes the documents of commit 19223d0, and today's migrations run over them, twice."""

from __future__ import annotations

import pytest

from services.funding import decisions
from shared.messaging.collections import RECALCULATIONS
from shared.messaging.decide.documents import ABSENT, Collection
from shared.messaging.decide.migrating import seal_former
from shared.messaging.operate.preparing import prepare
from shared.messaging.seals import Altered
from shared.mongo import Mongo
from tests import old_database
from tests.casework.in_memory import wirings

WIRINGS = {each.consumer.name: each for each in wirings()}


@pytest.mark.parametrize("service", old_database.SERVICES)
async def test_a_service_starts_on_an_old_database(mongo: Mongo, service: str) -> None:
    await old_database.load(mongo, service)
    asked = []
    for _ in range(2):
        await prepare(mongo, inbox_days=180)
        await seal_former(mongo)
        await WIRINGS[service].migrate(mongo)
        asked.append({(row["set"], row["key"]) for row in await mongo.find(RECALCULATIONS, {})})
    assert asked[0] == asked[1]
    for name, documents in old_database.collections(service):
        if name != RECALCULATIONS:
            assert await mongo.count(name, {}) == len(documents), name


async def test_every_document_of_funding_fits_its_seal_and_no_altered_figure_does(mongo: Mongo) -> None:
    """As the drivers bring it back, whatever types they make of it; and the figure that nobody had noticed."""
    await old_database.load(mongo, "funding")
    await seal_former(mongo)
    kinds = {each.name: each for each in vars(decisions).values() if isinstance(each, Collection)}
    read = 0
    for name, kind in kinds.items():
        for row in await mongo.find(name, {}):
            if not row.get(ABSENT):
                kind.read(row)
                read += 1
    assert read > 100
    for name in ("decisions", "releases", "envelopes", "supports"):
        row = (await mongo.find(name, {}, limit=1))[0]
        await mongo.update(name, {"_id": row["_id"]}, {"$set": {"amount": row["amount"] + 10**9}})
        (found,) = await mongo.find(name, {"_id": row["_id"]})
        with pytest.raises(Altered, match=f"{name}/{row['_id']}"):
            kinds[name].read(found)
