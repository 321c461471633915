"""HTTP side of scoring: results with their explanation, rankings, and how far goals are reached."""

from fastapi import APIRouter

from services.scoring.api import (
    appeals,
    attainment,
    explanations,
    rankings,
    recomputes,
    releases,
    results,
    rules_desk,
)

router = APIRouter(tags=["scoring"])
router.include_router(results.router)
router.include_router(rankings.router)
router.include_router(releases.router)
router.include_router(recomputes.router)
router.include_router(explanations.router)
router.include_router(appeals.router)
router.include_router(attainment.router)
router.include_router(rules_desk.router)

__all__ = ["router"]
