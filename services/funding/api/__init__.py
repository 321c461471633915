"""HTTP side of funding."""

from fastapi import APIRouter

from services.funding.api import adjustments, budgets, explanations, exports, journals, proposals, rehearsals, views

router = APIRouter()
for each in (proposals, budgets, adjustments, journals, exports, views, rehearsals, explanations):
    router.include_router(each.router)

__all__ = ["router"]
