"""Leases: who may do a piece of work now. Time is the server's, so that clocks of two machines need not agree."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from shared.mongo.port import DuplicateKey, Mongo

COLLECTION = "leases"


class Leases:
    """Leases held by one process, identified by a token of its own."""

    def __init__(self, mongo: Mongo, ttl_seconds: float) -> None:
        self._mongo = mongo
        self._ttl = ttl_seconds
        self.token = uuid.uuid4().hex
        self._valid_until: dict[str, float] = {}

    async def create(self, names: Sequence[str]) -> None:
        """Make sure that the lease documents exist, free."""
        known = {row["_id"] for row in await self._mongo.find(COLLECTION, {"_id": {"$in": list(names)}})}
        for name in names:
            if name not in known:
                try:
                    await self._mongo.insert(COLLECTION, [{"_id": name, "token": None}])
                except DuplicateKey:
                    continue

    async def acquire(self, names: Sequence[str]) -> set[str]:
        """Take or renew what is free, expired or ours; returns what we hold now."""
        asked_at = time.monotonic()
        await self._mongo.update(
            COLLECTION,
            {
                "_id": {"$in": list(names)},
                "$expr": {
                    "$or": [
                        {"$eq": ["$token", self.token]},
                        {"$eq": ["$token", None]},
                        {"$lt": ["$expires", "$$NOW"]},
                    ]
                },
            },
            [{"$set": {"token": self.token, "expires": {"$add": ["$$NOW", int(self._ttl * 1000)]}}}],
        )
        rows = await self._mongo.find(COLLECTION, {"_id": {"$in": list(names)}, "token": self.token})
        held = {str(row["_id"]) for row in rows}
        for name in names:
            self._valid_until.pop(name, None)
        # Counted from before the request, so that our view always ends earlier than the server's.
        self._valid_until.update(dict.fromkeys(held, asked_at + self._ttl))
        return held

    def held(self, margin_seconds: float = 0.0) -> set[str]:
        """What we hold for at least `margin_seconds` more."""
        limit = time.monotonic() + margin_seconds
        return {name for name, until in self._valid_until.items() if until > limit}

    async def release(self, names: Sequence[str] | None = None) -> None:
        """Give back, so that others need not wait for the expiry."""
        wanted = list(names if names is not None else self._valid_until)
        await self._mongo.update(COLLECTION, {"_id": {"$in": wanted}, "token": self.token}, {"$set": {"token": None}})
        for name in wanted:
            self._valid_until.pop(name, None)
