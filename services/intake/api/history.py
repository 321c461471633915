"""History that the ministry takes in under its own name, bound by no closing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import ValidationError

from services.intake import queries
from services.intake.api import orders
from services.intake.decisions import DEEDS, Unsound, history
from services.intake.problems import of_errors
from shared.answers.page import Page
from shared.answers.periods import HistoryAnswer, HistoryImported
from shared.contracts.base import Problem
from shared.contracts.orders import MOST_SUBMISSIONS, HistoricSubmission, HistoryImport
from shared.contracts.topics import families
from shared.messaging.decide.asking import Outcome
from shared.messaging.operate.topics import province_codes
from shared.refusals import problem
from shared.web.auth import Operator, Who
from shared.web.paging import After, Limit
from shared.web.parameters import Flag, Province

router = APIRouter(prefix="/history", tags=["history"])


@router.get("", summary="The orders of history that were carried out, with the receipts of their submissions")
async def list_histories(
    request: Request, who: Who, province: Province | None = None, limit: Limit = 100, after: After = None
) -> Page[HistoryImported]:
    query = {"provinces" if name == "province" else name: value for name, value in who.within(province).items()}
    found = await queries.histories(request.app.state.mongo, query, after=after, limit=limit + 1)
    items = found[:limit]
    return Page(items=items, next=items[-1].order_id if len(found) > limit else None)


@router.post("", summary="Take in history: each submission is judged and answered with a receipt, no period is closed")
async def take_in(
    request: Request, who: Operator, body: Annotated[dict[str, Any], Body()], dry_run: Flag = False
) -> HistoryAnswer:
    """Where one of the submissions cannot be read, nothing is done. `dry_run`: only tell what would become of each. The
    same order under the same id is carried out once."""
    order, runtime = orders.read(HistoryImport, body), request.app.state.runtime
    handed = history.Handed(order, read_all(order.submissions), who.person, runtime.clock.offset_seconds)
    act = runtime.commands.rehearse if dry_run else runtime.commands.order
    try:
        outcome: Outcome | None = await act(handed.id, handed, history.take_in)
    except Unsound as unsound:
        raise orders.unsound(unsound.problems) from unsound
    if outcome is not None and outcome.verdict != history.REPEATED:
        taken = outcome.puts[history.ref_of(order)]
        return HistoryAnswer(order=taken, dry_run=dry_run, repeated=False, receipts=history.receipts_in(outcome))
    mongo = request.app.state.mongo
    (taken,) = await queries.histories(mongo, {"_id": order.order_id}, after=None, limit=1)
    by_id = await queries.receipts_of(mongo, taken.receipts)
    receipts = [by_id[receipt_id] for receipt_id in taken.receipts]
    return HistoryAnswer(order=taken, dry_run=dry_run, repeated=True, receipts=receipts)


def read_all(submissions: Sequence[HistoricSubmission]) -> list[history.Read]:
    """The submissions of an order. Raises `ApiProblem` with everything that is wrong with any of them."""
    if len(submissions) > MOST_SUBMISSIONS:
        count = len(submissions)
        raise orders.unsound([problem("intake.history_too_long", "/submissions", count=count, most=MOST_SUBMISSIONS)])
    found: list[history.Read] = []
    problems: list[Problem] = []
    for place, one in enumerate(submissions):
        read = read_one(one)
        if isinstance(read, history.Read):
            found.append(read)
        else:
            problems += [_within(each, f"/submissions/{place}") for each in read]
    if problems:
        raise orders.unsound(problems)
    return found


def read_one(one: HistoricSubmission) -> history.Read | list[Problem]:
    """A submission, or everything that is wrong with it, by its place in `one`."""
    raw = json.dumps(one.data, ensure_ascii=False).encode()
    deed = DEEDS.get(one.type)
    if wrong := list(_unreadable(one, raw, known=deed is not None)):
        return wrong
    assert deed is not None
    try:
        data: Any = deed.type.claim.of_sender(raw)
        return history.Read(deed, one.province, data, raw)
    except ValidationError as error:
        return [_within(each, "/data") for each in of_errors(error.errors(include_url=False), one.data)]


def _unreadable(one: HistoricSubmission, raw: bytes, *, known: bool) -> Iterator[Problem]:
    if not known:
        yield problem("intake.history_type_unknown", "/type", type=one.type[:100], known=", ".join(DEEDS))
    if one.province not in province_codes():
        yield problem("intake.province_without_channel", "/province", code=one.province)
    most = families()["submissions"].max_record_bytes
    if len(raw) > most:
        yield problem("intake.history_too_large", "/data", bytes=len(raw), most=most)


def _within(one: Problem, pointer: str) -> Problem:
    return one.model_copy(update={"field": pointer + one.field})
