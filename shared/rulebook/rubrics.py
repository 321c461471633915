"""Rubrics: by what a commune or centre is judged, read from `data/rubrics/*.yaml` and proven at load time.

Kinds: points with grade bands (`points.py`), pass/fail with two levels (here), standards in levels (`standards.py`),
shares rolled up (`models.py`), reports (`reports.py`). A rubric that was once used is never changed: a change is a new
file with a new id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, RootModel, model_validator

from shared.contracts.base import Text
from shared.contracts.submissions import CriterionId
from shared.refusals import problem
from shared.rulebook.basis import Day, LevelSource, RubricBase, Series, ShareSource, Use, Validity, unique
from shared.rulebook.errors import Findings, RulebookError, Unfit
from shared.rulebook.models import ModelsRubric
from shared.rulebook.overlays import Placed, folders, layered, nations
from shared.rulebook.points import PointsRubric, PointTable
from shared.rulebook.references import prove_references
from shared.rulebook.reports import ReportRubric
from shared.rulebook.source import Grounded, in_force, read
from shared.rulebook.standards import StandardsRubric
from shared.rulebook.tables import Tables, load_tables, under
from shared.rulebook.targets import (
    LevelId,
    LevelRule,
    RecognisedShareRule,
    SharePairRule,
    ShareRule,
    Target,
    Traits,
    levels_rise,
)

HANOI = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Legal time of Viet Nam: UTC+7 without daylight saving, so no time zone database is needed."""

# ------------------------------------------------------------------------------------------------ pass/fail


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


class DifficultArea(Grounded):
    """The lower thresholds hold only where the submission names the decision that says so."""

    needs_basis: Literal[True]


class PassFailRubric(RubricBase):
    """Targets met or not met, no points; two levels."""

    scoring: Literal["pass_fail"]
    criteria: Annotated[list[PassFailCriterion], Field(min_length=1)]
    levels: list[Level]
    all_targets: Grounded
    """The ground of "all targets of all criteria"."""
    recognised: Recognised
    validity: Validity
    difficult_area: DifficultArea | None = None
    traits: Traits | None = None

    @property
    def uses(self) -> tuple[Use, ...]:
        """The results and recognitions that decide some of its targets."""
        found: list[Use] = []
        for target in self.targets:
            match target:
                case LevelRule(reference=LevelSource() as source):
                    found.append(Use(target.id, source.series, source.standard, max(target.min_level.values())))
                case ShareRule(reference=ShareSource() as source):
                    found.append(Use(target.id, source.series, source.share))
                case RecognisedShareRule(counts=counts):
                    found.append(Use(target.id, "commune" if counts == "communes" else "district"))
        return tuple(found)

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets in the order of the law."""
        return tuple(target for criterion in self.criteria for target in criterion.targets)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        unique("criterion", [criterion.id for criterion in self.criteria])
        unique("target", [target.id for target in self.targets])
        if [level.id for level in self.levels] != ["L1", "L2"]:
            raise Unfit("rulebook.levels_differ", stated=", ".join(level.id for level in self.levels) or "–")
        for target in self.targets:
            levels_rise(target)
        self._prove_references_inside()
        if self.no_evidence.counts_as != "not_met":
            raise Unfit("rulebook.evidence_counts_as", stated=self.no_evidence.counts_as, allowed="not_met")
        return self

    def _prove_references_inside(self) -> None:
        """What targets name stands in the same file: traits, gaps, the ground of lower thresholds."""
        if self.traits:
            unique("trait", [trait for group in self.traits.groups for trait in group])
        traits = set(self.traits.names) if self.traits else set()
        gaps = {gap.id for gap in self.gaps}
        for target in self.targets:
            _known(target.id, target.traits_named, traits)
            if isinstance(target, RecognisedShareRule) and target.not_computable is not None:
                _known(target.id, {target.not_computable.gap}, gaps)
            if isinstance(target, SharePairRule) and self.difficult_area is None:
                raise Unfit("rulebook.ground_missing", id=target.id, entry="difficult_area")


def _known(id: str, named: set[str], known: set[str]) -> None:
    for one in sorted(named - known):
        raise Unfit("rulebook.unknown_reference", id=id, reference=one, known=", ".join(sorted(known)) or "–")


# --------------------------------------------------------------------------------------------------- access

Rubric = PointsRubric | PassFailRubric | StandardsRubric | ModelsRubric | ReportRubric


class _File(RootModel[Annotated[Rubric, Field(discriminator="scoring")]]):
    pass


def load_rubrics(places: Sequence[Path]) -> dict[str, Rubric]:
    """Read all rubrics of the rulebook's folders, one per file (`rubrics/<id>.yaml`), and prove each series.

    Raises:
        RulebookError: with all that is wrong: in a file, in the succession of a series, in what rubrics refer to.
    """
    found = Findings()
    placed: list[Placed[Rubric]] = []
    for place in nations(places, "rubrics/*.yaml"):
        with found.noting():
            one = read(place.file, _File, place.name).root
            placed.append(Placed(one, place))
            if one.id != place.file.stem:
                other = problem("rulebook.id_not_file_name", "id", id=one.id, name=place.file.stem)
                raise RulebookError(place.name, other)
    if not placed and not found.errors:
        raise RulebookError("rubrics/", problem("rulebook.no_rubric"))
    rubrics: dict[str, Rubric] = {}
    for series in sorted({one.version.series for one in placed}):
        with found.noting():
            layers = layered(f"rubrics/ ({series})", [one for one in placed if one.version.series == series])
            rubrics |= {one.version.id: one.version for one in layers.all}
    with found.noting():
        prove_references(rubrics.values())
    found.settle()
    return dict(sorted(rubrics.items()))


def ruled() -> frozenset[str]:
    """Series that have a rubric, whenever it is in force: what lists for people name."""
    return frozenset(one.series for one in rubrics())


def _of(series: Series, rubrics: Iterable[Rubric]) -> list[Rubric]:
    return [one for one in rubrics if one.series == series]


@lru_cache
def _rubrics(places: Sequence[Path]) -> dict[str, Rubric]:
    return load_rubrics(places)


@lru_cache
def _tables(places: Sequence[Path]) -> Tables:
    return load_tables(places, {one.id: one for one in _rubrics(places).values() if isinstance(one, PointsRubric)})


@lru_cache
def _applied(places: Sequence[Path]) -> dict[str, PointsRubric]:
    """Rubrics as they apply under each own table, by the table's id."""
    tables = [placed.version for layers in _tables(places).values() for placed in layers.all]
    rubrics = {one.id: one for one in _rubrics(places).values() if isinstance(one, PointsRubric)}
    return {table.id: under(rubrics[table.rubric], table) for table in tables}


