"""The micro-batch consumer pipeline: records in, one transaction, offsets that may be committed out.

For a batch: read each record (never raises) → classify → known inbox ids → documents the handlers need → handlers in
memory, in order → inbox, documents, outbox, requests and dead letters in one transaction. What is wrong with one record
never touches its neighbours:

- a record that cannot be read, or whose handler fails, becomes a dead letter (or, from an outside sender, an answer);
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
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from bson import Binary
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from shared.messaging.clock import BusinessClock, instant_of
from shared.messaging.collections import DEAD_LETTERS, INBOX, OUTBOX, RECALCULATIONS
from shared.messaging.consume import envelope, inbox
from shared.messaging.consume.batches import Damage, first_of
from shared.messaging.consume.brake import Brake
from shared.messaging.decide.handling import Consumer, Document, Recalculation, Ref, Route, requests_of
from shared.messaging.decide.reader import Reader, View
from shared.messaging.faults import NO_FAULTS, Faults, Step
from shared.messaging.messages import Position, Reason, Received, Unreadable
from shared.messaging.send.events import emit
from shared.mongo import Conflict, DuplicateKey, Mongo, Permanent, Put, Session, Unavailable, answers, in_transaction
from shared.mongo.port import MongoError
from shared.telemetry import context_of, metrics

log = structlog.get_logger()
Partition = tuple[str, int]
MAX_DECISIONS = 20
LARGEST_BATCH = 5_000
PATIENCE_SECONDS = 100.0
"""How long one batch is tried by halves; well below what makes the group believe that its member is dead."""
DETAIL_CHARACTERS = 20_000
"""What a dead letter keeps of an error's text, which may repeat the record that it is about."""


@dataclass(frozen=True, slots=True)
class Handle:
    """Call this route."""

    received: Received[Any]
    route: Route[Any]


@dataclass(frozen=True, slots=True)
class Skip:
    """A known type that this service does not listen to."""

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
        return Handle(_with(received, refused), consumer.refusals)
    return Skip(received)


def _with(received: Received[Any], data: Any) -> Received[Any]:
    return Received(
        data=data,
        event_id=received.event_id,
        type=received.type,
        source=received.source,
        subject=received.subject,
        version=received.version,
        received_at=received.received_at,
        position=received.position,
        raw=received.raw,
        traceparent=received.traceparent,
    )


