"""Results over whole sets (rankings, allocations, settled proposals): computed after the burst, once per set.

Writers insert requests; a leased worker per set waits until it rests, the longer the longer it was kept busy, computes,
and in one transaction writes the result, its events, and removes the requests it used. A request that arrives meanwhile
stays and leads to the next run, so no change is ever missed. A set that cannot be computed or stored parks alone, its
requests stay, and it is tried again ever less often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from opentelemetry import trace

from shared.messaging.clock import BusinessClock
from shared.messaging.collections import RECALCULATIONS, SETS
from shared.messaging.decide.asking import Due, Outcome, Request
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.sets import KNOWN_SETS, Named, Sets, covers, key_parts, span
from shared.messaging.decide.writing import Writer, rows_of
from shared.messaging.faults import NO_FAULTS, Faults
from shared.messaging.send.outbox import Relay
from shared.mongo import Conflict, Mongo, Session, answers, in_transaction
from shared.mongo.leases import Leases
from shared.mongo.port import MongoError
from shared.telemetry import metrics

log = structlog.get_logger()
POLL_SECONDS = 0.25
PARKED_SECONDS = (1.0, 5.0, 30.0, 120.0)
Set = tuple[str, str]
"""Name and stored key."""
PART_OF_BURST = 4
"""A burst is over when nothing came for a fourth of the time that it took: a lone change waits hardly at all, and the
small pauses of a long delivery are not taken for its end."""
LONGEST_REST, LONGEST_REST_SECONDS = 8, 2.0
"""Times the least rest, and seconds; a least rest that is longer already stays as it is."""


def due_now(clock: BusinessClock) -> dict[str, Any]:
    """Query for requests that are due; the others wait for their day."""
    return {"$or": [{"due": None}, {"due": {"$lte": clock.now()}}]}


@dataclass(frozen=True, slots=True)
class Parked:
    """Why a set waits, how often it was tried in vain, and until when it rests (monotonic)."""

    error: str
    times: int
    until: float


class Recalculator:
    """Computes every set with open requests. One per process; leases keep two processes apart."""

    def __init__(
        self,
        service: str,
        mongo: Mongo,
        relay: Relay,
        *,
        clock: BusinessClock,
        sets: Sets,
        quiet_seconds: float = 0.25,
        limit_seconds: float = 60.0,
        lease_seconds: float = 20.0,
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._service = service
        self._mongo = mongo
        self._relay = relay
        self._sets = sets
        self._writer = Writer(service, mongo, clock=clock, sets=sets, faults=faults)
        self._clock = clock
        self._quiet = quiet_seconds
        self._limit = limit_seconds
        self._leases = Leases(mongo, lease_seconds)
        self._tracer = trace.get_tracer("langhoc.messaging")
        self.parked: dict[Set, Parked] = {}
        """Sets that this process could not compute or store the last time."""
        self.last_round = time.monotonic()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.round()
            except MongoError as error:
                log.warning("recalculation.waiting", error=repr(error))
                await asyncio.sleep(1.0)
            await asyncio.sleep(POLL_SECONDS)

    async def round(self) -> int:
        """Compute every set that is due; returns how many were."""
        self.last_round = time.monotonic()
        groups = await self._mongo.aggregate(
            RECALCULATIONS,
            [
                # What a copy of a release before still asks for by scope gets its name at the next start (`migrating`).
                {"$match": {"set": {"$ne": None}, **due_now(self._clock)}},
                {"$group": {"_id": {"set": "$set", "key": "$key"}, "first": {"$min": "$at"}, "last": {"$max": "$at"}}},
                {"$sort": {"first": 1}},
            ],
        )
        waiting = {(group["_id"]["set"], group["_id"]["key"]): group for group in groups}
        self.parked = {each: parked for each, parked in self.parked.items() if each in waiting}
        now = self._clock.real()
        done = 0
        for which, group in waiting.items():
            parked = self.parked.get(which)
            if self._rests(group["first"], group["last"], now) and not (parked and parked.until > time.monotonic()):
                done += await self._one(which)
        metrics.RECALCULATIONS_PARKED.set(len(self.parked))
        return done

    def _rests(self, first: datetime, last: datetime, now: datetime) -> bool:
        """Whether a set with requests from `first` to `last` is to be computed."""
        burst = (last - first).total_seconds()
        rest = max(self._quiet, min(burst / PART_OF_BURST, LONGEST_REST * self._quiet, LONGEST_REST_SECONDS))
        return (now - last).total_seconds() >= rest or (now - first).total_seconds() >= self._limit

    async def _one(self, which: Set) -> int:
        name, key = which
        lease = f"recalculation/{name}/{key}"
        await self._leases.create([lease])
        if not await self._leases.acquire([lease]):
            return 0
        try:
            await self._recompute(which)
            self.parked.pop(which, None)
        except Conflict:
            log.info("recalculation.conflict", set=name, key=key)  # requests are still there
            metrics.RECALCULATIONS.labels("conflict").inc()
        except Exception as error:
            if isinstance(error, MongoError) and not await answers(self._mongo):
                raise
            self._park(which, error)
        finally:
            await self._leases.release([lease])
        return 1

    def _park(self, which: Set, error: Exception) -> None:
        """What one set suffers from must not hold up the others."""
        before = self.parked.get(which)
        times = before.times + 1 if before else 1
        seconds = PARKED_SECONDS[min(times, len(PARKED_SECONDS)) - 1]
        self.parked[which] = Parked(repr(error)[:500], times, time.monotonic() + seconds)
        name, key = which
        log.error("recalculation.failed", set=name, key=key, times=times, error=repr(error)[:500], exc_info=error)
        metrics.RECALCULATIONS.labels("failed").inc()

    async def _recompute(self, which: Set) -> None:
        name, key = which
        # All of them, also those that are not due yet: what still waits for its day is asked for anew by the outcome.
        query = {"set": name, "key": key}
        used = [row["_id"] for row in await self._mongo.find(RECALCULATIONS, query, projection={"_id": 1})]
        if not used:
            return

        async def settle(session: Session) -> None:
            # One that is gone was used by another process: what was read here may be older than its result.
            if await self._mongo.delete(RECALCULATIONS, {"_id": {"$in": used}}, session) != len(used):
                raise Conflict(f"requests for {name}/{key} were used by another process")

        if None in key_parts(key):
            await self._ask_for_every(name, key_parts(key), settle)
            return
        reader, at = Reader(self._mongo), self._clock.now()
        span = self._tracer.start_span(f"recalculate {self._service}", attributes={"langhoc.set": f"{name}/{key}"})
        outcome = await self._decided(name, key, reader, at)
        writing = self._writer.begin(reader)
        self._writer.add(writing, outcome, cause=f"recalculation/{name}/{key}/{min(used)}", at=at, span=span)
        await self._writer.write(writing, also=settle, on_repeat=self._repeated)
        if writing.outbox:
            self._relay.wake()
        metrics.RECALCULATIONS.labels(outcome.verdict).inc()

    async def _decided(self, name: str, key: str, reader: Reader, at: datetime) -> Outcome:
        """The outcome; with it the set is known from now on, and asks for itself at the next instant that counts."""
        one = self._sets.by_name[name]
        known = KNOWN_SETS.ref(name, key)
        await reader.load([known])
        run = Run(one.decide, Due(one.key(*key_parts(key)), at), reader, at, declared=one.declared)
        outcome = await decided(run, reader)
        if run.ask.unreached:
            outcome.requests.append(Request(name, key_parts(key), min(run.ask.unreached)))
        if reader[known] is None:
            outcome.put(known, Named(set=name, key=key))
        return outcome

    async def _ask_for_every(
        self, name: str, pattern: tuple[Any, ...], settle: Callable[[Session], Awaitable[None]]
    ) -> None:
        """A request that stands for every set of its kind becomes a request for each that is known.

        Open requests are looked at first: a set that is computed for the first time meanwhile is in one or the other.
        """
        query = {"set": name, "key": span(pattern)}
        rows = [*await self._mongo.find(RECALCULATIONS, query), *await self._mongo.find(SETS, query)]
        keys = dict.fromkeys(key_parts(row["key"]) for row in rows)
        wanted = [Request(name, each) for each in keys if None not in each and covers(pattern, each)]

        async def body(session: Session) -> None:
            await self._mongo.insert(RECALCULATIONS, rows_of(wanted, self._clock.real()), session)
            await settle(session)

        await in_transaction(self._mongo, body, on_repeat=self._repeated)

    def _repeated(self, error: MongoError) -> None:
        metrics.RETRIES.labels(self._service, type(error).__name__).inc()
