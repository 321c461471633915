"""What scoring keeps: its documents, and their identities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Discriminator, Field, Tag, TypeAdapter

from services.scoring.domain import Place, RecognisedCounts, Recognition
from shared.answers.results import Order
from shared.contracts.base import Contract, Instant
from shared.contracts.facts import (
    AssessmentAccepted,
    AssessmentScored,
    CentreAccepted,
    CentreScored,
    CommuneAccepted,
    CommuneScored,
    RankingChanges,
    RankingPage,
    RankingPublished,
    RankingReleased,
    Reference,
    Superseded,
)
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


class Inputs(Contract):
    """All that a result is made from besides the accepted assessment; judging it again needs nothing else."""

    recognitions: tuple[Recognition, ...] = ()
    references: tuple[Reference, ...] = ()
    counts: RecognisedCounts | None = None


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
    accepted: StoredAccepted
    inputs: Inputs
    recomputed_at: datetime | None = None
    traceparent: str | None = None
    superseded: Annotated[tuple[Superseded, ...], Field(exclude_if=lambda lines: not lines)] = ()
    """Versions before, which an older release kept here."""


class Before(Contract):
    """`<subject>/<period>/<version>`: what a version had come to that a newer one replaced."""

    of: str
    version: int
    was: Superseded


class Recognitions(Contract):
    """`<unit id>`: decisions that recognise the unit, one per period, and for whom they count."""

    items: tuple[Recognition, ...] = ()
    periods: tuple[int, ...] = ()
    """Of the unit's own results."""
    areas: tuple[tuple[str, str], ...] = ()
    """Series and code of the districts and provinces in which the unit has ever lain."""


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

    state: Literal["running", "done", "violated"] = "running"
    requested: int = 0
    results: int | None = None
    changed: int | None = None
    violations: list[str] = []
    finished_at: Instant | None = None


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


def _any_period(document: Document) -> Document:
    """Which periods were judged was not told before: all that could be."""
    return {**document, "periods": [*range(2013, 2028)]}


RESULTS = Collection("results", TypeAdapter(Result))
SUPERSEDED = Collection("superseded", TypeAdapter(Before), entries=True)
RECOGNITIONS = Collection("recognitions", TypeAdapter(Recognitions), upgrades={0: _any_period})
REFERENCES = Collection("references", TypeAdapter(References))
AREAS = Collection("areas", TypeAdapter(Area))
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
    lineage = map(RECOGNITIONS.ref, register.lineage(unit_id))
    return [REGISTER, RESULTS.ref(unit_id, period), REFERENCES.ref(unit_id, period), *lineage]


def in_time(kept: Iterable[Recognitions | None]) -> tuple[Recognition, ...]:
    """All recognitions of the same unit, also those under its predecessor's id, in one order."""
    found = (each for one in kept if one for each in one.items)
    return tuple(sorted(found, key=lambda each: (each.period, each.decided_on, each.decision_number)))
