"""Requests of provinces for late acceptance, and the ministry's answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request

from services.intake import queries
from services.intake.api import orders
from services.intake.decisions import Unsound, late_requests
from shared.answers.page import Page
from shared.answers.periods import LateRequestView
from shared.contracts.orders import LateAnswer, LateRequest, LateWithdrawal
from shared.contracts.people import Role
from shared.web.auth import Caller, Operator, Who, require_role
from shared.web.paging import After, Limit
from shared.web.parameters import Flag, KnownYear, Name, Province
from shared.web.problems import not_found

router = APIRouter(prefix="/late-requests", tags=["periods"])
Officer = Annotated[Caller, Depends(require_role(Role.PROVINCE))]
"""Of a province."""


@router.get("", summary="Requests for late acceptance, and what became of each")
async def list_requests(
    request: Request,
    who: Who,
    province: Province | None = None,
    period: KnownYear | None = None,
    waiting: Flag = False,
    limit: Limit = 100,
    after: After = None,
) -> Page[LateRequestView]:
    """`waiting`: only those that nobody has decided yet, the overdue ones among them."""
    query = who.within(province, period=period) | ({"decision": None, "withdrawn": None} if waiting else {})
    return await _page(request, query, after=after, limit=limit)


@router.post("/{province}", summary="Ask the ministry to take a file that was refused because its period is closed")
async def ask_for(
    request: Request, who: Officer, province: Province, body: Annotated[dict[str, Any], Body()]
) -> LateRequestView:
    """The same request under the same id is made once."""
    who.within(province)
    wanted = late_requests.Asking(orders.read(LateRequest, body), province, who.person)
    await _carry_out(request, wanted, late_requests.ask_for)
    return await _found(request, province, wanted.request.request_id)


@router.post("/{province}/{request_id:path}/answer", summary="Grant a request until a last day, or refuse it")
async def answer(
    request: Request, who: Operator, province: Province, request_id: Name, body: Annotated[dict[str, Any], Body()]
) -> LateRequestView:
    """By another person than who asked. What is granted is revoked by the end of its reopening (`order_id`)."""
    read = orders.read(LateAnswer, body)
    await _found(request, province, request_id)
    wanted = late_requests.Answering(late_requests.ref_of(province, request_id), read, who.hand)
    await _carry_out(request, wanted, late_requests.answer)
    return await _found(request, province, request_id)


@router.post("/{province}/{request_id:path}/withdraw", summary="Ask no more, before it is decided")
async def take_back(
    request: Request, who: Officer, province: Province, request_id: Name, body: Annotated[dict[str, Any], Body()]
) -> LateRequestView:
    who.within(province)
    read = orders.read(LateWithdrawal, body)
    await _found(request, province, request_id)
    wanted = late_requests.TakingBack(late_requests.ref_of(province, request_id), read, who.person)
    await _carry_out(request, wanted, late_requests.take_back)
    return await _found(request, province, request_id)


async def _carry_out(request: Request, wanted: Any, decide: Any) -> None:
    try:
        await request.app.state.runtime.commands.order(wanted.id, wanted, decide)
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound


async def _found(request: Request, province: str, request_id: str) -> LateRequestView:
    found: Sequence[LateRequestView] = (
        await _page(request, {"province": province, "request_id": request_id}, after=None, limit=1)
    ).items
    if not found:
        raise not_found("request", request_id)
    return found[0]


async def _page(request: Request, query: dict[str, Any], *, after: str | None, limit: int) -> Page[LateRequestView]:
    now = request.app.state.runtime.clock.now()
    return await queries.late_requests(request.app.state.mongo, query, after=after, limit=limit, now=now)
