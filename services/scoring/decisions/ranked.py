"""Rankings as results over sets: what is read for the next version, and how little of it where little changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import Field, TypeAdapter

from services.scoring.decisions.documents import (
    RANKING_MEMBERS,
    RANKING_PAGES,
    RANKINGS,
    RESULTS,
    Head,
    Member,
)
from services.scoring.decisions.ranking_versions import Revision, ranking
from services.scoring.decisions.rankings import (
    RankingYear,
    Rows,
    Seen,
    Terms,
    area_class_of,
    holder_of,
    lineage_of,
    page_ids,
    rankings_of,
    terms,
)
from services.scoring.decisions.results import UNCHANGED
from services.scoring.domain import Standing
from shared.contracts.base import Contract
from shared.contracts.facts import RankingRow
from shared.messaging.decide.asking import Ask, Due, Look, Outcome
from shared.messaging.decide.register import REGISTERS, register_now
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.seals import Altered


class _Counted(Contract):
    holder: str = Field(alias="_id")
    results: int
    versions: int


class _Version(Contract):
    id: str = Field(alias="_id")
    version: int


class _Ranked(Contract):
    id: str = Field(alias="_id")
    holder: str
    standing: Standing | None = None


class _Page(Contract):
    id: str = Field(alias="_id")
    rows: list[RankingRow]


_COUNTED, _VERSION = TypeAdapter(_Counted), TypeAdapter(_Version)
_RANKED, _PAGE = TypeAdapter(_Ranked), TypeAdapter(_Page)
# A ranking reads the rest of a result, which is sealed too: explanations are a hundred times as long.
_EXPLAINED = ("result", "accepted", "inputs", "superseded", "areas")
_BY_PROVINCE = (
    {"$group": {"_id": "$holder", "results": {"$sum": 1}, "versions": {"$sum": "$version"}}},
    {"$sort": {"_id": 1}},
)


async def next_version(due: Due[RankingYear], ask: Ask) -> Outcome:
    """The next version of a ranking, if anything changed.

    What changed is told by the results' versions: counted per province first, so that whatever is read afterwards can
    only be newer, and a result that comes in between shows as a change in the next run.

    Raises:
        NoRegister: the register has no unit in this scope.
        NoRuleInForce: no rubric or policy was in force.
    """
    scope, period = due.key
    seen = await _seen(ask, scope, period)
    head = await ask.one(RANKINGS.ref(scope, period))
    if head is None and not seen:
        return Outcome(verdict=UNCHANGED)
    by = terms(scope, period, await ask.one(RANKINGS.ref(scope, period - 1)), await register_now(ask))
    if head is not None and head.basis == by.basis:
        revision = await _revision(ask, by, head, seen)
        if revision is not None:
            rows = await _rows(ask, page_ids(head, revision.pages))
            return revision.outcome(rows, await _earlier(ask, by, revision.newcomers), due.at)
    await ask.many(RANKING_MEMBERS.ref(scope, period, holder) for holder in seen)  # all are written anew
    # One province after the other. Reading in the order of the ranking itself would be wrong: a result that moves
    # meanwhile could be seen twice or not. Of all area classes: who has left the one that is ranked shows in the
    # changes with its cause.
    results = {holder: [each for _, each in await _standings(ask, _of(period, holder))] for holder in seen}
    if head is not None:
        await _none_is_missing(ask, by, head, results)
    rows = await _rows(ask, page_ids(head)) if head else []
    return ranking(by, results, due.at, seen=seen, earlier=await _earlier(ask, by, None), head=head, rows=rows)


def _of(period: int, holder: str | None, area_class: str | None = None) -> dict[str, Any]:
    wanted = {"kind": "commune", "period": period, "holder": holder, "result.area_class": area_class}
    return {name: value for name, value in wanted.items() if value is not None}


async def _seen(ask: Ask, scope: str, period: int) -> Seen:
    """Also an area class's ranking counts all results: one that leaves the class shows by its new version."""
    counted = await ask.look(Look(RESULTS, _COUNTED, _of(period, holder_of(scope)), pipeline=_BY_PROVINCE))
    return {row.holder: (row.results, row.versions) for row in counted}


async def _standings(ask: Ask, query: Mapping[str, Any]) -> list[tuple[str, Standing]]:
    """Results of communes as rankings see them, each with its holder. Raises `Altered` with all that were altered."""
    found = await ask.look(Look(RESULTS, _RANKED, query, without=_EXPLAINED))
    of_before = [RESULTS.ref(row.id) for row in found if row.standing is None]  # a copy of a release before wrote it
    whole = {
        ref.id: result.standing for ref, result in zip(of_before, await ask.many(of_before), strict=True) if result
    }
    standings = ((row.holder, row.standing or whole.get(row.id)) for row in found)
    return [(holder, standing) for holder, standing in standings if standing is not None]


