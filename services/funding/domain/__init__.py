"""How a province's envelope is shared among its centres. Pure: no clock, no I/O, no float.

`sharing` is the arithmetic; `roster`, `centres` and `budget` apply the law and the policy; `explanation` and `proof`
say what made an amount and that all of them add up, in the words of the rules that a run names (`grounds`);
`frozen` and `adjustment` are for corrections after approval.
"""

from services.funding.domain import told
from services.funding.domain.adjustment import Adjustment, Standing, adjust, rerun, standing
from services.funding.domain.budget import (
    NO_ENVELOPE,
    WITHDRAWN,
    Budget,
    Charge,
    allocate,
    at_amount,
    head_of,
    withdrawn,
)
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
from services.funding.domain.equipment import NO_EQUIPMENT, Equipment, equipment_of
from services.funding.domain.explanation import explained
from services.funding.domain.frozen import Frozen, FrozenLine, freeze
from services.funding.domain.grounds import references
from services.funding.domain.life import (
    DECIDED,
    PREPARERS,
    Life,
    Order,
    Person,
    adjusted,
    persons,
    proposed,
    refusals,
    some,
    step,
)
from services.funding.domain.proof import Proof, Statement, proof_of
from services.funding.domain.reconciliation import AGREED, Key, Line, hash_of, over, reconciled, short, totals
from services.funding.domain.releases import csv_of, package_of, xlsx_of
from services.funding.domain.roster import Participation, Registered, months_in, participants, shared_by_population
from services.funding.domain.sharing import Share, Solution, Stake, bounds, solve
from services.funding.domain.simulation import Comparison, Side, compare
from services.funding.domain.sustainability import History, View, Year, views
from services.funding.domain.truth import misfits

__all__ = [
    "AGREED",
    "DECIDED",
    "NO_ENVELOPE",
    "NO_EQUIPMENT",
    "PREPARERS",
    "WITHDRAWN",
    "Adjustment",
    "Assessment",
    "Budget",
    "Centre",
    "Charge",
    "Comparison",
    "Equipment",
    "Frozen",
    "FrozenLine",
    "Grade",
    "History",
    "Key",
    "Life",
    "Line",
    "Order",
    "Part",
    "Participation",
    "Person",
    "Proof",
    "Registered",
    "Share",
    "Side",
    "Solution",
    "Stake",
    "Standing",
    "Statement",
    "Succession",
    "View",
    "Year",
    "adjust",
    "adjusted",
    "allocate",
    "at_amount",
    "base_of",
    "bounds",
    "compare",
    "csv_of",
    "equipment_of",
    "explained",
    "factors_of",
    "freeze",
    "grade_of",
    "hash_of",
    "head_of",
    "misfits",
    "months_in",
    "over",
    "package_of",
    "participants",
    "persons",
    "proof_of",
    "proposed",
    "reconciled",
    "references",
    "refusals",
    "rerun",
    "shared_by_population",
    "short",
    "solve",
    "some",
    "stake_of",
    "standing",
    "step",
    "told",
    "totals",
    "views",
    "withdrawn",
    "xlsx_of",
]
