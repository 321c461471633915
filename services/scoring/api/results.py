"""Results with their explanation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.scoring.queries import results as queries
from shared.answers.page import Page
from shared.answers.results import AnyResult
from shared.answers.warnings import Doubtful
from shared.web.auth import Who
from shared.web.paging import Limit
from shared.web.parameters import AnyYear, Name, Province

router = APIRouter()
AfterFile = Annotated[
    str | None, Query(max_length=300, pattern=r"^learning_models@.+/[0-9]{4}$", description="`next` of the page before")
]


@router.get("/warnings", summary="Files beside which single decisions on titles tell other figures, as they stand now")
async def list_warnings(
    request: Request,
    who: Who,
    province: Province | None = None,
    period: AnyYear | None = None,
    limit: Limit = 500,
    after: AfterFile = None,
) -> Page[Doubtful]:
    """`limit` is of what is looked at: a page lists those of them that differ, and may be empty before the last."""
    query = who.within(province, period=period)
    return await queries.differing_from_titles(request.app.state.mongo, query, after=after, limit=limit)


@router.get(
    "/results/{subject:path}",
    summary="Results of a commune code, unit id, centre id or `<series>/<subject id>`, with every step",
)
async def get_results(request: Request, who: Who, subject: Name, period: AnyYear | None = None) -> list[AnyResult]:
    """Newest period first. `superseded` lists the versions before, with what they had come to and why it changed."""
    rows = await queries.results(request.app.state.mongo, subject, period)
    return [row for row in rows if who.may_see(row.province)]
