"""Whether each commune has one centre."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.intake import completeness, queries
from services.intake.domain import centres_of_communes
from shared.answers.centres import ProvinceCentres
from shared.rulebook import HANOI
from shared.web.auth import Who
from shared.web.parameters import OnDay, Province

router = APIRouter(tags=["intake"])


@router.get("/centres", summary="Per province: communes with one centre, with none, with several, on a day")
async def list_centres(
    request: Request, who: Who, province: Province | None = None, on: OnDay | None = None
) -> list[ProvinceCentres]:
    """Of all that the caller may see, or of one province; today where no day is named."""
    of = who.within(province).get("province")
    mongo, now = request.app.state.mongo, request.app.state.runtime.clock.now()
    day = now.astimezone(HANOI).date() if on is None else on
    return centres_of_communes(await completeness.registered(mongo), await queries.register(mongo), day, of)
