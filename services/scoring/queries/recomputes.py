"""Orders to judge a period again, and the rehearsal of one. Both go through the results in chunks: flat memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from services.scoring.decisions import recomputes
from services.scoring.decisions.documents import RECOMPUTES, RESULTS, recompute_ref
from services.scoring.decisions.recomputes import CHECK, RESCORE
from shared.contracts.base import Text
from shared.errors import LanghocError
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.handling import Document, Outcome, Recalculation, content_of
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo
from shared.refusals import problem
from shared.rulebook.given import GivenRules

CHUNK = 250


class OtherOrder(LanghocError):
    """An order of this id was given before, for another period or province."""

    def __init__(self, order: Document) -> None:
        province = order["province"]
        area = Text(vi="cả nước", en="the whole nation")
        if province:
            area = Text(vi=f"tỉnh {province}", en=f"province {province}")
        super().__init__(problem("scoring.order_id_reused", id=order["id"], period=order["period"], area=area))


def _wanted(period: int, province: str | None) -> dict[str, Any]:
    """Results of a period, or those of one province (today's code: who speaks for them)."""
    return {"period": period} | ({"accepted.province": province} if province else {})


async def order(
    commands: Commands, mongo: Mongo, id: str, period: int, province: str | None, why: str, who: Mapping[str, Any]
) -> Document:
    """Request every result of a period to be judged again; the same id again goes on where it stopped.

    Raises:
        OtherOrder: the id belongs to an order of something else.
        Unavailable: the database does not answer; to be repeated with the same id.
    """

    async def begin(reader: Reader, now: datetime) -> Outcome:
        return Outcome(puts={recompute_ref(id): recomputes.ordered(id, period, province, why, who, now)})

    if await commands.run(f"recompute/{id}", begin) is None:
        before = await find(mongo, id)
        if before is not None and (before["period"], before["province"]) != (period, province):
            raise OtherOrder(before)
    requested = 0
    async for results in _ids(mongo, _wanted(period, province)):
        requested += len(results)
        requests = [Recalculation(RESCORE + each, period) for each in results]

        async def ask(reader: Reader, now: datetime, requests: list[Recalculation] = requests) -> Outcome:
            return Outcome(requests=requests)

        await commands.run(f"recompute/{id}/{results[0]}", ask)

    async def end(reader: Reader, now: datetime) -> Outcome:
        begun = await reader.get(recompute_ref(id))
        assert begun is not None
        check = Recalculation(CHECK + id, period, now + recomputes.LOOK_AGAIN)
        return Outcome(puts={recompute_ref(id): begun | {"requested": requested}}, requests=[check])

    await commands.run(f"recompute/{id}/end", end)
    found = await find(mongo, id)
    assert found is not None
    return found


async def _ids(mongo: Mongo, wanted: Mapping[str, Any]) -> AsyncIterator[list[str]]:
    after = ""
    while True:
        query = {**wanted, "_id": {"$gt": after}}
        rows = await mongo.find(RESULTS, query, projection={"_id": 1}, sort=[("_id", 1)], limit=CHUNK)
        if not rows:
            return
        yield [str(row["_id"]) for row in rows]
        after = str(rows[-1]["_id"])


async def find(mongo: Mongo, id: str) -> Document | None:
    """One order."""
    rows = await mongo.find(RECOMPUTES, {"_id": id})
    return _bare(rows[0]) if rows else None


async def orders(mongo: Mongo, period: int | None) -> list[Document]:
    """All orders, newest first."""
    query = {} if period is None else {"period": period}
    return [_bare(row) for row in await mongo.find(RECOMPUTES, query, sort=[("at", -1)])]


def _bare(row: Document) -> Document:
    return content_of(row)


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
        rows = await mongo.find(RESULTS, query, sort=[("_id", 1)], limit=CHUNK)
        if not rows:
            break
        for line in await asyncio.to_thread(recomputes.rehearse, rows, rules, summary):
            yield line
        after = str(rows[-1]["_id"])
    yield summary.line()
