"""What Langhoc's own services publish. Each fact carries the whole state, so that no reader needs to ask back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import (
    CommuneCode,
    Contract,
    Dong,
    Growing,
    Instant,
    Points,
    Problem,
    Provenance,
    ProvinceCode,
    RuleRef,
    Status,
    Step,
    SupportYear,
    Text,
    Version,
    Year,
)
from shared.contracts.submissions import (
    AreaClass,
    AssessmentSeries,
    ByDecision,
    CentreAct,
    Content,
    Direction,
    RecognisedSeries,
    Standard,
    TitleModel,
)

Purpose = Literal["operating", "equipment"]
"""Support of a year, or the one-off grant for the equipment of a new centre."""
SubmissionKind = Literal[
    "commune", "centre", "assessment", "registration", "envelope", "support", "payment", "recognition", "title"
]
Act = Literal["submission", "withdrawal", "revocation"]
"""What a record does with what is accepted of its subject: it files it, takes it back, or says that it was revoked."""

# ----------------------------------------------------------------------------------------------- intake


class Original(Contract):
    """The first receipt: that a duplicate refers to, or under which the submission was held until it was decided."""

    receipt_id: str
    received_at: Instant
    status: Status
    body_hash: str


class MinistryOrder(Contract):
    """The ministry's order under which a submission is taken, whether or not its period has closed."""

    kind: Literal["reopening", "history"]
    id: str
    decision_number: str | None = None
    import_id: Annotated[str | None, Field(exclude_if=lambda id: id is None)] = None
    """The signed import of history that the order is a part of: never claimed, only given by who checked it."""

    @property
    def imported(self) -> str | None:
        """By which name history is known that the ministry took in; `None`: it came from a sender."""
        return (self.import_id or self.id) if self.kind == "history" else None


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
    """Where the record lay: `topic/partition@offset`, or `history/<order id>.<province>/0@<place in the order>`."""
    body_hash: str
    kind: SubmissionKind | None = None
    act: Act = "submission"
    submission_id: str | None = None
    subject: str | None = None
    """Unit, centre or province that the submission speaks of, where it could be read."""
    period: int | None = None
    purpose: Literal["equipment"] | None = None
    """That it speaks of a payment of the initial equipment, which stands beside the support of the same year."""
    deadline: Instant | None = None
    version: int | None = None
    """The accepted version that this submission made, repeats, or collides with."""
    original: Original | None = None
    under: MinistryOrder | None = None
    """The order without which it would have been refused, or which handed it in."""
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
    reason: str | None = None
    """Why it replaces the version before, as its sender said."""
    under: MinistryOrder | None = None
    """The order under which it was taken, as its receipt says."""

    @property
    def imported(self) -> str | None:
        """The ministry's import of history, or its order, that handed it in; `None`: its sender did."""
        return self.under.imported if self.under else None


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
    unit_id: str | None = None
    """The commune in which it was registered, whose code may since mean another; `None` in facts before this field."""
    holder: ProvinceCode | None = None
    """Province in which that place lay on the cut-off date, by the register that intake saw; `None`: not told."""
    period: Year
    rubric: str
    content: Content


class AssessmentAccepted(Accepted):
    """`langhoc.assessment.accepted.v1`, subject = `<series>/<subject id>`."""

    series: Annotated[AssessmentSeries, Growing()]
    subject_id: str
    """Unit id of a commune, `<code>` of a district or province on the cut-off date, a centre's id, or the own id of a
    learning unit or vocational centre."""
    name: str
    holder: ProvinceCode
    """Province that held the subject on the cut-off date (in the codes of that day)."""
    period: Year
    rubric: str
    content: Content
    by_decision: ByDecision = {}


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
    suspended_on: date | None = None
    resumed_on: date | None = None
    act: CentreAct | None = None
    decision_number: str | None = None
    decided_on: date | None = None
    decided_by: str | None = None


class EnvelopeAccepted(Accepted):
    """`langhoc.envelope.accepted.v1`, subject = province code."""

    year: Year
    purpose: Literal["operating"] = "operating"
    amount: Dong


class SupportAccepted(Accepted):
    """`langhoc.support.accepted.v1`, subject = centre id."""

    centre_id: str
    year: SupportYear
    purpose: Purpose = "operating"
    amount: Dong


class PaymentAccepted(Accepted):
    """`langhoc.payment.accepted.v1`, subject = `payment/<province>/<payment id>`: a movement of money."""

    payment_id: str
    centre_id: str
    year: SupportYear
    purpose: Purpose
    amount: Dong
    direction: Direction
    paid_on: date
    decision_number: str | None = None


class Revocation(Contract):
    """An authority's decision that a recognition no longer holds."""

    decision_number: str
    decided_on: date
    decided_by: str
    effective_from: date
    """First day on which the recognition no longer holds."""
    reason: str


class RecognitionAccepted(Accepted):
    """`langhoc.recognition.accepted.v1`, subject = unit id, or `<series>/<unit id or code>[/<standard>]`."""

    series: RecognisedSeries = "commune"
    unit_id: str
    """Unit id of a commune, id of a centre, code of a district or province, or a learning unit's own id."""
    code: str
    standard: Standard | None = None
    period: Year
    level: int | None = None
    grade: str | None = None
    decision_number: str
    decided_on: date
    decided_by: str
    revocation: Revocation | None = None
    """It was revoked; a later version without it is another decision in its place."""


class TitleAccepted(Accepted):
    """`langhoc.title.accepted.v1`, subject = `title/<province>/<model>/<holder id>/<unit id>`: one per year."""

    model: TitleModel
    holder_id: str
    """Opaque, the province's own."""
    unit_id: str
    """The commune, as it was on the day of the decision."""
    code: CommuneCode
    decision_number: str
    decided_on: date
    decided_by: str
    ends_on: date | None = None
    """First day on which it no longer holds."""
    revocation: Revocation | None = None
    """It was revoked; a later version without it is another decision in its place."""


