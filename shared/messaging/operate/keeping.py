"""Carrying out the retention policy: one process of a service, now and then, on what is older than its rule allows.

A round that is broken off is taken up by the next one. A document that moves meanwhile is left to the next round too:
nothing is ever written over what somebody else decided.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from shared.messaging.clock import BusinessClock
from shared.messaging.collections import DEAD_LETTERS, PERSONAL_READS
from shared.messaging.consume.burying import without_bytes
from shared.messaging.decide.documents import Document
from shared.mongo import Conflict, Mongo, Put, Session, answers, in_transaction
from shared.mongo.leases import Leases
from shared.mongo.port import MongoError
from shared.privacy import rule_on
from shared.rulebook import HANOI
from shared.telemetry import metrics

log = structlog.get_logger()
PAGE = 200
LEASE = "retention"
LEASE_SECONDS = 120.0
"""Longer than a page takes; renewed with each."""
ROUND_SECONDS = 3_600.0
Lightened = Callable[[Document, datetime], Document]
"""A stored document and the moment → the same one without what its rule takes away."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Documents that a rule of the policy is about."""

    rule: str
    collection: str
    since: str
    """Field of the instant from which its days are counted."""
    query: Mapping[str, Any] = field(default_factory=dict)
    """Which documents; none that was lightened already."""
    then: Lightened | None = None
    """`None`: the document is deleted."""
    text: bool = False
    """The instant is written as text."""
    real: bool = False
    """The instant is of real time, not of business time."""


OF_EVERY_SERVICE = (
    Kept(
        "dead_letter_bytes",
        DEAD_LETTERS,
        "at",
        {"state": {"$in": ["replayed", "discarded"]}, "erased": None},
        without_bytes,
        real=True,
    ),
    Kept("reads", PERSONAL_READS, "at", real=True),
)
"""What each service keeps beside its own documents."""


class Keeper:
    """Lets go of what a service has kept long enough."""

    def __init__(self, service: str, mongo: Mongo, kept: Sequence[Kept], *, clock: BusinessClock) -> None:
        self._service = service
        self._mongo = mongo
        self._kept = (*kept, *OF_EVERY_SERVICE)
        self._clock = clock
        self._leases = Leases(mongo, LEASE_SECONDS)

    async def run(self) -> None:
        """Work until cancelled; a database that is away is asked again in the next round."""
        while True:
            try:
                await self.round()
            except (MongoError, TimeoutError) as error:
                log.warning("retention.waiting", error=repr(error)[:300])
            await asyncio.sleep(ROUND_SECONDS)

    async def round(self) -> dict[str, int]:
        """Carry out every rule once; returns how many documents each has let go. Nothing, where another process does.

        Raises `MongoError`.
        """
        await self._leases.create([LEASE])
        done: Counter[str] = Counter()
        try:
            for one in self._kept:
                done[one.rule] += await self._carry_out(one)
        finally:
            await self._leases.release([LEASE])
        for rule, count in done.items():
            metrics.LET_GO.labels(self._service, rule).inc(count)
        if done.total():
            log.info("retention.carried_out", **{rule: count for rule, count in done.items() if count})
        return dict(done)

    async def _carry_out(self, one: Kept) -> int:
        now = self._clock.real() if one.real else self._clock.now()
        rule = rule_on(one.rule, now.astimezone(HANOI).date())
        if rule is None or rule.days is None:
            return 0
        before: Any = now - timedelta(days=rule.days)
        due = {**one.query, one.since: {"$lt": before.date().isoformat() if one.text else before}}
        done, after = 0, None
        while await self._leases.acquire([LEASE]):
            query = due if after is None else {**due, "_id": {"$gt": after}}
            rows = await self._mongo.find(one.collection, query, sort=[("_id", 1)], limit=PAGE)
            if not rows:
                break
            done += await self._let_go(one, rows, now)
            after = rows[-1]["_id"]
        return done

    async def _let_go(self, one: Kept, rows: Sequence[Document], now: datetime) -> int:
        """Of all at once; where one of them has moved or cannot be read, of each by itself, and of that one not now."""
        try:
            await self._write(one, rows, now)
            return len(rows)
        except Exception as error:  # one document's trouble is no other's, nor the service's
            if isinstance(error, MongoError) and not await answers(self._mongo):
                raise
            if len(rows) > 1:
                return sum([await self._let_go(one, [row], now) for row in rows])
            if not isinstance(error, Conflict):
                log.error("retention.failed", rule=one.rule, document=str(rows[0]["_id"]), error=repr(error)[:300])
            return 0

    async def _write(self, one: Kept, rows: Sequence[Document], now: datetime) -> None:
        lighter = [_beside(row) | one.then(row, now) for row in rows] if one.then else []

        async def body(session: Session) -> None:
            if lighter and "_rev" in rows[0]:
                puts = [Put(row["_id"], row["_rev"], new) for row, new in zip(rows, lighter, strict=True)]
                await self._mongo.put(one.collection, puts, session)
                return
            ids = {"_id": {"$in": [row["_id"] for row in rows]}}
            if await self._mongo.delete(one.collection, {**one.query, **ids}, session) != len(rows):
                raise Conflict(f"{one.collection}: another process was faster")
            await self._mongo.insert(one.collection, lighter, session)

        await in_transaction(self._mongo, body)


def _beside(row: Document) -> Document:
    """What the platform keeps beside a document, except what a write sets by itself."""
    kept = {name: value for name, value in row.items() if name.startswith("_") and name != "_rev"}
    return kept if "_rev" not in row else {name: value for name, value in kept.items() if name != "_id"}
