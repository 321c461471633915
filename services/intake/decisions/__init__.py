"""Submission + state → receipt, accepted fact, new state. Pure; driven by the engine."""

from services.intake.decisions.documents import (
    AGGREGATES,
    ERASURES,
    HISTORIES,
    IMPORTS,
    LATE_REQUESTS,
    PEOPLE_ORDERS,
    PERSONS,
    RECEIPTS,
    REOPENINGS,
    VERSIONS,
    Aggregate,
    Answer,
    LateRequest,
    PersonOrdered,
    Standing,
    Waiting,
)
from services.intake.decisions.doubting import earlier_refs
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
    "IMPORTS",
    "LATE_REQUESTS",
    "PEOPLE_ORDERS",
    "PERSONS",
    "RECEIPTS",
    "RELEASE",
    "REOPENINGS",
    "SETS",
    "VERSIONS",
    "Aggregate",
    "Answer",
    "Code",
    "LateRequest",
    "PersonOrdered",
    "Standing",
    "Unsound",
    "Waiting",
    "earlier_refs",
    "receipt_ref",
    "refusals",
    "routes",
]
