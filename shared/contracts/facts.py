"""What Langhoc's own services publish. Each fact carries the whole state, so that no reader needs to ask back."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import (
    CommuneCode,
    Contract,
    Dong,
    Instant,
    Points,
    Problem,
    Provenance,
    ProvinceCode,
    Status,
    Step,
    Text,
    Version,
    Year,
)
from shared.contracts.submissions import AreaClass, AssessmentSeries, Content

SubmissionKind = Literal["commune", "centre", "assessment", "registration", "envelope", "support", "recognition"]

# ----------------------------------------------------------------------------------------------- intake


class Original(Contract):
    """The first receipt that a duplicate refers to."""

    receipt_id: str
    received_at: Instant
    status: Status
    body_hash: str


class Receipt(Contract):
    """`langhoc.receipt.issued.v1` on `receipts.<province>`: the answer to exactly one received record."""

    receipt_id: str
    status: Status
    province: ProvinceCode
    """The sender, taken from the channel."""
    received_at: Instant
    """Business time: the broker's append time (HTTP: arrival), shifted by `clock_offset_seconds`."""
    clock_offset_seconds: int = 0
    """Not 0 only in demonstrations and simulations."""
    channel: str
    """Where the record lay: `topic/partition@offset`, or `http`."""
    body_hash: str
    kind: SubmissionKind | None = None
    submission_id: str | None = None
    subject: str | None = None
    """Unit, centre or province that the submission speaks of, where it could be read."""
    period: int | None = None
    deadline: Instant | None = None
    version: int | None = None
    """The accepted version that this submission made, repeats, or collides with."""
    original: Original | None = None
    problems: list[Problem] = []
    warnings: list[Problem] = []


class Accepted(Contract):
    """What every accepted fact carries."""

    version: Version
    submission_id: str
    receipt_id: str
    province: ProvinceCode
    """The entitled sender."""
    received_at: Instant
    late: bool = False


class CommuneAccepted(Accepted):
    """`langhoc.commune.accepted.v1`, subject = unit id."""

    unit_id: str
    code: CommuneCode
    name: str
    holder: ProvinceCode
    """Province that held the unit on the cut-off date (in the codes of that day)."""
    area_class: AreaClass | None = None
    period: Year
    rubric: str
    content: Content


class CentreAccepted(Accepted):
    """`langhoc.centre.accepted.v1`, subject = centre id."""

    centre_id: str
    name: str
    commune_code: CommuneCode
    period: Year
    rubric: str
    content: Content


class AssessmentAccepted(Accepted):
    """`langhoc.assessment.accepted.v1`, subject = `<series>/<subject id>`."""

    series: AssessmentSeries
    subject_id: str
    """Unit id of a commune, `<code>` of a district or province on the cut-off date, or a learning unit's own id."""
    name: str
    holder: ProvinceCode
    """Province that held the subject on the cut-off date (in the codes of that day)."""
    period: Year
    rubric: str
    content: Content


class RegistrationAccepted(Accepted):
    """`langhoc.registration.accepted.v1`, subject = centre id."""

    centre_id: str
    name: str
    commune_code: CommuneCode
    unit_id: str
    area_class: AreaClass
    population_served: int
    opened_on: date
    closed_on: date | None = None
    predecessors: list[str] = []


class EnvelopeAccepted(Accepted):
    """`langhoc.envelope.accepted.v1`, subject = province code."""

    year: Year
    purpose: Literal["operating"] = "operating"
    amount: Dong


class SupportAccepted(Accepted):
    """`langhoc.support.accepted.v1`, subject = centre id."""

    centre_id: str
    year: Year
    purpose: Literal["operating"] = "operating"
    amount: Dong


class RecognitionAccepted(Accepted):
    """`langhoc.recognition.accepted.v1`, subject = unit id."""

    unit_id: str
    code: CommuneCode
    period: Year
    level: int | None = None
    grade: str | None = None
    decision_number: str
    decided_on: date
    decided_by: str


# ----------------------------------------------------------------------------------------------- scoring


class TargetResult(Contract):
    """One target (chỉ tiêu) under a pass/fail rubric."""

    id: str
    name: Text
    value: str | None
    """The value as submitted, exact and readable (`3123/5021`); `None` when missing."""
    met: dict[str, bool | None]
    """Per level (`L1`, `L2`): met, not met, or `None` when it cannot be computed."""
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
    met: dict[str, bool | None] = {}
    targets: list[TargetResult] = []
    """Its targets (chỉ tiêu), or those indicators of a points criterion that have a machine rule."""
    reason: Text | None = None
    evidence: list[str] = []
    citation: str
    provenance: Provenance


class Reference(Contract):
    """A result under another rubric that a result used, frozen as it was: a later change of it changes nothing here."""

    series: str
    """`centre`, `universal_education`, `learning_models`, `commune` or `district`."""
    subject: str
    period: Year
    version: Version
    rubric: str
    outcome: dict[str, str]
    """What was used of it: `{"grade": "tot"}`, `{"primary": "2"}`, `{"learning_citizens": "3123/5021"}`."""
    hash: str
    """`hash` of that result."""


class RecognitionInForce(Contract):
    """The authority's decision that stands beside a computed result on the cut-off date of its period."""

    level: int | None
    grade: str | None
    decision_number: str
    decided_on: date
    valid_until: date
    """First day on which it no longer holds."""
    in_force: bool
    """Whether it held on the cut-off date; `False`: it had expired."""


