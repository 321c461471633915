"""Orders to erase what was submitted, or who somebody was: one person asks, another one confirms."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request

from services.intake import queries
from services.intake.api import orders
from services.intake.decisions import Unsound, erasing
from shared.answers.page import Page
from shared.answers.privacy import Erasure, ErasureAnswer
from shared.contracts.orders import ErasureConfirmation, ErasureRequest
from shared.contracts.people import Role
from shared.web.auth import Caller, Operator, require_role
from shared.web.paging import After, Limit
from shared.web.parameters import Name
from shared.web.problems import not_found

router = APIRouter(prefix="/erasures", tags=["privacy"])
Watcher = Annotated[Caller, Depends(require_role(Role.MINISTRY, Role.AUDITOR))]


@router.get("", summary="The orders to erase: who asked, who confirmed, why")
async def list_erasures(request: Request, who: Watcher, limit: Limit = 100, after: After = None) -> Page[Erasure]:
    found = await queries.erasures(request.app.state.mongo, {}, after=after, limit=limit + 1)
    items = found[:limit]
    return Page(items=items, next=items[-1].order_id if len(found) > limit else None)


@router.post(
    "", summary="Ask that submissions, or a person's name, be erased; nothing is done until another one confirms"
)
async def ask_for(
    request: Request, who: Operator, body: Annotated[dict[str, Any], Body()], dry_run: bool = False
) -> ErasureAnswer:
    """Refused for a submission that stands, on which results and money rest, and for a person whose term has not ended.
    Further receipts of the very same content go with those that are named, but for those that stand. The same order
    under the same id is recorded once."""
    wanted, runtime = erasing.Requesting(orders.read(ErasureRequest, body), who.person), request.app.state.runtime
    act = runtime.commands.rehearse if dry_run else runtime.commands.order
    try:
        outcome = await act(wanted.id, wanted, erasing.request)
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound
    new: Erasure | None = outcome.puts.get(erasing.ref_of(wanted.order.order_id)) if outcome else None
    order = new or await _found(request, wanted.order.order_id)
    letters = await queries.letters_like(request.app.state.mongo, order.receipts)
    return ErasureAnswer(order=order, dry_run=dry_run, letters=letters)


@router.post("/{order_id:path}/confirm", summary="Carry out an order to erase that another person asked for")
async def confirm(request: Request, who: Operator, order_id: Name, body: Annotated[dict[str, Any], Body()]) -> Erasure:
    """There is no way back: of what was sent the hash is left, of a refusal its codes, of a person the id. What was
    decided stays."""
    secret = request.app.state.verifier.directory.key
    wanted = erasing.Confirming(order_id, orders.read(ErasureConfirmation, body), who.hand, secret)
    await _found(request, order_id)
    try:
        await request.app.state.runtime.commands.order(wanted.id, wanted, erasing.confirm)
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound
    return await _found(request, order_id)


async def _found(request: Request, order_id: str) -> Erasure:
    for one in await queries.erasures(request.app.state.mongo, {"_id": order_id}, after=None, limit=1):
        return one
    raise not_found("erasure", order_id)
