"""HTTP side of scoring: results with their explanation, and rankings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from services.scoring import store
from shared.contracts.facts import RankingPublished, RankingRow
from shared.web.auth import Caller, caller
from shared.web.paging import Page
from shared.web.problems import not_found

router = APIRouter(tags=["scoring"])
Who = Annotated[Caller, Depends(caller)]


@router.get("/results/{subject}", summary="Results of a commune code, unit id or centre id, with every step")
async def get_results(request: Request, who: Who, subject: str, period: int | None = None) -> list[dict[str, Any]]:
    rows = await store.results(request.app.state.mongo, subject, period)
    return [row for row in rows if who.may_see(row["province"])]


@router.get("/rankings", summary="All rankings: the head of the latest version of each")
async def list_rankings(request: Request, who: Who, period: int | None = None) -> list[RankingPublished]:
    rows = await store.rankings(request.app.state.mongo, period)
    return [RankingPublished.model_validate(row) for row in rows]


@router.get("/rankings/{scope}/{period}", summary="Rows of the latest ranking, in order; `after` is a page number")
async def get_ranking(request: Request, who: Who, scope: str, period: int, after: int = 0) -> Page[RankingRow]:
    mongo = request.app.state.mongo
    head = await store.ranking(mongo, scope, period)
    if head is None:
        raise not_found("ranking", f"{scope}/{period}")
    page = await store.ranking_page(mongo, scope, period, head["version"], after + 1)
    if page is None:
        raise not_found("ranking page", f"{scope}/{period}/{after + 1}")
    more = after + 1 < head["pages"]
    return Page(items=page["rows"], next=str(after + 1) if more else None)


@router.get("/rankings/{scope}/{period}/units/{unit_id}", summary="One commune's place in the latest ranking")
async def get_row(request: Request, who: Who, scope: str, period: int, unit_id: str) -> dict[str, Any]:
    row = await store.ranking_row(request.app.state.mongo, scope, period, unit_id)
    if row is None:
        raise not_found("ranking row", f"{scope}/{period}/{unit_id}")
    return row
