"""Releasing a ranking, taking a release back, and what the public sees."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints

from services.scoring.api.sight import Asked, Seen, Sight, withdrawn
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
from shared.web.auth import Caller, Who
from shared.web.parameters import Number, PageNumber
from shared.web.problems import ApiProblem, not_found, refused

router = APIRouter(prefix="/rankings/{scope}/{period}")


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=2_000), OneLine]
Doubt = Annotated[str, StringConstraints(pattern=r"^([0-9]{5}|D[0-9]{3})/[a-z0-9_]{1,40}$")]
MOST_DOUBTS = 5_000
"""More than a nation has communes; who finds more has a rule to mend, not a ranking to release."""


class Withdrawing(Claim):
    """Body of an order on a release: the decision that it rests on."""

    id: Identifier
    """Chosen by the sender; the same order again changes nothing and is answered alike."""
    decision_number: Line
    decided_on: date
    """Day on which the decision was signed."""
    signed_by: Line
    reason: Reason | None = None
    """Needed wherever an earlier release is replaced or withdrawn, or a warning accepted."""


class Releasing(Withdrawing):
    """Body of a release: also which version was looked at."""

    version: Version
    hash: Annotated[str, StringConstraints(max_length=100), OneLine]
    """Version and hash of its head; what has moved on since is not released."""
    accepts: Annotated[list[Doubt], Field(max_length=MOST_DOUBTS)] = []
    """Every warning that would hold the release, `<commune code>/<warning>`: looked at, and released all the same for
    the `reason`."""


@router.post("/releases", summary="Release the ranking that was looked at: what the public sees from then on")
async def release(request: Request, who: Who, seen: Seen, ranking: Asked, body: Releasing) -> RankingReleased:
    """By the ministry; a province's ranking also by that province."""
    _entitled(seen, ranking)
    if await rankings.head(request.app.state.mongo, *ranking) is None:
        raise not_found("ranking", f"{ranking.scope}/{ranking.period}")
    return await _carry_out(request, seen.who, ranking, body, "released", body.version, body.hash)


@router.post("/releases/{number}/withdraw", summary="Take a release back: the public sees that, and why")
async def withdraw(
    request: Request, who: Who, seen: Seen, ranking: Asked, number: Number, body: Withdrawing
) -> RankingReleased:
    """An earlier release does not revive."""
    _entitled(seen, ranking)
    return await _carry_out(request, seen.who, ranking, body, "withdrawn", number, None)


@router.get("/releases", summary="Acts that released or withdrew a ranking, newest first: who, number, day, reason")
async def list_releases(request: Request, who: Who, ranking: Asked) -> list[RankingReleased]:
    return await queries.acts(request.app.state.mongo, *ranking)


@router.get("/held", summary="Warnings that hold the release of a ranking until `accepts` names them")
async def list_held(request: Request, who: Who, seen: Seen, ranking: Asked) -> list[str]:
    """All of them, `<commune code>/<warning>` in order, for who may release it."""
    _entitled(seen, ranking)
    return await queries.held(request.app.state.mongo, ranking)


@router.get("/release", summary="The last release of a ranking, and how far the ranking has moved on since")
async def get_state(request: Request, who: Who, seen: Seen, ranking: Asked) -> ReleaseState:
    mongo = request.app.state.mongo
    act, head = await queries.in_force(mongo, *ranking), await rankings.head(mongo, *ranking)
    if act is None or head is None or not seen.inside(ranking):
        return ReleaseState(act=act, changes=None, shifted=None)
    change = await queries.change(mongo, act.ranking, head)
    return ReleaseState(act=act, changes=len(change.changes), shifted=change.shifted)


@router.get("/releases/{number}", summary="Rows of a release, in order, as released; `after` is a page number")
async def get_release(
    request: Request,
    who: Who,
    seen: Seen,
    ranking: Asked,
    number: Number,
    after: PageNumber = 0,
) -> Page[RankingRow]:
    """Of one that was withdrawn only who sees the ranking in the making sees the rows."""
    acts = {act.version: act for act in await queries.acts(request.app.state.mongo, *ranking)}
    if number not in acts:
        raise not_found("release", f"{ranking.scope}/{ranking.period}/{number}")
    act, following = acts[number], acts.get(number + 1)
    gone = next((each for each in (act, following) if each is not None and each.state == "withdrawn"), None)
    if gone is not None and not seen.inside(ranking):
        raise withdrawn(gone)
    if after >= max(act.ranking.pages, 1):
        raise not_found("ranking page", f"{ranking.scope}/{ranking.period}/{after + 1}")
    rows = await rankings.rows(request.app.state.mongo, act.ranking, Stretch(after + 1, after + 1))
    return Page(items=rows, next=str(after + 1) if after + 1 < act.ranking.pages else None)


def _entitled(seen: Sight, ranking: RankingYear) -> None:
    """Raise 403 for who may not release it, before anything of it is looked at: whether it exists is not told."""
    who = seen.who
    if who.role is not Role.MINISTRY and not (who.role is Role.PROVINCE and seen.speaks_for(ranking)):
        raise refused("scoring.release_by_others", scope=ranking.scope, role=who.role)


async def _carry_out(
    request: Request,
    who: Caller,
    ranking: RankingYear,
    body: Withdrawing,
    state: Literal["released", "withdrawn"],
    number: int,
    hash: str | None,
) -> RankingReleased:
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
        accepts=tuple(body.accepts) if isinstance(body, Releasing) else (),
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
