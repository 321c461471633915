"""What provincial portals publish on `submissions.<province>`.

The sender's identity is never part of a body: it is the province of the topic (or of the HTTP token).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.base import (
    Claim,
    CommuneCode,
    Dong,
    Identifier,
    Label,
    People,
    Points,
    Version,
    Year,
)

Evidence = Annotated[list[Label], Field(max_length=50)]
"""References to documents that prove a value; the documents stay with the province."""
CriterionId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}[0-9]{1,2}(\.[0-9a-z]{1,2})?$")]


class Share(Claim):
    """A share kept as the two counts it is made of, so that 59.996 % never becomes 60 %."""

    numerator: People
    denominator: Annotated[People, Field(ge=1)]


class AwardedPoints(Claim):
    """Points awarded to one criterion (halves allowed) and their evidence."""

    points: Points
    evidence: Evidence = []


class MetTarget(Claim):
    """A target that is met or not met."""

    type: Literal["boolean"] = "boolean"
    met: bool
    evidence: Evidence = []


class PartsTarget(Claim):
    """A target made of named parts that must all be there."""

    type: Literal["parts"] = "parts"
    parts: dict[Annotated[str, StringConstraints(min_length=1, max_length=100)], bool]
    evidence: Evidence = []


class LevelTarget(Claim):
    """A target that refers to the level reached under another rule (Decree 20/2014)."""

    type: Literal["level"] = "level"
    level: Annotated[int, Field(ge=0, le=3, strict=True)]
    evidence: Evidence = []


class ShareTarget(Claim):
    """A target that is a share of people."""

    type: Literal["share"] = "share"
    share: Share
    evidence: Evidence = []


class SharePairTarget(Claim):
    """Target 5.2 of Circular 25/2023: trained people, and those of them with a university degree."""

    type: Literal["share_pair"] = "share_pair"
    trained: Share
    university: Share
    evidence: Evidence = []


TargetValue = Annotated[
    MetTarget | PartsTarget | LevelTarget | ShareTarget | SharePairTarget, Field(discriminator="type")
]


class PointsContent(Claim):
    """Content of an assessment under a points rubric (44/2014, 2553/2013). A missing criterion is missing, not 0."""

    scoring: Literal["points"] = "points"
    points: dict[CriterionId, AwardedPoints]


class TargetsContent(Claim):
    """Content of an assessment under a pass/fail rubric (25/2023). A missing target is missing, not failed."""

    scoring: Literal["pass_fail"] = "pass_fail"
    targets: dict[CriterionId, TargetValue]
    difficult_area: bool = False
    """The province's claim that the commune lies in a difficult area (vùng khó khăn) in the sense of 25/2023."""
    difficult_area_basis: Label | None = None
    """Decision that says so; without it the claim does not count."""


Content = Annotated[PointsContent | TargetsContent, Field(discriminator="scoring")]


class Submission(Claim):
    """What every submission carries."""

    submission_id: Identifier
    """The sender's own identifier, unique within the province."""
    corrects_version: Version | None = None
    """The accepted version that this submission replaces; absent for a first submission."""


class CommuneSubmitted(Submission):
    """`langhoc.commune.submitted.v1`: assessment of a commune ("Cộng đồng học tập" cấp xã) for one year."""

    unit_code: CommuneCode
    unit_name: Label | None = None
    """A label only; a name that differs from the register is a warning."""
    period: Year
    rubric: Identifier
    content: Content


class CentreSubmitted(Submission):
    """`langhoc.centre.submitted.v1`: assessment of a community learning centre (TTHTCĐ) for one year."""

    centre_id: Identifier
    period: Year
    rubric: Identifier
    content: Content


AreaClass = Literal["region_1", "region_2", "region_3", "other"]


class CentreRegistered(Submission):
    """`langhoc.centre.registered.v1`: a centre exists, where, and for how many people."""

    centre_id: Identifier
    """Opaque: never built from a commune code, never parsed."""
    name: Label
    commune_code: CommuneCode
    area_class: AreaClass
    """Region I-III of the list in force (Circular 96/2008), or `other` where the commune is on no list."""
    population_served: People
    opened_on: date


class EnvelopeSubmitted(Submission):
    """`langhoc.envelope.submitted.v1`: the province's money for its centres in one budget year."""

    year: Year
    purpose: Literal["operating"] = "operating"
    amount: Dong


class SupportSubmitted(Submission):
    """`langhoc.support.submitted.v1`: support that was approved for a centre in a past budget year."""

    centre_id: Identifier
    year: Year
    purpose: Literal["operating"] = "operating"
    amount: Dong


class RecognitionSubmitted(Submission):
    """`langhoc.recognition.submitted.v1`: an authority's decision that recognises a commune at a level."""

    unit_code: CommuneCode
    period: Year
    level: Annotated[int, Field(ge=1, le=2, strict=True)]
    decision_number: Label
    decided_on: date
    decided_by: Label
