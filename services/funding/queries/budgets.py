"""Budgets as people read them: proposals, lives, decisions, adjustments, the journal, the record of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from services.funding.decisions import (
    ACTIONS,
    ADJUSTMENTS,
    ALLOCATIONS,
    DECISIONS,
    JOURNAL,
    RELEASES,
    RUNS,
    Decision,
    Snapshot,
    life_and_run,
    snapshot_known,
)
from services.funding.domain import Life
from shared.contracts.facts import AdjustmentProposed, BudgetProposed, BudgetRunProposed
from shared.contracts.journal import JournalEntry
from shared.contracts.life import ActionRecord
from shared.messaging.decide.documents import Collection, Query, Sort
from shared.messaging.decide.engine import answer
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo

M = TypeVar("M")
BY_ID: Sort = [("_id", 1)]


async def found(mongo: Mongo, kind: Collection[M], query: Query, sort: Sort = BY_ID, limit: int = 0) -> list[M]:
    """Documents of one kind."""
    return [kind.read(row) for row in await mongo.find(kind.name, query, sort=sort, limit=limit)]


def _after(query: dict[str, Any], id: str | None) -> dict[str, Any]:
    return {**query, "_id": {"$gt": id}} if id else query


async def runs(mongo: Mongo, query: Query) -> list[BudgetRunProposed]:
    """Latest proposal of each province and year."""
    return await found(mongo, RUNS, query, sort=[("year", -1), ("province", 1)])


async def allocations(
    mongo: Mongo, query: dict[str, Any], *, after: str | None = None, limit: int = 0
) -> list[BudgetProposed]:
    """Lines of proposals, ordered by id (`<centre id>/<year>`)."""
    return await found(mongo, ALLOCATIONS, _after(query, after), limit=limit)


async def budget(mongo: Mongo, province: str, year: int) -> tuple[Life, BudgetRunProposed] | None:
    """A budget and its proposal; `None` where there is none."""
    life, run = await answer(lambda ask: life_and_run(ask, province, year), Reader(mongo))
    return (life, run) if run else None


async def record_of(mongo: Mongo, command: str) -> ActionRecord | None:
    """What became of a command."""
    records = await found(mongo, ACTIONS, {"command": command})
    return records[0] if records else None


async def actions(mongo: Mongo, province: str, year: int) -> list[ActionRecord]:
    """Everything that was done to a budget, or refused, in that order."""
    return await found(mongo, ACTIONS, {"province": province, "year": year})


async def decisions(mongo: Mongo, province: str, year: int) -> list[Decision]:
    """Decisions that stand, by centre and purpose."""
    return await found(mongo, DECISIONS, {"province": province, "year": year})


async def published(mongo: Mongo, province: str, year: int) -> Sequence[Decision]:
    """Every version of every published decision of a province and budget year, in order of centre, purpose, version."""
    return await found(mongo, RELEASES, {"province": province, "year": year})


async def adjustments(
    mongo: Mongo, query: dict[str, Any], *, after: str | None = None, limit: int = 0
) -> list[AdjustmentProposed]:
    """Adjustments in order of their ids: by province, year, centre and number."""
    return [one.proposal for one in await found(mongo, ADJUSTMENTS, _after(query, after), limit=limit)]


async def find_adjustment(mongo: Mongo, adjustment_id: str) -> AdjustmentProposed | None:
    """One adjustment."""
    kept = await adjustments(mongo, {"_id": adjustment_id})
    return kept[0] if kept else None


async def journal(mongo: Mongo, province: str, year: int, purpose: str) -> list[JournalEntry]:
    """All entries of a journal, in their order."""
    return await found(mongo, JOURNAL, {"province": province, "year": year, "purpose": purpose})


async def snapshot(mongo: Mongo, province: str, year: int) -> Snapshot | None:
    """The frozen inputs of a budget's approval."""
    return await answer(lambda ask: snapshot_known(ask, province, year), Reader(mongo))
