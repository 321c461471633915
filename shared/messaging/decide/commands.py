"""Decisions of people over HTTP (an approval, a correction of the register): decided on the state, written once.

A command has an id that its sender chose. The same id again changes nothing, however often a browser or a nervous
script repeats it; two people who decide at the same moment are decided one after the other.
"""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from typing import TypeVar

import structlog
from opentelemetry import trace

from shared.messaging.clock import BusinessClock
from shared.messaging.collections import COMMANDS
from shared.messaging.decide.asking import Decide, Order, Outcome
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.sets import Sets
from shared.messaging.decide.writing import Writer
from shared.messaging.faults import NO_FAULTS, Faults
from shared.messaging.send.outbox import Relay
from shared.mongo import Conflict, DuplicateKey, Mongo, Session, Unavailable
from shared.mongo.port import MongoError
from shared.telemetry import metrics

log = structlog.get_logger()
MAX_DECISIONS = 20
T = TypeVar("T")


class Commands:
    """Runs commands of one service."""

    def __init__(
        self,
        service: str,
        mongo: Mongo,
        relay: Relay,
        *,
        clock: BusinessClock,
        sets: Sets | None = None,
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._service = service
        self._mongo = mongo
        self._relay = relay
        self._clock = clock
        self._writer = Writer(service, mongo, clock=clock, sets=sets, faults=faults)
        self._tracer = trace.get_tracer("langhoc.messaging")

    async def order(self, id: str, data: T, decide: Decide[Order[T]]) -> Outcome | None:
        """Decide on an order and write it; returns what was decided, or `None` if one of this id was done before.

        Every document that the decision asked for by its identity is held: it rests on it, and must not move under it.
        Whatever `decide` raises passes through, and nothing is written, unless a twin of the command was faster.

        Raises:
            Unavailable: the database does not answer, or others kept being faster; to be repeated with the same id.
        """
        for attempt in range(MAX_DECISIONS):
            if await self._mongo.find(COMMANDS, {"_id": id}):
                return None
            reader, at = Reader(self._mongo), self._clock.now()
            run = Run(decide, Order(id, data, at), reader, at)
            try:
                outcome = await decided(run, reader)
            except Conflict as error:  # what it read moved while it was reading
                await self._collided(id, attempt, error)
                continue
            except Exception:
                # Between the look above and what `decide` read, a twin of this command may have been written: what
                # `decide` objects to is then this command's own effect.
                if await self._mongo.find(COMMANDS, {"_id": id}):
                    return None
                raise
            outcome.holds |= {ref for ref in run.ask.reads if not ref.kind.entries and reader[ref] is not None}

            async def keep(session: Session, at: datetime = at, verdict: str = outcome.verdict) -> None:
                await self._mongo.insert(COMMANDS, [{"_id": id, "at": at, "verdict": verdict}], session)

            span = self._tracer.start_span(f"command {self._service}", attributes={"langhoc.command": id})
            writing = self._writer.begin(reader)
            self._writer.add(writing, outcome, cause=f"command/{self._service}/{id}", at=at, span=span)
            try:
                await self._writer.write(writing, also=keep, on_repeat=self._repeated)
            except (Conflict, DuplicateKey) as error:
                await self._collided(id, attempt, error)
                continue
            if writing.outbox:
                self._relay.wake()
            return outcome
        raise Unavailable(f"{MAX_DECISIONS} decisions in a row collided with other writers")

    async def rehearse(self, id: str, data: T, decide: Decide[Order[T]]) -> Outcome:
        """What an order would lead to; nothing is written."""
        reader, at = Reader(self._mongo), self._clock.now()
        return await decided(Run(decide, Order(id, data, at), reader, at), reader)

    async def _collided(self, id: str, attempt: int, error: Exception) -> None:
        log.info("command.collided", command=id, error=repr(error))
        await asyncio.sleep(random.uniform(0, min(0.005 * 2**attempt, 0.5)))

    def _repeated(self, error: MongoError) -> None:
        metrics.RETRIES.labels(self._service, type(error).__name__).inc()
