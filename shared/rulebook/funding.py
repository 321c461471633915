"""What decides support for community learning centres: the legal minima, and the policy above them.

Norms are law (Circular 96/2008/TT-BTC), or a province's own norms above it; the policy is a working default that a
ministry or province replaces by date. All factors are exact fractions, all money is whole đồng.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import lcm
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from shared.contracts.base import Dong, Nfc
from shared.contracts.submissions import AreaClass
from shared.refusals import problem
from shared.rulebook.errors import Findings, RulebookError, Unfit
from shared.rulebook.overlays import MINISTRY, NATION, Layers, folders, load_layers, overlapping
from shared.rulebook.policies import Factor
from shared.rulebook.source import Dated, Exact, Grounded, Rule

Share = Annotated[Exact, Field(ge=0, le=1)]
TOP_SCORE = 100
"""Points of a centre under Letter 2553/2013 run from 0 to this."""
MOST_BANDS = 101
"""Steps of a scale: one for each point."""
MOST_DIGITS = 100
"""Of the common denominator of all factors; those of the shipped policy have 5."""


def _one_per_area_class(keys: Iterable[str]) -> None:
    missing = set(get_args(AreaClass)) - set(keys)
    if missing:
        raise Unfit("rulebook.area_class_missing", missing=", ".join(sorted(missing)))


# ---------------------------------------------------------------------------------------------------- norms


class Norm(Grounded):
    """One minimum in đồng; 0 where the law names no amount."""

    amount: Dong


class Eligibility(Grounded):
    """Which communes the yearly minima are for: those that the list of areas in force on 1 January names.

    The lists themselves, with their dates, are `data/area_classes.yaml`.
    """

    area_classes: Annotated[list[AreaClass], Field(min_length=1)]


class FundingNorms(Dated):
    """Minima of support per centre, in đồng: those of Circular 96/2008/TT-BTC, or a province's own above them."""

    yearly: dict[AreaClass, Norm]
    """Per centre and year, by area class of its commune."""
    eligibility: Eligibility
    initial_equipment: Norm
    """Once, for a newly established centre."""
    minima: FundingNorms | None = Field(default=None, exclude=True, repr=False)
    """The law that a province's norms stand on; `None` for the law itself. Set by `above`, never in a file."""

    def floor(self, area_class: AreaClass) -> Norm:
        """The yearly minimum with its ground."""
        return self.yearly[area_class]

    def legal(self, area_class: AreaClass) -> Norm:
        """The yearly minimum of the law; less than `floor` where the province grants more."""
        return (self.minima or self).yearly[area_class]

    def above(self, minima: FundingNorms) -> FundingNorms:
        """These norms of a province, standing on the law's.

        Raises:
            RulebookError: an amount is lower than the law's; a province may only grant more.
        """
        pairs = {f"yearly/{area}": (own, minima.yearly[area]) for area, own in self.yearly.items()}
        pairs["initial_equipment"] = (self.initial_equipment, minima.initial_equipment)
        for path, (own, law) in pairs.items():
            if own.amount < law.amount:
                lowered = problem(
                    "rulebook.minimum_lowered",
                    f"{path}/amount",
                    amount=own.amount,
                    minimum=law.amount,
                    law=law.citation,
                )
                raise RulebookError(self.id, lowered)
        return self.model_copy(update={"minima": minima})

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _one_per_area_class(self.yearly)
        if self.minima is not None:
            raise Unfit("rulebook.minima_in_file")
        return self


# -------------------------------------------------------------------------------------------------- factors


class ScoreBand(Rule):
    """Weight of a centre with at least `min` points (and fewer than the next band's)."""

    min: Annotated[Exact, Field(ge=0, le=TOP_SCORE)]
    factor: Factor


class ScorePoint(Rule):
    """Weight at exactly `score` points; between two points it runs along a straight line."""

    score: Annotated[Exact, Field(ge=0, le=TOP_SCORE)]
    factor: Factor


