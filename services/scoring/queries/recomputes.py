"""Orders to judge a period again, and the rehearsal of one. Both go through the results in chunks: flat memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from services.scoring.decisions import RECOMPUTES, RESULTS, Recompute, Rescored, recomputes
from shared.contracts.base import Text
from shared.errors import LanghocError
from shared.messaging.decide.commands import Commands
from shared.mongo import Mongo
from shared.refusals import problem
from shared.rulebook.given import GivenRules

CHUNK = 250


class OtherOrder(LanghocError):
    """An order of this id was given before, for another period or province."""

    def __init__(self, order: Recompute) -> None:
        province = order.province
        area = Text(vi="cả nước", en="the whole nation")
        if province:
            area = Text(vi=f"tỉnh {province}", en=f"province {province}")
        super().__init__(problem("scoring.order_id_reused", id=order.id, period=order.period, area=area))


def _wanted(period: int, province: str | None) -> dict[str, Any]:
    """Results of a period, or those of one province (today's code: who speaks for them)."""
    return {"period": period} | ({"accepted.province": province} if province else {})


async def order(commands: Commands, mongo: Mongo, wanted: Recompute) -> Recompute:
    """Request every result of a period to be judged again; the same id again goes on where it stopped, and begins anew
    where altered documents made it fail.

    Raises:
        OtherOrder: the id belongs to an order of something else.
        Unavailable: the database does not answer; to be repeated with the same id.
    """
    id, period, requested = wanted.id, wanted.period, 0
    if await commands.order(f"recompute/{id}", wanted, recomputes.begin) is None:
        before = await find(mongo, id)
        if before is not None and (before.period, before.province) != (period, wanted.province):
            raise OtherOrder(before)
        if before is not None and before.state == "failed":
            await commands.order(f"recompute/{id}/after/{before.attempt}", before, recomputes.begin_anew)
    begun = await find(mongo, id)
    assert begun is not None
    attempt = f"recompute/{id}" if begun.attempt == 1 else f"recompute/{id}/attempt/{begun.attempt}"
    async for results in _ids(mongo, _wanted(period, wanted.province)):
        requested += len(results)
        chunk = [Rescored(each, period) for each in results]
        await commands.order(f"{attempt}/{results[0]}", chunk, recomputes.rescore)
    await commands.order(f"{attempt}/end", (id, requested), recomputes.end)
    found = await find(mongo, id)
    assert found is not None
    return found


async def _ids(mongo: Mongo, wanted: Mapping[str, Any]) -> AsyncIterator[list[str]]:
    after = ""
    while True:
        query = {**wanted, "_id": {"$gt": after}}
        rows = await mongo.find(RESULTS.name, query, projection={"_id": 1}, sort=[("_id", 1)], limit=CHUNK)
        if not rows:
            return
        yield [str(row["_id"]) for row in rows]
        after = str(rows[-1]["_id"])


async def find(mongo: Mongo, id: str) -> Recompute | None:
    """One order."""
    rows = await mongo.find(RECOMPUTES.name, {"_id": id})
    return RECOMPUTES.read(rows[0]) if rows else None


async def orders(mongo: Mongo, period: int | None) -> list[Recompute]:
    """All orders, newest first."""
    query = {} if period is None else {"period": period}
    return [RECOMPUTES.read(row) for row in await mongo.find(RECOMPUTES.name, query, sort=[("at", -1)])]


async def rehearse(
    mongo: Mongo, period: int, province: str | None, rules: GivenRules | None
) -> AsyncIterator[dict[str, Any]]:
    """Every difference between the kept results and what the rules make of the same inputs, then one summary.

    In order of result and field. Nothing is written; `rules` serve this rehearsal alone.
    """
    summary = recomputes.Summary(period, province, rules)
    after = ""
    while True:
        query = {**_wanted(period, province), "_id": {"$gt": after}}
        rows = await mongo.find(RESULTS.name, query, sort=[("_id", 1)], limit=CHUNK)
        if not rows:
            break
        for line in await asyncio.to_thread(recomputes.rehearse, rows, rules, summary):
            yield line
        after = str(rows[-1]["_id"])
    yield summary.line()