def rubrics() -> tuple[Rubric, ...]:
    """All rubrics, in order of id, with their national point tables. Raises `RulebookError`."""
    return tuple(_rubrics(folders()).values())


def own_tables() -> Tables:
    """All point tables that somebody has decided himself, by rubric. Raises `RulebookError`."""
    return _tables(folders())


def rubric(id: str) -> Rubric:
    """The rubric of that id, with its national point table. Raises `KeyError` if there is none."""
    return _rubrics(folders())[id]


def cut_off(period: int) -> date:
    """The day that decides which rubric, and which state of the register, an assessment period is judged by."""
    return date(period, 12, 31)


def rubric_for(series: Series, period: int, province: str | None = None) -> Rubric:
    """The rubric in force on the cut-off date of a period, whenever it is asked for, as it applies in a province.

    Args:
        province: holder of the subject on the cut-off date; the point table (and bands) that it, else the ministry,
            has decided for that day takes the place of the national default. `None` = the nation's.

    Raises:
        NoRuleInForce: none was; a neighbouring rule is never extended silently.
        RulebookError: a file cannot be used.
    """
    one = in_force(_of(series, rubrics()), cut_off(period), f"rubrics/ ({series})")
    if not isinstance(one, PointsRubric):
        return one
    return _applied(folders()).get(point_table_for(one, province, period).id, one)


def rules_of(series: Series) -> Text:
    """The rules of a series, each with the periods on whose last day it is in force."""
    said = {"vi": list[str](), "en": list[str]()}
    for one in sorted(_of(series, rubrics()), key=lambda one: one.effective_from):
        first = one.effective_from.year
        last = None if one.effective_to is None else one.effective_to.year - 1
        said["vi"].append(f"{one.id} (từ {first} trở đi)" if last is None else f"{one.id} ({first}–{last})")
        said["en"].append(f"{one.id} ({first} and later)" if last is None else f"{one.id} ({first}–{last})")
    return Text(vi="; ".join(said["vi"]), en="; ".join(said["en"]))


def point_table_for(rubric: PointsRubric, province: str | None, period: int) -> PointTable:
    """The point table of a rubric in a province on the cut-off date: its own, else the ministry's, else the rubric's.

    Args:
        province: code on the cut-off date; `None` = the nation's.

    Raises:
        RulebookError: a file cannot be used.
    """
    tables = _tables(folders()).get(rubric.id)
    own = tables.own(cut_off(period), province) if tables else None
    return rubric.point_table if own is None else own


def deadline(rubric: Rubric, period: int) -> datetime:
    """End (24:00 in Asia/Ho_Chi_Minh) of the last day for a period's submission: in time is what came *before* it."""
    return end_of(rubric.deadline, period)


def end_of(day: Day, period: int) -> datetime:
    """End (24:00 in Asia/Ho_Chi_Minh) of a day that is counted from a period."""
    return datetime(period + day.years_after, day.month, day.day, tzinfo=HANOI) + timedelta(days=1)
