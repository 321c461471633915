"""Results that use other results: frozen as they were, judged again when one changes, in whatever order all arrive."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.facts import AssessmentScored, CommuneScored
from shared.mongo import Conflict, DuplicateKey
from shared.registry import registry
from tests.unit.scoring_assessments import OLD_UNIT, learning_models, models, share, standards, universal_education
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import UNIT, centre, commune, points, recognition, targets

COMMUNE = f"{UNIT}/2025"
CLC = "clc_2553_2013"


def old_centre(**changed: Any) -> Any:
    """A centre of old Ba Đình, 2022."""
    return centre(points(CLC), **({"period": 2022} | changed))


def target(result: Any, id: str) -> Any:
    """One target of a result."""
    return next(each for one in result["criteria"] for each in one["targets"] if each["id"] == id)


def used(result: Any) -> dict[str, Any]:
    """What a result used of others: outcome by series and subject."""
    return {f"{each['series']}/{each['subject']}": each["outcome"] for each in result["references"]}


# ------------------------------------------------------------------------------------------------ at one moment


async def test_a_result_that_comes_while_a_communes_references_are_collected_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = await Bench().start()
    await bench.accept(commune(points("lc_commune_44_2014")), old_centre())
    await bench.accept(old_centre(version=2, commune_code="00008"))  # it leaves: what is left is collected
    find = bench.mongo.find
    came: list[bool] = []

    async def meanwhile(collection: str, query: Any, **how: Any) -> Any:
        rows = await find(collection, query, **how)
        if collection == "results" and "feeds" in query and not came:
            came.append(True)
            await bench.accept(old_centre(centre_id="TT/2"))
        return rows

    monkeypatch.setattr(bench.mongo, "find", meanwhile)
    with pytest.raises(Conflict):
        await bench.settle()
    await bench.settle()
    assert used(bench.result(f"{OLD_UNIT}/2022")).keys() == {"centre/TT/2"}


# ------------------------------------------------------------------------------------------------ one by one


async def test_each_series_is_kept_and_published_under_its_own_name() -> None:
    bench = await Bench().start()
    (scored,) = await bench.accept(universal_education())
    (event,) = scored.events
    assert (event.topic, event.key, event.subject) == ("scores", f"universal_education/{UNIT}", event.key)
    assert isinstance(event.data, AssessmentScored)
    assert event.data.standards == {"preschool_5": 1, "primary": 3, "lower_secondary": 3, "literacy": 2}
    document = bench.documents("results")[f"universal_education@{UNIT}/2025"]
    assert (document["kind"], document["subject"], document["feeds"]) == ("universal_education", event.subject, UNIT)


async def test_a_sender_cannot_choose_a_centre_id_that_meets_another_result() -> None:
    bench = await Bench().start()
    await bench.accept(universal_education(), centre(points(CLC), centre_id=f"universal_education/{UNIT[:5]}"))
    assert len(bench.documents("results")) == 2


async def test_a_commune_that_comes_later_finds_the_results_that_it_uses() -> None:
    bench = await Bench().start()
    await bench.accept(universal_education(standards(TH1=share(940))), learning_models(), commune(targets()))
    result = bench.result(COMMUNE)
    assert target(result, "C4.2")["value"] == "1", "94 % in grade 1: primary level 1, whatever the commune claims"
    assert target(result, "C5.1")["value"] == "700/1000"
    assert used(result)[f"universal_education/{UNIT}"]["primary"] == "1"
    assert result["level"] == 0


async def test_a_result_that_comes_later_has_its_commune_judged_again() -> None:
    bench = await Bench().start()
    await bench.accept(commune(targets(1)))
    assert bench.result(COMMUNE)["level"] == 1
    _, again = (await bench.accept(universal_education(standards(TH1=share(940)))))[0].events
    assert isinstance(again.data, CommuneScored)
    assert (again.data.level, again.data.version, again.data.input_version) == (0, 2, 1)
    assert again.data.supersedes is not None
    assert (again.data.supersedes.level, again.data.supersedes.cause) == (1, "reference")
    (reference,) = again.data.inputs.references
    source = bench.result(f"universal_education@{UNIT}/2025")
    assert (reference.version, reference.hash) == (source["version"], source["hash"])


async def test_a_reference_that_changes_nothing_of_the_commune_publishes_nothing_of_it() -> None:
    """Circular 25/2023 does not ask for the centre's grade."""
    bench = await Bench().start()
    await bench.accept(commune(targets(1)))
    (outcome,) = await bench.accept(centre(points(CLC)))
    assert [event.subject for event in outcome.events] == ["TT/1"]
    assert bench.documents("results")[COMMUNE]["version"] == 1
    assert bench.documents("results")[COMMUNE]["inputs"]["references"], "it is known all the same"