Closable = Literal["commune", "centre", AssessmentSeries, "envelope", "support"]
"""Whose periods (or budget years) close: series of assessments, and the money that provinces state."""


class ReopeningEnded(Contract):
    """That a reopening was ended before its time."""

    reason: str
    ended_by: str
    ended_at: Instant


class PeriodReopened(Contract):
    """`langhoc.period.reopened.v1`, subject = `period/<order id>`: the ministry lets senders change a closed period.

    Who arrives from `ordered_at` on and before `closes_at` is taken. Version 2 says that it was ended before its time.
    """

    order_id: str
    version: Version
    what: Annotated[Closable, Growing()]
    period: SupportYear
    province: ProvinceCode | None = None
    """For whom; `None`: for every province."""
    subject: str | None = None
    """Of which unit or centre alone, as submissions name it; `None`: of all."""
    reason: str
    until: Instant
    """First instant at which it is closed again, as it was ordered."""
    decision_number: str | None = None
    ordered_by: str
    ordered_at: Instant
    ended: ReopeningEnded | None = None

    @property
    def closes_at(self) -> datetime:
        """First instant at which it is closed again."""
        return self.ended.ended_at if self.ended else self.until


class RequestWithdrawn(Contract):
    """That who asked for something asks for it no more."""

    reason: str
    withdrawn_by: str
    withdrawn_at: Instant


class LateRequested(Contract):
    """`langhoc.late.requested.v1`, subject = `late/<province>/<request id>`: a province asks that a file be taken whose
    period is closed to it. Version 2 says that it asks no more."""

    request_id: str
    """The province's own."""
    version: Version
    province: ProvinceCode
    what: Annotated[Closable, Growing()]
    period: Year
    subject: str | None = None
    """Of which unit or centre, as submissions name it; `None` of an envelope, which is the province's."""
    receipt_id: str
    """Of the file that was refused: what it would file."""
    reason: str
    requested_by: str
    requested_at: Instant
    decide_by: Instant
    """The ministry answers before it. What is not answered by then is overdue, and neither granted nor refused."""
    withdrawn: RequestWithdrawn | None = None


class LateDecision(Contract):
    """What the ministry answers to such a request."""

    granted: bool
    reason: str
    decision_number: str | None = None
    until: Instant | None = None
    """Granted: first instant at which the period is closed again."""
    order_id: str | None = None
    """Granted: the order that opens it (`PeriodReopened`); to revoke the grant is to end that order."""
    decided_by: str
    decided_at: Instant


class LateDecided(LateRequested):
    """`langhoc.late.decided.v1`, under the subject of the request, as its next version: the ministry's answer."""

    decision: LateDecision


class Withdrawn(Accepted):
    """`langhoc.submission.withdrawn.v1`, under the subject of the fact that it takes back.

    Its `version` is the next one of that fact. The subject is unassessed (unregistered, without money on record) from
    then on; a new submission makes the version after it.
    """

    kind: SubmissionKind
    subject: str
    """That of the withdrawn fact: unit id, centre id, `<series>/<id>`, province, `payment/<province>/<payment id>`."""
    period: SupportYear | None = None
    """Period or year; `None` of a registration or a payment."""
    purpose: Purpose | None = None
    """Of support and envelopes."""
    withdraws: Version
    """The version that was withdrawn."""
    reason: str


class SubmissionErased(Contract):
    """`langhoc.submission.erased.v1`, subject = `erasure/<receipt id>`: of a submission that does not stand the words
    are erased. Whoever keeps words of it drops them, also when they come later; what was decided stays decided.
    """

    receipt_id: str
    """Of the submission."""
    version: Version
    """1: what is erased is erased."""
    order_id: str
    """The ministry's order to erase it."""
    province: ProvinceCode
    """The sender."""
    kind: SubmissionKind | None = None
    subject: str
    """That of the accepted facts where there are some, else as it was sent, else the province."""
    period: int | None = None
    sha256: str | None
    """Of the bytes that were kept; `None` where none were."""
    erased_at: Instant


# ----------------------------------------------------------------------------------------------- scoring


class Reference(Contract):
    """A result under another rubric that a result used, frozen as it was: a later change of it changes nothing here."""

    series: str
    """A series whose results feed others: `centre`, `universal_education`, `learning_models`, `commune`, `district`."""
    subject: str
    period: Year
    version: Version
    rubric: str
    outcome: dict[str, str]
    """What was used of it: `{"grade": "tot"}`, `{"primary": "2"}`, `{"learning_citizens": "3123/5021"}`."""
    hash: str
    """`hash` of that result."""
    decision_number: Annotated[str | None, Field(exclude_if=lambda number: number is None)] = None
    """The authority's decision that said it, where no result was used: then the hash is that of the decision."""


class RecognitionInForce(Contract):
    """The authority's decision that stands beside a computed result on the cut-off date of its period."""

    level: int | None
    grade: str | None
    decision_number: str
    decided_on: date
    valid_until: date
    """First day on which it no longer holds."""
    in_force: bool
    """Whether it held on the cut-off date; `False`: it had expired, or was revoked by then."""
    revocation: Revocation | None = None
    """It was revoked, by then or later."""
    imported: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None
    """The ministry's import of history, or its order, that handed it in; `None`: its sender did."""


class Recognition(Contract):
    """An authority's decision that recognises a level or a grade: beside the computed one, never the same thing."""

    unit_id: str = ""
    """Under which id it was filed: of the same unit that may be another one. Decisions kept by an older release do not
    tell."""
    period: int
    standard: Standard | None = None
    """Of universal education."""
    level: int | None = None
    grade: str | None = None
    decision_number: str
    decided_on: date
    decided_by: str
    version: Version
    revocation: Revocation | None = None
    imported: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None
    """The ministry's import of history, or its order, that handed it in; `None`: its sender did, or an older release
    did not keep it."""

    @classmethod
    def of(cls, accepted: RecognitionAccepted) -> Recognition:
        """The decision inside an accepted fact."""
        return cls.model_validate(accepted.model_dump() | {"imported": accepted.imported})


