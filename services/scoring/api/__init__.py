"""HTTP side of scoring: results with their explanation, and rankings."""

from fastapi import APIRouter

from services.scoring.api import rankings, recomputes, results

router = APIRouter(tags=["scoring"])
router.include_router(results.router)
router.include_router(rankings.router)
router.include_router(recomputes.router)

__all__ = ["router"]
