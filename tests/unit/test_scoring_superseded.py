"""A result that changes says what it replaces; results of units that ended stay theirs."""

from __future__ import annotations

from typing import Any

from services.scoring.queries.results import results
from shared.answers.results import CommuneResult
from shared.contracts.facts import AssessmentScored, CentreScored, CommuneScored
from shared.registry import registry
from tests.unit.scoring_assessments import OLD_UNIT, share, standards, universal_education
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import UNIT, centre, commune, points, targets

CLC = "clc_2553_2013"


def said(result: Any) -> dict[str, Any]:
    """What a result says of the one before."""
    assert result.supersedes is not None
    return dict(result.supersedes)


async def test_a_correction_says_what_it_replaces() -> None:
    """Case E10."""
    bench = await Bench().start()
    first, second = await bench.accept(centre(points(CLC)), centre(points(CLC, N4="0"), version=2))
    before, after = first.events[0].data, second.events[0].data
    assert isinstance(before, CentreScored)
    assert isinstance(after, CentreScored)
    assert before.supersedes is None
    assert said(after) == {
        "version": 1, "state": "scored", "total": before.total, "grade": "tot", "level": None,
        "hash": before.hash, "cause": "correction", "reason": None,
    }  # fmt: skip
    assert after.grade == "kha"


async def test_every_kind_of_result_says_it() -> None:
    bench = await Bench().start()
    *_, universal, corrected = await bench.accept(
        commune(targets(1)),
        universal_education(),
        universal_education(standards(TH1=share(940)), version=2),
        commune(targets(1, C1_1={"type": "boolean", "met": False}), version=2),
    )
    scored, again = (event.data for event in universal.events)
    assert isinstance(scored, AssessmentScored)
    assert isinstance(again, CommuneScored)
    assert (said(scored)["cause"], said(again)["cause"]) == ("correction", "reference")
    assert said(corrected.events[0].data)["cause"] == "correction"


async def test_all_versions_before_are_listed_with_the_result() -> None:
    bench = await Bench().start()
    await bench.accept(
        centre(points(CLC)),
        centre(points(CLC, N4="0"), version=2),
        centre(points(CLC, N4=None), version=3),
    )
    (result,) = await results(bench.mongo, "TT/1", 2025)
    assert [(each.version, each.grade, each.cause) for each in result.superseded] == [
        (1, "tot", "correction"),
        (2, "kha", "correction"),
    ]
    assert result.supersedes == result.superseded[-1]


async def test_a_new_submission_is_a_new_version_even_if_it_comes_to_the_same() -> None:
    bench = await Bench().start()
    first, second = await bench.accept(centre(points(CLC)), centre(points(CLC), version=2))
    before, after = first.events[0].data, second.events[0].data
    assert isinstance(before, CentreScored)
    assert isinstance(after, CentreScored)
    assert (after.version, after.input_version, after.hash) == (2, 2, before.hash)


# ------------------------------------------------------------------------------------------------ units over time


async def test_results_of_a_unit_that_ended_stay_its_own() -> None:
    """Case D1: nothing is copied to the successor or taken from the predecessor; the code alone finds both."""
    bench = await Bench().start()
    await bench.accept(commune(points("lc_commune_44_2014")))
    before = bench.documents("results")[f"{OLD_UNIT}/2022"]
    await bench.accept(commune(targets(1)), commune(targets(2), version=2))
    assert bench.documents("results")[f"{OLD_UNIT}/2022"] == before
    assert [
        (each.unit_id, each.period)
        for each in await results(bench.mongo, "00004", None)
        if isinstance(each, CommuneResult)
    ] == [
        (UNIT, 2025),
        (OLD_UNIT, 2022),
    ]


async def test_a_successor_starts_unassessed() -> None:
    """Case D2: a unit made of several has no result until its own assessment is accepted."""
    known = registry()
    merged = known.by_id(UNIT)
    assert merged is not None
    assert known.continues(merged) is None
    bench = await Bench().start()
    for row in known.predecessors(UNIT):
        unit = known.by_id(row.predecessor)
        assert unit is not None
        await bench.accept(commune(points("lc_commune_44_2014"), unit_id=unit.unit_id, code=unit.code))
    await bench.settle()
    assert len(bench.documents("results")) == len(known.predecessors(UNIT)) > 1
    assert await results(bench.mongo, UNIT, None) == []