class NotCarried(Contract):
    """A unit that was merged into others or split: those are other units, so nothing of it counts for them."""

    unit_id: str
    code: str
    name: str
    decision: Recognition | None = None
    """A decision on it; `None`: all that there may be, told in the first period of what was formed from it."""


@dataclass(frozen=True, slots=True)
class RecognisedCounts:
    """How many of the communes or districts inside a subject are recognised by a decision that counts in the period."""

    counted: Literal["communes", "districts"]
    total: int
    """All that existed on that day."""
    recognised: Mapping[str, int]
    """Id of each one that is recognised → its recognised level, 1 or 2."""
    computed: Mapping[str, int] = field(default_factory=dict)
    """Id → level of our own results: for information, it counts nowhere."""


class TitleCounts(Contract):
    """Titles by single decisions that count in a commune on the cut-off date of a period, each holder once."""

    held: Mapping[TitleModel, int]
    """By model; one of which no decision was ever sent for the commune is not there, and not 0."""
    elsewhere: Mapping[TitleModel, int] = {}
    """Of each, decisions of this commune on whose holders a later decision of another commune counts."""


class Inputs(Contract):
    """All that a result is made from besides the accepted assessment and the rules; judging it again needs nothing
    else. In an event it is what lay there when it was judged: what changes neither a figure nor a sentence since then
    is not published anew."""

    recognitions: tuple[Recognition, ...] = ()
    """All decisions on the subject."""
    references: tuple[Reference, ...] = ()
    """Results under other rubrics that were at hand; which of them decide something, the rule says."""
    counts: RecognisedCounts | None = None
    standards: tuple[Recognition, ...] = ()
    """Of a commune: all decisions on its standards of universal education."""
    not_carried: tuple[NotCarried, ...] = ()
    """Former units of which it is not the continuation, and decisions on them."""
    withdrawn: Withdrawn | None = None
    """The accepted assessment was taken back."""
    titles: Annotated[TitleCounts | None, Field(exclude_if=lambda titles: titles is None)] = None
    """Of learning models: what single decisions come to. Which source counts, the file says."""


Cause = Literal["correction", "withdrawal", "recognition", "reference", "recompute", "register"]
"""Why a result was judged again: a new submission, the withdrawal of the last one, an authority's decision, another
result that it uses, an order to judge again, or a correction of the register."""
ResultState = Literal["scored", "incomplete", "unassessed"]
"""`unassessed`: what it was judged from has been withdrawn; nothing of it counts anywhere."""


class Superseded(Contract):
    """The version of a result that a newer one replaces: what it had come to, and why it was judged again."""

    version: Version
    state: ResultState
    total: Points | None
    grade: str | None
    level: int | None
    hash: str
    """`hash` of that version."""
    cause: Cause
    reason: str | None = None
    """What its sender said of it: of a correction or a withdrawal."""


class ResultHead(Contract):
    """What every result comes to, in whatever form it is told."""

    version: Version
    input_version: Version
    """Version of the accepted assessment that was scored, or of its withdrawal."""
    period: Year
    rubric: str
    point_table: str | None
    """Identity of the point table used; only results of the same table are ranked together."""
    state: ResultState
    total: Points | None
    grade: str | None
    """Grade id of a points rubric (`tot`, `kha`, `trung_binh`, `chua_dat`, `yeu`)."""
    level: int | None
    """0, 1 or 2 of a pass/fail rubric; computed, not a recognition."""
    missing: list[str]
    """Criteria or targets without a value."""
    recognition: RecognitionInForce | None = None
    provenance: Provenance
    received_at: Instant
    imported: Annotated[str | None, Field(exclude_if=lambda name: name is None)] = None
    """The ministry's import of history, or its order, that handed in what was scored; `None`: its sender did."""
    hash: str = ""
    """SHA-256 over all that was judged, without its words, version, times and receipts, and who handed it in: same
    input, same hash."""
    supersedes: Superseded | None = None
    """The version before; `None` for the first."""


class OfCommune(Contract):
    """Whose result it is: a commune's."""

    unit_id: str
    code: CommuneCode
    name: str
    holder: ProvinceCode
    province: ProvinceCode
    area_class: AreaClass | None = None
    rank_key: str | None
    """Sorts in the order of the ranking rule, exactly; equal keys tie; `None` = not ranked."""


class OfCentre(Contract):
    """Whose result it is: a centre's."""

    centre_id: str
    name: str
    commune_code: CommuneCode
    unit_id: str | None = None
    """The commune in which it was registered, whose code may since mean another; `None` of an earlier release. It is no
    part of what was judged."""
    province: ProvinceCode


MergerFinding = Literal["allowed", "not_allowed", "review_only", "no_rule_found"]
"""What is said of a merger of public district centres. `review_only`: it may be prepared, and not be carried out.
`no_rule_found`: the rulebook has none for that day and those parts, which neither allows nor forbids it."""


class OfAssessment(Contract):
    """Whose result it is: another subject's."""

    series: Annotated[AssessmentSeries, Growing()]
    subject_id: str
    name: str
    holder: ProvinceCode
    province: ProvinceCode
    standards: dict[str, int] = {}
    """Level reached per standard of Decree 20/2014 (`preschool_5`, `primary`, `lower_secondary`, `literacy`)."""
    shares: dict[str, str] = {}
    """Exact shares that other rubrics use, as `p/q` (`learning_citizens`)."""
    recognised_standards: Annotated[dict[str, RecognitionInForce], Field(exclude_if=lambda found: not found)] = {}
    """Per standard the authority's decision that stands beside the level."""
    finding: Annotated[Annotated[MergerFinding, Growing()] | None, Field(exclude_if=lambda found: found is None)] = None
    """Of a merger: what the rule in force on the day of its proposal says; `None`: nobody can say, or no merger."""