class Result(Contract):
    """What every result carries."""

    version: Version
    input_version: Version
    """Version of the accepted assessment that was scored."""
    period: Year
    rubric: str
    point_table: str | None
    """Identity of the point table used; only results of the same table are ranked together."""
    state: Literal["scored", "incomplete"]
    total: Points | None
    grade: str | None
    """Grade id of a points rubric (`tot`, `kha`, `trung_binh`, `chua_dat`, `yeu`)."""
    level: int | None
    """0, 1 or 2 of a pass/fail rubric; computed, not a recognition."""
    criteria: list[CriterionResult]
    missing: list[str]
    """Criteria or targets without a value."""
    next_step: list[Text] = []
    """What was missing for the next grade or level."""
    explanation: list[Step]
    references: list[Reference] = []
    recognition: RecognitionInForce | None = None
    provenance: Provenance
    received_at: Instant
    hash: str = ""
    """SHA-256 over all that was judged and why, without version, times and receipts: same input, same hash."""


class CommuneScored(Result):
    """`langhoc.commune.scored.v1`, subject = unit id."""

    unit_id: str
    code: CommuneCode
    name: str
    holder: ProvinceCode
    province: ProvinceCode
    area_class: AreaClass | None = None
    rank_key: str | None
    """Sorts in the order of the ranking rule, exactly; equal keys tie; `None` = not ranked."""


class CentreScored(Result):
    """`langhoc.centre.scored.v1`, subject = centre id."""

    centre_id: str
    name: str
    commune_code: CommuneCode
    province: ProvinceCode


class AssessmentScored(Result):
    """`langhoc.assessment.scored.v1`, subject = `<series>/<subject id>`."""

    series: AssessmentSeries
    subject_id: str
    name: str
    holder: ProvinceCode
    province: ProvinceCode
    standards: dict[str, int] = {}
    """Level reached per standard of Decree 20/2014 (`preschool_5`, `primary`, `lower_secondary`, `literacy`)."""
    shares: dict[str, str] = {}
    """Exact shares that other rubrics use, as `p/q` (`learning_citizens`)."""


class RankingRow(Contract):
    """One commune in a ranking. Unranked rows stand at the end, with their reason."""

    rank: int | None
    unit_id: str
    code: CommuneCode
    name: str
    holder: ProvinceCode
    total: Points | None = None
    grade: str | None = None
    level: int | None = None
    reason: Text | None = None
    result_version: int | None = None


class RankingPublished(Contract):
    """`langhoc.ranking.published.v1`, subject = scope: the head of one version of one ranking."""

    scope: str
    """`nation` or `province-<code of the cut-off date>`."""
    period: Year
    version: Version
    rubric: str
    ranked: int
    unranked: int
    pages: int
    hash: str
    """SHA-256 over all rows in order."""
    published_at: Instant


class RankingPage(Contract):
    """`langhoc.ranking.page.v1`, subject = scope: at most 500 rows."""

    scope: str
    period: Year
    version: Version
    page: int
    rows: list[RankingRow] = Field(max_length=500)


# ----------------------------------------------------------------------------------------------- funding

AllocationCase = Literal["below_legal_minimum", "hold_harmless_relaxed", "performance", "above_caps", "no_centres"]


class Allocation(Contract):
    """One centre's proposed support with everything that made it. Money in đồng; fractions as `p/q`."""

    centre_id: str
    name: str
    commune_code: CommuneCode
    amount: Dong
    floor: Dong
    lower: Dong
    upper: Dong | None
    last_year: Dong | None
    performance_factor: str
    equity_factor: str
    size_factor: str
    weight: str
    grade: str | None
    assessment: Literal["scored", "pending", "not_submitted"]
    result_version: int | None
    binds: Literal["floor", "lower", "upper", "none"]
    exact: str
    """The exact share before rounding."""
    flags: list[str] = []
    steps: list[Step]


class BudgetProposed(Contract):
    """`langhoc.budget.proposed.v1`, subject = centre id: one centre's line of a province's proposal."""

    province: ProvinceCode
    year: Year
    purpose: Literal["operating"] = "operating"
    version: Version
    run_version: Version
    allocation: Allocation
    previous_amount: Dong | None
    """Amount of the version before; `None` for the first."""


class BudgetRunProposed(Contract):
    """`langhoc.budget.run.proposed.v1`, subject = province: the proof that a province's lines add up."""

    province: ProvinceCode
    year: Year
    purpose: Literal["operating"] = "operating"
    version: Version
    envelope: Dong
    allocated: Dong
    reserve: Dong
    centres: int
    case: AllocationCase
    lambda_: Annotated[str | None, Field(alias="lambda")] = None
    theta: str | None = None
    flags: list[str]
    hash: str
    """SHA-256 over (centre id, amount) in order of centre id."""
    proposed_at: Instant
    provenance: Provenance

    model_config = Contract.model_config | {"populate_by_name": True, "serialize_by_alias": True}


# ----------------------------------------------------------------------------------------------- notifications

AlertKind = Literal[
    "submission_rejected",
    "submission_held",
    "submission_conflict",
    "result_below_threshold",
    "support_changed",
    "below_legal_minimum",
]


class Alert(Contract):
    """`langhoc.alert.raised.v1` on `alerts.<province>` (or `alerts.ministry`): said once, says what to do by when."""

    alert_id: str
    kind: AlertKind
    severity: Literal["info", "warning", "urgent"]
    province: ProvinceCode
    audience: str
    """`<province code>` or `ministry`."""
    subject: str
    period: int | None
    text: Text
    action: Text
    due: Instant | None
    """What is to be done must be done by then; `None` where the rules name no day."""
    cause: str
    """Id of the event that led to the alert."""
    raised_at: Instant
