"""Money norms, funding policy and alert policy: dated values with citation, read from `data/*.yaml`.

Norms are law (Circular 96/2008); the two policies are working defaults that a ministry or province replaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Generic, Literal, Self, TypeVar, get_args

from pydantic import Field, model_validator

from shared.contracts.base import Dong, Nfc
from shared.contracts.submissions import AreaClass
from shared.rulebook.source import DATA, Dated, Exact, Grounded, Rule, in_force, prove_succession, read

P = TypeVar("P", bound=Dated)
Share = Annotated[Exact, Field(ge=0, le=1)]
Factor = Annotated[Exact, Field(ge=0)]


class _Versions(Rule, Generic[P]):
    versions: Annotated[list[P], Field(min_length=1)]


def load_versions(file: Path, model: type[P]) -> tuple[P, ...]:
    """All versions in one policy file, proven to follow one another. Raises `RulebookError`."""
    versions = read(file, _Versions[model]).versions  # type: ignore[valid-type]
    prove_succession(versions, lambda version: file.name)
    return tuple(versions)


def _one_per_area_class(keys: Iterable[str]) -> None:
    missing = set(get_args(AreaClass)) - set(keys)
    if missing:
        raise ValueError(f"no value for {', '.join(sorted(missing))}; every area class needs one")


# ------------------------------------------------------------------------------------------- funding norms


class Norm(Grounded):
    """One legal minimum in đồng; 0 where the law names no amount."""

    amount: Dong


class FundingNorms(Dated):
    """Legal minima of support per centre (Circular 96/2008/TT-BTC), in đồng."""

    yearly: dict[AreaClass, Norm]
    """Minimum per centre and year, by area class of its commune."""
    initial_equipment: Norm
    """Once, for a newly established centre."""

    def floor(self, area_class: AreaClass) -> Norm:
        """The yearly minimum with its ground."""
        return self.yearly[area_class]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _one_per_area_class(self.yearly)
        return self


# ------------------------------------------------------------------------------------------ funding policy


class PerformanceFactors(Grounded):
    """Weight by the centre's grade under Letter 2553/2013."""

    by_grade: dict[Nfc, Factor]
    not_submitted: Factor
    """For a centre whose period closed with no submission."""


class EquityFactors(Grounded):
    """Weight by the area class of the centre's commune."""

    by_area_class: dict[AreaClass, Factor]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _one_per_area_class(self.by_area_class)
        return self


class SizeBand(Rule):
    """Weight of a centre that serves up to and including `up_to` people; `None` = any number."""

    up_to: Annotated[int, Field(ge=0)] | None
    factor: Factor


class SizeFactors(Grounded):
    """Weight by population served."""

    bands: Annotated[list[SizeBand], Field(min_length=1)]

    def factor(self, population: int) -> Fraction:
        """The factor of the first band that holds `population`."""
        return next(band.factor for band in self.bands if band.up_to is None or population <= band.up_to)

    @model_validator(mode="after")
    def _cover_every_population(self) -> Self:
        limits = [band.up_to for band in self.bands]
        bounded = [limit for limit in limits[:-1] if limit is not None]
        if limits[-1] is not None or len(bounded) != len(limits) - 1 or bounded != sorted(set(bounded)):
            raise ValueError("size bands must rise, and only the last one must be open (`up_to: null`)")
        return self


class ChangeLimits(Grounded):
    """How far support may move against last year, as shares of it (`1/4` = 25 %)."""

    rise: Factor
    fall: Share


class Rounding(Grounded):
    """Amounts are multiples of `step` đồng; the rest goes to the reserve."""

    step: Annotated[int, Field(ge=1)]


class Surplus(Grounded):
    """What becomes of money that the caps leave over."""

    use: Literal["reserve", "relax_caps"]


class AfterApproval(Grounded):
    """What a correction after approval does: an adjustment through the reserve, or a new run."""

    use: Literal["reserve", "rerun"]


class Proration(Grounded):
    """Whether opening or closing in mid-year reduces the support."""

    use: Literal["none", "months"]


class FundingPolicy(Dated):
    """How performance moves money above the legal minima. All factors are exact fractions."""

    performance: PerformanceFactors
    equity: EquityFactors
    size: SizeFactors
    change: ChangeLimits
    rounding: Rounding
    surplus: Surplus
    after_approval: AfterApproval
    proration: Proration


# -------------------------------------------------------------------------------------------- alert policy


class CommuneThresholds(Grounded):
    """Results of a commune that call for an alert."""

    grades: list[Nfc]
    levels: list[int]


class CentreThresholds(Grounded):
    """Results of a centre that call for an alert."""

    grades: list[Nfc]


class SupportChange(Grounded):
    """An alert is due when support differs from last year's by *more than* this share of it."""

    more_than: Factor


class AlertPolicy(Dated):
    """What a province must be told."""

    commune: CommuneThresholds
    centre: CentreThresholds
    support_change: SupportChange


@cache
def _funding_norms() -> tuple[FundingNorms, ...]:
    return load_versions(DATA / "funding_norms.yaml", FundingNorms)


@cache
def _funding_policies() -> tuple[FundingPolicy, ...]:
    return load_versions(DATA / "funding_policy.yaml", FundingPolicy)


@cache
def _alert_policies() -> tuple[AlertPolicy, ...]:
    return load_versions(DATA / "alert_policy.yaml", AlertPolicy)


def funding_norms(on: date) -> FundingNorms:
    """The legal minima in force on a day. Raises `NoRuleInForce`, `RulebookError`."""
    return in_force(_funding_norms(), on, "funding_norms.yaml")


def funding_policy(on: date) -> FundingPolicy:
    """The funding policy in force on a day. Raises `NoRuleInForce`, `RulebookError`."""
    return in_force(_funding_policies(), on, "funding_policy.yaml")


def alert_policy(on: date) -> AlertPolicy:
    """The alert policy in force on a day. Raises `NoRuleInForce`, `RulebookError`."""
    return in_force(_alert_policies(), on, "alert_policy.yaml")
