"""Appeals against results: where each stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.scoring.decisions import APPEALS, RESULTS, Appeal
from services.scoring.decisions import appeals as decisions
from shared.answers.page import Page
from shared.answers.results import AppealRef, AppealState, AppealView
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index(APPEALS.name, [("province", 1)])
    await mongo.index(APPEALS.name, [("series", 1), ("subject", 1), ("period", 1)])


async def appeals(
    mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int, now: datetime
) -> Page[AppealView]:
    """A page of the appeals, ordered by province and id, with where each stands now."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    rows = await mongo.find(APPEALS.name, query, sort=[("_id", 1)], limit=limit + 1)
    found = [APPEALS.read(row) for row in rows[:limit]]
    results = [decisions.result_ref(one.series, one.subject, one.period).id for one in found]
    standing = await mongo.find(RESULTS.name, {"_id": {"$in": results}}, projection={"_id": 1, "version": 1})
    newest = {row["_id"]: row["version"] for row in standing}
    items = [
        AppealView(**dict(one), state=_state(one, now), newest_version=newest[result])
        for one, result in zip(found, results, strict=True)
    ]
    return Page(items=items, next=rows[limit - 1]["_id"] if len(rows) > limit else None)


async def of_results(mongo: Mongo, ids: list[tuple[str, str, int]]) -> dict[tuple[str, str, int], list[AppealRef]]:
    """The appeals against results, by their series, subject and period; in the order in which they were made."""
    wanted = [{"series": series, "subject": subject, "period": period} for series, subject, period in ids]
    told: dict[tuple[str, str, int], list[AppealRef]] = {}
    for row in await mongo.find(APPEALS.name, {"$or": wanted}, sort=[("made_at", 1)]) if wanted else ():
        one = APPEALS.read(row)
        ref = AppealRef(
            province=one.province,
            appeal_id=one.appeal_id,
            result_version=one.result_version,
            state=_state(one, None),
            follows=one.decision and one.decision.follows,
        )
        told.setdefault((one.series, one.subject, one.period), []).append(ref)
    return told


def _state(appeal: Appeal, now: datetime | None) -> AppealState:
    if appeal.withdrawn:
        return "withdrawn"
    if appeal.decision is None:
        return "overdue" if now is not None and now >= appeal.decide_by else "open"
    return "upheld" if appeal.decision.upheld else "dismissed"
