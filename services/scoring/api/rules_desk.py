"""The rules desk: rules are proposed, rehearsed on what is kept, and released by another person of the ministry."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StringConstraints

from services.scoring.decisions import rules_desk as decisions
from services.scoring.queries import rules_desk as queries
from shared.answers.page import Page
from shared.answers.rules import ProposalState, ProposalView, RulesPackage, ScoringRehearsal
from shared.contracts.base import Claim, Identifier, OneLine, Year
from shared.mongo import Unavailable
from shared.refusals import refusal
from shared.rulebook.decided import DECIDED
from shared.web.auth import Caller, Operator
from shared.web.paging import After, Limit
from shared.web.parameters import Name
from shared.web.problems import ApiProblem, not_found, refused
from shared.web.proposed_rules import Files, proven
from shared.web.streams import patient

router = APIRouter(prefix="/rule-proposals")
REHEARSING = asyncio.Lock()
"""One of a process at a time: each goes through all that is kept."""
Why = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=2_000), OneLine]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Proposing(Claim):
    """Body of a proposal."""

    id: Identifier
    """Chosen by the sender; the same proposal again is the same one."""
    files: Files
    why: Why


class Withdrawing(Claim):
    """Body of a withdrawal: which files were meant."""

    digest: Digest
    why: Why


class Releasing(Withdrawing):
    """Body of a release: which files were looked at."""

    seen: Digest | None = None
    """Digest of the rehearsal that the person has seen: kept with the release."""


class Rehearsal(Claim):
    """Body of a rehearsal."""

    period: Year
    shown: Annotated[int, Field(ge=0, le=5_000, strict=True)] = 100
    """How many results and ranks are told one by one; all are counted."""


@router.post("", summary="Propose rules: files of a rulebook's folder, proven beside the rules in use")
async def propose(request: Request, who: Operator, body: Proposing) -> ProposalView:
    """Everything that is wrong with them is answered at once, by file and place, and then nothing is kept."""
    rules = await proven(body.files)
    proposal = decisions.Proposal(
        id=body.id,
        files=tuple(decisions.RuleFile(*each) for each in sorted(body.files.items())),
        base=rules.base,
        digest=rules.digest,
        new=rules.new,
        ended=rules.ended,
        reworded=rules.reworded,
        why=body.why,
        proposed_by=who.person,
        proposed_at=request.app.state.runtime.clock.now(),
    )
    await _carry_out(request, decisions.Proposing(proposal), decisions.propose)
    return await _view(request, body.id)


@router.get("", summary="Proposed rules: who, why, what became of them")
async def list_proposals(
    request: Request,
    who: Operator,
    state: Annotated[ProposalState | None, Query(description="Only those")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Page[ProposalView]:
    """By id; without their files."""
    query = {} if state is None else {"state": state}
    return await queries.proposals(request.app.state.mongo, query, after=after, limit=limit)


@router.get("/{proposal_id:path}/package", summary="What is installed of released rules, with who decided on them")
async def get_package(request: Request, who: Operator, proposal_id: Name) -> RulesPackage:
    """Only while the rules in use are those beside which it was proven, or once it is among them."""
    kept = await _found(request, proposal_id)
    if kept.state != "released":
        raise refused("scoring.rules_not_released", id=proposal_id)
    shown = queries.view(kept, await queries.standing())
    if not (shown.is_current or shown.in_use):
        raise refused("scoring.rules_moved_on")
    return RulesPackage(id=kept.id, digest=kept.digest, files={**kept.texts, DECIDED: kept.record.text()})


@router.get("/{proposal_id:path}", summary="One proposal, with its files")
async def get_proposal(request: Request, who: Operator, proposal_id: Name) -> ProposalView:
    return await _view(request, proposal_id)


@router.post(
    "/{proposal_id:path}/rehearsal",
    summary="Which results and ranks it would move; changes nothing",
    response_model=ScoringRehearsal,
)
async def rehearse(request: Request, who: Operator, proposal_id: Name, body: Rehearsal) -> Response:
    """On all that is kept now, judged by the rules in use with the proposed ones. Amounts: funding's own rehearsal.

    A nation takes minutes: blank lines come before the document then.
    """
    kept = await _found(request, proposal_id)
    rules = await proven(kept.texts)
    if rules.digest != kept.digest:
        raise refused("scoring.rules_moved_on")
    if REHEARSING.locked():
        raise refused("http.busy")
    now = request.app.state.runtime.clock.now()

    async def alone() -> ScoringRehearsal:
        async with REHEARSING:
            return await queries.rehearse(request.app.state.mongo, rules, body.period, body.shown, now)

    return await patient(alone())


@router.post("/{proposal_id:path}/release", summary="Release what somebody else proposed, by its digest")
async def release(request: Request, who: Operator, proposal_id: Name, body: Releasing) -> ProposalView:
    """It is used once it is installed and the services have started with it."""
    return await _decide(request, who, proposal_id, "released", body, body.seen)


@router.post("/{proposal_id:path}/withdraw", summary="Take a proposal back, before it is released")
async def withdraw(request: Request, who: Operator, proposal_id: Name, body: Withdrawing) -> ProposalView:
    """By anybody of the ministry. What is released is ended by the release of what follows it."""
    return await _decide(request, who, proposal_id, "withdrawn", body, None)


async def _decide(
    request: Request, who: Caller, proposal_id: str, state: ProposalState, body: Withdrawing, seen: str | None
) -> ProposalView:
    await _found(request, proposal_id)
    base = (await queries.standing()).base
    wanted = decisions.Answering(proposal_id, state, body.digest, body.why, who.hand, seen, base)
    await _carry_out(request, wanted, decisions.answer)
    return await _view(request, proposal_id)


async def _carry_out(request: Request, wanted: Any, decide: Any) -> None:
    try:
        await request.app.state.runtime.commands.order(wanted.id, wanted, decide)
    except decisions.Undecidable as error:
        first = error.problems[0]
        raise ApiProblem(refusal(f"scoring.{first.code}").status, first, error.problems) from error
    except Unavailable as error:
        raise refused("scoring.database_unavailable") from error


async def _found(request: Request, proposal_id: str) -> decisions.Proposal:
    found = await queries.find(request.app.state.mongo, proposal_id)
    if found is None:
        raise not_found("rule proposal", proposal_id)
    return found


async def _view(request: Request, proposal_id: str) -> ProposalView:
    return queries.view(await _found(request, proposal_id), await queries.standing())
