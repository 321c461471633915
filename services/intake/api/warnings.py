"""What is accepted, and yet hardly true."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.intake import queries
from shared.answers.page import Page
from shared.answers.warnings import Doubtful
from shared.web.auth import Who
from shared.web.paging import Limit
from shared.web.parameters import AnyYear, Province

router = APIRouter(tags=["intake"])
AfterPlace = Annotated[
    str | None, Query(max_length=300, pattern=r"^[0-9]{2}/([0-9]{4})?/.+$", description="`next` of the page before")
]


@router.get("/warnings", summary="What is accepted and yet hardly true, as the facts stand now, by sender and period")
async def list_warnings(
    request: Request,
    who: Who,
    province: Province | None = None,
    period: AnyYear | None = None,
    limit: Limit = 500,
    after: AfterPlace = None,
) -> Page[Doubtful]:
    """`limit` is of what is looked at: a page lists those of them that are doubted, and may be empty before the last.

    Registrations have no period, and stand before all others of their sender; with `period` they are left out.
    """
    query = who.within(province, period=period)
    return await queries.doubtful(request.app.state.mongo, query, after=after, limit=limit)
