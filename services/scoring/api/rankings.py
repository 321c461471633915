"""Rankings as they were published: the latest version, any earlier one, or the one that stood on a day."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from services.scoring.api.sight import Asked, Seen, Sight, released_head
from services.scoring.decisions import RankingYear
from services.scoring.domain import Cut, Stretch, cut_off
from services.scoring.queries import rankings as queries
from services.scoring.queries import releases
from shared.answers.page import Page
from shared.answers.results import RankingPlace
from shared.contracts.facts import RankChange, RankingPublished, RankingRow
from shared.rulebook import cut_off as cut_off_date
from shared.rulebook.ranking import CutOff, TieRule, cut_offs
from shared.web.auth import Who
from shared.web.parameters import KnownYear, Name, Number, OnDay, PageNumber, Whole
from shared.web.problems import not_found, refused

router = APIRouter()


async def asked_head(
    request: Request,
    seen: Seen,
    ranking: Asked,
    version: Annotated[Number | None, Query(description="A version as it was published")] = None,
    on: Annotated[OnDay | None, Query(description="The version that stood at the end of this day in Viet Nam")] = None,
) -> RankingPublished:
    """The version that the caller asks for, the latest one by default; of another province's only what was released."""
    if version is not None and on is not None:
        raise refused("scoring.version_or_day")
    if not seen.inside(ranking):
        return await released_head(request.app.state.mongo, ranking, version, on)
    head = await queries.head(request.app.state.mongo, *ranking, version, on)
    if head is None:
        which = f" version {version}" if version is not None else f" on {on}" if on is not None else ""
        raise not_found("ranking", f"{ranking.scope}/{ranking.period}{which}")
    return head


def _in_the_making(seen: Sight, ranking: RankingYear) -> None:
    """Raise 403 for who sees releases only, whether or not there is anything: what lies between was never released."""
    if not seen.inside(ranking):
        raise refused("http.other_province", province=ranking.holder)


Places = Annotated[int, Field(ge=1, le=20_000), Whole]
Head = Annotated[RankingPublished, Depends(asked_head)]


@router.get("/rankings", summary="All rankings: the head of the latest version of each")
async def list_rankings(
    request: Request, who: Who, seen: Seen, period: KnownYear | None = None
) -> list[RankingPublished]:
    """Of other provinces' rankings the release in force, if there is one."""
    found = []
    for head in await queries.heads(request.app.state.mongo, period):
        if seen.inside(RankingYear(head.scope, head.period)):
            found.append(head)
        else:
            act = await releases.in_force(request.app.state.mongo, head.scope, head.period)
            found += [act.ranking] if act is not None and act.state == "released" else []
    return found


@router.get("/rankings/{scope}/{period}", summary="Rows of a ranking, in order; `after` is a page number")
async def get_ranking(request: Request, who: Who, head: Head, after: PageNumber = 0) -> Page[RankingRow]:
    if after >= max(head.pages, 1):
        raise not_found("ranking page", f"{head.scope}/{head.period}/{after + 1}")
    rows = await queries.rows(request.app.state.mongo, head, Stretch(after + 1, after + 1))
    return Page(items=rows, next=str(after + 1) if after + 1 < head.pages else None)


@router.get("/rankings/{scope}/{period}/head", summary="The head of a ranking, with its manifest of pages")
async def get_head(who: Who, head: Head) -> RankingPublished:
    return head


@router.get("/rankings/{scope}/{period}/versions", summary="The heads of all versions, newest first")
async def get_versions(request: Request, who: Who, seen: Seen, ranking: Asked) -> list[RankingPublished]:
    _in_the_making(seen, ranking)
    return await queries.versions(request.app.state.mongo, *ranking)


@router.get(
    "/rankings/{scope}/{period}/changes", summary="What a version changed against the one it supersedes, and why"
)
async def get_changes(request: Request, who: Who, seen: Seen, head: Head, after: PageNumber = 0) -> Page[RankChange]:
    _in_the_making(seen, RankingYear(head.scope, head.period))
    pages = await queries.changes(request.app.state.mongo, head)
    items = pages[after].changes if after < len(pages) else []
    return Page(items=items, next=str(after + 1) if after + 1 < len(pages) else None)


@router.get("/rankings/{scope}/{period}/cut-offs", summary="The cut-offs that the ministry or the province has set")
async def get_cut_offs(who: Who, ranking: Asked) -> list[CutOff]:
    return cut_offs(ranking.scope, cut_off_date(ranking.period))


@router.get(
    "/rankings/{scope}/{period}/cut-off", summary="Who is inside a cut-off; equals are all inside or all outside"
)
async def get_cut_off(
    request: Request,
    who: Who,
    head: Head,
    id: Annotated[Name | None, Query(description="One of `cut-offs`")] = None,
    places: Annotated[Places | None, Query(description="To try one that nobody has set")] = None,
    ties: Annotated[TieRule | None, Query(description="Equals at the last place: all inside, or none")] = None,
) -> Cut:
    if id is not None:
        known = {one.id: one for one in cut_offs(head.scope, cut_off_date(head.period))}
        if id not in known:
            raise not_found("cut-off", id)
        places, ties = known[id].places, known[id].ties
    if places is None or ties is None:
        raise refused("scoring.no_cut_off")
    return cut_off(await queries.first_rows(request.app.state.mongo, head, places), places, ties)


@router.get("/rankings/{scope}/{period}/units/{unit_id}", summary="One commune's place in a ranking")
async def get_row(request: Request, who: Who, head: Head, unit_id: Name) -> RankingPlace:
    row = await queries.row(request.app.state.mongo, head, unit_id)
    if row is None:
        raise not_found("ranking row", f"{head.scope}/{head.period}/{unit_id}")
    return RankingPlace(**dict(row), **head.model_dump(include={"scope", "period", "version", "ranked"}))