Met = dict[str, bool | None]
"""Per level (`L1`, `L2`; of an indicator under points: `met`): met, not met, or `None` when it cannot be computed. A
level that does not ask it of such a subject is absent."""


_Told = Field(exclude_if=lambda value: value is None)
"""Absent where there is nothing to tell."""


class Verdict(Contract):
    """What one criterion (tiêu chí) came to: points under a points rubric, levels met under a pass/fail rubric."""

    points: Annotated[Points | None, _Told] = None
    """That count; `None` where the rubric gives none, or none were sent."""
    met: Annotated[Met, Field(exclude_if=lambda met: not met)] = {}
    targets: Annotated[dict[str, Met], Field(exclude_if=lambda targets: not targets)] = {}
    """Of its targets (chỉ tiêu), by id; or of those indicators of a points criterion that have a machine rule."""


class Result(ResultHead):
    """What every scored event carries: verdicts by the ids of the rules, and the values that they were reached on.

    Names, thresholds, citations and every sentence are those of the rules: `rulebook` names all of them as they were
    (`langhoc.rulebook.released.v1`), each lies on the topic `rules` (`langhoc.rule.released.v1`). Nothing stands here
    twice: what was sent of a criterion or target stands in `content` under its id.
    """

    point_table: Annotated[str | None, _Told] = None
    total: Annotated[Points | None, _Told] = None
    grade: Annotated[str | None, _Told] = None
    recognition: Annotated[RecognitionInForce | None, _Told] = None
    rulebook: str | None = None
    """Revision of the rulebook by which it was judged; `None` of results that an earlier release published."""
    criteria: dict[str, Verdict]
    """By id, in the order of the rule."""
    not_applicable: Annotated[list[str], Field(exclude_if=lambda ids: not ids)] = []
    """Targets in whose cohort nobody is (`0/0`). They are met or not as the rules count that, and a ranking leaves them
    out of its counts and means."""
    content: Annotated[Content | None, _Told] = None
    """The assessment as it was accepted; `None` of one that was withdrawn, and of results of an earlier release."""
    inputs: Annotated[Inputs, Field(exclude_if=lambda inputs: inputs == Inputs())] = Inputs()


class CommuneScored(OfCommune, Result):
    """`langhoc.commune.scored.v2`, subject = unit id."""


class CentreScored(OfCentre, Result):
    """`langhoc.centre.scored.v2`, subject = centre id."""


class AssessmentScored(OfAssessment, Result):
    """`langhoc.assessment.scored.v2`, subject = `<series>/<subject id>`."""

    by_decision: ByDecision = {}
    """As it was accepted, beside `content`."""


AppealFollows = Literal["correct", "reopen", "recompute"]
"""What changes the figures, where an appeal is upheld: a correction that the province files, a reopening of the period
for this subject that the ministry orders and then a correction, or an order to judge again."""


class AppealMade(Contract):
    """`langhoc.appeal.made.v1`, subject = `appeal/<province>/<appeal id>`: a province asks the ministry to look again
    at a version of a result. Version 2 may say that it asks no more."""

    appeal_id: str
    """The province's own."""
    version: Version
    province: ProvinceCode
    """That the result belongs to: today's, which speaks for the holder of the subject on the cut-off date."""
    series: Annotated[Literal["commune", "centre", AssessmentSeries], Growing()]
    subject: str
    """Unit id, centre id, or subject id within the series."""
    name: str
    """Of the subject, as the result has it."""
    period: Year
    result_version: Version
    result_hash: str
    reason: str
    made_by: str
    made_at: Instant
    decide_by: Instant
    """The ministry decides before it. What is not decided by then is overdue, and neither upheld nor dismissed."""
    withdrawn: RequestWithdrawn | None = None


class AppealDecision(Contract):
    """What the ministry decides on an appeal. It changes no figure by itself."""

    upheld: bool
    follows: AppealFollows | None = None
    """Upheld: what changes the figures."""
    reason: str
    decision_number: str | None = None
    decided_by: str
    decided_at: Instant


class AppealDecided(AppealMade):
    """`langhoc.appeal.decided.v1`, under the subject of the appeal, as its next version."""

    decision: AppealDecision


class Counted(Contract):
    """What was counted towards a goal: shares added up over subjects that do not overlap."""

    numerator: int
    denominator: int
    reported: int
    """Subjects (communes, provinces, units) that it was counted from."""
    of: int | None
    """Subjects that there are on the cut-off date; `None` = the register does not know them."""


Attained = Literal["met", "on_path", "behind", "not_met", "unknown"]
"""Reached; not yet, but as far as the path asks for this year; less than that; not reached, where no path is known;
nothing to go by, which is not zero."""


class GoalAttained(Contract):
    """How far one goal is reached. Shares are exact fractions (`7/10`)."""

    goal: str
    """Id of the goal; the rule document `goals` holds its words, value and citation."""
    standing: Attained
    reason: Literal["not_reported", "nobody"] | None = None
    """Why it is unknown: nothing is reported for it, or nobody is there to be counted."""
    count: Counted | None = None
    to_goal: str | None = None
    """The share less the goal: below zero, what it lacks."""
    needed_for_goal: int | None = None
    """How many more, of as many as there are, reach the goal."""
    path: str | None = None
    """The share that this year's path asks for; `None` = it is not known where the path began."""
    to_path: str | None = None
    needed_for_path: int | None = None
    missing: tuple[ProvinceCode, ...] = ()
    """Of the nation: provinces that reported nothing for it. They are not counted as zero."""


class AttainmentComputed(Contract):
    """`langhoc.attainment.computed.v1`, subject = `attainment/<scope>`: every goal in force in a period."""

    scope: str
    """A province's code on the cut-off date, or `vn`."""
    period: Year
    version: Version
    policy: str
    """Id of the path policy."""
    rulebook: str
    """Revision of the rulebook, which holds the goals."""
    goals: tuple[GoalAttained, ...]
    computed_at: Instant


