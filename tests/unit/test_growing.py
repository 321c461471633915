"""What grows with history grows by documents: thousands of corrections, and no document tells how many they were."""

from __future__ import annotations

from datetime import date
from typing import Any

import bson
import pytest

from shared.contracts.base import Contract
from shared.contracts.catalogue import EventType
from shared.contracts.register import Decree, RegisterCorrected, RegisterCorrection
from shared.messaging import envelope
from shared.messaging.brake import Brake
from shared.messaging.clock import BusinessClock
from shared.messaging.handling import Consumer, Ref
from shared.messaging.pipeline import Pipeline
from shared.messaging.reader import Reader
from shared.messaging.register import KEEP, REGISTER
from shared.mongo import Unavailable
from shared.registry import with_correction
from shared.testing.memory import MemoryMongo
from tests.unit.delivery_samples import AT, Stored, head, record

CORRECTIONS = 3_000


def correction(version: int) -> RegisterCorrected:
    """A correction of one unit; what it says does not matter to who keeps it."""
    return RegisterCorrected(
        version=version,
        correction=RegisterCorrection(
            correction_id=f"K-{version}",
            why="Bổ sung đơn vị",
            decree=Decree(number="12/NQ", issued_on=date(2026, 1, 1), effective_on=date(2026, 2, 1)),
            source="Công báo",
            ended=["00004@2025-07"],
        ),
        entered_by="an",
        entered_at=AT,
    )


def sent(fact: Contract, offset: int, type_: str = EventType.REGISTER_CORRECTED) -> Stored:
    """The fact as it lies on its topic."""
    return record(
        envelope.body_of(fact), head(type_, f"e-{offset}"), topic="intake.accepted", key="register", offset=offset
    )


def service(mongo: MemoryMongo) -> Pipeline:
    """A service that only keeps up with the register."""
    consumer = Consumer("keeper", ("intake.accepted",), {EventType.REGISTER_CORRECTED: KEEP})
    return Pipeline("keeper", consumer, mongo, clock=BusinessClock(), brake=Brake(5))


async def hear(mongo: MemoryMongo, versions: list[int], batch: int = 500) -> None:
    """Let these corrections come in, in this order."""
    pipeline = service(mongo)
    for first in range(0, len(versions), batch):
        facts = [correction(version) for version in versions[first : first + batch]]
        await pipeline.process([sent(fact, fact.version) for fact in facts])
    assert not mongo.all("dead_letters")


def largest(mongo: MemoryMongo, collection: str) -> int:
    """Bytes of the largest document."""
    return max(len(bson.encode(row)) for row in mongo.all(collection))


async def register(mongo: MemoryMongo) -> Any:
    """The document of corrections as whoever decides sees it."""
    return await Reader(mongo).get(REGISTER)


async def test_thousands_of_register_corrections_make_no_document_larger() -> None:
    few, many = MemoryMongo(), MemoryMongo()
    await hear(few, [1, 2, 3])
    await hear(many, list(range(1, CORRECTIONS + 1)))
    assert largest(many, "register") <= largest(few, "register") + 100
    assert [row["version"] for row in (await register(many))["corrections"]] == list(range(1, CORRECTIONS + 1))


@pytest.mark.parametrize("batch", [1, 2, 7])
async def test_whatever_order_and_batches_the_corrections_come_in_the_register_is_the_same(batch: int) -> None:
    orders = [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [2, 2, 1, 6, 3, 5, 4, 1]]
    found = []
    for order in orders:
        mongo = MemoryMongo()
        await hear(mongo, order, batch)
        found.append(await register(mongo))
    assert found[0] == found[1] == found[2]
    assert [row["version"] for row in found[0]["corrections"]] == [1, 2, 3, 4, 5, 6]


async def test_a_register_that_an_older_release_kept_in_one_piece_is_read_and_taken_apart_by_the_next_correction() -> (
    None
):
    document = None
    for version in range(1, 5):
        document = with_correction(document, correction(version)) or document
    assert document is not None
    mongo = MemoryMongo()
    await mongo.insert("register", [{"_id": REGISTER.id, "_rev": 4, **document}])
    assert await register(mongo) == document
    await hear(mongo, [5])
    assert await register(mongo) == with_correction(document, correction(5))
    assert "corrections" not in mongo.rows("register")[REGISTER.id]
    assert len(mongo.rows("register")) == 6


async def test_two_who_add_at_the_same_moment_lose_neither_correction() -> None:
    mongo = MemoryMongo()
    await hear(mongo, [1])

    async def other() -> None:
        await hear(mongo, [2])

    mongo.meanwhile.append(other)
    await hear(mongo, [3])
    assert [row["version"] for row in (await register(mongo))["corrections"]] == [1, 2, 3]


async def test_a_head_whose_rows_cannot_be_read_is_no_register() -> None:
    mongo = MemoryMongo()
    await hear(mongo, [71, 72, 73])
    del mongo.rows("register")["corrections/000000002"]
    with pytest.raises(Unavailable):
        await Reader(mongo).load([Ref("register", "corrections")])
