"""The largest submissions that a province may send, and all four services in memory to see what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import bson

from services.funding import decisions as funding
from services.funding import queries as funding_store
from services.intake import decisions as intake
from services.intake import queries as intake_store
from services.notifications import decisions as notifications
from services.notifications import queries as notifications_store
from services.scoring import decisions as scoring
from services.scoring import queries as scoring_store
from shared.contracts.base import to_nfc
from shared.contracts.catalogue import EventType
from shared.contracts.facts import Receipt
from shared.contracts.topics import families
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Ask, Consumer, Due, Outcome
from shared.messaging.decide.recalculation import Recalculator
from shared.messaging.decide.sets import SetOf, Sets
from shared.messaging.send.outbox import Relay
from shared.rulebook import PointsRubric, Rubric, rubric_for
from shared.rulebook.indicators import ShareAtLeast
from shared.rulebook.targets import RecognisedShareRule
from tests.fakes.memory import MemoryMongo
from tests.unit.delivery_samples import head, record
from tests.unit.test_outbox import Broker

LIMIT = families()["submissions"].max_record_bytes
ROOM = LIMIT - sum(len(name) + len(value) for name, value in head(max(EventType, key=len)).items())
"""Bytes of a record, and of its value beside key and headers."""
ITEMS, LENGTH = 50, 300
"""Evidence that the contract admits for one value."""
Body = dict[str, Any]


def encoded(body: Body) -> bytes:
    """As a careful sender writes it: no white space, no escapes that are not needed."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


# ------------------------------------------------------------------------------------------------- bodies


def assessed(type_: EventType, period: int, *, met: bool, **about: Any) -> Body:
    """An assessment with a value for everything that its rubric asks for, without evidence yet."""
    series: Any = {EventType.COMMUNE_SUBMITTED: "commune", EventType.CENTRE_SUBMITTED: "centre"}.get(type_) or about[
        "series"
    ]
    rule = rubric_for(series, period, "01")
    values: Body = {"scoring": "points"} if isinstance(rule, PointsRubric) else {"scoring": "pass_fail"}
    if isinstance(rule, PointsRubric):
        values["points"] = {
            one.id: {"points": str(rule.maximum(one.id)) if met else "0", "evidence": []} for one in rule.criteria
        }
        shares = [one for each in rule.criteria for one in each.indicators if isinstance(one.rule, ShareAtLeast)]
        values["indicators"] = {one.id: _value("share", met=met) for one in shares}
    else:
        values |= {"targets": dict(_targets(rule, met=met)), "traits": about.pop("traits", [])}
        values |= {"difficult_area": True, "difficult_area_basis": "x", "specially_difficult": True}
        values["specially_difficult_basis"] = "x"
    return {"submission_id": "S" * 100, "period": period, "rubric": rule.id, "content": values, **about}


def _targets(rule: Rubric, *, met: bool) -> Iterator[tuple[str, Body]]:
    for target in getattr(rule, "targets", ()):
        if not isinstance(target, RecognisedShareRule):
            value = _value(target.type, met=met)
            if target.type == "parts":
                value["parts"] = dict.fromkeys(target.parts, met)
            yield target.id, value


def _value(type_: str, *, met: bool) -> Body:
    share = {"numerator": 199_999_999 if met else 0, "denominator": 199_999_999}
    values: dict[str, Body] = {
        "boolean": {"met": met},
        "parts": {},
        "level": {"level": 1 if met else 0},
        "share": {"share": share},
        "share_pair": {"trained": share, "university": share},
        "count": {"count": 10**9 if met else 0},
        "change": {"previous": "1", "current": "9999999999999999" if met else "0.0001"},
    }
    return {"type": type_, **values[type_], "evidence": []}


def filled(body: Body, character: str, limit: int = ROOM) -> Body:
    """The body with bases and evidence of this character: as much as the contract and the limit allow."""
    filler = _Filler(character, limit - len(encoded(body)))
    content = body["content"]
    for name in ("difficult_area_basis", "specially_difficult_basis"):
        if name in content:
            content[name] += filler.label()[1:]
    values = [one for group in ("points", "indicators", "targets") for one in content.get(group, {}).values()]
    for number in range(ITEMS):
        for value in values:
            if label := filler.label(separators=2 + bool(number)):
                value["evidence"].append(label)
    return body


