"""HTTP side of intake: what is handed in, receipts, what is accepted and what is missing; register, periods, history;
people; erasures."""

from fastapi import APIRouter

from services.intake.api import (
    completeness,
    erasures,
    explanations,
    history,
    late_requests,
    people,
    periods,
    receipts,
    register,
    submissions,
)

router = APIRouter()
router.include_router(submissions.router)
router.include_router(receipts.router)
router.include_router(completeness.router)
router.include_router(register.router)
router.include_router(people.router)
router.include_router(periods.router)
router.include_router(late_requests.router)
router.include_router(history.router)
router.include_router(explanations.router)
router.include_router(erasures.router)
