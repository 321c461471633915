"""Completeness of a nation on a real MongoDB: the same counts, and nothing read that is not about the period."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from deploy.local.harness import Servers
from services.intake import completeness, queries
from shared.mongo import Mongo
from shared.mongo.connect import connect
from shared.registry import registry
from shared.rulebook import cut_off, deadline, rubric_for
from tests.integration.test_receipt_lists import stages

pytestmark = pytest.mark.integration
DUE = deadline(rubric_for("commune", 2025), 2025)
NOW = DUE + timedelta(days=60)
UNITS = registry().units(cut_off(2025))
CENTRES = 10_000
CONTENT = {"targets": "x" * 2_000}
REST = 7
"""Of so many communes one each is late, corrected late, refused, held and withdrawn; the others came in time."""


@pytest.fixture
async def mongo(servers: Servers, database: Database[dict[str, Any]]) -> AsyncIterator[Mongo]:
    """A nation in the fourth year: a file per commune and centre each year."""
    found = connect("motor", servers.mongo, database.name)
    await queries.migrate(found)
    for period in (2023, 2024):
        database["aggregates"].insert_many([_file("commune", f"{n:05}", period) for n in range(3_000)])
    database["aggregates"].insert_many([_registration(n) for n in range(CENTRES)])
    database["aggregates"].insert_many([_file("centre", f"C-{n}", 2025) for n in range(CENTRES - 100)])
    files, lines, receipts = list[Any](), list[Any](), list[Any]()
    for number, unit in enumerate(UNITS):
        kind = number % REST
        if kind in (2, 3):
            receipts += [_receipt(unit.code, unit.province_code, ("rejected", "held")[kind - 2], n) for n in range(3)]
            continue
        file = _file("commune", unit.code, 2025, unit.province_code, late=kind in (0, 1))
        if kind == 1:
            file |= {"version": 2}
            made = [("accepted", 1), ("accepted_late", 2)]
            lines += [
                {"aggregate": file["_id"], "version": version, "act": "submission", "status": status}
                for status, version in made
            ]
        files.append(file | ({"act": "withdrawal"} if kind == 4 else {}))
    database["aggregates"].insert_many(files)
    database["versions"].insert_many(lines)
    database["receipts"].insert_many(receipts)
    yield found
    await found.close()


def _file(kind: str, subject: str, period: int, province: str = "01", *, late: bool = False) -> dict[str, Any]:
    about = {"kind": kind, "subject": subject, "period": period, "province": province, "version": 1}
    return {"_id": f"{kind}/{subject}/{period}", **about, "act": "submission", "accepted": {"late": late, **CONTENT}}


def _registration(number: int) -> dict[str, Any]:
    unit = UNITS[number % len(UNITS)]
    life = {"name": f"TTHTCĐ {number}", "unit_id": unit.unit_id, "opened_on": "2010-09-05", "closed_on": None}
    registered = _file("registration", f"C-{number}", 0, unit.province_code)
    return registered | {"accepted": life}


def _receipt(subject: str, province: str, status: str, number: int) -> dict[str, Any]:
    about = {"kind": "commune", "subject": subject, "period": 2025, "province": province, "status": status}
    return {"_id": f"{subject}/{number}", **about, "receipt": {"act": "submission"}, "raw": b"x" * 2_000}


async def test_a_nation_is_counted(mongo: Mongo) -> None:
    communes = await completeness.counted(mongo, 2025, province=None, series="commune", now=NOW)
    kinds = [number % REST for number in range(len(UNITS))]
    for name, wanted in (("late", {0}), ("refused", {2}), ("held", {3}), ("withdrawn", {4}), ("on_time", {1, 5, 6})):
        assert sum(getattr(row, name) for row in communes) == sum(kind in wanted for kind in kinds), name
    assert sum(row.missing or 0 for row in communes) == 0
    centres = await completeness.counted(mongo, 2025, province=None, series="centre", now=NOW)
    assert (sum(row.expected or 0 for row in centres), sum(row.missing or 0 for row in centres)) == (CENTRES, 100)
    for of in ("01", "79"):
        own = await completeness.counted(mongo, 2025, province=of, series="commune", now=NOW)
        assert own == [row for row in communes if row.province == of]


@pytest.mark.parametrize("province", [None, "01"])
async def test_nothing_is_read_that_is_not_about_it(
    mongo: Mongo, database: Database[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, province: str | None
) -> None:
    plans: list[Any] = []
    find, aggregate = mongo.find, mongo.aggregate

    async def explained_find(collection: str, query: Any, **how: Any) -> Any:
        plans.append(database[collection].find(query, how.get("projection")).explain())
        return await find(collection, query, **how)

    async def explained_aggregate(collection: str, pipeline: Any) -> Any:
        plans.append(database[collection].find(pipeline[0]["$match"]).explain())
        return await aggregate(collection, pipeline)

    monkeypatch.setattr(mongo, "find", explained_find)
    monkeypatch.setattr(mongo, "aggregate", explained_aggregate)
    for series in ("commune", "centre"):
        await completeness.counted(mongo, 2025, province=province, series=series, now=NOW)
    used = [set(stages(plan["queryPlanner"]["winningPlan"])) for plan in plans]
    assert not any("COLLSCAN" in one for one in used if one != {"EOF"}), used
    read = sum(plan["executionStats"]["totalDocsExamined"] for plan in plans)
    receipts = database["receipts"].count_documents({})
    assert read <= 2 * CENTRES + len(UNITS) + 2 * receipts, "registrations, files, and what was not taken"
    assert read <= 4_000 + 2 * CENTRES or province is None
