"""The indexes of delivery's own collections."""

from __future__ import annotations

from shared.messaging.collections import (
    COMMANDS,
    DEAD_LETTER_ACTIONS,
    DEAD_LETTERS,
    INBOX,
    OUTBOX,
    PERSONAL_READS,
    RECALCULATIONS,
    SETS,
)
from shared.messaging.decide.people import PEOPLE
from shared.mongo import Mongo


async def prepare(mongo: Mongo, *, inbox_days: int) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index(INBOX, [("at", 1)], expire_after_seconds=inbox_days * 86_400)
    await mongo.index(COMMANDS, [("at", 1)])
    await mongo.index(OUTBOX, [("order", 1)])
    await mongo.index(DEAD_LETTERS, [("at", 1)])
    await mongo.index(DEAD_LETTERS, [("state", 1), ("_id", 1)])
    await mongo.index(DEAD_LETTERS, [(name, 1) for name in ("topic", "partition", "key", "appended_at", "offset")])
    await mongo.index(DEAD_LETTER_ACTIONS, [("letter", 1)])
    await mongo.index(PERSONAL_READS, [("at", 1)])
    await mongo.index(RECALCULATIONS, [("set", 1), ("key", 1)])
    await mongo.index(PEOPLE.name, [("accounts", 1)])
    await mongo.index(SETS, [("set", 1), ("key", 1)])