@dataclass
class _Filler:
    character: str
    left: int

    def label(self, separators: int = 0) -> str:
        """The longest label for which there is room."""
        size = len(json.dumps(self.character, ensure_ascii=False).encode()) - 2
        most = LENGTH // len(to_nfc(self.character))
        text = self.character * min(most, max(0, (self.left - separators) // size))
        self.left -= len(text) * size + separators if text else 0
        return text


# ------------------------------------------------------------------------------------------------- services


@dataclass
class Service:
    """One service over a database in memory."""

    name: str
    consumer: Consumer
    sets: Sequence[SetOf[Any]] = ()
    mongo: MemoryMongo = field(default_factory=MemoryMongo)

    def __post_init__(self) -> None:
        clock, sets = BusinessClock(), Sets(self.sets)
        self.pipeline = Pipeline(self.name, self.consumer, self.mongo, clock=clock, brake=Brake(5), sets=sets)
        relay = Relay(self.mongo, Broker())
        self.recalculator = Recalculator(self.name, self.mongo, relay, clock=clock, sets=sets, quiet_seconds=0.0)


async def _no_rankings(due: Due[Any], ask: Ask) -> Outcome:
    """Rankings of the whole country have a test of their own."""
    return Outcome()


SCORING_SETS = [replace(each, decide=_no_rankings) if each is scoring.RANKING else each for each in scoring.SETS]


class Chain:
    """Intake, scoring, funding and notifications: what one sends, the others read."""

    def __init__(self) -> None:
        receipts = ("receipts.01",)
        self.services = [
            Service(
                "intake",
                Consumer("intake", ("submissions.01",), intake.routes, intake.refusals),
                sets=intake.SETS,
            ),
            Service("scoring", Consumer("scoring", ("intake.accepted",), scoring.routes), sets=SCORING_SETS),
            Service(
                "funding",
                Consumer("funding", ("intake.accepted", "scores", *receipts), funding.routes),
                sets=funding.SETS,
            ),
            Service(
                "notifications",
                Consumer(
                    "notifications",
                    ("intake.accepted", "scores", "rankings", "budgets", *receipts),
                    notifications.routes,
                ),
                sets=notifications.SETS,
            ),
        ]
        self.sent: list[tuple[str, int]] = []
        """Type and size of every event."""
        self.receipts: list[Receipt] = []
        self._offset = 0

    async def start(self) -> Chain:
        """Create the indexes."""
        for service, store in zip(
            self.services, (intake_store, scoring_store, funding_store, notifications_store), strict=True
        ):
            await store.migrate(service.mongo)
        return self

    async def submit(self, type_: EventType, body: Body, blanks: int = 0) -> Receipt:
        """Send a submission, with so many blanks behind it, and let everything follow; returns its receipt."""
        self._offset += 1
        sent = record(encoded(body) + b" " * blanks, head(type_), topic="submissions.01", offset=self._offset)
        await self.services[0].pipeline.process([sent])
        before = len(self.receipts)
        await self._flow()
        return self.receipts[before]

    async def _flow(self) -> None:
        while True:
            for service in self.services:
                await service.recalculator.round()
            rows = [row for service in self.services for row in service.mongo.all("outbox")]
            if not rows:
                return
            for service in self.services:
                service.mongo.rows("outbox").clear()
            for row in sorted(rows, key=lambda row: row["order"]):
                await self._deliver(row)

    async def _deliver(self, row: Any) -> None:
        self._offset += 1
        self.sent.append((row["headers"]["ce_type"], len(row["value"])))
        if row["topic"].startswith("receipts."):
            self.receipts.append(Receipt.model_validate_json(row["value"]))
        one = record(row["value"], row["headers"], topic=row["topic"], key=row["key"], offset=self._offset)
        for service in self.services:
            if row["topic"] in service.consumer.topics:
                await service.pipeline.process([one])

    def largest_event(self) -> int:
        """Bytes of the largest event."""
        return max(size for _, size in self.sent)

    def largest_document(self) -> int:
        """Bytes of the largest document of any service."""
        mongos = [service.mongo for service in self.services]
        return max(len(bson.encode(row)) for mongo in mongos for name in mongo.collections for row in mongo.all(name))

    def dead_letters(self) -> list[Any]:
        """What could not be handled."""
        return [row for service in self.services for row in service.mongo.all("dead_letters")]
