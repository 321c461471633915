"""A small service whose handler is broken until it is mended, for tests of what becomes of its dead letters."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bson import ObjectId
from pydantic import TypeAdapter

from shared.contracts.catalogue import EventType
from shared.contracts.facts import EnvelopeAccepted
from shared.contracts.submissions import EnvelopeSubmitted
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import STALE, Ask, Consumer, Outcome, Request
from shared.messaging.decide.documents import Collection, Document
from shared.messaging.messages import Outgoing, Received
from shared.messaging.operate.dead_letters import DeadLetters
from shared.messaging.send.outbox import Relay
from tests.fakes.memory import MemoryMongo
from tests.unit.delivery_samples import AT, Stored, head, record

ENVELOPES: Collection[Document] = Collection("envelopes", TypeAdapter(dict[str, Any]))
POISON = "poison"
"""Submissions of this name make the handler fail."""


class Probe:
    """Keeps the newest envelope of each province and publishes it on."""

    def __init__(self, topic: str = "intake.accepted", out: str = "budgets", *, outside: bool = False) -> None:
        """`outside`: envelopes as a province submits them, and not as intake accepted them."""
        self.topic = topic
        self._out = out
        self._outside = outside
        self._type = EventType.ENVELOPE_SUBMITTED if outside else EventType.ENVELOPE_ACCEPTED
        self.mended = False
        self.consumer = Consumer("probe", (topic,), {self._type: self._take if outside else self._keep})

    async def _take(self, received: Received[EnvelopeSubmitted], ask: Ask) -> Outcome:
        sent, province = received.data, received.subject or "04"
        return await self._keep(replace(received, data=_accepted(sent.submission_id, province, 1)), ask)  # type: ignore[arg-type]

    async def _keep(self, received: Received[EnvelopeAccepted], ask: Ask) -> Outcome:
        data = received.data
        ref = ENVELOPES.ref(data.province)
        stored = await ask.one(ref)
        if data.submission_id == POISON and not self.mended:
            raise ZeroDivisionError("division by [zero]")
        if stored is not None and stored["version"] >= data.version:
            return Outcome(verdict=STALE)
        document = {"version": data.version, "amount": data.amount, "unwritable": data.submission_id == "unwritable"}
        return Outcome(
            puts={ref: document},
            events=[Outgoing(self._out, data.province, data.province, data)],
            requests=[Request("sum", (data.province, data.year))],
        )

    def record(
        self,
        offset: int,
        submission_id: str = "good",
        *,
        province: str = "04",
        version: int = 1,
        id: str | None = None,
        more: Mapping[str, bytes] | None = None,
    ) -> Stored:
        """A record of an envelope; its `ce_id` is the offset unless given, `more` are further headers."""
        fact = _accepted(submission_id, province, version)
        body = (
            EnvelopeSubmitted(submission_id=submission_id, year=fact.year, amount=fact.amount)
            if self._outside
            else fact
        )
        headers: dict[str, str | bytes] = {}
        headers |= head(self._type, id or f"{offset}", ce_subject=province)
        headers |= more or {}
        return record(body.model_dump_json().encode(), headers, topic=self.topic, offset=offset, key=province)


def _accepted(submission_id: str, province: str, version: int) -> EnvelopeAccepted:
    return EnvelopeAccepted(
        version=version,
        submission_id=submission_id,
        receipt_id="r",
        province=province,
        received_at=AT,
        year=2026,
        amount=75_000_000,
    )


class Unreachable:
    """A broker that nothing is sent to: these tests look at the outbox."""

    async def send(self, topic: str, **record: Any) -> asyncio.Future[Any]:
        raise AssertionError(f"{topic}: the relay does not run here")

    async def renew(self) -> None:
        raise AssertionError("the relay does not run here")


class Bench:
    """The probe's pipeline and its dead letters over a database in memory."""

    def __init__(self, consumer: Consumer | None = None) -> None:
        self.mongo = MemoryMongo()
        self.mongo.unwritable = lambda collection, document: document.get("unwritable", False)
        self.probe = Probe()
        self._buried: dict[Any, Any] = {}
        self._erased: set[Any] = set()
        self.brake = Brake(limit=2)
        self.pipeline = Pipeline(
            "probe", consumer or self.probe.consumer, self.mongo, clock=BusinessClock(), brake=self.brake
        )
        self.letters = DeadLetters(self.mongo, self.pipeline, Relay(self.mongo, Unreachable()), clock=BusinessClock())

    async def bury(self, *records: Stored) -> list[str]:
        """Process records; returns the ids of all dead letters."""
        await self.pipeline.process(records)
        for row in self.mongo.all("dead_letters"):
            self._buried.setdefault(row["_id"], _record_of(row))
        return [str(row["_id"]) for row in self.mongo.all("dead_letters")]

    def assert_kept(self) -> None:
        """No dead letter was lost, and the record in each is what it was."""
        kept = {row["_id"]: _record_of(row) for row in self.mongo.all("dead_letters")}
        assert {id: record for id, record in kept.items() if id not in self._erased} == self._buried

    def forget(self, letter_id: str) -> None:
        """This letter was erased on purpose: nobody expects its record any more."""
        del self._buried[ObjectId(letter_id)]
        self._erased.add(ObjectId(letter_id))

    def letter(self, letter_id: str) -> dict[str, Any]:
        """One letter as it is now."""
        return copy.deepcopy(self.mongo.rows("dead_letters")[ObjectId(letter_id)])

    def effects(self) -> tuple[int | None, int, int]:
        """Version kept of province 04, rows in the outbox, requests."""
        kept = self.mongo.rows("envelopes").get("04")
        counts = [len(self.mongo.rows(name)) for name in ("outbox", "recalculations")]
        return kept["version"] if kept else None, counts[0], counts[1]

    def entries(self) -> list[tuple[str, str, str]]:
        """The record of actions: who, action, result."""
        return [(row["who"], row["action"], row["result"]) for row in self.mongo.all("dead_letter_actions")]


def _record_of(row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in ("topic", "partition", "offset", "appended_at", "key", "headers", "value")]
