"""Results with their explanation."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from services.scoring.queries import results as queries
from shared.web.auth import Caller, caller
from shared.web.parameters import AnyYear

router = APIRouter()
Who = Annotated[Caller, Depends(caller)]


@router.get(
    "/results/{subject:path}",
    summary="Results of a commune code, unit id, centre id or `<series>/<subject id>`, with every step",
)
async def get_results(request: Request, who: Who, subject: str, period: AnyYear | None = None) -> list[dict[str, Any]]:
    """Newest period first. `superseded` lists the versions before, with what they had come to and why it changed."""
    rows = await queries.results(request.app.state.mongo, subject, period)
    return [row for row in rows if who.may_see(row["province"])]
