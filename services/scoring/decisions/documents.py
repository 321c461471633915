"""What scoring keeps: its documents, and their identities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Discriminator, Field, Tag, TypeAdapter, computed_field

from services.scoring.domain import Place, Standing, TitleDecision
from services.scoring.domain import in_order as by_period
from shared.answers.results import Order
from shared.contracts.base import Contract, Instant, Step, Text
from shared.contracts.explained import CriterionResult
from shared.contracts.facts import (
    AppealDecision,
    AppealMade,
    AssessmentAccepted,
    AssessmentScored,
    CentreAccepted,
    CentreScored,
    CommuneAccepted,
    CommuneScored,
    Inputs,
    RankingChanges,
    RankingPage,
    RankingPublished,
    RankingReleased,
    Recognition,
    Reference,
    SubmissionErased,
    SubmissionKind,
    Superseded,
    TitleCounts,
    Withdrawn,
)
from shared.contracts.submissions import RecognisedSeries, Standard, TitleModel
from shared.contracts.verdicts import verdicts
from shared.messaging.decide.documents import Collection, Document, Ref
from shared.messaging.decide.register import REGISTER
from shared.registry import Registry
from shared.rulebook import Series

AcceptedAssessment = CommuneAccepted | CentreAccepted | AssessmentAccepted
Scored = CommuneScored | CentreScored | AssessmentScored


def _which(value: Any) -> str:
    """By what it has one knows what was judged."""
    names = value if isinstance(value, Mapping) else type(value).model_fields
    return next((name for name in ("series", "centre_id") if name in names), "unit_id")


StoredScored = Annotated[
    Annotated[CommuneScored, Tag("unit_id")]
    | Annotated[CentreScored, Tag("centre_id")]
    | Annotated[AssessmentScored, Tag("series")],
    Discriminator(_which),
]
StoredAccepted = Annotated[
    Annotated[CommuneAccepted, Tag("unit_id")]
    | Annotated[CentreAccepted, Tag("centre_id")]
    | Annotated[AssessmentAccepted, Tag("series")],
    Discriminator(_which),
]


class Words(Contract):
    """What a result says in words, with the values and grounds that these rest on."""

    criteria: tuple[CriterionResult, ...]
    explanation: tuple[Step, ...]
    next_step: tuple[Text, ...] = ()
    references: tuple[Reference, ...] = ()


class Result(Contract):
    """`<subject>/<period>`: the last result, and everything it was made from."""

    kind: Series
    subject: str
    period: int
    holder: str
    """The province in whose ranking it stands."""
    version: int
    input_version: int
    feeds: str | None
    """The commune whose own assessment uses it."""
    result: StoredScored
    """Verdicts alone: its words are derived when somebody reads them, what it was judged on stands beside."""
    told: Annotated[Words | None, Field(exclude_if=lambda told: told is None)] = None
    """The words in which an earlier release told it: they stay what people read then."""
    accepted: StoredAccepted
    inputs: Inputs
    recomputed_at: datetime | None = None
    published_at: Annotated[Instant | None, Field(exclude_if=lambda at: at is None)] = None
    """When this version was decided; `None` of versions that an earlier release published."""
    traceparent: str | None = None
    superseded: Annotated[tuple[Superseded, ...], Field(exclude_if=lambda lines: not lines)] = ()
    """Versions before, which an older release kept here."""
    areas: tuple[tuple[str, str], ...] = ()
    """Series and code of the districts and provinces in which a commune has ever lain: its level stands beside."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def standing(self) -> Standing | None:
        """All that rankings read of a commune's result, in a field of its own: it is sealed without the explanations,
        which are a hundred times as long."""
        if not isinstance(self.result, CommuneScored):
            return None
        return Standing(**{name: getattr(self.result, name) for name in Standing.model_fields})


class Before(Contract):
    """`<subject>/<period>/<version>`: what a version had come to that a newer one replaced."""

    of: str
    version: int
    was: Superseded


class Gone(NamedTuple):
    """A decision that its sender withdrew, by the version that says so: an older one that comes later is stale."""

    period: int
    standard: Standard | None
    version: int


class Recognitions(Contract):
    """`<unit id>`, in any other series `<series>@<subject>`: decisions on the subject, and for whom they count."""

    province: Annotated[str | None, Field(exclude_if=lambda province: province is None)] = None
    """Of a centre: who filed the last decision on it, and may see it where there is no result."""

    items: tuple[Recognition, ...] = ()
    """One per period (and standard)."""
    withdrawn: tuple[Gone, ...] = ()
    periods: tuple[int, ...] = ()
    """Of the subject's own results."""
    areas: tuple[tuple[str, str], ...] = ()
    """Series and code of the districts and provinces that count it, or are it."""


class GoneTitle(NamedTuple):
    """A decision on a title that its sender withdrew, by the version that says so: an older one is stale."""

    unit_id: str
    year: int
    version: int


