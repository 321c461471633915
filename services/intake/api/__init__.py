"""HTTP side of intake: what is handed in, receipts, what is accepted, doubted and missing; centres, register, periods,
history; people; erasures."""

from fastapi import APIRouter

from services.intake.api import (
    centres,
    completeness,
    erasures,
    explanations,
    history,
    imports,
    late_requests,
    people,
    periods,
    receipts,
    register,
    submissions,
    warnings,
)

router = APIRouter()
router.include_router(submissions.router)
router.include_router(receipts.router)
router.include_router(warnings.router)
router.include_router(completeness.router)
router.include_router(centres.router)
router.include_router(register.router)
router.include_router(people.router)
router.include_router(periods.router)
router.include_router(late_requests.router)
router.include_router(history.router)
router.include_router(imports.router)
router.include_router(explanations.router)
router.include_router(erasures.router)
