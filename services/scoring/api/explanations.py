"""Everything that scoring knows of a subject and period, in one answer."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request

from services.scoring.api.sight import Seen
from services.scoring.queries import explanations as queries
from services.scoring.queries import results
from shared.answers.results import CommuneResult, ScoringExplanation
from shared.web.auth import Who
from shared.web.parameters import AnyYear, Name
from shared.web.problems import refused
from shared.web.subjects import Day, subject_named

router = APIRouter(tags=["explanations"])


@router.get(
    "/explanations/{subject:path}",
    summary="A subject's result with every step, its places among its neighbours, and the results of its centres",
)
async def explain(
    request: Request,
    who: Who,
    seen: Seen,
    subject: Name,
    period: AnyYear | None = None,
    on: Day = None,
) -> ScoringExplanation:
    """`subject`: a commune code, unit id, centre id or `<series>/<subject>`; `period`: by default its latest one."""
    mongo = request.app.state.mongo
    register = seen.register
    named = subject_named(register, subject, on or (date(period, 12, 31) if period else None))
    rows = await results.results(mongo, named.id, period)
    decisions = await queries.graded(mongo, named.id, period, who.may_see)
    if not (rows or decisions or period or on):
        raise refused("scoring.nothing_known", subject=subject)
    result = rows[0] if rows else None
    latest = decisions[0].period if decisions else 0
    told = result.period if result else period or (on.year if on else latest)
    if isinstance(result, CommuneResult):  # a code that came without a day is that of its latest result
        named = subject_named(register, result.unit_id, None)
    commune = named.unit if named.is_commune else None
    area_class = result.area_class if isinstance(result, CommuneResult) and commune else None
    ranks = await queries.places(mongo, commune, area_class, told, seen.inside) if commune else []
    centres = await queries.centres(mongo, commune, register.speaker_of(commune), told) if commune else []
    models = await queries.models(mongo, commune, told) if commune else None
    return ScoringExplanation(
        subject=named.id,
        period=told,
        result=result if result and who.may_see(result.province) else None,
        ranks=ranks,
        centres=[each for each in centres if who.may_see(each.province)],
        decisions=decisions,
        models=models if models and who.may_see(models.province) else None,
    )
