"""Districts and provinces: what is recognised within them is counted, whatever arrives first."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest

from services.scoring.decisions.areas import communes_of, districts_of
from shared.contracts.base import Provenance
from shared.registry import registry
from tests.unit.scoring_assessments import area_targets, assessment
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import recognition

BA_DINH = "001"
DISTRICT = f"district@{BA_DINH}/2024"


def district(code: str = BA_DINH, **changed: Any) -> Any:
    """An accepted assessment of quận Ba Đình, 2024: everything but 4.1 met at level 2."""
    rubric = "lc_district_25_2023"
    return assessment("district", code, rubric, area_targets(rubric), **({"period": 2024, "name": "Ba Đình"} | changed))


def province(period: int = 2024, **changed: Any) -> Any:
    """An accepted assessment of Hà Nội."""
    rubric = "lc_province_25_2023"
    return assessment(
        "province", "01", rubric, area_targets(rubric), **({"period": period, "name": "Hà Nội"} | changed)
    )


def recognised(count: int) -> list[Any]:
    """Decisions of level 1 of 2024 for the first communes of the district."""
    return [
        recognition(unit_id=unit.unit_id, code=unit.code, decided_on=date(2024, 3, 15))
        for unit in communes_of("district", BA_DINH, 2024, registry())[:count]
    ]


def share(result: Any) -> Any:
    """Target 4.1."""
    return next(each for one in result["criteria"] for each in one["targets"] if each["id"] == "C4.1")


def test_the_register_says_what_lies_within_on_the_cut_off_date() -> None:
    assert len(communes_of("district", BA_DINH, 2024, registry())) == 13
    assert communes_of("district", BA_DINH, 2025, registry()) == []
    assert BA_DINH in districts_of("01", 2024, registry())
    assert districts_of("01", 2025, registry()) == []
    assert len(communes_of("province", "01", 2025, registry())) == 126


@pytest.mark.parametrize(("count", "value", "met"), [(11, "11/13", False), (12, "12/13", True)])
async def test_a_district_counts_the_decisions_for_its_communes(count: int, value: str, met: bool) -> None:
    """90 % of 13 communes are 12."""
    bench = await Bench().start()
    await bench.accept(district(), *recognised(count))
    await bench.settle()
    target = share(bench.result(DISTRICT))
    assert value in target["value"]
    assert target["met"] == {"L1": met, "L2": False}
    assert bench.result(DISTRICT)["level"] == int(met)


async def test_a_decision_that_comes_later_has_the_district_judged_again() -> None:
    bench = await Bench().start()
    decisions = recognised(12)
    await bench.accept(*decisions[:11], district())
    await bench.settle()
    assert bench.result(DISTRICT)["level"] == 0
    await bench.accept(decisions[11])
    await bench.settle()
    result = bench.result(DISTRICT)
    assert (result["level"], result["version"], result["supersedes"]["cause"]) == (1, 2, "recognition")
    assert bench.documents("results")[DISTRICT]["inputs"]["counts"]["total"] == 13


async def test_a_decision_on_a_commune_elsewhere_changes_nothing() -> None:
    bench = await Bench().start()
    elsewhere = communes_of("district", "002", 2024, registry())[0]
    await bench.accept(district(), recognition(unit_id=elsewhere.unit_id, code=elsewhere.code))
    await bench.settle()
    assert bench.documents("results")[DISTRICT]["version"] == 1


async def test_a_province_counts_what_its_districts_reach_on_a_provisional_ground() -> None:
    bench = await Bench().start()
    await bench.accept(province(), district(), *recognised(12))
    await bench.settle()
    result = bench.result("province@01/2024")
    target = share(result)
    assert f"1/{len(districts_of('01', 2024, registry()))}" in target["value"]
    assert target["provenance"] == Provenance.PROVISIONAL
    assert result["level"] == 0


async def test_a_province_without_districts_is_told_that_its_share_cannot_be_computed() -> None:
    bench = await Bench().start()
    unit = communes_of("province", "01", 2025, registry())[0]
    await bench.accept(
        province(2025), recognition(unit_id=unit.unit_id, code=unit.code, period=2024, decided_on=date(2025, 8, 1))
    )
    await bench.settle()
    target = share(bench.result("province@01/2025"))
    assert target["met"] == {"L1": None, "L2": None}
    assert "1/126" in target["reason"]["en"]


async def test_the_order_of_arrival_does_not_matter() -> None:
    ends = []
    for order in itertools.permutations([province(), district(), district(version=2), *recognised(1)]):
        bench = await Bench().start()
        await bench.accept(*order)
        await bench.settle()
        ends.append({id: row["result"]["criteria"] for id, row in bench.documents("results").items()})
    assert all(end == ends[0] for end in ends)
    assert ends[0].keys() == {DISTRICT, "province@01/2024"}


async def test_an_older_version_of_an_area_changes_nothing() -> None:
    bench = await Bench().start()
    await bench.accept(district(version=2))
    await bench.settle()
    (outcome,) = await bench.accept(district(version=1))
    assert (outcome.verdict, outcome.puts) == ("stale", {})
    assert bench.result(DISTRICT)["input_version"] == 2