@dataclass(slots=True)
class Buried:
    """A record as its dead letter keeps it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    checksum: Damage | None = None
    """Set where only the beginning of its bytes was kept: it stays unreadable."""

    @classmethod
    def of(cls, letter: Document) -> Buried:
        """The way back from `dead_letter`."""
        return cls(
            topic=letter["topic"],
            partition=letter["partition"],
            offset=letter["offset"],
            timestamp=round(letter["appended_at"].timestamp() * 1000),
            key=letter["key"],
            value=letter["value"],
            headers=[(name, bytes(value)) for name, value in letter["headers"]],
            checksum=_damage(letter),
        )


def _damage(letter: Document) -> Damage | None:
    cut = letter.get("cut")
    if cut is None:
        return None
    too_large = letter["reason"] == Reason.TOO_LARGE.value
    return Damage(cut["first"], letter["detail"], too_large, False, cut["size"], cut["sha256"])


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
    """Everything one transaction writes."""

    now: datetime
    inbox: list[Document] = field(default_factory=list)
    touched: dict[Ref, None] = field(default_factory=dict)
    writes: dict[str, list[Put]] = field(default_factory=dict)
    outbox: list[Document] = field(default_factory=list)
    requests: dict[Recalculation, None] = field(default_factory=dict)
    dead: list[Document] = field(default_factory=list)
    spans: list[trace.Span] = field(default_factory=list)
    verdicts: list[tuple[str, str, str]] = field(default_factory=list)


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
    requests: Sequence[Recalculation] = ()


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
        transaction_deadline: float = 20.0,
        faults: Faults = NO_FAULTS,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`before` is awaited before each batch; what it raises puts the batch off."""
        self._service = service
        self._before = before
        self._consumer = consumer
        self._mongo = mongo
        self._clock = clock
        self._brake = brake
        self._deadline = transaction_deadline
        self._faults = faults
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
            for span in batch.spans:
                span.end()
            metrics.RECORDS.labels(self._consumer.name, replay.verdict).inc()
            return replay
        raise Unavailable(f"{MAX_DECISIONS} decisions in a row collided with other writers")

    def _read(self, record: envelope.Record) -> Decision:
        received = envelope.read(
            record,
            received_at=self._clock.appended(record.timestamp),
            trusted=self._consumer.refusals is None,
        )
        return classify(received, self._consumer)

    async def _attempt(self, items: Sequence[tuple[Any, Decision]], progress: Progress) -> None:
        """Process; in trouble that is not the database's, by halves, until what is in trouble is alone and put off."""
        try:
            await self._process(items, progress)
        except Exception as error:
            late = time.monotonic() - progress.since > PATIENCE_SECONDS
            if late or (isinstance(error, MongoError) and not await answers(self._mongo)):
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
            batch, finished, stopped = await self._decide(items, seen, self._brake.trial())
            try:
                await self._write(batch, give_up)
            except (DuplicateKey, Conflict) as error:
                await self._collided(error, attempt)
                continue
            except Permanent as error:
                await self._isolate(items, error, progress)
                return
            self._finish(batch, finished, stopped, progress)
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
        batch, _, _ = await self._decide([(record, decision)], seen, Brake(limit=1))
        if batch.dead:
            (failed,) = batch.dead
            replay = Replay("failed", Reason(failed["reason"]), failed["detail"])
            return _Batch(batch.now, spans=batch.spans), replay
        if found:
            batch.inbox.clear()
        ((verdict, _, _),) = batch.verdicts
        return batch, Replay(verdict, writes=batch.writes, events=tuple(batch.outbox), requests=tuple(batch.requests))

    async def _decide(
        self, items: Sequence[tuple[Any, Decision]], seen: set[str], brake: Brake
    ) -> tuple[_Batch, list[Any], set[Partition]]:
        """Run the handlers in memory, over those not yet `seen`; what is decided here joins them."""
        reader = Reader(self._mongo)
        needs: dict[int, frozenset[Ref]] = {}
        failures: dict[int, str] = {}
        for number, (_, decision) in enumerate(items):
            if isinstance(decision, Handle) and decision.received.event_id not in seen:
                try:
                    needs[number] = frozenset(decision.route.needs(decision.received))
                except Exception:
                    failures[number] = traceback.format_exc(limit=-5)
        await reader.load(ref for refs in needs.values() for ref in refs)
        for number in needs:
            needs[number], failure = _further(items[number][1], reader, needs[number])
            if failure is not None:
                failures[number] = failure
        await reader.load(ref for refs in needs.values() for ref in refs)

        batch = _Batch(now=self._clock.real())
        finished: list[Any] = []
        stopped: set[Partition] = set()
        for number, (record, decision) in enumerate(items):
            partition = _partition(record)
            if partition in stopped:
                continue
            received = decision.received
            if received.event_id in seen:
                batch.verdicts.append(("absorbed", record.topic, ""))
                finished.append(record)
                continue
            sender = _sender(received)
            failure = failures.get(number)
            if isinstance(decision, Handle) and failure is None:
                # Again: a record before it in this batch may have changed what the identities rest on.
                needs[number], failure = _further(decision, reader, needs[number])
                await reader.load(needs[number])
            if isinstance(decision, Handle) and failure is None:
                failure = self._handle(decision, reader, needs[number], batch)
                if failure is None:
                    brake.succeeded(record.topic, sender)
            if failure is not None:
                if brake.closed(record.topic):
                    stopped.add(partition)
                    continue
                brake.failed(record.topic, sender)
                batch.verdicts.append(("failed", record.topic, sender))
                self._bury(batch, record, received, Reason.HANDLER_FAILED, failure)
            elif isinstance(decision, Bury):
                batch.verdicts.append(("dead", record.topic, sender))
                self._bury(batch, record, received, decision.reason, decision.detail)
            elif isinstance(decision, Skip):
                batch.verdicts.append(("skipped", record.topic, sender))
            if not isinstance(decision, Skip):
                batch.inbox.append({"_id": received.event_id, "at": batch.now})
                seen.add(received.event_id)
            finished.append(record)
        batch.writes = reader.puts(batch.touched, self._clock.stamp(reader.stamp))
        return batch, finished, stopped

    def _handle(self, decision: Handle, reader: Reader, needs: frozenset[Ref], batch: _Batch) -> str | None:
        """Call one handler and keep its outcome; returns the traceback if it failed."""
        received = decision.received
        span = self._tracer.start_span(
            f"process {received.type or 'unreadable'}",
            context_of(received.traceparent),
            SpanKind.CONSUMER,
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": received.position.topic,
                "messaging.destination.partition.id": str(received.position.partition),
                "messaging.kafka.offset": received.position.offset,
                "messaging.message.id": received.event_id,
                "langhoc.subject": received.subject,
            },
        )
        batch.spans.append(span)
        spans: list[trace.Span] = []
        try:
            view = View(reader, needs)
            outcome = decision.route.handle(received, view)
            at = received.received_at
            rows = emit(
                self._service, received.event_id, outcome.events, at, span, self._tracer, spans,
                clock=self._clock, after=reader.stamp,
            )  # fmt: skip
            view.apply(outcome.puts)
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, repr(error)[:200]))
            return traceback.format_exc(limit=-5)
        span.set_attribute("langhoc.verdict", outcome.verdict)
        batch.touched.update(dict.fromkeys(outcome.puts))
        batch.requests.update(dict.fromkeys(outcome.requests))
        batch.outbox.extend(rows)
        batch.spans.extend(spans)
        batch.verdicts.append((outcome.verdict, received.position.topic, _sender(received)))
        return None

    def _bury(self, batch: _Batch, record: Any, received: Received[Any], reason: Reason, detail: str) -> None:
        batch.dead.append(dead_letter(self._consumer.name, record, received, reason, detail, batch.now))

    async def _known(self, ids: Sequence[str]) -> set[str]:
        return set(await inbox.entries(self._mongo, ids))

    async def _write(
        self, batch: _Batch, give_up: float, first: Callable[[Session], Awaitable[None]] | None = None
    ) -> None:
        if not (batch.inbox or batch.dead or first):
            return

        async def body(session: Session) -> None:
            if first:
                await first(session)
            await self._mongo.insert(INBOX, batch.inbox, session)
            for collection, puts in batch.writes.items():
                await self._mongo.put(collection, puts, session)
            await self._mongo.insert(OUTBOX, batch.outbox, session)
            await self._mongo.insert(RECALCULATIONS, requests_of(batch.requests, batch.now), session)
            await self._mongo.insert(DEAD_LETTERS, batch.dead, session)
            await self._faults.reach(Step.COMMITTING)

        seconds = max(give_up - time.monotonic(), 1.0)
        await in_transaction(self._mongo, body, deadline_seconds=seconds, on_repeat=self._repeated)
        await self._faults.reach(Step.COMMITTED)

    def _finish(self, batch: _Batch, finished: list[Any], stopped: set[Partition], progress: Progress) -> None:
        """After the commit: what was decided has become true."""
        for span in batch.spans:
            span.end()
        for verdict, topic, sender in batch.verdicts:
            metrics.RECORDS.labels(self._consumer.name, verdict).inc()
            if verdict == "failed":
                self._brake.failed(topic, sender)
            elif verdict not in ("dead", "skipped", "absorbed"):
                self._brake.succeeded(topic, sender)
        if batch.inbox:
            metrics.BATCH_RECORDS.observe(len(batch.inbox))
        for entry in batch.dead:
            position = Position(entry["topic"], entry["partition"], entry["offset"])
            log.error("pipeline.dead_letter", position=str(position), reason=entry["reason"], detail=entry["detail"])
            metrics.DEAD.labels(self._consumer.name, entry["reason"]).inc()
        for record in finished:
            progress.next_offsets[_partition(record)] = record.offset + 1
        progress.stopped |= stopped
        progress.written |= bool(batch.outbox)


