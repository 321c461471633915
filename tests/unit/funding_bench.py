"""A funding service in memory: facts in, recalculations, and people with tokens who decide over HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

from deploy.local.identity import ensure_signing_key, issue_token
from services.funding import api, queries
from services.funding.decisions import PROPOSAL, SETS, routes
from shared.contracts.base import Provenance
from shared.contracts.catalogue import CONTRACTS, contract_of
from shared.contracts.facts import CentreScored, EnvelopeAccepted, RegistrationAccepted, SupportAccepted
from shared.messaging.clock import BusinessClock
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.recalculation import Recalculator
from shared.messaging.decide.sets import Sets, key_parts
from shared.messaging.messages import Position, Received
from shared.messaging.send.outbox import Relay
from shared.web import problems
from tests.fakes.memory import MemoryMongo
from tests.fakes.trust import local_verifier
from tests.unit.test_outbox import Broker

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
YEAR = 2026


@dataclass(frozen=True)
class Officer:
    """Somebody with a token."""

    subject: str
    role: Any
    province: str | None = None


LAN = Officer("lan", "province", "04")
MINH = Officer("minh", "province", "04")
HOA = Officer("hoa", "finance")
TUAN = Officer("tuan", "finance")
AN = Officer("an", "ministry")
KIM = Officer("kim", "auditor")
OTHER = Officer("son", "province", "08")


def registration(centre_id: str, province: str = "04", version: int = 1, **changes: Any) -> RegistrationAccepted:
    facts: dict[str, Any] = {
        "version": version,
        "submission_id": "s",
        "receipt_id": "r",
        "province": province,
        "received_at": NOW,
        "centre_id": centre_id,
        "name": f"TTHTCĐ {centre_id}",
        "commune_code": "01273",
        "unit_id": "01273",
        "area_class": "region_1",
        "population_served": 8_000,
        "opened_on": date(2010, 1, 1),
    }
    return RegistrationAccepted(**{**facts, **changes})


def envelope(amount: int, version: int = 1, year: int = YEAR, province: str = "04") -> EnvelopeAccepted:
    return EnvelopeAccepted(
        version=version,
        submission_id="s",
        receipt_id="r",
        province=province,
        received_at=NOW,
        year=year,
        amount=amount,
    )


def support(centre_id: str, amount: int, year: int = YEAR - 1, version: int = 1) -> SupportAccepted:
    return SupportAccepted(
        version=version,
        submission_id="s",
        receipt_id="r",
        province="04",
        received_at=NOW,
        centre_id=centre_id,
        year=year,
        amount=amount,
    )


def score(centre_id: str, grade: str, version: int = 1, period: int = YEAR - 1, province: str = "04") -> CentreScored:
    return CentreScored(
        version=version,
        input_version=version,
        period=period,
        rubric="clc_2553_2013",
        point_table="t",
        state="scored",
        total=70,
        grade=grade,
        level=None,
        criteria={},
        missing=[],
        provenance=Provenance.PROVISIONAL,
        received_at=NOW,
        centre_id=centre_id,
        name=f"TTHTCĐ {centre_id}",
        commune_code="01273",
        province=province,
    )


class StandingClock(BusinessClock):
    """Shows a moment: after the deadline of the assessments of 2025, before their period closes."""

    moment = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Business time."""
        return self.moment