async def test_the_grade_of_a_centre_counts_under_the_points_rubric() -> None:
    """Criterion 4 asks for a centre graded "tốt" (Decision 645); the centre lay in the old ward of the same code."""
    bench = await Bench().start()
    id = f"{OLD_UNIT}/2022"
    await bench.accept(commune(points("lc_commune_44_2014")), old_centre())
    good = bench.result(id)
    assert used(good) == {"centre/TT/1": {"grade": "tot"}}
    await bench.accept(centre(points(CLC, N4="0"), period=2022, version=2))
    worse = bench.result(id)
    assert used(worse) == {"centre/TT/1": {"grade": "kha"}}
    assert (good["grade"], good["version"], worse["version"]) == ("tot", 2, 3)
    assert float(worse["total"]) < float(good["total"])
    await bench.accept(old_centre(centre_id="TT/2"))
    assert set(used(bench.result(id))) >= {"centre/TT/2"}
    assert bench.result(id)["total"] == good["total"], "one centre that is graded tốt is enough"


async def test_an_incomplete_result_says_nothing_and_takes_back_what_it_said() -> None:
    bench = await Bench().start()
    await bench.accept(commune(points("lc_commune_44_2014")), old_centre())
    await bench.accept(centre(points(CLC, N4=None), period=2022, version=2))
    assert bench.documents("references")[f"{OLD_UNIT}/2022"]["items"] == []
    assert bench.result(f"{OLD_UNIT}/2022")["references"] == []


async def test_of_very_many_centres_the_first_count_and_another_takes_the_place_of_one_that_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.scoring.decisions.documents.MOST_REFERENCES", 2)
    bench = await Bench().start()
    await bench.accept(commune(points("lc_commune_44_2014")))
    await bench.accept(*(old_centre(centre_id=f"TT/{number}") for number in (3, 1, 2)))
    assert used(bench.result(f"{OLD_UNIT}/2022")).keys() == {"centre/TT/1", "centre/TT/2"}
    await bench.accept(centre(points(CLC, N4=None), period=2022, version=2, centre_id="TT/1"))
    await bench.settle()
    assert used(bench.result(f"{OLD_UNIT}/2022")).keys() == {"centre/TT/2", "centre/TT/3"}


async def test_a_centre_is_found_by_its_registration_not_by_a_code_that_was_used_again() -> None:
    """00118 was Phường Trúc Bạch until June 2025; today's code of another unit must not lead there."""
    known = registry()
    reused = next(
        unit
        for unit in known.units(date(2025, 12, 31))
        if known.unit(unit.code, date(2022, 12, 31)) is not None and len(known.predecessors(unit.unit_id)) > 1
    )
    bench = await Bench().start()
    told = {"commune_code": reused.code, "unit_id": reused.unit_id}
    await bench.accept(old_centre(**told), centre(points(CLC), **told))
    documents = bench.documents("results")
    assert documents["TT/1/2022"]["feeds"] is None, "in which of the merged communes it lay is not known"
    assert documents["TT/1/2025"]["feeds"] == reused.unit_id


async def test_a_centre_follows_its_commune_through_the_reorganisation() -> None:
    known = registry()
    whole = next(
        unit
        for unit in known.units(date(2022, 12, 31))
        if [row.share for row in known.successors(unit.unit_id)] == ["whole"]
    )
    (row,) = known.successors(whole.unit_id)
    bench = await Bench().start()
    await bench.accept(centre(points(CLC), commune_code=whole.code, unit_id=whole.unit_id))
    assert bench.documents("results")["TT/1/2025"]["feeds"] == row.successor


