"""HTTP side of funding."""

from fastapi import APIRouter

from services.funding.api import adjustments, budgets, explanations, exports, journals, payments, proposals, views

router = APIRouter()
for each in (proposals, budgets, adjustments, journals, payments, exports, views, explanations):
    router.include_router(each.router)

__all__ = ["router"]
