"""What provincial portals publish on `submissions.<province>`.

The sender's identity is never part of a body: it is the province of the topic (or of the HTTP token).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.base import (
    Claim,
    CommuneCode,
    Day,
    Dong,
    Identifier,
    Label,
    People,
    Points,
    Quantity,
    SupportYear,
    Version,
    Year,
)

Evidence = Annotated[list[Label], Field(max_length=50)]
"""References to documents that prove a value; the documents stay with the province."""
CriterionId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}[0-9]{1,2}(\.[0-9a-z]{1,2})?$")]


class Share(Claim):
    """A share kept as the two counts it is made of, so that 59.996 % never becomes 60 %."""

    numerator: People
    denominator: People
    """0: there is nobody in the cohort. A fact, not an error: the target is then not applicable."""


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


class MoneyTarget(Claim):
    """An amount of the year, in a report."""

    type: Literal["money"] = "money"
    amount: Dong
    evidence: Evidence = []


class DayTarget(Claim):
    """A day on which something was done, in a report."""

    type: Literal["day"] = "day"
    day: Day
    evidence: Evidence = []


class TextTarget(Claim):
    """What is named or numbered, in a report: a decision."""

    type: Literal["text"] = "text"
    text: Label
    evidence: Evidence = []


TargetValue = Annotated[
    MetTarget
    | PartsTarget
    | LevelTarget
    | ShareTarget
    | SharePairTarget
    | CountTarget
    | ChangeTarget
    | MoneyTarget
    | DayTarget
    | TextTarget,
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
    """Content of an assessment under a rubric of targets, or of a report. A missing target is missing, not failed."""

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
    reason: Label | None = None
    """Why it replaces, revokes or withdraws something; kept with it for ever."""


CodeSystem = Literal["pre-2025-07", "2025-07"]
"""A list of communes' codes, as the ids of its units end: that of the last day before 1 July 2025, or the one since."""


class Coded(Submission):
    """What names a commune by its code."""

    code_system: CodeSystem | None = None
    """In which list the code stands; absent: in that of the day of which the message speaks. The list of another day
    names the same unit under its code of that day, if there is one; nothing is said by it of other codes and ids."""


class CommuneSubmitted(Coded):
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


AssessmentSeries = Literal[
    "district",
    "province",
    "learning_unit",
    "universal_education",
    "learning_models",
    "provincial_plan",
    "scheme_progress",
    "province_committee",
    "commune_committee",
    "inspections",
    "officials_learning",
    "workers_learning",
    "reading_culture",
    "lifelong_week",
    "centre_activity",
    "vocational_centre",
    "centre_merger",
    "streaming",
]
"""Everything assessed or reported besides communes and centres; of whom each is, `shared.contracts.series` says.
Universal education (Decree 20/2014) and learning models (Decisions 281/2014, 448/2015, learning citizens) are assessed
per commune and feed the commune's own assessment. What no rubric judges in a period cannot be sent for it."""


class CountedByDecision(Claim):
    """A model of which the commune says how many there are; who holds the title follows from single decisions."""

    existing: People
    recognised: People | None = None
    """The commune's own count of those recognised: only compared."""
    evidence: Evidence = []
    """What says how many there are; needed where there is none."""


ByDecision = Annotated[dict[CriterionId, CountedByDecision], Field(max_length=50, exclude_if=lambda models: not models)]
"""Learning models whose numerator is counted from single decisions (`langhoc.title.submitted.v1`), by their ids. A
model stands here or among the targets: one source counts."""


class AssessmentSubmitted(Coded):
    """`langhoc.assessment.submitted.v1`: assessment of one subject under one of the other rubrics, for one year."""

    series: AssessmentSeries
    subject: Identifier
    """Commune code (`universal_education`, `learning_models`, `commune_committee`), district code of 3 digits, province
    code, centre id (`centre_activity`), or the province's own opaque id of a learning unit, vocational centre or
    merger."""
    name: Label | None = None
    """A label only."""
    period: Year
    rubric: Identifier
    content: Content
    by_decision: ByDecision = {}


