"""HTTP side of the rehearsal of rules: what they would move among a province's amounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from services.funding import rehearsing
from shared.answers.rules import FundingRehearsal, SupposedScore
from shared.contracts.base import Claim
from shared.web.auth import Operator
from shared.web.parameters import Province
from shared.web.proposed_rules import Files, proven

router = APIRouter(tags=["views"])


class Rehearsal(Claim):
    """Body of a rehearsal."""

    files: Files
    scores: Annotated[list[SupposedScore], Field(max_length=5_000)] = []
    """Results of centres as scoring rehearsed them under the same files."""
    shown: Annotated[int, Field(ge=0, le=5_000, strict=True)] = 100


@router.post("/rule-rehearsals/{province}", summary="Which amounts proposed rules would move; nothing is written")
async def rehearse(request: Request, who: Operator, province: Province, body: Rehearsal) -> FundingRehearsal:
    """Of all budgets of a province: proposals anew, and of what is approved the adjustments that would be proposed."""
    rules = await proven(body.files)
    now = request.app.state.runtime.clock.now()
    return await rehearsing.rehearse(request.app.state.mongo, rules, province, body.scores, body.shown, now)
