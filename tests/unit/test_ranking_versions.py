"""Rankings on the database fake: versions and what they changed, movement, scopes, and how little is read for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from services.scoring.decisions import RANKING, routes
from services.scoring.decisions.rankings import NoRegister
from services.scoring.domain import rank, revision
from services.scoring.domain.ranking import pass_fail_key
from shared.contracts.catalogue import EventType
from shared.contracts.facts import RankChange, RankingPage, RankingPublished
from shared.messaging.decide.asking import Look, Request
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.register import REGISTER
from shared.messaging.decide.sets import Sets
from shared.messaging.send.events import body_of
from shared.mongo import Conflict
from shared.registry import registry, with_correction
from shared.rulebook import rubric
from shared.rulebook.ranking import PassFailMeasure
from tests.fakes.known import Documents
from tests.unit.ranking_samples import Results, by_unit, ranked, standing, write
from tests.unit.register_samples import correction, fact
from tests.unit.scoring_samples import commune, received, targets

TODAY = rubric("lc_commune_25_2023")
UNITS = registry().units(date(2025, 12, 31), "04")
A, B, C, D = UNITS[:4]


def events(world: Results) -> list[Any]:
    """What the last computation published."""
    return [event.data for event in world.outcomes[-1].events]


def _changed_pages(world: Results) -> list[int]:
    """Pages that the last computation published."""
    return [each.page for each in events(world) if isinstance(each, RankingPage)]


# ------------------------------------------------------------------------------------------------------- ranks


def test_ties_share_the_rank_and_leave_a_gap() -> None:
    units = UNITS[:6]
    keys = ["b", "c", "b", "a", None]
    results = {unit.unit_id: standing(unit, key, 3) for unit, key in zip(units, keys, strict=False)}
    rows = rank(reversed(units), results, TODAY)
    assert [(row.rank, row.code) for row in rows] == [
        (1, units[1].code),
        (2, units[0].code),
        (2, units[2].code),
        (4, units[3].code),
        (None, units[4].code),
        (None, units[5].code),
    ]
    assert rows == rank(units, results, TODAY), "the order of the input does not matter"
    assert [row.reason.en if row.reason else None for row in rows[3:]] == [
        None,
        "Incomplete: C5.1.",
        "No submission was accepted.",
    ]
    assert (rows[0].result_version, rows[-1].result_version) == (3, None)


def test_another_rubric_or_point_table_is_not_comparable() -> None:
    rule = rubric("lc_commune_44_2014")
    own = standing(A, "x", rubric=rule.id, point_table="lc_commune_44_2014/working-default-1")
    assert rank([A], {A.unit_id: own}, rule)[0].rank == 1
    for changed in ({"point_table": "da_nang/2016"}, {"rubric": "other"}):
        (row,) = rank([A], {A.unit_id: own.model_copy(update=changed)}, rule)
        assert (row.rank, row.rank_key) == (None, None)
        assert row.reason is not None
        assert "not comparable" in row.reason.en


def test_results_of_units_outside_the_scope_are_ignored() -> None:
    outside = replace(A, unit_id="99999@2025-07", code="99999")
    rows = rank(UNITS, {outside.unit_id: standing(outside, "z")}, TODAY)
    assert [row.code for row in rows] == [unit.code for unit in UNITS]
    assert {row.rank for row in rows} == {None}


# ---------------------------------------------------------------------------------------------------- versions


async def test_a_ranking_is_published_once_per_change() -> None:
    world = Results()
    await world.put(A, "b")
    await world.compute("province-04")
    head, page = events(world)
    assert isinstance(head, RankingPublished)
    assert isinstance(page, RankingPage)
    assert (head.version, head.supersedes, head.ranked, head.unranked, head.pages) == (1, None, 1, 55, 1)
    assert (page.rows[0].rank, page.rows[0].code, len(page.rows)) == (1, A.code, 56)
    assert {(event.topic, event.key, event.subject) for event in world.outcomes[-1].events} == {
        ("rankings", "province-04", "province-04")
    }
    assert list(world.requests)[-1] == Request("ranking", ("province-04", 2026))

    again = await world.compute("province-04")
    assert (again.verdict, again.puts, again.events) == ("unchanged", {}, [])

    await world.put(A, None)
    await world.compute("province-04")
    second = events(world)[0]
    assert (second.version, second.supersedes, second.ranked) == (2, 1, 0)
    assert world.ranks("province-04")[0] == (None, A.code)
    assert world.rows("province-04", version=1)[0]["rank"] == 1, "every version stays as it was published"


async def test_nothing_submitted_is_no_ranking() -> None:
    world = Results()
    outcome = await world.compute("nation", 2026)
    assert (outcome.verdict, outcome.puts, outcome.events) == ("unchanged", {}, [])


async def test_a_correction_supersedes_the_ranking_and_lists_whom_it_changed_and_whom_it_moved() -> None:
    world = Results()
    for unit, key in ((A, "d"), (B, "c"), (C, "b")):
        await world.put(unit, key)
    await world.compute("province-04")
    await world.put(A, "a")
    await world.put(D, "bb")
    await world.compute("province-04")

    head, page, told = events(world)
    assert (head.version, head.supersedes, head.changes, head.shifted) == (2, 1, 2, 1)
    assert [(row.rank, row.code) for row in page.rows[:4]] == [(1, B.code), (2, D.code), (3, C.code), (4, A.code)]
    assert (told.supersedes, told.page, told.pages, told.shifted) == (1, 1, 1, 1), "B moved up; C is third as before"
    corrected, new = told.changes
    assert isinstance(corrected, RankChange)
    assert (corrected.code, corrected.cause) == (A.code, "correction")
    assert corrected.before is not None
    assert corrected.after is not None
    assert (corrected.before.rank, corrected.before.result_version) == (1, 1)
    assert (corrected.after.rank, corrected.after.result_version, corrected.after.level) == (4, 2, 1)
    assert (new.code, new.cause) == (D.code, "first_result")
    assert new.before.reason.en == "No submission was accepted."
    assert world.changes("province-04") == [told]


async def test_equals_that_reach_over_the_end_of_a_page_keep_one_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "ROWS_PER_PAGE", 3)
    world, units = Results(), UNITS[:6]
    for unit, key in zip(units, "edcccb", strict=True):
        await world.put(unit, key)
    await world.compute("province-04")
    assert [rank for rank, _ in world.ranks("province-04")[:6]] == [1, 2, 3, 3, 3, 6]

    await world.put(units[5], "bb")
    await world.compute("province-04")
    assert _changed_pages(world) == [2]
    assert [rank for rank, _ in world.ranks("province-04")[:6]] == [1, 2, 3, 3, 3, 6], "their first is on page 1"

    await world.put(units[2], "f")
    await world.compute("province-04")
    assert _changed_pages(world) == [1, 2], "their first left page 1, so the others on page 2 are fourth"
    assert [rank for rank, _ in world.ranks("province-04")[:6]] == [1, 2, 3, 4, 4, 6]


async def test_a_recognition_or_recomputation_is_named_as_the_cause() -> None:
    world = Results()
    await world.put(A, "a")
    await world.compute("province-04")
    await world.put(A, "b")
    stored = world.mongo.rows("results")[f"{A.unit_id}/2025"]
    stored["standing"]["supersedes"]["cause"] = "recognition"
    world.mongo.seal()
    await world.compute("province-04")
    assert [change.cause for page in world.changes("province-04") for change in page.changes] == ["recognition"]


async def test_a_result_that_comes_while_a_ranking_is_computed_is_in_the_next_one() -> None:
    world = Results()
    await world.put(A, "a")
    await world.compute("province-04")
    await world.put(B, "b")
    reader = _Interrupted(world)
    outcome = await ranked(reader, "province-04", 2025, world.now)
    assert outcome.events, "B is ranked"
    await world.compute("province-04")
    assert world.ranks("province-04")[:3] == [(1, C.code), (2, B.code), (3, A.code)]
    assert (await world.compute("province-04")).verdict == "unchanged"


class _Interrupted(Reader):
    """Another process stores a result just after the results were counted."""

    def __init__(self, world: Results) -> None:
        super().__init__(world.mongo)
        self._world = world

    async def look(self, look: Look[Any]) -> list[Any]:
        found = await super().look(look)
        if look.pipeline:
            await self._world.put(C, "c")
        return found


async def test_of_two_computations_at_once_only_one_is_written() -> None:
    world = Results()
    await world.put(A, "a")
    await world.compute("province-04")
    await world.put(B, "b")
    slow = Reader(world.mongo)
    late = await ranked(slow, "province-04", 2025, world.now)
    await world.compute("province-04")
    slow.expect(late.puts)
    with pytest.raises(Conflict):
        await write(world.mongo, slow.puts(late.puts, stamp=1))
    assert len(world.mongo.rows("ranking_versions")) == 2
    assert (await world.compute("province-04")).verdict == "unchanged"


async def test_an_empty_register_stops_the_computation_and_publishes_nothing() -> None:
    world = Results()
    await world.put(replace(A, province_code="99"), "a")
    with pytest.raises(NoRegister, match="no unit of province-99 on 2025-12-31"):
        await world.compute("province-99")
    assert world.head("province-99") is None
    assert not world.mongo.rows("ranking_pages")


async def test_a_corrected_register_makes_the_ranking_anew() -> None:
    world = Results()
    await world.put(A, "a")
    await world.compute("province-04")

    decree = {"number": "1 (thử nghiệm)", "issued_on": "2025-12-01", "effective_on": "2025-12-31"}
    renamed = {"unit_id": A.unit_id, "name": "Phường Khác", "type": A.type, "province_code": "04",
               "valid_from": "2025-07-01"}  # fmt: skip
    document = with_correction(None, fact(1, correction(decree=decree, changed=[renamed], ended=[B.unit_id])))
    await world.mongo.insert(REGISTER.collection, [{"_id": REGISTER.id, "_rev": 1, **(document or {})}])
    world.mongo.seal()
    await world.compute("province-04")
    rows = by_unit(world.rows("province-04"))
    assert rows[A.unit_id]["name"] == "Phường Khác"
    assert B.unit_id not in rows
    (gone,) = world.changes("province-04")[0].changes
    assert (gone.unit_id, gone.cause, gone.after) == (B.unit_id, "register", None)


# --------------------------------------------------------------------------------------------------- area classes


async def test_who_changes_its_area_class_moves_from_one_ranking_to_the_other() -> None:
    world = Results()
    await world.put(A, "a", area_class="region_1")
    await world.put(B, "b", area_class="region_1")
    await world.put(C, "c", area_class="region_2")
    await world.put(D, "d")
    await world.settle()
    assert world.ranks("area-region_1") == [(1, B.code), (2, A.code)]
    assert world.ranks("area-region_2") == [(1, C.code)]
    assert world.head("area-other") is None

    await world.put(B, "b", area_class="region_2")
    await world.settle()
    assert world.ranks("area-region_1") == [(1, A.code)]
    assert world.ranks("area-region_2") == [(1, C.code), (2, B.code)]
    (left,), (came,) = (world.changes(scope)[0].changes for scope in ("area-region_1", "area-region_2"))
    assert (left.unit_id, left.after, left.cause) == (B.unit_id, None, "correction")
    assert (came.unit_id, came.before, came.cause) == (B.unit_id, None, "correction")
    assert [row["area_class"] for row in world.rows("nation")[:4]] == [None, "region_2", "region_2", "region_1"]

    await world.put(A, "a")
    await world.settle()
    assert world.ranks("area-region_1") == [], "who tells no class stands in no area's ranking"


def test_a_result_asks_for_the_rankings_that_it_comes_into_and_leaves() -> None:
    states, sets, asked = Documents(), Sets((RANKING,)), []
    for version, area_class in ((1, None), (2, "region_1"), (3, "region_2")):
        record = received(commune(targets(1), version=version, area_class=area_class), EventType.COMMUNE_ACCEPTED)
        outcome = states.decide(routes[EventType.COMMUNE_ACCEPTED], record)
        touched = [one for ref, state in outcome.puts.items() for one in sets.touched(ref, states[ref], state)]
        asked.append({request.key[0] for request in touched})
        states.apply(outcome)
    always = {"province-01", "nation"}
    assert asked == [always, always | {"area-region_1"}, always | {"area-region_1", "area-region_2"}]


async def test_who_leaves_while_the_ranking_is_made_anew_is_told_with_its_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = Results()
    await world.put(A, "a", area_class="region_1")
    await world.put(B, "b", area_class="region_1")
    await world.compute("area-region_1")
    await world.put(B, "b", area_class="region_2")
    stored = world.mongo.rows("rankings")["area-region_1/2025"]
    monkeypatch.setitem(stored, "basis", "of another register")
    world.mongo.seal()
    await world.compute("area-region_1")
    (left,) = world.changes("area-region_1")[0].changes
    assert (left.unit_id, left.after, left.cause) == (B.unit_id, None, "correction")


# ------------------------------------------------------------------------------------------------------- movement


async def test_each_row_says_where_the_same_unit_stood_before() -> None:
    world = Results()
    for unit, key in ((A, "a"), (B, "b"), (C, None)):
        await world.put(unit, key, period=2025)
    for unit, key in ((A, "b"), (B, "a"), (C, "c")):
        await world.put(unit, key, period=2026)
    await world.settle()
    rows = by_unit(world.rows("province-04", 2026))
    assert [(rows[unit.unit_id]["rank"], rows[unit.unit_id]["previous_rank"]) for unit in (A, B, C)] == [
        (2, 2),
        (3, 1),
        (1, None),
    ]
    assert rows[A.unit_id]["previous"] == {
        "unit_id": A.unit_id, "rank": 2, "total": None, "grade": None, "level": 1,
    }  # fmt: skip
    assert rows[C.unit_id]["no_movement"]["en"] == "It was not ranked in 2025."
    first = by_unit(world.rows("province-04", 2025))[A.unit_id]
    assert first["no_movement"]["en"] == "There is no such ranking of 2024."


async def test_a_correction_of_the_period_before_reaches_the_movement() -> None:
    world = Results()
    for period in (2025, 2026):
        await world.put(A, "a", period=period)
        await world.put(B, "b", period=period)
    await world.settle()
    await world.put(A, "c", period=2025)
    await world.settle()
    rows, head = by_unit(world.rows("province-04", 2026)), world.head("province-04", 2026)
    assert (rows[A.unit_id]["previous_rank"], rows[B.unit_id]["previous_rank"]) == (1, 2)
    assert head is not None
    assert (head["version"], head["changes"], head["shifted"]) == (2, 0, 0)
    assert head["previous"]["version"] == 2


async def test_a_unit_that_continues_one_whole_former_unit_keeps_its_place_and_a_new_one_has_none() -> None:
    world = Results()
    known = registry()
    units = known.units(date(2025, 12, 31))
    continuing = next(u for u in units if (old := known.continues(u)) and old.province_code == u.province_code)
    province = continuing.province_code
    new = next(unit for unit in known.units(date(2025, 12, 31), province) if known.continues(unit) is None)
    before = known.continues(continuing)
    assert before is not None
    await world.put(before, "a", period=2024)
    for unit in (continuing, new):
        await world.put(unit, "a", period=2025)
    await world.settle()
    rows = by_unit(world.rows(f"province-{province}"))
    assert rows[continuing.unit_id]["previous"]["unit_id"] == before.unit_id != continuing.unit_id
    assert (rows[continuing.unit_id]["previous_rank"], rows[continuing.unit_id]["no_movement"]) == (1, None)
    assert rows[new.unit_id]["previous"] is None
    assert rows[new.unit_id]["no_movement"]["en"].startswith("A new unit of the reorganisation")


async def test_ranks_under_another_rule_are_not_compared() -> None:
    world = Results()
    old = registry().units(date(2023, 12, 31), "04")[0]
    table = "lc_commune_44_2014/working-default-1"
    await world.put(old, "a", period=2023, rubric="lc_commune_44_2014", point_table=table)
    await world.put(old, "a", period=2024)
    await world.settle()
    row = by_unit(world.rows("province-04", 2024))[old.unit_id]
    assert (row["rank"], row["previous_rank"], row["previous"]) == (1, None, None)
    assert "another rubric" in row["no_movement"]["en"]


# ------------------------------------------------------------------------------------------------ how little is read


@pytest.fixture(scope="module")
async def nation() -> Results:
    """The nation with a different result for every commune, ranked."""
    world = Results()
    for number, unit in enumerate(registry().units(date(2025, 12, 31))):
        await world.put(unit, f"{number:05d}")
    await world.compute("nation")
    return world


async def test_one_changed_commune_does_not_read_or_publish_the_nation_again(nation: Results) -> None:
    units = registry().units(date(2025, 12, 31))
    assert nation.head("nation") is not None
    nation.mongo.read = 0
    near = units[-600]  # on the second page
    await nation.put(near, f"{len(units) - 595:05d}x")
    outcome = await nation.compute("nation")
    assert _changed_pages(nation) == [2]
    held = sum(unit.province_code == near.province_code for unit in units)
    provinces = len({unit.province_code for unit in units})
    # Counts per province; versions of the changed province; its members, the result, the head, one page.
    assert nation.mongo.read == provinces + held + 4
    assert nation.mongo.read < len(units) / 10
    written = [ref.collection for ref in outcome.puts]
    assert sorted(written) == ["ranking_changes", "ranking_members", "ranking_pages", "ranking_versions", "rankings"]


async def test_a_commune_that_falls_from_first_to_last_touches_pages_but_no_other_result(nation: Results) -> None:
    units = registry().units(date(2025, 12, 31))
    nation.mongo.read = 0
    await nation.put(units[-1], "0")
    await nation.compute("nation")
    head = nation.head("nation")
    assert head is not None
    assert _changed_pages(nation) == list(range(1, 8)), "everybody behind it moved up by one"
    assert (head["changes"], head["shifted"]) == (1, len(units) - 1)
    held = sum(unit.province_code == units[-1].province_code for unit in units)
    assert nation.mongo.read == 34 + held + 3 + 7


async def test_a_manifest_names_for_every_page_the_version_in_which_it_last_changed(nation: Results) -> None:
    units = registry().units(date(2025, 12, 31))
    await nation.put(units[-10], f"{len(units) - 10:05d}y")
    await nation.compute("nation")
    head = nation.head("nation")
    assert head is not None
    assert {entry["page"] for entry in head["manifest"] if entry["version"] == head["version"]} == {1}
    rows = by_unit(nation.rows("nation"))
    assert len(rows) == len(units) == head["ranked"] + head["unranked"]
    anew = nation.anew()
    await anew.compute("nation")
    assert anew.rows("nation") == nation.rows("nation")


async def test_a_page_of_the_longest_rows_fits_into_one_record(nation: Results) -> None:
    row = nation.rows("nation")[0]
    ids = ", ".join(f"C{criterion}.{target}" for criterion in range(1, 6) for target in range(1, 4))
    reason = {"vi": f"Chưa đủ dữ liệu: {ids}.", "en": f"Incomplete: {ids}."}
    longest = row | {"name": "Xã " + "ệ" * 60, "reason": reason, "result_hash": "f" * 64, "rank_key": "9" * 85}
    page = RankingPage.model_validate(
        {"scope": "area-region_1", "period": 2025, "version": 1, "page": 1, "rows": [longest] * 500}
    )
    assert len(body_of(page)) < 1_000_000


def test_the_order_of_the_policy_is_the_order_of_the_keys() -> None:
    many, few = (1, 15, 2, [Fraction(1)]), (0, 9, 9, [Fraction(2)])
    assert pass_fail_key(*many) > pass_fail_key(*few)
    reversed_order: list[PassFailMeasure] = ["mean_over_own_threshold", "level", "met_level_1", "met_level_2"]
    assert pass_fail_key(*many, reversed_order) < pass_fail_key(*few, reversed_order)
