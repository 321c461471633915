"""Putting documents into a service's database as the service itself would, without a decision of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.messaging.decide.documents import Ref
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo, Session, in_transaction


async def store(mongo: Mongo, states: Mapping[Ref[Any], Any]) -> None:
    """Write these documents, new or in the place of what is there."""
    reader = Reader(mongo)
    await reader.load(states)
    reader.expect(states)
    writes = reader.puts(states, 1)

    async def body(session: Session) -> None:
        for collection, puts in writes.items():
            await mongo.put(collection, puts, session)

    await in_transaction(mongo, body)
