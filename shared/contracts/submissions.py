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
    Quantity,
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
    parts: Annotated[
        dict[Annotated[str, StringConstraints(min_length=1, max_length=100)], bool], Field(max_length=5_000)
    ]
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


class CountTarget(Claim):
    """A target that is a number of things in the year (programmes of a museum)."""

    type: Literal["count"] = "count"
    count: Annotated[int, Field(ge=0, le=10**9, strict=True)]
    evidence: Evidence = []


class ChangeTarget(Claim):
    """A target that asks for a change over the previous year: both values, in the same unit of measure."""

    type: Literal["change"] = "change"
    previous: Quantity
    current: Quantity
    evidence: Evidence = []


TargetValue = Annotated[
    MetTarget | PartsTarget | LevelTarget | ShareTarget | SharePairTarget | CountTarget | ChangeTarget,
    Field(discriminator="type"),
]
AreaClass = Literal["region_1", "region_2", "region_3", "other"]
Trait = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class PointsContent(Claim):
    """Content of an assessment under a points rubric (44/2014, 2553/2013). A missing criterion is missing, not 0."""

    scoring: Literal["points"] = "points"
    points: Annotated[dict[CriterionId, AwardedPoints], Field(max_length=500)]
    indicators: Annotated[dict[CriterionId, TargetValue], Field(max_length=500)] = {}
    """Values of those indicators that have a machine rule (`58 of 60 members`); they can only limit the points."""


class TargetsContent(Claim):
    """Content of an assessment under a pass/fail rubric (25/2023). A missing target is missing, not failed."""

    scoring: Literal["pass_fail"] = "pass_fail"
    targets: Annotated[dict[CriterionId, TargetValue], Field(max_length=500)]
    difficult_area: bool = False
    """The province's claim that the commune lies in a difficult area (vùng khó khăn) in the sense of 25/2023."""
    difficult_area_basis: Label | None = None
    """Decision that says so; without it the claim does not count."""
    specially_difficult: bool = False
    """The province's claim that the commune is specially difficult (đặc biệt khó khăn), in Decree 20/2014's sense."""
    specially_difficult_basis: Label | None = None
    """Decision that says so; without it the claim does not count."""
    traits: Annotated[list[Trait], Field(max_length=20)] = []
    """Kinds that the subject belongs to, where targets hold for some kinds only (`school`, `economic_organisation`)."""


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
    area_class: AreaClass | None = None
    """Region I-III of the list in force on the cut-off date, or `other`; absent = not told, so in no area's ranking."""
    area_class_basis: Label | None = None
    """The list that says so."""
    period: Year
    rubric: Identifier
    content: Content


class CentreSubmitted(Submission):
    """`langhoc.centre.submitted.v1`: assessment of a community learning centre (TTHTCĐ) for one year."""

    centre_id: Identifier
    period: Year
    rubric: Identifier
    content: Content


AssessmentSeries = Literal["district", "province", "learning_unit", "universal_education", "learning_models"]
"""Everything assessed besides communes and centres. Universal education (Decree 20/2014) and learning models (Decisions
281/2014, 448/2015, learning citizens) are assessed per commune and feed the commune's own assessment."""


class AssessmentSubmitted(Submission):
    """`langhoc.assessment.submitted.v1`: assessment of one subject under one of the other rubrics, for one year."""

    series: AssessmentSeries
    subject: Identifier
    """Commune code (`universal_education`, `learning_models`), district code of 3 digits, province code, or the
    province's own opaque id of a learning unit."""
    name: Label | None = None
    """A label only."""
    period: Year
    rubric: Identifier
    content: Content


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
    closed_on: date | None = None
    """First day on which the centre no longer exists."""
    predecessors: Annotated[list[Identifier], Field(max_length=50)] = []
    """Centres that were merged into this one, or the one that it was split from."""


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
    level: Annotated[int | None, Field(ge=1, le=2, strict=True)] = None
    """Level recognised under a pass/fail rubric; exactly one of `level` and `grade` is given."""
    grade: Identifier | None = None
    """Grade id recognised under a points rubric."""
    decision_number: Label
    decided_on: date
    decided_by: Label
