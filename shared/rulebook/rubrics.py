"""Rubrics: by what a commune or centre is judged, read from `data/rubrics/*.yaml` and proven at load time.

Two kinds exist: points with grade bands (Circular 44/2014, Letter 2553/2013) and pass/fail with levels (Circular
25/2023). A rubric that was once used is never changed: a change is a new file with a new id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, RootModel, model_validator

from shared.contracts.base import Nfc, Text, content_hash
from shared.contracts.submissions import CriterionId
from shared.rulebook.errors import RulebookError
from shared.rulebook.source import DATA, Dated, Exact, Grounded, Rule, in_force, prove_succession, read

Series = Literal["commune", "centre"]
LevelId = Literal["L1", "L2"]
HANOI = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Legal time of Viet Nam: UTC+7 without daylight saving, so no time zone database is needed."""

Quantity = Annotated[
    Decimal,
    BeforeValidator(lambda value: Decimal(value) if type(value) is int else value),
    Field(ge=0, le=1000),
]
"""Points. Whole numbers in the file are welcome; floats cannot occur, the reader makes exact decimals."""


# -------------------------------------------------------------------------------------- what rubrics share


class Deadline(Grounded):
    """Last day for the submission of a period, included: `day`.`month` of the period's year + `years_after`."""

    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]
    years_after: Annotated[int, Field(ge=0, le=2)]

    @model_validator(mode="after")
    def _exists_every_year(self) -> Self:
        date(2023, self.month, self.day)  # 29 February would not
        return self


class Authority(Grounded):
    """Who decides, and until when (exclusive)."""

    name: Text
    until: date | None = None


class Gap(Rule):
    """Something the law must say and that was not found: shown, never guessed."""

    id: Nfc
    state: Literal["not_found"]
    text: Text


class NoEvidence(Grounded):
    """What a value without any evidence counts as."""

    counts_as: Literal["zero_points", "not_met"]


class RankingRule(Grounded):
    """By what results are put in order, in words; no law gives an order."""

    rule: Text


class _Rubric(Dated):
    series: Series
    legal_reference: Nfc
    deadline: Deadline
    no_evidence: NoEvidence
    decided_by: Annotated[list[Authority], Field(min_length=1)]
    gaps: list[Gap]
    ranking: RankingRule | None = None
    """`None` = results under this rubric are not ranked."""

    @property
    def identity(self) -> str:
        """SHA-256 of the rubric's whole content: two rubrics with the same identity judge alike."""
        return content_hash(self.model_dump(mode="json"))

    @model_validator(mode="after")
    def _authority_known(self) -> Self:
        last = self.decided_by[-1].until
        if last is not None and (self.effective_to is None or last < self.effective_to):
            wanted = f"decided_by_after_{last:%Y_%m_%d}"
            if wanted not in {gap.id for gap in self.gaps}:
                raise ValueError(f"nobody decides after {last}; name the authority or declare the gap `{wanted}`")
        return self


# --------------------------------------------------------------------------------------------------- points


class PointsCriterion(Grounded):
    """One criterion (tiêu chí); its maximum stands in the point table."""

    id: CriterionId
    name: Text


class PointTable(Grounded):
    """Maximum points per criterion. Only results of the same table are ranked together."""

    id: Nfc
    total: Quantity
    step: Annotated[Quantity, Field(gt=0)]
    """Smallest part of a point that may be awarded."""
    maxima: dict[CriterionId, Quantity]


class Grade(Grounded):
    """A band of totals: from `min`, included, to `max`, excluded unless `max_inclusive`."""

    id: Nfc
    name: Text
    min: Quantity
    max: Quantity
    max_inclusive: bool = False


class ZeroRule(Grounded):
    """A criterion with 0 points bars every grade but `grade`, whatever the total."""

    grade: Nfc


class FractionalTotals(Grounded):
    """A total between the whole numbers of two bands (84.5) belongs to the band below."""

    policy: Literal["band_below"]


