"""Personal data in a service's database: everything that holds a text, and who looked at what.

The search knows no list of fields that may be personal: it reads every document of every collection, because what was
sent by mistake lies where nobody expects it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

from shared.answers.privacy import Holding
from shared.messaging.clock import BusinessClock
from shared.messaging.collections import PERSONAL_READS
from shared.messaging.decide.documents import Document
from shared.mongo import Mongo
from shared.privacy import found_in

PAGE = 200


async def holdings(mongo: Mongo, text: str) -> AsyncIterator[Holding]:
    """Every document in which the text occurs, by collection and id, page by page. Raises `MongoError`."""
    for collection in sorted(await mongo.collection_names()):
        after: Any = None
        while rows := await mongo.find(
            collection, {} if after is None else {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=PAGE
        ):
            for found in await asyncio.to_thread(_search, collection, rows, text):
                yield found
            after = rows[-1]["_id"]


def _search(collection: str, rows: list[Document], text: str) -> list[Holding]:
    found = [(row, found_in(row, text)) for row in rows]
    return [Holding(collection=collection, id=str(row["_id"]), places=places) for row, places in found if places]


def fingerprint(text: str) -> str:
    """What the record of reads keeps of a text that was looked for: enough to recognise it, and no name."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def note_read(
    mongo: Mongo, clock: BusinessClock, *, who: str, role: str, what: str, about: str, why: str
) -> None:
    """Record a look at personal data, before it is given. Raises `MongoError`: then nothing is shown."""
    read = {"at": clock.real(), "who": who, "role": role, "what": what, "about": about, "why": why}
    await mongo.insert(PERSONAL_READS, [read])


async def reads(mongo: Mongo, query: Document, *, after: Any, limit: int) -> list[Document]:
    """The record, oldest first."""
    if after is not None:
        query = {**query, "_id": {"$gt": after}}
    return await mongo.find(PERSONAL_READS, query, sort=[("_id", 1)], limit=limit)