CentreAct = Literal["established", "merged", "split", "suspended", "resumed", "dissolved", "revoked"]
"""What an authority decides about a centre; `revoked`: an earlier decision about it no longer holds."""


class CentreRegistered(Coded):
    """`langhoc.centre.registered.v1`: a centre exists, where, and for how many people."""

    centre_id: Identifier
    """Opaque: never built from a commune code, never parsed."""
    name: Label
    commune_code: CommuneCode
    area_class: AreaClass
    """Region I-III of the list in force (Circular 96/2008), or `other` where the commune is on no list."""
    population_served: People
    opened_on: Day
    closed_on: Day | None = None
    """First day on which the centre no longer exists."""
    predecessors: Annotated[list[Identifier], Field(max_length=50)] = []
    """Centres that were merged into this one, or the one that it was split from."""
    suspended_on: Day | None = None
    """First day on which its work is suspended."""
    resumed_on: Day | None = None
    """First day on which it works again after a suspension."""
    act: CentreAct | None = None
    """What the decision did that led to this state of the register."""
    decision_number: Label | None = None
    decided_on: Day | None = None
    decided_by: Label | None = None
    """Who signed it."""


class EnvelopeSubmitted(Submission):
    """`langhoc.envelope.submitted.v1`: the province's money for its centres in one budget year."""

    year: Year
    purpose: Literal["operating"] = "operating"
    amount: Dong


class SupportSubmitted(Submission):
    """`langhoc.support.submitted.v1`: support that was approved for a centre in a past budget year."""

    centre_id: Identifier
    year: SupportYear
    purpose: Literal["operating", "equipment"] = "operating"
    """`equipment`: paid of the initial equipment, which is owed once (Circular 96/2008/TT-BTC)."""
    amount: Dong


Direction = Literal["paid", "returned"]
"""Which way money went: to a centre, or back from it to the treasury."""


class PaymentSubmitted(Submission):
    """`langhoc.payment.submitted.v1`: one movement of money between the treasury and a centre, as its statement has it.

    What was paid, never what was decided: neither it nor `SupportSubmitted` stands for the other.
    """

    payment_id: Identifier
    """The treasury's own, unique within the province: the same one again is the same movement."""
    centre_id: Identifier
    year: SupportYear
    """The budget year whose money it is, which may be before that of `paid_on`."""
    purpose: Literal["operating", "equipment"] = "operating"
    amount: Dong
    """Above 0; `direction` says which way it went."""
    direction: Direction = "paid"
    """`returned`: money that came back is a movement of its own. A withdrawal says that there never was this one."""
    paid_on: Day
    decision_number: Label | None = None
    """The decision, or mark of the journal, that it names as its ground; a label only."""


RecognisedSeries = Literal["commune", "centre", "learning_unit", "district", "province", "universal_education"]
"""What an authority recognises by a decision."""
Standard = Literal["preschool_5", "primary", "lower_secondary", "literacy"]
"""A standard of Decree 20/2014."""


class Recognised(Coded):
    """What a decision is about: subject, period, and of universal education the standard."""

    series: RecognisedSeries = "commune"
    unit_code: Identifier
    """Commune code, centre id, district code of 3 digits, province code of 2 digits, or the province's own id of a
    learning unit; in universal education a commune, district or province."""
    standard: Standard | None = None
    """Of universal education; without it nothing can use the decision."""
    period: Year


class RecognitionSubmitted(Recognised):
    """`langhoc.recognition.submitted.v1`: an authority's decision that recognises a subject at a level."""

    level: Annotated[int | None, Field(ge=1, le=3, strict=True)] = None
    """Level recognised under a pass/fail rubric (universal education: up to 3); exactly one of `level` and `grade`."""
    grade: Identifier | None = None
    """Grade id recognised under a points rubric."""
    decision_number: Label
    decided_on: Day
    decided_by: Label


