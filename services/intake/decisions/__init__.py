"""Submission + state → receipt, accepted fact, new state. Pure; driven by the engine."""

from services.intake.decisions.documents import (
    AGGREGATES,
    ERASURES,
    HISTORIES,
    LATE_REQUESTS,
    PEOPLE_ORDERS,
    PERSONS,
    RECEIPTS,
    REOPENINGS,
    VERSIONS,
    Answer,
    LateRequest,
    PersonOrdered,
    Standing,
    Waiting,
)
from services.intake.decisions.kinds import DEEDS
from services.intake.decisions.receipts import receipt_ref, refusals
from services.intake.decisions.register import Unsound
from services.intake.decisions.release import HELD, RELEASE, Code
from services.intake.decisions.submissions import routes

SETS = (RELEASE,)

__all__ = [
    "AGGREGATES",
    "DEEDS",
    "ERASURES",
    "HELD",
    "HISTORIES",
    "LATE_REQUESTS",
    "PEOPLE_ORDERS",
    "PERSONS",
    "RECEIPTS",
    "RELEASE",
    "REOPENINGS",
    "SETS",
    "VERSIONS",
    "Answer",
    "Code",
    "LateRequest",
    "PersonOrdered",
    "Standing",
    "Unsound",
    "Waiting",
    "receipt_ref",
    "refusals",
    "routes",
]
