"""Who sees a ranking in the making: the ministry, finance and auditors, and the province that it is of.

The nation's rankings are seen by every officer, since each works on a part of them. Of another province's ranking an
officer sees what the public sees: what was released.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Annotated, get_args

from fastapi import Depends, Request
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from services.scoring.decisions import NATION, RankingYear, area_class_scope, province_scope
from services.scoring.queries import releases
from shared.contracts.facts import RankingPublished, RankingReleased
from shared.contracts.submissions import AreaClass
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.register import read_register
from shared.mongo import Mongo
from shared.registry import Registry, registry
from shared.rulebook import HANOI, cut_off
from shared.web.auth import Caller, Who
from shared.web.parameters import KnownYear, provinces
from shared.web.problems import SHOWN, ApiProblem, not_found, refused


@dataclass(frozen=True)
class Sight:
    """What one caller sees."""

    who: Caller
    register: Registry

    def inside(self, ranking: RankingYear) -> bool:
        """Whether the caller sees this ranking in the making."""
        return ranking.holder is None or self.who.may_see(self._speaker(ranking, ranking.holder))

    def speaks_for(self, ranking: RankingYear) -> bool:
        """Whether the caller's province is the one whose ranking it is."""
        return ranking.holder is not None and self._speaker(ranking, ranking.holder) == self.who.province

    def _speaker(self, ranking: RankingYear, holder: str) -> str:
        on = cut_off(ranking.period)
        return self.register.speaker(holder, on) if self.register.province(holder, on) else holder


async def _sight(request: Request, who: Who) -> Sight:
    return Sight(who, await read_register(Reader(request.app.state.mongo)))


Seen = Annotated[Sight, Depends(_sight)]


def scopes() -> list[str]:
    """Of all rankings that ever can be."""
    areas = [area_class_scope(area) for area in get_args(AreaClass)]
    return [NATION, *areas, *(province_scope(code) for code in provinces)]


def _scope(scope: str) -> str:
    if scope not in scopes():
        near = ", ".join(get_close_matches(scope[:SHOWN], scopes(), n=3))
        raise PydanticCustomError(
            "scope_unknown",
            "Input should be the scope of a ranking, like {near}",
            {"near": near or "nation, province-01"},
        )
    return scope


Scope = Annotated[str, Field(json_schema_extra={"enum": scopes()}), AfterValidator(_scope)]


def _asked(scope: Scope, period: KnownYear) -> RankingYear:
    """The ranking that is asked for. Raises 404 where its province was none on the cut-off date."""
    ranking = RankingYear(scope, period)
    if ranking.holder is not None and registry().province(ranking.holder, cut_off(period)) is None:
        raise not_found("ranking", f"{scope}/{period}")
    return ranking


Asked = Annotated[RankingYear, Depends(_asked)]


def withdrawn(act: RankingReleased) -> ApiProblem:
    """What is answered in the place of a ranking that was taken back."""
    return refused(
        "scoring.release_withdrawn",
        scope=act.scope,
        period=act.period,
        number=act.decision_number,
        day=act.decided_on,
        reason=act.reason,
    )


async def released_head(
    mongo: Mongo, ranking: RankingYear, version: int | None = None, on: date | None = None
) -> RankingPublished:
    """What was released: last, of one version, or by the end of a day in Viet Nam. Raises 404, or 410: withdrawn."""
    acts = await releases.acts(mongo, *ranking)
    if version is not None:
        acts = [act for act in acts if act.ranking.version == version]
    if on is not None:
        end = datetime.combine(on + timedelta(days=1), time.min, HANOI)
        acts = [act for act in acts if act.released_at < end]
    if not acts:
        raise refused("scoring.not_released", scope=ranking.scope, period=ranking.period)
    if acts[0].state == "withdrawn":
        raise withdrawn(acts[0])
    return acts[0].ranking
