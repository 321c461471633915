"""Every database port takes the documents of commit 19223d0, and today's migrations run over them, twice."""

from __future__ import annotations

import pytest

from shared.messaging.collections import RECALCULATIONS
from shared.messaging.operate.preparing import prepare
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
        await WIRINGS[service].migrate(mongo)
        asked.append({(row["set"], row["key"]) for row in await mongo.find(RECALCULATIONS, {})})
    assert asked[0] == asked[1]
    for name, documents in old_database.collections(service):
        if name != RECALCULATIONS:
            assert await mongo.count(name, {}) == len(documents), name
