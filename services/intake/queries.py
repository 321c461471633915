"""Collections, indexes and queries of intake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from services.intake.decisions import release
from services.intake.decisions.submissions import RELEASE, VERSIONS
from shared.contracts.base import Status
from shared.messaging.decide.handling import Document, Outcome, content_of
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.recalculation import Compute
from shared.messaging.decide.register import REGISTER
from shared.mongo import Mongo
from shared.registry import Registry, corrected_register

_WAITING = dict.fromkeys(("awaits", "awaits_on", "period", "province", "submission_id"), 1)


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index("receipts", [("province", 1), ("_id", 1)])
    await mongo.index("receipts", [("subject", 1), ("period", 1)])
    await mongo.index("receipts", [("submission_id", 1)])
    await mongo.index("receipts", [("period", 1), ("status", 1)])
    await mongo.index("receipts", [("awaits", 1), ("period", 1)])
    await mongo.index("aggregates", [("subject", 1), ("period", 1)])
    await mongo.index("aggregates", [("kind", 1), ("accepted.commune_code", 1)])
    await mongo.index("aggregates", [("accepted.unit_id", 1)])
    await mongo.index(VERSIONS, [("aggregate", 1), ("version", 1)])


def compute(clock_offset: int) -> Compute:
    """Deciding held submissions again: one scope is the code that they wait for."""

    async def again(reader: Reader, scope: str, period: int, now: datetime) -> Outcome:
        query = release.held_query(scope.removeprefix(RELEASE), period)
        found = (await reader.find("receipts", query)).values()
        outcomes = []
        for held in sorted(map(release.read_again, found), key=lambda held: held.arrival):
            await reader.load(held.needs)
            outcome = release.release(held, reader, clock_offset)
            reader.expect(outcome.puts)
            outcomes.append(outcome)
        return release.together(outcomes)

    return again


# ------------------------------------------------------------------------------------------------- receipts


async def receipts(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Receipts as JSON, ordered by id."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    rows = await mongo.find("receipts", query, projection={"receipt": 1}, sort=[("_id", 1)], limit=limit)
    return [row["receipt"] for row in rows]


async def receipt(mongo: Mongo, receipt_id: str) -> dict[str, Any] | None:
    """One receipt as JSON."""
    rows = await mongo.find("receipts", {"_id": receipt_id}, projection={"receipt": 1})
    return rows[0]["receipt"] if rows else None


async def held(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> list[dict[str, Any]]:
    """Receipts of the submissions that still wait, ordered by id."""
    return await receipts(mongo, query | release.held_query(), after=after, limit=limit)


async def waiting(mongo: Mongo) -> list[Document]:
    """For what every held submission waits."""
    return await mongo.find("receipts", release.held_query(), projection=_WAITING)


async def tally(mongo: Mongo, query: dict[str, Any]) -> dict[str, int]:
    """How many submissions have which status. All statuses are listed; their sum is what was received.

    A submission that was held and decided later counts once, by what became of it.
    """
    match = {"$match": query | {"released": None}}
    rows = await mongo.aggregate("receipts", [match, {"$group": {"_id": "$status", "count": {"$sum": 1}}}])
    counted = {row["_id"]: row["count"] for row in rows}
    return {status.value: counted.get(status.value, 0) for status in Status}


# ------------------------------------------------------------------------------------------------- accepted


async def history(mongo: Mongo, subject: str, period: int | None) -> list[dict[str, Any]]:
    """What is accepted of a subject, per kind and period, with its versions."""
    query: dict[str, Any] = {"subject": subject}
    if period is not None:
        query["period"] = period
    rows = await mongo.find("aggregates", query, sort=[("period", 1)])
    ids = [row["_id"] for row in rows]
    lines: dict[str, list[dict[str, Any]]] = {id: [] for id in ids}
    for line in await mongo.find(VERSIONS, {"aggregate": {"$in": ids}}, sort=[("aggregate", 1), ("version", 1)]):
        lines[line["aggregate"]].append(content_of(line, "aggregate"))
    return [{**content_of(row), "history": row.get("history") or lines[row["_id"]]} for row in rows]


async def centres_of(mongo: Mongo, commune_code: str) -> list[dict[str, Any]]:
    """Registered centres of a commune."""
    rows = await mongo.find("aggregates", {"kind": "registration", "accepted.commune_code": commune_code})
    return [row["accepted"] for row in rows]


async def accepted_of(mongo: Mongo, subjects: Sequence[str], units: Iterable[str]) -> list[dict[str, Any]]:
    """What is accepted of these subjects or units, without contents."""
    names = ("kind", "subject", "period", "province", "version", "accepted.unit_id", "accepted.subject_id")
    projection = dict.fromkeys(names, 1)
    query = {"$or": [{"subject": {"$in": list(subjects)}}, {"accepted.unit_id": {"$in": list(units)}}]}
    return await mongo.find("aggregates", query, projection=projection, sort=[("subject", 1), ("period", 1)])


# ------------------------------------------------------------------------------------------------- register


async def corrections(mongo: Mongo) -> Document | None:
    """The document of corrections."""
    return await Reader(mongo).get(REGISTER)


async def register(mongo: Mongo) -> Registry:
    """The register as intake knows it now."""
    return corrected_register(await corrections(mongo))


Correct = Callable[[Document | None, Sequence[Document], datetime], Outcome]


async def correct(reader: Reader, at: datetime, decide: Correct) -> Outcome:
    """Read what a correction of the register is decided on, and decide."""
    held_now = await reader.look("receipts", release.held_query(), _WAITING)
    return decide(await reader.get(REGISTER), held_now, at)
