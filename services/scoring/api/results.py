"""Results with their explanation."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.scoring.queries import results as queries
from shared.answers.results import AnyResult
from shared.web.auth import Who
from shared.web.parameters import AnyYear, Name

router = APIRouter()


@router.get(
    "/results/{subject:path}",
    summary="Results of a commune code, unit id, centre id or `<series>/<subject id>`, with every step",
)
async def get_results(request: Request, who: Who, subject: Name, period: AnyYear | None = None) -> list[AnyResult]:
    """Newest period first. `superseded` lists the versions before, with what they had come to and why it changed."""
    rows = await queries.results(request.app.state.mongo, subject, period)
    return [row for row in rows if who.may_see(row.province)]
