"""HTTP side of funding: proposals per province and their lines per centre."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.funding import queries
from services.funding.decisions import ALLOCATIONS
from shared.answers.budgets import ToldProposal
from shared.answers.page import Page
from shared.contracts.facts import BudgetRunProposed
from shared.web.auth import Who
from shared.web.paging import After, Limit
from shared.web.parameters import KnownYear, Name, Province

router = APIRouter(tags=["funding"])


@router.get("/budgets", summary="Latest proposal of each province: envelope, sum of the lines, reserve")
async def list_runs(
    request: Request, who: Who, year: KnownYear | None = None, province: Province | None = None
) -> list[BudgetRunProposed]:
    return await queries.runs(request.app.state.mongo, who.within(province, year=year))


@router.get("/allocations", summary="Lines of the proposals, with everything that made each amount")
async def list_allocations(
    request: Request,
    who: Who,
    year: KnownYear | None = None,
    province: Province | None = None,
    centre_id: Name | None = None,
    commune_code: Name | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[ToldProposal]:
    query = who.within(
        province,
        **{"year": year, "allocation.centre_id": centre_id, "allocation.commune_code": commune_code},
    )
    found = await queries.proposals(request.app.state.mongo, query, after=after, limit=limit + 1)
    items = found[:limit]
    last = ALLOCATIONS.ref(items[-1].allocation.centre_id, items[-1].year).id if len(found) > limit else None
    return Page(items=items, next=last)
