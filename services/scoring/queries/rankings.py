"""Rankings: indexes, what a computation reads, and queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from services.scoring.decisions import rankings as kept
from services.scoring.decisions.documents import RESULTS, result_ref
from services.scoring.decisions.ranking_versions import Revision, ranking
from services.scoring.decisions.rankings import (
    RANKING_CHANGES,
    RANKING_PAGES,
    RANKING_VERSIONS,
    RANKINGS,
    UNCHANGED,
    Rows,
    Seen,
    Terms,
    area_class_of,
    holder_of,
    lineage_of,
    members_in,
    members_ref,
    page_ids,
    ranking_ref,
    version_ref,
)
from services.scoring.domain.ranking import Standing
from services.scoring.domain.revision import Stretch
from shared.contracts.facts import RankingRow
from shared.messaging.decide.handling import Document, Outcome
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.register import read_register
from shared.mongo import Mongo
from shared.rulebook import HANOI

# All that a ranking reads of a result; explanations are a hundred times as long.
_STANDING = {"holder": 1} | {f"result.{name}": 1 for name in Standing.model_fields}


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    # Holds all that counting and comparing versions needs, so that no result itself is read for it.
    await mongo.index(
        RESULTS, [("kind", 1), ("period", 1), ("holder", 1), ("result.area_class", 1), ("version", 1), ("_id", 1)]
    )
    await mongo.index(RANKING_VERSIONS, [("scope", 1), ("period", 1), ("published_at", 1)])
    await mongo.index(RANKING_CHANGES, [("scope", 1), ("period", 1), ("version", 1), ("page", 1)])


# --------------------------------------------------------------------------------------------------- computation


async def compute(reader: Reader, scope: str, period: int, now: datetime) -> Outcome:
    """The next version of a ranking, if anything changed.

    What changed is told by the results' versions: counted per province first, so that whatever is read afterwards can
    only be newer, and a result that comes in between shows as a change in the next run.

    Raises:
        NoRegister: the register has no unit in this scope.
        NoRuleInForce: no rubric or policy was in force.
    """
    seen = await _seen(reader, scope, period)
    head = await reader.get(ranking_ref(scope, period))
    if head is None and not seen:
        return Outcome(verdict=UNCHANGED)
    earlier_head = await reader.get(ranking_ref(scope, period - 1))
    terms = kept.terms(scope, period, earlier_head, await read_register(reader))
    if head is not None and head["basis"] == terms.basis:
        revision = await _revision(reader, terms, head, seen)
        if revision is not None:
            rows = await _rows(reader, page_ids(head, revision.pages))
            earlier = await _earlier(reader, terms, revision.newcomers)
            return revision.outcome(rows, earlier, now)
    return await _anew(reader, terms, head, seen, now)


async def _seen(reader: Reader, scope: str, period: int) -> Seen:
    """Also an area class's ranking counts all results: one that leaves the class shows by its new version."""
    query: dict[str, Any] = {"kind": "commune", "period": period}
    if (holder := holder_of(scope)) is not None:
        query["holder"] = holder
    group = {"_id": "$holder", "results": {"$sum": 1}, "versions": {"$sum": "$version"}}
    counted = await reader.aggregate(RESULTS, [{"$match": query}, {"$group": group}, {"$sort": {"_id": 1}}])
    return {row["_id"]: [row["results"], row["versions"]] for row in counted}


def _in_scope(terms: Terms, holder: str) -> dict[str, Any]:
    query: dict[str, Any] = {"kind": "commune", "period": terms.period, "holder": holder}
    if (area_class := area_class_of(terms.scope)) is not None:
        query["result.area_class"] = area_class
    return query


async def _anew(reader: Reader, terms: Terms, head: Document | None, seen: Seen, now: datetime) -> Outcome:
    """Everything, one province after the other.

    Reading in the order of the ranking itself would be wrong: a result that moves meanwhile could be seen twice or not.
    """
    await reader.load(members_ref(terms.scope, terms.period, holder) for holder in seen)
    results = {}
    for holder in seen:
        # Of all area classes: who has left the one that is ranked shows in the changes with its cause.
        query = {"kind": "commune", "period": terms.period, "holder": holder}
        found = await reader.look(RESULTS, query, _STANDING)
        results[holder] = [Standing.model_validate(row["result"]) for row in found]
    rows = await _rows(reader, page_ids(head)) if head else []
    earlier = await _earlier(reader, terms, None)
    return ranking(terms, results, now, seen=seen, earlier=earlier, head=head, rows=rows)


