"""A national re-score in memory: every commune, all criteria, every explanation, then the national ranking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from demo.synthetic import ON_TIME, PERIOD, Demonstration
from services.intake import decisions
from services.scoring.domain import score_commune
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.explained import CommuneExplained
from shared.contracts.facts import CommuneAccepted
from shared.messaging.consume import envelope
from shared.messaging.messages import Received
from shared.registry import registry
from tests.bench.delivery import records_of
from tests.bench.ground import Ground
from tests.bench.table import Measured, Row, ratio
from tests.fakes.known import Documents


def _accepted(provinces: tuple[str, ...] | None) -> Iterator[CommuneAccepted]:
    """The accepted assessments of a made-up national year, one per commune."""
    messages = [
        message
        for message in Demonstration(provinces).assessments()
        if message.type == EventType.COMMUNE_SUBMITTED and message.expected is Status.ACCEPTED
    ]
    decide = decisions.routes[EventType.COMMUNE_SUBMITTED]
    seen: set[str] = set()
    for record in records_of(messages):
        received: Received[Any] = envelope.read(record, received_at=ON_TIME, trusted=False)
        for event in Documents().decide(decide, received).events:
            if isinstance(event.data, CommuneAccepted) and event.data.unit_id not in seen:
                seen.add(event.data.unit_id)
                yield event.data


def run(ground: Ground) -> Measured:
    """Measure in this process."""
    accepted = list(_accepted(ground.sizes.provinces))
    raw = [one.model_dump_json() for one in accepted]
    units = len(registry().units(date(PERIOD, 12, 31)))

    started = time.perf_counter()
    read = [CommuneAccepted.model_validate_json(one) for one in raw]
    reading = time.perf_counter() - started
    started = time.perf_counter()
    scored: list[CommuneExplained] = [score_commune(one, (), (), 1) for one in read]
    scoring = time.perf_counter() - started
    targets = sum(len(criterion.targets) for result in scored for criterion in result.criteria)
    return Measured(
        [
            Row(
                f"reading {len(accepted):,} accepted assessments of {units:,} communes", f"{reading:.2f} s", "baseline"
            ),
            Row(f"scoring them: {targets:,} targets, each explained", f"{scoring:.2f} s", ratio(scoring, reading)),
        ],
        {"score_commune_us": scoring / len(accepted) * 1e6},
    )
