"""Who sees a ranking in the making: the ministry, finance and auditors, and the province that it is of.

The nation's rankings are seen by every officer, since each works on a part of them. Of another province's ranking an
officer sees what the public sees: what was released.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import Depends, Request

from services.scoring.decisions import RankingYear
from services.scoring.queries import releases
from shared.contracts.facts import RankingPublished, RankingReleased
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.register import read_register
from shared.mongo import Mongo
from shared.registry import Registry
from shared.rulebook import HANOI, cut_off
from shared.web.auth import Caller, Who
from shared.web.problems import ApiProblem, refused


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
