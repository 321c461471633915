"""What views of funding read: a simulation's inputs, and the years of each centre. They write nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from services.funding.decisions.proposals import ProvinceInputs, calculated, rules_in_force
from services.funding.domain import Budget
from services.funding.domain.simulation import Comparison, Side, compare
from services.funding.domain.sustainability import History, View, Year, views
from services.funding.queries.proposals import inputs_of
from shared.messaging.decide.handling import Document
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo
from shared.rulebook import FundingPolicy
from shared.rulebook.sustainability import sustainability_policy


async def known(mongo: Mongo, province: str, year: int) -> ProvinceInputs | None:
    """What a simulation starts from; `None` where no envelope is known."""
    inputs = await inputs_of(Reader(mongo), province, year)
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
    other = inputs if envelope is None else replace(inputs, envelope={**inputs.envelope, "amount": envelope})
    after = calculated(other, rules if policy is None else replace(rules, policy=policy))
    return compare(_side(before), _side(after), {one["centre_id"]: one["area_class"] for one in inputs.centres})


def _side(budget: Budget) -> Side:
    return Side(budget.envelope, budget.reserve, budget.case, budget.lines)


async def sustainability(mongo: Mongo, province: str, first: int, last: int) -> list[View]:
    """Support and results of the province's centres from budget year `first` to `last`, each included.

    Support is what was decided; where nothing was decided, what the province stated, else what is proposed.
    """
    years = range(first, last + 1)
    centres = await mongo.find("centres", {"province": province})
    ids, within = {"$in": [centre["centre_id"] for centre in centres]}, {"$gte": first, "$lte": last}
    proposed = await mongo.find("allocations", {"allocation.centre_id": ids, "year": within})
    stated = await mongo.find("supports", {"centre_id": ids, "year": within})
    decided = await mongo.find("decisions", {"centre_id": ids, "year": within, "purpose": "operating"})
    supports: dict[tuple[str, int], int] = {}
    supports |= {(line["allocation"]["centre_id"], line["year"]): line["allocation"]["amount"] for line in proposed}
    supports |= {(line["centre_id"], line["year"]): line["amount"] for line in (*stated, *decided)}
    scored = await mongo.find("scores", {"centre_id": ids, "period": {"$gte": first - 1, "$lt": last}})
    scores = {(score["centre_id"], score["period"] + 1): score for score in scored}
    histories = [_history(centre, years, supports, scores) for centre in centres]
    return views(histories, sustainability_policy(date(last, 1, 1), province))


def _history(
    centre: Document,
    years: Sequence[int],
    supports: dict[tuple[str, int], int],
    scores: dict[tuple[str, int], Document],
) -> History:
    id = centre["centre_id"]
    told = []
    for year in years:
        support, score = supports.get((id, year)), scores.get((id, year), {})
        if support is not None or score:
            total = score.get("total")
            told.append(Year(year, support, None if total is None else Decimal(total), score.get("grade")))
    return History(id, centre["name"], centre["area_class"], told)
