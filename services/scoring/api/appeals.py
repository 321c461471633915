"""Appeals of provinces against results, and the ministry's decisions on them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from services.scoring.decisions import APPEALS
from services.scoring.decisions import appeals as decisions
from services.scoring.queries import appeals as queries
from shared.answers.page import Page
from shared.answers.results import AppealView
from shared.contracts.orders import Appeal, AppealAnswer, AppealWithdrawal
from shared.contracts.people import Role
from shared.mongo import Unavailable
from shared.refusals import refusal
from shared.web.auth import Caller, Operator, Who, require_role
from shared.web.paging import After, Limit
from shared.web.parameters import Flag, KnownYear, Name, Province
from shared.web.problems import ApiProblem, not_found, refused

router = APIRouter(prefix="/appeals")


async def _officer(who: Annotated[Caller, Depends(require_role(Role.PROVINCE))], province: Province) -> Caller:
    who.within(province)  # before the body is looked at
    return who


Officer = Annotated[Caller, Depends(_officer)]
"""Of the province that is named."""


@router.get("", summary="Appeals against results, and what became of each")
async def list_appeals(
    request: Request,
    who: Who,
    province: Province | None = None,
    period: KnownYear | None = None,
    waiting: Flag = False,
    limit: Limit = 100,
    after: After = None,
) -> Page[AppealView]:
    """`waiting`: only those that nobody has decided yet, the overdue ones among them."""
    query = who.within(province, period=period) | ({"decision": None, "withdrawn": None} if waiting else {})
    return await _page(request, query, after=after, limit=limit)


@router.post("/{province}", summary="Ask the ministry to look again at the version of a result that stands")
async def make_appeal(request: Request, who: Officer, province: Province, body: Appeal) -> AppealView:
    """The same appeal under the same id is made once. It changes no figure by itself."""
    await _carry_out(request, decisions.Appealing(body, province, who.person), decisions.appeal)
    return await _found(request, province, body.appeal_id)


@router.post("/{province}/{appeal_id:path}/answer", summary="Uphold an appeal and say what follows, or dismiss it")
async def decide_appeal(
    request: Request, who: Operator, province: Province, appeal_id: Name, body: AppealAnswer
) -> AppealView:
    """By another person than who made it. What was decided is final."""
    await _found(request, province, appeal_id)
    wanted = decisions.Answering(APPEALS.ref(province, appeal_id), body, who.hand)
    await _carry_out(request, wanted, decisions.answer)
    return await _found(request, province, appeal_id)


@router.post("/{province}/{appeal_id:path}/withdraw", summary="Ask no more, before it is decided")
async def withdraw_appeal(
    request: Request, who: Officer, province: Province, appeal_id: Name, body: AppealWithdrawal
) -> AppealView:
    await _found(request, province, appeal_id)
    wanted = decisions.TakingBack(APPEALS.ref(province, appeal_id), body, who.person)
    await _carry_out(request, wanted, decisions.take_back)
    return await _found(request, province, appeal_id)


async def _carry_out(request: Request, wanted: Any, decide: Any) -> None:
    try:
        await request.app.state.runtime.commands.order(wanted.id, wanted, decide)
    except decisions.Unappealable as error:
        first = error.problems[0]
        raise ApiProblem(refusal(f"scoring.{first.code}").status, first, error.problems) from error
    except Unavailable as error:
        raise refused("scoring.database_unavailable") from error


async def _found(request: Request, province: str, appeal_id: str) -> AppealView:
    found = await _page(request, {"province": province, "appeal_id": appeal_id}, after=None, limit=1)
    if not found.items:
        raise not_found("appeal", appeal_id)
    return found.items[0]


async def _page(request: Request, query: dict[str, Any], *, after: str | None, limit: int) -> Page[AppealView]:
    now = request.app.state.runtime.clock.now()
    return await queries.appeals(request.app.state.mongo, query, after=after, limit=limit, now=now)