class RecognitionRevoked(Recognised):
    """`langhoc.recognition.revoked.v1`: an authority's decision that an earlier recognition no longer holds."""

    corrects_version: Version
    """The accepted recognition that is revoked."""
    reason: Label
    decision_number: Label
    decided_on: Day
    decided_by: Label
    effective_from: Day | None = None
    """First day on which the recognition no longer holds, at the earliest that of its period; absent: `decided_on`."""


TitleModel = Literal["family", "clan", "hamlet", "unit", "citizen"]
"""Who holds a title of the learning models: a family, a clan, a hamlet, a unit of the commune, a learning citizen."""
HolderId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{0,49}[0-9][A-Za-z0-9._-]{0,49}$")]
"""The province's own opaque id of a household, clan, hamlet, unit or citizen. Never a name or the number of an identity
card; without white space, and with a digit in it."""


class Titled(Coded):
    """Which title a message is about. The commune's code is read on the day of the decision."""

    model: TitleModel
    holder_id: HolderId
    commune_code: CommuneCode
    decided_on: Day
    """Day of the decision on the title; a holder has one title of a model in a commune and year."""


class TitleSubmitted(Titled):
    """`langhoc.title.submitted.v1`: the decision that one household, clan, hamlet, unit or citizen holds a title."""

    decision_number: Label
    decided_by: Label
    ends_on: Day | None = None
    """First day on which it no longer holds; absent: it holds until it is revoked, or followed by a later one."""


class TitleRevoked(Titled):
    """`langhoc.title.revoked.v1`: an authority's decision that a title no longer holds."""

    corrects_version: Version
    """The accepted title that is revoked."""
    reason: Label
    decision_number: Label
    """Of the decision that revokes, as all that follows."""
    revoked_on: Day
    decided_by: Label
    effective_from: Day | None = None
    """First day on which the title no longer holds, at the earliest that of its decision; absent: `revoked_on`."""


class Withdrawal(Submission):
    """What every withdrawal says: its sender takes an accepted submission back, whole."""

    corrects_version: Version
    """The accepted version that is withdrawn; no earlier one revives."""
    reason: Label


class CommuneWithdrawn(Withdrawal, Coded):
    """`langhoc.commune.withdrawn.v1`."""

    unit_code: CommuneCode
    period: Year


class CentreWithdrawn(Withdrawal):
    """`langhoc.centre.withdrawn.v1`: the assessment of a centre."""

    centre_id: Identifier
    period: Year


class AssessmentWithdrawn(Withdrawal, Coded):
    """`langhoc.assessment.withdrawn.v1`."""

    series: AssessmentSeries
    subject: Identifier
    period: Year


class RegistrationWithdrawn(Withdrawal):
    """`langhoc.registration.withdrawn.v1`: the centre was registered by mistake."""

    centre_id: Identifier


class EnvelopeWithdrawn(Withdrawal):
    """`langhoc.envelope.withdrawn.v1`."""

    year: Year
    purpose: Literal["operating"] = "operating"


class SupportWithdrawn(Withdrawal):
    """`langhoc.support.withdrawn.v1`."""

    centre_id: Identifier
    year: SupportYear
    purpose: Literal["operating", "equipment"] = "operating"


class PaymentWithdrawn(Withdrawal):
    """`langhoc.payment.withdrawn.v1`: the statement was wrong, no such money moved."""

    payment_id: Identifier


class RecognitionWithdrawn(Withdrawal, Coded):
    """`langhoc.recognition.withdrawn.v1`: it was filed by mistake. An authority's own decision is revoked instead."""

    series: RecognisedSeries = "commune"
    unit_code: Identifier
    standard: Standard | None = None
    period: Year


class TitleWithdrawn(Withdrawal, Titled):
    """`langhoc.title.withdrawn.v1`: it was filed by mistake. An authority's own decision is revoked instead."""
