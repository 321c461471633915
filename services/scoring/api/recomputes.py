"""Judging a period again: rehearsed with today's or other rules, or ordered, by the ministry."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints

from services.scoring.decisions import Recompute
from services.scoring.queries import recomputes as queries
from shared.answers.results import Order
from shared.contracts.base import Claim, Identifier, OneLine, Text, Year
from shared.messaging.seals import Altered
from shared.mongo import Unavailable
from shared.rulebook import RulebookError
from shared.rulebook.given import GivenRules, read_given
from shared.web.auth import Operator
from shared.web.beside import Beside
from shared.web.parameters import KnownYear, Name, Province
from shared.web.problems import ApiProblem, not_found, of_altered, refused, route_of
from shared.web.streams import begun

router = APIRouter(prefix="/recompute")
NDJSON = "application/x-ndjson"
READING = Beside(2)
"""Rulebooks that are read at once for rehearsals."""
File = Annotated[str, StringConstraints(max_length=1_000_000)]
Where = Annotated[str, StringConstraints(min_length=1, max_length=200), OneLine]


class Rehearsal(Claim):
    """Body of a rehearsal."""

    period: Year
    province: Province | None = None
    """Today's code of the province that speaks for the subjects; `None` = all."""
    rulebook: Annotated[dict[Where, File], Field(max_length=300)] = {}
    """YAML by its place in a rulebook's folder, added to the rules in force for this rehearsal alone."""


class Ordering(Claim):
    """Body of an order."""

    id: Identifier
    """Chosen by the sender; the same order again goes on where it stopped."""
    period: Year
    province: Province | None = None
    why: Annotated[str, StringConstraints(min_length=5, max_length=2_000), OneLine]


@router.post(
    "/dry-run",
    summary="Every difference between the kept results and what the rules make of the same inputs; changes nothing",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {}}}},
)
async def rehearse(request: Request, who: Operator, body: Rehearsal) -> StreamingResponse:
    """One JSON object a line, in order of result and field; the last one is `{"summary": …}`: without it the answer is
    not whole. Where a result was altered outside the service, the last one is `{"problem": …}`, which names it."""
    rules = await READING.run(partial(_given, body.rulebook))

    async def lines() -> AsyncIterator[bytes]:
        sent = False
        try:
            async for line in queries.rehearse(request.app.state.mongo, body.period, body.province, rules):
                yield _line(line)
                sent = True
        except Altered as error:
            if not sent:  # still answered by its status
                raise
            yield _line({"problem": of_altered(error, route_of(request.scope)).body})

    return StreamingResponse(await begun(lines()), media_type=NDJSON)


@router.post("", summary="Judge every result of a period again, by the rules in force", status_code=202)
async def order(request: Request, who: Operator, body: Ordering) -> Order:
    wanted = Recompute(**dict(body), who=who.person, role=who.role.value, at=request.app.state.runtime.clock.now())
    try:
        return await queries.order(request.app.state.runtime.commands, request.app.state.mongo, wanted)
    except queries.OtherOrder as error:
        raise ApiProblem(409, error.problems[0]) from error
    except Unavailable as error:
        raise refused("scoring.database_unavailable") from error


@router.get("", summary="Orders to judge a period again: who, why, and what came of it")
async def list_orders(request: Request, who: Operator, period: KnownYear | None = None) -> Sequence[Order]:
    return await queries.orders(request.app.state.mongo, period)


@router.get("/{order_id:path}", summary="One order")
async def get_order(request: Request, who: Operator, order_id: Name) -> Order:
    found = await queries.find(request.app.state.mongo, order_id)
    if found is None:
        raise not_found("order", order_id)
    return found


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _given(files: dict[str, str]) -> GivenRules | None:
    """The rules to rehearse, or 422 with everything that is wrong with them."""
    if not files:
        return None
    try:
        return read_given(files)
    except RulebookError as error:
        places = [(f"{each.file} {each.path}".strip(), each.problem) for each in error.all]
        found = Text(
            vi=" ".join(f"{place}: {one.message.vi}" for place, one in places),
            en=" ".join(f"{place}: {one.message.en}" for place, one in places),
        )
        mends = Text(
            vi=" ".join(dict.fromkeys(one.mend.vi for _, one in places)),
            en=" ".join(dict.fromkeys(one.mend.en for _, one in places)),
        )
        raise refused("scoring.rulebook_unusable", found=found, mends=mends) from error
    except ValueError as error:
        raise refused(
            "scoring.rulebook_misplaced", reason=Text(vi="có tệp không đặt đúng chỗ", en=str(error))
        ) from error
