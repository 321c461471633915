"""Results: indexes and queries."""

from __future__ import annotations

from typing import Any

from services.scoring.decisions import AREAS, RESULTS, SUPERSEDED, Result, explain
from services.scoring.domain import differing, doubted
from services.scoring.queries.appeals import of_results
from shared.answers.page import Page
from shared.answers.results import AnyResult, AppealRef, AssessmentResult, CentreResult, CommuneResult
from shared.answers.warnings import Doubtful
from shared.contracts.explained import AssessmentExplained, CentreExplained, CommuneExplained
from shared.contracts.facts import AssessmentAccepted, Superseded
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
    await mongo.index(RESULTS.name, [("kind", 1), ("_id", 1)])
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


async def differing_from_titles(
    mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int
) -> Page[Doubtful]:
    """Files of learning models beside which single decisions on titles tell other figures, in order of their ids.

    Args:
        query: `province`, the sender, and `period`, where it is of one of them alone.
        limit: of the files that are looked at. Raises `Altered`.
    """
    wanted = {{"province": "accepted.province"}.get(name, name): value for name, value in query.items()}
    wanted |= {"kind": "learning_models", "inputs.titles": {"$ne": None}} | ({"_id": {"$gt": after}} if after else {})
    rows = await mongo.find(RESULTS.name, wanted, sort=[("_id", 1)], limit=limit + 1)
    found = []
    for row in map(RESULTS.read, rows[:limit]):
        accepted = row.accepted
        if not isinstance(accepted, AssessmentAccepted) or row.inputs.withdrawn:
            continue
        if warnings := differing(accepted, row.inputs.titles):
            found.append(
                Doubtful(
                    kind="assessment",
                    subject=f"{accepted.series}/{accepted.subject_id}",
                    warnings=warnings,
                    **{name: getattr(accepted, name) for name in _NAMED},
                )
            )
    return Page(items=found, next=rows[limit - 1]["_id"] if len(rows) > limit else None)


_NAMED = ("name", "period", "province", "version", "submission_id", "receipt_id")


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
