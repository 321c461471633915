"""A topic that holds results of an earlier release beside today's is followed from its beginning (ADR 45)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.funding.decisions import routes as funding
from services.notifications.decisions import routes as notifications
from shared.contracts.catalogue import EXAMPLES, EventType
from shared.contracts.former import FORMER
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Consumer
from tests.fakes.memory import MemoryMongo
from tests.unit.delivery_samples import Stored, head, record

OF_CENTRES = "langhoc.centre.scored.v1"


def stored(type: str, offset: int, **changes: Any) -> Stored:
    """The example of a type as a record of `scores`."""
    data = json.loads((EXAMPLES / f"{type}.json").read_text(encoding="utf-8"))["data"] | changes
    return record(json.dumps(data).encode(), head(type, f"e-{offset}"), topic="scores", offset=offset)


async def followed(service: str, *records: Stored) -> MemoryMongo:
    """The database of a service that has read these records."""
    routes = {"funding": funding, "notifications": notifications}[service]
    mongo = MemoryMongo()
    consumer = Consumer(service, ("scores",), routes)
    await Pipeline(service, consumer, mongo, clock=BusinessClock(), brake=Brake(5)).process(list(records))
    assert mongo.all("dead_letters") == []
    return mongo


@pytest.mark.parametrize(("service", "kept"), [("funding", "scores"), ("notifications", "results")])
async def test_old_and_new_results_are_followed_in_one_topic(service: str, kept: str) -> None:
    old = stored(OF_CENTRES, 0)
    both = await followed(service, old, stored(EventType.CENTRE_SCORED, 1, version=2))
    assert len(both.all(kept)) == 1
    (newest,) = (await followed(service, stored(EventType.CENTRE_SCORED, 1, version=2))).all(kept)
    (followed_both,) = both.all(kept)
    assert followed_both["version"] == newest["version"] == 2
    (first,) = (await followed(service, old)).all(kept)
    assert first["version"] == 1


@pytest.mark.parametrize("type", [type for type, former in FORMER.items() if former.now.family == "scores"])
async def test_notifications_takes_every_former_result(type: str) -> None:
    mongo = await followed("notifications", stored(type, 0))
    assert len(mongo.all("results")) == 1
