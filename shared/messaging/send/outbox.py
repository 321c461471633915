"""Outbox and relay: events leave for Kafka only after the transaction that raised them, and never get lost.

The relay holds leases on slots (hash of the key modulo 64); only a slot's holder publishes its rows, in order. A row is
deleted after the broker's confirmation; whatever was not confirmed is sent again under the same event id. Polling is
the truth, `wake` only saves waiting: rows of a dead process are swept up by whoever takes over its slots.

What fails holds up its own lane only: the rows of one topic and slot. One that the broker refuses for good (a right was
taken away, the topic is gone) is tried again alone and ever less often, and is shown to operators.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

import structlog
from aiokafka.errors import KafkaError, ProducerClosed, UnknownTopicOrPartitionError

from shared.messaging.clock import BusinessClock
from shared.messaging.collections import OUTBOX
from shared.messaging.faults import NO_FAULTS, Faults, Step
from shared.messaging.send.producer import REFUSALS
from shared.mongo import Mongo
from shared.mongo.leases import Leases
from shared.mongo.port import Document, MongoError
from shared.telemetry import metrics
from shared.wording import EN

LARGEST_BODY = 1_000_000
"""Bytes of key, headers and body together; the broker refuses records above 1 MiB, and what it refuses never leaves."""
SLOTS = [f"slot/{number:02d}" for number in range(64)]
POLL_SECONDS = 0.1
ROWS = 1_000
PAGE_BYTES = 8 * 1024 * 1024
"""Bounds of a page, so that a backlog of any length fits into a fixed amount of memory and into the deadline."""
PARK_SECONDS = 5.0
LONGEST_PARK_SECONDS = 300.0
log = structlog.get_logger()


class Publisher(Protocol):
    """The one way out. `send` hands the record to the producer and returns what to await for the confirmation.

    After a send that failed, or whose confirmation was cancelled, every further one raises `ProducerClosed` until
    `renew`: so nothing overtakes what failed.
    """

    async def send(
        self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str]
    ) -> asyncio.Future[Any]: ...

    async def renew(self) -> None:
        """Begin anew if a send failed. Raises `KafkaError` or `TimeoutError` as long as no broker answers."""
        ...


def row(
    *, event_id: str, topic: str, key: str, value: bytes, headers: Mapping[str, str], order: int, at: datetime
) -> Document:
    """The outbox document of one event, with its stamp. Raises `ValueError` for one that no broker would take."""
    size = len(value) + len("".join((key, *headers, *headers.values())).encode())
    if size > LARGEST_BODY:
        raise ValueError(f"event for {topic} has {EN(size)} bytes, more than {EN(LARGEST_BODY)}")
    return {
        "_id": event_id,
        "slot": SLOTS[zlib.crc32(key.encode()) % len(SLOTS)],
        "order": order,
        "topic": topic,
        "key": key,
        "value": value,
        "headers": dict(headers),
        "size": size,
        "at": at,
    }


Lane = tuple[str, str]
"""Topic and slot: what must leave in order. Between lanes there is no order to keep."""
Failures = dict[Lane, tuple[Document, BaseException]]
"""The first row of each lane that failed, and how."""


class Why(Enum):
    """What holds up a lane."""

    TROUBLE = "trouble"
    """It failed in a way that passes by itself."""
    SUSPECT = "suspect"
    """The broker refused a whole batch, and it is not known which record was meant."""
    REFUSED = "refused"
    """The broker refused this very row, for good as far as it tells."""


@dataclass(slots=True)
class Hold:
    """Why the rows of a lane wait, and until when (monotonic)."""

    id: str
    """The row that could not be sent."""
    error: str
    why: Why
    until: float
    seconds: float = PARK_SECONDS
    gone: bool = False
    """The whole topic is gone."""


class Relay:
    """Publishes outbox rows. One per process."""

    def __init__(
        self,
        mongo: Mongo,
        publisher: Publisher,
        *,
        publish_deadline: float = 10.0,
        lease_seconds: float = 20.0,
        clock: BusinessClock | None = None,
        faults: Faults = NO_FAULTS,
    ) -> None:
        if publish_deadline > lease_seconds * 3 / 4:
            raise ValueError("a lease must outlive a publish that starts just before its renewal")
        self._mongo = mongo
        self._publisher = publisher
        self._deadline = publish_deadline
        self._leases = Leases(mongo, lease_seconds)
        self._renew_every = lease_seconds / 4
        self._clock = clock or BusinessClock()
        self._faults = faults
        self._holds: dict[Lane, Hold] = {}
        self._wake = asyncio.Event()
        self._more = False
        self._renewed = float("-inf")
        self.last_round = time.monotonic()
        self.last_left = time.monotonic()
        """When a row left, or none waited that could leave."""
        self.oldest_seconds = 0.0

    @property
    def refused(self) -> dict[Lane, Hold]:
        """The lanes whose first row the broker refuses."""
        return {lane: hold for lane, hold in self._holds.items() if hold.why is Why.REFUSED}

    def wake(self) -> None:
        """Rows were committed: do not wait for the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Relay until cancelled. Trouble with broker or database is waited out, never fatal."""
        self.last_round = self.last_left = time.monotonic()  # a start that waited for a server is no lack of progress
        await self._until_done(self._leases.create, SLOTS)
        while True:
            try:
                sent = await self.round()
            except (MongoError, KafkaError, TimeoutError) as error:
                log.warning("relay.waiting", error=repr(error))
                await asyncio.sleep(1.0)
                continue
            if not (sent and self._more) and not self._due():
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):  # `wait_for` may swallow the cancellation of a stop
                        await self._wake.wait()
            self._wake.clear()

    async def round(self) -> int:
        """Publish up to one page of rows of our slots; returns how many were confirmed.

        Raises `KafkaError` or `TimeoutError` while the producer cannot be made anew, `MongoError`.
        """
        self.last_round = time.monotonic()
        await self._publisher.renew()
        if time.monotonic() - self._renewed > self._renew_every:
            started = time.monotonic()
            if not await self._leases.acquire(SLOTS):
                await self._leases.create(SLOTS)  # others have all, or a database was restored without them
            self._renewed = started
            await self._measure_age()
        sent = await self._relay_page()
        sent += await self._probe()
        metrics.OUTBOX_REFUSED.set(len(self.refused))
        return sent

    async def release(self) -> None:
        """Give the slots back, at shutdown."""
        await self._leases.release(SLOTS)

    def _mine(self) -> set[str]:
        """Only slots that stay ours until the publish deadline has surely passed."""
        return self._leases.held(margin_seconds=self._deadline)

    async def _relay_page(self) -> int:
        """A page of all lanes that nothing holds up."""
        mine = self._mine()
        now = time.monotonic()
        self._holds = {
            lane: hold
            for lane, hold in self._holds.items()
            if lane[1] in mine and (hold.why is not Why.TROUBLE or hold.until > now)
        }
        if not mine:
            if not await self._mongo.find(OUTBOX, {}, projection={"_id": 1}, limit=1):
                self.last_left = now
            return 0
        rows = await self._page(_free(mine, self._holds))
        if not rows:
            if len(self.refused) == len(self._holds):
                self.last_left = now
            return 0
        return await self._send(rows)

    def _due(self) -> list[Lane]:
        """Lanes that were refused and are to be tried again."""
        now = time.monotonic()
        return [lane for lane, hold in self._holds.items() if hold.why is not Why.TROUBLE and hold.until <= now]

    async def _probe(self) -> int:
        """The first row of a lane that was refused, alone: so it is known which one is meant, and no other pays."""
        due = self._due()
        if not due:
            return 0
        await self._publisher.renew()  # before the look at the lease: it may take as long as a page
        topic, slot = due[0]
        if slot not in self._mine():
            return 0
        rows = await self._mongo.find(OUTBOX, {"topic": topic, "slot": slot}, sort=[("order", 1)], limit=1)
        if not rows:
            del self._holds[topic, slot]
            return 0
        sent = await self._send(rows)
        self._spread(topic, self._holds.get((topic, slot)))
        return sent

    def _spread(self, topic: str, found: Hold | None) -> None:
        """A topic that is gone is gone for all its lanes: to look for it once in each would hold up the others."""
        if found and found.gone:
            for (name, _), hold in self._holds.items():
                if name == topic and hold.why is not Why.TROUBLE:
                    hold.until = max(hold.until, found.until)

    async def _page(self, query: Mapping[str, Any]) -> list[Document]:
        """The next rows in order, as many as fit into a page."""
        shape = {"size": 1, "order": 1}
        heads = await self._mongo.find(OUTBOX, query, projection=shape, sort=[("order", 1)], limit=ROWS)
        fitting = _fitting(heads)
        self._more = len(heads) == ROWS or fitting < len(heads)
        if not heads:
            return []
        upto = {**query, "order": {"$lte": heads[fitting - 1]["order"]}}
        return await self._mongo.find(OUTBOX, upto, sort=[("order", 1)], limit=fitting)

    async def _send(self, rows: Sequence[Document]) -> int:
        """Publish these rows and delete what was confirmed; returns how many were."""
        confirmed = await self._publish(rows)
        await self._faults.reach(Step.CONFIRMED)
        if confirmed:
            await self._mongo.delete(OUTBOX, {"_id": {"$in": confirmed}})
            self.last_left = time.monotonic()
        metrics.OUTBOX_SENT.inc(len(confirmed))
        if len(confirmed) < len(rows):
            metrics.OUTBOX_FAILED.inc(len(rows) - len(confirmed))
        return len(confirmed)

    async def _publish(self, rows: Sequence[Document]) -> list[str]:
        """Send in order; returns the ids that may be deleted: per lane, those before the first failure."""
        give_up = asyncio.get_running_loop().time() + self._deadline
        sent, failed = await self._hand_over(rows, give_up)
        await _settled([future for _, future in sent], give_up)
        confirmed: list[str] = []
        unconfirmed: Failures = {}
        for entry, future in sent:
            lane = _lane(entry)
            error = TimeoutError("no confirmation in time") if future.cancelled() else future.exception()
            if error is not None:
                unconfirmed.setdefault(lane, (entry, error))
            elif lane not in unconfirmed:
                confirmed.append(entry["_id"])
                self._holds.pop(lane, None)
        for lane, (entry, error) in {**failed, **unconfirmed}.items():
            self._hold(lane, entry, error, exact=lane not in unconfirmed or len(rows) == 1)
        return confirmed

    async def _hand_over(
        self, rows: Sequence[Document], give_up: float
    ) -> tuple[list[tuple[Document, asyncio.Future[Any]]], Failures]:
        """Give rows to the producer, in order; returns what awaits confirmation, and each lane's first failure."""
        sent: list[tuple[Document, asyncio.Future[Any]]] = []
        failed: Failures = {}
        unknown: dict[str, KafkaError] = {}
        for entry in rows:
            lane = _lane(entry)
            if lane in failed:
                continue
            try:
                if entry["topic"] in unknown:  # looked for in vain a moment ago
                    raise unknown[entry["topic"]]
                async with asyncio.timeout_at(give_up):
                    future = await self._publisher.send(
                        entry["topic"],
                        key=entry["key"].encode(),
                        value=bytes(entry["value"]),
                        headers=entry["headers"],
                    )
            except UnknownTopicOrPartitionError as error:
                unknown[entry["topic"]] = error
                failed[lane] = entry, error
            except (TimeoutError, KafkaError) as error:
                failed[lane] = entry, error
                if not isinstance(error, REFUSALS):
                    break  # the way out is closed for all
            else:
                sent.append((entry, future))
        return sent, failed

    def _hold(self, lane: Lane, entry: Document, error: BaseException, *, exact: bool) -> None:
        """Let the lane rest, unless it only suffers for another's failure. `exact`: it is this very row that failed."""
        before = self._holds.get(lane)
        now = time.monotonic()
        if isinstance(error, ProducerClosed):
            if before:
                before.until = now + PARK_SECONDS
            return
        hold = Hold(entry["_id"], repr(error), Why.TROUBLE, now + PARK_SECONDS)
        hold.gone = isinstance(error, UnknownTopicOrPartitionError)
        if isinstance(error, REFUSALS):
            hold.why = Why.REFUSED if exact else Why.SUSPECT
            if before and before.why is Why.REFUSED:
                hold.seconds = min(before.seconds * 2, LONGEST_PARK_SECONDS)
            hold.until = now + hold.seconds if exact else now
        self._holds[lane] = hold
        told = {"topic": lane[0], "slot": lane[1], "id": hold.id, "error": hold.error}
        if hold.why is Why.REFUSED:
            log.error("relay.refused", **told)
        else:
            log.warning("relay.send_failed", **told)

    async def _measure_age(self) -> None:
        oldest = await self._mongo.find(OUTBOX, {}, projection={"at": 1}, sort=[("order", 1)], limit=1)
        self.oldest_seconds = (self._clock.real() - oldest[0]["at"]).total_seconds() if oldest else 0.0
        metrics.OUTBOX_AGE.set(self.oldest_seconds)

    async def _until_done(self, step: Any, *args: Any) -> None:
        while True:
            try:
                await step(*args)
                return
            except MongoError as error:
                log.warning("relay.waiting", error=repr(error))
                await asyncio.sleep(1.0)


