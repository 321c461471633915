"""What views of funding read: a simulation's inputs, and the years of each centre. They write nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from services.funding.decisions import (
    ALLOCATIONS,
    CENTRES,
    DECISIONS,
    OPERATING,
    SCORES,
    SUPPORTS,
    ProvinceInputs,
    Score,
    calculated,
    inputs_of,
    rules_in_force,
)
from services.funding.domain import Budget, Comparison, History, Side, View, Year, compare, views
from services.funding.queries.budgets import found
from shared.contracts.facts import RegistrationAccepted
from shared.messaging.decide.engine import answer
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo
from shared.rulebook import FundingPolicy
from shared.rulebook.sustainability import sustainability_policy


async def known(mongo: Mongo, province: str, year: int) -> ProvinceInputs | None:
    """What a simulation starts from; `None` where no envelope is known."""
    inputs = await answer(lambda ask: inputs_of(ask, province, year), Reader(mongo))
    return None if inputs.envelope is None else inputs


def simulated(inputs: ProvinceInputs, *, envelope: int | None, policy: FundingPolicy | None) -> Comparison:
    """What another envelope or another policy would make of the same centres. Pure, and long for a large province.

    *Before* is what the rules in force give on what is known now.

    Raises:
        RulebookError: the rules do not fit the centres.
    """
    assert inputs.envelope is not None
    rules = rules_in_force(inputs.year, inputs.province)
    before = calculated(inputs, rules)
    given = inputs.envelope if envelope is None else inputs.envelope.model_copy(update={"amount": envelope})
    other = inputs.model_copy(update={"envelope": given})
    after = calculated(other, rules if policy is None else replace(rules, policy=policy))
    return compare(_side(before), _side(after), {one.centre_id: one.area_class for one in inputs.centres})


def _side(budget: Budget) -> Side:
    return Side(budget.envelope, budget.reserve, budget.case, budget.lines)


async def sustainability(mongo: Mongo, province: str, first: int, last: int) -> list[View]:
    """Support and results of the province's centres from budget year `first` to `last`, each included.

    Support is what was decided; where nothing was decided, what the province stated, else what is proposed.
    """
    years = range(first, last + 1)
    centres = await found(mongo, CENTRES, {"province": province})
    ids, within = {"$in": [centre.centre_id for centre in centres]}, {"$gte": first, "$lte": last}
    proposed = await found(mongo, ALLOCATIONS, {"allocation.centre_id": ids, "year": within})
    stated = await found(mongo, SUPPORTS, {"centre_id": ids, "year": within})
    decided = await found(mongo, DECISIONS, {"centre_id": ids, "year": within, "purpose": OPERATING})
    supports = {(line.allocation.centre_id, line.year): line.allocation.amount for line in proposed}
    supports |= {(line.centre_id, line.year): line.amount for line in stated}
    supports |= {(line.centre_id, line.year): line.amount for line in decided}
    scored = await found(mongo, SCORES, {"centre_id": ids, "period": {"$gte": first - 1, "$lt": last}})
    scores = {(score.centre_id, score.period + 1): score for score in scored}
    histories = [_history(centre, years, supports, scores) for centre in centres]
    return views(histories, sustainability_policy(date(last, 1, 1), province))


def _history(
    centre: RegistrationAccepted,
    years: Sequence[int],
    supports: dict[tuple[str, int], int],
    scores: dict[tuple[str, int], Score],
) -> History:
    told = []
    for year in years:
        support, score = supports.get((centre.centre_id, year)), scores.get((centre.centre_id, year))
        if support is not None or score:
            told.append(Year(year, support, score.total if score else None, score.grade if score else None))
    return History(centre.centre_id, centre.name, centre.area_class, told)
