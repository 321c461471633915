"""Learning models: how many of them were recognised, of how many there are; no points, no criteria of our own.

Families, clans, hamlets and units are recognised by decisions outside the platform, as are learning citizens: their
point tables were found in part or not at all. The platform takes counts, never persons.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.contracts.base import Text
from shared.contracts.submissions import CriterionId
from shared.rulebook.basis import RubricBase, unique
from shared.rulebook.errors import Unfit
from shared.rulebook.source import Grounded

Metric = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""What is counted, as goals and rubrics know it."""


class ModelShare(Grounded):
    """One model: those recognised, of those that exist."""

    id: CriterionId
    name: Text
    type: Literal["share"] = "share"
    metric: Metric
    """The name that goals and other rubrics know the share by (`learning_families`)."""
    counted: Text
    """What is counted, in the plural: families, hamlets, people."""


class ModelsRubric(RubricBase):
    """Shares of recognised models, rolled up and set beside the goals of the state; no grade and no level."""

    scoring: Literal["roll_up"]
    models: Annotated[list[ModelShare], Field(min_length=1)]
    difficult_area: Grounded
    """The ground on which a lower goal holds where the submission names the decision that says so."""

    @property
    def targets(self) -> tuple[ModelShare, ...]:
        """Everything that a submission may hold."""
        return tuple(self.models)

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Its shares."""
        return dict.fromkeys((one.metric for one in self.models), 0)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        unique("share", [one.id for one in self.models])
        unique("metric", [one.metric for one in self.models])
        if self.no_evidence.counts_as != "not_met":
            raise Unfit("rulebook.evidence_counts_as", stated=self.no_evidence.counts_as, allowed="not_met")
        return self