class PerformanceFactors(Grounded):
    """Weight by result: by grade under Letter 2553/2013, or by points in bands, or by points along a line."""

    by_grade: dict[Nfc, Factor] | None = None
    by_score_bands: Annotated[list[ScoreBand], Field(min_length=1, max_length=MOST_BANDS)] | None = None
    by_score_line: Annotated[list[ScorePoint], Field(min_length=2, max_length=MOST_BANDS)] | None = None

    @property
    def by_score(self) -> bool:
        """Whether points decide, not the grade."""
        return self.by_grade is None

    def of_grade(self, grade: str) -> Fraction:
        """The factor of a grade id. Raises `KeyError`: the policy names none."""
        return (self.by_grade or {})[grade]

    def of_score(self, score: Decimal) -> Fraction:
        """The factor of 0 to 100 points, exact. Raises `LookupError`: outside that, or the policy goes by grade."""
        points = Fraction(score)
        if not 0 <= points <= TOP_SCORE:
            raise LookupError(score)
        if self.by_score_bands is not None:
            return [band.factor for band in self.by_score_bands if band.min <= points][-1]
        for low, high in pairwise(self.by_score_line or []):
            if points <= high.score:
                part = (points - low.score) / (high.score - low.score)
                return low.factor + part * (high.factor - low.factor)
        raise LookupError(score)

    @property
    def denominators(self) -> Iterator[int]:
        """Of every factor that a whole number of points can get."""
        factors = [
            *(self.by_grade or {}).values(),
            *(band.factor for band in self.by_score_bands or []),
            *(point.factor for point in self.by_score_line or []),
        ]
        yield from (factor.denominator for factor in factors)
        for low, high in pairwise(self.by_score_line or []):
            slope = (high.factor - low.factor) / (high.score - low.score)
            yield slope.denominator * low.score.denominator

    @model_validator(mode="after")
    def _one_complete_scale(self) -> Self:
        stated = 3 - [self.by_grade, self.by_score_bands, self.by_score_line].count(None)
        if stated != 1:
            raise Unfit("rulebook.scale_not_one", count=stated)
        if self.by_grade is not None and not self.by_grade:
            raise Unfit("rulebook.scale_empty")
        if self.by_score_bands is not None:
            _prove_scale([band.min for band in self.by_score_bands], [band.factor for band in self.by_score_bands])
        if self.by_score_line is not None:
            scores = [point.score for point in self.by_score_line]
            _prove_scale(scores, [point.factor for point in self.by_score_line])
            if scores[-1] != TOP_SCORE:
                raise Unfit("rulebook.scale_end", score=scores[-1], top=TOP_SCORE)
        return self


def _prove_scale(scores: Sequence[Fraction], factors: Sequence[Fraction]) -> None:
    if scores[0] != 0:
        raise Unfit("rulebook.scale_start", score=scores[0])
    for (before, low), (after, high) in pairwise(zip(scores, factors, strict=True)):
        if after <= before:
            raise Unfit("rulebook.scale_not_rising", after=after, before=before)
        if high < low:
            raise Unfit("rulebook.scale_falls", after=after, high=high, before=before, low=low)


class Unassessed(Grounded):
    """A centre without a result of the period: its performance factor, and whether last year's support protects it."""

    factor: Factor
    hold_harmless: bool


class Meanwhile(Grounded):
    """A centre whose result of the period may still come: what counts until then."""

    counts: Literal["last_result", "not_submitted"]
    """The latest earlier result, or (also where there is none) the factor of `not_submitted`."""
    hold_harmless: bool


class Pending(Meanwhile):
    """A centre whose file was rejected, held or is incomplete."""

    until: Literal["closing"] | None = None
    """Only for a file that came by the deadline, and until the period closes; `None`: whenever it came, for ever."""


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

    bands: Annotated[list[SizeBand], Field(min_length=1, max_length=MOST_BANDS)]

    def factor(self, population: int) -> Fraction:
        """The factor of the first band that holds `population`."""
        return next(band.factor for band in self.bands if band.up_to is None or population <= band.up_to)

    @model_validator(mode="after")
    def _cover_every_population(self) -> Self:
        limits = [band.up_to for band in self.bands]
        bounded = [limit for limit in limits[:-1] if limit is not None]
        if limits[-1] is not None or len(bounded) != len(limits) - 1 or bounded != sorted(set(bounded)):
            raise Unfit("rulebook.size_bands_unclear")
        return self


# --------------------------------------------------------------------------------------------------- policy


class ChangeLimits(Grounded):
    """How far support may move against last year, as shares of it (`1/4` = 25 %)."""

    rise: Factor
    fall: Share


class WithoutBase(Grounded):
    """A centre that is measured against no support of last year: a new one, or one that had nothing and no minimum."""

    cap: Literal["peers_maximum", "none"]
    """The largest upper bound among the province's centres that have a base, or none at all."""


class Unknown(Grounded):
    """A centre that was open before last year, of whose last year's support nothing is on record."""

    gets: Literal["floor", "as_new"]
    """Its minimum alone until the figure is on record, or what a new centre gets."""


class Transition(Grounded):
    """What a merged or split centre takes over of its predecessors' support.

    In the budget year of the change and the following ones, `years` in all, its last year's support counts as at
    least `protected` of what its predecessors got before the change. A predecessor's support is shared among its
    successors by population served.
    """

    measured: Literal["year_before_change", "last_year"] = "year_before_change"
    """`last_year`: the đồng on record for last year of the centre and of all that it continues, wherever in that year
    the change fell, not annualised; within the transition at least what is on record for the year before the change,
    or for that of the change. `year_before_change`: in the year of the change, what its direct predecessors had in the
    year before it; later its own."""

    hold_harmless: Literal["sum_of_predecessors", "none"]
    years: Annotated[int, Field(ge=1, le=20)]
    protected: Share


class Proration(Grounded):
    """Whether opening or closing in mid-year reduces the support.

    `none`: a centre that exists at the end of the year gets the whole year, others nothing. `months`: twelfths, where
    a month counts for the centre that exists on the month's `counts` day; so no month counts twice after a merger.
    """

    use: Literal["none", "months"]
    counts: Literal["first_day", "last_day"] | None = None

    @model_validator(mode="after")
    def _say_which_day(self) -> Self:
        if (self.use == "months") != (self.counts is not None):
            raise Unfit("rulebook.counting_day_unclear", use=self.use, counts=self.counts)
        return self


