"""Scoring on a corrected register: what it says is the same unit, judged as one; what it says is another, not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.scoring.decisions import routes
from shared.contracts.catalogue import EventType
from shared.contracts.facts import CommuneAccepted, RecognitionAccepted
from shared.contracts.register import RegisterCorrection
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import STALE, Consumer
from shared.messaging.send import events
from shared.registry import registry
from tests.unit.delivery_samples import Stored, head, record
from tests.unit.register_samples import correction, fact, split, ward_made
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import commune, recognition, targets
from tests.unit.test_scoring_areas import district

NOW = datetime(2027, 1, 20, tzinfo=UTC)
OLD, WARD, EAST = "00454@2025-07", "00454@2026-05-01", "00004@2026-05-01"


@pytest.fixture
async def bench() -> Bench:
    return await Bench().start()


def of_2026(unit_id: str, **changed: Any) -> CommuneAccepted:
    """A commune at the thresholds of level 2 in 2026."""
    names = {"unit_id": unit_id, "code": unit_id[:5], "period": 2026, "received_at": NOW}
    return commune(targets(), **names | changed)


def level_1(unit_id: str) -> RecognitionAccepted:
    """Level 1, decided more than a year before the cut-off date of 2026."""
    return recognition(unit_id=unit_id, code=unit_id[:5], period=2025, decided_on="2025-11-30", received_at=NOW)


async def test_d8_a_unit_that_becomes_a_ward_in_mid_year_takes_its_recognition_along(bench: Bench) -> None:
    """D8, D2: one whole predecessor and no other: level 2 rests on the level 1 of the former commune."""
    await bench.accept(fact(1, ward_made()), level_1(OLD), of_2026(WARD))
    assert bench.result(f"{WARD}/2026")["level"] == 2


async def test_in_whatever_order_the_correction_arrives_the_end_is_the_same(bench: Bench) -> None:
    await bench.accept(level_1(OLD), of_2026(WARD))
    before = bench.result(f"{WARD}/2026")
    assert before["level"] == 1, "another unit, as far as the register knew"
    await bench.accept(fact(1, ward_made()))
    after = bench.result(f"{WARD}/2026")
    assert (after["level"], after["supersedes"]["level"], after["supersedes"]["cause"]) == (2, 1, "register")

    other = await Bench().start()
    await other.accept(fact(1, ward_made()), of_2026(WARD), level_1(OLD))
    assert other.result(f"{WARD}/2026")["hash"] == after["hash"]


async def test_d2_no_successor_of_a_split_inherits_a_recognition(bench: Bench) -> None:
    """D2: not even the one that keeps the code; the recognition stays under the unit that earned it (D1)."""
    await bench.accept(fact(1, split()), level_1("00004@2025-07"), of_2026(EAST))
    assert bench.result(f"{EAST}/2026")["level"] == 1
    assert set(bench.documents("recognitions")) >= {"00004@2025-07"}
    assert bench.documents("recognitions")["00004@2025-07"]["items"]
    assert not bench.documents("recognitions").get(EAST, {}).get("items")


async def test_d1_results_of_a_predecessor_stay_under_their_own_unit(bench: Bench) -> None:
    await bench.accept(commune(targets()))
    before = bench.result("00004@2025-07/2025")
    await bench.accept(fact(1, split()))
    assert bench.result("00004@2025-07/2025") == before
    assert set(bench.documents("results")) == {"00004@2025-07/2025"}


async def test_the_ranking_of_a_period_has_the_rows_of_the_units_of_its_cut_off_date(bench: Bench) -> None:
    """D8: one ranking per state of the country; a unit that ended in May has no row for that year."""
    await bench.accept(of_2026("00008@2025-07"))
    await bench.settle(rankings=True, at=NOW)
    before = await rows(bench, "province-01/2026")
    assert {"00004@2025-07", "00008@2025-07"} <= before
    assert EAST not in before
    await bench.accept(fact(1, split()))
    await bench.settle(rankings=True, at=NOW)
    after = await rows(bench, "province-01/2026")
    assert after == before - {"00004@2025-07"} | {EAST, "00005@2026-05-01"}
    assert bench.documents("rankings")["province-01/2026"]["version"] == 2


async def test_a_correction_ranks_nothing_where_nothing_was_ranked(bench: Bench) -> None:
    await bench.accept(fact(1, split()))
    await bench.settle(rankings=True, at=NOW)
    assert bench.documents("rankings") == {}
    assert bench.published() == 0


async def test_a_correction_that_comes_again_changes_nothing(bench: Bench) -> None:
    await bench.accept(fact(1, ward_made()))
    (again,) = await bench.accept(fact(1, ward_made()))
    assert (again.verdict, again.puts, again.requests) == (STALE, {}, [])


async def test_one_batch_may_hold_the_correction_and_what_rests_on_it() -> None:
    """What a record needs is told by the register as the record before it left it."""
    bench = await Bench().start()
    pipeline = Pipeline(
        "scoring", Consumer("scoring", ("intake.accepted",), routes), bench.mongo, clock=BusinessClock(), brake=Brake(5)
    )
    await pipeline.process([sent(1, level_1(OLD)), sent(2, fact(1, ward_made())), sent(3, of_2026(WARD))])
    assert bench.documents("dead_letters") == {}
    assert bench.result(f"{WARD}/2026")["level"] == 2


def sent(offset: int, data: Any) -> Stored:
    """A fact as it lies in Kafka."""
    types = {"RecognitionAccepted": EventType.RECOGNITION_ACCEPTED, "RegisterCorrected": EventType.REGISTER_CORRECTED}
    type_ = types.get(type(data).__name__, EventType.COMMUNE_ACCEPTED)
    return record(events.body_of(data), head(type_, f"e-{offset}"), offset=offset)


async def rows(bench: Bench, ranking: str) -> set[str]:
    """Units that have a row in the last version of a ranking."""
    head = bench.documents("rankings")[ranking]
    pages = {f"{ranking}/{page['version']}/{page['page']}" for page in head["manifest"]}
    return {
        row["unit_id"] for id, page in bench.documents("ranking_pages").items() if id in pages for row in page["rows"]
    }


async def test_a_mended_province_moves_the_row(bench: Bench) -> None:
    """D5: the register had the commune in the wrong province."""
    await bench.accept(of_2026("00008@2025-07"), of_2026("01273@2025-07", holder="04", province="04"))
    await bench.settle(rankings=True, at=NOW)
    assert "01273@2025-07" in await rows(bench, "province-04/2026")
    mended: RegisterCorrection = correction(
        changed=[{"unit_id": "01273@2025-07", "name": "Phường Thục Phán", "type": "Phường", "province_code": "01",
                  "valid_from": "2025-07-01"}]
    )  # fmt: skip
    await bench.accept(fact(1, mended))
    await bench.settle(rankings=True, at=NOW)
    assert "01273@2025-07" not in await rows(bench, "province-04/2026")
    assert "01273@2025-07" in await rows(bench, "province-01/2026")
    for province, holds in (("04", False), ("01", True)):
        row = await row_of(bench, f"province-{province}/2026", "01273@2025-07")
        assert (row is not None) == holds
        assert row is None or (row["rank"], row["reason"]) == (1, None), "its result goes with it"

    again = await Bench().start()
    moved = of_2026("01273@2025-07", holder="04", province="04")
    await again.accept(fact(1, mended), of_2026("00008@2025-07"), moved)
    await again.settle(rankings=True, at=NOW)
    heads = [each.documents("rankings")["province-01/2026"] for each in (bench, again)]
    assert heads[0]["hash"] == heads[1]["hash"], "in whatever order the correction arrives"


async def test_a_mended_district_has_the_former_one_counted_anew(bench: Bench) -> None:
    """D5: the district that a commune leaves counts one commune less."""
    unit = registry().by_id("00004@pre-2025-07")
    assert unit is not None
    assert unit.district_code == "001"
    await bench.accept(district(), recognition(unit_id=unit.unit_id, code=unit.code, decided_on="2024-03-15"))
    await bench.settle()
    before = bench.result("district@001/2024")["criteria"]
    mended = correction(
        changed=[{"unit_id": unit.unit_id, "name": unit.name, "type": unit.type, "province_code": "01",
                  "valid_to": "2025-07-01", "district_code": "002", "district_name": "Quận Hoàn Kiếm"}]
    )  # fmt: skip
    await bench.accept(fact(1, mended))
    await bench.settle()
    after = bench.result("district@001/2024")["criteria"]
    assert [counted(criteria) for criteria in (before, after)] == ["L1 1/13, L2 0/13", "L1 0/12, L2 0/12"]


def counted(criteria: list[Any]) -> str:
    """What the share of recognised communes was computed from."""
    return str(next(each for one in criteria for each in one["targets"] if each["id"] == "C4.1")["value"])


async def row_of(bench: Bench, ranking: str, unit_id: str) -> Any:
    """The unit's row in the last version of a ranking."""
    head = bench.documents("rankings")[ranking]
    pages = bench.documents("ranking_pages")
    kept = [pages[f"{ranking}/{page['version']}/{page['page']}"] for page in head["manifest"]]
    return next((row for page in kept for row in page["rows"] if row["unit_id"] == unit_id), None)
