"""What must come out, computed in memory from what was published: the services' pure handlers, no Kafka, no database.

The oracle shares the handlers with the services, so it cannot catch a wrong rule (the golden cases do). It catches what
the platform around them may do: lose, double, reorder, forget to recompute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.funding import decisions as funding
from services.intake import decisions as intake
from services.notifications import decisions as notifications
from services.scoring import decisions as scoring
from services.scoring.decisions import AREA, COLLECTED, RANKING, rankings
from services.scoring.decisions.documents import Result
from services.scoring.decisions.ranking_versions import ranking
from services.scoring.domain import Standing
from shared.contracts.catalogue import contract_of
from shared.messaging.clock import BusinessClock
from shared.messaging.consume import envelope
from shared.messaging.consume.pipeline import Handle, classify
from shared.messaging.decide.asking import Consumer, Due, Outcome, Request
from shared.messaging.decide.documents import Document, content_of
from shared.messaging.decide.sets import SetOf, Sets
from shared.messaging.messages import Outgoing, Position, Received, derived_id
from shared.registry import registry
from tests.fakes.known import Documents

NOW = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)


@dataclass
class FakeRecord:
    """A record as the broker would hand it over."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class _Service:
    def __init__(self, consumer: Consumer, sets: Sequence[SetOf[Any]] = ()) -> None:
        self.consumer = consumer
        self.states = Documents()
        self.requests: set[Any] = set()
        self._sets = Sets(sets)

    def handle(self, received: Received[Any]) -> list[Outgoing]:
        decision = classify(received, self.consumer)
        if not isinstance(decision, Handle):
            return []
        outcome = self.states.decide(decision.decide, received)
        self.keep(outcome)
        return outcome.events

    def keep(self, outcome: Outcome) -> None:
        """Keep an outcome's documents, and ask for the sets that they touch."""
        self.requests.update(outcome.requests)
        for ref, state in outcome.puts.items():
            self.requests.update(self._sets.touched(ref, self.states[ref], state))
        self.states.apply(outcome)

    def documents(self, collection: str) -> dict[str, Document]:
        """The documents of a collection as they are stored, by id."""
        return {
            ref.id: content_of(ref.kind.written(state))
            for ref, state in self.states.items()
            if ref.collection == collection and state is not None
        }


class Oracle:
    """Runs everything that was published, in the order of its channels."""

    def __init__(self, clock: BusinessClock) -> None:
        self._clock = clock
        self.intake = _Service(Consumer("intake", (), intake.routes, intake.refusals))
        self.scoring = _Service(Consumer("scoring", (), scoring.routes), scoring.SETS)
        self.funding = _Service(Consumer("funding", (), funding.routes), funding.SETS)
        self.notifications = _Service(Consumer("notifications", (), notifications.routes), notifications.SETS)
        self._followers: Mapping[str, tuple[_Service, ...]] = {
            "intake.accepted": (self.scoring, self.funding),
            "receipts": (self.funding, self.notifications),
            "scores": (self.funding, self.notifications),
            "budgets": (self.notifications,),
        }

    def run(self, records: Iterable[envelope.Record]) -> None:
        """Run what lies on the provinces' channels, in the order in which the broker appended it."""

        def order(record: envelope.Record) -> tuple[int, str, int, int]:
            return record.timestamp, record.topic, record.partition, record.offset

        for record in sorted(records, key=order):
            at = self._clock.appended(record.timestamp)
            received = envelope.read(record, received_at=at, trusted=False, clock_offset=self._clock.offset_seconds)
            self._follow(self.intake.handle(received), received)
        self._recompute()

    def _follow(self, events: Iterable[Outgoing], cause: Received[Any]) -> None:
        waiting = deque((event, cause.event_id, index) for index, event in enumerate(events))
        while waiting:
            event, parent, index = waiting.popleft()
            event_id = derived_id(parent, index)
            received = _received(event, event_id, cause.received_at)
            for follower in self._followers_of(event.topic):
                raised = follower.handle(received)
                waiting.extend((each, event_id, number) for number, each in enumerate(raised))

    def _followers_of(self, topic: str) -> tuple[_Service, ...]:
        return self._followers.get(topic) or self._followers.get(topic.split(".", 1)[0], ())

    def _recompute(self) -> None:
        self._judge_sets()
        for key in sorted(_keys(self.scoring.requests, RANKING)):
            self._apply(self.scoring, self._ranking(*key))
        self._compute(self.funding, funding.PROPOSALS)
        for one in notifications.SETS:
            self._compute(self.notifications, one)

    def _compute(self, service: _Service, one: SetOf[Any]) -> None:
        for key in sorted(_keys(service.requests, one)):
            cause: Due[Any] = Due(one.key(*key), NOW)
            self._apply(service, service.states.decide(one.decide, cause, NOW, one.declared))

    def _apply(self, service: _Service, outcome: Outcome) -> None:
        service.keep(outcome)
        for event in outcome.events:
            received = _received(event, derived_id(f"{event.subject}/{event.topic}", 0), NOW)
            for follower in self._followers.get(event.topic, ()):
                follower.handle(received)

    def _judge_sets(self) -> None:
        """Districts, then provinces, then communes that a centre has left: each may ask for the next."""
        for one in (AREA, COLLECTED):
            done: set[Any] = set()
            while waiting := _keys(self.scoring.requests, one) - done:
                key = min(waiting)
                done.add(key)
                cause: Due[Any] = Due(one.key(*key), NOW)
                self._apply(self.scoring, self.scoring.states.decide(one.decide, cause, NOW, one.declared))

    def _ranking(self, scope: str, period: int) -> Outcome:
        states = self.scoring.states
        terms = rankings.terms(scope, period, states[scoring.RANKINGS.ref(scope, period - 1)], registry())
        results: dict[str, list[Standing]] = {}
        for state in states.values():
            if isinstance(state, Result) and (state.kind, state.period) == ("commune", period):
                results.setdefault(state.holder, []).append(Standing.model_validate(dict(state.result)))
        pages = rankings.page_ids(terms.earlier) if terms.earlier else []
        kept = [states[scoring.RANKING_PAGES.ref(id)] for id in pages]
        earlier = {row.unit_id: row for page in kept if page for row in page.rows}
        return ranking(terms, results, NOW, seen={}, earlier=earlier)


def _keys(requests: Iterable[Any], of: SetOf[Any]) -> set[Any]:
    """Keys of one kind of set. An open one stands for known sets, and all that are known are computed anyway."""
    return {each.key for each in requests if isinstance(each, Request) and each.set == of.name and None not in each.key}


def _received(event: Outgoing, event_id: str, at: datetime) -> Received[Any]:
    return Received(
        data=event.data,
        event_id=f"oracle#{event_id}",
        type=contract_of(type(event.data)).value,
        source="oracle",
        subject=event.subject,
        version=getattr(event.data, "version", None),
        received_at=at,
        position=Position(event.topic, 0, 0),
        raw=b"",
    )
