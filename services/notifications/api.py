"""HTTP side of notifications: the alerts."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.notifications import queries
from shared.answers.alerts import StandingAlert
from shared.answers.page import Page
from shared.contracts.facts import AlertKind, RetiredAlertKind
from shared.web.auth import Who
from shared.web.paging import After, Limit
from shared.web.parameters import AnyYear, Flag, Name, Province

router = APIRouter(tags=["notifications"])


@router.get("/alerts", summary="Alerts, by province, kind, subject, period, or whether they stand")
async def list_alerts(
    request: Request,
    who: Who,
    province: Province | None = None,
    kind: AlertKind | RetiredAlertKind | None = None,
    subject: Name | None = None,
    period: AnyYear | None = None,
    stands: Flag | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[StandingAlert]:
    query = who.within(province, kind=kind, subject=subject, period=period)
    if stands is not None:
        query["cleared_at"] = None if stands else {"$ne": None}
    found = await queries.alerts(request.app.state.mongo, query, after=after, limit=limit + 1)
    items = found[:limit]
    return Page(items=list(items), next=items[-1].alert_id if len(found) > limit else None)


@router.get("/alerts/tally", summary="How many alerts of which kind stand")
async def get_tally(request: Request, who: Who, province: Province | None = None) -> dict[str, int]:
    return await queries.tally(request.app.state.mongo, who.within(province))