@dataclass
class Bench:
    """The service. `tell` a fact, `settle` what follows, `order` what people decide."""

    state: Path
    mongo: MemoryMongo = field(default_factory=MemoryMongo)
    told: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        ensure_signing_key(self.state)
        relay = Relay(self.mongo, Broker())
        self.clock, sets = StandingClock(), Sets(SETS)
        self.commands = Commands("funding", self.mongo, relay, clock=self.clock, sets=sets)
        self.recalculator = Recalculator("funding", self.mongo, relay, clock=self.clock, sets=sets, quiet_seconds=0.0)
        app = FastAPI()
        app.state.verifier = local_verifier(self.state, self.mongo, self.clock)
        app.state.mongo = self.mongo
        settings = SimpleNamespace(address="http://funding")
        app.state.runtime = SimpleNamespace(commands=self.commands, clock=self.clock, settings=settings)
        problems.install(app)
        app.include_router(api.router)
        self.app = app

    async def ready(self) -> Bench:
        """With the indexes of the service."""
        await queries.migrate(self.mongo)
        return self

    async def tell(self, *facts: BaseModel) -> None:
        """Let facts come in, as the pipeline would."""
        for data in facts:
            self.told += 1
            event: Received[Any] = Received(
                data=data,
                event_id=f"urn:langhoc:test#{self.told}",
                type=contract_of(type(data)).value,
                source="urn:langhoc:test",
                subject="x",
                version=getattr(data, "version", None),
                received_at=NOW,
                position=Position("t", 0, self.told),
                raw=b"",
            )

            async def decide(order: Order[Received[Any]], ask: Ask) -> Outcome:
                return await routes[order.data.type](order.data, ask)

            await self.commands.order(f"told/{self.told}", event, decide)

    async def settle(self) -> None:
        """Recompute until nothing is open; a computation that fails must not pass for a settled one."""
        for _ in range(10):
            if not self._due():
                return
            await self.recalculator.round()
        raise AssertionError(f"never settles: {self.mongo.all('recalculations')}")

    def requested(self) -> set[tuple[Any, ...]]:
        """Keys of the proposals that are to be computed."""
        return {key_parts(row["key"]) for row in self._due() if row["set"] == PROPOSAL}

    def _due(self) -> list[Any]:
        rows = self.mongo.all("recalculations")
        return [row for row in rows if row.get("due") is None or row["due"] <= self.clock.now()]

    def http(self, who: Officer) -> httpx.AsyncClient:
        """As this officer reaches the service."""
        token = issue_token(self.state, who.subject, who.role, who.province)
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(
            transport=transport, base_url="http://funding", headers={"Authorization": f"Bearer {token}"}
        )

    async def get(self, path: str, who: Officer = HOA, **query: Any) -> Any:
        """The answer to a question, which must be given."""
        answer = await self.http(who).get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def adjustments(self, **query: Any) -> list[Any]:
        """The adjustments there are, page by page."""
        found: list[Any] = []
        after: str | None = None
        while True:
            asked: dict[str, Any] = query | {"limit": 2} | ({"after": after} if after else {})
            page = await self.get("/adjustments", **asked)
            found += page["items"]
            after = page["next"]
            if after is None:
                return found

    async def order(self, who: Officer, path: str, *, key: str | None = None, **body: Any) -> httpx.Response:
        """An order on what stands now, unless `version` and `hash` say otherwise."""
        self.asked += 1
        if "version" not in body:
            stands = await self.get(path.rpartition("/")[0])
            body = {"version": stands["version"], "hash": stands["hash"], **body}
            if path.startswith("/budgets/") and path.endswith("/submit"):
                body = {"accepts": self.open_centres(*path.split("/")[2:4]), **body}
        return await self.http(who).post(
            path,
            json={"why": "đã kiểm tra", **body},
            headers={"Idempotency-Key": key or f"key-{self.asked}"},
        )

    def open_centres(self, province: str, year: str) -> list[str]:
        """Whom a submission accepts by name unless it says otherwise: everybody whose file or figure is not there."""
        rows = [row for row in self.mongo.all("allocations") if (row["province"], str(row["year"])) == (province, year)]
        lines = [row["allocation"] for row in rows if "withdrawn" not in row["allocation"]["flags"]]
        awaited = {line["centre_id"] for line in lines if line["assessment"] == "awaited"}
        return sorted(awaited | set(self.document("runs", f"{province}/{year}")["last_year_unknown"]))

    async def done(self, who: Officer, path: str, **body: Any) -> Any:
        """An order that must be carried out."""
        answer = await self.order(who, path, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, who: Officer, path: str, **body: Any) -> tuple[int, list[str]]:
        """Status and all codes of an order that must not be carried out."""
        answer = await self.order(who, path, **body)
        assert answer.status_code >= 400, answer.text
        problem = answer.json()
        assert problem["code"] == problem["problems"][0]["code"]
        for each in problem["problems"]:
            assert all(each[part]["vi"] and each[part]["en"] for part in ("message", "expected", "mend"))
        return answer.status_code, [each["code"] for each in problem["problems"]]

    def events(self, model: type[BaseModel]) -> list[Any]:
        """What was published of a kind, in order."""
        rows = sorted(self.mongo.all("outbox"), key=lambda row: row["order"])
        return [
            model.model_validate_json(bytes(row["value"]))
            for row in rows
            if CONTRACTS[row["headers"]["ce_type"]].model is model
        ]

    def document(self, collection: str, id: str) -> Any:
        """One document as it is kept."""
        return {
            name: value
            for name, value in self.mongo.rows(collection)[id].items()
            if name == "_id" or not name.startswith("_")
        }

    def contents(self) -> str:
        """Everything that is kept of decisions, to see that nothing moved."""
        names = ("decisions", "journal", "allocations", "runs", "snapshots", "snapshot_parts")
        kept = {
            name: {str(row["_id"]): self.document(name, row["_id"]) for row in self.mongo.all(name)} for name in names
        }
        return json.dumps(kept, sort_keys=True, default=str)


async def proposed(state: Path, amount: int = 43_500_000) -> Bench:
    """Two centres of province 04, one good, one weak, with a proposal for 2026."""
    bench = await Bench(state).ready()
    await bench.tell(
        envelope(amount),
        *(registration(centre) for centre in "ab"),
        *(support(centre, 20_000_000) for centre in "ab"),
        score("a", "tot"),
        score("b", "yeu"),
    )
    await bench.settle()
    return bench


async def approved(state: Path, amount: int = 43_500_000) -> Bench:
    """The same, approved."""
    bench = await proposed(state, amount)
    for who, step in ((LAN, "simulate"), (LAN, "submit"), (HOA, "approve")):
        await bench.done(who, f"/budgets/04/2026/{step}")
    await bench.settle()
    return bench


async def published(state: Path, amount: int = 43_500_000) -> Bench:
    """The same, published."""
    bench = await approved(state, amount)
    await bench.done(TUAN, "/budgets/04/2026/publish")
    return bench
