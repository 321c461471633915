"""Releasing a ranking, taking a release back, and what the public sees."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field, StringConstraints

from services.scoring.api.sight import Seen, Sight, withdrawn
from services.scoring.decisions import Act, RankingYear, Unreleasable
from services.scoring.domain import Stretch
from services.scoring.queries import rankings
from services.scoring.queries import releases as queries
from shared.answers.page import Page
from shared.answers.results import ReleaseState
from shared.contracts.base import Claim, Identifier, Line, OneLine, Version
from shared.contracts.facts import RankingReleased, RankingRow
from shared.contracts.people import Role
from shared.mongo import Unavailable
from shared.refusals import refusal
from shared.web.auth import Who
from shared.web.parameters import AnyYear
from shared.web.problems import ApiProblem, not_found, refused

router = APIRouter(prefix="/rankings/{scope}/{period}")
Number = Annotated[int, Field(ge=1, le=10**9)]


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=2_000), OneLine]


class Withdrawing(Claim):
    """Body of an order on a release: the decision that it rests on."""

    id: Identifier
    """Chosen by the sender; the same order again changes nothing and is answered alike."""
    decision_number: Line
    decided_on: date
    """Day on which the decision was signed."""
    signed_by: Line
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=2_000), OneLine] | None = (
        None
    )
    """Needed wherever an earlier release is replaced or withdrawn."""


class Releasing(Withdrawing):
    """Body of a release: also which version was looked at."""

    version: Version
    hash: Annotated[str, StringConstraints(max_length=100), OneLine]
    """Version and hash of its head; what has moved on since is not released."""


@router.post("/releases", summary="Release the ranking that was looked at: what the public sees from then on")
async def release(
    request: Request, who: Who, seen: Seen, scope: str, period: AnyYear, body: Releasing
) -> RankingReleased:
    """By the ministry; a province's ranking also by that province."""
    if await rankings.head(request.app.state.mongo, scope, period) is None:
        raise not_found("ranking", f"{scope}/{period}")
    return await _carry_out(request, seen, RankingYear(scope, period), body, "released", body.version, body.hash)


@router.post("/releases/{number}/withdraw", summary="Take a release back: the public sees that, and why")
async def withdraw(
    request: Request, who: Who, seen: Seen, scope: str, period: AnyYear, number: Number, body: Withdrawing
) -> RankingReleased:
    """An earlier release does not revive."""
    return await _carry_out(request, seen, RankingYear(scope, period), body, "withdrawn", number, None)


@router.get("/releases", summary="Acts that released or withdrew a ranking, newest first: who, number, day, reason")
async def list_releases(request: Request, who: Who, scope: str, period: AnyYear) -> list[RankingReleased]:
    return await queries.acts(request.app.state.mongo, scope, period)


@router.get("/release", summary="The last release of a ranking, and how far the ranking has moved on since")
async def get_state(request: Request, who: Who, seen: Seen, scope: str, period: AnyYear) -> ReleaseState:
    mongo = request.app.state.mongo
    act, head = await queries.in_force(mongo, scope, period), await rankings.head(mongo, scope, period)
    if act is None or head is None or not seen.inside(RankingYear(scope, period)):
        return ReleaseState(act=act, changes=None, shifted=None)
    change = await queries.change(mongo, act.ranking, head)
    return ReleaseState(act=act, changes=len(change.changes), shifted=change.shifted)


@router.get("/releases/{number}", summary="Rows of a release, in order, as released; `after` is a page number")
async def get_release(
    request: Request,
    who: Who,
    seen: Seen,
    scope: str,
    period: AnyYear,
    number: Number,
    after: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> Page[RankingRow]:
    """Of one that was withdrawn only who sees the ranking in the making sees the rows."""
    acts = {act.version: act for act in await queries.acts(request.app.state.mongo, scope, period)}
    if number not in acts:
        raise not_found("release", f"{scope}/{period}/{number}")
    act, following = acts[number], acts.get(number + 1)
    gone = next((each for each in (act, following) if each is not None and each.state == "withdrawn"), None)
    if gone is not None and not seen.inside(RankingYear(scope, period)):
        raise withdrawn(gone)
    if after >= max(act.ranking.pages, 1):
        raise not_found("ranking page", f"{scope}/{period}/{after + 1}")
    rows = await rankings.rows(request.app.state.mongo, act.ranking, Stretch(after + 1, after + 1))
    return Page(items=rows, next=str(after + 1) if after + 1 < act.ranking.pages else None)


async def _carry_out(
    request: Request,
    seen: Sight,
    ranking: RankingYear,
    body: Withdrawing,
    state: Literal["released", "withdrawn"],
    number: int,
    hash: str | None,
) -> RankingReleased:
    who = seen.who
    if who.role is not Role.MINISTRY and not (who.role is Role.PROVINCE and seen.speaks_for(ranking)):
        raise refused("scoring.release_by_others", scope=ranking.scope, role=who.role)
    act = Act(
        order_id=body.id,
        ranking=ranking,
        state=state,
        number=number,
        hash=hash,
        decision_number=body.decision_number,
        decided_on=body.decided_on,
        signed_by=body.signed_by,
        reason=body.reason,
        by=who.person,
        role=who.role.value,
    )
    try:
        done = await queries.carry_out(request.app.state.runtime.commands, request.app.state.mongo, act)
    except Unreleasable as error:
        first = error.problems[0]
        raise ApiProblem(refusal(f"scoring.{first.code}").status, first, error.problems) from error
    except Unavailable as error:
        raise refused("scoring.database_unavailable") from error
    if not act.is_of(done):
        raise refused("scoring.release_id_reused", id=body.id)
    return done
