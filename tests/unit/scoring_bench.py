"""Scoring over a database in memory: facts in, everything that follows, results out. No Kafka, no clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace

from services.scoring.decisions import CHECK, RANKING, RESULTS, SETS, explain, routes
from services.scoring.queries import migrate
from shared.contracts.catalogue import contract_of
from shared.messaging.clock import BusinessClock
from shared.messaging.collections import OUTBOX, RECALCULATIONS
from shared.messaging.decide.asking import Outcome
from shared.messaging.decide.commands import Commands
from shared.messaging.decide.documents import Document
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.recalculation import Recalculator
from shared.messaging.decide.sets import Sets, key_parts, key_text
from shared.messaging.decide.writing import Writer
from tests.fakes.memory import MemoryMongo
from tests.unit.scoring_samples import received

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)


class Clock(BusinessClock):
    """Shows the moment that the test chose."""

    moment = NOW

    def now(self) -> datetime:
        return self.moment


class NoRelay:
    """Nothing is sent; the outbox shows what would be."""

    def wake(self) -> None:
        """Nothing to wake."""


class Bench:
    """One scoring service."""

    def __init__(self) -> None:
        self.mongo = MemoryMongo()
        relay, self.clock, sets = NoRelay(), Clock(), Sets(SETS)
        self._writer = Writer("scoring", self.mongo, clock=self.clock, sets=sets)
        self.commands = Commands("scoring", self.mongo, relay, clock=self.clock, sets=sets)  # type: ignore[arg-type]
        self._recalculator = Recalculator("scoring", self.mongo, relay, clock=self.clock, sets=sets)  # type: ignore[arg-type]
        self.computed: list[tuple[str, tuple[Any, ...]]] = []

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
        record = received(fact, contract_of(fact.__class__))
        reader = Reader(self.mongo)
        return reader, await decided(Run(routes[record.type], record, reader, record.received_at, ranges=False), reader)

    async def settle(self, *, rankings: bool = False, at: datetime | None = None) -> None:
        """Compute what was requested until nothing is left; rankings only where a test is about them."""
        self.clock.moment = at or self.clock.moment
        while wanted := self.requests(rankings=rankings):
            name, key = wanted[0]
            self.computed.append(wanted[0])
            await self._recalculator._recompute((name, key_text(key)))

    def requests(self, *, rankings: bool = False) -> list[tuple[str, tuple[Any, ...]]]:
        """Sets and keys that wait, in order of asking; checks of recomputes after everything else."""
        due = [row for row in self.mongo.all(RECALCULATIONS) if row["due"] is None or row["due"] <= self.clock.now()]
        rows = [(row["set"], key_parts(row["key"])) for row in due]
        wanted = [row for row in dict.fromkeys(rows) if rankings or row[0] != RANKING.name]
        return sorted(wanted, key=lambda row: row[0] == CHECK.name)

    async def write(self, reader: Reader, outcome: Outcome) -> None:
        """Write what was decided. Raises `Conflict` if the state has moved."""
        writing = self._writer.begin(reader)
        self._writer.add(writing, outcome, cause=f"test/{self.mongo.commits}", at=NOW, span=trace.get_current_span())
        await self._writer.write(writing, on_repeat=lambda error: None)

    def documents(self, collection: str) -> dict[str, Document]:
        """All documents of a collection by id."""
        return {row["_id"]: row for row in self.mongo.all(collection)}

    def result(self, id: str) -> Any:
        """A result as it is answered: with its words, which are not kept."""
        told, is_explained = explain(RESULTS.read(self.mongo.rows("results")[id]))
        assert is_explained
        return told.model_dump(mode="json")

    def published(self) -> int:
        """How many events were raised."""
        return len(self.mongo.all(OUTBOX))