class PreviousPlace(Contract):
    """Where the same unit stood in the same ranking of the period before, as that was last published."""

    unit_id: str
    """Its id then: a unit that continues one whole former unit is the same unit."""
    rank: int | None
    total: Points | None = None
    grade: str | None = None
    level: int | None = None


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
    result_hash: str | None = None
    """`hash` of the result that was ranked."""
    area_class: AreaClass | None = None
    rank_key: str | None = None
    """Rows stand in descending order of it; equal keys share the rank; `None` = not ranked."""
    previous_rank: int | None = None
    previous: PreviousPlace | None = None
    no_movement: Text | None = None
    """Why there is no `previous_rank` to compare with."""


class PagePlace(Contract):
    """The first or last row of a page."""

    rank: int | None
    rank_key: str | None
    code: CommuneCode


class PageEntry(Contract):
    """One page in the manifest of a ranking."""

    page: int
    version: Version
    """Version of the ranking in which the page last changed: there it was published."""
    rows: int
    hash: str
    """SHA-256 over its rows in order."""
    first: PagePlace
    last: PagePlace


class PreviousRanking(Contract):
    """The ranking with which the movement of ranks was computed."""

    period: Year
    version: Version
    hash: str


class RankingPublished(Contract):
    """`langhoc.ranking.published.v1`, subject = scope: the head of one version of one ranking, with its manifest."""

    scope: str
    """`nation`, `province-<code of the cut-off date>`, or `area-<area class>` of the whole nation."""
    period: Year
    version: Version
    rubric: str
    ranked: int
    unranked: int
    pages: int
    hash: str
    """SHA-256 over the hashes of all pages in order: the identity of a ranking."""
    published_at: Instant
    supersedes: Version | None = None
    """The version that this one replaces."""
    manifest: list[PageEntry] = []
    """All pages in order. A page of an older version has not changed since and is not published again."""
    point_table: str | None = None
    policy: str = ""
    """Id of the ranking policy."""
    provenance: Provenance | None = None
    """How well the order of the ranking is supported."""
    inputs_hash: str = ""
    """SHA-256 over `[[province, hash], …]` by province, each hash over its `[[unit id, result version, result hash],
    …]` by unit id: what was ranked, whatever the rule."""
    changes: int = 0
    """Units whose result changed since `supersedes`; they are listed in `ranking.changes`."""
    shifted: int = 0
    """Units whose rank moved only because others changed."""
    previous: PreviousRanking | None = None


class RankingPage(Contract):
    """`langhoc.ranking.page.v1`, subject = scope: at most 500 rows."""

    scope: str
    period: Year
    version: Version
    page: int
    rows: list[RankingRow] = Field(max_length=500)
    hash: str = ""
    """SHA-256 over the rows in order."""


class RankedResult(Contract):
    """What a unit's row said in one version of a ranking."""

    rank: int | None
    total: Points | None = None
    grade: str | None = None
    level: int | None = None
    reason: Text | None = None
    result_version: int | None = None


class RankChange(Contract):
    """A unit whose result changed between two versions of a ranking."""

    unit_id: str
    code: CommuneCode
    name: str
    holder: ProvinceCode
    before: RankedResult | None
    """`None`: it did not stand in this ranking."""
    after: RankedResult | None
    """`None`: it no longer stands in this ranking."""
    cause: Literal["first_result"] | Cause
    """That of its result's latest version; `register`: the register of units changed."""


class RankingChanges(Contract):
    """`langhoc.ranking.changes.v1`, subject = scope: what a version changed against the one it supersedes."""

    scope: str
    period: Year
    version: Version
    supersedes: Version
    page: int
    pages: int
    changes: list[RankChange] = Field(max_length=500)
    """In order of unit id."""
    shifted: int
    """Units whose rank moved only because others changed (of the whole ranking)."""


class RankingReleased(Contract):
    """`langhoc.ranking.released.v1`, subject = scope: what the public sees of a ranking, from this act on.

    Rankings are computed whenever a result changes; released they are by people. A later change is seen when it is
    released in its turn, and after a release was withdrawn nothing is: an earlier one does not revive.
    """

    scope: str
    period: Year
    version: Version
    """Number of the act: of all that released or withdrew this ranking, from 1."""
    state: Literal["released", "withdrawn"]
    ranking: RankingPublished
    """Head of the version that is released (or withdrawn), with its manifest: its pages stay as they are."""
    decision_number: str
    decided_on: date
    signed_by: str
    reason: str | None = None
    """Why it replaces the act before, why it is withdrawn, or why what is `accepted` is; `None` only for a first
    release that accepts nothing."""
    order_id: str
    released_by: str
    role: str
    released_at: Instant
    supersedes: Version | None = None
    """The act that this one replaces."""
    changes: int = 0
    """Units whose result is another than in the act before."""
    shifted: int = 0
    """Units whose rank moved since then only because others changed."""
    accepted: Annotated[list[str], Field(exclude_if=lambda accepted: not accepted)] = []
    """Warnings of results that would have held the release, `<commune code>/<warning>`: somebody looked at each of
    them, and released the ranking all the same; `reason` says why."""


# ----------------------------------------------------------------------------------------------- funding

AdjustmentState = Literal["proposed", "submitted", "approved", "refused", "void"]
"""`void`: a later correction took it back."""
_MONTHS = 12


def _is_none(value: object) -> bool:
    return value is None


AllocationCase = Literal["below_legal_minimum", "hold_harmless_relaxed", "performance", "above_caps", "no_centres"]


class TakenOver(Contract):
    """What a centre takes over of one predecessor's support, in đồng a year."""

    predecessor: str
    support: int
    """Of the predecessor in the year before the change, for a whole year."""
    amount: int
    """This centre's part of it."""
    months: Annotated[int, Field(exclude_if=lambda months: months == _MONTHS)] = _MONTHS
    """Of the year of the change: the months that the predecessor does not carry itself."""


