"""What grows with history grows by documents: thousands of corrections, and no document tells how many they were."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import bson
import pytest

from services.intake import queries as intake_store
from services.scoring import decisions as scoring
from services.scoring.queries import results as scoring_store
from shared.contracts.base import Contract, Status
from shared.contracts.catalogue import EventType
from shared.contracts.register import Decree, RegisterCorrected, RegisterCorrection
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.register import REGISTER, keep
from shared.messaging.send import events
from shared.mongo import Unavailable
from shared.registry import with_correction
from tests.fakes.memory import MemoryMongo
from tests.unit import funding_bench, intake_bench, scoring_bench
from tests.unit.delivery_samples import AT, Stored, head, record
from tests.unit.intake_samples import commune as submitted
from tests.unit.scoring_samples import UNIT, commune, targets

Folders = pytest.TempPathFactory
CORRECTIONS, VERSIONS, ADJUSTMENTS = 3_000, 2_000, 60
DIGITS = 100
"""Bytes by which a document may be longer because its numbers are."""


@pytest.fixture
def folders(tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    """A folder for each of several services."""
    return tmp_path_factory


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
        events.body_of(fact), head(type_, f"e-{offset}"), topic="intake.accepted", key="register", offset=offset
    )


def service(mongo: MemoryMongo) -> Pipeline:
    """A service that only keeps up with the register."""
    consumer = Consumer("keeper", ("intake.accepted",), {EventType.REGISTER_CORRECTED: keep})
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
    reader = Reader(mongo)
    await reader.load([REGISTER])
    return reader[REGISTER]


async def test_thousands_of_register_corrections_make_no_document_larger() -> None:
    few, many = MemoryMongo(), MemoryMongo()
    await hear(few, [1, 2, 3])
    await hear(many, list(range(1, CORRECTIONS + 1)))
    assert largest(many, "register") <= largest(few, "register") + DIGITS
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
    mongo.seal()
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
        await Reader(mongo).load([REGISTER])


# ------------------------------------------------------------------------------------------------- one unit


async def received(folder: Path, versions: int) -> intake_bench.Bench:
    """Intake, after one assessment was corrected so often."""
    bench = intake_bench.Bench(folder)
    records = [
        bench.sent(
            EventType.COMMUNE_SUBMITTED,
            submitted(
                submission_id=f"HN-{version}",
                corrects_version=version - 1 or None,
                area_class="other",
                area_class_basis=f"{version}/QĐ",
            ),
        )
        for version in range(1, versions + 1)
    ]
    for first in range(0, versions, 250):
        await bench.pipeline.process(records[first : first + 250])
    assert len(bench.receipts(Status.ACCEPTED)) == versions
    return bench


async def test_a_unit_that_is_corrected_thousands_of_times_makes_no_document_of_intake_larger(
    folders: pytest.TempPathFactory,
) -> None:
    few, many = await received(folders.mktemp("few"), 3), await received(folders.mktemp("many"), VERSIONS)
    for collection in ("aggregates", "versions", "submissions", "receipts", "inbox"):
        assert largest(many.mongo, collection) <= largest(few.mongo, collection) + DIGITS
    (told,) = await intake_store.history(many.mongo, "00004", 2025)
    assert [line.version for line in told.history] == list(range(1, VERSIONS + 1))
    assert {line.submission_id for line in told.history[:2]} == {"HN-1", "HN-2"}


async def test_a_history_that_an_older_release_kept_in_the_aggregate_is_told_and_moved(
    folders: pytest.TempPathFactory,
) -> None:
    bench = await received(folders.mktemp("one"), 3)
    (before,) = await intake_store.history(bench.mongo, "00004", 2025)
    (aggregate,) = bench.mongo.rows("aggregates").values()
    aggregate["history"] = [line.model_dump(mode="json") for line in before.history]
    bench.mongo.rows("versions").clear()
    bench.mongo.seal()
    assert await intake_store.history(bench.mongo, "00004", 2025) == [before]
    correction = submitted(submission_id="HN-4", corrects_version=3, area_class="other", area_class_basis="4/QĐ")
    assert (await bench.receive(EventType.COMMUNE_SUBMITTED, correction)).version == 4
    (after,) = await intake_store.history(bench.mongo, "00004", 2025)
    assert after.history[:3] == before.history
    assert [line.version for line in after.history] == [1, 2, 3, 4]
    (aggregate,) = bench.mongo.rows("aggregates").values()
    assert "history" not in aggregate


async def scored(versions: int) -> scoring_bench.Bench:
    """Scoring, after one assessment was corrected so often."""
    bench = await scoring_bench.Bench().start()
    consumer = Consumer("scoring", ("intake.accepted",), scoring.routes)
    pipeline = Pipeline("scoring", consumer, bench.mongo, clock=BusinessClock(), brake=Brake(5))
    facts = [commune(targets(version % 2 + 1), version=version) for version in range(1, versions + 1)]
    for first in range(0, versions, 250):
        batch = facts[first : first + 250]
        await pipeline.process([sent(fact, fact.version, EventType.COMMUNE_ACCEPTED) for fact in batch])
    return bench


async def test_a_result_that_is_superseded_thousands_of_times_makes_no_document_larger() -> None:
    few, many = await scored(4), await scored(VERSIONS)
    for collection in ("results", "superseded"):
        assert largest(many.mongo, collection) <= largest(few.mongo, collection) + DIGITS
    (told,) = await scoring_store.results(many.mongo, UNIT, 2025)
    assert [line.version for line in told.superseded] == list(range(1, VERSIONS))
    assert told.supersedes == told.superseded[-1]


async def test_versions_that_an_older_release_kept_in_the_result_are_told_and_moved() -> None:
    bench = await scored(3)
    (before,) = await scoring_store.results(bench.mongo, UNIT, 2025)
    (result,) = bench.mongo.rows("results").values()
    result["superseded"] = [line.model_dump(mode="json") for line in before.superseded]
    bench.mongo.rows("superseded").clear()
    bench.mongo.seal()
    assert await scoring_store.results(bench.mongo, UNIT, 2025) == [before]
    await bench.accept(commune(targets(1), version=4))
    (after,) = await scoring_store.results(bench.mongo, UNIT, 2025)
    assert after.superseded[:2] == before.superseded
    assert [line.version for line in after.superseded] == [1, 2, 3]
    (result,) = bench.mongo.rows("results").values()
    assert "superseded" not in result


# ------------------------------------------------------------------------------------------------- one budget


async def adjusted(folder: Path, times: int) -> funding_bench.Bench:
    """Funding, after a published budget was adjusted so often."""
    bench = await funding_bench.published(folder, 900_000_000)
    for number in range(1, times + 1):
        area = "region_2" if number % 2 else "region_1"
        await bench.tell(funding_bench.registration("b", version=number + 1, area_class=area))
        await bench.settle()
        await bench.done(funding_bench.LAN, f"/adjustments/04/2026/b/{number}/submit")
        await bench.done(funding_bench.HOA, f"/adjustments/04/2026/b/{number}/approve")
        await bench.settle()
    return bench


async def test_a_budget_that_is_adjusted_again_and_again_makes_no_document_larger(
    folders: pytest.TempPathFactory,
) -> None:
    few, many = await adjusted(folders.mktemp("few"), 4), await adjusted(folders.mktemp("many"), ADJUSTMENTS)
    assert few.mongo.collections.keys() == many.mongo.collections.keys()
    for collection in few.mongo.collections:
        if few.mongo.rows(collection):
            assert largest(many.mongo, collection) <= largest(few.mongo, collection) + DIGITS, collection


async def test_a_snapshot_in_many_parts_is_read_whole_and_one_in_one_piece_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.funding.decisions.life.snapshots.PART", 500)
    bench = await funding_bench.approved(tmp_path)
    snapshot = await bench.get("/budgets/04/2026/snapshot")
    assert len(bench.mongo.rows("snapshot_parts")) == bench.document("snapshots", "04/2026/1")["parts"] > 5
    assert (await bench.get("/budgets/04/2026/snapshot/verify"))["same"]
    bench.mongo.rows("snapshots")["04/2026/1"] = {"_id": "04/2026/1", "_rev": 1, **snapshot}
    bench.mongo.rows("snapshot_parts").clear()
    bench.mongo.seal()
    assert await bench.get("/budgets/04/2026/snapshot") == snapshot
    assert (await bench.get("/budgets/04/2026/snapshot/verify"))["same"]
