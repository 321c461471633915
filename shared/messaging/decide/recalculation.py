"""Results over whole sets (rankings, allocations, settled proposals): computed after the burst, once per set.

Handlers insert requests; a leased worker per (scope, period) waits until the burst ends, computes, and in one
transaction writes the result, its events, and removes the requests it used. A request that arrives meanwhile stays and
leads to the next run, so no change is ever missed. A set that cannot be computed or stored parks alone, its requests
stay, and it is tried again ever less often.
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
from shared.messaging.collections import RECALCULATIONS
from shared.messaging.decide.handling import Outcome
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.writing import Writer
from shared.messaging.faults import NO_FAULTS, Faults
from shared.messaging.send.outbox import Relay
from shared.mongo import Conflict, Mongo, Session, answers
from shared.mongo.leases import Leases
from shared.mongo.port import MongoError
from shared.telemetry import metrics

log = structlog.get_logger()
POLL_SECONDS = 0.25
PARKED_SECONDS = (1.0, 5.0, 30.0, 120.0)
Set = tuple[str, int]
"""Scope and period."""
Compute = Callable[[Reader, str, int, datetime], Awaitable[Outcome]]
"""`(reader, scope, period, business time)` → outcome; reads only through the reader; what it puts without having read
it must be new."""


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
    """Runs `compute` for every set with open requests. One per process; leases keep two processes apart."""

    def __init__(
        self,
        service: str,
        mongo: Mongo,
        relay: Relay,
        compute: Compute,
        *,
        clock: BusinessClock,
        quiet_seconds: float = 1.0,
        limit_seconds: float = 5.0,
        lease_seconds: float = 20.0,
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._service = service
        self._mongo = mongo
        self._writer = Writer(service, mongo, relay, clock=clock, faults=faults)
        self._compute = compute
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
        """Recompute every set that is due; returns how many were."""
        self.last_round = time.monotonic()
        groups = await self._mongo.aggregate(
            RECALCULATIONS,
            [
                {"$match": due_now(self._clock)},
                {
                    "$group": {
                        "_id": {"scope": "$scope", "period": "$period"},
                        "first": {"$min": "$at"},
                        "last": {"$max": "$at"},
                    }
                },
                {"$sort": {"first": 1}},
            ],
        )
        open_sets = {(group["_id"]["scope"], group["_id"]["period"]) for group in groups}
        self.parked = {each: parked for each, parked in self.parked.items() if each in open_sets}
        now = self._clock.real()
        done = 0
        for group in groups:
            quiet = (now - group["last"]).total_seconds() >= self._quiet
            overdue = (now - group["first"]).total_seconds() >= self._limit
            scope, period = group["_id"]["scope"], group["_id"]["period"]
            parked = self.parked.get((scope, period))
            if (quiet or overdue) and not (parked and parked.until > time.monotonic()):
                done += await self._one(scope, period)
        metrics.RECALCULATIONS_PARKED.set(len(self.parked))
        return done

    async def _one(self, scope: str, period: int) -> int:
        lease = f"recalculation/{scope}/{period}"
        await self._leases.create([lease])
        if not await self._leases.acquire([lease]):
            return 0
        try:
            await self._recompute(scope, period)
            self.parked.pop((scope, period), None)
        except Conflict:
            log.info("recalculation.conflict", scope=scope, period=period)  # requests are still there
            metrics.RECALCULATIONS.labels("conflict").inc()
        except Exception as error:
            if isinstance(error, MongoError) and not await answers(self._mongo):
                raise
            self._park(scope, period, error)
        finally:
            await self._leases.release([lease])
        return 1

    def _park(self, scope: str, period: int, error: Exception) -> None:
        """What one set suffers from must not hold up the others."""
        before = self.parked.get((scope, period))
        times = before.times + 1 if before else 1
        seconds = PARKED_SECONDS[min(times, len(PARKED_SECONDS)) - 1]
        self.parked[scope, period] = Parked(repr(error)[:500], times, time.monotonic() + seconds)
        log.error(
            "recalculation.failed", scope=scope, period=period, times=times, error=repr(error)[:500], exc_info=error
        )
        metrics.RECALCULATIONS.labels("failed").inc()

    async def _recompute(self, scope: str, period: int) -> None:
        # All of them, also those that are not due yet: what still waits for its day is asked for anew by the outcome.
        query = {"scope": scope, "period": period}
        used = [row["_id"] for row in await self._mongo.find(RECALCULATIONS, query, projection={"_id": 1})]
        if not used:
            return
        reader = Reader(self._mongo)
        time_now = self._clock.now()
        span = self._tracer.start_span(f"recalculate {self._service}", attributes={"langhoc.scope": scope})
        outcome = await self._compute(reader, scope, period, time_now)
        cause = f"recalculation/{scope}/{period}/{min(used)}"

        async def settle(session: Session) -> None:
            await self._mongo.delete(RECALCULATIONS, {"_id": {"$in": used}}, session)

        await self._writer.write(reader, outcome, cause=cause, at=time_now, span=span, also=settle)
        metrics.RECALCULATIONS.labels(outcome.verdict).inc()
