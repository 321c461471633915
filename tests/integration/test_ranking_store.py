"""Rankings on a real MongoDB: the same as on the fake of the unit tests, and no result is read to see what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from pymongo.database import Database

from deploy.local.harness import Servers
from services.scoring.queries import rankings as queries
from shared.messaging.decide.asking import Outcome
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo
from shared.mongo.connect import connect
from shared.registry import registry
from tests.unit.ranking_samples import Results, ranked, write

pytestmark = pytest.mark.integration
UNITS = [unit for code in ("01", "04") for unit in registry().units(date(2025, 12, 31), code)]
SCOPES = ("nation", "province-04", "area-region_1")


@pytest.fixture
async def mongo(servers: Servers, database: Database[dict[str, Any]]) -> AsyncIterator[Mongo]:
    """The same database as the service sees it."""
    found = connect("motor", servers.mongo, database.name)
    await queries.migrate(found)
    yield found
    await found.close()


async def computed(mongo: Mongo, world: Results, scope: str) -> Outcome:
    """Compute and write one ranking, as the service does."""
    reader = Reader(mongo)
    outcome = await ranked(reader, scope, 2025, world.now)
    reader.expect(outcome.puts)
    await write(mongo, reader.puts(outcome.puts, stamp=1))
    return outcome


async def test_both_databases_lead_to_the_same_rankings(mongo: Mongo, database: Database[dict[str, Any]]) -> None:
    world = Results()
    for number, unit in enumerate(UNITS):
        await world.put(unit, f"{number % 60:02d}", area_class="region_1" if number % 3 else "region_2")
    database["results"].insert_many(world.mongo.all("results"))
    for unit, key, area_class in ((UNITS[0], "59", "region_2"), (UNITS[-1], None, None), (UNITS[100], "x", "region_1")):
        for scope in SCOPES:
            fake = await world.compute(scope)
            assert await computed(mongo, world, scope) == fake
        await world.put(unit, key, area_class=area_class)  # type: ignore[arg-type]
        id = f"{unit.unit_id}/2025"
        database["results"].replace_one({"_id": id}, world.mongo.rows("results")[id])
    heads = {head.scope: head.version for head in await queries.heads(mongo, 2025)}
    assert heads == {"nation": 3, "province-04": 2, "area-region_1": 2}, "a version only where a row changed"
    head = await queries.head(mongo, "nation", 2025)
    assert head is not None
    row = await queries.row(mongo, head, UNITS[0].unit_id)
    assert row is not None
    assert (row.result_version, row.area_class) == (2, "region_2")
    as_it_stood = await queries.head(mongo, "nation", 2025, on=world.now.date())
    assert as_it_stood is not None
    assert as_it_stood.version == 3


async def test_what_changed_is_seen_from_an_index_alone(mongo: Mongo, database: Database[dict[str, Any]]) -> None:
    world = Results()
    for unit in UNITS:
        await world.put(unit, "a", area_class="region_1")
    database["results"].insert_many(world.mongo.all("results"))
    for query in (
        {"kind": "commune", "period": 2025, "holder": "04"},
        {"kind": "commune", "period": 2025, "holder": "04", "result.area_class": "region_1"},
    ):
        stats = database["results"].find(query, {"version": 1, "_stamp": 1}).explain()["executionStats"]
        assert (stats["nReturned"], stats["totalDocsExamined"]) == (56, 0)
    group = {"_id": "$holder", "results": {"$sum": 1}, "versions": {"$sum": "$version"}}
    pipeline = [{"$match": {"kind": "commune", "period": 2025}}, {"$group": group}]
    plan = str(database.command("explain", {"aggregate": "results", "pipeline": pipeline, "cursor": {}}))
    assert "IXSCAN" in plan
    assert "FETCH" not in plan
