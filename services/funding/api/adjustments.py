"""Adjustments of approved budgets over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.funding import queries
from services.funding.api.orders import Deciding, IdempotencyKey, on_whole_books, ordered
from services.funding.decisions import decide_on_adjustment
from shared.answers.budgets import ToldAdjustment
from shared.answers.page import Page
from shared.contracts.facts import AdjustmentState
from shared.contracts.life import Action, AdjustmentAction
from shared.web.auth import Caller, Who
from shared.web.paging import After, Limit
from shared.web.parameters import KnownYear, Name, Province
from shared.web.problems import not_found

router = APIRouter(prefix="/adjustments", tags=["adjustments"])


@router.get("", summary="What corrections after the approval would change, or have changed")
async def list_adjustments(
    request: Request,
    who: Who,
    province: Province | None = None,
    year: KnownYear | None = None,
    state: Annotated[AdjustmentState | None, Query(description="Only those in this state")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[ToldAdjustment]:
    query = who.within(province, **{"year": year, "proposal.state": state})
    found = await queries.adjustments(request.app.state.mongo, query, after=after, limit=limit + 1)
    items = found[:limit]
    return Page(items=items, next=items[-1].adjustment_id if len(found) > limit else None)


@router.post("/{adjustment_id:path}/{action}", summary="Submit, approve, refuse or reverse an adjustment")
async def decide(
    request: Request,
    who: Who,
    adjustment_id: Name,
    action: AdjustmentAction,
    body: Deciding,
    key: IdempotencyKey = None,
) -> ToldAdjustment:
    """Whoever submitted it neither approves nor refuses it. The same change is not proposed again once it was refused.

    `reverse` asks to take an approved one back: it answers with the adjustment that does so, on which a second person
    decides.
    """
    known = await _found(request, who, adjustment_id)
    await on_whole_books(request, who, known.province, known.year)
    await ordered(request, who, key, body, action, adjustment_id, partial(decide_on_adjustment, adjustment_id))
    if action is not Action.REVERSE:
        return await _found(request, who, adjustment_id)
    asked = await queries.adjustments(request.app.state.mongo, {"proposal.reverses": adjustment_id})
    return max(asked, key=lambda one: int(one.adjustment_id.rpartition("/")[2]))  # the newest; as text 10 is before 2


@router.get("/{adjustment_id:path}", summary="One adjustment")
async def get_adjustment(request: Request, who: Who, adjustment_id: Name) -> ToldAdjustment:
    return await _found(request, who, adjustment_id)


async def _found(request: Request, who: Caller, adjustment_id: str) -> ToldAdjustment:
    found = await queries.find_adjustment(request.app.state.mongo, adjustment_id)
    if found is None:
        raise not_found("adjustment", adjustment_id)
    who.require(found.province, "adjustment", adjustment_id)
    return found
