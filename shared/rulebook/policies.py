"""The alert policy: a working default that a ministry or province replaces by its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shared.contracts.base import Nfc
from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.source import Dated, Exact, Grounded

Factor = Annotated[Exact, Field(ge=0)]


class CommuneThresholds(Grounded):
    """Results of a commune that call for an alert."""

    grades: list[Nfc]
    levels: list[int]


class CentreThresholds(Grounded):
    """Results of a centre that call for an alert."""

    grades: list[Nfc]


class SupportChange(Grounded):
    """A digest names a centre whose support differs from last year's by *more than* this share of it."""

    more_than: Factor


class AlertPolicy(Dated):
    """What a province must be told."""

    commune: CommuneThresholds
    centre: CentreThresholds
    support_change: SupportChange


@lru_cache
def alert_policies(places: Sequence[Path]) -> Layers[AlertPolicy]:
    """All alert policies of these folders. Raises `RulebookError`."""
    return load_layers(places, "alert_policy.yaml", AlertPolicy)


def alert_policy(on: date, province: str | None = None) -> AlertPolicy:
    """The alert policy in force on a day: the province's own, else the ministry's, else the working default.

    Args:
        province: code on that day; `None` = the nation's.

    Raises:
        NoRuleInForce: none was in force.
        RulebookError: a file cannot be used.
    """
    return alert_policies(folders()).in_force(on, province)
