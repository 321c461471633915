"""A result with its words: what a scored event and the rules that it names come to. Answered, never published."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.contracts.base import Contract, Points, Provenance, Step, Text
from shared.contracts.facts import Met, OfAssessment, OfCentre, OfCommune, Reference, ResultHead


class TargetResult(Contract):
    """One target (chỉ tiêu) under a pass/fail rubric."""

    id: str
    name: Text
    value: str | None
    """The value as submitted, exact and readable (`3123/5021`); `None` when missing."""
    met: Met
    applicable: Annotated[bool, Field(exclude_if=lambda applicable: applicable)] = True
    """`False`: nobody is in the cohort (`0/0`). `met` is then what the rules count that as, and a ranking leaves the
    target out of its counts and means."""
    threshold: dict[str, str]
    """Per level, what was required."""
    reason: Text | None = None
    """Why not met or not computable."""
    evidence: list[str] = []
    """References that were given as proof."""
    citation: str
    provenance: Provenance


class CriterionResult(Contract):
    """One criterion (tiêu chí): points under a points rubric, levels met under a pass/fail rubric."""

    id: str
    name: Text
    points: Points | None = None
    max_points: Points | None = None
    met: Met = {}
    targets: list[TargetResult] = []
    """Its targets (chỉ tiêu), or those indicators of a points criterion that have a machine rule."""
    reason: Text | None = None
    evidence: list[str] = []
    citation: str
    provenance: Provenance


class Explained(ResultHead):
    """A result with everything that made it, in words."""

    criteria: list[CriterionResult]
    next_step: list[Text] = []
    """What was missing for the next grade or level."""
    explanation: list[Step]
    references: list[Reference] = []
    """The results under other rubrics that decided something."""


class CommuneExplained(OfCommune, Explained):
    """A commune's result."""


class CentreExplained(OfCentre, Explained):
    """A centre's result."""


class AssessmentExplained(OfAssessment, Explained):
    """Any other subject's result."""


AnyExplained = CommuneExplained | CentreExplained | AssessmentExplained
