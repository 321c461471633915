"""Scoring over a database in memory: facts in, everything that follows, results out. No Kafka, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace

from services.scoring.decisions import routes
from services.scoring.queries import migrate
from services.scoring.queries.computing import compute
from shared.contracts.catalogue import contract_of
from shared.messaging.clock import BusinessClock
from shared.messaging.collections import OUTBOX, RECALCULATIONS
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.handling import Document, Outcome, Recalculation
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.writing import Writer
from shared.mongo import Session
from tests.fakes.memory import MemoryMongo
from tests.unit.scoring_samples import received

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
_RANKINGS = ("nation", "province-", "area-")


class NoRelay:
    """Nothing is sent; the outbox shows what would be."""

    def wake(self) -> None:
        """Nothing to wake."""


class Bench:
    """One scoring service."""

    def __init__(self) -> None:
        self.mongo = MemoryMongo()
        self._writer = Writer("scoring", self.mongo, clock=BusinessClock())
        self.commands = Commands("scoring", self.mongo, NoRelay(), clock=BusinessClock())  # type: ignore[arg-type]
        self.computed: list[str] = []

    async def start(self) -> Bench:
        """Create the indexes."""
        await migrate(self.mongo)
        return self

    async def accept(self, *facts: Any) -> list[Outcome]:
        """Handle accepted facts, one after the other, each as the pipeline does."""
        outcomes = []
        for fact in facts:
            reader, outcome = await self.decide(fact)
            await self.write(reader, outcome)
            outcomes.append(outcome)
        return outcomes

    async def decide(self, fact: Any) -> tuple[Reader, Outcome]:
        """What a fact leads to on the state as it is now; nothing is written."""
        record = received(fact, contract_of(fact.__class__).type)
        reader = Reader(self.mongo)
        return reader, await decided(Run(routes[record.type], record, reader, record.received_at), reader)

    async def settle(self, *, rankings: bool = False, at: datetime = NOW) -> None:
        """Compute what was requested until nothing is left; rankings only where a test is about them."""
        while wanted := self.requests(rankings=rankings):
            scope, period = wanted[0]
            self.computed.append(scope)
            reader = Reader(self.mongo)
            used = [row["_id"] for row in self.mongo.all(RECALCULATIONS) if (row["scope"], row["period"]) == wanted[0]]
            await self.write(reader, await compute(reader, scope, period, at), used)

    def requests(self, *, rankings: bool = False) -> list[tuple[str, int]]:
        """Scopes and periods that wait, in order of asking; checks of recomputes after everything else."""
        rows = [(row["scope"], row["period"]) for row in self.mongo.all(RECALCULATIONS)]
        wanted = [row for row in dict.fromkeys(rows) if rankings or not row[0].startswith(_RANKINGS)]
        return sorted(wanted, key=lambda row: row[0].startswith("recompute/"))

    async def write(self, reader: Reader, outcome: Outcome, used: Iterable[Any] = ()) -> None:
        """Write what was decided. Raises `Conflict` if the state has moved."""

        async def also(session: Session) -> None:
            await self.mongo.delete(RECALCULATIONS, {"_id": {"$in": list(used)}}, session)

        cause = f"test/{self.mongo.commits}"
        writing = self._writer.begin(reader)
        self._writer.add(writing, outcome, cause=cause, at=NOW, span=trace.get_current_span())
        await self._writer.write(writing, also=also, on_repeat=lambda error: None)

    def documents(self, collection: str) -> dict[str, Document]:
        """All documents of a collection by id."""
        return {row["_id"]: row for row in self.mongo.all(collection)}

    def result(self, id: str) -> Any:
        """A result as it was published last."""
        return self.documents("results")[id]["result"]

    def published(self) -> int:
        """How many events were raised."""
        return len(self.mongo.all(OUTBOX))

    async def request(self, *requests: Recalculation) -> None:
        """Ask for something to be computed."""
        await self.write(Reader(self.mongo), Outcome(requests=list(requests)))
