"""How complete and how timely what provinces owe for a period is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.intake import completeness
from shared.answers.completeness import Completeness, FileState, OwedFile, OwedSeries
from shared.web.auth import Who
from shared.web.parameters import KnownYear, Province

router = APIRouter(prefix="/completeness", tags=["intake"])


@router.get("", summary="Per series and province: expected, in time, late, held, refused, withdrawn, missing")
async def get_completeness(
    request: Request, who: Who, period: KnownYear, province: Province | None = None, series: OwedSeries | None = None
) -> list[Completeness]:
    """Of all that the caller may see, or of one province. A series that no rule judges in the period is absent."""
    of = who.within(province).get("province")
    now = request.app.state.runtime.clock.now()
    return await completeness.counted(request.app.state.mongo, period, province=of, series=series, now=now)


@router.get("/{series}/{period}/{province}", summary="Each subject of which a province owes a file; where that stands")
async def list_files(
    request: Request,
    who: Who,
    series: OwedSeries,
    period: KnownYear,
    province: Province,
    state: Annotated[FileState | None, Query(description="Only those that stand so")] = None,
) -> list[OwedFile]:
    who.within(province)
    now, mongo = request.app.state.runtime.clock.now(), request.app.state.mongo
    return await completeness.files(mongo, period, province=province, series=series, state=state, now=now)