class OpenedSince(Grounded):
    """The first day of opening from which the law grants the initial equipment."""

    day: date


class Suspension(Grounded):
    """What a suspended centre is: one that does not exist on the days of its suspension, or one like any other."""

    use: Literal["takes_no_part", "ignored"]


class EquipmentGrant(Grounded):
    """Who is a newly established centre and so is owed the initial equipment, once."""

    successors: bool
    """Whether a centre that continues others counts as newly established."""
    within_years: Annotated[int, Field(ge=1, le=20)]
    """Budget years, from that of its opening, in which its first payment can be made."""
    opened_since: OpenedSince | None = None
    """Absent: any centre that is new enough for `within_years`, and nobody counts the others."""
    rest: Literal["lapses", "owed"] = "lapses"
    """What becomes of the part that a first payment leaves open: nothing, or it stays owed until it is paid."""


class Rounding(Grounded):
    """Amounts are multiples of `step` đồng; the rest goes to the reserve."""

    step: Annotated[int, Field(ge=1)]


class Surplus(Grounded):
    """What becomes of money that the caps leave over."""

    use: Literal["reserve", "relax_caps"]


class AfterApproval(Grounded):
    """What a correction after approval does: an adjustment through the reserve, or a new run."""

    use: Literal["reserve", "rerun"]


class FundingPolicy(Dated):
    """How performance moves money above the legal minima."""

    performance: PerformanceFactors
    not_submitted: Unassessed
    """The period closed and the centre had sent nothing."""
    not_due: Unassessed
    """The centre opened after the period, so that nothing was due from it."""
    pending: Pending
    awaited: Meanwhile | None = None
    """The deadline has not passed yet and the centre has sent nothing; `None`: that counts as not submitted."""
    equity: EquityFactors
    size: SizeFactors
    change: ChangeLimits
    without_base: WithoutBase | None = None
    """`None`: nothing caps it."""
    unknown: Unknown | None = None
    """`None`: as a new centre."""
    transition: Transition
    proration: Proration
    suspension: Suspension | None = None
    """`None`: nobody asks whether a centre is suspended."""
    equipment: EquipmentGrant
    rounding: Rounding
    surplus: Surplus
    after_approval: AfterApproval

    @model_validator(mode="after")
    def _add_up_to_a_fraction_of_bounded_length(self) -> Self:
        """Shares are exact, so the factors of hundreds of centres meet in one denominator. Factors that have none in
        common make it as long as all of them together: no person could check such an amount, nor a machine write it.
        """
        unassessed = [rule.factor.denominator for rule in (self.not_submitted, self.not_due)]
        performance = lcm(*self.performance.denominators, *unassessed)
        equity = lcm(*(factor.denominator for factor in self.equity.by_area_class.values()))
        size = lcm(*(band.factor.denominator for band in self.size.bands))
        if performance * equity * size > 10**MOST_DIGITS:
            raise Unfit("rulebook.factors_too_fine", limit=MOST_DIGITS)
        return self


@lru_cache
def norms_layers(places: Sequence[Path]) -> Layers[FundingNorms]:
    """All norms of these folders. Raises `RulebookError`: also where a minimum is lowered."""
    layers = load_layers(places, "funding_norms.yaml", FundingNorms)
    found = Findings()
    for placed in layers.all:
        for owner in (NATION, MINISTRY):
            for law in layers.by_owner.get(owner, ()):
                if placed.place.owner not in (NATION, owner) and overlapping(placed.version, law.version):
                    try:
                        placed.version.above(law.version)
                    except RulebookError as error:
                        place = {"field": f"{placed.version.id}/{error.path}"}
                        found.errors.append(RulebookError(placed.place.name, error.problem.model_copy(update=place)))
    found.settle()
    return layers


@lru_cache
def policy_layers(places: Sequence[Path]) -> Layers[FundingPolicy]:
    """All funding policies of these folders. Raises `RulebookError`."""
    return load_layers(places, "funding_policy.yaml", FundingPolicy)


def funding_norms(on: date, province: str | None = None) -> FundingNorms:
    """The minima in force on a day: the province's own, standing on the law's; else the law's.

    Args:
        province: code on that day; `None` = the nation's.

    Raises:
        NoRuleInForce: none was in force.
        RulebookError: a file cannot be used, or a province's minimum is below the law's.
    """
    layers = norms_layers(folders())
    law, own = layers.in_force(on), layers.own(on, province)
    return law if own is None or own is law else own.above(law)


def funding_policy(on: date, province: str | None = None) -> FundingPolicy:
    """The funding policy in force on a day: the province's own, else the ministry's, else the working default.

    Args:
        province: code on that day; `None` = the nation's.

    Raises:
        NoRuleInForce: none was in force.
        RulebookError: a file cannot be used.
    """
    return policy_layers(folders()).in_force(on, province)
