"""Reports: figures of a year that a scheme asks for; no points, no level, nothing that is passed or failed.

A report is complete or lacks something. Its shares stand beside the goals of the state, each under the metric by which
goals know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NoReturn, Self

from pydantic import Field, model_validator

from shared.contracts.base import Nfc, Text
from shared.contracts.submissions import CriterionId
from shared.rulebook.basis import RubricBase, unique
from shared.rulebook.errors import Unfit
from shared.rulebook.mergers import MergerRules
from shared.rulebook.models import ModelShare
from shared.rulebook.source import Grounded


class ShareField(ModelShare):
    """Those who count, of all of them."""

    required: bool
    at_most: CriterionId | None = None
    """Another share, neither of whose counts it may pass (women, of all officials); or a count of all of them."""


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


class MoneyField(Grounded):
    """An amount in đồng."""

    id: CriterionId
    name: Text
    type: Literal["money"]
    required: bool
    at_most: CriterionId | None = None
    """Another amount, of which it is a part."""


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


ReportField = ShareField | CountField | MoneyField | PartsField | PlainField
_WITHIN: Mapping[str, tuple[str, ...]] = {"share": ("share", "count"), "count": ("count", "share"), "money": ("money",)}
"""In what a field of a type may be contained."""


class ReportRubric(RubricBase):
    """What a report holds. Without evidence a figure stands as it was reported."""

    scoring: Literal["report"]
    fields: Annotated[list[Annotated[ReportField, Field(discriminator="type")]], Field(min_length=1)]
    merger: MergerRules | None = None
    """Of a report on a merger of public district centres: the rules that it is judged by."""

    @property
    def targets(self) -> tuple[ReportField, ...]:
        """Everything that a submission may hold."""
        return tuple(self.fields)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Its shares."""
        return dict.fromkeys((one.metric for one in self.fields if isinstance(one, ShareField)), 0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        by_id = {one.id: one for one in self.fields}
        unique("field", [one.id for one in self.fields])
        unique("metric", [one.metric for one in self.fields if isinstance(one, ShareField)])
        if self.no_evidence.counts_as != "as_reported":
            raise Unfit("rulebook.evidence_counts_as", stated=self.no_evidence.counts_as, allowed="as_reported")
        for one in self.fields:
            whole = getattr(one, "at_most", None)
            if whole is None:
                continue
            fit = [id for id, other in by_id.items() if id != one.id and other.type in _WITHIN[one.type]]
            if whole not in fit:
                raise Unfit("rulebook.unknown_reference", id=one.id, reference=whole, known=", ".join(fit) or "–")
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
