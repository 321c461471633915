"""Migrations in two steps: *expand*, then *contract*.

Expand: a release reads what older ones wrote (`Collection.upgrades` lifts it) and writes today's shape; an older one
waits where it meets a newer schema (`NewerSchema`), so copies may be replaced one after the other. Contract: at the
start of a release all documents of older shapes are written anew, so that the upgrade may go in a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from shared.messaging.collections import RECALCULATIONS, SCHEMAS
from shared.messaging.decide.asking import Request
from shared.messaging.decide.documents import ABSENT, SCHEMA, Collection, Document
from shared.messaging.decide.reader import STAMP
from shared.messaging.decide.sets import key_text
from shared.mongo import Conflict, Mongo, Put, Session, in_transaction

log = structlog.get_logger()
PAGE = 500


async def contract(mongo: Mongo, *kinds: Collection[Any]) -> None:
    """Write every document anew that an older release wrote in another shape. Safe to repeat and to break off.

    Raises a `MongoError` where the database does not answer.
    """
    done = {row["_id"]: row["schema"] for row in await mongo.find(SCHEMAS, {})}
    for kind in kinds:
        if kind.upgrades and done.get(kind.name, 0) < kind.schema:
            await _lift(mongo, kind)
            await _note(mongo, kind)


async def _lift(mongo: Mongo, kind: Collection[Any]) -> None:
    after, lifted = "", 0
    while rows := await mongo.find(kind.name, {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=PAGE):
        puts = [_put(kind, row) for row in rows if row.get(SCHEMA, 0) < kind.schema]
        try:
            await _write(mongo, kind.name, puts)
        except Conflict:  # another copy lifts them too, or decides on one: look again
            continue
        lifted += len(puts)
        after = str(rows[-1]["_id"])
    log.info("schema.lifted", collection=kind.name, schema=kind.schema, documents=lifted)


def _put(kind: Collection[Any], row: Document) -> Put:
    beside = {STAMP: row[STAMP]} if STAMP in row else {}
    content = {ABSENT: True} if row.get(ABSENT) else kind.lifted(row)
    return Put(str(row["_id"]), row["_rev"], {**content, SCHEMA: kind.schema, **beside})


async def _note(mongo: Mongo, kind: Collection[Any]) -> None:
    found = await mongo.find(SCHEMAS, {"_id": kind.name})
    revision = found[0]["_rev"] if found else None
    try:
        await _write(mongo, SCHEMAS, [Put(kind.name, revision, {"schema": kind.schema})])
    except Conflict:  # another copy has noted it
        log.info("schema.noted_elsewhere", collection=kind.name)


async def _write(mongo: Mongo, collection: str, puts: list[Put]) -> None:
    async def body(session: Session) -> None:
        await mongo.put(collection, puts, session)

    await in_transaction(mongo, body)


async def name_requests(mongo: Mongo, named: Callable[[str, int], Request]) -> None:
    """Give open requests that a release before named sets left, by scope and period, their set and key.

    Safe to repeat; two copies that do it at once leave a request twice, which computes no more than one.
    """
    former = await mongo.find(RECALCULATIONS, {"set": None})
    requests = [(row, named(row["scope"], row["period"])) for row in former]
    rows = [
        {"set": request.set, "key": key_text(request.key), "due": row["due"], "at": row["at"]}
        for row, request in requests
    ]

    async def body(session: Session) -> None:
        await mongo.insert(RECALCULATIONS, rows, session)
        await mongo.delete(RECALCULATIONS, {"_id": {"$in": [row["_id"] for row in former]}}, session)

    if former:
        await in_transaction(mongo, body)
