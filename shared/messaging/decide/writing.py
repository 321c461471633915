"""Writing one outcome that no batch carries (a recomputed set, a person's decision): all of it in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from opentelemetry import trace

from shared.messaging.clock import BusinessClock
from shared.messaging.collections import OUTBOX, RECALCULATIONS
from shared.messaging.decide.handling import Outcome, requests_of
from shared.messaging.decide.reader import Reader
from shared.messaging.faults import NO_FAULTS, Faults, Step
from shared.messaging.send.events import emit
from shared.messaging.send.outbox import Relay
from shared.mongo import Mongo, Session, in_transaction
from shared.mongo.port import MongoError
from shared.telemetry import metrics


class Writer:
    """Writes outcomes of one service, guarded by the revisions that were read."""

    def __init__(
        self, service: str, mongo: Mongo, relay: Relay, *, clock: BusinessClock, faults: Faults = NO_FAULTS
    ) -> None:
        self._service = service
        self._mongo = mongo
        self._relay = relay
        self._clock = clock
        self._faults = faults
        self._tracer = trace.get_tracer("langhoc.messaging")

    async def write(
        self,
        reader: Reader,
        outcome: Outcome,
        *,
        cause: str,
        at: datetime,
        span: trace.Span,
        also: Callable[[Session], Awaitable[None]],
    ) -> None:
        """Documents, events and requests of `outcome`, and `also`, together or not at all.

        Args:
            reader: what the outcome was decided on. A document it puts without having read it must be new.
            cause: the ids of the events are derived from it, so that a repeat raises the same ids again.
            at: business time of the events.
            span: the events hang under it.
            also: what else belongs to the transaction.

        Raises:
            Conflict, DuplicateKey: something moved meanwhile, and nothing was written: decide again.
            Unavailable: no answer in time; the outcome is unknown.
        """
        reader.expect(outcome.puts)
        spans: list[trace.Span] = [span]
        rows = emit(
            self._service, cause, outcome.events, at, span, self._tracer, spans, clock=self._clock, after=reader.stamp
        )
        writes = reader.puts(outcome.puts, self._clock.stamp(reader.stamp))

        async def body(session: Session) -> None:
            for collection, puts in writes.items():
                await self._mongo.put(collection, puts, session)
            await self._mongo.insert(OUTBOX, rows, session)
            wanted = dict.fromkeys(outcome.requests)
            await self._mongo.insert(RECALCULATIONS, requests_of(wanted, self._clock.real()), session)
            await also(session)
            await self._faults.reach(Step.COMMITTING)

        await in_transaction(self._mongo, body, on_repeat=self._repeated)
        await self._faults.reach(Step.COMMITTED)
        for each in spans:
            each.end()
        if rows:
            self._relay.wake()

    def _repeated(self, error: MongoError) -> None:
        metrics.RETRIES.labels(self._service, type(error).__name__).inc()
