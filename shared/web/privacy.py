"""How long what is kept, what is held on somebody, and who looked: the same routes at every service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from bson import ObjectId
from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import Field, StringConstraints

from shared.answers.page import Page
from shared.answers.privacy import PersonalRead
from shared.contracts.base import Claim, Label
from shared.contracts.people import Role
from shared.messaging.operate import personal
from shared.privacy import Rule, policy_on
from shared.rulebook import HANOI
from shared.web.auth import Caller, Operator, Who, require_role
from shared.web.paging import After, Limit
from shared.web.parameters import Name, OnDay
from shared.web.problems import not_found
from shared.web.streams import begun

router = APIRouter(prefix="/privacy", tags=["privacy"])
Watcher = Annotated[Caller, Depends(require_role(Role.MINISTRY, Role.AUDITOR))]
NDJSON = "application/x-ndjson"
ONE_SEARCH = asyncio.Semaphore(1)
"""A search reads the whole database; a second one waits."""


class Search(Claim):
    """Body of a search."""

    text: Annotated[str, StringConstraints(min_length=3, max_length=300)]
    """A name, an id, an account, a submission's id; in the body, so that no log of addresses keeps it."""
    why: Label


@router.get("/policy", summary="How long what is kept, why, and who sees to it")
async def policy(
    request: Request, who: Who, on: Annotated[OnDay | None, Field(description="On which day; today without")] = None
) -> list[Rule]:
    day = on or request.app.state.runtime.clock.now().astimezone(HANOI).date()
    return list(policy_on(day).values())


@router.post("/holdings", summary="Every document in which a text occurs", response_class=StreamingResponse)
async def holdings(request: Request, who: Operator, body: Search) -> StreamingResponse:
    """One JSON object a line: collection, id, places; the text itself is not repeated. The search is recorded."""
    state = request.app.state
    await personal.note_read(
        state.mongo,
        state.runtime.clock,
        who=who.person,
        role=who.role.value,
        what="text",
        about=personal.fingerprint(body.text),
        why=body.why,
    )

    async def lines() -> AsyncIterator[bytes]:
        async with ONE_SEARCH:
            async for found in personal.holdings(state.mongo, body.text):
                yield found.model_dump_json().encode() + b"\n"
        yield b'{"whole": true}\n'

    return StreamingResponse(await begun(lines()), media_type=NDJSON)


@router.get("/reads", summary="Who looked at personal data, when and why; oldest first")
async def list_reads(
    request: Request, who: Watcher, about: Name | None = None, limit: Limit = 100, after: After = None
) -> Page[PersonalRead]:
    if after is not None and not ObjectId.is_valid(after):
        raise not_found("read", after[:100])
    rows = await personal.reads(
        request.app.state.mongo,
        {} if about is None else {"about": about},
        after=None if after is None else ObjectId(after),
        limit=limit + 1,
    )
    items = [PersonalRead.model_validate({**row, "id": str(row["_id"])}) for row in rows[:limit]]
    return Page(items=items, next=items[-1].id if len(rows) > limit else None)
