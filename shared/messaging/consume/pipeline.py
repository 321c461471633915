"""The micro-batch consumer pipeline: records in, one transaction, offsets that may be committed out.

For a batch: read each record (never raises) → classify → known inbox ids → all decisions at once, then each in its turn
→ inbox, documents, outbox, requests and dead letters in one transaction. What is wrong with one record never touches
its neighbours:

- a record that cannot be read, or whose decision fails, becomes a dead letter (or, from an outside sender, an answer);
- a duplicate key in the inbox means another delivery was faster: drop it and decide again;
- a moved revision means a document changed underneath: load and decide again;
- a write that can never succeed is searched for by halving the batch until it is alone;
- a batch too slow for one transaction is halved too, and the next ones begin at the size that went through;
- what is in trouble alone, although the database answers, is put off alone: the other partitions go on.
"""

from __future__ import annotations

import asyncio
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from shared.messaging.clock import BusinessClock
from shared.messaging.collections import INBOX
from shared.messaging.consume import envelope, inbox
from shared.messaging.consume.batches import first_of
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.burying import Buried, dead_letter
from shared.messaging.decide.asking import Consumer, Decide
from shared.messaging.decide.documents import Document
from shared.messaging.decide.engine import Run, bring, in_turn
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.sets import Sets
from shared.messaging.decide.writing import Also, Writer, Writing
from shared.messaging.faults import NO_FAULTS, Faults
from shared.messaging.messages import Position, Reason, Received, Unreadable
from shared.mongo import Conflict, DuplicateKey, LoggedOut, Mongo, Permanent, Put, Session, Unavailable, answers
from shared.mongo.port import MongoError
from shared.telemetry import context_of, dropped, metrics

log = structlog.get_logger()
Partition = tuple[str, int]
MAX_DECISIONS = 20
LARGEST_BATCH = 5_000
PATIENCE_SECONDS = 100.0
"""How long one batch is tried by halves; well below what makes the group believe that its member is dead."""


@dataclass(frozen=True, slots=True)
class Handle:
    """Decide on it."""

    received: Received[Any]
    decide: Decide[Received[Any]]


@dataclass(frozen=True, slots=True)
class Skip:
    """A known type that this service does not listen to, whatever its body says."""

    received: Received[Any]


@dataclass(frozen=True, slots=True)
class Bury:
    """Keep it as a dead letter."""

    received: Received[Any]
    reason: Reason
    detail: str


Decision = Handle | Skip | Bury


def classify(received: Received[Any], consumer: Consumer) -> Decision:
    """What to do with a record that was read. Pure."""
    if isinstance(received.data, Unreadable):
        if consumer.refusals is not None:
            return Handle(received, consumer.refusals)
        return Bury(received, received.data.reason, received.data.detail)
    route = consumer.routes.get(received.type)
    if route is not None:
        return Handle(received, route)
    if consumer.refusals is not None:  # a type of ours, but none that an outside sender may publish here
        refused = Unreadable(Reason.UNKNOWN_TYPE, received.type, received.type, None)
        return Handle(replace(received, data=refused), consumer.refusals)
    return Skip(received)


def _partition(record: envelope.Record) -> Partition:
    return record.topic, record.partition


@dataclass(slots=True)
class Progress:
    """How far a batch came: per partition the offset of the first record that is not finished."""

    next_offsets: dict[Partition, int] = field(default_factory=dict)
    stopped: set[Partition] = field(default_factory=set)
    """Partitions cut short by the brake."""
    put_off: dict[Partition, Exception] = field(default_factory=dict)
    """Partitions whose next record is in trouble that is its own, to be tried again later."""
    written: bool = False
    since: float = field(default_factory=time.monotonic, compare=False)


@dataclass(slots=True)
class _Batch:
    """What was decided on a batch, and what of it is finished once that is written."""

    writing: Writing
    finished: list[Any] = field(default_factory=list)
    stopped: set[Partition] = field(default_factory=set)
    verdicts: list[tuple[str, str, str]] = field(default_factory=list)
    """Verdict, topic and sender."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What handling a dead letter's record again leads to. One with a `reason` failed again and has no effects."""

    verdict: str
    reason: Reason | None = None
    detail: str = ""
    writes: Mapping[str, Sequence[Put]] = field(default_factory=dict)
    """By collection."""
    events: Sequence[Document] = ()
    """Outbox rows."""
    requests: Sequence[Any] = ()


