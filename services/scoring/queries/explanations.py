"""What scoring knows of one subject: its result, its places in rankings, the results of its centres."""

from __future__ import annotations

from collections.abc import Callable

from services.scoring.decisions import RANKING_PAGES, RECOGNITIONS, RESULTS, RankingYear, page_ids, recognitions_ref
from services.scoring.domain import Stretch
from services.scoring.queries import rankings, releases
from services.scoring.queries.results import with_superseded
from shared.answers.results import AssessmentResult, CentreResult, Neighbourhood, ReleasedPlace
from shared.contracts.facts import RankingPublished, Recognition
from shared.mongo import Mongo
from shared.registry import Unit

NEIGHBOURS = 2
"""Rows on each side."""


async def places(
    mongo: Mongo, unit: Unit, area_class: str | None, period: int, inside: Callable[[RankingYear], bool]
) -> list[Neighbourhood]:
    """A commune's row in every ranking that holds it, with the rows around it and with what was released of it.

    `inside`: whether the latest version is shown, or the one that is released.
    """
    scopes = [f"province-{unit.province_code}", "nation", *([f"area-{area_class}"] if area_class else [])]
    found = []
    for scope in scopes:
        act = await releases.in_force(mongo, scope, period)
        head = act.ranking if act is not None and act.state == "released" else None
        released = ReleasedPlace(act=act, rank=await _rank(mongo, head, unit.unit_id)) if act is not None else None
        if inside(RankingYear(scope, period)):
            head = await rankings.head(mongo, scope, period)
        found.append(await _place(mongo, head, unit.unit_id, released) if head is not None else None)
    return [place for place in found if place is not None]


async def _rank(mongo: Mongo, head: RankingPublished | None, unit_id: str) -> int | None:
    row = await rankings.row(mongo, head, unit_id) if head is not None else None
    return row.rank if row is not None else None


async def _place(
    mongo: Mongo, head: RankingPublished, unit_id: str, released: ReleasedPlace | None
) -> Neighbourhood | None:
    pages = await mongo.find(RANKING_PAGES.name, {"_id": {"$in": page_ids(head)}, "rows.unit_id": unit_id})
    if not pages:
        return None
    page = RANKING_PAGES.read(pages[0]).page
    rows = await rankings.rows(mongo, head, Stretch(page - 1, page + 1))
    at = next(index for index, row in enumerate(rows) if row.unit_id == unit_id)
    return Neighbourhood(
        **dict(rows[at]),
        **head.model_dump(include={"scope", "period", "version", "ranked"}),
        above=rows[max(at - NEIGHBOURS, 0) : at],
        below=rows[at + 1 : at + 1 + NEIGHBOURS],
        released=released,
    )


async def centres(mongo: Mongo, unit: Unit, province: str, period: int) -> list[CentreResult]:
    """Results of the centres that are registered in a commune. `province`: today's, which speaks for it."""
    query = {"kind": "centre", "period": period, "holder": province, "result.commune_code": unit.code}
    rows = await with_superseded(mongo, await mongo.find(RESULTS.name, query, sort=[("subject", 1)]))
    return [row for row in rows if isinstance(row, CentreResult)]


async def graded(mongo: Mongo, centre_id: str, period: int | None, may_see: Callable[[str], bool]) -> list[Recognition]:
    """Decisions on a centre's grade of periods without a result, the latest first. `period`: of this one alone."""
    found = await mongo.find(RECOGNITIONS.name, {"_id": recognitions_ref("centre", centre_id).id})
    kept = [RECOGNITIONS.read(row) for row in found]
    decisions = [each for one in kept if may_see(one.province or "") for each in one.items]
    judged = await mongo.find(RESULTS.name, {"kind": "centre", "subject": centre_id}, projection={"period": 1})
    past = {row["period"] for row in judged}
    wanted = [each for each in decisions if each.period not in past and period in (None, each.period)]
    return sorted(wanted, key=lambda each: each.period, reverse=True)


async def models(mongo: Mongo, unit: Unit, period: int) -> AssessmentResult | None:
    """The result of a commune's learning models."""
    query = {"kind": "learning_models", "subject": f"learning_models/{unit.unit_id}", "period": period}
    rows = await with_superseded(mongo, await mongo.find(RESULTS.name, query))
    return next((row for row in rows if isinstance(row, AssessmentResult)), None)