def _lane(entry: Document) -> Lane:
    return entry["topic"], entry["slot"]


def _free(mine: set[str], holds: Iterable[Lane]) -> dict[str, Any]:
    """The query for rows of our slots, but for the lanes that are held up."""
    query: dict[str, Any] = {} if len(mine) == len(SLOTS) else {"slot": {"$in": sorted(mine)}}
    held: dict[str, list[str]] = {}
    for topic, slot in holds:
        held.setdefault(topic, []).append(slot)
    if held:
        query["$nor"] = [{"topic": topic, "slot": {"$in": slots}} for topic, slots in held.items()]
    return query


def _fitting(heads: Sequence[Document]) -> int:
    """How many of the first rows fit into a page together; one at least. Rows of before sizes were kept count full."""
    room = PAGE_BYTES
    for number, head in enumerate(heads):
        room -= head.get("size", LARGEST_BODY)
        if number and room < 0:
            return number
    return len(heads)


async def _settled(futures: Sequence[asyncio.Future[Any]], give_up: float) -> None:
    """Wait for confirmations; give up those that are late, which tells the producer that it may be broken."""
    if not futures:
        return
    seconds = max(give_up - asyncio.get_running_loop().time(), 0.1)
    _, late = await asyncio.wait(futures, timeout=seconds)
    for future in late:
        future.cancel()
    await asyncio.sleep(0)  # callbacks of the cancellation run before anything else is sent