def _further(decision: Decision, reader: Reader, needs: frozenset[Ref]) -> tuple[frozenset[Ref], str | None]:
    """All that a record needs, as far as the documents that are loaded tell; or the traceback."""
    assert isinstance(decision, Handle)
    try:
        return needs | frozenset(decision.route.further(decision.received, View(reader, needs))), None
    except Exception:
        return needs, traceback.format_exc(limit=-5)


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


def dead_letter(
    consumer: str, record: Any, received: Received[Any], reason: Reason, detail: str, now: datetime
) -> Document:
    """The dead-letter document: raw bytes, why, and where the record lay. What people do with it: `dead_letters.py`."""
    position: Position = received.position
    cut = received.data.cut if isinstance(received.data, Unreadable) else None
    return {
        "state": "open",
        "consumer": consumer,
        "event_id": received.event_id,
        "topic": position.topic,
        "partition": position.partition,
        "offset": position.offset,
        "appended_at": instant_of(record.timestamp),
        "key": None if record.key is None or cut else Binary(record.key),
        "headers": [] if cut else [[name, Binary(value or b"")] for name, value in record.headers],
        "value": None if record.value is None else Binary(received.raw),
        "cut": cut and {"size": cut.size, "sha256": cut.sha256, "first": cut.first},
        "type": received.type,
        "subject": received.subject,
        "reason": reason.value,
        "detail": detail.encode("utf-8", "backslashreplace").decode()[:DETAIL_CHARACTERS],
        "attempts": 1,
        "at": now,
    }
