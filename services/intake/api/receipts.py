"""Receipts, what is held, and what is accepted."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from services.intake import domain, queries
from shared.answers.page import Page
from shared.answers.register import AcceptedFact, AcceptedSubject
from shared.contracts.base import Status
from shared.contracts.facts import Receipt, SubmissionKind
from shared.refusals import problem
from shared.rulebook import HANOI
from shared.web.auth import Who
from shared.web.paging import After, AfterNewer, Limit
from shared.web.parameters import AnyYear, Name, OnDay, Province
from shared.web.problems import not_found, refused

router = APIRouter(tags=["intake"])
Search = Annotated[
    Name | None, Query(description="Code of the subject, or a part of its name; marks and letter case do not matter")
]
First = Annotated[OnDay | None, Query(alias="from", description="First day of arrival, in Hà Nội")]
PeriodOfFacts = Annotated[
    AnyYear | None, Query(description="Period or budget year; left out of centres, which are registered for none")
]
Until = Annotated[OnDay | None, Query(description="Last day of arrival, in Hà Nội")]


@router.get("/receipts", summary="Receipts, newest first, by sender, days, name or code, kind, period, status or id")
async def list_receipts(
    request: Request,
    who: Who,
    province: Province | None = None,
    search: Search = None,
    subject: Name | None = None,
    kind: SubmissionKind | None = None,
    period: AnyYear | None = None,
    status: Status | None = None,
    submission_id: Name | None = None,
    first: First = None,
    until: Until = None,
    limit: Limit = 100,
    after: AfterNewer = None,
) -> Page[Receipt]:
    """`search`: names are those of the register, and of centres and learning units of which something is accepted."""
    filters = {"subject": subject, "kind": kind, "period": period, "status": status, "submission_id": submission_id}
    query = who.within(province, **filters, received_at=_arrived(first, until))
    if search is not None:
        query |= await _about(request, search, query.get("province"))
    return await queries.receipts(request.app.state.mongo, query, after=after, limit=limit)


def _arrived(first: date | None, until: date | None) -> dict[str, datetime] | None:
    """From the first moment of one day to the last of another. Raises `ApiProblem` where that one is before it."""
    if first and until and until < first:
        wrong = problem("http.days_reversed", "/query/until", first=first, last=until)
        raise refused("http.invalid_parameters", [wrong])
    bounds = {}
    if first:
        bounds["$gte"] = datetime.combine(first, time.min, HANOI)
    if until:
        bounds["$lt"] = datetime.combine(until + timedelta(days=1), time.min, HANOI)
    return bounds or None


async def _about(request: Request, search: str, province: str | None) -> dict[str, Any]:
    """Raises `ApiProblem` where too many have such a name."""
    meant = await queries.meant(request.app.state.mongo, search, province)
    if len(meant) > domain.MOST_MEANT:
        wrong = problem("intake.search_too_wide", "/query/search", count=len(meant), most=domain.MOST_MEANT)
        raise refused("http.invalid_parameters", [wrong])
    return queries.about(meant)


@router.get("/receipts/{receipt_id}", summary="One receipt")
async def get_receipt(request: Request, who: Who, receipt_id: Name) -> Receipt:
    found = await queries.receipt(request.app.state.mongo, receipt_id)
    if found is None:
        raise not_found("receipt", receipt_id)
    who.require(found.province, "receipt", receipt_id)
    return found


@router.get("/held", summary="Submissions that wait for the register, with the codes that may be meant")
async def list_held(
    request: Request,
    who: Who,
    province: Province | None = None,
    period: AnyYear | None = None,
    limit: Limit = 100,
    after: AfterNewer = None,
) -> Page[Receipt]:
    query = who.within(province, period=period)
    return await queries.held(request.app.state.mongo, query, after=after, limit=limit)


@router.get("/tally", summary="How many submissions have which status; the sum is what was received")
async def get_tally(
    request: Request, who: Who, province: Province | None = None, period: AnyYear | None = None
) -> dict[str, int]:
    counts = await queries.tally(request.app.state.mongo, who.within(province, period=period))
    return {"received": sum(counts.values()), **counts}


@router.get("/subjects/{subject:path}", summary="What is accepted of a unit, centre or province, with all versions")
async def get_history(
    request: Request, who: Who, subject: Name, period: AnyYear | None = None
) -> list[AcceptedSubject]:
    found = await queries.history(request.app.state.mongo, subject, period)
    return [one for one in found if who.may_see(one.province)]


@router.get("/accepted", summary="Facts that stand, of one kind and period: what was filed, or the registered centres")
async def list_accepted(
    request: Request,
    who: Who,
    kind: SubmissionKind,
    period: PeriodOfFacts = None,
    series: Name | None = None,
    province: Province | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[AcceptedFact]:
    """Ordered by subject. What was withdrawn is left out."""
    query = who.within(province, kind=kind, **{"accepted.series": series}) | {"period": period}
    return await queries.accepted(request.app.state.mongo, query, after=after, limit=limit)