class Holder(Contract):
    """`<province>/<model>/<holder id>`: every decision on the title of one household, clan, hamlet, unit or citizen."""

    model: TitleModel
    decisions: tuple[TitleDecision, ...] = ()
    """One per commune and year."""
    gone: tuple[GoneTitle, ...] = ()
    units: tuple[str, ...] = ()
    """Of the decisions: by them a commune finds its holders."""
    around: tuple[str, ...] = ()
    """The same and what they went into, as far as the register tells: whose counts change with this."""


class TitlesOf(Contract):
    """`<unit id>/<period>`: what single decisions come to in a commune."""

    unit_id: str
    period: int
    counts: TitleCounts | None


class References(Contract):
    """`<unit id>/<period>`: what other rubrics' results say of the commune."""

    items: tuple[Reference, ...] = ()


class Area(Contract):
    """`<series>@<code>/<period>`: the accepted assessment of a district or province, which is judged over a set."""

    series: str
    period: int
    accepted: AssessmentAccepted
    traceparent: str | None = None


class Recompute(Order):
    """`<order id>`: who had a period judged again, why, and what came of it."""

    state: Literal["running", "done", "violated", "failed"] = "running"
    attempt: int = 1
    """How often it was begun: a failed one is begun anew under its id."""
    requested: int = 0
    results: int | None = None
    changed: int | None = None
    violations: list[str] = []
    finished_at: Instant | None = None


class Appeal(AppealMade):
    """`<province>/<appeal id>`: the last version of an appeal against a result, and what was decided on it."""

    decision: AppealDecision | None = None


class Head(RankingPublished):
    """`<scope>/<period>`: head of the last version of a ranking, and what it was computed from."""

    basis: str = ""
    seen: dict[str, tuple[int, int]] = {}
    inputs: dict[str, str] = {}


class Member(NamedTuple):
    """What is remembered of a result that was ranked."""

    version: int
    key: str | None
    hash: str
    code: str

    @property
    def place(self) -> Place:
        """Where its row stands."""
        return Place(self.key, self.code)


class Members(Contract):
    """`<scope>/<period>/<province>`: the results of a province that a ranking was made from, by unit id."""

    units: dict[str, Member]


def _computed_beside(document: Document) -> Document:
    """Computed levels of districts stood in for decisions before; now they stand beside."""
    counts = document.get("inputs", {}).get("counts")
    if counts is None:
        return document
    levels = counts["recognised"]
    told = counts | ({"recognised": {}, "computed": levels} if counts.get("computed") else {"computed": {}})
    return {**document, "inputs": document["inputs"] | {"counts": told}}


def _standing_beside(document: Document) -> Document:
    """What rankings read lay in the result alone, where no seal covers a part."""
    result = document["result"]
    told = {name: result[name] for name in Standing.model_fields if name in result}
    return {**document, "standing": told if "unit_id" in told else None}


def _verdicts_alone(document: Document) -> Document:
    """A result was kept with all its words. Parts of a document are lifted too."""
    result = document.get("result", {})
    if not isinstance(result.get("criteria"), list):
        return document
    if "explanation" in result:
        document = document | {"told": {name: result[name] for name in Words.model_fields if name in result}}
    return document | {"result": verdicts(result)}


def _any_period(document: Document) -> Document:
    """Which periods were judged was not told before: all that could be."""
    return {**document, "periods": [*range(2013, 2028)]}


RESULTS = Collection(
    "results",
    TypeAdapter(Result),
    schema=4,
    upgrades={1: _computed_beside, 2: _standing_beside, 3: _verdicts_alone},
)
WITHDRAWALS = Collection("withdrawals", TypeAdapter(Withdrawn))
"""`<subject>/<period>` as in `results`: the last withdrawal of an assessment, also of one that has not come yet."""
SUPERSEDED = Collection("superseded", TypeAdapter(Before), entries=True)
ERASED = Collection("erased", TypeAdapter(SubmissionErased))
"""By the receipt's id: submissions whose words are dropped, also of those that have not come yet."""
RECOGNITIONS = Collection("recognitions", TypeAdapter(Recognitions), schema=2, upgrades={0: _any_period})
REFERENCES = Collection("references", TypeAdapter(References))
TITLES = Collection("titles", TypeAdapter(Holder))
TITLE_COUNTS = Collection("title_counts", TypeAdapter(TitlesOf))
AREAS = Collection("areas", TypeAdapter(Area))
APPEALS: Collection[Appeal] = Collection("appeals", TypeAdapter(Appeal))
RECOMPUTES = Collection("recomputes", TypeAdapter(Recompute))
RANKINGS = Collection("rankings", TypeAdapter(Head))
RANKING_MEMBERS = Collection("ranking_members", TypeAdapter(Members))
RANKING_VERSIONS = Collection("ranking_versions", TypeAdapter(RankingPublished), entries=True)
"""`<scope>/<period>/<version>`: every head as it was published."""
RANKING_PAGES = Collection("ranking_pages", TypeAdapter(RankingPage), entries=True)
"""`<scope>/<period>/<version>/<page>`: a page, under the version in which it last changed."""
RANKING_CHANGES = Collection("ranking_changes", TypeAdapter(RankingChanges), entries=True)
"""`<scope>/<period>/<version>/<page>`: what a version changed."""

