"""What scoring's sets depend on: every document asks for the sets that rest on it, before and after its change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from services.scoring.decisions import (
    AREA,
    AREAS,
    CHECK,
    COLLECTED,
    RANKING,
    RANKINGS,
    RECOGNITIONS,
    RESCORED,
    RESULTS,
    SETS,
    AreaYear,
    Head,
    RankingYear,
    Rescored,
    routes,
)
from services.scoring.queries import migrate
from shared.contracts.catalogue import contract_of
from shared.messaging.collections import RECALCULATIONS
from shared.messaging.decide.asking import Ask, Due, Outcome, UndeclaredRead
from shared.messaging.decide.documents import Collection, Ref
from shared.messaging.decide.register import REGISTER
from shared.messaging.decide.sets import SetOf, Sets
from tests.fakes.known import Documents
from tests.unit.register_samples import fact, split
from tests.unit.scoring_assessments import universal_education
from tests.unit.scoring_bench import NOW, Bench
from tests.unit.scoring_samples import UNIT, centre, commune, points, received, recognition, targets
from tests.unit.test_scoring_areas import DISTRICT, district, province

OLD = "00004@pre-2025-07"


class Asked(Documents):
    """What is asked for by whatever is decided."""

    def take(self, *facts: Any) -> set[tuple[str, tuple[Any, ...]]]:
        """The sets that the last of these facts asks for."""
        outcome = Outcome()
        for data in facts:
            kind = contract_of(data.__class__)
            outcome = self.decide(routes[kind], received(data, kind))
            asked = set(self._touched(outcome))
            self.apply(outcome)
        assert outcome.requests == [], "no handler lists sets"
        return asked

    def _touched(self, outcome: Outcome) -> Iterator[tuple[str, tuple[Any, ...]]]:
        for ref, state in outcome.puts.items():
            yield from touched(ref, self[ref], state)


def touched(ref: Ref[Any], before: Any, after: Any) -> set[tuple[str, tuple[Any, ...]]]:
    """The sets that a change of one document asks for."""
    return {(each.set, each.key) for each in Sets(SETS).touched(ref, before, after)}


def test_a_communes_result_asks_for_its_rankings_where_it_was_and_where_it_comes() -> None:
    asked = Asked()
    asked.take(commune(targets(1), area_class="region_1"))
    rankings = {("ranking", (scope, 2025)) for scope in ("nation", "province-01", "area-region_1", "area-region_2")}
    assert asked.take(commune(targets(1), version=2, area_class="region_2")) == rankings
    ref = RESULTS.ref(UNIT, 2025)
    result = asked[ref]
    assert result is not None
    assert touched(ref, result, result.model_copy(update={"inputs": result.inputs.model_copy()})) == set()
    moved = touched(ref, result, result.model_copy(update={"holder": "04"}))
    assert {("ranking", ("province-01", 2025)), ("ranking", ("province-04", 2025))} <= moved


def test_a_ranking_asks_for_that_of_the_next_period_when_it_has_a_new_version() -> None:
    head = Head.model_construct(  # type: ignore[call-arg]  # only what is looked at
        scope="nation", period=2025, version=1, basis="a"
    )
    ref = RANKINGS.ref("nation", 2025)
    assert touched(ref, None, head) == {("ranking", ("nation", 2026))}
    assert touched(ref, head, head.model_copy(update={"basis": "b"})) == set()
    assert touched(ref, head, head.model_copy(update={"version": 2})) == {("ranking", ("nation", 2026))}


def test_a_decision_asks_for_the_areas_around_its_unit_in_every_period() -> None:
    asked = Asked()
    wanted = asked.take(recognition(unit_id=OLD))
    assert {key for name, key in wanted if name == "area"} == {("district", "001", None), ("province", "01", None)}
    spoken_of = {key for name, key in wanted if name == "attainment"}
    assert ("01", None) in spoken_of
    assert {scope for scope, _ in spoken_of} == {"01"}
    assert len(spoken_of) == 6  # its own year, the four after it, and wherever else it was counted
    assert asked.take(commune(points("lc_commune_44_2014"))) >= {("ranking", ("nation", 2022))}
    ref = RECOGNITIONS.ref(OLD)
    kept = asked[ref]
    assert kept is not None
    assert kept.periods == (2022,)
    assert touched(ref, kept, kept.model_copy(update={"periods": (2022, 2023)})) == set()


def test_an_area_is_asked_for_by_its_assessment_and_a_province_by_its_districts() -> None:
    asked = Asked()
    asked.take(district())
    assert asked.take(province(), district(version=2)) == {("area", ("district", "001", 2024))}
    outcome = asked.decide(AREA.decide, Due(AreaYear("district", "001", 2024), NOW), NOW, AREA.declared)
    ref = RESULTS.ref(DISTRICT)
    assert touched(ref, None, outcome.puts[ref]) == {("area", ("province", "01", 2024))}
    assert AREAS.name in AREA.declared


def test_a_correction_of_the_register_asks_for_every_ranking_and_area_that_is_known() -> None:
    assert Asked().take(fact(1, split())) == {
        ("ranking", (None, None)),
        ("area", (None, None, None)),
        ("attainment", (None, None)),
        ("titles", (None, None)),
    }
    assert touched(REGISTER, {"hash": "a"}, {"hash": "a"}) == set()


def test_a_result_that_says_nothing_of_its_commune_any_more_has_the_others_collected() -> None:
    asked = Asked()
    assert asked.take(centre(points("clc_2553_2013"))) == set()
    assert asked.take(centre(points("clc_2553_2013"), version=2)) == set()
    assert asked.take(centre(points("clc_2553_2013", N4=None), version=3)) == {("references", (UNIT, 2025))}


@pytest.mark.parametrize("one", SETS, ids=lambda each: each.name)
async def test_a_set_that_reads_what_it_did_not_declare_fails(one: SetOf[Any]) -> None:
    async def reads_more(due: Due[Any], ask: Ask) -> Outcome:
        await ask.one(Collection("elsewhere", RESULTS.model).ref("x"))
        return Outcome()

    with pytest.raises(UndeclaredRead, match="elsewhere"):
        Documents().decide(reads_more, Due(None, NOW), NOW, one.declared)


async def test_what_a_release_before_left_open_or_unknown_is_asked_for_by_name() -> None:
    bench = await Bench().start()
    await bench.accept(district(), commune(targets(1)), universal_education(), recognition(decided_on=date(2024, 3, 1)))
    await bench.settle(rankings=True)
    bench.mongo.collections["sets"].clear()
    left = [("assessment-district-001", 2024), (f"references-{UNIT}", 2025), (f"rescore/{UNIT}/2025", 2025),
            ("province-01", 2025)]  # fmt: skip
    rows: list[dict[str, Any]] = [{"scope": scope, "period": period, "due": None, "at": NOW} for scope, period in left]
    await bench.mongo.insert(RECALCULATIONS, rows)
    await migrate(bench.mongo)
    area, ranking = AreaYear("district", "001", 2024), RankingYear("province-01", 2025)
    expected = [AREA.request(area), COLLECTED.request((UNIT, 2025)), RESCORED.request(Rescored(f"{UNIT}/2025", 2025))]
    waiting = bench.requests(rankings=True)
    assert {(each.set, each.key) for each in [*expected, RANKING.request(ranking)]} <= set(waiting)
    published = bench.published()
    await bench.settle(rankings=True)
    await migrate(bench.mongo)
    assert (bench.requests(rankings=True), bench.published()) == ([], published)


def test_an_order_is_asked_for_by_nothing_but_a_person() -> None:
    assert (RESCORED.sources, CHECK.sources) == ((), ())
