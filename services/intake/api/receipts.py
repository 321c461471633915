"""Receipts, what is held, and what is accepted."""

from __future__ import annotations

from fastapi import APIRouter, Request

from services.intake import queries
from shared.answers.page import Page
from shared.answers.register import AcceptedSubject
from shared.contracts.base import Status
from shared.contracts.facts import Receipt, RegistrationAccepted
from shared.web.auth import Who
from shared.web.paging import After, Limit
from shared.web.parameters import AnyYear, Name, Province
from shared.web.problems import not_found

router = APIRouter(tags=["intake"])


@router.get("/receipts", summary="Receipts, by sender, subject, period, status or submission id")
async def list_receipts(
    request: Request,
    who: Who,
    province: Province | None = None,
    subject: Name | None = None,
    period: AnyYear | None = None,
    status: Status | None = None,
    submission_id: Name | None = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[Receipt]:
    query = who.within(province, subject=subject, period=period, status=status, submission_id=submission_id)
    found = await queries.receipts(request.app.state.mongo, query, after=after, limit=limit + 1)
    return _page(found, limit)


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
    after: After = None,
) -> Page[Receipt]:
    query = who.within(province, period=period)
    found = await queries.held(request.app.state.mongo, query, after=after, limit=limit + 1)
    return _page(found, limit)


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


@router.get("/communes/{code}/centres", summary="Registered centres of a commune")
async def get_centres(request: Request, who: Who, code: Name) -> list[RegistrationAccepted]:
    found = await queries.centres_of(request.app.state.mongo, code)
    return [one for one in found if who.may_see(one.province)]


def _page(found: list[Receipt], limit: int) -> Page[Receipt]:
    items = found[:limit]
    return Page(items=items, next=items[-1].receipt_id if len(found) > limit else None)
