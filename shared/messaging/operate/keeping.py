"""Carrying out the retention policy: one process of a service, now and then, on what is older than its rule allows.

A round that is broken off is taken up by the next one. A document that moves meanwhile is left to the next round too:
nothing is ever written over what somebody else decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import structlog

from shared.messaging.clock import SECOND, BusinessClock
from shared.messaging.collections import DEAD_LETTERS, PERSONAL_READS
from shared.messaging.consume.burying import without_bytes
from shared.messaging.decide.documents import Collection, Document, Query
from shared.messaging.decide.reader import Reader
from shared.mongo import Conflict, Mongo, Session, answers, in_transaction
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
M = TypeVar("M")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept(Generic[M]):
    """Documents of a service that a rule of the policy is about."""

    rule: str
    kind: Collection[M]
    since: str
    """Field of the instant of business time from which its days are counted."""
    text: bool = False
    """The instant is written as text."""
    stamp: bool = False
    """It is a stamp: nanoseconds of real time."""
    query: Query
    """Which documents; none that was lightened already."""
    lighter: Callable[[M, datetime], M]
    """A document and the moment → the same one without what its rule takes away."""

    @property
    def collection(self) -> str:
        """Where they lie."""
        return self.kind.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the platform keeps beside a service's documents, and a rule is about."""

    rule: str
    collection: str
    since: str
    """Field of the instant of real time from which its days are counted."""
    query: Query = field(default_factory=dict)
    lighter: Callable[[Document, datetime], Document] | None = None
    """`None`: it is deleted."""


_CLOSED: Query = {"state": {"$in": ["replayed", "discarded"]}, "erased": None}
OF_EVERY_SERVICE = (
    Beside(rule="dead_letter_bytes", collection=DEAD_LETTERS, since="closed_at", query=_CLOSED, lighter=without_bytes),
    Beside(  # when one was closed was not noted before
        rule="dead_letter_bytes",
        collection=DEAD_LETTERS,
        since="at",
        query={**_CLOSED, "closed_at": None},
        lighter=without_bytes,
    ),
    Beside(rule="reads", collection=PERSONAL_READS, since="at"),
)


class Keeper:
    """Lets go of what a service has kept long enough."""

    def __init__(self, service: str, mongo: Mongo, kept: Sequence[Kept[Any]], *, clock: BusinessClock) -> None:
        self._service = service
        self._mongo = mongo
        self._kept: tuple[Kept[Any] | Beside, ...] = (*kept, *OF_EVERY_SERVICE)
        self._clock = clock
        self._leases = Leases(mongo, LEASE_SECONDS)

    async def run(self) -> None:
        """Work until cancelled; a database that is away is asked again in the next round."""
        while True:
            try:
                await self.round()
            except (MongoError, TimeoutError) as error:
                log.warning("retention.waiting", error=repr(error)[:300])
            await self._clock.sleep(ROUND_SECONDS)

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

    async def _carry_out(self, one: Kept[Any] | Beside) -> int:
        now = self._clock.real() if isinstance(one, Beside) else self._clock.now()
        rule = rule_on(one.rule, now.astimezone(HANOI).date())
        if rule is None or rule.days is None:
            return 0
        before: Any = now - timedelta(days=rule.days)
        if isinstance(one, Kept) and one.text:
            before = before.date().isoformat()
        elif isinstance(one, Kept) and one.stamp:
            before = int(before.timestamp()) * SECOND
        due, done, after = {**one.query, one.since: {"$lt": before}}, 0, None
        while await self._leases.acquire([LEASE]):
            query = due if after is None else {**due, "_id": {"$gt": after}}
            rows = await self._mongo.find(one.collection, query, projection={"_id": 1}, sort=[("_id", 1)], limit=PAGE)
            if not rows:
                break
            done += await self._let_go(one, due, [row["_id"] for row in rows], now)
            after = rows[-1]["_id"]
        return done

    async def _let_go(self, one: Kept[Any] | Beside, due: Query, ids: Sequence[Any], now: datetime) -> int:
        """Of all at once; where one of them has moved or cannot be read, of each by itself, and of that one not now."""
        these = {**due, "_id": {"$in": ids}}
        try:
            return await (self._lighten(one, these, now) if isinstance(one, Kept) else self._replace(one, these, now))
        except Exception as error:  # one document's trouble is no other's, nor the service's
            if isinstance(error, MongoError) and not await answers(self._mongo):
                raise
            if len(ids) > 1:
                return sum([await self._let_go(one, due, [id], now) for id in ids])
            if not isinstance(error, Conflict):
                log.error("retention.failed", rule=one.rule, document=str(ids[0]), error=repr(error)[:300])
            return 0

    async def _lighten(self, one: Kept[Any], these: Query, now: datetime) -> int:
        """As decisions are written: on the revisions that were read. No set looks at what goes."""
        reader = Reader(self._mongo)
        await reader.load(map(one.kind.ref, these["_id"]["$in"]))
        # Asked after they were read: whatever moves from here on has another revision.
        refs = [
            one.kind.ref(row["_id"]) for row in await self._mongo.find(one.collection, these, projection={"_id": 1})
        ]
        reader.expect({ref: one.lighter(reader[ref], now) for ref in refs})
        writes = reader.puts(refs, self._clock.stamp(reader.stamp))

        async def body(session: Session) -> None:
            await self._mongo.put(one.collection, writes.get(one.collection, []), session)

        await in_transaction(self._mongo, body)
        return len(refs)

    async def _replace(self, one: Beside, these: Query, now: datetime) -> int:
        rows, lighter = await self._mongo.find(one.collection, these), one.lighter

        async def body(session: Session) -> None:
            if await self._mongo.delete(one.collection, these, session) != len(rows):
                raise Conflict(f"{one.collection}: somebody else was faster")
            await self._mongo.insert(one.collection, [lighter(row, now) for row in rows] if lighter else [], session)

        await in_transaction(self._mongo, body)
        return len(rows)
