"""The words of a budget's lines under given rules, as whoever holds the line, its run and the rules makes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from services.funding.domain import Budget, head_of
from services.funding.domain.explanation import worded
from services.funding.domain.grounds import Grounds
from shared.contracts.base import Step
from shared.contracts.facts import Allocation, BudgetRunProposed
from shared.rulebook import FundingNorms, FundingPolicy, NoRuleInForce, PointsRubric, area_list, rubrics

AT = datetime(2026, 1, 10, tzinfo=UTC)


def run_of(budget: Budget, year: int = 2026) -> BudgetRunProposed:
    """Its proof, as it is read from a topic."""
    return published(head_of(budget, province="04", year=year, version=1, proposed_at=AT))


def published(run: BudgetRunProposed) -> BudgetRunProposed:
    """As whoever reads the topic has it."""
    return BudgetRunProposed.model_validate_json(run.model_dump_json())


def steps_of(
    budget: Budget,
    line: Allocation | None = None,
    *,
    norms: FundingNorms,
    policy: FundingPolicy,
    year: int = 2026,
    run: BudgetRunProposed | None = None,
) -> list[Step]:
    """The steps of a line (else of the first one) from what is published alone."""
    try:
        areas = area_list(date(year, 1, 1)).legal_reference
    except NoRuleInForce:
        areas = None
    names = {
        f"{each.id}/{grade.id}": grade.name
        for each in rubrics()
        if isinstance(each, PointsRubric)
        for grade in each.grades
    }
    kept = Allocation.model_validate_json((line or budget.lines[0]).model_dump_json())
    return worded(kept, run or run_of(budget, year), Grounds(norms, policy, areas, names))
