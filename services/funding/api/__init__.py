"""HTTP side of funding."""

from fastapi import APIRouter

from services.funding.api import (
    adjustments,
    budgets,
    explanations,
    exports,
    journals,
    payments,
    proposals,
    rehearsals,
    views,
)

router = APIRouter()
for each in (proposals, budgets, adjustments, journals, payments, exports, views, rehearsals, explanations):
    router.include_router(each.router)

__all__ = ["router"]
