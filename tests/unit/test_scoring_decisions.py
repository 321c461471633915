"""The life of a decision and of a file: replaced, revoked, withdrawn, carried over or not; results follow."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.scoring.decisions import RESULTS
from services.scoring.decisions.results import score
from shared.contracts.base import Provenance
from shared.messaging.seals import sealed
from tests.unit.register_samples import fact, split, ward_made
from tests.unit.scoring_assessments import OLD_UNIT, area_targets, assessment, share, standards, universal_education
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import (
    UNIT,
    centre,
    commune,
    points,
    recognition,
    revocation,
    targets,
    withdrawn,
)

OLD, WARD, EAST = "00454@2025-07", "00454@2026-05-01", "00004@2026-05-01"


@pytest.fixture
async def bench() -> Bench:
    return await Bench().start()


def learning_unit() -> Any:
    """A state agency of 2025 with every target at level 2."""
    content = area_targets("lu_unit_24_2023")
    traits = ["district_unit", "state_agency", "no_school"]
    whole = content.model_copy(update={"traits": traits})
    return assessment("learning_unit", "don-vi-1", "lu_unit_24_2023", whole, name="Đơn vị 1")


def said(result: Any, words: str) -> list[Any]:
    """The steps of an explanation that hold these words."""
    return [step for step in result["explanation"] if words in step["what"]["en"]]


# ------------------------------------------------------------------------------------------------- revocation


async def test_a_revocation_takes_level_2_from_then_on_and_a_new_decision_gives_it_back(bench: Bench) -> None:
    id = f"{UNIT}/2025"
    await bench.accept(commune(targets()), recognition())
    assert bench.result(id)["level"] == 2
    await bench.accept(recognition(version=2, revocation=revocation(date(2025, 6, 1))))
    result = bench.result(id)
    assert (result["level"], result["supersedes"]["cause"]) == (1, "recognition")
    assert result["recognition"]["revocation"]["effective_from"] == "2025-06-01"
    assert [step["provenance"] for step in said(result, "revoked by decision 3/QĐ")] == [Provenance.READING]
    await bench.accept(recognition(version=3, decision_number="9/QĐ"))
    assert (bench.result(id)["level"], bench.result(id)["version"]) == (2, 4)


async def test_a_learning_unit_is_judged_with_its_own_decisions(bench: Bench) -> None:
    unit = learning_unit()
    decided = recognition(series="learning_unit", unit_id=unit.subject_id, code=unit.subject_id, period=2024)
    await bench.accept(unit)
    id = f"learning_unit@{unit.subject_id}/2025"
    assert bench.result(id)["level"] == 1
    await bench.accept(recognition(unit_id=unit.subject_id, code="00004"))  # a commune of that name is another subject
    assert bench.result(id)["version"] == 1
    await bench.accept(decided)
    assert (bench.result(id)["level"], bench.result(id)["recognition"]["in_force"]) == (2, True)
    await bench.accept(withdrawn(decided))
    assert (bench.result(id)["level"], bench.result(id)["recognition"]) == (1, None)


# ------------------------------------------------------------------------------------------ universal education


async def test_a_recognised_standard_decides_the_target_and_stands_beside_the_computed_level(bench: Bench) -> None:
    computed = universal_education(standards(TH1=share(0)))
    decided = recognition(series="universal_education", unit_id=UNIT, standard="primary", level=3, period=2025)
    await bench.accept(commune(targets()), recognition(), computed)
    id, own = f"{UNIT}/2025", f"universal_education@{UNIT}/2025"
    assert bench.result(id)["level"] == 0
    await bench.accept(decided)
    assert bench.result(id)["level"] == 0, "lower secondary needs a computed primary level"
    (told,) = said(bench.result(id), "Universal primary")
    assert "not reached by computation, for information" in told["what"]["en"]
    assert told["provenance"] == Provenance.READING
    assert bench.result(own)["standards"]["primary"] == 0
    assert bench.result(own)["recognised_standards"]["primary"]["level"] == 3
    await bench.accept(decided.model_copy(update={"standard": "lower_secondary"}))
    assert bench.result(id)["level"] == 2
    await bench.accept(withdrawn(decided))
    assert bench.result(id)["level"] == 0
    assert bench.result(own)["recognised_standards"].keys() == {"lower_secondary"}


# ---------------------------------------------------------------------------------------------------- withdrawal


@pytest.mark.parametrize("first", ["file", "withdrawal"])
async def test_a_withdrawn_file_leaves_its_subject_unassessed_and_unranked(bench: Bench, first: str) -> None:
    file = commune(targets(1))
    both = [file, withdrawn(file)]
    for each in both if first == "file" else reversed(both):
        await bench.accept(each)
        await bench.settle(rankings=True)
    result = bench.result(f"{UNIT}/2025")
    assert (result["state"], result["level"], result["rank_key"], result["criteria"]) == ("unassessed", None, None, [])
    assert (result["input_version"], len(said(result, "withdrawn by its sender"))) == (2, 1)
    assert "Gửi nhầm" in result["explanation"][0]["what"]["vi"]
    (row,) = [
        row
        for page in bench.documents("ranking_pages").values()
        for row in page["rows"]
        if row["unit_id"] == UNIT and page["scope"] == "province-01"
    ][-1:]
    assert (row["rank"], row["level"]) == (None, None)
    assert "withdrawn" in row["reason"]["en"]
    if first == "file":
        assert result["supersedes"]["cause"] == "withdrawal"
    await bench.accept(commune(targets(1), version=3))
    again = bench.result(f"{UNIT}/2025")
    assert (again["state"], again["level"], again["supersedes"]["state"]) == ("scored", 1, "unassessed")
    assert again["supersedes"]["cause"] == "correction"


async def test_no_earlier_version_revives(bench: Bench) -> None:
    await bench.accept(commune(targets(1)), commune(targets(2), version=2), withdrawn(commune(targets(2), version=2)))
    assert bench.result(f"{UNIT}/2025")["state"] == "unassessed"
    for late in (commune(targets(1)), commune(targets(2), version=2)):
        (outcome,) = await bench.accept(late)
        assert outcome.verdict == "stale"
    assert bench.result(f"{UNIT}/2025")["state"] == "unassessed"


async def test_a_withdrawn_centre_is_no_ground_of_its_communes_result(bench: Bench) -> None:
    graded = centre(points("clc_2553_2013"), period=2022, unit_id=OLD_UNIT)
    await bench.accept(commune(points("lc_commune_44_2014")), graded)
    id = f"{OLD_UNIT}/2022"
    assert [each["series"] for each in bench.result(id)["references"]] == ["centre"]
    await bench.accept(withdrawn(graded))
    await bench.settle()
    assert bench.result(id)["references"] == []
    assert bench.result("TT/1/2022")["state"] == "unassessed"


async def test_what_money_and_registers_withdraw_is_none_of_scorings_business(bench: Bench) -> None:
    for kind in ("registration", "envelope", "support"):
        (outcome,) = await bench.accept(withdrawn(commune(targets()), kind=kind, subject="TT/1"))
        assert not outcome.puts


async def test_an_unassessed_result_is_judged_again_as_what_it_is(bench: Bench) -> None:
    """A recompute judges what is kept with the result."""
    await bench.accept(commune(targets()), withdrawn(commune(targets())))
    kept = RESULTS.read(bench.documents("results")[f"{UNIT}/2025"])
    assert score(kept.accepted, kept.inputs, kept.version).hash == kept.result.hash


# -------------------------------------------------------------------------------------------- carried over, or not


async def test_the_decision_of_a_unit_that_goes_on_under_another_id_is_told_as_carried_over(bench: Bench) -> None:
    decided = recognition(unit_id=OLD, code="00454", period=2025, decided_on=date(2026, 3, 1))
    await bench.accept(fact(1, ward_made()), commune(targets(), unit_id=WARD, code="00454", period=2026), decided)
    result = bench.result(f"{WARD}/2026")
    (told,) = said(result, "is carried over")
    assert (result["level"], told["provenance"]) == (2, Provenance.READING)
    assert OLD in told["what"]["en"]


async def test_what_a_split_unit_does_not_inherit_is_told_with_its_reason(bench: Bench) -> None:
    decided = recognition(period=2025, decided_on=date(2026, 3, 1))
    await bench.accept(fact(1, split()), commune(targets(), unit_id=EAST, period=2026))
    assert not said(bench.result(f"{EAST}/2026"), "does not inherit it")
    (told,) = said(bench.result(f"{EAST}/2026"), "no result, level or decision of theirs is carried over")
    assert "Formed within the period from Phường Ba Đình (00004)" in told["what"]["en"]
    await bench.accept(commune(targets(), unit_id=EAST, period=2027))
    assert not said(bench.result(f"{EAST}/2027"), "Formed within the period"), "told once, in its first period"
    await bench.accept(decided)
    (told,) = said(bench.result(f"{EAST}/2026"), "does not inherit it")
    assert "Decision 12/QĐ-PGDĐT" in told["what"]["en"]
    assert "Ba Đình (00004)" in told["what"]["en"]
    assert bench.result(f"{EAST}/2026")["level"] == 1
    await bench.accept(withdrawn(decided))
    assert not said(bench.result(f"{EAST}/2026"), "does not inherit it")


# ---------------------------------------------------------------------------------------------------- older documents


@pytest.mark.parametrize("computed", [True, False])
async def test_computed_levels_that_an_older_release_counted_stand_beside(bench: Bench, computed: bool) -> None:
    await bench.accept(commune(targets()))
    old = bench.documents("results")[f"{UNIT}/2025"] | {"_schema": 1}
    counts = {"counted": "districts", "total": 30, "recognised": {"001": 1}, "computed": computed}
    old["inputs"] = {"recognitions": [], "references": [], "counts": counts}
    found = RESULTS.read(sealed("results", old["_id"], old)).inputs.counts
    assert found is not None
    assert (found.recognised, found.computed) == (({}, {"001": 1}) if computed else ({"001": 1}, {}))
