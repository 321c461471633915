"""Collections, indexes and queries of funding."""

from services.funding.store.decisions import (
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
from services.funding.store.indexes import migrate
from services.funding.store.proposals import allocations, compute, runs
from services.funding.store.views import sustainability

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
