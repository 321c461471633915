"""What a subject is, and everything that was submitted of it, in one answer."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.intake import domain, queries
from services.intake.api.register import view_of
from shared.answers.register import IntakeExplanation
from shared.web.auth import Who
from shared.web.parameters import AnyYear, Name
from shared.web.subjects import Day, meant_day, subject_named

router = APIRouter(tags=["explanations"])
MOST_RECEIPTS = 1_000


@router.get("/explanations/{subject:path}", summary="What a subject is, and everything that was submitted of it")
async def explain(
    request: Request,
    who: Who,
    subject: Name,
    period: AnyYear | None = None,
    on: Day = None,
) -> IntakeExplanation:
    mongo = request.app.state.mongo
    register = await queries.register(mongo)
    named = subject_named(register, subject, meant_day(request, period, on))
    submissions = await queries.history(mongo, named.submitted_as, period)
    query = who.within(None, subject={"$in": [*domain.kept_under(named.submitted_as)]}, period=period)
    receipts = await queries.receipts(mongo, query, after=None, limit=MOST_RECEIPTS)
    doubtful = await queries.doubts_of(mongo, named.submitted_as, period)
    return IntakeExplanation(
        subject=named.id,
        unit=view_of(register, named.unit) if named.unit else None,
        submissions=[one for one in submissions if who.may_see(one.province)],
        receipts=receipts.items,
        doubtful=[one for one in doubtful if who.may_see(one.province)],
    )
