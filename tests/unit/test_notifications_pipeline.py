"""Notifications whole, over a database in memory: no record of one sender ends the alerts of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from services.notifications.decisions import routes
from shared.contracts.catalogue import CONTRACTS, EXAMPLES, EventType
from shared.contracts.submissions import AssessmentSubmitted
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Consumer
from shared.messaging.messages import Reason
from tests.fakes.memory import MemoryMongo
from tests.unit.delivery_samples import Stored, head, record
from tests.unit.intake_bench import Bench

LIMIT = 50
"""As in the settings of every service."""


class Notifications:
    """The pipeline of notifications."""

    def __init__(self) -> None:
        self.mongo = MemoryMongo()
        self.brake = Brake(LIMIT)
        consumer = Consumer("notifications", ("receipts.01",), routes)
        self.pipeline = Pipeline("notifications", consumer, self.mongo, clock=BusinessClock(), brake=self.brake)

    async def receive(self, *bodies: tuple[str, Any]) -> None:
        """Events of our own services: type and body."""
        records = [_record(number, type_, body) for number, (type_, body) in enumerate(bodies)]
        for start in range(0, len(records), 20):
            await self.pipeline.process(records[start : start + 20])

    def dead(self) -> set[str]:
        """Why there are dead letters."""
        return {row["reason"] for row in self.mongo.all("dead_letters")}


def _record(number: int, type_: str, body: Any) -> Stored:
    return record(json.dumps(body).encode(), head(type_, f"e-{number}"), topic="receipts.01", offset=number)


async def test_many_refused_assessments_of_one_province_are_alerts_and_end_nothing(tmp_path: Path) -> None:
    intake, notifications = Bench(tmp_path), Notifications()
    for number in range(LIMIT + 10):
        data = AssessmentSubmitted.model_validate(
            {
                "submission_id": f"s-{number}",
                "series": "learning_models",
                "subject": "740",
                "period": 2020,
                "rubric": "learning_models_448_2015",
                "content": {"scoring": "pass_fail", "targets": {}},
            }
        )
        await intake.receive(EventType.ASSESSMENT_SUBMITTED, data)
    await notifications.receive(*((EventType.RECEIPT_ISSUED, body) for body in intake.events("receipts.01")))
    assert notifications.dead() == set()
    assert len(notifications.mongo.all("alerts")) == LIMIT + 10


# ------------------------------------------------------------------------------------ values of a newer version


def closed(model: type[BaseModel], body: Any) -> Iterator[Any]:
    """The body again and again, each time with one value that only a newer version of its contract can have."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if isinstance(body, dict) and key in body:
            for changed in _changed(field.annotation, body[key]):
                yield {**body, key: changed}


def _changed(annotation: Any, value: Any) -> Iterator[Any]:
    is_class = isinstance(annotation, type)
    if isinstance(value, str) and (get_origin(annotation) is Literal or (is_class and issubclass(annotation, Enum))):
        yield "of_next_year"
    elif is_class and issubclass(annotation, BaseModel):
        yield from closed(annotation, value)
    elif get_origin(annotation) is list:
        for number, each in enumerate(value):
            for changed in _changed(get_args(annotation)[0], each):
                yield [*value[:number], changed, *value[number + 1 :]]
    else:
        for part in get_args(annotation):
            yield from _changed(part, value)


@pytest.mark.parametrize("type_", sorted(routes))
async def test_a_value_of_a_newer_version_waits_for_it_and_ends_nothing(type_: str) -> None:
    """Its record is kept, to be replayed after the upgrade; it counts as no fault of ours, so the topic goes on."""
    body = json.loads((EXAMPLES / f"{type_}.json").read_text(encoding="utf-8"))["data"]
    newer = list(closed(CONTRACTS[type_].model, body))
    assert newer, "the contract has no closed list of values"
    notifications = Notifications()
    await notifications.receive(*((type_, each) for each in newer * (1 + LIMIT // len(newer))))
    assert notifications.dead() == {Reason.INVALID_BODY}
    assert not notifications.brake.topics()
