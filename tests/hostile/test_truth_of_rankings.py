"""Ranks rest on what scoring wrote: of results and pages that are altered, moved or taken away no ranking is made."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from services.scoring.decisions import RESULTS
from services.scoring.decisions.results import explain
from services.scoring.domain import Standing, revision
from services.scoring.queries import migrate, rankings
from shared.contracts.facts import RankingPublished
from shared.messaging.decide.documents import Document, content_of
from shared.messaging.seals import Altered, sealed
from shared.registry import registry
from tests.unit.ranking_samples import Results
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import commune, targets

UNITS = registry().units(date(2025, 12, 31), "04")[:6]
A, B, C, D, E, F = UNITS
SCOPE = "province-04"
OTHER: dict[str, Any] = {
    "unit_id": A.unit_id, "version": 9, "rubric": "x", "point_table": "x", "state": "incomplete", "total": "99",
    "grade": "tot", "level": 2, "missing": ["C1.1"], "rank_key": "z", "area_class": "region_3", "hash": "x",
    "supersedes": {"version": 1, "state": "scored", "total": None, "grade": None, "level": None, "hash": "x"},
}  # fmt: skip
"""What somebody writes into each field that a ranking reads."""


async def ranked() -> Results:
    """Six communes with a result each, ranked."""
    world = Results()
    for key, unit in zip("fedcba", UNITS, strict=True):
        await world.put(unit, key)
    await world.settle()
    return world


def result_of(world: Results, unit: Any = C) -> Document:
    """A result as it lies in the database."""
    return world.mongo.rows("results")[f"{unit.unit_id}/2025"]


def alter(world: Results, unit: Any, change: Callable[[Document], object]) -> str:
    """Change a result by hand; returns its place."""
    id = f"{unit.unit_id}/2025"
    world.mongo.rows("results")[id] = row = copy.deepcopy(world.mongo.rows("results")[id])
    change(row)
    return f"results/{id}"


async def refuses(world: Results, *places: str) -> None:
    """No ranking is made, and exactly these documents are named."""
    before = world.rows(SCOPE)
    with pytest.raises(Altered) as refused:
        await world.compute(SCOPE)
    assert sorted(refused.value.places) == sorted(places)
    assert world.rows(SCOPE) == before


def test_every_field_that_a_ranking_reads_is_tried() -> None:
    assert OTHER.keys() == Standing.model_fields.keys()


@pytest.mark.parametrize("field", OTHER)
async def test_a_result_that_was_altered_moves_no_rank_and_is_named(field: str) -> None:
    world = await ranked()
    place = alter(world, C, lambda row: row["standing"].update({field: OTHER[field]}))
    await refuses(world.anew(), place)
    await world.put(A, "0")  # another one of the province changes: the altered one is not looked at, and stays in place
    await world.compute(SCOPE)
    assert [code for _, code in world.ranks(SCOPE)][:5] == [each.code for each in (B, C, D, E, F)]


HANDS: dict[str, Callable[[Document], object]] = {
    "its version": lambda row: row.update(version=row["version"] + 1),
    "its kind": lambda row: row.update(kind="centre"),
    "its period": lambda row: row.update(period=2024),
    "its province": lambda row: row.update(holder="08"),
    "no standing": lambda row: row.pop("standing"),
    "no seal": lambda row: row.pop("_seal"),
}


@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS)
async def test_nobody_hides_a_result_from_its_ranking(hand: Callable[[Document], object]) -> None:
    world = await ranked()
    place = alter(world, C, hand)
    await world.put(A, "0")
    if place and hand in (HANDS["no standing"], HANDS["no seal"]):  # nothing tells that it should be looked at
        world = world.anew()
    await refuses(world, place)


async def test_a_result_that_was_taken_away_is_missed() -> None:
    world = await ranked()
    del world.mongo.rows("results")[f"{C.unit_id}/2025"]
    await refuses(world, f"results/{C.unit_id}/2025")


async def test_all_altered_results_are_named_at_once() -> None:
    world = await ranked()
    places = [alter(world, unit, lambda row: row["standing"].update(rank_key="z")) for unit in (B, D)]
    await refuses(world.anew(), *places)


@pytest.mark.parametrize("hand", ["altered", "taken away"])
async def test_a_page_that_was_altered_or_taken_away_is_named_by_who_ranks_and_who_reads(
    monkeypatch: pytest.MonkeyPatch, hand: str
) -> None:
    monkeypatch.setattr(revision, "ROWS_PER_PAGE", 3)
    world = await ranked()
    id = f"{SCOPE}/2025/1/1"
    pages = world.mongo.rows("ranking_pages")
    whole = pages.pop(id)
    if hand == "altered":
        rows = [{**row, "unit_id": "x"} for row in whole["rows"]]
        pages[id] = {**whole, "rows": rows}
    head = RankingPublished.model_validate(content_of(world.head(SCOPE) or {}))
    for asked in (
        rankings.rows(world.mongo, head, revision.Stretch(1, 1)),
        rankings.first_rows(world.mongo, head, 2),
        rankings.row(world.mongo, head, A.unit_id),
    ):
        with pytest.raises(Altered, match=f"ranking_pages/{id}"):
            await asked
    await world.put(A, "0")
    with pytest.raises(Altered, match=f"ranking_pages/{id}"):
        await world.compute(SCOPE)
    await world.put(A, "f", period=2026)
    with pytest.raises(Altered, match=f"ranking_pages/{id}"):  # where everybody stood a year before
        await world.compute(SCOPE, 2026)
    pages[id] = whole
    assert (await rankings.rows(world.mongo, head, revision.Stretch(1, 1)))[0].unit_id == A.unit_id
    await world.compute(SCOPE)
    assert world.ranks(SCOPE)[0] == (1, B.code)


async def test_changes_that_were_taken_away_are_missed() -> None:
    world = await ranked()
    await world.put(A, "0")
    await world.compute(SCOPE)
    head = await rankings.head(world.mongo, SCOPE, 2025)
    assert head is not None
    assert len((await rankings.changes(world.mongo, head))[0].changes) == head.changes
    world.mongo.rows("ranking_changes").clear()
    with pytest.raises(Altered, match=f"ranking_changes/{SCOPE}/2025/2"):
        await rankings.changes(world.mongo, head)


# --------------------------------------------------------------------------------------- results of a release before


async def filled() -> Bench:
    bench = await Bench().start()
    await bench.accept(commune(targets(1)))
    await bench.settle()
    return bench


def of_before(bench: Bench) -> None:
    """Write the results as a release did that kept no standings, and the words of each result."""
    for id, row in bench.mongo.rows(RESULTS.name).items():
        told, _ = explain(RESULTS.read(row))
        row = row | {"result": told.model_dump(mode="json")}
        before = {name: value for name, value in row.items() if name != "standing"} | {"_schema": 2}
        bench.mongo.rows(RESULTS.name)[id] = before | sealed(RESULTS.name, id, before)


async def test_a_result_of_a_release_before_is_ranked_as_it_was() -> None:
    bench, other = await filled(), await filled()
    of_before(bench)
    for each in (bench, other):
        await each.settle(rankings=True)
    pages, same = ({id: row["rows"] for id, row in one.documents("ranking_pages").items()} for one in (bench, other))
    assert pages == same != {}


async def test_results_of_a_release_before_get_their_standings_at_its_start() -> None:
    bench = await filled()
    whole = copy.deepcopy(bench.mongo.rows(RESULTS.name))
    of_before(bench)
    bench.mongo.rows("schemas").clear()
    await migrate(bench.mongo)
    now = bench.mongo.rows(RESULTS.name)
    assert {id: row["standing"] for id, row in now.items()} == {id: row["standing"] for id, row in whole.items()}
    assert {row["_schema"] for row in now.values()} == {RESULTS.schema}


async def test_no_explanation_is_read_for_a_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A nation's results have 3,321 explanations, a hundred times as long as what is ranked."""
    bench = await filled()
    find, names = bench.mongo.find, set[str]()

    async def watched(collection: str, *args: Any, **more: Any) -> Any:
        rows = await find(collection, *args, **more)
        if collection == RESULTS.name:
            names.update(*rows)
        return rows

    monkeypatch.setattr(bench.mongo, "find", watched)
    await bench.settle(rankings=True)
    assert "standing" in names
    assert names.isdisjoint({"result", "accepted", "inputs"})
