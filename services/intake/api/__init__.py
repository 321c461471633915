"""HTTP side of intake: receipts, what is accepted; the directory of persons; register of units, periods and history."""

from fastapi import APIRouter

from services.intake.api import explanations, history, people, periods, receipts, register

router = APIRouter()
router.include_router(receipts.router)
router.include_router(register.router)
router.include_router(people.router)
router.include_router(periods.router)
router.include_router(history.router)
router.include_router(explanations.router)
