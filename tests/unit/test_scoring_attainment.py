"""How far goals are reached by a province and the nation: what is counted, by whom, and what is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.scoring.decisions import ATTAINMENTS, RESULTS, AttainmentYear
from services.scoring.decisions.attainment import attain
from services.scoring.decisions.attainment import begin as begin_attainment
from shared.contracts.facts import GoalAttained
from shared.messaging.decide.asking import Due
from shared.registry import registry
from shared.rulebook import cut_off
from tests.fakes.known import Documents
from tests.unit.scoring_assessments import assessment, models, share
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import recognition

NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
RUBRIC = "learning_models_387_2022"


def filed(province: str, nth: int, families: int) -> Any:
    """Learning models of a commune of 2025: so many of 1000 families."""
    unit = registry().units(cut_off(2025), province)[nth]
    content = models(RUBRIC, GD1=share(families))
    return assessment("learning_models", unit.unit_id, RUBRIC, content, holder=province, province=province)


async def goal(bench: Bench, scope: str, id: str) -> GoalAttained | None:
    """A goal of 2025 as it was told last."""
    rows = await bench.mongo.find(ATTAINMENTS.name, {"_id": f"{scope}/2025"})
    told = ATTAINMENTS.read(rows[0]).told if rows else None
    return next((one for one in told.goals if one.goal == id), None) if told else None


async def test_the_nation_adds_up_its_provinces_and_names_the_missing() -> None:
    bench = await Bench().start()
    await bench.accept(filed("01", 0, 500), filed("01", 1, 900), filed("12", 0, 700))
    await bench.settle()
    told = await goal(bench, "vn", "families_387_2025")
    assert told is not None
    assert told.count is not None
    assert (told.count.numerator, told.count.denominator, told.count.reported) == (2100, 3000, 3)
    assert told.standing == "met"
    assert len(told.missing) == 32
    assert not {"01", "12"} & {*told.missing}


async def test_of_recognised_provinces_the_nation_counts_all_that_there_are() -> None:
    bench = await Bench().start()
    await bench.accept(
        recognition(series="universal_education", unit_id="12", code="12", standard="literacy", level=2, period=2025)
    )
    await bench.settle()
    own, all_ = [await goal(bench, scope, "provinces_literacy_2_1373_2025") for scope in ("12", "vn")]
    assert own is not None
    assert own.standing == "met"
    assert all_ is not None
    assert all_.count is not None
    assert (all_.count.numerator, all_.count.denominator, all_.count.reported) == (1, 34, 1)
    assert all_.needed_for_goal == 23  # 70 % of 34 are 24


async def test_a_metric_is_counted_from_one_series_and_a_province_speaks_for_itself() -> None:
    bench = await Bench().start()
    await bench.accept(filed("12", 0, 700))
    stored = RESULTS.read((await bench.mongo.find(RESULTS.name, {"kind": "learning_models"}))[0])
    shares = {"learning_families": "1/1000", "workers_law": "9/10"}
    other = stored.model_copy(
        update={
            "kind": "province",
            "subject": "province/12",
            "result": stored.result.model_copy(update={"series": "province", "subject_id": "12", "shares": shares}),
        }
    )
    known = Documents(
        {RESULTS.ref(stored.subject.replace("/", "@"), 2025): stored, RESULTS.ref("province@12", 2025): other}
    )
    known.run(attain, Due(AttainmentYear("12", 2025), NOW), NOW)
    counts = known[ATTAINMENTS.ref("12", 2025)].counts  # type: ignore[union-attr]
    assert (counts["learning_families"].numerator, counts["learning_families"].of) == (700, 38)
    assert (counts["workers_law"].numerator, counts["workers_law"].denominator, counts["workers_law"].of) == (9, 10, 1)


async def test_nothing_is_told_twice_and_nothing_before_its_year() -> None:
    bench = await Bench().start()
    await bench.accept(filed("12", 0, 700))
    await bench.settle()
    rows = {row["_id"]: ATTAINMENTS.read(row) for row in await bench.mongo.find(ATTAINMENTS.name, {})}
    assert {id: one.told.version for id, one in rows.items() if one.told} == {"12/2025": 1, "vn/2025": 1}
    known = Documents({ATTAINMENTS.ref("12", 2025): rows["12/2025"]})
    assert known.decide(attain, Due(AttainmentYear("12", 2027), NOW), NOW).verdict == "unchanged"


async def test_a_new_rulebook_has_all_places_counted() -> None:
    bench = await Bench().start()
    await bench.accept(filed("12", 0, 700))
    outcome = await bench.commands.order("attainment/new", "new", begin_attainment)
    assert outcome is not None
    assert {one.key for one in outcome.requests} == {("12", 2025), (None, None)}
    assert await bench.commands.order("attainment/new", "new", begin_attainment) is None
