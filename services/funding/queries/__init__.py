"""Indexes of funding, and what its API reads."""

from services.funding.queries.budgets import (
    actions,
    adjustments,
    allocations,
    budget,
    decisions,
    find_adjustment,
    journal,
    published,
    record_of,
    runs,
    snapshot,
)
from services.funding.queries.indexes import migrate
from services.funding.queries.views import known, simulated, sustainability

__all__ = [
    "actions",
    "adjustments",
    "allocations",
    "budget",
    "decisions",
    "find_adjustment",
    "journal",
    "known",
    "migrate",
    "published",
    "record_of",
    "runs",
    "simulated",
    "snapshot",
    "sustainability",
]