async def _revision(reader: Reader, terms: Terms, head: Document, seen: Seen) -> Revision | None:
    """What changed since `head`; `None` where a result is held by another province now, which only `_anew` can tell."""
    moved = [holder for holder, counts in seen.items() if head["seen"].get(holder) != counts]
    refs = {holder: members_ref(terms.scope, terms.period, holder) for holder in moved}
    await reader.load(refs.values())
    before = {holder: members_in(reader[ref]) for holder, ref in refs.items()}
    changed: dict[str, dict[str, Standing]] = {}
    for holder in moved:
        versions = await reader.look(RESULTS, _in_scope(terms, holder), {"version": 1})
        now = {row["_id"].rpartition("/")[0]: row["version"] for row in versions}
        was = {unit_id: member.version for unit_id, member in before[holder].items()}
        ids = [unit_id for unit_id in now.keys() | was.keys() if now.get(unit_id) != was.get(unit_id)]
        query = {"_id": {"$in": [result_ref(unit_id, terms.period).id for unit_id in ids]}}
        found = await reader.look(RESULTS, query, _STANDING)
        if len(found) != len(ids) or any(row["holder"] != holder for row in found):
            return None
        standings = [Standing.model_validate(row["result"]) for row in found]
        changed[holder] = {each.unit_id: each for each in standings}
    return Revision(terms, head, seen, before, changed)


async def _rows(reader: Reader, ids: Sequence[str]) -> list[RankingRow]:
    """The rows of pages, in order."""
    found = await reader.look(RANKING_PAGES, {"_id": {"$in": list(ids)}}, {"rows": 1})
    by_id = {row["_id"]: row["rows"] for row in found}
    return [RankingRow.model_validate(row) for id in ids for row in by_id[id]]


async def _earlier(reader: Reader, terms: Terms, unit_ids: Collection[str] | None) -> Rows:
    """Rows of the ranking of the period before: of these units, or all."""
    if terms.earlier is None or (unit_ids is not None and not unit_ids):
        return {}
    query: dict[str, Any] = {"_id": {"$in": page_ids(terms.earlier)}}
    if unit_ids is not None:
        query["rows.unit_id"] = {"$in": lineage_of(unit_ids, terms.register)}
    found = await reader.look(RANKING_PAGES, query, {"rows": 1})
    return {row["unit_id"]: row for page in found for row in page["rows"]}


# ------------------------------------------------------------------------------------------------------- queries


async def heads(mongo: Mongo, period: int | None) -> list[Document]:
    """Heads of the latest versions."""
    query = {} if period is None else {"period": period}
    return await mongo.find(RANKINGS, query, sort=[("period", -1), ("scope", 1)])


async def head(
    mongo: Mongo, scope: str, period: int, version: int | None = None, on: date | None = None
) -> Document | None:
    """The head of one version: the given one, the one that stood at the end of a day in Viet Nam, or the latest."""
    if version is not None:
        found = await mongo.find(RANKING_VERSIONS, {"_id": version_ref(scope, period, version).id})
    elif on is not None:
        end = datetime.combine(on + timedelta(days=1), time.min, HANOI)
        # Instants are kept as text in UTC; without its zone, the bound sorts before every instant from it on.
        bound = end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        query = {"scope": scope, "period": period, "published_at": {"$lt": bound}}
        found = await mongo.find(RANKING_VERSIONS, query, sort=[("published_at", -1), ("version", -1)], limit=1)
    else:
        found = await mongo.find(RANKINGS, {"_id": ranking_ref(scope, period).id})
    return found[0] if found else None


async def versions(mongo: Mongo, scope: str, period: int) -> list[Document]:
    """Heads of all versions of one ranking, newest first."""
    query = {"scope": scope, "period": period}
    return await mongo.find(RANKING_VERSIONS, query, sort=[("version", -1)])


async def rows(mongo: Mongo, head: Document, page: int) -> list[Document]:
    """Rows of one page of a version, from 1; none if it has no such page."""
    found = await mongo.find(RANKING_PAGES, {"_id": {"$in": page_ids(head, Stretch(page, page))}})
    return [row for each in found for row in each["rows"]]


async def first_rows(mongo: Mongo, head: Document, places: int) -> list[RankingRow]:
    """The first rows of a version, to the end of the page on which the last place and all its equals have stood."""
    found: list[RankingRow] = []
    for page in range(1, head["pages"] + 1):
        found += [RankingRow.model_validate(row) for row in await rows(mongo, head, page)]
        if len(found) > places and found[-1].rank != found[places - 1].rank:
            break
    return found


async def row(mongo: Mongo, head: Document, unit_id: str) -> Document | None:
    """One unit's row in a version."""
    pages = await mongo.find(RANKING_PAGES, {"_id": {"$in": page_ids(head)}, "rows.unit_id": unit_id})
    return next((row for page in pages for row in page["rows"] if row["unit_id"] == unit_id), None)


async def changes(mongo: Mongo, scope: str, period: int, version: int) -> list[Document]:
    """What one version changed: its pages in order."""
    query = {"scope": scope, "period": period, "version": version}
    return await mongo.find(RANKING_CHANGES, query, sort=[("page", 1)])
