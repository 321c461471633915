"""The four services in one process: their real pipelines, recalculations and HTTP sides, on fakes of both servers.

The clock stands still at the time of each step, so the edge of a deadline can be met to the minute.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from aiokafka import TopicPartition
from fastapi import APIRouter, Depends, FastAPI

from cli.publishing import Message, headers_of, topic_of
from deploy.local.identity import issue_token
from services.funding import api as funding_api
from services.funding import decisions as funding_handlers
from services.funding import queries as funding_store
from services.intake import api as intake_api
from services.intake import decisions as intake_handlers
from services.intake import queries as intake_store
from services.notifications import api as notifications_api
from services.notifications import decisions as notifications_handlers
from services.notifications import queries as notifications_store
from services.scoring import api as scoring_api
from services.scoring import decisions as scoring_handlers
from services.scoring import queries as scoring_store
from shared.contracts.topics import all_topics, family_of, topic_names
from shared.messaging.clock import BusinessClock
from shared.messaging.collections import DEAD_LETTERS, OUTBOX, RECALCULATIONS
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.migrating import seal_former
from shared.messaging.decide.recalculation import Recalculator, due_now
from shared.messaging.decide.sets import SetOf, Sets
from shared.messaging.operate.dead_letters import DeadLetters
from shared.messaging.operate.topics import province_codes
from shared.messaging.send.outbox import Relay
from shared.mongo import Mongo
from shared.web import dead_letters, problems
from shared.web.parameters import only_known
from tests.casework.case import Officer
from tests.casework.events import Event
from tests.casework.playing import Letter, World
from tests.conformance.memory_kafka import MemoryBroker, MemoryKafka, Record
from tests.fakes.memory import MemoryMongo
from tests.fakes.trust import local_verifier

ROUNDS = 200
"""After so many rounds something goes in circles."""
TRACEPARENT = f"00-{'1' * 32}-{'1' * 16}-00"


class _Clock(BusinessClock):
    """Shows the time of the step as business time."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class Wiring:
    """What each service's `app.py` puts together."""

    consumer: Consumer
    router: APIRouter
    migrate: Callable[[Mongo], Awaitable[None]]
    sets: Sequence[SetOf[Any]] = ()


def wirings() -> Sequence[Wiring]:
    """The four services."""
    provinces = province_codes()
    receipts, submissions = topic_names("receipts", provinces), topic_names("submissions", provinces)
    intake = Consumer("intake", tuple(submissions), intake_handlers.routes, intake_handlers.refusals)
    scoring = Consumer("scoring", ("intake.accepted", "people"), scoring_handlers.routes)
    funding = Consumer("funding", ("intake.accepted", "scores", "people", *receipts), funding_handlers.routes)
    notifications = Consumer(
        "notifications",
        ("intake.accepted", "scores", "rankings", "budgets", "people", *receipts),
        notifications_handlers.routes,
    )
    return (
        Wiring(intake, intake_api.router, intake_store.migrate, sets=intake_handlers.SETS),
        Wiring(scoring, scoring_api.router, scoring_store.migrate, sets=scoring_handlers.SETS),
        Wiring(funding, funding_api.router, funding_store.migrate, sets=funding_handlers.SETS),
        Wiring(notifications, notifications_api.router, notifications_store.migrate, sets=notifications_handlers.SETS),
    )


class _Kafka(MemoryKafka):
    """Stamps what it appends with the time of the step, and keeps it in the order in which it came."""

    clock: BusinessClock

    def __post_init__(self) -> None:
        super().__post_init__()
        self.all: list[Record] = []

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> Record:
        record = super().append(topic, key, value, headers)
        stamped = replace(record, timestamp=round(self.clock.now().timestamp() * 1000))
        self.logs[TopicPartition(topic, record.partition)][-1] = stamped
        self.all.append(stamped)
        return stamped


Share = Callable[[int], int]
"""How many of the records that wait in a partition are taken."""


