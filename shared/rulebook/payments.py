"""Until when the treasury's payments of a budget year are expected: a dated policy that moves no money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.periods import ClosingDay
from shared.rulebook.rubrics import HANOI
from shared.rulebook.source import Dated

FILE = "payment_policy.yaml"


class PaymentPolicy(Dated):
    """When what was decided of a budget year is expected to be paid."""

    paid_by: ClosingDay
    """The last day, included."""


@lru_cache
def payment_policies(places: Sequence[Path]) -> Layers[PaymentPolicy]:
    """All versions in these folders. Raises `RulebookError`."""
    return load_layers(places, FILE, PaymentPolicy)


def payments_due(year: int, province: str | None = None) -> datetime:
    """First instant at which a payment of a budget year is missing, by the policy in force on its 1 January.

    Args:
        province: code on that day, whose own policy goes first; `None` = the nation's.

    Raises `NoRuleInForce`, `RulebookError`.
    """
    last = payment_policies(folders()).in_force(date(year, 1, 1), province).paid_by.last(year)
    return datetime(last.year, last.month, last.day, tzinfo=HANOI) + timedelta(days=1)
