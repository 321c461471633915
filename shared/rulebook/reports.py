"""Reports: figures of a year that a scheme asks for; no points, no level, nothing that is passed or failed.

A report is complete or lacks something. Its shares stand beside the goals of the state, each under the metric by which
goals know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NoReturn, Self, TypeGuard

from pydantic import Field, model_validator

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import Content, CriterionId, PartsTarget, TargetsContent
from shared.rulebook.basis import RubricBase, Series, Use, unique
from shared.rulebook.centre_year import MONTHS, CentreYear
from shared.rulebook.errors import Unfit
from shared.rulebook.goals import Goal
from shared.rulebook.mergers import MergerRules
from shared.rulebook.models import Metric, ModelShare
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
    difficult_area_of: Metric | None = None
    """It counts in areas that a scheme calls difficult what this metric counts everywhere: its goals are the lower
    ones."""

    def faces(self, goal: Goal) -> bool:
        """Whether a goal is one for this share."""
        if self.difficult_area_of is None:
            return goal.metric == self.metric
        return goal.metric == self.difficult_area_of and goal.value_difficult_area is not None

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
    metric: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None = None
    """Of a boolean: the share that it feeds by one subject, which has it or not. Goals speak of all together."""
    falls: Literal["in_year", "by_year_end"] | None = None
    """Of a day: when it falls; on another one it hardly does."""

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.metric is not None and self.type != "boolean":
            raise Unfit("rulebook.unknown_reference", id=self.id, reference=self.metric, known="boolean")
        return self


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
    merger: MergerRules | None = None
    """Of a report on a merger of public district centres: the rules that it is judged by."""
    centre_year: CentreYear | None = None
    """Of a report on a centre's year: what its figures are held against."""
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

    def activity(self, content: Content | None) -> list[bool | None]:
        """Whether there was activity in each month of a centre's year, from January on; `None`: nobody said."""
        if self.centre_year is None or not isinstance(content, TargetsContent):
            return [None] * MONTHS
        field = next(one for one in self.fields if one.id == self.centre_year.months)
        sent = content.targets.get(field.id)
        parts = sent.parts if isinstance(sent, PartsTarget) else {}
        return [parts.get(month) for month in field.parts] if isinstance(field, PartsField) else [None] * MONTHS

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Its shares."""
        return dict.fromkeys(self._metrics, 0)

    @property
    def _metrics(self) -> list[str]:
        told = [one.told_as if isinstance(one, ShareField) else getattr(one, "metric", None) for one in self.fields]
        return [metric for metric in told if metric is not None]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        by_id = {one.id: one for one in self.fields}
        unique("field", [one.id for one in self.fields])
        unique("metric", self._metrics)
        if self.no_evidence.counts_as != "as_reported":
            raise Unfit("rulebook.evidence_counts_as", stated=self.no_evidence.counts_as, allowed="as_reported")
        for one in self.fields:
            everywhere = getattr(one, "difficult_area_of", None)
            if everywhere is not None and everywhere not in self.outcomes:
                known = ", ".join(self.outcomes)
                raise Unfit("rulebook.unknown_reference", id=one.id, reference=everywhere, known=known)
            for name, types in (("at_most", _WITHIN), ("out_of", _BESIDE)):
                other = getattr(one, name, None)
                fit = [id for id, each in by_id.items() if id != one.id and each.type in types.get(one.type, ())]
                if other is not None and other not in fit:
                    raise Unfit("rulebook.unknown_reference", id=one.id, reference=other, known=", ".join(fit) or "–")
        for id, type_ in self.centre_year.fields if self.centre_year else ():
            fit = [one.id for one in self.fields if one.type == type_ and _is_of_months(one)]
            if id not in fit:
                raise Unfit("rulebook.unknown_reference", id="centre_year", reference=id, known=", ".join(fit) or "–")
        if self.merger is not None:
            self._prove_merger(self.merger)
        return self

    def _prove_merger(self, rules: MergerRules) -> None:
        """The fields and the gap that the rules name stand in this file."""
        fields = {(one.id, one.type) for one in self.fields}
        for id, type in rules.fields().items():
            if (id, type) not in fields:
                _unknown(id, [known for known, of in fields if of == type])
        for id in {*rules.decision} - {one.id for one in self.fields}:
            _unknown(id, [one.id for one in self.fields])
        if rules.no_rule not in {gap.id for gap in self.gaps}:
            _unknown(rules.no_rule, [gap.id for gap in self.gaps])


def _unknown(named: str, known: Sequence[str]) -> NoReturn:
    raise Unfit("rulebook.unknown_reference", id="merger", reference=named, known=", ".join(sorted(known)) or "–")


def _is_of_months(field: ReportField) -> bool:
    """Of named parts: whether they are as many as months of a year. Of any other field nothing is asked."""
    return not isinstance(field, PartsField) or len(field.parts) == MONTHS


def _reached(field: ReportField) -> TypeGuard[ShareField]:
    return isinstance(field, ShareField) and not field.planned
