"""How a province's envelope is shared among its centres. Pure: no clock, no I/O, no float.

`sharing` is the arithmetic; `centres` and `budget` apply the law and the policy; `explanation` says what made
an amount.
"""

from services.funding.domain.budget import WITHDRAWN, Budget, allocate, head_of, withdrawn
from services.funding.domain.centres import Assessment, Centre, Grade, grade_of
from services.funding.domain.sharing import Share, Solution, Stake, bounds, solve

__all__ = [
    "WITHDRAWN",
    "Assessment",
    "Budget",
    "Centre",
    "Grade",
    "Share",
    "Solution",
    "Stake",
    "allocate",
    "bounds",
    "grade_of",
    "head_of",
    "solve",
    "withdrawn",
]
