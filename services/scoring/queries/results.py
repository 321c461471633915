"""Results: indexes and queries."""

from __future__ import annotations

from typing import Any

from services.scoring.decisions import AREAS, RESULTS, SUPERSEDED, Result, explain
from services.scoring.domain import doubted
from services.scoring.queries.appeals import of_results
from shared.answers.results import AnyResult, AppealRef, AssessmentResult, CentreResult, CommuneResult
from shared.contracts.explained import AssessmentExplained, CentreExplained, CommuneExplained
from shared.contracts.facts import Superseded
from shared.messaging.decide.documents import Document
from shared.mongo import Mongo


async def migrate(mongo: Mongo) -> None:
    """Create the indexes. Safe to repeat."""
    await mongo.index(RESULTS.name, [("kind", 1), ("subject", 1), ("period", 1)], unique=True)
    await mongo.index(RESULTS.name, [("kind", 1), ("period", 1), ("holder", 1)])
    await mongo.index(RESULTS.name, [("subject", 1), ("period", 1)])
    await mongo.index(RESULTS.name, [("result.code", 1), ("period", 1)])
    await mongo.index(RESULTS.name, [("feeds", 1), ("period", 1)])
    await mongo.index(RESULTS.name, [("period", 1), ("accepted.province", 1), ("_id", 1)])
    await mongo.index(SUPERSEDED.name, [("of", 1), ("version", 1)])
    await mongo.index(AREAS.name, [("period", 1), ("accepted.province", 1)])


async def results(mongo: Mongo, subject: str, period: int | None) -> list[AnyResult]:
    """Results of a commune code, unit id, centre id or `<series>/<subject id>`, newest period first.

    Each with its words, and with the versions that it superseded, oldest first.
    """
    query: dict[str, Any] = {"$or": [{"result.code": subject}, {"subject": subject}]}
    if period is not None:
        query["period"] = period
    return await with_superseded(mongo, await mongo.find(RESULTS.name, query, sort=[("period", -1), ("_id", 1)]))


async def with_superseded(mongo: Mongo, found: list[Document]) -> list[AnyResult]:
    """Kept results with their words, each with the versions that it superseded, oldest first."""
    rows = {row["_id"]: RESULTS.read(row) for row in found}
    before: dict[str, list[Superseded]] = {id: [*row.superseded] for id, row in rows.items()}
    for line in await mongo.find(SUPERSEDED.name, {"of": {"$in": list(rows)}}, sort=[("of", 1), ("version", 1)]):
        before[line["of"]].append(SUPERSEDED.read(line).was)
    appealed = await of_results(mongo, [(row.kind, row.subject, row.period) for row in rows.values()])
    return [_told(row, before[id], appealed.get((row.kind, row.subject, row.period), [])) for id, row in rows.items()]


def _told(row: Result, superseded: list[Superseded], appeals: list[AppealRef]) -> AnyResult:
    result, is_explained = explain(row)
    warnings = [] if row.inputs.withdrawn else doubted(row.accepted, row.inputs.titles)
    told = dict(result) | {
        "is_explained": is_explained,
        "superseded": superseded,
        "warnings": warnings,
        "appeals": appeals,
    }
    match result:
        case CommuneExplained():
            return CommuneResult(**told)
        case CentreExplained():
            return CentreResult(**told)
        case AssessmentExplained():
            return AssessmentResult(**told)
