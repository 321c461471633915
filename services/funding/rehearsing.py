"""What other rules, and centres' results by them, would move among a province's amounts; nothing is written.

The very decision that proposes a budget, or adjusts an approved one, is made over what is kept, under the other rules
and with the supposed results in the place of the kept ones; what it would put is told, and dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from services.funding.decisions import (
    ADJUSTMENTS,
    ALLOCATIONS,
    PROPOSALS,
    RUNS,
    SCORES,
    ProvinceYear,
    Score,
    inputs_of,
    lines_of,
)
from shared.answers.rules import FundingRehearsal, MovedAmount, MovedBudget, SupposedScore
from shared.contracts.base import Text, content_hash
from shared.contracts.facts import BudgetProposed, BudgetRunProposed
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.documents import Collection, Query
from shared.messaging.decide.engine import Run, answer, decided
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo
from shared.refusals import problem
from shared.rulebook import RulebookError
from shared.rulebook.overlays import using
from shared.rulebook.proposed import Tried

M = TypeVar("M")
What = Literal["support", "equipment", "adjustment"]


class _Supposing(Reader):
    """What is kept, with supposed results of centres in the place of the kept ones."""

    def __init__(self, mongo: Mongo, scores: Iterable[SupposedScore]) -> None:
        super().__init__(mongo)
        self._supposed = {(one.centre_id, one.period): dict(one) for one in scores}

    async def every(self, kind: Collection[M], query: Query) -> list[M]:
        found: list[Any] = await super().every(kind, query)
        if kind.name == SCORES.name:
            return [self._of(score) for score in found]
        return found

    def _of(self, kept: Score) -> Any:
        supposed = self._supposed.get((kept.centre_id, kept.period))
        if supposed is None:
            return kept
        return kept.model_copy(update={**supposed, "version": kept.version + 1})


@dataclass(frozen=True, slots=True)
class _Moved:
    """What one budget comes to."""

    budget: MovedBudget
    amounts: Sequence[MovedAmount]


async def rehearse(
    mongo: Mongo, rules: Tried, province: str, scores: Sequence[SupposedScore], shown: int, at: datetime
) -> FundingRehearsal:
    """All budgets of a province, in order of year.

    Args:
        scores: results of centres as scoring rehearsed them; of the others the kept ones count.
        shown: how many amounts are told one by one.
    """
    years = sorted(row["year"] for row in await mongo.find(RUNS.name, {"province": province}, projection={"year": 1}))
    found = []
    with using(rules.places):
        for year in years:
            await asyncio.sleep(0)  # records and other callers come between
            if (moved := await _budget(_Supposing(mongo, scores), ProvinceYear(province, year), at)) is not None:
                found.append(moved)
    amounts = [amount for each in found for amount in each.amounts]
    everything = [each.model_dump(mode="json") for each in (*(one.budget for one in found), *amounts)]
    return FundingRehearsal(
        digest=rules.digest,
        budgets=len(years),
        moved=[each.budget for each in found],
        amounts_moved=len(amounts),
        amounts=amounts[:shown],
        seen=content_hash([rules.digest, province, len(years), everything]),
    )


async def _budget(reader: Reader, key: ProvinceYear, at: datetime) -> _Moved | None:
    """What one budget would come to; `None`: no amount moves."""
    run = Run(PROPOSALS.decide, Due(key, at), reader, at, declared=PROPOSALS.declared)
    try:
        outcome = await decided(run, reader)
    except (RulebookError, LookupError, ValueError) as error:
        reason = error.problem if isinstance(error, RulebookError) else problem("funding.rules_cannot_compute")
        return _Moved(_of_budget(key, (), None, None, reason.message), ())
    adjusted = list(_adjusted(key, outcome))
    if adjusted:
        return _Moved(_of_budget(key, adjusted, None, None), adjusted)
    kept = await answer(lambda ask: _lines(ask, key), reader, at)
    amounts = list(_proposed(key, outcome, kept, reader.now(RUNS.ref(*key))))
    if not amounts:
        return None
    before = {id: line.allocation.amount for id, line in kept.items()}
    after = before | {one.centre_id: one.after for one in amounts if one.centre_id and one.what == "support"}
    return _Moved(_of_budget(key, amounts, sum(before.values()), sum(after.values())), amounts)


async def _lines(ask: Ask, key: ProvinceYear) -> dict[str, BudgetProposed]:
    inputs = await inputs_of(ask, *key)
    return {id: line for id, line in (await lines_of(ask, inputs)).items() if line.province == key.province}


def _of_budget(
    key: ProvinceYear, amounts: Sequence[MovedAmount], before: int | None, after: int | None, why: Text | None = None
) -> MovedBudget:
    return MovedBudget(province=key.province, year=key.year, amounts=len(amounts), before=before, after=after, why=why)


def _proposed(
    key: ProvinceYear, outcome: Outcome, kept: Mapping[str, BudgetProposed], run: BudgetRunProposed | None
) -> Iterator[MovedAmount]:
    """Amounts of a proposal that differ, by centre, and its reserve: what else is told anew moves nothing."""
    lines = [state for ref, state in outcome.puts.items() if ref.collection == ALLOCATIONS.name]
    for line in sorted(lines, key=lambda line: line.allocation.centre_id):
        before = kept.get(line.allocation.centre_id)
        grants = (before.grant if before else None, line.grant)
        old, new = (grant.amount if grant else None for grant in grants)
        where = {"centre_id": line.allocation.centre_id, "name": line.allocation.name}
        if line.previous_amount != line.allocation.amount:
            yield _amount(key, "support", line.previous_amount, line.allocation.amount, **where)
        if old != new:
            yield _amount(key, "equipment", old, new or 0, **where)
    for ref, state in outcome.puts.items():
        if ref.collection == RUNS.name and run is not None and run.reserve != state.reserve:
            yield _amount(key, "support", run.reserve, state.reserve)


def _adjusted(key: ProvinceYear, outcome: Outcome) -> Iterator[MovedAmount]:
    """Adjustments of an approved budget that would be proposed, or otherwise than they are."""
    adjustings = [state for ref, state in outcome.puts.items() if ref.collection == ADJUSTMENTS.name]
    for one in sorted(adjustings, key=lambda one: one.key):
        said = one.proposal
        name = said.allocation.name if said.allocation else ""
        yield _amount(key, "adjustment", said.amount, said.corrected, centre_id=said.centre_id, name=name)


def _amount(
    key: ProvinceYear, what: What, before: int | None, after: int, *, centre_id: str | None = None, name: str = ""
) -> MovedAmount:
    place = {"province": key.province, "year": key.year, "centre_id": centre_id, "name": name}
    return MovedAmount(**place, what=what, before=before, after=after)
