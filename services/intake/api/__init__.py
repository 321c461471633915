"""HTTP side of intake: receipts and what is accepted; the register of units and its corrections."""

from fastapi import APIRouter

from services.intake.api import explanations, receipts, register

router = APIRouter()
router.include_router(receipts.router)
router.include_router(register.router)
router.include_router(explanations.router)
