"""Judging a period again: rehearsed with today's or other rules, or ordered, by the ministry."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints

from services.scoring.queries import recomputes as queries
from shared.answers.results import Order
from shared.contracts.base import Claim, Identifier, ProvinceCode, Text, Year
from shared.mongo import Unavailable
from shared.rulebook import RulebookError
from shared.rulebook.given import GivenRules, read_given
from shared.web.auth import Caller, Role, require_role
from shared.web.beside import Beside
from shared.web.parameters import AnyYear
from shared.web.problems import ApiProblem, not_found
from shared.web.streams import begun

router = APIRouter(prefix="/recompute")
Operator = Annotated[Caller, Depends(require_role(Role.MINISTRY))]
NDJSON = "application/x-ndjson"
READING = Beside(2)
"""Rulebooks that are read at once for rehearsals."""
File = Annotated[str, StringConstraints(max_length=1_000_000)]
Where = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Rehearsal(Claim):
    """Body of a rehearsal."""

    period: Year
    province: ProvinceCode | None = None
    """Today's code of the province that speaks for the subjects; `None` = all."""
    rulebook: Annotated[dict[Where, File], Field(max_length=300)] = {}
    """YAML by its place in a rulebook's folder, added to the rules in force for this rehearsal alone."""


class Ordering(Claim):
    """Body of an order."""

    id: Identifier
    """Chosen by the sender; the same order again goes on where it stopped."""
    period: Year
    province: ProvinceCode | None = None
    why: Annotated[str, StringConstraints(min_length=5, max_length=2_000)]


@router.post(
    "/dry-run",
    summary="Every difference between the kept results and what the rules make of the same inputs; changes nothing",
    response_class=StreamingResponse,
)
async def rehearse(request: Request, who: Operator, body: Rehearsal) -> StreamingResponse:
    """One JSON object a line, in order of result and field; the last one is `{"summary": …}`: without it the answer is
    not whole."""
    rules = await READING.run(partial(_given, body.rulebook))

    async def lines() -> AsyncIterator[bytes]:
        async for line in queries.rehearse(request.app.state.mongo, body.period, body.province, rules):
            yield json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    return StreamingResponse(await begun(lines()), media_type=NDJSON)


@router.post("", summary="Judge every result of a period again, by the rules in force", status_code=202)
async def order(request: Request, who: Operator, body: Ordering) -> Order:
    try:
        given = await queries.order(
            request.app.state.runtime.commands,
            request.app.state.mongo,
            body.id,
            body.period,
            body.province,
            body.why,
            {"who": who.subject, "role": who.role.value},
        )
        return Order.model_validate(given)
    except queries.OtherOrder as error:
        period, province = error.order["period"], error.order["province"]
        vi, en = (f"tỉnh {province}", f"province {province}") if province else ("cả nước", "the whole nation")
        raise ApiProblem(
            409,
            "order_id_reused",
            Text(
                vi=f"Mã lệnh {body.id} đã dùng cho kỳ {period}, {vi}.",
                en=f"The id {body.id} was used for an order for {period}, {en}.",
            ),
            Text(vi="Chọn một mã lệnh (id) khác.", en="Choose another id."),
        ) from error
    except Unavailable as error:
        raise ApiProblem(
            503,
            "database_unavailable",
            Text(vi="Cơ sở dữ liệu không trả lời.", en="The database does not answer."),
            Text(
                vi="Gửi lại cùng mã lệnh (id): phần đã làm không bị làm lại.",
                en="Send it again under the same id: what was done is not done twice.",
            ),
        ) from error


@router.get("", summary="Orders to judge a period again: who, why, and what came of it")
async def list_orders(request: Request, who: Operator, period: AnyYear | None = None) -> list[Order]:
    return [Order.model_validate(row) for row in await queries.orders(request.app.state.mongo, period)]


@router.get("/{order_id:path}", summary="One order")
async def get_order(request: Request, who: Operator, order_id: str) -> Order:
    found = await queries.find(request.app.state.mongo, order_id)
    if found is None:
        raise not_found("order", order_id)
    return Order.model_validate(found)


def _given(files: dict[str, str]) -> GivenRules | None:
    """The rules to rehearse, or 422 with everything that is wrong with them."""
    if not files:
        return None
    try:
        return read_given(files)
    except RulebookError as error:
        faults = [(f"{each.file} {each.path}".strip(), each.problem) for each in error.all]
        raise ApiProblem(
            422,
            "rulebook_unusable",
            Text(
                vi=" ".join(f"{place}: {fault.message.vi}" for place, fault in faults),
                en=" ".join(f"{place}: {fault.message.en}" for place, fault in faults),
            ),
            Text(
                vi=" ".join(dict.fromkeys(fault.mend.vi for _, fault in faults)),
                en=" ".join(dict.fromkeys(fault.mend.en for _, fault in faults)),
            ),
        ) from error
    except ValueError as error:
        raise ApiProblem(
            422,
            "rulebook_unusable",
            Text(vi=f"Không dùng được: {error}.", en=f"Cannot be used: {error}."),
            Text(
                vi="Đặt tệp như trong thư mục quy định: rubrics/<id>.yaml, provinces/<mã>/point_tables/<id>.yaml.",
                en="Place files as in a rulebook's folder: rubrics/<id>.yaml, provinces/<code>/point_tables/<id>.yaml.",
            ),
        ) from error
