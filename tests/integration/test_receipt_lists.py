"""Lists of receipts on a real MongoDB: a page is read in the order of an index, however many receipts there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database

from deploy.local.harness import Servers
from services.intake import queries
from shared.contracts.base import Status
from shared.mongo import Mongo
from shared.mongo.connect import connect

pytestmark = pytest.mark.integration
AT = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture
async def mongo(servers: Servers, database: Database[dict[str, Any]]) -> AsyncIterator[Mongo]:
    """The same database as the service sees it."""
    found = connect("motor", servers.mongo, database.name)
    await queries.migrate(found)
    yield found
    await found.close()


def stages(plan: Mapping[str, Any]) -> Iterator[str]:
    """All stages of a plan."""
    yield plan["stage"]
    for inner in [plan["inputStage"]] if "inputStage" in plan else plan.get("inputStages", []):
        yield from stages(inner)


@pytest.mark.parametrize(
    "asked", [{}, {"province": "01"}, {"status": "rejected"}, {"province": "01", "received_at": {"$gte": AT}}]
)
@pytest.mark.parametrize("after", [None, f"{int((AT + timedelta(minutes=30)).timestamp() * 1_000)}/9"])
async def test_a_page_is_read_in_the_order_of_an_index(
    mongo: Mongo,
    database: Database[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, Any],
    after: str | None,
) -> None:
    statuses = [*Status]
    rows = [
        {
            "_id": f"{n:04}",
            "province": f"{n % 3:02}",
            "status": statuses[n % 7].value,
            "received_at": AT + timedelta(minutes=n),
        }
        for n in range(2_000)
    ]
    database["receipts"].insert_many(rows)
    seen: list[Any] = []

    async def find(collection: str, query: Any, *, sort: Any, limit: int, **more: Any) -> list[Any]:
        seen.append(database[collection].find(query).sort([*sort]).limit(limit).explain())
        return []

    monkeypatch.setattr(mongo, "find", find)
    await queries.receipts(mongo, asked, after=after, limit=10)
    (explained,) = seen
    used = set(stages(explained["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in used
    assert not used & {"SORT", "COLLSCAN"}
    assert explained["executionStats"]["totalDocsExamined"] <= 20


@pytest.mark.parametrize("asked", [{}, {"province": "01"}, {"province": "01", "period": 2025}])
@pytest.mark.parametrize("after", [None, "01//0300", "01/2024/0300"])
async def test_what_is_looked_at_for_doubts_is_read_in_the_order_of_an_index(
    mongo: Mongo,
    database: Database[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, Any],
    after: str | None,
) -> None:
    """Of all provinces, of one, of one period; from the beginning, and behind a fact without a period and with one."""
    rows = [
        {"_id": f"{n:04}", "province": f"{n % 3 + 1:02}", "period": (None, 2024, 2025)[n // 3 % 3]}
        for n in range(2_000)
    ]
    database["aggregates"].insert_many(rows)
    seen: list[Any] = []
    found: list[dict[str, Any]] = []

    async def find(collection: str, query: Any, *, sort: Any = (), limit: int = 0) -> list[Any]:
        if collection == "aggregates":
            cursor = database[collection].find(query).sort([*sort]).limit(limit)
            seen.append(cursor.explain())
            found.extend(cursor.clone())
        return []

    monkeypatch.setattr(mongo, "find", find)
    await queries.doubtful(mongo, asked, after=after, limit=10)
    (explained,) = seen
    used = set(stages(explained["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in used
    assert not used & {"SORT", "COLLSCAN"}

    def place(row: dict[str, Any]) -> tuple[str, int, str]:
        return row["province"], row["period"] or 0, row["_id"]

    province, year, id = (after or "//").split("/")
    wanted = [row for row in rows if asked.items() <= row.items() and place(row) > (province, int(year or 0), id)]
    assert found == sorted(wanted, key=place)[:11]


@pytest.mark.parametrize("province", [None, "01"])
async def test_facts_that_stand_are_read_in_the_order_of_an_index(
    mongo: Mongo, database: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, province: str | None
) -> None:
    rows = [
        {"_id": f"{n:04}", "kind": "commune", "period": 2024 + n % 2, "province": f"{n % 3:02}", "act": "submission"}
        for n in range(2_000)
    ]
    database["aggregates"].insert_many(rows)
    seen: list[Any] = []

    async def find(collection: str, query: Any, *, sort: Any, limit: int, **more: Any) -> list[Any]:
        seen.append(database[collection].find(query).sort([*sort]).limit(limit).explain())
        return []

    monkeypatch.setattr(mongo, "find", find)
    asked = {"kind": "commune", "period": 2025} | ({"province": province} if province else {})
    await queries.accepted(mongo, asked, after="0500", limit=10)
    (explained,) = seen
    used = set(stages(explained["queryPlanner"]["winningPlan"]))
    assert "IXSCAN" in used
    assert not used & {"SORT", "COLLSCAN"}
    assert explained["executionStats"]["totalDocsExamined"] <= 20
