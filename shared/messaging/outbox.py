"""Outbox and relay: events leave for Kafka only after the transaction that raised them, and never get lost.

The relay holds leases on slots (hash of the key modulo 64); only a slot's holder publishes its rows, in order. A row is
deleted after the broker's confirmation; whatever was not confirmed is sent again under the same event id. Polling is
the truth, `wake` only saves waiting: rows of a dead process are swept up by whoever takes over its slots.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from aiokafka.errors import KafkaError

from shared.messaging.collections import OUTBOX
from shared.messaging.faults import NO_FAULTS, Faults, Step
from shared.mongo import Mongo
from shared.mongo.leases import Leases
from shared.mongo.port import Document, MongoError
from shared.telemetry import metrics

LARGEST_BODY = 1_000_000
"""Bytes; the broker refuses records above 1 MiB, and a row that it refuses would hold up its slot for ever."""
SLOTS = [f"slot/{number:02d}" for number in range(64)]
POLL_SECONDS = 0.1
ROWS = 1_000
PARK_SECONDS = 5.0
log = structlog.get_logger()


class Publisher(Protocol):
    """The one way out. `send` hands the record to the producer and returns what to await for the confirmation."""

    async def send(
        self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str]
    ) -> asyncio.Future[Any]: ...


class _Order:
    """Strictly rising numbers within this process, close to real time between processes."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        self._last = max(self._last + 1, time.time_ns())
        return self._last


_order = _Order()


def row(*, event_id: str, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> Document:
    """The outbox document of one event. Raises `ValueError` for one that no broker would take."""
    if len(value) > LARGEST_BODY:
        raise ValueError(f"event for {topic} has {len(value):,} bytes, more than {LARGEST_BODY:,}")
    return {
        "_id": event_id,
        "slot": SLOTS[zlib.crc32(key.encode()) % len(SLOTS)],
        "order": _order.next(),
        "topic": topic,
        "key": key,
        "value": value,
        "headers": dict(headers),
        "at": datetime.now(UTC),
    }


class Relay:
    """Publishes outbox rows. One per process."""

    def __init__(
        self,
        mongo: Mongo,
        publisher: Publisher,
        *,
        publish_deadline: float = 10.0,
        lease_seconds: float = 20.0,
        faults: Faults = NO_FAULTS,
    ) -> None:
        if publish_deadline > lease_seconds * 3 / 4:
            raise ValueError("a lease must outlive a publish that starts just before its renewal")
        self._mongo = mongo
        self._publisher = publisher
        self._deadline = publish_deadline
        self._leases = Leases(mongo, lease_seconds)
        self._renew_every = lease_seconds / 4
        self._faults = faults
        self._parked: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._renewed = float("-inf")
        self.last_round = time.monotonic()
        self.oldest_seconds = 0.0

    def wake(self) -> None:
        """Rows were committed: do not wait for the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Relay until cancelled. Trouble with broker or database is waited out, never fatal."""
        await self._until_done(self._leases.create, SLOTS)
        while True:
            try:
                sent = await self.round()
            except (MongoError, KafkaError, TimeoutError) as error:
                log.warning("relay.waiting", error=repr(error))
                await asyncio.sleep(1.0)
                continue
            if sent < ROWS:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):  # `wait_for` may swallow the cancellation of a stop
                        await self._wake.wait()
            self._wake.clear()

    async def round(self) -> int:
        """Publish up to one page of rows of our slots; returns how many were confirmed."""
        if time.monotonic() - self._renewed > self._renew_every:
            started = time.monotonic()
            await self._leases.acquire(SLOTS)
            self._renewed = started
            await self._measure_age()
        # Only slots that stay ours until the publish deadline has surely passed.
        mine = self._leases.held(margin_seconds=self._deadline)
        self.last_round = time.monotonic()
        self._parked = {slot: until for slot, until in self._parked.items() if until > self.last_round}
        mine -= self._parked.keys()
        if not mine:
            return 0
        query: dict[str, Any] = {} if len(mine) == len(SLOTS) else {"slot": {"$in": sorted(mine)}}
        rows = await self._mongo.find(OUTBOX, query, sort=[("order", 1)], limit=ROWS)
        if not rows:
            return 0
        confirmed = await self._publish(rows)
        await self._faults.reach(Step.CONFIRMED)
        if confirmed:
            await self._mongo.delete(OUTBOX, {"_id": {"$in": confirmed}})
        metrics.OUTBOX_SENT.inc(len(confirmed))
        if len(confirmed) < len(rows):
            metrics.OUTBOX_FAILED.inc(len(rows) - len(confirmed))
        return len(confirmed)

    async def release(self) -> None:
        """Give the slots back, at shutdown."""
        await self._leases.release(SLOTS)

    async def _publish(self, rows: Sequence[Document]) -> list[str]:
        """Send in order; returns the ids that may be deleted: per slot, those before the first failure.

        A slot with a failure rests for a while, so that a record the broker refuses holds up its own slot only.
        """
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._deadline
        sent: list[tuple[Document, asyncio.Future[Any]]] = []
        broken: set[str] = set()
        for entry in rows:
            if entry["slot"] in broken:
                continue
            try:
                async with asyncio.timeout_at(give_up):
                    future = await self._publisher.send(
                        entry["topic"],
                        key=entry["key"].encode(),
                        value=bytes(entry["value"]),
                        headers=entry["headers"],
                    )
            except (TimeoutError, KafkaError) as error:
                log.warning("relay.send_failed", topic=entry["topic"], id=entry["_id"], error=repr(error))
                broken.add(entry["slot"])
            else:
                sent.append((entry, future))
        if sent:
            await asyncio.wait([future for _, future in sent], timeout=max(give_up - loop.time(), 0.1))
        confirmed: list[str] = []
        failed: set[str] = set()
        for entry, future in sent:
            if not future.done() or future.cancelled() or future.exception() is not None:
                failed.add(entry["slot"])
            elif entry["slot"] not in failed:
                confirmed.append(entry["_id"])
        self._parked.update(dict.fromkeys(failed | broken, time.monotonic() + PARK_SECONDS))
        return confirmed

    async def _measure_age(self) -> None:
        oldest = await self._mongo.find(OUTBOX, {}, projection={"at": 1}, sort=[("order", 1)], limit=1)
        self.oldest_seconds = (datetime.now(UTC) - oldest[0]["at"]).total_seconds() if oldest else 0.0
        metrics.OUTBOX_AGE.set(self.oldest_seconds)

    async def _until_done(self, step: Any, *args: Any) -> None:
        while True:
            try:
                await step(*args)
                return
            except MongoError as error:
                log.warning("relay.waiting", error=repr(error))
                await asyncio.sleep(1.0)
