"""What holds the release of a ranking: read of the results that stand in it, when somebody orders it."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field, TypeAdapter

from services.scoring.decisions.documents import RESULTS
from services.scoring.decisions.rankings import RankingYear, area_class_of
from services.scoring.domain import holding
from shared.contracts.base import Contract
from shared.contracts.facts import CommuneAccepted, Withdrawn
from shared.messaging.decide.asking import Ask, Look


class _Beside(Contract):
    withdrawn: Withdrawn | None = None


class _Content(Contract):
    id: str = Field(alias="_id")
    accepted: CommuneAccepted
    inputs: _Beside


# All else of a result is sealed apart, and not read.
_CONTENTS = Look(RESULTS, TypeAdapter(_Content), {}, without=("result", "told", "superseded", "areas", "standing"))


async def held_by(ranking: RankingYear, ask: Ask) -> list[str]:
    """Warnings that hold its release, `<commune code>/<warning>`, in order. Of what was withdrawn nothing does.

    Raises `Altered`.
    """
    scope = {"holder": ranking.holder, "result.area_class": area_class_of(ranking.scope)}
    query = {"kind": "commune", "period": ranking.period} | {name: one for name, one in scope.items() if one}
    found = await ask.look(replace(_CONTENTS, query=query))
    return holding([one.accepted for one in found if not one.inputs.withdrawn], ranking.period, ranking.holder)
