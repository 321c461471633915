"""Any sequence of deliveries, crashes, lost answers, rebalances and rivals: nothing lost, nothing doubled, at any time.

A Hypothesis state machine drives the real consumer, pipeline, relay and recalculation over a broker and a database in
memory, and breaks them between any two steps. After every step the database and the topic must equal what a few lines
of plain Python (`expected`) make of the records that count as handled.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, ProducerClosed, TopicAuthorizationFailedError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, invariant, multiple, precondition, rule

from shared.messaging.clock import SECOND, BusinessClock
from shared.messaging.consume import consuming
from shared.messaging.faults import NO_FAULTS, Faults, Injected, Step
from shared.messaging.send import outbox
from shared.messaging.settings import ServiceSettings
from shared.mongo.leases import Leases
from shared.mongo.port import CommitUnknown, MongoError, Transient, Unavailable
from tests.conformance.memory_kafka import MemoryBroker, MemoryKafka
from tests.conformance.service import (
    BALLAST,
    NAME,
    SOURCE,
    Conduct,
    Message,
    Process,
    Topics,
    fact,
    garbage,
    occurrence,
)
from tests.fakes.memory import Fault, MemoryMongo

TOPICS = Topics("in", "out")
SETTINGS = ServiceSettings(kafka="-", mongo="-", jwks="-", group_prefix="g-", brake_after=2, brake_probe=0)
GROUP = f"g-{NAME}"
PROVINCES = ("01", "04", "79")
LIMITS = st.integers(1, 8)
IN_A_BATCH = st.sampled_from([Step.COMMITTING, Step.COMMITTED, Step.ACKNOWLEDGING])
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
LEASE = timedelta(seconds=SETTINGS.lease_seconds + 1)

COMMIT_FAULTS = [
    Fault(Transient),
    Fault(CommitUnknown),
    Fault(CommitUnknown, applied=True),
    Fault(Unavailable),
    Fault(Unavailable, applied=True),
]


class Crash(BaseException):
    """The process is gone; nothing of it runs any further."""


@dataclass
class Script(Faults):
    """What happens at which step of the next deliveries."""

    events: dict[Step, BaseException | Callable[[], Awaitable[object]]] = field(default_factory=dict)

    async def reach(self, step: Step) -> None:
        match self.events.pop(step, None):
            case BaseException() as error:
                raise error
            case None:
                pass
            case action:
                await action()


PAGE_TROUBLES = [Crash(), KafkaConnectionError(), TopicAuthorizationFailedError("taken away")]


class Broker(MemoryBroker):
    """A broker whose next sends go wrong as told, one entry for each: `True` if the record lands nevertheless.

    Behind a failure nothing more is taken until the producer is made anew.
    """

    def __init__(self, kafka: MemoryKafka) -> None:
        super().__init__(kafka)
        self.troubles: list[tuple[BaseException, bool] | None] = []
        self._broken = False

    async def renew(self) -> None:
        self._broken = False

    async def send(self, topic: str, *, key: bytes, value: bytes, headers: Mapping[str, str]) -> asyncio.Future[Any]:
        if self._broken:
            raise ProducerClosed
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is None:
            return await super().send(topic, key=key, value=value, headers=headers)
        error, landed = trouble
        self._broken = True
        if not landed:
            raise error
        confirmation = await super().send(topic, key=key, value=value, headers=headers)
        if isinstance(error, Crash):
            raise error
        lost: asyncio.Future[Any] = confirmation.get_loop().create_future()
        lost.set_exception(error)
        return lost


@dataclass
class Effects:
    """What a list of handled records leads to."""

    tallies: dict[str, int] = field(default_factory=dict)
    envelopes: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Version and amount."""
    dead: dict[str, str] = field(default_factory=dict)
    """Reasons, by record."""
    events: dict[str, list[str]] = field(default_factory=dict)
    """By key, in order: the records that caused them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the oracle knows of a record."""

    id: str
    key: str
    conduct: Conduct | None
    """`None`: it cannot be read."""
    version: int | None
    """`None`: an occurrence."""
    amount: int = 0