RELEASES = Collection("ranking_releases", TypeAdapter(RankingReleased))
"""`<scope>/<period>`: the last act that released or withdrew a ranking."""
RELEASE_ACTS = Collection("ranking_release_acts", TypeAdapter(RankingReleased), entries=True)
"""`<scope>/<period>/<number>`: all of them."""


def assessment_ref(series: str, subject_id: str, period: int) -> Ref[Result]:
    """The result of another assessment than a commune's or centre's.

    Unit ids begin with a code and `@`. The id of a centre, which its sender chooses, never holds one.
    """
    return RESULTS.ref(f"{series}@{subject_id}", period)


def ref_of(accepted: AcceptedAssessment) -> Ref[Result]:
    """Where the result of an accepted assessment is kept."""
    match accepted:
        case CommuneAccepted():
            return RESULTS.ref(accepted.unit_id, accepted.period)
        case CentreAccepted():
            return RESULTS.ref(accepted.centre_id, accepted.period)
        case _:
            return assessment_ref(accepted.series, accepted.subject_id, accepted.period)


def recognitions_ref(series: RecognisedSeries, subject_id: str) -> Ref[Recognitions]:
    """The decisions on a subject."""
    return RECOGNITIONS.ref(subject_id if series == "commune" else f"{series}@{subject_id}")


def withdrawal_ref(accepted: AcceptedAssessment) -> Ref[Withdrawn]:
    """The withdrawal of an accepted assessment."""
    return WITHDRAWALS.ref(ref_of(accepted).id)


def withdrawn_ref(withdrawn: Withdrawn) -> Ref[Result]:
    """Where the result of what was withdrawn is kept; of a commune, a centre or another assessment."""
    return RESULTS.ref(assessment_id(withdrawn.kind, withdrawn.subject), withdrawn.period)


def assessment_id(kind: SubmissionKind, subject: str) -> str:
    """Under which id results and areas are kept, from the kind and subject of a fact."""
    return subject.replace("/", "@", 1) if kind == "assessment" else subject


def area_ref(series: str, code: str, period: int) -> Ref[Area]:
    """The accepted assessment of a district or province."""
    return AREAS.ref(f"{series}@{code}", period)


MOST_REFERENCES = 1_000
"""Results on which one commune's assessment rests; a commune has a few centres."""


def in_order(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """References in the one order in which they are kept, whichever came first: of very many the first of them."""
    return tuple(sorted(references, key=lambda each: (each.series, each.subject))[:MOST_REFERENCES])


def commune_refs(unit_id: str, period: int, register: Registry) -> list[Ref[Any]]:
    """Everything that judging a commune again reads and writes."""
    year = [kind.ref(unit_id, period) for kind in (RESULTS, WITHDRAWALS, REFERENCES)]
    return [REGISTER, *year, *decisions_beside(unit_id, register)]


def decisions_beside(unit_id: str, register: Registry) -> list[Ref[Recognitions]]:
    """All decisions that may be told of a commune: on the same unit under any id, its standards, its former units."""
    lineage = register.lineage(unit_id)
    standards = (recognitions_ref("universal_education", each) for each in lineage)
    return [*map(RECOGNITIONS.ref, lineage), *standards, *map(RECOGNITIONS.ref, former(unit_id, register))]


def areas_around(unit_id: str, register: Registry) -> tuple[tuple[str, str], ...]:
    """The areas that count a commune, or a unit that is the same one, by series and code."""
    units = filter(None, map(register.by_id, register.lineage(unit_id)))
    found = (("district", u.district_code) if u.district_code else ("province", u.province_code) for u in units)
    return tuple(dict.fromkeys(found))


def former(unit_id: str, register: Registry) -> list[str]:
    """Ids of the units from which a commune was formed and of which it is not the continuation, whole or in part."""
    return sorted({each for id in formed_from(unit_id, register) for each in register.lineage(id)})


def formed_from(unit_id: str, register: Registry) -> list[str]:
    """Likewise, but of each only the id under which it went into the commune."""
    lineage = register.lineage(unit_id)
    return sorted({row.predecessor for each in lineage for row in register.predecessors(each)} - set(lineage))


def formed(unit_id: str, register: Registry) -> list[str]:
    """Ids of the units that were formed from a commune without being its continuation."""
    lineage = register.lineage(unit_id)
    after = {row.successor for each in lineage for row in register.successors(each)} - set(lineage)
    return sorted({each for id in after for each in register.lineage(id)})


def decisions_of(kept: Iterable[tuple[str, Recognitions | None]]) -> tuple[Recognition, ...]:
    """All decisions of one subject, by each id of it, in one order; each with the id under which it was filed."""
    found = (each.model_copy(update={"unit_id": id}) for id, one in kept if one for each in one.items)
    return tuple(by_period(found))
