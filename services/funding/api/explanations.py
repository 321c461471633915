"""The money of a subject, in one answer."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.funding import queries
from services.funding.decisions import budget_year
from shared.answers.budgets import FundingExplanation
from shared.messaging.decide.engine import answer
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.register import register_now
from shared.web.auth import Who
from shared.web.parameters import AnyYear, Name
from shared.web.subjects import Day, meant_day, subject_named

router = APIRouter(tags=["explanations"])


@router.get(
    "/explanations/{subject:path}",
    summary="The lines of a commune's centres, or of one centre, with everything that made each amount",
)
async def explain(
    request: Request,
    who: Who,
    subject: Name,
    period: AnyYear | None = None,
    on: Day = None,
) -> FundingExplanation:
    """`period`: only the budget year that this assessment period decides."""
    mongo = request.app.state.mongo
    named = subject_named(await answer(register_now, Reader(mongo)), subject, meant_day(request, period, on))
    whose = {"allocation.commune_code": named.unit.code} if named.unit else {"allocation.centre_id": named.id}
    query = who.within(None, year=budget_year(period) if period else None, **whose)
    lines = await queries.proposals(mongo, query)
    return FundingExplanation(
        subject=named.id,
        lines=sorted(lines, key=lambda line: (-line.year, line.allocation.centre_id)),
        accepted=await queries.acceptances(mongo, lines),
    )
