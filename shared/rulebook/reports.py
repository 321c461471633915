"""Reports: figures of a year that a scheme asks for; no points, no level, nothing that is passed or failed.

A report is complete or lacks something. Its shares stand beside the goals of the state, each under the metric by which
goals know it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeGuard

from pydantic import Field, model_validator

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import CriterionId
from shared.rulebook.basis import RubricBase, Series, Use, unique
from shared.rulebook.errors import Unfit
from shared.rulebook.models import ModelShare
from shared.rulebook.source import Grounded

_PLANNED = "planned_"


def planned(metric: str) -> str:
    """Under which the share is told that a plan aims at: never under the metric itself, which is what was reached."""
    return f"{_PLANNED}{metric}"


class ShareField(ModelShare):
    """Those who count, of all of them."""

    required: bool
    planned: bool = False
    """A share to be reached by the end of the year, as a plan has it (`70/100`)."""
    at_most: CriterionId | None = None
    """Another share, neither of whose counts it may pass (women, of all officials); or a count of all of them."""

    @property
    def told_as(self) -> str:
        """The word under which results tell it."""
        return planned(self.metric) if self.planned else self.metric


class CountField(Grounded):
    """A number of people or things."""

    id: CriterionId
    name: Text
    type: Literal["count"]
    counted: Text
    """What is counted, in the plural."""
    required: bool
    at_most: CriterionId | None = None
    """Another count, or the share of whose whole it is a part."""
    out_of: CriterionId | None = None
    """Another count that it is told beside; more than that is hardly true, but may be (checks that no plan had)."""


class MoneyField(Grounded):
    """An amount in đồng."""

    id: CriterionId
    name: Text
    type: Literal["money"]
    required: bool
    at_most: CriterionId | None = None
    """Another amount, of which it is a part."""
    out_of: CriterionId | None = None
    """Another amount that it is told beside; more than that is hardly true, but may be."""


class PartsField(Grounded):
    """Named things, each of which is there or not (offices that are filled)."""

    id: CriterionId
    name: Text
    type: Literal["parts"]
    parts: Annotated[dict[Nfc, Text], Field(min_length=1)]
    required: bool


class PlainField(Grounded):
    """Whether something was done, on which day, under which number, or from how much to how much."""

    id: CriterionId
    name: Text
    type: Literal["boolean", "day", "text", "change"]
    required: bool
    falls: Literal["in_year", "by_year_end"] | None = None
    """Of a day: when it falls; on another one it hardly does."""


ReportField = ShareField | CountField | MoneyField | PartsField | PlainField
_WITHIN: Mapping[str, tuple[str, ...]] = {"share": ("share", "count"), "count": ("count", "share"), "money": ("money",)}
"""In what a field of a type may be contained."""
_BESIDE: Mapping[str, tuple[str, ...]] = {"count": ("count",), "money": ("money",)}
"""Beside what it may be told."""


class PlanRule(Grounded):
    """Whose planned shares of the same subject and year stand beside the shares of a report."""

    series: Series


class ReportRubric(RubricBase):
    """What a report holds. Without evidence a figure stands as it was reported."""

    scoring: Literal["report"]
    fields: Annotated[list[Annotated[ReportField, Field(discriminator="type")]], Field(min_length=1)]
    plan: PlanRule | None = None

    @property
    def uses(self) -> tuple[Use, ...]:
        """The shares that are planned for its own."""
        if self.plan is None:
            return ()
        return tuple(Use(one.id, self.plan.series, planned(one.metric)) for one in self.fields if _reached(one))

    @property
    def targets(self) -> tuple[ReportField, ...]:
        """Everything that a submission may hold."""
        return tuple(self.fields)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Its shares."""
        return dict.fromkeys((one.told_as for one in self.fields if isinstance(one, ShareField)), 0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        by_id = {one.id: one for one in self.fields}
        unique("field", [one.id for one in self.fields])
        unique("metric", [one.told_as for one in self.fields if isinstance(one, ShareField)])
        if self.no_evidence.counts_as != "as_reported":
            raise Unfit("rulebook.evidence_counts_as", stated=self.no_evidence.counts_as, allowed="as_reported")
        for one in self.fields:
            for name, types in (("at_most", _WITHIN), ("out_of", _BESIDE)):
                other = getattr(one, name, None)
                fit = [id for id, each in by_id.items() if id != one.id and each.type in types.get(one.type, ())]
                if other is not None and other not in fit:
                    raise Unfit("rulebook.unknown_reference", id=one.id, reference=other, known=", ".join(fit) or "–")
        return self


def _reached(field: ReportField) -> TypeGuard[ShareField]:
    return isinstance(field, ShareField) and not field.planned