class Service:
    """One service: what it has read, its database, and its work."""

    def __init__(self, wiring: Wiring, kafka: _Kafka, clock: BusinessClock) -> None:
        self.wiring = wiring
        self.name = wiring.consumer.name
        self.mongo = MemoryMongo()
        self._kafka = kafka
        self._clock = clock
        self._read = dict.fromkeys(kafka.partitions(*wiring.consumer.topics), 0)
        relay = Relay(self.mongo, MemoryBroker(kafka))
        sets = Sets(wiring.sets)
        self._pipeline = Pipeline(
            self.name, wiring.consumer, self.mongo, clock=clock, brake=Brake(1_000_000), sets=sets
        )
        self.commands = Commands(self.name, self.mongo, relay, clock=clock, sets=sets)
        self.letters = DeadLetters(self.mongo, self._pipeline, relay, clock=clock)
        self._recalculator = Recalculator(self.name, self.mongo, relay, clock=clock, sets=sets, quiet_seconds=0.0)

    async def consume(self, share: Share = lambda waiting: waiting) -> bool:
        """Process what waits, or a share of it, as one batch, and publish what follows; whether there was anything."""
        records: list[Record] = []
        for partition, read in self._read.items():
            if waiting := self._kafka.logs[partition][read:]:
                records += waiting[: share(len(waiting))]
        if records:
            progress = await self._pipeline.process(records)
            self._read.update({TopicPartition(*place): offset for place, offset in progress.next_offsets.items()})
        return self._publish() or bool(records)

    async def recompute(self) -> bool:
        """Compute every set that is due; whether there was one."""
        if not await self.mongo.count(RECALCULATIONS, due_now(self._clock)):
            return False
        await self._recalculator.round()
        self._publish()
        return True

    def _publish(self) -> bool:
        rows = sorted(self.mongo.all(OUTBOX), key=lambda row: row["order"])
        for row in rows:
            headers = [(name, text.encode()) for name, text in row["headers"].items()]
            self._kafka.append(row["topic"], row["key"].encode(), bytes(row["value"]), headers)
            del self.mongo.rows(OUTBOX)[row["_id"]]
        return bool(rows)


class MemoryWorld(World):
    """The platform in memory. `state` is a folder with a signing key."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._clock = _Clock()
        self._kafka = _Kafka({topic.name: topic.partitions for topic in all_topics(province_codes())})
        self._kafka.clock = self._clock
        self.services = {each.consumer.name: Service(each, self._kafka, self._clock) for each in wirings()}
        self._apps: dict[str, FastAPI] = {}

    def mongo(self, service: str) -> MemoryMongo:
        """A service's database, to be filled before the world begins or looked at afterwards."""
        return self.services[service].mongo

    async def begin(self) -> MemoryWorld:
        """With the indexes of all services."""
        for service in self.services.values():
            await seal_former(service.mongo)
            await service.wiring.migrate(service.mongo)
        return self

    def tick(self, now: datetime) -> None:
        """Let it become that time, and nothing else happen."""
        self._clock.moment = now

    def records(self, *families: str) -> list[Record]:
        """What lies on the topics of these families, in the order in which it came."""
        return [each for each in self._kafka.all if family_of(each.topic) in families]

    def deliver(self, records: Iterable[Record]) -> None:
        """Append what was published in another world."""
        for each in records:
            self._kafka.append(each.topic, each.key, each.value, each.headers)

    async def come(self, at: datetime, messages: Sequence[Message]) -> list[str]:
        self.tick(at)
        records = [
            self._kafka.append(
                topic_of(each), each.key.encode(), each.body, headers_of(each, self._clock.now(), TRACEPARENT)
            )
            for each in messages
        ]
        return [f"{record.topic}/{record.partition}@{record.offset}" for record in records]

    async def rest(self, *names: str) -> None:
        """`names`: of these services alone; of all by default."""
        services = [service for name, service in self.services.items() if not names or name in names]
        for _ in range(ROUNDS):
            if not any([await service.consume() for service in services]) and not any(
                [await service.recompute() for service in services]
            ):
                return
        waiting = {service.name: service.mongo.all(RECALCULATIONS) for service in services}
        raise AssertionError(f"never comes to rest: {waiting}")

    async def ask(self, who: Officer, service: str, path: str) -> httpx.Response:
        return await self.client(who, service).get(path)

    async def order(self, who: Officer, service: str, path: str, body: Any, key: str) -> httpx.Response:
        return await self.client(who, service).post(path, json=body, headers={"Idempotency-Key": key})

    async def events(self) -> Sequence[Event]:
        return [Event.of(record) for log in self._kafka.logs.values() for record in log if _ours(record.topic)]

    async def dead_letters(self) -> Sequence[Letter]:
        return [
            Letter.of(name, row) for name, service in self.services.items() for row in service.mongo.all(DEAD_LETTERS)
        ]

    def client(self, who: Officer, name: str) -> httpx.AsyncClient:
        """Reaches a service's HTTP side in somebody's name."""
        token = issue_token(self._state, who.name, who.role, who.province)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self._app(name)),
            base_url=f"http://{name}",
            headers={"Authorization": f"Bearer {token}"},
        )

    def _app(self, name: str) -> FastAPI:
        if name not in self._apps:
            service, app = self.services[name], FastAPI(dependencies=[Depends(only_known)])
            app.state.verifier = local_verifier(self._state, service.mongo, self._clock)
            app.state.mongo = service.mongo
            app.state.runtime = SimpleNamespace(commands=service.commands, letters=service.letters, clock=self._clock)
            problems.install(app)
            app.include_router(service.wiring.router)
            app.include_router(dead_letters.router)
            self._apps[name] = app
        return self._apps[name]


def _ours(topic: str) -> bool:
    return not topic.startswith("submissions.")
