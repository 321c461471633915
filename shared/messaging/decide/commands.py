"""Decisions of people over HTTP (an approval, a correction of the register): decided on the state, written once.

A command has an id that its sender chose. The same id again changes nothing, however often a browser or a nervous
script repeats it; two people who decide at the same moment are decided one after the other.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from opentelemetry import trace

from shared.messaging.clock import BusinessClock
from shared.messaging.collections import COMMANDS
from shared.messaging.decide.handling import Outcome
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.writing import Writer
from shared.messaging.faults import NO_FAULTS, Faults
from shared.messaging.send.outbox import Relay
from shared.mongo import Conflict, DuplicateKey, Mongo, Session, Unavailable

log = structlog.get_logger()
MAX_DECISIONS = 20
Decide = Callable[[Reader, datetime], Awaitable[Outcome]]
"""`(reader, business time)` → outcome; reads only through the reader. It may be called several times.

Only what it *puts* is guarded against others' writes: a document that the decision rests on and that must not move
under it (the version that is being approved) is to be put as well. What is put without having been read must be new."""


class Commands:
    """Runs commands of one service."""

    def __init__(
        self, service: str, mongo: Mongo, relay: Relay, *, clock: BusinessClock, faults: Faults = NO_FAULTS
    ) -> None:
        self._service = service
        self._mongo = mongo
        self._clock = clock
        self._writer = Writer(service, mongo, relay, clock=clock, faults=faults)
        self._tracer = trace.get_tracer("langhoc.messaging")

    async def run(self, id: str, decide: Decide) -> Outcome | None:
        """Decide and write; returns what was decided, or `None` if a command of this id was done before.

        Whatever `decide` raises passes through, and nothing is written, unless a twin of the command was faster.

        Raises:
            Unavailable: the database does not answer, or others kept being faster; to be repeated with the same id.
        """
        for attempt in range(MAX_DECISIONS):
            if await self._mongo.find(COMMANDS, {"_id": id}):
                return None
            reader = Reader(self._mongo)
            at = self._clock.now()
            try:
                outcome = await decide(reader, at)
            except Exception:
                # Between the look above and what `decide` read, a twin of this command may have been written: what
                # `decide` objects to is then this command's own effect.
                if await self._mongo.find(COMMANDS, {"_id": id}):
                    return None
                raise

            async def keep(session: Session, at: datetime = at, verdict: str = outcome.verdict) -> None:
                await self._mongo.insert(COMMANDS, [{"_id": id, "at": at, "verdict": verdict}], session)

            span = self._tracer.start_span(f"command {self._service}", attributes={"langhoc.command": id})
            try:
                cause = f"command/{self._service}/{id}"
                await self._writer.write(reader, outcome, cause=cause, at=at, span=span, also=keep)
            except (Conflict, DuplicateKey) as error:
                log.info("command.collided", command=id, error=repr(error))
                await asyncio.sleep(random.uniform(0, min(0.005 * 2**attempt, 0.5)))
                continue
            return outcome
        raise Unavailable(f"{MAX_DECISIONS} decisions in a row collided with other writers")