async def standings_by_holder(ask: Ask, period: int) -> dict[str, list[Standing]]:
    """All results of communes as rankings see them, by the province that holds each."""
    found: dict[str, list[Standing]] = {}
    for holder, standing in await _standings(ask, _of(period, None)):
        found.setdefault(holder, []).append(standing)
    return found


async def _none_is_missing(ask: Ask, by: Terms, head: Head, results: Mapping[str, Sequence[Standing]]) -> None:
    """Raises `Altered` where a result that was ranked before is there no more: the service never takes one away.

    One that another province holds now is there.
    """
    kept = await ask.many(RANKING_MEMBERS.ref(by.scope, by.period, holder) for holder in sorted({*head.seen, *results}))
    found = {each.unit_id for standings in results.values() for each in standings}
    sought = sorted({unit_id for members in kept if members for unit_id in members.units} - found)
    refs = [RESULTS.ref(unit_id, by.period) for unit_id in sought]
    gone = [ref for ref, result in zip(refs, await ask.many(refs), strict=True) if result is None]
    if gone:
        raise Altered(*(f"{ref.collection}/{ref.id}" for ref in gone))


async def _revision(ask: Ask, by: Terms, head: Head, seen: Seen) -> Revision | None:
    """What changed since `head`; `None` where a result is held by another province now, which only all of them tell."""
    moved = [holder for holder, counts in seen.items() if head.seen.get(holder) != counts]
    kept = await ask.many(RANKING_MEMBERS.ref(by.scope, by.period, holder) for holder in moved)
    before: dict[str, Mapping[str, Member]] = {
        holder: members.units if members else {} for holder, members in zip(moved, kept, strict=True)
    }
    changed: dict[str, dict[str, Standing]] = {}
    for holder in moved:
        query = _of(by.period, holder, area_class_of(by.scope))
        versions = await ask.look(Look(RESULTS, _VERSION, query, ("version",)))
        now = {row.id.rpartition("/")[0]: row.version for row in versions}
        was = {unit_id: member.version for unit_id, member in before[holder].items()}
        ids = [unit_id for unit_id in now.keys() | was.keys() if now.get(unit_id) != was.get(unit_id)]
        query = {"_id": {"$in": [RESULTS.ref(unit_id, by.period).id for unit_id in ids]}}
        found = await _standings(ask, query)
        if len(found) != len(ids) or any(held_by != holder for held_by, _ in found):
            return None
        changed[holder] = {each.unit_id: each for _, each in found}
    return Revision(by, head, seen, before, changed)


async def _rows(ask: Ask, ids: Sequence[str]) -> list[RankingRow]:
    """The rows of pages, in order. Raises `Altered` also of those that are there no more."""
    found = await ask.look(Look(RANKING_PAGES, _PAGE, {"_id": {"$in": list(ids)}}))
    by_id = {page.id: page.rows for page in found}
    if gone := [id for id in ids if id not in by_id]:
        raise Altered(*(f"{RANKING_PAGES.name}/{id}" for id in gone))
    return [row for id in ids for row in by_id[id]]


async def _earlier(ask: Ask, by: Terms, unit_ids: Collection[str] | None) -> Rows:
    """Rows of the ranking of the period before: of these units, or all."""
    if by.earlier is None or (unit_ids is not None and not unit_ids):
        return {}
    ids = page_ids(by.earlier)
    if unit_ids is None:
        rows = await _rows(ask, ids)
    else:
        query = {"_id": {"$in": ids}, "rows.unit_id": {"$in": lineage_of(unit_ids, by.register)}}
        rows = [row for page in await ask.look(Look(RANKING_PAGES, _PAGE, query)) for row in page.rows]
    return {row.unit_id: row for row in rows}


RANKING = SetOf(
    "ranking",
    RankingYear,
    next_version,
    (
        Source(RESULTS, each(rankings_of, by=lambda result: (result.version, result.holder))),
        # The ranking of the next period, if there is one, shows the movement against this one.
        Source(RANKINGS, each(lambda head: [RankingYear(head.scope, head.period + 1)], by=lambda head: head.version)),
        Source(REGISTERS, each(lambda corrections: [(None, None)])),
    ),
    keeps=(RANKING_MEMBERS, RANKING_PAGES),
)
