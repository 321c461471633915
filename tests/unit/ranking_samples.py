"""A world of results and their rankings on the database fake, small enough to be made anew at every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from services.scoring.decisions import RANKING, RANKING_VERSIONS, RESULTS, RankingYear, page_ids
from services.scoring.decisions.documents import Result
from services.scoring.domain import Standing
from shared.contracts.facts import CommuneAccepted, CommuneScored, RankingChanges, Superseded
from shared.contracts.submissions import AreaClass, TargetsContent
from shared.messaging.decide.asking import Due, Outcome, Request
from shared.messaging.decide.documents import Document, content_of
from shared.messaging.decide.engine import Run, decided
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.sets import Sets
from shared.messaging.seals import sealed
from shared.mongo import Mongo, Put, Session, in_transaction
from shared.mongo.port import Query, Sort
from shared.registry import Registry, Unit, registry
from tests.fakes.memory import MemoryMongo
from tests.unit.scoring_samples import commune

TODAY = "lc_commune_25_2023"
FIRST_DAY = datetime(2026, 3, 1, 2, tzinfo=UTC)


class Counting(MemoryMongo):
    """Counts the documents that come back from the database."""

    read = 0

    async def find(
        self,
        collection: str,
        query: Query,
        *,
        projection: Mapping[str, int] | None = None,
        sort: Sort | None = None,
        limit: int = 0,
        skip: int = 0,
    ) -> list[Document]:
        found = await super().find(collection, query, projection=projection, sort=sort, limit=limit, skip=skip)
        self.read += len(found)
        return found

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        found = await super().aggregate(collection, pipeline)
        self.read += len(found)
        return found


def standing(unit: Unit, key: str | None, version: int = 1, **changed: Any) -> Standing:
    """A result under Circular 25/2023; without a key it is incomplete."""
    return Standing.model_validate(
        {
            "unit_id": unit.unit_id,
            "version": version,
            "rubric": TODAY,
            "point_table": None,
            "state": "scored" if key else "incomplete",
            "total": None,
            "grade": None,
            "level": 1 if key else None,
            "missing": [] if key else ["C5.1"],
            "rank_key": key,
            "hash": f"{unit.code}/{key}",
        }
        | changed
    )


async def write(mongo: Mongo, writes: Mapping[str, Sequence[Put]]) -> None:
    """Write in one transaction."""

    async def body(session: Session) -> None:
        for collection, puts in writes.items():
            await mongo.put(collection, puts, session)

    await in_transaction(mongo, body)


def _accepted(unit: Unit, period: int, content: TargetsContent | None) -> CommuneAccepted:
    named = {"unit_id": unit.unit_id, "code": unit.code, "name": unit.name, "holder": unit.province_code}
    sent = content or TargetsContent.model_validate({"targets": {}})
    return commune(sent, province=unit.province_code, period=period, **named)


def stored(row: Document) -> Result:
    """The little of a kept result by which its rankings are asked for."""
    construct: Any = Result.model_construct
    of: Any = CommuneScored.model_construct
    scored = of(area_class=row["result"]["area_class"])
    result: Result = construct(
        **{name: row[name] for name in ("kind", "period", "holder", "version")}, subject=row["_id"], result=scored
    )
    return result


async def ranked(reader: Reader, scope: str, period: int, at: datetime) -> Outcome:
    """What the set of a ranking decides; it reads nothing that it did not declare."""
    due = Due(RankingYear(scope, period), at)
    return await decided(Run(RANKING.decide, due, reader, at, declared=RANKING.declared), reader)


class Results:
    """Results, and the rankings that the service makes of them."""

    def __init__(self) -> None:
        self.mongo = Counting()
        self.requests: dict[Request, None] = {}
        self._sets = Sets((RANKING,))
        self.now = FIRST_DAY
        self.outcomes: list[Outcome] = []

    async def put(
        self,
        unit: Unit,
        key: str | None,
        *,
        period: int = 2025,
        area_class: AreaClass | None = None,
        content: TargetsContent | None = None,
        **changed: Any,
    ) -> None:
        """The next version of a unit's result; whatever its `content`, it is ranked by `key`."""
        id = f"{unit.unit_id}/{period}"
        before = self.mongo.rows("results").get(id)
        version = before["version"] + 1 if before else 1
        superseded = Superseded.model_validate(before["result"] | {"cause": "correction"}) if before else None
        result = standing(unit, key, version, area_class=area_class, supersedes=superseded, **changed)
        row: Document = {
            "_id": id,
            "_rev": version,
            "kind": "commune",
            "period": period,
            "holder": unit.province_code,
            "version": version,
            "result": result.model_dump(mode="json"),
            "standing": result.model_dump(mode="json"),
            "accepted": _accepted(unit, period, content).model_dump(mode="json"),
            "inputs": {},
        }
        self.mongo.rows("results")[id] = sealed("results", id, row)
        self.requests |= dict.fromkeys(
            self._sets.touched(RESULTS.ref(id), stored(before) if before else None, stored(row))
        )

    async def settle(self) -> None:
        """Compute every ranking that is asked for, as the service does."""
        while self.requests:
            request = next(iter(self.requests))
            del self.requests[request]
            await self.compute(*RankingYear(*request.key))  # type: ignore[arg-type]

    async def compute(self, scope: str, period: int = 2025) -> Outcome:
        """Compute one ranking."""
        self.now += timedelta(hours=1)
        reader = Reader(self.mongo)
        outcome = await ranked(reader, scope, period, self.now)
        for ref, state in outcome.puts.items():
            self.requests |= dict.fromkeys(self._sets.touched(ref, reader.now(ref), state))
        reader.expect(outcome.puts)
        await write(self.mongo, reader.puts(outcome.puts, stamp=1))
        self.outcomes.append(outcome)
        return outcome

    def anew(self) -> Results:
        """The same results, of which nothing was ranked yet."""
        other = Results()
        other.mongo.collections["results"] = dict(self.mongo.rows("results"))
        for row in self.mongo.all("results"):
            other.requests |= dict.fromkeys(other._sets.touched(RESULTS.ref(row["_id"]), None, stored(row)))
        other.requests = dict.fromkeys(sorted(other.requests, key=lambda each: each.key[1] or 0))
        return other

    def head(self, scope: str, period: int = 2025, version: int | None = None) -> Document | None:
        """A published head."""
        collection, id = ("rankings", f"{scope}/{period}")
        if version is not None:
            collection, id = "ranking_versions", f"{scope}/{period}/{version}"
        return self.mongo.rows(collection).get(id)

    def rows(self, scope: str, period: int = 2025, version: int | None = None) -> list[Document]:
        """All rows of a version."""
        head = self.head(scope, period, version)
        pages = self.mongo.rows("ranking_pages")
        ids = page_ids(RANKING_VERSIONS.model.validate_python(content_of(head))) if head else []
        return [row for id in ids for row in pages[id]["rows"]]

    def ranks(self, scope: str, period: int = 2025) -> list[tuple[int | None, str]]:
        """Rank and code of every row, in order."""
        return [(row["rank"], row["code"]) for row in self.rows(scope, period)]

    def changes(self, scope: str, period: int = 2025) -> list[RankingChanges]:
        """What the last version changed."""
        head = self.head(scope, period)
        assert head is not None
        pages = [
            RankingChanges.model_validate(page)
            for page in self.mongo.all("ranking_changes")
            if (page["scope"], page["period"], page["version"]) == (scope, period, head["version"])
        ]
        return sorted(pages, key=lambda page: page.page)


@cache
def small_register() -> Registry:
    """Three provinces with five communes each, real ones, and their predecessors."""
    real, on = registry(), date(2025, 12, 31)
    units = [unit for code in ("01", "04", "12") for unit in real.units(on, code)[:5]]
    successions = [row for unit in units for row in real.predecessors(unit.unit_id)]
    old = [real.by_id(row.predecessor) for row in successions]
    kept = dict.fromkeys([*(unit for unit in old if unit is not None), *units])
    provinces = [*real.provinces(date(2025, 1, 1)), *real.provinces(on)]
    holders = {unit.province_code for unit in kept}
    return Registry([each for each in provinces if each.code in holders], kept, {}, successions)


def by_unit(rows: Iterable[Document]) -> dict[str, Document]:
    """Rows by unit id; each unit has one."""
    found = {row["unit_id"]: row for row in rows}
    assert len(found) == len(list(rows))
    return found
