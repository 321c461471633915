"""Adjustments of approved budgets over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.funding import queries
from services.funding.api.orders import Deciding, IdempotencyKey, Who, ordered
from services.funding.decisions.records import Command
from shared.contracts.facts import AdjustmentProposed, AdjustmentState
from shared.messaging.decide.handling import Outcome
from shared.messaging.decide.reader import Reader
from shared.web.auth import Caller
from shared.web.paging import After, Limit, Page
from shared.web.parameters import AnyYear
from shared.web.problems import not_found

router = APIRouter(prefix="/adjustments", tags=["adjustments"])


@router.get("", summary="What corrections after the approval would change, or have changed")
async def list_adjustments(
    request: Request,
    who: Who,
    province: str | None = None,
    year: AnyYear | None = None,
    state: Annotated[AdjustmentState | None, Query(description="Only those in this state")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[AdjustmentProposed]:
    query = who.within(province, **{"year": year, "proposal.state": state})
    found = await queries.adjustments(request.app.state.mongo, query, after=after, limit=limit + 1)
    items = found[:limit]
    return Page(items=items, next=items[-1].adjustment_id if len(found) > limit else None)


@router.post("/{adjustment_id:path}/submit", summary="Ask for the decision on a proposed adjustment")
async def submit(
    request: Request, who: Who, adjustment_id: str, body: Deciding, key: IdempotencyKey = None
) -> AdjustmentProposed:
    return await _decided(request, who, adjustment_id, body, key, "submit")


@router.post("/{adjustment_id:path}/approve", summary="Approve an adjustment; another person than who submitted it")
async def approve(
    request: Request, who: Who, adjustment_id: str, body: Deciding, key: IdempotencyKey = None
) -> AdjustmentProposed:
    return await _decided(request, who, adjustment_id, body, key, "approve")


@router.post("/{adjustment_id:path}/refuse", summary="Refuse an adjustment; the same change is not proposed again")
async def refuse(
    request: Request, who: Who, adjustment_id: str, body: Deciding, key: IdempotencyKey = None
) -> AdjustmentProposed:
    return await _decided(request, who, adjustment_id, body, key, "refuse")


@router.post("/{adjustment_id:path}/reverse", summary="Ask to take an approved adjustment back, by reversing entries")
async def reverse(
    request: Request, who: Who, adjustment_id: str, body: Deciding, key: IdempotencyKey = None
) -> AdjustmentProposed:
    """Answers with the adjustment that takes it back; a second person decides on that one."""
    taken_back = await _decided(request, who, adjustment_id, body, key, "reverse")
    query = {"proposal.reverses": taken_back.adjustment_id}
    asked = await queries.adjustments(request.app.state.mongo, query)
    return max(asked, key=lambda one: int(one.adjustment_id.rpartition("/")[2]))  # the newest; as text 10 is before 2


@router.get("/{adjustment_id:path}", summary="One adjustment")
async def get_adjustment(request: Request, who: Who, adjustment_id: str) -> AdjustmentProposed:
    found = await _found(request, adjustment_id)
    who.require(found.province)
    return found


async def _decided(
    request: Request, who: Caller, adjustment_id: str, body: Deciding, key: str | None, action: str
) -> AdjustmentProposed:
    async def decide(reader: Reader, command: Command, now: datetime) -> Outcome:
        return await queries.decide_on_adjustment(reader, adjustment_id, command, now)

    await ordered(request, who, key, body, action, adjustment_id, decide)
    return await _found(request, adjustment_id)


async def _found(request: Request, adjustment_id: str) -> AdjustmentProposed:
    found = await queries.find_adjustment(request.app.state.mongo, adjustment_id)
    if found is None:
        raise not_found("adjustment", adjustment_id)
    return found