class SupportOnRecord(Contract):
    """What is on record for one year of a centre and of all that it continues, in đồng, never annualised."""

    year: int
    own: int | None
    parts: tuple[TakenOver, ...] = ()


class SupportLineage(Contract):
    """What a centre that continues others, or gave a part of itself away, is measured against, by last year."""

    year: int
    """The budget year of the latest change."""
    last: SupportOnRecord
    """Of the year before the budget year."""
    before: SupportOnRecord | None = None
    """Within the transition: what at least counts, of the year before a change or of its year."""
    since: int | None = None
    """The year of that change."""


class SupportSuccession(Contract):
    """The same, by the year before the change: `own` stays the centre's own of it, `parts` are taken over."""

    year: int
    own: int | None
    parts: tuple[TakenOver, ...]


class GradeCounted(Contract):
    """Of which rubric and period the grade is that counts."""

    rubric: str
    period: int
    imported: Annotated[str | None, Field(exclude_if=_is_none)] = None
    """The import of history that handed in the file that was graded, or the decision; `None`: its sender did."""
    decision_number: Annotated[str | None, Field(exclude_if=_is_none)] = None
    """The authority's decision that gave the grade, where none was computed for its period."""


class EquipmentStanding(Contract):
    """Where a centre's initial equipment stands; `paid` is on record, in đồng."""

    standing: Literal["none", "due", "rest", "not_recorded"]
    paid: int = 0


class ImportedSupport(Contract):
    """A support of an earlier year that the ministry took in as history: no province stated it here."""

    centre_id: str
    year: int
    import_id: str
    """The import, or the order of history, that handed it in."""
    decision_number: Annotated[str | None, Field(exclude_if=_is_none)] = None
    """Of the ministry's decision to take it in."""


class Basis(Contract):
    """What an amount rests on besides its line's own figures and its run: values alone, in đồng."""

    area_class: AreaClass
    population_served: int
    graded: Annotated[GradeCounted | None, Field(exclude_if=_is_none)] = None
    last_months: Annotated[int, Field(exclude_if=lambda months: months == _MONTHS)] = _MONTHS
    """Months of the year before that `last_year` paid for."""
    lineage: Annotated[SupportLineage | None, Field(exclude_if=_is_none)] = None
    succession: Annotated[SupportSuccession | None, Field(exclude_if=_is_none)] = None
    unknown: Annotated[tuple[str, ...], Field(exclude_if=lambda ids: not ids)] = ()
    """Centres (itself, predecessors) whose support of last year should be on record and is not."""
    cap: Annotated[Dong | None, Field(exclude_if=_is_none)] = None
    """What bounds a centre that nothing measures."""
    norms_relaxed: Annotated[bool, Field(exclude_if=lambda relaxed: not relaxed)] = False
    """The province's own higher norms could not all be paid, so that `floor` is the law's minimum."""
    equipment: Annotated[EquipmentStanding | None, Field(exclude_if=_is_none)] = None
    """Of a line that is a grant of the initial equipment."""
    imported: Annotated[tuple[ImportedSupport, ...], Field(exclude_if=lambda found: not found)] = ()
    """Those supports of earlier years that it is measured against which the ministry took in as history."""


class NamedDecision(Contract):
    """A decision on a centre, as far as it is named."""

    act: str | None = None
    number: str | None = None
    on: date | None = None
    by: str | None = None


class Departure(Contract):
    """Why a centre takes no part in a proposal any more."""

    why: Literal["left", "no_envelope", "registration_withdrawn", "closed", "suspended"]
    """`left`: nothing more is known."""
    on: date | None = None
    """First day on which it is closed or suspended."""
    decision: NamedDecision | None = None
    reason: str | None = None
    """Of a withdrawal, as its sender said it."""


class Correction(Contract):
    """How a line was computed again after the approval of its run, and whose money that moves. Money in đồng."""

    run_version: int
    shared: Annotated[Dong | None, Field(exclude_if=_is_none)] = None
    """What the whole province shared anew; `None`: the centre alone was computed, by the run's own λ or θ."""
    exact: str
    due: Dong
    """What the corrected inputs give: exact, and rounded."""
    paid: int = 0
    """From the reserve; negative: returned to it."""
    carried: int = 0
    reserve: Dong = 0
    """Before it was paid."""
    kept: Annotated[int, Field(exclude_if=lambda kept: not kept)] = 0
    """What a later year has paid, and does not return to this reserve."""
    owed: Annotated[Dong | None, Field(exclude_if=_is_none)] = None
    """Initial equipment that no adjustment pays."""
    rules: tuple[RuleRef, ...] = ()
    """By which it was computed: those of the approval."""


class Allocation(Contract):
    """One centre's proposed support: the values that made it. Money in đồng; fractions as `p/q`.

    The words for it are made of the line, its run (`BudgetRunProposed`) and the rules that the run names.
    """

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
    months: Annotated[int, Field(ge=1, le=12)] = 12
    """Months of the budget year that are supported; part of the weight."""
    weight: str
    grade: str | None
    score: Points | None = None
    """Points of the result that counts, where the rubric gives points."""
    assessment: Literal["scored", "awaited", "pending", "not_submitted"]
    """`awaited`: the deadline has not passed. `pending`: a file came by it and is refused, held or incomplete."""
    awaited_until: Instant | None = None
    """The deadline that has not passed yet, or the day on which a pending file's period closes."""
    result_version: int | None
    binds: Literal["floor", "lower", "upper", "none"]
    exact: str
    """The exact share before rounding."""
    flags: list[str] = []
    basis: Annotated[Basis | None, Field(exclude_if=_is_none)] = None
    """`None` of a centre that takes no part, and of an earlier release."""
    departure: Annotated[Departure | None, Field(exclude_if=_is_none)] = None
    """Of the closing line of a centre that takes no part any more."""
    correction: Annotated[Correction | None, Field(exclude_if=_is_none)] = None
    """Of a line that was corrected after the approval."""
    told: Annotated[tuple[Step, ...], Field(exclude_if=lambda steps: not steps)] = ()
    """The steps of an earlier release, in its words; of a line of today there are none."""


