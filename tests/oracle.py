"""What must come out, computed in memory from what was published: the services' pure handlers, no Kafka, no database.

The oracle shares the handlers with the services, so it cannot catch a wrong rule (the golden cases do). It catches what
the platform around them may do: lose, double, reorder, forget to recompute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from cli.publishing import Message, Sent, headers_of
from services.funding import handlers as funding
from services.intake import handlers as intake
from services.notifications import handlers as notifications
from services.scoring import handlers as scoring
from shared.contracts.catalogue import contract_of
from shared.messaging import envelope
from shared.messaging.clock import BusinessClock
from shared.messaging.handling import (
    Consumer,
    Dictionary,
    Document,
    Outcome,
    Outgoing,
    Position,
    Recalculation,
    Received,
    Ref,
    derived_id,
)
from shared.messaging.pipeline import Handle, classify
from shared.registry import registry

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
    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self.states = Dictionary()
        self.requests: set[Recalculation] = set()

    def handle(self, received: Received[Any]) -> list[Outgoing]:
        decision = classify(received, self.consumer)
        if not isinstance(decision, Handle):
            return []
        for ref in decision.route.needs(received):
            self.states.documents.setdefault(ref, None)  # type: ignore[arg-type]
        outcome = self.states.apply(decision.route.handle(received, self.states))
        self.requests.update(outcome.requests)
        return outcome.events

    def documents(self, collection: str) -> dict[str, Document]:
        return {
            ref.id: document
            for ref, document in self.states.documents.items()
            if ref.collection == collection and document is not None
        }


class Oracle:
    """Runs everything that was published, in the order of its channels."""

    def __init__(self, clock: BusinessClock) -> None:
        self._clock = clock
        offset = clock.offset_seconds
        self.intake = _Service(Consumer("intake", (), intake.routes(offset), intake.refusals(offset)))
        self.scoring = _Service(Consumer("scoring", (), scoring.routes))
        self.funding = _Service(Consumer("funding", (), funding.ROUTES))
        self.notifications = _Service(Consumer("notifications", (), notifications.ROUTES))
        self._followers: Mapping[str, tuple[_Service, ...]] = {
            "intake.accepted": (self.scoring, self.funding),
            "receipts": (self.funding, self.notifications),
            "scores": (self.funding, self.notifications),
            "budgets": (self.notifications,),
        }

    def run(self, sent: Iterable[Sent], appended_at: Mapping[str, datetime]) -> None:
        """Run what was sent, in the broker's order. `appended_at`: business time by channel, as the receipts say."""

        def order(item: Sent) -> tuple[datetime, str, int, int]:
            position = item.position
            return appended_at[str(position)], position.topic, position.partition, position.offset

        for item in sorted(sent, key=order):
            at = appended_at[str(item.position)]
            record = _record(item.message, item.position, at)
            received = envelope.read(record, received_at=at, trusted=False)
            self._follow(self.intake.handle(received), received)
        self._recompute()

    def is_current(self, alert: str) -> bool:
        """Whether an alert about a result speaks of the result that stands at the end."""
        _, _, subject, period, outcome = alert.split("/")
        document = self.scoring.states[Ref("results", f"{subject}/{period}")]
        assert document is not None
        result = document["result"]
        return outcome in (f"level-{result['level']}", str(result["grade"]))

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
        for request in sorted(self.scoring.requests, key=lambda request: (request.scope, request.period)):
            self._apply(self.scoring, self._ranking(request))
        for request in sorted(self.funding.requests, key=lambda request: (request.scope, request.period)):
            self._apply(self.funding, self._proposal(request))

    def _apply(self, service: _Service, outcome: Outcome) -> None:
        service.states.apply(outcome)
        for event in outcome.events:
            received = _received(event, derived_id(f"{event.subject}/{event.topic}", 0), NOW)
            for follower in self._followers.get(event.topic, ()):
                follower.handle(received)

    def _ranking(self, request: Recalculation) -> Outcome:
        holder = None if request.scope == scoring.NATION else request.scope.removeprefix("province-")
        results = [
            document
            for document in self.scoring.documents("results").values()
            if document["kind"] == "commune"
            and document["period"] == request.period
            and holder in (None, document["holder"])
        ]
        units = registry().units(date(request.period, 12, 31), holder)
        return scoring.ranking(request.scope, request.period, results, units, None, NOW)

    def _proposal(self, request: Recalculation) -> Outcome:
        def of(collection: str) -> list[Document]:
            found = self.funding.documents(collection).values()
            return [document for document in found if document["province"] == request.scope]

        inputs = funding.ProvinceInputs(
            province=request.scope,
            year=request.period,
            envelope=self.funding.states[Ref("envelopes", f"{request.scope}/{request.period}")],
            centres=of("centres"),
            scores=[score for score in of("scores") if score["period"] < request.period],
            supports=[support for support in of("supports") if support["year"] == request.period - 1],
            pending=[file for file in of("pending") if file["period"] == request.period - 1],
        )
        return funding.propose(inputs, None, [], NOW)


def _record(message: Message, position: Position, at: datetime) -> FakeRecord:
    headers = headers_of(message, at, "")
    return FakeRecord(
        position.topic,
        position.partition,
        position.offset,
        int(at.timestamp() * 1000),
        message.key.encode(),
        message.body,
        headers,
    )


def _received(event: Outgoing, event_id: str, at: datetime) -> Received[Any]:
    return Received(
        data=event.data,
        event_id=f"oracle#{event_id}",
        type=contract_of(type(event.data)).type.value,
        source="oracle",
        subject=event.subject,
        version=getattr(event.data, "version", None),
        received_at=at,
        position=Position(event.topic, 0, 0),
        raw=b"",
    )
