"""The smallest service that shows all of delivery: a state fact guarded by its version, an occurrence that is counted,
an event raised by either, and a result over the set; with records that misbehave on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import BaseModel, TypeAdapter

from shared.contracts.base import Contract, Status
from shared.contracts.catalogue import EventType, contract_of
from shared.contracts.facts import EnvelopeAccepted, Receipt
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.consuming import Consuming
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import STALE, Ask, Consumer, Due, Outcome
from shared.messaging.decide.documents import Collection
from shared.messaging.decide.recalculation import Recalculator
from shared.messaging.decide.sets import SetOf, Sets, Source
from shared.messaging.ending import end
from shared.messaging.faults import NO_FAULTS, Faults
from shared.messaging.messages import Outgoing, Received
from shared.messaging.send.outbox import Publisher, Relay
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo

AT = datetime(2026, 1, 10, 2, 30, tzinfo=UTC)
NAME = "sample"
SOURCE = "/langhoc/elsewhere"
YEAR = 2026
TOO_LARGE = "x" * (17 * 1024 * 1024)


class Amount(Contract):
    """Of a province or of all of them."""

    version: int
    amount: int


class Tally(Contract):
    """How many occurrences a province has had."""

    n: int


class Ballast(Contract):
    """What no database takes."""

    ballast: str


ENVELOPES = Collection("envelopes", TypeAdapter(Amount))
TALLIES = Collection("tallies", TypeAdapter(Tally))
SUMS = Collection("sums", TypeAdapter(Amount))
BALLAST = Collection("ballast", TypeAdapter(Ballast))


class Conduct(StrEnum):
    """How a record behaves in the handler."""

    GOOD = "good"
    POISON = "poison"
    """The handler fails."""
    FORGETFUL = "forgetful"
    """The handler puts what it did not ask for."""
    OVERSIZE = "oversize"
    """The handler puts a document that no database takes."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of a run's own topics."""

    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Message:
    """A record to be sent."""

    id: str
    key: str
    value: bytes
    headers: Mapping[str, str]

    @property
    def wire_headers(self) -> list[tuple[str, bytes]]:
        """As a client sends them."""
        return [(name, text.encode()) for name, text in self.headers.items()]


def _message(id: str, key: str, data: BaseModel) -> Message:
    headers = {"ce_specversion": "1.0", "ce_id": id, "ce_source": SOURCE, "ce_type": str(contract_of(type(data)))}
    return Message(id, key, data.model_dump_json().encode(), headers)


def _envelope(province: str, version: int, amount: int, label: str) -> EnvelopeAccepted:
    return EnvelopeAccepted(
        version=version,
        submission_id=label,
        receipt_id="r",
        province=province,
        received_at=AT,
        year=YEAR,
        amount=amount,
    )


def fact(
    id: str, province: str = "04", *, version: int = 1, amount: int = 0, conduct: Conduct = Conduct.GOOD
) -> Message:
    """A state fact: the envelope of a province."""
    return _message(id, province, _envelope(province, version, amount, conduct))


def occurrence(id: str, province: str = "04", *, version: int = 1, conduct: Conduct = Conduct.GOOD) -> Message:
    """An occurrence: a receipt."""
    return _message(
        id,
        province,
        Receipt(
            receipt_id=id,
            status=Status.ACCEPTED,
            province=province,
            received_at=AT,
            channel=conduct,
            body_hash="",
            version=version,
        ),
    )


def garbage(id: str, province: str = "04") -> Message:
    """A record whose body cannot be read."""
    whole = occurrence(id, province)
    return Message(id, province, b"{not json", whole.headers)


async def _behave(received: Received[Any], conduct: str, ask: Ask, outcome: Outcome, *, mended: bool) -> Outcome:
    match conduct:
        case Conduct.POISON if not mended:
            raise ZeroDivisionError("poison")
        case Conduct.FORGETFUL:
            outcome.put(TALLIES.ref("99"), Tally(n=0))
        case Conduct.OVERSIZE:
            ref = BALLAST.ref(received.event_id)
            await ask.one(ref)
            outcome.put(ref, Ballast(ballast=TOO_LARGE))
    return outcome


def sample_consumer(topics: Topics, *, mended: bool = False) -> Consumer:
    """The service's consumer. `mended`: what was poison is handled."""

    async def keep(received: Received[EnvelopeAccepted], ask: Ask) -> Outcome:
        data = received.data
        ref = ENVELOPES.ref(data.province)
        before = await ask.one(ref)
        if before and before.version >= data.version:
            return Outcome(verdict=STALE)
        outcome = Outcome(
            {ref: Amount(version=data.version, amount=data.amount)},
            [Outgoing(topics.output, data.province, received.event_id, data)],
        )
        return await _behave(received, data.submission_id, ask, outcome, mended=mended)

    async def count(received: Received[Receipt], ask: Ask) -> Outcome:
        data = received.data
        ref = TALLIES.ref(data.province)
        before = await ask.one(ref)
        outcome = Outcome(
            {ref: Tally(n=(before.n if before else 0) + 1)},
            [Outgoing(topics.output, data.province, received.event_id, data)],
        )
        return await _behave(received, data.channel, ask, outcome, mended=mended)

    return Consumer(NAME, (topics.input,), {EventType.ENVELOPE_ACCEPTED: keep, EventType.RECEIPT_ISSUED: count})


class Whole(NamedTuple):
    """Which provinces are added up."""

    scope: str


def sample_sets(topics: Topics) -> Sets:
    """The service's result over a set: what all provinces have together."""

    async def total(due: Due[Whole], ask: Ask) -> Outcome:
        scope = due.key.scope
        ref = SUMS.ref(scope)
        before = await ask.one(ref)
        version = before.version + 1 if before else 1
        amount = sum(each.amount for each in await ask.all(ENVELOPES, {}))
        event = Outgoing(topics.output, scope, scope, _envelope("00", version, amount, scope))
        return Outcome({ref: Amount(version=version, amount=amount)}, [event])

    source = Source(ENVELOPES, lambda before, after: [Whole("nation")])
    return Sets([SetOf("total", Whole, total, (source,), keeps=(SUMS,))])


class Process:
    """One process of the service: the real parts, wired as `Runtime` wires them."""

    def __init__(
        self,
        broker: Any,
        publisher: Publisher,
        mongo: Mongo,
        settings: ServiceSettings,
        topics: Topics,
        *,
        faults: Faults = NO_FAULTS,
        mended: bool = False,
    ) -> None:
        self._broker = broker
        clock = BusinessClock()
        brake = Brake(settings.brake_after)
        consumer, sets = sample_consumer(topics, mended=mended), sample_sets(topics)
        pipeline = Pipeline(NAME, consumer, mongo, clock=clock, brake=brake, sets=sets, faults=faults)
        self.relay = Relay(
            mongo,
            publisher,
            publish_deadline=settings.publish_deadline,
            lease_seconds=settings.lease_seconds,
            faults=faults,
        )
        self.consuming = Consuming(broker, consumer, pipeline, self.relay, brake, settings, faults=faults)
        self.recalculator = Recalculator(NAME, mongo, self.relay, clock=clock, sets=sets, quiet_seconds=0.0)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to consume, relay and compute."""
        await self._broker.start()
        self._tasks = [
            asyncio.create_task(work) for work in (self.relay.run(), self.recalculator.run(), self._resume())
        ]

    async def stop(self) -> None:
        """End in order."""
        self.consuming.stop_fetching()
        await self.consuming.idle()
        await end(self._tasks)
        await self.relay.release()
        await self._broker.stop()

    async def _resume(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            self.consuming.resume_due()