class BudgetProposed(Contract):
    """`langhoc.budget.proposed.v2`, subject = centre id: one centre's line of a province's proposal."""

    province: ProvinceCode
    year: Year
    purpose: Literal["operating"] = "operating"
    version: Version
    run_version: Version
    allocation: Allocation
    previous_amount: Dong | None
    """Amount of the version before; `None` for the first."""
    grant: Allocation | None = None
    """The initial equipment of a newly established centre: purpose `equipment`, besides the yearly support."""


class BudgetRunProposed(Contract):
    """`langhoc.budget.run.proposed.v1`, subject = province: the proof that a province's lines add up."""

    province: ProvinceCode
    year: Year
    purpose: Literal["operating"] = "operating"
    version: Version
    envelope: Dong
    carried: Dong = 0
    """Deltas of the year before, paid first. Always carried + equipment + allocated + reserve = envelope."""
    equipment: Dong = 0
    """Initial equipment of newly established centres, a purpose of its own."""
    allocated: Dong
    """The sum of the lines."""
    reserve: Dong
    floors: Annotated[Dong | None, Field(exclude_if=_is_none)] = None
    """The sum of the lines' minima; `None`: an earlier release did not tell it."""
    grants: Annotated[int, Field(exclude_if=lambda grants: not grants)] = 0
    """Centres that share `equipment`."""
    centres: int
    case: AllocationCase
    lambda_: Annotated[str | None, Field(alias="lambda")] = None
    theta: str | None = None
    flags: list[str]
    awaited: int = 0
    """Lines whose file may still come in time."""
    pending: int = 0
    """Lines whose file came in time and is not settled."""
    not_submitted: int = 0
    """Lines whose file did not come in time."""
    without_base: int = 0
    """Lines that are measured against no last year's support."""
    last_year_unknown: list[str] = []
    """Centres whose support of last year is on nobody's record: they get their floor only."""
    equipment_not_recorded: int = 0
    """Centres opened since 24 November 2008 of whose initial equipment nothing is on record."""
    hash: str
    """SHA-256 over (centre id, amount) in order of centre id."""
    rules: Annotated[tuple[RuleRef, ...], Field(exclude_if=lambda rules: not rules)] = ()
    """By which it was computed: norms, the law's norms below a province's own, policy, the list of area classes, and
    the rubrics of the grades that count. An earlier release named none."""
    proposed_at: Instant
    provenance: Provenance

    model_config = Contract.model_config | {"populate_by_name": True, "serialize_by_alias": True}


class BudgetMoved(Contract):
    """`langhoc.budget.moved.v1`, subject = province: where a budget stands after a person's or the system's action."""

    province: ProvinceCode
    year: Year
    purpose: Literal["operating"] = "operating"
    version: Version
    """Number of the action."""
    action: str
    """`simulate`, `submit`, `withdraw`, `return`, `approve`, `publish`, `adjust`, or of the system `propose`."""
    state: str
    run_version: Version | None
    """Version of the proposal that it is about."""
    why: str
    by: str
    at: Instant


class JournalMark(Contract):
    """Where the journal of a province, year and purpose stands: number and hash of its last entry.

    Whoever keeps the marks that were published can prove that nothing before them was changed or cut off.
    """

    number: Version
    hash: str


class Decided(Contract):
    """What every decision on one centre's support says.

    `(centre_id, year, purpose)` is the key of a decision: there is one chain of versions for it and no second one, so
    whoever pays needs only the newest version and never pays twice. Money in đồng.
    """

    province: ProvinceCode
    year: Year
    purpose: Purpose
    centre_id: str
    version: Version
    amount: Dong
    """What the centre gets for the year as decided now: the whole, not the change."""
    previous_amount: Dong | None
    """Amount of the version before; `None` for the first."""
    delta: int
    """`amount` less `previous_amount`; all of it for the first."""
    settled: Dong = 0
    """Paid on top of it: what earlier years had carried over and no year had paid yet. Not this year's support."""
    carried_total: Dong = 0
    """What this year's corrections carry over, all together; a later year pays it (`settled`)."""
    on_record: Dong = 0
    """Of initial equipment: what the province had stated as paid in this year when it was decided. `amount` comes on
    top of it."""
    allocation: Allocation
    """The line that was decided on, with the values that made it."""
    entry: Version
    """Number of the journal entry that books it."""
    journal: JournalMark
    """The journal after the whole decision."""
    decided_by: str
    decided_at: Instant
    why: str


class BudgetApproved(Decided):
    """`langhoc.budget.approved.v2`, subject = centre id: a centre's support for a year, approved and published."""

    run_version: Version
    """Version of the proposal that was approved."""
    snapshot: str
    """Hash of the frozen inputs, from which the amount can be computed again."""


class BudgetRunApproved(Contract):
    """`langhoc.budget.run.approved.v1`, subject = province: the proof that what was approved is all there and adds up.

    One per purpose; its version is that of the proposal. A reader has everything when it holds `centres` approved
    decisions of this province, year, purpose and `run_version` that give this `hash`. Always `allocated + carried +
    reserve = envelope`, and the envelopes of the purposes together are the province's.
    """

    province: ProvinceCode
    year: Year
    purpose: Purpose
    version: Version
    envelope: Dong
    """What the purpose has of the province's envelope."""
    allocated: Dong
    """Σ amounts."""
    carried: Dong = 0
    """Σ `settled`: what earlier years had carried over."""
    reserve: Dong
    centres: int
    hash: str
    """SHA-256 over `[[centre id, amount, settled], …]` in order of centre id."""
    snapshot: str
    """Hash of the frozen inputs."""
    journal: JournalMark
    submitted_by: str
    approved_by: str
    approved_at: Instant
    published_by: str
    published_at: Instant