async def test_a_centre_that_was_filed_under_another_commune_leaves_the_first_one() -> None:
    bench = await Bench().start()
    await bench.accept(commune(points("lc_commune_44_2014")), old_centre())
    assert used(bench.result(f"{OLD_UNIT}/2022"))
    await bench.accept(old_centre(version=2, commune_code="00008"))
    assert bench.requests() == [("references", (OLD_UNIT, 2022))]
    await bench.settle()
    assert bench.result(f"{OLD_UNIT}/2022")["references"] == []
    assert [each["subject"] for each in bench.documents("references")["00008@pre-2025-07/2022"]["items"]] == ["TT/1"]


# ------------------------------------------------------------------------------------------------ any order

FACTS = [
    commune(targets(1), version=1),
    commune(targets(2), version=2),
    universal_education(standards(TH1=share(940)), version=1),
    universal_education(version=2),
    learning_models(version=1),
    learning_models(models("learning_models_387_2022", CD1=share(810)), version=2),
    centre(points(CLC, N4="0"), version=1),
    centre(points(CLC), version=2),
    recognition(),
    recognition(version=2, decided_on=date(2024, 6, 1)),
    recognition(period=2025, decided_on=date(2026, 1, 9), decision_number="7/QĐ"),
]
POINTS_FACTS = [
    commune(points("lc_commune_44_2014")),
    old_centre(commune_code="00008"),
    old_centre(version=2),
    centre(points(CLC, N1="0"), centre_id="TT/2", period=2022),
    universal_education(unit=OLD_UNIT, period=2022),
]


def _ends(facts: list[Any]) -> dict[str, Any]:
    """The final documents with their hashes, apart from versions, which are counted in order of arrival."""

    async def run() -> Bench:
        bench = await Bench().start()
        await bench.accept(*facts)
        await bench.settle()
        return bench

    bench = asyncio.run(run())
    documents = {
        f"{collection}/{id}": document
        for collection in ("results", "references", "recognitions")
        for id, document in bench.documents(collection).items()
        if document.get("items") != []  # that nothing is known may be written, or not
    }
    found: dict[str, Any] = _without_versions(documents)
    return found


_COUNTED = {"_rev", "_seal", "_stamp", "version", "supersedes", "superseded"}


def _without_versions(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_versions(inner) for name, inner in value.items() if name not in _COUNTED}
    return [_without_versions(inner) for inner in value] if isinstance(value, list) else value


@settings(max_examples=20, deadline=None)
@given(st.permutations(FACTS))
def test_any_order_of_the_same_facts_ends_alike(facts: list[Any]) -> None:
    assert _ends(facts) == _ends(FACTS)


@settings(max_examples=20, deadline=None)
@given(st.permutations(POINTS_FACTS))
def test_any_order_ends_alike_under_points_and_when_a_centre_moves(facts: list[Any]) -> None:
    assert _ends(facts) == _ends(POINTS_FACTS)


# ------------------------------------------------------------------------------------------------ at the same moment


@pytest.mark.parametrize("slower", [0, 1])
async def test_two_that_meet_at_the_same_moment_do_not_overlook_each_other(slower: int) -> None:
    """Case E9: two processes decide on the same state; the one that writes later is refused, and decides again."""
    bench = await Bench().start()
    facts = [commune(targets()), universal_education(standards(TH1=share(940)))]
    decided = [await bench.decide(fact) for fact in facts]
    await bench.write(*decided[1 - slower])
    with pytest.raises(Conflict):
        await bench.write(*decided[slower])
    await bench.accept(facts[slower])
    assert target(bench.result(COMMUNE), "C4.2")["value"] == "1"


async def test_a_second_result_of_the_same_subject_and_period_cannot_exist() -> None:
    """Case E9: the database itself refuses it, whatever a process believes."""
    bench = await Bench().start()
    await bench.accept(commune(targets()))
    twin = {**bench.documents("results")[COMMUNE], "_id": "another id"}
    with pytest.raises(DuplicateKey):
        await bench.mongo.insert("results", [twin])