Attempt = Callable[[Sequence[tuple[Any, Decision]], Progress], Awaitable[None]]
Settle = Callable[[Replay, Session], Awaitable[None]]
"""Changes the dead letter in the transaction of its replay, or refuses by an exception of its own."""


class Pipeline:
    """Processes batches of records for one consumer. Knows nothing of Kafka clients."""

    def __init__(
        self,
        service: str,
        consumer: Consumer,
        mongo: Mongo,
        *,
        clock: BusinessClock,
        brake: Brake,
        sets: Sets | None = None,
        transaction_deadline: float = 20.0,
        faults: Faults = NO_FAULTS,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`before` is awaited before each batch; what it raises puts the batch off."""
        self._before = before
        self._consumer = consumer
        self._mongo = mongo
        self._clock = clock
        self._brake = brake
        self._deadline = transaction_deadline
        self._writer = Writer(service, mongo, clock=clock, sets=sets, faults=faults)
        self._tracer = trace.get_tracer("langhoc.messaging")
        self._largest = LARGEST_BATCH

    async def process(self, records: Sequence[Any]) -> Progress:
        """Process a batch. Raises `Unavailable` when the database is; then nothing of the rest was finished."""
        if self._before:
            await self._before()
        progress = Progress()
        decisions: list[tuple[Any, Decision]] = []
        for record in records:
            progress.next_offsets.setdefault(_partition(record), first_of(record))
            decisions.append((record, self._read(record)))
        while decisions:
            size = self._largest
            await self._attempt(decisions[:size], progress)
            decisions = _going_on(decisions[size:], progress)
        return progress

    async def replay(self, letter: Document, settle: Settle | None = None) -> Replay:
        """Handle the record of a dead letter again, outside the brake.

        `settle` runs first in the transaction; without it nothing is written. Raises `Unavailable`.
        """
        record = Buried.of(letter)
        decision = self._read(record)
        give_up = time.monotonic() + self._deadline
        for attempt in range(MAX_DECISIONS):
            batch, replay = await self._decide_again(letter, record, decision)
            if settle is None:
                return replay
            try:
                await self._write(batch, give_up, partial(settle, replay))
            except (DuplicateKey, Conflict) as error:
                await self._collided(error, attempt)
                continue
            except Permanent as error:
                decision = _unwritable(decision, error)
                continue
            metrics.RECORDS.labels(self._consumer.name, replay.verdict).inc()
            return replay
        raise Unavailable(f"{MAX_DECISIONS} decisions in a row collided with other writers")

    def _read(self, record: envelope.Record) -> Decision:
        received = envelope.read(
            record,
            received_at=self._clock.appended(record.timestamp),
            trusted=self._consumer.refusals is None,
            clock_offset=self._clock.offset_seconds,
            decided_at=self._clock.now(),
            routed=self._consumer.routes,
        )
        return classify(received, self._consumer)

    async def _attempt(self, items: Sequence[tuple[Any, Decision]], progress: Progress) -> None:
        """Process; in trouble that is not the database's, by halves, until what is in trouble is alone and put off."""
        try:
            await self._process(items, progress)
        except Exception as error:
            late = time.monotonic() - progress.since > PATIENCE_SECONDS
            ours = isinstance(error, LoggedOut) or (isinstance(error, MongoError) and not await answers(self._mongo))
            if late or ours:
                raise
            self._largest = max(len(items) // 2, 1)
            log.warning("pipeline.halved", consumer=self._consumer.name, records=len(items), error=repr(error)[:500])
            metrics.RETRIES.labels(self._consumer.name, type(error).__name__).inc()
            if len(items) == 1:
                progress.put_off[_partition(items[0][0])] = error
                return
            await self._by_halves(items, progress, self._attempt)
        else:
            if len(items) >= self._largest:  # grows again slowly: each try that is too large costs its deadline
                self._largest = min(self._largest + max(self._largest // 8, 1), LARGEST_BATCH)

    async def _by_halves(self, items: Sequence[tuple[Any, Decision]], progress: Progress, step: Attempt) -> None:
        middle = len(items) // 2
        await step(items[:middle], progress)
        rest = _going_on(items[middle:], progress)
        if rest:
            await step(rest, progress)

    async def _process(self, items: Sequence[tuple[Any, Decision]], progress: Progress) -> None:
        give_up = time.monotonic() + self._deadline
        for attempt in range(MAX_DECISIONS):
            seen = await self._known([decision.received.event_id for _, decision in items])
            batch = await self._decide(items, seen, self._brake.trial())
            try:
                await self._write(batch, give_up)
            except (DuplicateKey, Conflict) as error:
                await self._collided(error, attempt)
                continue
            except Permanent as error:
                await self._isolate(items, error, progress)
                return
            self._finish(batch, progress)
            return
        raise Unavailable(f"{MAX_DECISIONS} decisions in a row collided with other writers")

    def _repeated(self, error: MongoError) -> None:
        metrics.RETRIES.labels(self._consumer.name, type(error).__name__).inc()

    async def _collided(self, error: DuplicateKey | Conflict, attempt: int) -> None:
        """Pause before deciding again."""
        self._repeated(error)
        if isinstance(error, DuplicateKey) and error.collection != INBOX:
            log.error("pipeline.unexpected_duplicate", collection=error.collection, index=error.index)
        await asyncio.sleep(random.uniform(0, min(0.005 * 2**attempt, 0.5)))

    async def _isolate(self, items: Sequence[tuple[Any, Decision]], error: Permanent, progress: Progress) -> None:
        """Halve the batch until the record whose effects cannot be written is alone; then bury it."""
        if len(items) > 1:
            await self._by_halves(items, progress, self._process)
            return
        record, decision = items[0]
        burial = _unwritable(decision, error)
        sender = _sender(decision.received)
        if self._brake.closed(record.topic):
            progress.stopped.add(_partition(record))
            return
        self._brake.failed(record.topic, sender)
        await self._process([(record, burial)], progress)

    async def _decide_again(self, letter: Document, record: Buried, decision: Decision) -> tuple[_Batch, Replay]:
        """Decide on a dead letter's record alone; its failure makes no second dead letter.

        The inbox entry that was written with the dead letter does not count. Any other under the same id does: the
        event came again after the entry had expired, or the record is read under another id than it was then.
        """
        event_id = decision.received.event_id
        found = (await inbox.entries(self._mongo, [event_id])).get(event_id)
        own = {"_id": letter.get("event_id", event_id), "at": letter["at"]}
        seen = {event_id} if found and found != own else set()
        batch = await self._decide([(record, decision)], seen, Brake(limit=1))
        writing = batch.writing
        if writing.dead:
            (failed,) = writing.dead
            nothing = replace(batch, writing=replace(self._writer.begin(writing.reader), spans=writing.spans))
            return nothing, Replay("failed", Reason(failed["reason"]), failed["detail"])
        if found:
            writing.inbox.clear()
        ((verdict, _, _),) = batch.verdicts
        writes = writing.reader.puts(writing.touched, 0)
        return batch, Replay(verdict, writes=writes, events=tuple(writing.outbox), requests=tuple(writing.requests))

    async def _decide(self, items: Sequence[tuple[Any, Decision]], seen: set[str], brake: Brake) -> _Batch:
        """Decide on those not yet `seen`, all at once, then one after the other; what is decided here joins them."""
        reader = Reader(self._mongo)
        runs = {
            number: Run(decision.decide, decision.received, reader, decision.received.received_at, ranges=False)
            for number, (_, decision) in enumerate(items)
            if isinstance(decision, Handle) and decision.received.event_id not in seen
        }
        await bring(runs.values(), reader)
        batch = _Batch(self._writer.begin(reader))
        for number, (record, decision) in enumerate(items):
            if _partition(record) in batch.stopped:
                continue
            received = decision.received
            sender = _sender(received)
            if received.event_id in seen:
                batch.verdicts.append(("absorbed", record.topic, ""))
                batch.finished.append(record)
                continue
            if number in runs:
                failure = await self._come_true(runs[number], received, batch)
                if failure is None:
                    brake.succeeded(record.topic, sender)
                elif brake.closed(record.topic):
                    batch.stopped.add(_partition(record))
                    continue
                else:
                    brake.failed(record.topic, sender)
                    batch.verdicts.append(("failed", record.topic, sender))
                    self._bury(batch, record, received, Reason.HANDLER_FAILED, failure)
            elif isinstance(decision, Bury):
                batch.verdicts.append(("dead", record.topic, sender))
                self._bury(batch, record, received, decision.reason, decision.detail)
            elif isinstance(decision, Skip):
                batch.verdicts.append(("skipped", record.topic, sender))
            if not isinstance(decision, Skip):
                batch.writing.inbox.append({"_id": received.event_id, "at": batch.writing.now})
                seen.add(received.event_id)
            batch.finished.append(record)
        return batch

    async def _come_true(self, run: Run[Any], received: Received[Any], batch: _Batch) -> str | None:
        """Let one decision come true after those before it; returns the traceback if it failed."""
        await in_turn(run, batch.writing.reader, batch.writing.touched)
        span = self._span(received)
        try:
            outcome = run.result()
            self._writer.add(batch.writing, outcome, cause=received.event_id, at=received.received_at, span=span)
        except Exception as error:
            batch.writing.spans.append(span)
            span.set_status(Status(StatusCode.ERROR, repr(error)[:200]))
            return "".join(traceback.format_exception(error, limit=-5))
        span.set_attribute("langhoc.verdict", outcome.verdict)
        batch.verdicts.append((outcome.verdict, received.position.topic, _sender(received)))
        return None

    def _span(self, received: Received[Any]) -> trace.Span:
        """The record's span; what it says is put together only where somebody keeps it."""
        if received.traceparent and (parent := dropped(received.traceparent)):
            return parent
        name = f"process {received.type or 'unreadable'}"
        span = self._tracer.start_span(name, context_of(received.traceparent), SpanKind.CONSUMER)
        if span.is_recording():
            span.set_attributes(
                {
                    "messaging.system": "kafka",
                    "messaging.operation.type": "process",
                    "messaging.destination.name": received.position.topic,
                    "messaging.destination.partition.id": str(received.position.partition),
                    "messaging.kafka.offset": received.position.offset,
                    "messaging.message.id": received.event_id,
                    "langhoc.subject": received.subject,
                }
            )
        return span

    def _bury(self, batch: _Batch, record: Any, received: Received[Any], reason: Reason, detail: str) -> None:
        now = batch.writing.now
        batch.writing.dead.append(dead_letter(self._consumer.name, record, received, reason, detail, now))

    async def _known(self, ids: Sequence[str]) -> set[str]:
        return set(await inbox.entries(self._mongo, ids))

    async def _write(self, batch: _Batch, give_up: float, also: Also | None = None) -> None:
        if not (batch.writing.inbox or batch.writing.dead or also):
            return
        seconds = max(give_up - time.monotonic(), 1.0)
        await self._writer.write(batch.writing, also=also, deadline_seconds=seconds, on_repeat=self._repeated)

    def _finish(self, batch: _Batch, progress: Progress) -> None:
        """After the commit: what was decided has become true."""
        for verdict, topic, sender in batch.verdicts:
            metrics.RECORDS.labels(self._consumer.name, verdict).inc()
            if verdict == "failed":
                self._brake.failed(topic, sender)
            elif verdict not in ("dead", "skipped", "absorbed"):
                self._brake.succeeded(topic, sender)
        if batch.writing.inbox:
            metrics.BATCH_RECORDS.observe(len(batch.writing.inbox))
        for entry in batch.writing.dead:
            position = Position(entry["topic"], entry["partition"], entry["offset"])
            log.error("pipeline.dead_letter", position=str(position), reason=entry["reason"], detail=entry["detail"])
            metrics.DEAD.labels(self._consumer.name, entry["reason"]).inc()
        for record in batch.finished:
            progress.next_offsets[_partition(record)] = record.offset + 1
        progress.stopped |= batch.stopped
        progress.written |= bool(batch.writing.outbox)


def _going_on(items: Sequence[tuple[Any, Decision]], progress: Progress) -> list[tuple[Any, Decision]]:
    """Those whose partitions neither the brake nor trouble has stopped."""
    halted = progress.stopped | progress.put_off.keys()
    return [item for item in items if _partition(item[0]) not in halted]


def _sender(received: Received[Any]) -> str:
    """Whose record it is: the province it speaks of, or whoever owns the topic."""
    return str(getattr(received.data, "province", None) or received.position.topic)


def _unwritable(decision: Decision, error: Permanent) -> Bury:
    """The burial of a record whose effects the database refuses for ever."""
    if isinstance(decision, Bury):
        raise Unavailable(f"a dead letter itself cannot be written: {error}") from error
    return Bury(decision.received, Reason.UNWRITABLE, str(error)[:1_000])
