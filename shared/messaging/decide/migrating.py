"""Migrations in two steps: *expand*, then *contract*.

Expand: a release reads what older ones wrote (`Collection.upgrades` lifts it) and writes today's shape; an older one
waits where it meets a newer schema (`NewerSchema`), so copies may be replaced one after the other. Contract: at the
start of a release all documents of older shapes are written anew, so that the upgrade may go in a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from shared.messaging import seals
from shared.messaging.collections import RECALCULATIONS, SCHEMAS
from shared.messaging.decide.asking import Request
from shared.messaging.decide.documents import ABSENT, NAMES, SCHEMA, Collection, Document
from shared.messaging.decide.reader import STAMP
from shared.messaging.decide.sets import key_text
from shared.mongo import Conflict, Mongo, Put, Session, in_transaction

log = structlog.get_logger()
AT_ONCE = 50
"""Each is written whole, and a receipt has the bytes of a whole record: more of them are too much for one transaction.
"""
SEALED = "_sealed"
"""Note of the key with which every document is sealed."""


async def seal_former(mongo: Mongo) -> None:
    """Seal what a release before seals left, once, and seal anew when the key that seals is another one.

    That it was done is noted under the key itself: who takes the note away, or writes one, has nothing sealed by it.
    What does not fit its seal is left as it is, for the reader to find. Safe to repeat and to break off. Raises
    `UnknownKey` where documents are sealed with a key that this process was not given.
    """
    ring = seals.ring()
    note = next(iter(await mongo.find(SCHEMAS, {"_id": SEALED})), None)
    ours = note is not None and ring.fits(SCHEMAS, note)
    if note and ours and note["whole"] and note["key"] == ring.id:
        return
    unknown = [key for name in ("key", "before") if (key := (note or {}).get(name)) and key not in ring.also("")]
    if unknown:
        raise seals.UnknownKey(f"the documents are sealed with the key {unknown[0]}: add it to LANGHOC_SEAL_KEY")
    if note and ours and note[seals.SEAL]["key"] in ring.secret_ids:
        plain, former = (False, False) if note["whole"] else (note["plain"], note["former"])
    else:
        plain = not await _any_sealed_in_secret(mongo, ring)
        former = plain and note is None
    begun = {"schema": 0, "key": ring.id, "before": (note or {}).get("key"), "plain": plain, "former": former}
    await _noted(mongo, SEALED, {**begun, "whole": False})
    believed = ring.also("") if plain else ring  # what was written before there was a key
    for name in sorted(NAMES - {RECALCULATIONS}):
        await _seal(mongo, name, believed, former=former)
    await _noted(mongo, SEALED, {**begun, "before": None, "whole": True})


async def _any_sealed_in_secret(mongo: Mongo, ring: seals.Ring) -> bool:
    query = {f"{seals.SEAL}.key": {"$in": ring.secret_ids}}
    for name in sorted(NAMES - {RECALCULATIONS}):
        if ring.secret_ids and await mongo.find(name, query, projection={"_id": 1}, limit=1):
            return True
    return False


async def _seal(mongo: Mongo, name: str, believed: seals.Ring, *, former: bool) -> None:
    after, sealed = "", 0
    while rows := await mongo.find(name, {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=AT_ONCE):
        puts = [_put_sealed(name, row) for row in rows if _to_seal(name, row, believed, former=former)]
        try:
            await _write(mongo, name, puts)
        except Conflict:  # another copy seals them too
            continue
        sealed += len(puts)
        after = str(rows[-1]["_id"])
    if sealed:
        log.info("seals.sealed", collection=name, documents=sealed)


def _to_seal(name: str, row: Document, believed: seals.Ring, *, former: bool) -> bool:
    if "_rev" not in row or seals.SEAL not in row:
        return former and "_rev" in row
    return believed.fits(name, row) and row[seals.SEAL]["key"] != seals.ring().id


def _put_sealed(name: str, row: Document) -> Put:
    id = str(row["_id"])
    return Put(id, row["_rev"], seals.sealed(name, id, row))


async def contract(mongo: Mongo, *kinds: Collection[Any]) -> None:
    """Write every document anew that an older release wrote in another shape. Safe to repeat and to break off.

    One that was altered is not. Raises a `MongoError` where the database does not answer.
    """
    done = {row["_id"]: row["schema"] for row in await mongo.find(SCHEMAS, {})}
    for kind in kinds:
        if kind.upgrades and done.get(kind.name, 0) < kind.schema:
            await _lift(mongo, kind)
            await _note(mongo, kind)


async def _lift(mongo: Mongo, kind: Collection[Any]) -> None:
    after, lifted = "", 0
    while rows := await mongo.find(kind.name, {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=AT_ONCE):
        puts = [_put(kind, row) for row in rows if row.get(SCHEMA, 0) < kind.schema and _fits(kind, row)]
        try:
            await _write(mongo, kind.name, puts)
        except Conflict:  # another copy lifts them too, or decides on one: look again
            continue
        lifted += len(puts)
        after = str(rows[-1]["_id"])
    log.info("schema.lifted", collection=kind.name, schema=kind.schema, documents=lifted)


def _fits(kind: Collection[Any], row: Document) -> bool:
    """What was altered is left as it is, for the reader to find: it is no start's trouble."""
    fits = seals.ring().fits(kind.name, row)
    if not fits:
        log.error("schema.altered", collection=kind.name, document=str(row["_id"]))
    return fits


def _put(kind: Collection[Any], row: Document) -> Put:
    beside = {STAMP: row[STAMP]} if STAMP in row else {}
    lifted = kind.lifted(row)
    content = {**({ABSENT: True} if row.get(ABSENT) else lifted), SCHEMA: kind.schema, **beside}
    return Put(str(row["_id"]), row["_rev"], seals.sealed(kind.name, str(row["_id"]), content))


async def _note(mongo: Mongo, kind: Collection[Any]) -> None:
    await _noted(mongo, kind.name, {"schema": kind.schema})


async def _noted(mongo: Mongo, id: str, note: Document) -> None:
    found = await mongo.find(SCHEMAS, {"_id": id})
    revision = found[0]["_rev"] if found else None
    try:
        await _write(mongo, SCHEMAS, [Put(id, revision, seals.sealed(SCHEMAS, id, note))])
    except Conflict:  # another copy has noted it
        log.info("schema.noted_elsewhere", collection=id)


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
