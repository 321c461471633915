"""The inbox: which records were handled already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from shared.messaging.clock import instant_of
from shared.messaging.collections import INBOX
from shared.messaging.consume.envelope import former_id
from shared.mongo import Mongo
from shared.mongo.port import Document

CLOCKS_APART = timedelta(minutes=15)
"""How far the clocks of a broker and of a service may be apart when a former id is judged by its age."""


async def entries(mongo: Mongo, ids: Sequence[str]) -> dict[str, Document]:
    """The inbox entries of these events, by the id that the event has now.

    A record of an outside sender was once known by its place and bytes alone (ADR 20). An entry of that time still
    counts, unless the record was appended after it: then it lies in a topic that was made anew since.
    """
    former = {old[0]: (id, old[1]) for id in ids if (old := former_id(id))}
    rows = await mongo.find(INBOX, {"_id": {"$in": [*ids, *former]}})
    found: dict[str, Document] = {}
    for row in rows:
        id, appended = former.get(row["_id"], (row["_id"], None))
        if appended is None or instant_of(appended) <= row["at"] + CLOCKS_APART:
            found[id] = row
    return found