class PointsRubric(_Rubric):
    """Points per criterion, summed, graded by bands."""

    scoring: Literal["points"]
    criteria: Annotated[list[PointsCriterion], Field(min_length=1)]
    point_table: PointTable
    grades: Annotated[list[Grade], Field(min_length=1)]
    zero_rule: ZeroRule | None = None
    fractional_totals: FractionalTotals

    def maximum(self, criterion: str) -> Decimal:
        """Maximum points of a criterion."""
        return self.point_table.maxima[criterion]

    def grade(self, total: Decimal) -> Grade:
        """The band of a total between 0 and the table's total."""
        return next(band for band in reversed(self.grades) if band.min <= total)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ids = [criterion.id for criterion in self.criteria]
        _unique("criterion", ids)
        table = self.point_table
        if set(table.maxima) != set(ids):
            odd = sorted(set(table.maxima) ^ set(ids))
            raise ValueError(f"criteria and point table differ in {', '.join(odd)}; each criterion needs one maximum")
        total = sum(table.maxima.values(), Decimal(0))
        if total != table.total:
            raise ValueError(f"the maxima sum to {total}, not to {table.total}; correct the point table")
        _unique("grade", [grade.id for grade in self.grades])
        _bands_cover(self.grades, table.total)
        if self.zero_rule and self.zero_rule.grade not in {grade.id for grade in self.grades}:
            raise ValueError(f"the zero rule names the grade {self.zero_rule.grade!r}, which does not exist")
        if self.no_evidence.counts_as != "zero_points":
            raise ValueError("under a points rubric missing evidence can only count as zero_points")
        return self


def _bands_cover(grades: list[Grade], total: Decimal) -> None:
    """Bands stand from lowest to highest, meet without gap or overlap, start at 0 and include the total."""
    if grades[0].min != 0:
        raise ValueError(f"the lowest band must start at 0, not at {grades[0].min}; list the lowest band first")
    for below, above in pairwise(grades):
        if below.max_inclusive:
            raise ValueError(f"only the highest band may include its maximum, not {below.id}")
        if below.max < above.min:
            raise ValueError(f"the bands leave a gap from {below.max} ({below.id}) to {above.min} ({above.id})")
        if below.max > above.min:
            raise ValueError(f"the bands overlap from {above.min} ({above.id}) to {below.max} ({below.id})")
    for grade in grades:
        if grade.min >= grade.max:
            raise ValueError(f"the band {grade.id} is empty: {grade.min} is not below {grade.max}")
    if grades[-1].max != total or not grades[-1].max_inclusive:
        raise ValueError(f"the highest band must reach {total} and include it (`max_inclusive: true`)")


# ------------------------------------------------------------------------------------------------ pass/fail


class _Target(Grounded):
    id: CriterionId
    name: Text


class BooleanRule(_Target):
    """Done or not done; the same at every level."""

    type: Literal["boolean"]


class PartsRule(_Target):
    """All named parts must be there."""

    type: Literal["parts"]
    parts: Annotated[dict[Nfc, Text], Field(min_length=1)]


class LevelRule(_Target):
    """A minimum level under another rule whose own scale ends at `max_level`."""

    type: Literal["level"]
    max_level: Annotated[int, Field(ge=1, le=3)]
    min_level: dict[LevelId, Annotated[int, Field(ge=1, le=3)]]


Threshold = Annotated[Exact, Field(gt=0, le=1)]
"""A minimum share of people ("at least"): an exact fraction."""


class ShareRule(_Target):
    """A minimum share of people."""

    type: Literal["share"]
    thresholds: dict[LevelId, Threshold]


class PairThreshold(Rule):
    """Minimum shares of trained people and of people with a university degree, both of all citizens."""

    trained: Threshold
    university: Threshold


class SharePairRule(_Target):
    """Two minimum shares that must both be reached; lower ones in a difficult area (vùng khó khăn)."""

    type: Literal["share_pair"]
    thresholds: dict[LevelId, PairThreshold]
    thresholds_difficult_area: dict[LevelId, PairThreshold]

    def required(self, level: LevelId, difficult_area: bool) -> PairThreshold:
        """The thresholds of a level in the commune's own kind of area."""
        return (self.thresholds_difficult_area if difficult_area else self.thresholds)[level]


Target = Annotated[BooleanRule | PartsRule | LevelRule | ShareRule | SharePairRule, Field(discriminator="type")]


class PassFailCriterion(Grounded):
    """A criterion is met only if all its targets are met."""

    id: CriterionId
    name: Text
    targets: Annotated[list[Target], Field(min_length=1)]


class Level(Grounded):
    """A level is reached only if all criteria are met at its thresholds."""

    id: LevelId
    name: Text


class Recognised(Grounded):
    """Level 2 needs a recognised level 1 of at least `months` months before the cut-off date."""

    months: Annotated[int, Field(ge=1)]


class Validity(Grounded):
    """How long a recognition is valid, counted from the end of the year of the decision."""

    months: Annotated[int, Field(ge=12, multiple_of=12)]


class DifficultArea(Grounded):
    """The lower thresholds hold only where the submission names the decision that says so."""

    needs_basis: Literal[True]