class AdjustmentProposed(Contract):
    """`langhoc.budget.adjustment.proposed.v2`, subject = centre id (or province, for its reserve).

    What a correction after approval would change, and where it stands. Nothing changes until people approve it; a later
    correction replaces it by a higher version. Money in đồng.
    """

    adjustment_id: str
    """`<province>/<year>/<centre id>/<number>`; `_reserve` in place of the centre for the province's reserve."""
    version: Version
    province: ProvinceCode
    year: Year
    purpose: Purpose
    centre_id: str | None
    """`None`: the envelope was corrected, and the reserve takes the difference."""
    state: AdjustmentState
    amount: Dong
    """As decided now, with what is carried; of a reserve: the envelope that the journal adds up to."""
    corrected: Dong
    """What the corrected inputs give. Always `corrected = amount + delta + carried`."""
    delta: int
    """Paid this year from the reserve (negative: returned to it); of a reserve: what it gains or loses."""
    carried: int
    """Carried to the next year, because the reserve does not hold it (negative: no longer carried)."""
    allocation: Allocation | None
    """The corrected line; `None` for a reserve."""
    reason: Text
    reverses: str | None = None
    """Id of the adjustment that it takes back, where people asked for that."""
    journal: JournalMark | None = None
    """The journal after it was approved."""
    hash: str
    """Over what is proposed; who approves names it."""
    proposed_at: Instant


class BudgetAdjusted(Decided):
    """`langhoc.budget.adjusted.v2`, subject = centre id: a later version of a decision that `budget.approved` began."""

    adjustment_id: str
    carried: int
    """Part of this correction that next year's budget settles, because this year's reserve does not hold it."""
    reserve: Dong
    """The province's reserve after it."""
    submitted_by: str


PaymentState = Literal[
    "paid", "partly", "not_paid", "overpaid", "paid_without_decision", "not_registered", "returned_more", "nothing_due"
]
"""Where the payments of a centre stand beside what is due to it.

`paid_without_decision`: paid, and nothing was decided or stated. `not_registered`: the same, and the centre is not in
the province's register. `returned_more`: more came back than is on record as paid. `nothing_due`: 0 is due, and nothing
is with the centre.
"""


class PaymentGap(Contract):
    """By how much the payments of a centre and purpose differ from what is due, in đồng above 0."""

    centre_id: str
    purpose: Purpose
    amount: Dong


class PurposeReconciled(Contract):
    """All lines of a purpose together, in đồng. Always `difference = paid - decided - stated`."""

    purpose: Purpose
    decided: Dong
    """What was published as decided, with what is settled of earlier years."""
    stated: Dong = 0
    """What the province stated as approved, of centres on which nothing was decided here."""
    paid: int | None
    """Less what came back; `None`: no payment is on record, which is not 0."""
    difference: int
    centres: dict[PaymentState, int]
    """How many stand where."""


class BudgetReconciled(Contract):
    """`langhoc.budget.reconciled.v1`, subject = province: what was paid beside what was decided of a budget year.

    Published when it changed. It moves no money, and no amount rests on it.
    """

    province: ProvinceCode
    year: SupportYear
    version: Version
    purposes: list[PurposeReconciled]
    short: list[PaymentGap]
    """Less is on record as paid than was decided (or more as returned than as paid), by centre and purpose."""
    over: list[PaymentGap]
    """More is on record as paid than is due."""
    hash: str
    """SHA-256 over `[[centre id, purpose, decided, stated, paid], …]` in that order, `null` where there is none."""
    reconciled_at: Instant


# ----------------------------------------------------------------------------------------------- notifications

AlertKind = Literal[
    "submission_rejected",
    "submission_held",
    "submission_conflict",
    "result_below_threshold",
    "result_changed",
    "support_proposed",
    "below_legal_minimum",
    "last_year_unknown",
    "budget_returned",
    "support_approved",
    "support_adjusted",
    "adjustment_proposed",
    "period_reopened",
    "ranking_released",
    "late_requested",
    "late_decided",
    "appeal_made",
    "appeal_decided",
    "payment_missing",
    "overpaid",
    "centre_idle",
]
RetiredAlertKind = Literal["support_changed"]
"""Of earlier releases: what they told is still shown, and nothing is told so any more."""


class SupportChange(Contract):
    """A centre whose proposed support is not what its province knew. Money in đồng."""

    centre_id: str
    amount: Dong
    last_year: Dong | None
    before: Dong | None = None
    """What was proposed when the time for its file was over, where that is another amount."""


class Alert(Contract):
    """`langhoc.alert.raised.v1` on `alerts.<province>` (or `alerts.ministry`): says what to do by when.

    It stands until `langhoc.alert.cleared.v1` says that it is over; what simply happened (a budget was approved) is
    said once and is never cleared. Whatever is said of an id (raised, said again in other words, cleared, raised again)
    has its next version: of each id only the newest counts.
    """

    alert_id: str
    version: Version = 1
    kind: Annotated[AlertKind | RetiredAlertKind, Growing()]
    severity: Literal["info", "warning", "urgent"]
    province: ProvinceCode
    audience: str
    """`<province code>` or `ministry`."""
    subject: str
    period: int | None
    text: Text
    action: Text
    centres: list[SupportChange] = Field(default=[], max_length=200)
    """Of `support_proposed`: who rises or falls by more than the policy says, or moved since; the largest first."""
    due: Instant | None
    """What is to be done must be done by then; `None` where the rules name no day."""
    cause: str
    """Id of the event that led to the alert."""
    raised_at: Instant


class AlertCleared(Contract):
    """`langhoc.alert.cleared.v1` on the alert's topic, under its subject: what it said is over."""

    alert_id: str
    version: Version
    """The next one of the alert that is over."""
    kind: Annotated[AlertKind | RetiredAlertKind, Growing()]
    province: ProvinceCode
    audience: str
    subject: str
    period: int | None
    why: Text
    cleared_at: Instant
