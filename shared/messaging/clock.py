"""The one clock: business time, what is written as `at`, the age of tokens, and the stamps that order events.

No host's clock decides anything. It is read once, when the process starts, and then corrected by the database server's,
which all processes of a service share; in between the monotonic clock counts on. Processing time decides nothing
either: our backlog makes no province late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from shared.mongo.port import Mongo, MongoError
from shared.telemetry import metrics

log = structlog.get_logger()
MEASURE_SECONDS = 10.0
SLOW_SECONDS = 1.0
"""An answer that took longer tells too little of the moment at which it was given."""
LOOK_SECONDS = 0.2
LATEST_MS = 221_845_392_000_000
"""The year 9000."""
SECOND = 1_000_000_000
"""Nanoseconds."""


class BusinessClock:
    """What time it is. One per process.

    Business instants are shifted by `offset_seconds`: not 0 only in demonstrations and simulations, and shown wherever
    set; it may change between two batches (`obey`). `skew_seconds` falsifies what is read of the host, in rehearsals.
    """

    def __init__(self, offset_seconds: int = 0, *, skew_seconds: float = 0.0) -> None:
        self.offset_seconds = offset_seconds
        self._skew = round(skew_seconds * SECOND)
        self._ahead = self._host() - time.monotonic_ns()
        """Real time before the monotonic clock, in nanoseconds."""
        self._measured = False
        self._shifted = asyncio.Event()
        self._stamp = 0

    def appended(self, timestamp_ms: int) -> datetime:
        """When the broker appended a record, in business time; now, where nothing is known of it."""
        if timestamp_ms <= 0:
            return self.now()
        return instant_of(timestamp_ms) + timedelta(seconds=self.offset_seconds)

    def now(self) -> datetime:
        """Business time: arrival over HTTP, or the moment a result over a set is made."""
        return self.real() + timedelta(seconds=self.offset_seconds)

    def real(self) -> datetime:
        """Real time: for what is not business, such as the age of a request or of a token."""
        return datetime.fromtimestamp(self._now() / SECOND, UTC)

    def stamp(self, after: int = 0) -> int:
        """The next stamp of this process, above `after`: the highest of all that the stamped was decided on.

        A hybrid logical clock: nanoseconds as far as they rise, else the next number. So what follows from something
        comes behind it, whatever the clocks of two processes say.
        """
        self._stamp = max(self._stamp + 1, after + 1, self._now())
        return self._stamp

    async def measure(self, mongo: Mongo) -> None:
        """Set the clock by the database server's. Raises `MongoError`."""
        asked = time.monotonic_ns()
        server = await mongo.time()
        answered = time.monotonic_ns()
        if self._measured and answered - asked > SLOW_SECONDS * SECOND:
            return
        self._ahead = _nanoseconds(server) - (asked + answered) // 2
        host = (self._host() - self._now()) / SECOND
        metrics.HOST_CLOCK.set(host)
        if not self._measured and abs(host) > 1:
            log.warning("clock.host_is_wrong", ahead_seconds=round(host, 3))
        self._measured = True

    async def follow(self, mongo: Mongo) -> None:
        """Keep measuring until cancelled; without answers the monotonic clock counts on."""
        while True:
            await asyncio.sleep(MEASURE_SECONDS)
            try:
                await self.measure(mongo)
            except MongoError as error:
                log.warning("clock.not_measured", error=repr(error))

    async def obey(self, file: Path, between: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        """Be shifted as a file says, until cancelled. `between` takes a step while no batch is in flight: no two
        records of one batch see different clocks."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                offset = offset_in(file)
            except (OSError, ValueError) as error:  # the clock stays as it is, and whoever set it waits in vain
                log.warning("clock.not_read", file=str(file), error=repr(error))
                continue
            if offset != self.offset_seconds:
                await between(partial(self._shift, offset))
                log.info("clock.shifted", clock_offset=offset)

    async def sleep(self, seconds: float) -> None:
        """For so long, or until the clock is shifted: what is done by the day is then due at another moment."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._shifted.wait()

    def _shift(self, offset: int) -> None:
        self.offset_seconds = offset
        shifted, self._shifted = self._shifted, asyncio.Event()
        shifted.set()

    def _now(self) -> int:
        return time.monotonic_ns() + self._ahead

    def _host(self) -> int:
        return time.time_ns() + self._skew


def offset_in(file: Path) -> int:
    """The seconds that a clock's file says. Raises `OSError`, `ValueError`."""
    return int(file.read_text(encoding="ascii"))


def instant_of(timestamp_ms: int) -> datetime:
    """The instant of a record's timestamp. Total: of a number that is none, the nearest that we can speak of."""
    return datetime.fromtimestamp(min(max(timestamp_ms, 0), LATEST_MS) / 1000, UTC)


def _nanoseconds(instant: datetime) -> int:
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (since // timedelta(microseconds=1)) * 1_000
