"""How the sustainability view sorts centres: a dated policy that moves no money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import Nfc
from shared.rulebook.errors import Unfit
from shared.rulebook.overlays import Layers, folders, load_layers
from shared.rulebook.source import Dated


class SustainabilityPolicy(Dated):
    """Which grades count as effective and as weak, and what support is compared with."""

    effective_grades: Annotated[list[Nfc], Field(min_length=1)]
    weak_grades: Annotated[list[Nfc], Field(min_length=1)]
    compared_with: Literal["median_of_area_class"]
    """Support is low or high against the median support of the province's centres in the same area class."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        both = set(self.effective_grades) & set(self.weak_grades)
        if both:
            raise Unfit("rulebook.grade_in_both", grades=", ".join(sorted(both)))
        return self


@lru_cache
def sustainability_policies(places: Sequence[Path]) -> Layers[SustainabilityPolicy]:
    """All versions in these folders. Raises `RulebookError`."""
    return load_layers(places, "sustainability_policy.yaml", SustainabilityPolicy)


def sustainability_policy(on: date, province: str | None = None) -> SustainabilityPolicy:
    """The policy in force on a day: the province's own, else the ministry's, else the working default.

    Raises `NoRuleInForce`, `RulebookError`.
    """
    return sustainability_policies(folders()).in_force(on, province)
