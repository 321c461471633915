"""How far the goals of the state are reached, by the nation and by a province."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from services.scoring.api.sight import Seen
from services.scoring.decisions import VN, AttainmentYear, RankingYear, province_scope
from services.scoring.queries import attainment as queries
from shared.answers.attainment import AttainmentView
from shared.registry import registry
from shared.rulebook import cut_off
from shared.web.auth import Who
from shared.web.parameters import KnownYear
from shared.web.problems import not_found, refused

router = APIRouter()
Area = Annotated[str, Field(pattern=r"^(vn|[0-9]{2})$")]


@router.get("/attainment/{area}/{period}", summary="How far each goal is reached; `vn` or a province's code then")
async def get_attainment(request: Request, who: Who, seen: Seen, area: Area, period: KnownYear) -> AttainmentView:
    """Every officer sees the nation's; a province's is seen by itself, the ministry, finance and auditors."""
    if area != VN:
        if registry().province(area, cut_off(period)) is None:
            raise not_found("province", f"{area}/{period}")
        if not seen.inside(RankingYear(province_scope(area), period)):
            raise refused("http.other_province", province=area)
    return await queries.attainment(request.app.state.mongo, AttainmentYear(area, period))
