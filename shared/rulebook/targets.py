"""Targets (chỉ tiêu) of pass/fail rubrics: what is measured, what each level asks for, for whom the target holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import CriterionId, Trait
from shared.rulebook.basis import LevelSource, ShareSource, Threshold
from shared.rulebook.errors import Unfit
from shared.rulebook.source import WORDING, Grounded, Rule

LevelId = Literal["L1", "L2"]
LEVELS: tuple[LevelId, LevelId] = ("L1", "L2")
Counted = Literal["communes", "districts"]


class Exemption(Rule):
    """The target does not hold for a subject with one of the traits `having` and none of `lacking`."""

    having: Annotated[list[Trait], Field(min_length=1)]
    lacking: list[Trait] = []


class _Target(Grounded):
    """`only_for`, `not_for`, `exempt`: a target that does not hold for a subject is left out of its count."""

    id: CriterionId
    name: Text
    only_for: list[Trait] = []
    """Holds only for subjects with one of these traits; empty = for all."""
    not_for: list[Trait] = []
    exempt: dict[LevelId, Exemption] = {}

    def holds(self, level: LevelId, traits: Collection[str]) -> bool:
        """Whether a level asks this target of a subject with these traits."""
        if self.only_for and not any(trait in traits for trait in self.only_for):
            return False
        if any(trait in traits for trait in self.not_for):
            return False
        exempt = self.exempt.get(level)
        return exempt is None or not (
            any(trait in traits for trait in exempt.having) and not any(trait in traits for trait in exempt.lacking)
        )

    @property
    def traits_named(self) -> set[str]:
        """All traits that the target speaks of."""
        exempt = [trait for one in self.exempt.values() for trait in (*one.having, *one.lacking)]
        return {*self.only_for, *self.not_for, *exempt}


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
    level_names: Annotated[dict[int, Text], WORDING] = {}
    """What that scale calls its levels, where it does not number them."""
    reference: LevelSource | None = None
    """Where that level is itself a result of ours, it decides; else what was submitted."""


class ShareRule(_Target):
    """A minimum share of people."""

    type: Literal["share"]
    thresholds: dict[LevelId, Threshold]
    reference: ShareSource | None = None
    """Where that share is itself a result of ours, it decides; else what was submitted."""


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


class CountRule(_Target):
    """A minimum number of things in the year."""

    type: Literal["count"]
    minimum: dict[LevelId, Annotated[int, Field(ge=1)]]


class ChangeRule(_Target):
    """More, or less, than in the previous year; an equal value is not enough. The same at every level."""

    type: Literal["change"]
    direction: Literal["increase", "decrease"]


class NotComputable(Rule):
    """From this day on the target cannot be computed as written; the rubric's gap `gap` says why."""

    since: date
    gap: Nfc


class RecognisedShareRule(_Target):
    """A minimum share of the communes or districts in the subject that are recognised at the same level or above.

    Nothing is submitted for it: it is counted from the recognitions in force on the cut-off date.
    """

    type: Literal["share_of_recognised"]
    counts: Counted
    thresholds: dict[LevelId, Threshold]
    without_decisions: Grounded | None = None
    """The ground on which units without a decision do not count: their computed levels stand beside for information."""
    not_computable: NotComputable | None = None


Target = Annotated[
    BooleanRule | PartsRule | LevelRule | ShareRule | SharePairRule | CountRule | ChangeRule | RecognisedShareRule,
    Field(discriminator="type"),
]


class Traits(Grounded):
    """The kinds of subject for which targets differ: of each group exactly one must be named by the submission."""

    groups: Annotated[list[Annotated[dict[Trait, Text], Field(min_length=2)]], Field(min_length=1)]

    @property
    def names(self) -> dict[str, Text]:
        """All traits with their names."""
        return {trait: name for group in self.groups for trait, name in group.items()}


def levels_rise(target: Target) -> None:
    """Prove that every table names both levels, and level 2 asks for at least as much. Raises `Unfit`."""
    tables: list[Mapping[LevelId, int | Fraction]] = []
    match target:
        case LevelRule():
            tables = [dict(target.min_level)]
            if any(needed > target.max_level for needed in target.min_level.values()):
                raise Unfit("rulebook.level_above_scale", id=target.id, most=target.max_level)
            if target.level_names and set(target.level_names) != set(range(1, target.max_level + 1)):
                raise Unfit("rulebook.level_unnamed", id=target.id, most=target.max_level)
        case ShareRule() | RecognisedShareRule():
            tables = [dict(target.thresholds)]
        case SharePairRule():
            pairs = (target.thresholds, target.thresholds_difficult_area)
            tables = [{level: pair.trained for level, pair in table.items()} for table in pairs]
            tables += [{level: pair.university for level, pair in table.items()} for table in pairs]
        case CountRule():
            tables = [dict(target.minimum)]
    for table in tables:
        if set(table) != {"L1", "L2"}:
            raise Unfit("rulebook.threshold_missing", id=target.id)
        if table["L2"] < table["L1"]:
            raise Unfit("rulebook.level_asks_less", level="L2", id=target.id)
