"""Rankings for any sequence of results: revised step by step they are what they would be if made anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any, Literal
from unittest.mock import AsyncMock, patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.decisions import (
    RANKINGS,
    RELEASES,
    Act,
    RankingYear,
    Unreleasable,
    page_ids,
    ranked,
    release,
)
from services.scoring.decisions.rankings import holder_of
from services.scoring.domain import revision
from services.scoring.domain.ranking import cut_off, numbered
from shared.contracts.base import content_hash
from shared.contracts.facts import RankingReleased, RankingRow
from shared.messaging.decide.asking import Order
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.reader import Reader
from tests.unit.ranking_samples import Results, by_unit, small_register, write

UNITS = small_register().units(date(2025, 12, 31))
SCOPES = ["nation", "province-01", "province-04", "province-12"]
AREAS = ["area-region_1", "area-region_2"]
IDENTITY = ("hash", "inputs_hash", "ranked", "unranked", "pages", "rubric", "policy")

result = st.tuples(
    st.sampled_from(UNITS),
    st.sampled_from([2025, 2025, 2026]),
    st.sampled_from(["a", "b", "b", "c", "d", "e", None]),
    st.sampled_from(["region_1", "region_1", "region_2", None]),
)
history = st.lists(st.lists(result, min_size=1, max_size=6), min_size=1, max_size=5)


@pytest.fixture(autouse=True)
def small_world() -> Iterator[None]:
    """Fifteen communes on pages of three rows, so that rows and groups of equals reach over the ends of pages."""
    register = AsyncMock(return_value=small_register())
    with patch.object(ranked, "register_now", register), patch.object(revision, "ROWS_PER_PAGE", 3):
        yield


async def play(steps: list[list[Any]]) -> Results:
    """Results in batches, the rankings settled after each."""
    world = Results()
    for batch in steps:
        for unit, period, key, area_class in batch:
            await world.put(unit, key, period=period, area_class=area_class)
        await world.settle()
    return world


@settings(max_examples=80, deadline=None)
@given(history)
async def test_a_revised_ranking_is_the_one_made_anew(steps: list[list[Any]]) -> None:
    world = await play(steps)
    anew = world.anew()
    await anew.settle()
    for scope in (*SCOPES, *AREAS):
        for period in (2025, 2026):
            mine, other = world.head(scope, period), anew.head(scope, period)
            assert world.rows(scope, period) == anew.rows(scope, period), (scope, period)
            if mine is None or other is None:
                assert not (other and other["manifest"])
                assert not (mine and mine["manifest"])
                continue
            assert {name: mine[name] for name in IDENTITY} == {name: other[name] for name in IDENTITY}
            assert [without_version(entry) for entry in mine["manifest"]] == [
                without_version(entry) for entry in other["manifest"]
            ]


def without_version(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of a manifest, but for when it was last published."""
    return {name: value for name, value in entry.items() if name != "version"}


@settings(max_examples=15, deadline=None)
@given(history)
async def test_every_version_stays_as_published_and_says_what_it_changed(steps: list[list[Any]]) -> None:
    world = Results()
    for batch in steps:
        before = {scope: (world.head(scope), world.rows(scope)) for scope in (*SCOPES, *AREAS)}
        for unit, _, key, area_class in batch:
            await world.put(unit, key, area_class=area_class)
        await world.settle()
        for scope, (head, rows) in before.items():
            if head is None:
                continue
            assert world.rows(scope, version=head["version"]) == rows
            now = world.head(scope)
            assert now is not None
            if now["version"] == head["version"]:
                assert world.rows(scope) == rows
                continue
            check_changes(world, scope, head, rows)


def check_changes(world: Results, scope: str, head: dict[str, Any], rows: list[Any]) -> None:
    """The listed changes are exactly the units whose result changed; all others that moved are counted."""
    now = world.head(scope)
    assert now is not None
    assert now["supersedes"] == head["version"] == now["version"] - 1
    old, new = by_unit(rows), by_unit(world.rows(scope))
    listed = {change.unit_id: change for page in world.changes(scope) for change in page.changes}
    assert len(listed) == now["changes"]
    changed = {
        unit_id
        for unit_id in old.keys() | new.keys()
        if old.get(unit_id, {}).get("result_version") != new.get(unit_id, {}).get("result_version")
    }
    assert listed.keys() == changed
    for unit_id, change in listed.items():
        assert (change.before.rank if change.before else None) == old.get(unit_id, {}).get("rank")
        assert (change.after.rank if change.after else None) == new.get(unit_id, {}).get("rank")
    others = (old.keys() & new.keys()) - changed
    assert now["shifted"] == sum(old[unit_id]["rank"] != new[unit_id]["rank"] for unit_id in others)


@settings(max_examples=15, deadline=None)
@given(history)
async def test_every_unit_has_one_row_and_a_rank_that_agrees_with_all_results(steps: list[list[Any]]) -> None:
    world = await play(steps)
    for scope in (*SCOPES, *AREAS):
        head, rows = world.head(scope), by_unit(world.rows(scope))
        if head is None:
            continue
        assert head["ranked"] + head["unranked"] == len(rows)
        assert head["ranked"] == sum(row["rank"] is not None for row in rows.values())
        results = {
            row["result"]["unit_id"]: row["result"] for row in world.mongo.all("results") if row["period"] == 2025
        }
        if scope in AREAS:
            wanted = scope.removeprefix("area-")
            assert rows.keys() == {id for id, each in results.items() if each["area_class"] == wanted}
        else:
            holder = holder_of(scope)
            assert rows.keys() == {unit.unit_id for unit in UNITS if holder in (None, unit.province_code)}
        for unit_id, row in rows.items():
            key = results[unit_id]["rank_key"] if unit_id in results else None
            assert (row["rank"] is None) == (key is None) == (row["reason"] is not None)
            if key is not None:
                assert row["rank"] == 1 + sum((results.get(other, {}).get("rank_key") or "") > key for other in rows)


