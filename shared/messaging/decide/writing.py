"""Writing what was decided: documents, events, requests, all in one transaction. The only way into the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opentelemetry import trace

from shared.messaging.clock import BusinessClock
from shared.messaging.collections import DEAD_LETTERS, INBOX, OUTBOX, RECALCULATIONS
from shared.messaging.decide.asking import Outcome, Request
from shared.messaging.decide.documents import Document, Ref
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.sets import Sets, key_text
from shared.messaging.faults import NO_FAULTS, Faults, Step
from shared.messaging.send.events import emit
from shared.mongo import Mongo, Session, in_transaction
from shared.mongo.port import MongoError

Also = Callable[[Session], Awaitable[None]]


@dataclass(slots=True)
class Writing:
    """Everything that one transaction writes."""

    reader: Reader
    """What it was decided on. A document that is put without having been read must be new."""
    now: datetime
    inbox: list[Document] = field(default_factory=list)
    touched: dict[Ref[Any], None] = field(default_factory=dict)
    outbox: list[Document] = field(default_factory=list)
    requests: dict[Request, None] = field(default_factory=dict)
    dead: list[Document] = field(default_factory=list)
    spans: list[trace.Span] = field(default_factory=list)


class Writer:
    """Writes the outcomes of one service, guarded by the revisions that were read."""

    def __init__(
        self, service: str, mongo: Mongo, *, clock: BusinessClock, sets: Sets | None = None, faults: Faults = NO_FAULTS
    ) -> None:
        self._service = service
        self._mongo = mongo
        self._clock = clock
        self._sets = sets or Sets()
        self._faults = faults
        self._tracer = trace.get_tracer("langhoc.messaging")

    def begin(self, reader: Reader) -> Writing:
        """Nothing yet."""
        return Writing(reader, self._clock.real())

    def add(self, writing: Writing, outcome: Outcome, *, cause: str, at: datetime, span: trace.Span) -> None:
        """Add one outcome, whole or not at all; what is decided next in the batch sees it.

        Args:
            cause: the ids of the events are derived from it, so that a repeat raises the same ids again.
            at: business time of the events.
            span: the events hang under it.
        """
        reader, spans = writing.reader, [span]
        rows = emit(
            self._service, cause, outcome.events, at, span, self._tracer, spans, clock=self._clock, after=reader.stamp
        )
        requests = [*outcome.requests, *self._follow(reader, outcome)]
        reader.expect(outcome.puts)
        writing.touched.update(dict.fromkeys((*outcome.puts, *outcome.holds)))
        writing.outbox += rows
        writing.requests.update(dict.fromkeys(requests))
        writing.spans += spans

    def _follow(self, reader: Reader, outcome: Outcome) -> Iterable[Request]:
        for ref, state in outcome.puts.items():
            yield from self._sets.touched(ref, reader.now(ref), state)

    async def write(
        self,
        writing: Writing,
        *,
        also: Also | None = None,
        deadline_seconds: float = 20.0,
        on_repeat: Callable[[MongoError], None],
    ) -> None:
        """All of it and `also`, together or not at all.

        Raises:
            Conflict, DuplicateKey: something moved meanwhile, and nothing was written: decide again.
            Permanent: it can never be written.
            Unavailable: no answer in time; whether it was written is unknown.
        """
        writes = writing.reader.puts(writing.touched, self._clock.stamp(writing.reader.stamp))

        async def body(session: Session) -> None:
            if also:
                await also(session)
            await self._mongo.insert(INBOX, writing.inbox, session)
            for collection, puts in writes.items():
                await self._mongo.put(collection, puts, session)
            await self._mongo.insert(OUTBOX, writing.outbox, session)
            await self._mongo.insert(RECALCULATIONS, rows_of(writing.requests, writing.now), session)
            await self._mongo.insert(DEAD_LETTERS, writing.dead, session)
            await self._faults.reach(Step.COMMITTING)

        await in_transaction(self._mongo, body, deadline_seconds=deadline_seconds, on_repeat=on_repeat)
        await self._faults.reach(Step.COMMITTED)
        for span in writing.spans:
            span.end()


def rows_of(requests: Iterable[Request], now: datetime) -> list[Document]:
    """Requests as documents to insert: never updated, so that two writers of one set never collide."""
    return [{"set": each.set, "key": key_text(each.key), "due": each.due, "at": now} for each in requests]
