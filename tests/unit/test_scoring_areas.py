"""Districts and provinces: what is recognised within them is counted, whatever arrives first."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest

from services.scoring.decisions.areas import communes_of, districts_of
from shared.contracts.base import Provenance
from shared.messaging.seals import Altered
from shared.registry import registry
from tests.unit.register_samples import fact, split
from tests.unit.scoring_assessments import area_targets, assessment
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import commune, recognition, revocation, targets, withdrawn

BA_DINH = "001"
DISTRICT = f"district@{BA_DINH}/2024"


def district(code: str = BA_DINH, **changed: Any) -> Any:
    """An accepted assessment of quận Ba Đình, 2024: everything but 4.1 met at level 2."""
    rubric = "lc_district_25_2023"
    return assessment("district", code, rubric, area_targets(rubric), **({"period": 2024, "name": "Ba Đình"} | changed))


def province(period: int = 2024, code: str = "01", **changed: Any) -> Any:
    """An accepted assessment of Hà Nội, or another province."""
    rubric = "lc_province_25_2023"
    return assessment(
        "province", code, rubric, area_targets(rubric), **({"period": period, "name": "Hà Nội"} | changed)
    )


def recognised(count: int) -> list[Any]:
    """Decisions of level 1 of 2024 for the first communes of the district."""
    return [
        recognition(unit_id=unit.unit_id, code=unit.code, decided_on=date(2024, 3, 15))
        for unit in communes_of("district", BA_DINH, 2024, registry())[:count]
    ]


def decision(series: str, code: str, **changed: Any) -> Any:
    """A decision of level 1 on a district or province."""
    return recognition(series=series, unit_id=code, code=code, **changed)


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


async def test_an_area_is_judged_again_for_what_changed() -> None:
    """A province too counts decisions; a correction of the register is none."""
    bench = await Bench().start()
    mine = decision("province", "01", period=2023)
    await bench.accept(province(), province(2026), mine)
    await bench.settle()
    await bench.accept(mine.model_copy(update={"version": 2, "revocation": revocation(date(2024, 1, 1))}))
    await bench.settle()
    assert bench.result("province@01/2024")["supersedes"]["cause"] == "recognition"
    await bench.accept(fact(1, split()))
    await bench.settle()
    assert bench.result("province@01/2026")["supersedes"]["cause"] == "register"
    (of_one,) = recognised(1)
    await bench.accept(district())
    await bench.settle()
    await bench.accept(commune(targets(1), period=2024, unit_id=of_one.unit_id, code=of_one.code))
    await bench.settle()
    assert bench.result(DISTRICT)["supersedes"]["cause"] == "reference", "a computed level stands beside"


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


async def test_a_province_counts_districts_that_a_decision_recognises_and_tells_what_they_reach() -> None:
    bench = await Bench().start()
    await bench.accept(province(), district(), *recognised(12))
    await bench.settle()
    result, of = bench.result("province@01/2024"), len(districts_of("01", 2024, registry()))
    target = share(result)
    assert (target["value"], target["provenance"]) == (f"L1 0/{of}, L2 0/{of}", Provenance.READING)
    assert any(f"by computed results: level 1: 1/{of}" in step["what"]["en"] for step in result["explanation"])
    await bench.accept(decision("district", BA_DINH, period=2024, decided_on=date(2025, 5, 30)))
    await bench.settle()
    assert share(bench.result("province@01/2024"))["value"] == f"L1 1/{of}, L2 0/{of}"


@pytest.mark.parametrize("collection", ["recognitions", "results"])
async def test_no_area_is_judged_on_what_was_altered(collection: str) -> None:
    bench = await Bench().start()
    first = communes_of("district", BA_DINH, 2024, registry())[0].unit_id
    judged = commune(targets(), period=2024, unit_id=first)
    await bench.accept(district(), *recognised(12), judged)
    await bench.settle()
    for id, row in bench.mongo.rows(collection).items():
        bench.mongo.rows(collection)[id] = row if id == DISTRICT else {**row, "more": 1}
    await bench.accept(district(version=2))
    with pytest.raises(Altered, match=f"{collection}/"):
        await bench.settle()


@pytest.mark.parametrize(("series", "make", "result"), [("district", district, DISTRICT), ("province", province, None)])
async def test_an_area_is_judged_with_its_own_decisions(series: str, make: Any, result: str | None) -> None:
    """Level 2 of 2024 needs one for 2023 or earlier; one for 2024 stands beside."""
    bench, code = await Bench().start(), BA_DINH if series == "district" else "01"
    within = [
        recognition(unit_id=unit.unit_id, code=unit.code, level=2, period=2024, decided_on=date(2025, 3, 15))
        for unit in communes_of("district", BA_DINH, 2024, registry())
    ]
    inner = [
        decision("district", each, period=2024, level=2, decided_on=date(2025, 5, 30))
        for each in districts_of("01", 2024, registry())
    ]
    await bench.accept(make(), *(within if series == "district" else inner))
    await bench.settle()
    id = result or "province@01/2024"
    assert bench.result(id)["level"] == 1
    await bench.accept(decision(series, code, period=2023, decided_on=date(2024, 7, 1)))
    await bench.settle()
    assert bench.result(id)["level"] == 2
    ended = revocation(date(2024, 12, 31))
    await bench.accept(decision(series, code, period=2023, decided_on=date(2024, 7, 1), version=2, revocation=ended))
    await bench.settle()
    assert (bench.result(id)["level"], bench.result(id)["recognition"]["in_force"]) == (1, False)


async def test_a_decision_before_a_merger_of_provinces_is_told_and_does_not_count() -> None:
    """Hà Nội continued alone, Ninh Bình is three former provinces."""
    bench = await Bench().start()
    await bench.accept(
        province(2025),
        province(2025, "37", name="Ninh Bình"),
        *(decision("province", code, period=2024, decided_on=date(2025, 8, 1)) for code in ("01", "35", "37")),
    )
    await bench.settle()
    assert bench.result("province@01/2025")["recognition"]["in_force"] is True
    merged = bench.result("province@37/2025")
    assert merged["recognition"] is None
    told = [step["what"]["en"] for step in merged["explanation"] if "does not inherit it" in step["what"]["en"]]
    assert len(told) == 2


async def test_a_withdrawn_assessment_of_an_area_is_unassessed_and_a_withdrawn_decision_counts_no_more() -> None:
    bench, decisions = await Bench().start(), recognised(12)
    await bench.accept(withdrawn(district()), withdrawn(decisions[0]), *decisions, district(), province())
    await bench.settle()
    result = bench.result(DISTRICT)
    assert (result["state"], result["level"], result["input_version"]) == ("unassessed", None, 2)
    await bench.accept(district(version=3))
    await bench.settle()
    result = bench.result(DISTRICT)
    assert (result["state"], share(result)["value"]) == ("scored", "L1 11/13, L2 0/13")
    assert result["supersedes"]["state"] == "unassessed"
    assert not any("by computed" in step["what"]["en"] for step in bench.result("province@01/2024")["explanation"])


async def test_a_decision_for_the_year_counts_though_it_was_signed_in_the_next() -> None:
    bench = await Bench().start()
    signed = [each.model_copy(update={"period": 2024, "decided_on": date(2025, 3, 20)}) for each in recognised(12)]
    await bench.accept(district(), *signed)
    await bench.settle()
    assert share(bench.result(DISTRICT))["value"] == "L1 12/13, L2 0/13"
    revoked = signed[0].model_copy(update={"version": 2, "revocation": revocation(date(2024, 12, 31))})
    await bench.accept(revoked)
    await bench.settle()
    assert share(bench.result(DISTRICT))["value"] == "L1 11/13, L2 0/13"


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
        ends.append({id: bench.result(id)["criteria"] for id in bench.documents("results")})
    assert all(end == ends[0] for end in ends)
    assert ends[0].keys() == {DISTRICT, "province@01/2024"}


async def test_an_older_version_of_an_area_changes_nothing() -> None:
    bench = await Bench().start()
    await bench.accept(district(version=2))
    await bench.settle()
    (outcome,) = await bench.accept(district(version=1))
    assert (outcome.verdict, outcome.puts) == ("stale", {})
    assert bench.result(DISTRICT)["input_version"] == 2
