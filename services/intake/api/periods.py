"""When periods close for their senders, and the ministry's orders that open them again for a while."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Body, Request

from services.intake import queries
from services.intake.api import orders
from services.intake.decisions import Unsound, reopening
from shared.answers.periods import ClosingView
from shared.contracts.facts import Closable, PeriodReopened
from shared.contracts.orders import PeriodReopening, ReopeningEnd
from shared.rulebook import HANOI, closing, ruled
from shared.web.auth import Operator, Who
from shared.web.parameters import AnyYear, KnownYear, Name
from shared.web.problems import not_found

router = APIRouter(prefix="/periods", tags=["periods"])


@router.get("", summary="When each kind of submission of a period or budget year closes, and on which ground")
async def list_closings(request: Request, who: Who, year: KnownYear | None = None) -> list[ClosingView]:
    """Without a year: of the current one."""
    now = request.app.state.runtime.clock.now()
    period = year or now.astimezone(HANOI).year
    found = [(what, closing(what, period)) for what in get_args(Closable) if what in (*ruled(), "envelope", "support")]
    return [
        ClosingView(
            what=what,
            period=period,
            closes_at=one.at,
            closed=now >= one.at,
            citation=one.ground.citation,
            provenance=one.ground.provenance,
        )
        for what, one in found
    ]


@router.get("/reopenings", summary="The orders that opened periods again, those that are over among them")
async def list_reopenings(request: Request, who: Who, period: AnyYear | None = None) -> list[PeriodReopened]:
    found = await queries.reopenings(request.app.state.mongo, period)
    return [one for one in found if one.province is None or who.may_see(one.province)]


@router.post("/reopenings", summary="Open a closed period again for a while; refused with everything that is wrong")
async def reopen(request: Request, who: Operator, body: Annotated[dict[str, Any], Body()]) -> PeriodReopened:
    """The same order under the same id is carried out once."""
    wanted = reopening.Reopening(orders.read(PeriodReopening, body), who.person)
    try:
        await request.app.state.runtime.commands.order(wanted.id, wanted, reopening.reopen)
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound
    return await _found(request, wanted.order.order_id)


@router.post("/reopenings/{order_id:path}/end", summary="End a reopening now, before its time")
async def end(
    request: Request, who: Operator, order_id: Name, body: Annotated[dict[str, Any], Body()]
) -> PeriodReopened:
    """What arrived before stays as it was decided, or is decided as on its arrival."""
    wanted = reopening.Ending(order_id, orders.read(ReopeningEnd, body), who.person)
    await _found(request, order_id)
    try:
        await request.app.state.runtime.commands.order(wanted.id, wanted, reopening.end)
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound
    return await _found(request, order_id)


async def _found(request: Request, order_id: str) -> PeriodReopened:
    found = await queries.reopening(request.app.state.mongo, order_id)
    if found is None:
        raise not_found("reopening", order_id)
    return found