def expected(handled: Iterable[Sent]) -> Effects:
    """The oracle."""
    effects = Effects()
    for sent in {sent.id: sent for sent in handled}.values():
        if sent.conduct is None:
            effects.dead[sent.id] = "bad_json"
            continue
        known, _ = effects.envelopes.get(sent.key, (0, 0))
        if sent.version is not None and sent.version <= known:
            continue
        if sent.conduct is Conduct.OVERSIZE:
            effects.dead[sent.id] = "unwritable"
        elif sent.conduct is not Conduct.GOOD:
            effects.dead[sent.id] = "handler_failed"
        else:
            if sent.version is None:
                effects.tallies[sent.key] = effects.tallies.get(sent.key, 0) + 1
            else:
                effects.envelopes[sent.key] = sent.version, sent.amount
            effects.events.setdefault(sent.key, []).append(sent.id)
    return effects


when_records_wait = precondition(lambda machine: machine.records_wait())
when_events_wait = precondition(lambda machine: machine.events_wait())
when_requests_wait = precondition(lambda machine: machine.requests_wait())


class Delivery(RuleBasedStateMachine):
    """One process at a time, and now and then a rival that does not know it is one."""

    published = Bundle("published")

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(consuming, "PAUSES", (0.0,))
        self._patch.setattr(outbox, "PARK_SECONDS", 0.0)
        self._loop = asyncio.Runner()
        self._script = Script()
        self._kafka = MemoryKafka({TOPICS.input: 2, TOPICS.output: 2})
        self._mongo = MemoryMongo(unwritable=lambda collection, document: collection == BALLAST.name)
        self._elapsed = timedelta()
        # No host's clock: how long a step takes here must not decide what the next one finds.
        self._mongo.now = lambda: BEGIN + self._elapsed
        moments = itertools.count(int(BEGIN.timestamp()) * SECOND, 1_000)
        self._patch.setattr(BusinessClock, "_now", lambda clock: next(moments))
        self._sent: dict[str, tuple[Message, Sent]] = {}
        self._run(Leases(self._mongo, 1).create(outbox.SLOTS))
        self._boot()

    def teardown(self) -> None:
        try:
            self._drain()
            self._check_end()
        finally:
            self._loop.close()
            self._patch.undo()

    # -------------------------------------------------------------------------------------------- records come

    @rule(
        target=published,
        kinds=st.lists(
            st.tuples(
                st.sampled_from(PROVINCES),
                st.sampled_from([*[Conduct.GOOD] * 4, *Conduct, None]),
                st.sampled_from([None, None, 1, 2, 3, 4]),
            ),
            min_size=1,
            max_size=6,
        ),
    )
    def publish(self, kinds: list[tuple[str, Conduct | None, int | None]]) -> MultipleResults[str]:
        """New records: facts, occurrences, and some that misbehave."""
        return multiple(*(self._publish(*kind) for kind in kinds))

    @rule(id=published)
    def publish_again(self, id: str) -> None:
        """The same event once more, as a producer does that was not told of its success."""
        self._append(self._sent[id][0])

    @rule(province=st.sampled_from(PROVINCES), count=st.integers(2, 5))
    def publish_what_we_cannot_handle(self, province: str, count: int) -> None:
        """A row of records that fail by our own fault, enough to close the brake, and one that does not."""
        for _ in range(count):
            self._publish(province, Conduct.POISON, None)
        self._publish(province, Conduct.GOOD, None)

    # -------------------------------------------------------------------------------------------- work goes on

    def records_wait(self) -> bool:
        """Whether a delivery would do something."""
        return self._committed() != [len(partition) for partition in self._logs()]

    def events_wait(self) -> bool:
        """Whether the relay would do something."""
        return bool(self._rows("outbox"))

    def requests_wait(self) -> bool:
        """Whether a recalculation would do something."""
        return bool(self._rows("recalculations"))

    @when_records_wait
    @rule(limit=LIMITS)
    def deliver(self, limit: int) -> None:
        """A batch."""
        self._process.consuming.resume_due()
        self._alive(self._broker.subscribed.poll(limit))
        self._script.events.clear()

    @when_events_wait
    @rule()
    def relay(self) -> None:
        """A page of the outbox."""
        self._alive(self._process.relay.round())
        self._script.events.clear()

    @when_requests_wait
    @rule()
    def recompute(self) -> None:
        """The results over sets that were asked for."""
        self._alive(self._process.recalculator.round())

    # -------------------------------------------------------------------------------------------- things go wrong

    @rule()
    def crash(self) -> None:
        """Between two steps of ours."""
        self._boot()

    @when_records_wait
    @rule(step=IN_A_BATCH, limit=LIMITS)
    def crash_in_a_batch(self, step: Step, limit: int) -> None:
        """The process dies within a batch."""
        self._script.events[step] = Crash()
        self.deliver(limit)

    @when_records_wait
    @rule(step=IN_A_BATCH, limit=LIMITS)
    def lose_an_answer_in_a_batch(self, step: Step, limit: int) -> None:
        """The process lives on and does not know what became of a step."""
        self._script.events[step] = Injected("lost")
        self.deliver(limit)

    @when_events_wait
    @rule(error=st.sampled_from([Crash(), Injected("lost")]))
    def trouble_before_rows_are_deleted(self, error: BaseException) -> None:
        """The broker has the page, and the process dies or is not told."""
        self._script.events[Step.CONFIRMED] = error
        self.relay()

    @when_events_wait
    @rule(error=st.sampled_from(PAGE_TROUBLES), sends=st.integers(0, 9), landed=st.booleans())
    def trouble_within_a_page(self, error: BaseException, sends: int, landed: bool) -> None:
        """The process dies, or one send fails, before or after the record lands."""
        self._broker.troubles = [None] * (sends % len(self._rows("outbox"))) + [(error, landed)]
        self.relay()
        self._broker.troubles = []

    @rule(fault=st.sampled_from(COMMIT_FAULTS), limit=LIMITS, recomputing=st.booleans())
    def trouble_with_the_database(self, fault: Fault, limit: int, recomputing: bool) -> None:
        """The next commit ends in doubt."""
        self._mongo.commit_faults = {self._mongo.commits + 1: fault}
        if recomputing:
            self.recompute()
        else:
            self.deliver(limit)
        self._mongo.commit_faults = {}

    @rule()
    def rebalance(self) -> None:
        """The partitions come back, from where the group had committed."""
        self._run(self._broker.subscribed.join())

    @when_requests_wait
    @rule(limit=LIMITS)
    def a_batch_comes_while_a_result_is_computed(self, limit: int) -> None:
        """Its request must lead to another result."""

        async def work() -> None:
            await self._broker.subscribed.poll(limit)

        self._mongo.meanwhile = [work]
        self.recompute()
        self._mongo.meanwhile = []

    @when_records_wait
    @rule(limit=LIMITS, rivals=LIMITS, written=st.booleans())
    def a_rival_in_a_batch(self, limit: int, rivals: int, written: bool) -> None:
        """Another member reads the same partitions in the middle of our batch, before or after we wrote it."""
        broker, process = self._build(NO_FAULTS)

        async def work() -> None:
            await broker.subscribed.join()
            await broker.subscribed.poll(rivals)
            await process.recalculator.round()

        if written:
            self._script.events[Step.COMMITTING] = work
        else:
            self._mongo.meanwhile = [work]
        self.deliver(limit)
        self._mongo.meanwhile = []

    # -------------------------------------------------------------------------------------------- what must hold

    @invariant()
    def handled_records_and_only_they_have_effects_once(self) -> None:
        handled = [sent for partition in self._logs() for sent in partition[: self._handled(partition)]]
        inbox = {id.removeprefix(f"{SOURCE}#") for id in self._mongo.rows("inbox")}
        assert inbox == {sent.id for sent in handled}, "what is handled is the beginning of each partition"

        effects = expected(handled)
        assert {row["_id"]: row["n"] for row in self._rows("tallies")} == effects.tallies
        envelopes = {row["_id"]: (row["version"], row["amount"]) for row in self._rows("envelopes")}
        assert envelopes == effects.envelopes
        letters = [(dict(row["headers"])["ce_id"].decode(), row["reason"]) for row in self._rows("dead_letters")]
        assert sorted(letters) == sorted(effects.dead.items())
        assert self._raised() == effects.events

    @invariant()
    def no_acknowledgement_is_ahead_of_the_effects(self) -> None:
        for committed, partition in zip(self._committed(), self._logs(), strict=True):
            assert committed <= self._handled(partition)

    def _check_end(self) -> None:
        lengths = [len(partition) for partition in self._logs()]
        assert [self._handled(partition) for partition in self._logs()] == lengths, "something is lost"
        assert self._committed() == lengths
        assert self._rows("outbox") == []
        assert self._rows("recalculations") == []
        self.handled_records_and_only_they_have_effects_once()
        sums = self._rows("sums")
        assert sum(row["amount"] for row in sums) == sum(row["amount"] for row in self._rows("envelopes"))
        assert self._results() == list(range(1, sums[0]["version"] + 1 if sums else 1))

    # -------------------------------------------------------------------------------------------- how it is done

    def _run(self, work: Any) -> Any:
        return self._loop.run(work)

    def _build(self, faults: Faults) -> tuple[Broker, Process]:
        broker = Broker(self._kafka)
        return broker, Process(broker, broker, self._mongo, SETTINGS, TOPICS, faults=faults)

    def _boot(self) -> None:
        """A new process, some time after the old one's death."""
        self._elapsed += LEASE
        self._script.events.clear()
        self._broker, self._process = self._build(self._script)
        self._run(self._broker.subscribed.join())

    def _alive(self, work: Any) -> None:
        """Let the process work; if it dies of that, there is a new one."""
        try:
            self._run(work)
        except Crash:
            self._boot()
        except MongoError:  # the loops around relay and recalculation wait it out
            pass

    def _publish(self, province: str, conduct: Conduct | None, version: int | None) -> str:
        id, amount = f"r{len(self._sent)}", len(self._sent)
        if conduct is None:
            message, version = garbage(id, province), None
        elif version is None:
            message = occurrence(id, province, conduct=conduct)
        else:
            message = fact(id, province, version=version, amount=amount, conduct=conduct)
        self._sent[id] = message, Sent(id, province, conduct, version, amount)
        self._append(message)
        return id

    def _append(self, message: Message) -> None:
        self._kafka.append(TOPICS.input, message.key.encode(), message.value, message.wire_headers)

    def _drain(self) -> None:
        """Everything is healthy again. A new process each time, because the brake waits for a mended one."""
        for _ in range(len(self._sent) + 10):
            self._boot()
            self.deliver(1_000)
            self.recompute()
            self.relay()
            if not (self.records_wait() or self.events_wait()):
                break

    def _logs(self) -> list[list[Sent]]:
        """What was sent, by partition."""
        return [
            [self._sent[dict(record.headers)["ce_id"].decode()][1] for record in self._kafka.logs[partition]]
            for partition in self._kafka.partitions(TOPICS.input)
        ]

    def _committed(self) -> list[int]:
        """What the group has acknowledged, by partition."""
        return [self._kafka.committed.get((GROUP, each), 0) for each in self._kafka.partitions(TOPICS.input)]

    def _handled(self, partition: list[Sent]) -> int:
        """How many records from the partition's start are known to the inbox."""
        inbox = self._mongo.rows("inbox")
        return next((n for n, sent in enumerate(partition) if f"{SOURCE}#{sent.id}" not in inbox), len(partition))

    def _rows(self, collection: str) -> list[dict[str, Any]]:
        return self._mongo.all(collection)

    def _events(self) -> list[tuple[str, dict[str, str]]]:
        """Events on the topic and behind them those on their way, the first of each id: key and headers."""
        found: dict[str, tuple[str, dict[str, str]]] = {}
        for partition in self._kafka.partitions(TOPICS.output):
            for record in self._kafka.logs[partition]:
                headers = {name: value.decode() for name, value in record.headers}
                found.setdefault(headers["ce_id"], ((record.key or b"").decode(), headers))
        for row in sorted(self._rows("outbox"), key=lambda row: row["order"]):
            found.setdefault(row["_id"], (row["key"], row["headers"]))
        return list(found.values())

    def _raised(self) -> dict[str, list[str]]:
        """By key, in order: the records that caused the events."""
        raised: dict[str, list[str]] = {}
        for key, headers in self._events():
            if headers["ce_subject"].startswith(SOURCE):
                raised.setdefault(key, []).append(headers["ce_subject"].removeprefix(f"{SOURCE}#"))
        return raised

    def _results(self) -> list[int]:
        """Versions of the results over the set, in order."""
        return [int(headers["ce_version"]) for key, headers in self._events() if key == "nation"]


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(
    max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
