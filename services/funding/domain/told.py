"""What is shown of lines, decisions and adjustments: their values, and the words that these make (`explanation`)."""

from __future__ import annotations

from pydantic import BaseModel

from services.funding.domain.explanation import explained
from shared.answers.budgets import ToldAdjusted, ToldAdjustment, ToldApproval, ToldDecision, ToldLine, ToldProposal
from shared.contracts.facts import (
    AdjustmentProposed,
    Allocation,
    BudgetAdjusted,
    BudgetApproved,
    BudgetProposed,
    BudgetRunProposed,
)


def proposal(line: BudgetProposed, run: BudgetRunProposed | None) -> ToldProposal:
    """A line of the run that stands."""
    grant = line.grant and _line(line.grant, run)
    return ToldProposal(**_fields(line) | {"allocation": _line(line.allocation, run), "grant": grant})


def decision(one: BudgetApproved | BudgetAdjusted, run: BudgetRunProposed | None) -> ToldDecision:
    """A decision on the run that was approved."""
    kind = ToldApproval if isinstance(one, BudgetApproved) else ToldAdjusted
    return kind(**_fields(one) | {"allocation": _line(one.allocation, run)})


def adjustment(one: AdjustmentProposed, run: BudgetRunProposed | None) -> ToldAdjustment:
    """A correction of it."""
    return ToldAdjustment(**_fields(one) | {"allocation": one.allocation and _line(one.allocation, run)})


def _line(line: Allocation, run: BudgetRunProposed | None) -> ToldLine:
    """The words of an earlier release are its steps, and stand there once."""
    return ToldLine(**_fields(line) | {"steps": explained(line, run), "told": ()})


def _fields(model: BaseModel) -> dict[str, object]:
    return {name: getattr(model, name) for name in type(model).model_fields}