@settings(max_examples=15, deadline=None)
@given(history)
async def test_what_was_ranked_can_be_proven_from_the_published_pages_alone(steps: list[list[Any]]) -> None:
    world = await play(steps)
    for scope in (*SCOPES, *AREAS):
        head = world.head(scope)
        if head is None:
            continue
        by_holder: dict[str, list[list[Any]]] = {}
        for row in world.rows(scope):
            inputs = by_holder.setdefault(row["holder"], [])
            if row["result_version"] is not None:
                inputs.append([row["unit_id"], row["result_version"], row["result_hash"]])
        proven = [[holder, content_hash(sorted(each))] for holder, each in sorted(by_holder.items()) if each]
        assert head["inputs_hash"] == content_hash(proven)
        pages = [world.mongo.rows("ranking_pages")[id] for id in page_ids(RANKINGS.read(head))]
        assert [page["hash"] for page in pages] == [content_hash(page["rows"]) for page in pages]
        assert head["hash"] == content_hash([page["hash"] for page in pages])


keys = st.lists(st.sampled_from("abcde"), max_size=12)


@given(keys, st.integers(1, 14), st.sampled_from(["include", "exclude"]))
def test_a_cut_off_never_parts_equals(found: list[str], places: int, ties: Any) -> None:
    units = UNITS[: len(found)]
    ordered = sorted(zip(found, units, strict=True), key=lambda pair: pair[0], reverse=True)
    rows = numbered(
        RankingRow(
            rank=None, unit_id=unit.unit_id, code=unit.code, name=unit.name, holder=unit.province_code, rank_key=key
        )
        for key, unit in ordered
    )
    cut = cut_off(rows, places, ties)
    inside = [row.rank_key for row in cut.rows]
    outside = found.copy()
    for key in inside:
        assert key is not None
        outside.remove(key)
    assert not set(inside) & set(outside), "equals are together"
    assert not inside or not outside or min(str(key) for key in inside) > max(outside), "nobody passes a better one"
    assert cut.taken == len(inside)
    if cut.tied_rank is None:
        assert len(inside) == min(places, len(found))
    elif ties == "include":
        assert places < len(inside)
        assert len(inside) - cut.tied_units < places
    else:
        assert len(inside) < places < len(inside) + cut.tied_units


async def act(world: Results, number: int, state: Literal["released", "withdrawn"]) -> RankingReleased | None:
    """Release the nation's ranking as it is, or withdraw the last release; `None`: it was refused."""
    head = world.head("nation") or {"version": 1, "hash": ""}
    last = world.mongo.rows("ranking_releases").get("nation/2025")
    order = Act(
        order_id=f"{number}",
        ranking=RankingYear("nation", 2025),
        state=state,
        number=head["version"] if state == "released" else (last or {"version": 1})["version"],
        hash=head["hash"],
        decision_number="1/QĐ",
        decided_on=date(2026, 1, 1),
        signed_by="Vụ trưởng",
        reason="Có thay đổi",
        by="an",
        role="ministry",
    )
    reader = Reader(world.mongo)
    try:
        outcome = await decided(Run(release, Order(order.order_id, order, world.now), reader, world.now), reader)
    except Unreleasable:
        return None
    reader.expect(outcome.puts)
    await write(world.mongo, reader.puts(outcome.puts, stamp=1))
    done: RankingReleased = outcome.puts[RELEASES.ref("nation", 2025)]
    return done


@settings(max_examples=60, deadline=None)
@given(history, st.lists(st.sampled_from(["released", "withdrawn", None]), min_size=5, max_size=5))
async def test_what_was_released_never_moves(steps: list[list[Any]], acts: list[Any]) -> None:
    """Its rows are those of its day, its counts what a comparison of whole rankings gives, and computing ignores it."""
    world = Results()
    seen: list[tuple[RankingReleased, list[Any]]] = []
    for number, (batch, state) in enumerate(zip(steps, acts, strict=False)):
        for unit, period, key, area_class in batch:
            await world.put(unit, key, period=period, area_class=area_class)
        await world.settle()
        done = await act(world, number, state) if state else None
        if done is not None:
            seen.append((done, world.rows("nation", version=done.ranking.version)))
    assert [done.version for done, _ in seen] == [*range(1, len(seen) + 1)]
    assert all(world.rows("nation", version=done.ranking.version) == rows for done, rows in seen)
    for (before, old), (after, new) in pairwise(seen):
        was, now = by_unit(old), by_unit(new)
        results = [id for id in was if was[id]["result_version"] != now[id]["result_version"]]
        ranks = [id for id in was if was[id]["rank"] != now[id]["rank"] and id not in results]
        assert (after.changes, after.shifted) == (len(results), len(ranks))
        assert "released" in (before.state, after.state), "what is withdrawn is not withdrawn again"
    unreleased = await play(steps)
    assert [unreleased.head("nation")] == [world.head("nation")]
