"""Collections, indexes and queries of funding."""

from services.funding.queries.decisions import (
    Absent,
    act,
    actions,
    adjustments,
    budget,
    decide_on_adjustment,
    decisions,
    find_adjustment,
    journal,
    record_of,
    snapshot,
)
from services.funding.queries.indexes import migrate
from services.funding.queries.proposals import allocations, compute, runs
from services.funding.queries.views import sustainability

__all__ = [
    "Absent",
    "act",
    "actions",
    "adjustments",
    "allocations",
    "budget",
    "compute",
    "decide_on_adjustment",
    "decisions",
    "find_adjustment",
    "journal",
    "migrate",
    "record_of",
    "runs",
    "snapshot",
    "sustainability",
]
