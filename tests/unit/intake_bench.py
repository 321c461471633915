"""Intake whole, over a database in memory: its pipeline, its recalculations, its commands and its HTTP side."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI

from deploy.local.identity import Role, ensure_signing_key, issue_token
from services.intake import api, decisions
from shared.contracts.base import Status
from shared.contracts.facts import Receipt
from shared.contracts.submissions import Submission
from shared.contracts.topics import submission_key
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.recalculation import Recalculator
from shared.messaging.decide.sets import Sets
from shared.messaging.send.outbox import Relay
from shared.web import problems
from tests.fakes.hand import MemoryHand
from tests.fakes.memory import MemoryMongo
from tests.fakes.trust import local_verifier
from tests.unit.delivery_samples import Stored, head, record
from tests.unit.test_outbox import Broker


class Still(BusinessClock):
    """A clock that stands still."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


class Bench:
    """One intake process, driven step by step."""

    def __init__(self, folder: Path, clock: BusinessClock | None = None) -> None:
        ensure_signing_key(folder)
        self.folder = folder
        self.mongo = MemoryMongo()
        clock = clock or BusinessClock()
        self.broker = Broker()
        self.relay = Relay(self.mongo, self.broker)
        consumer = Consumer("intake", ("submissions.01",), decisions.routes, decisions.refusals)
        sets = Sets(decisions.SETS)
        self.pipeline = Pipeline("intake", consumer, self.mongo, clock=clock, brake=Brake(5), sets=sets)
        self.commands = Commands("intake", self.mongo, self.relay, clock=clock, sets=sets)
        self.recalculator = Recalculator("intake", self.mongo, self.relay, clock=clock, sets=sets, quiet_seconds=0.0)
        self.runtime = SimpleNamespace(commands=self.commands, clock=clock)
        self.hand = MemoryHand(self.pipeline.process, first=1_000_000)
        """Its way in over HTTP: judged before the answer is looked for."""
        self._offset = 0

    def sent(self, type_: str, data: Submission, province: str = "01") -> Stored:
        """The submission as it lies in Kafka."""
        self._offset += 1
        value = data.model_dump_json().encode()
        key = submission_key(data.model_dump(), province)
        return record(value, head(type_), topic=f"submissions.{province}", offset=self._offset, key=key)

    async def receive(self, type_: str, data: Submission, province: str = "01") -> Receipt:
        """Receive one submission; returns its receipt."""
        known = set(self.mongo.rows("receipts"))
        await self.pipeline.process([self.sent(type_, data, province)])
        (new,) = set(self.mongo.rows("receipts")) - known
        return self.receipt(new)

    def receipt(self, receipt_id: str) -> Receipt:
        """A stored receipt."""
        return Receipt.model_validate(self.mongo.rows("receipts")[receipt_id]["receipt"])

    def receipts(self, status: Status | None = None) -> list[Receipt]:
        """All stored receipts, or those of a status."""
        found = [Receipt.model_validate(row["receipt"]) for row in self.mongo.rows("receipts").values()]
        return [receipt for receipt in found if status in (None, receipt.status)]

    def events(self, topic: str) -> list[dict[str, Any]]:
        """What waits to be published on a topic, in order."""
        rows = [row for row in self.mongo.rows("outbox").values() if row["topic"] == topic]
        return [json.loads(row["value"]) for row in sorted(rows, key=lambda row: row["order"])]

    async def settle(self) -> int:
        """Work off the open recalculations; returns how many sets were computed."""
        done = 0
        while self.mongo.rows("recalculations"):
            done += await self.recalculator.round()
        return done

    def http(self, role: Role = "ministry", province: str | None = None, *, account: str = "an") -> httpx.AsyncClient:
        """Intake's HTTP side, as a caller of this role reaches it."""
        app = FastAPI()
        app.state.verifier = local_verifier(self.folder, self.mongo, self.runtime.clock)
        app.state.mongo = self.mongo
        app.state.runtime = self.runtime
        app.state.hand = self.hand
        problems.install(app)
        app.include_router(api.router)
        token = issue_token(self.folder, account, role, province)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://intake", headers={"Authorization": f"Bearer {token}"}
        )
