"""How a province's envelope is shared among its centres. Pure: no clock, no I/O, no float.

`sharing` is the arithmetic; `roster`, `centres` and `budget` apply the law and the policy; `explanation` and `proof`
say what made an amount and that all of them add up; `frozen` and `adjustment` are for corrections after approval.
"""

from services.funding.domain.adjustment import Adjustment, Standing, adjust, rerun, standing
from services.funding.domain.budget import WITHDRAWN, Budget, Charge, allocate, head_of, withdrawn
from services.funding.domain.centres import (
    Assessment,
    Centre,
    Grade,
    Part,
    Succession,
    base_of,
    factors_of,
    grade_of,
    stake_of,
)
from services.funding.domain.frozen import Frozen, FrozenLine, freeze
from services.funding.domain.proof import Proof, Statement, proof_of
from services.funding.domain.roster import Participation, Registered, months_in, participants, shared_by_population
from services.funding.domain.sharing import Share, Solution, Stake, bounds, solve

__all__ = [
    "WITHDRAWN",
    "Adjustment",
    "Assessment",
    "Budget",
    "Centre",
    "Charge",
    "Frozen",
    "FrozenLine",
    "Grade",
    "Part",
    "Participation",
    "Proof",
    "Registered",
    "Share",
    "Solution",
    "Stake",
    "Standing",
    "Statement",
    "Succession",
    "adjust",
    "allocate",
    "base_of",
    "bounds",
    "factors_of",
    "freeze",
    "grade_of",
    "head_of",
    "months_in",
    "participants",
    "proof_of",
    "rerun",
    "shared_by_population",
    "solve",
    "stake_of",
    "standing",
    "withdrawn",
]