class PassFailRubric(_Rubric):
    """Targets met or not met, no points; two levels."""

    scoring: Literal["pass_fail"]
    criteria: Annotated[list[PassFailCriterion], Field(min_length=1)]
    levels: list[Level]
    all_targets: Grounded
    """The ground of "all targets of all criteria"."""
    recognised: Recognised
    validity: Validity
    difficult_area: DifficultArea

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets in the order of the law."""
        return tuple(target for criterion in self.criteria for target in criterion.targets)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _unique("criterion", [criterion.id for criterion in self.criteria])
        _unique("target", [target.id for target in self.targets])
        if [level.id for level in self.levels] != ["L1", "L2"]:
            raise ValueError("the levels must be L1 and L2, in this order")
        for target in self.targets:
            _levels_rise(target)
        if self.no_evidence.counts_as != "not_met":
            raise ValueError("under a pass/fail rubric missing evidence can only count as not_met")
        return self


def _levels_rise(target: Target) -> None:
    """Every table names both levels, and level 2 asks for at least as much as level 1."""
    tables: list[Mapping[LevelId, int | Fraction]] = []
    match target:
        case LevelRule():
            tables = [dict(target.min_level)]
            if any(needed > target.max_level for needed in target.min_level.values()):
                raise ValueError(f"{target.id} asks for a level above its scale ({target.max_level})")
        case ShareRule():
            tables = [dict(target.thresholds)]
        case SharePairRule():
            pairs = (target.thresholds, target.thresholds_difficult_area)
            tables = [{level: pair.trained for level, pair in table.items()} for table in pairs]
            tables += [{level: pair.university for level, pair in table.items()} for table in pairs]
    for table in tables:
        if set(table) != {"L1", "L2"}:
            raise ValueError(f"{target.id} must state a threshold for L1 and for L2")
        if table["L2"] < table["L1"]:
            raise ValueError(f"{target.id} asks for less at L2 than at L1")


def _unique(what: str, ids: list[str]) -> None:
    for one in ids:
        if ids.count(one) > 1:
            raise ValueError(f"the {what} {one} stands twice; keep one of them")


# --------------------------------------------------------------------------------------------------- access

Rubric = PointsRubric | PassFailRubric


class _File(RootModel[Annotated[Rubric, Field(discriminator="scoring")]]):
    pass


def load_rubrics(folder: Path) -> dict[str, Rubric]:
    """Read all rubrics of a folder (one per file, the file named by its id) and prove each series.

    Raises:
        RulebookError: with file, place and what to mend.
    """
    found: dict[str, Rubric] = {}
    for file in sorted(folder.glob("*.yaml")):
        one = read(file, _File).root
        if one.id != file.stem:
            raise RulebookError(file.name, "id", f"{one.id!r} must be the file's own name, {file.stem!r}")
        found[one.id] = one
    if not found:
        raise RulebookError(f"{folder.name}/", "", "holds no rubric; without one nothing can be judged")
    for series in sorted({one.series for one in found.values()}):
        prove_succession(_of(series, found.values()), lambda version: f"{version.id}.yaml")
    return found


def _of(series: Series, rubrics: Iterable[Rubric]) -> list[Rubric]:
    return [one for one in rubrics if one.series == series]


@cache
def _rubrics() -> dict[str, Rubric]:
    return load_rubrics(DATA / "rubrics")


def rubrics() -> tuple[Rubric, ...]:
    """All rubrics, in order of id. Raises `RulebookError`."""
    return tuple(_rubrics().values())


def rubric(id: str) -> Rubric:
    """The rubric of that id. Raises `KeyError` if there is none."""
    return _rubrics()[id]


def cut_off(period: int) -> date:
    """The day that decides which rubric, and which state of the register, an assessment period is judged by."""
    return date(period, 12, 31)


def rubric_for(series: Series, period: int) -> Rubric:
    """The rubric in force on the cut-off date of a period, whenever it is asked for.

    Raises:
        NoRuleInForce: none was; a neighbouring rule is never extended silently.
    """
    return in_force(_of(series, rubrics()), cut_off(period), f"rubrics/ ({series})")


def deadline(rubric: Rubric, period: int) -> datetime:
    """End (24:00 in Asia/Ho_Chi_Minh) of the last day for a period's submission: in time is what came *before* it."""
    rule = rubric.deadline
    last_day = datetime(period + rule.years_after, rule.month, rule.day, tzinfo=HANOI)
    return last_day + timedelta(days=1)
