"""How the sustainability view sorts centres: a dated policy that moves no money."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import Nfc
from shared.rulebook.policies import load_versions
from shared.rulebook.source import DATA, Dated, in_force


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
            raise ValueError(f"{', '.join(sorted(both))} cannot be effective and weak; keep each grade in one list")
        return self


@cache
def _policies() -> tuple[SustainabilityPolicy, ...]:
    return load_versions(DATA / "sustainability_policy.yaml", SustainabilityPolicy)


def sustainability_policy(on: date) -> SustainabilityPolicy:
    """The policy in force on a day. Raises `NoRuleInForce`, `RulebookError`."""
    return in_force(_policies(), on, "sustainability_policy.yaml")
