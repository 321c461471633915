"""The one place where both sides of `budgets` meet: what funding publishes is what notifications takes for complete.

Services share no code, so nothing but this test would notice if they hashed a run differently.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.funding.decisions import RUNS, ProvinceInputs, propose
from services.notifications.decisions import STANDING_MONEY, WAITING, ProvinceYear, routes
from shared.contracts.catalogue import CONTRACTS, contract_of
from shared.contracts.facts import Alert
from shared.messaging.decide.asking import Due, Outcome
from shared.messaging.decide.documents import Document
from shared.messaging.messages import Outgoing, Position, Received
from tests.fakes.known import Documents

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
AFTER_DEADLINE = datetime(2026, 5, 1, tzinfo=UTC)
ACCEPTED: Document = {
    "version": 1,
    "submission_id": "s-1",
    "receipt_id": "r-1",
    "province": "04",
    "received_at": "2026-03-01T02:00:00Z",
}


def inputs(*centre_ids: str) -> ProvinceInputs:
    """Centres that got 20 million last year, submitted nothing now and share 100 million."""
    centres = [
        {
            **ACCEPTED,
            "centre_id": centre_id,
            "name": f"TTHTCĐ {centre_id}",
            "commune_code": "01273",
            "unit_id": "01273",
            "area_class": "other",
            "population_served": 8_000,
            "opened_on": "2010-01-01",
        }
        for centre_id in centre_ids
    ]
    supports = [
        {**ACCEPTED, "centre_id": centre_id, "year": 2025, "purpose": "operating", "amount": 20_000_000}
        for centre_id in centre_ids
    ]
    envelope = {**ACCEPTED, "year": 2026, "purpose": "operating", "amount": 100_000_000}
    facts: Document = {"envelope": envelope, "centres": centres, "supports": supports}
    return ProvinceInputs(province="04", year=2026, scores=[], pending=[], **facts)


def deliver(states: Documents, event: Outgoing) -> None:
    """Over the wire: as JSON, read by the contract's model."""
    contract = contract_of(type(event.data))
    data = CONTRACTS[contract].model.model_validate_json(event.data.model_dump_json())
    received: Received[Any] = Received(
        data=data,
        event_id=f"{event.key}#{getattr(data, 'version', 0)}",
        type=contract.value,
        source="urn:langhoc:funding",
        subject=event.subject,
        version=getattr(data, "version", None),
        received_at=NOW,
        position=Position(event.topic, 0, 1),
        raw=b"",
        traceparent=event.parent,
    )
    states.run(routes[received.type], received)


def settle(states: Documents) -> Outcome:
    return states.run(STANDING_MONEY.decide, Due(ProvinceYear("04", 2026), AFTER_DEADLINE), AFTER_DEADLINE)


def told(outcome: Outcome) -> set[str]:
    """The centres in the digest."""
    (event,) = outcome.events
    assert isinstance(event.data, Alert)
    return {centre.centre_id for centre in event.data.centres}


def test_a_proposal_is_complete_when_its_last_event_is_there_and_not_before() -> None:
    states = Documents()
    proposal = propose(inputs("b", "a", "Ω/1"), None, [], NOW)
    *first, last = reversed(proposal.events)
    for event in first:
        deliver(states, event)
        assert settle(states).verdict == WAITING
    deliver(states, last)
    assert told(settle(states)) == {"a", "b", "Ω/1"}


def test_a_withdrawn_centre_does_not_keep_the_next_proposal_waiting() -> None:
    states = Documents()
    first = propose(inputs("a", "b"), None, [], NOW)
    run = first.puts.pop(RUNS.ref("04", 2026))
    second = propose(inputs("a", "c"), run, list(first.puts.values()), NOW)
    for event in [*first.events, *second.events]:
        deliver(states, event)
    assert told(settle(states)) == {"a", "c"}
