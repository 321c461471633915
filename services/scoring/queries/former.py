"""What releases before declared sets left: requests by the words of a scope, and results over sets that nobody knows as
such. A request that stands for every set reaches only those that are known."""

from __future__ import annotations

from services.scoring.decisions import (
    AREA,
    AREAS,
    CHECK,
    COLLECTED,
    RANKING,
    RANKINGS,
    RESCORED,
    AreaYear,
    CommuneYear,
    OrderKey,
    RankingYear,
    Rescored,
)
from shared.messaging.collections import RECALCULATIONS, SETS
from shared.messaging.decide.asking import Request
from shared.messaging.decide.migrating import name_requests
from shared.messaging.decide.sets import key_text
from shared.messaging.decide.writing import rows_of
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Name the open requests, and have what is not known computed once. Safe to repeat."""
    await name_requests(mongo, _named)
    known = {row["_id"] for row in await mongo.find(SETS, {"set": {"$in": [RANKING.name, AREA.name]}})}
    heads = await mongo.find(RANKINGS.name, {}, projection={"scope": 1, "period": 1})
    areas = await mongo.find(AREAS.name, {}, projection={"series": 1, "period": 1, "accepted.subject_id": 1})
    made = [RANKING.request(RankingYear(row["scope"], row["period"])) for row in heads]
    made += [AREA.request(AreaYear(row["series"], row["accepted"]["subject_id"], row["period"])) for row in areas]
    unknown = [each for each in made if f"{each.set}/{key_text(each.key)}" not in known]
    await mongo.insert(RECALCULATIONS, rows_of(unknown, await mongo.time()))


def _named(scope: str, period: int) -> Request:
    word, rest = scope.replace("/", "-", 1).partition("-")[::2]
    match word:
        case "assessment":
            series, _, code = rest.partition("-")
            return AREA.request(AreaYear(series, code, period))
        case "references":
            return COLLECTED.request(CommuneYear(rest, period))
        case "rescore":
            return RESCORED.request(Rescored(scope.partition("/")[2], period))
        case "recompute":
            return CHECK.request(OrderKey(scope.partition("/")[2]))
        case _:
            return RANKING.request(RankingYear(scope, period))
