"""Imports of history: tried, signed once, handed in part by part, and revoked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from services.intake import queries
from services.intake.api import orders
from services.intake.api.history import read_all, read_one
from services.intake.decisions import Unsound, history, imports
from shared.answers.imports import HistorySigned, ImportView, Trial
from shared.answers.page import Page
from shared.answers.periods import HistoryAnswer
from shared.answers.submissions import Judged
from shared.contracts.base import Problem, Status, content_hash
from shared.contracts.imports import (
    MOST_TRIED,
    HistoryPart,
    HistorySigning,
    HistoryTrial,
    ImportRevocation,
    part_hash,
)
from shared.contracts.orders import HistoricSubmission
from shared.messaging.decide.asking import Outcome
from shared.refusals import problem
from shared.web.auth import Caller, Operator, Who
from shared.web.paging import After, Limit
from shared.web.parameters import Name, Number, Province
from shared.web.problems import not_found

router = APIRouter(prefix="/history/imports", tags=["history"])


@router.get("", summary="The imports of history that were signed: by whom, why, how much of what, how far they came")
async def list_imports(
    request: Request, who: Who, province: Province | None = None, limit: Limit = 100, after: After = None
) -> Page[ImportView]:
    query = {"provinces" if name == "province" else name: value for name, value in who.within(province).items()}
    found = await queries.imports(request.app.state.mongo, query, after=after, limit=limit + 1)
    items = [await _view(request, who, one) for one in found[:limit]]
    return Page(items=items, next=items[-1].import_id if len(found) > limit else None)


@router.post("/trial", summary="What would become of records if they were imported now; nothing is written")
async def attempt(request: Request, who: Operator, body: Annotated[dict[str, Any], Body()]) -> Trial:
    """Each is judged by what is known now and what those before it would do; what cannot be read is refused alone."""
    wanted, runtime = orders.read(HistoryTrial, body), request.app.state.runtime
    if (count := len(wanted.submissions)) > MOST_TRIED:
        raise orders.unsound([problem("imports.too_many_tried", "/submissions", count=count, most=MOST_TRIED)])
    read = [read_one(one) for one in wanted.submissions]
    sound = [one for one in read if isinstance(one, history.Read)]
    tried = imports.Trying(sound, runtime.clock.offset_seconds)
    outcome: Outcome = await runtime.commands.rehearse("import/trial", tried, imports.attempt)
    receipts = iter(history.receipts_in(outcome))
    return Trial(
        verdicts=[
            Judged.of(next(receipts)) if isinstance(one, history.Read) else _unread(wanted.submissions[place], one)
            for place, one in enumerate(read)
        ]
    )


@router.post("", summary="Sign an import of history, once: no part of it is taken before")
async def sign(request: Request, who: Operator, body: Annotated[dict[str, Any], Body()]) -> ImportView:
    """The digest must be that of the parts and the tally. The same again changes nothing."""
    wanted = imports.Signing(orders.read(HistorySigning, body), who.person)
    try:
        await request.app.state.runtime.commands.order(wanted.id, wanted, imports.sign)
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound
    return await _found(request, who, wanted.order.import_id)


@router.post("/{import_id}/parts/{number}", summary="Hand in a part of a signed import: each record gets its receipt")
async def take_part(
    request: Request, who: Operator, import_id: Name, number: Number, body: Annotated[dict[str, Any], Body()]
) -> HistoryAnswer:
    """Taken only as it was signed, and once; what it was answered is answered again."""
    order, runtime = orders.read(HistoryPart, body), request.app.state.runtime
    read, hashed = read_all(order.submissions), part_hash(order.submissions)
    part = imports.Part(import_id, number, read, hashed, who.person, runtime.clock.offset_seconds)
    try:
        outcome: Outcome | None = await runtime.commands.order(part.id, part, imports.take_part)
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound
    mongo = request.app.state.mongo
    (taken,) = await queries.histories(mongo, {"_id": part.order_id}, after=None, limit=1)
    by_id = await queries.receipts_of(mongo, taken.receipts)
    repeated = outcome is None or outcome.verdict == history.REPEATED
    return HistoryAnswer(order=taken, dry_run=False, repeated=repeated, receipts=[by_id[id] for id in taken.receipts])


@router.post("/{import_id}/revocation", summary="Take no further part of an import; what was taken stands")
async def revoke(
    request: Request, who: Operator, import_id: Name, body: Annotated[dict[str, Any], Body()]
) -> ImportView:
    """What was taken is withdrawn record by record, by an import of withdrawals. There is no way back."""
    wanted = imports.Revoking(import_id, orders.read(ImportRevocation, body), who.person)
    await _found(request, who, import_id)
    await request.app.state.runtime.commands.order(wanted.id, wanted, imports.revoke)
    return await _found(request, who, import_id)


def _unread(one: HistoricSubmission, problems: list[Problem]) -> Judged:
    """What cannot be read is refused, as on a province's channel."""
    said = one.data.get("submission_id")
    return Judged(
        status=Status.REJECTED,
        province=one.province,
        body_hash=content_hash(one.data),
        kind=None,
        act="submission",
        submission_id=said if isinstance(said, str) else None,
        subject=None,
        period=None,
        purpose=None,
        deadline=None,
        version=None,
        original=None,
        under=None,
        problems=problems,
        warnings=[],
    )


async def _found(request: Request, who: Caller, import_id: str) -> ImportView:
    found = await queries.imports(request.app.state.mongo, {"_id": import_id}, after=None, limit=1)
    if not found:
        raise not_found("import", import_id)
    return await _view(request, who, found[0])


async def _view(request: Request, who: Caller, signed: HistorySigned) -> ImportView:
    """As this caller may see it."""
    told = signed.model_dump(include=ImportView.model_fields.keys() - {"parts", "tally", "revoked"})
    return ImportView(
        **told,
        tally=[one for one in signed.tally if who.may_see(one.province)],
        revoked=signed.revoked,
        parts=len(signed.parts),
        taken=await queries.parts_taken(request.app.state.mongo, signed.import_id),
    )
