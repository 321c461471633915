"""Answers of scoring: results with the versions before, places in rankings, and what judging again would change."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.answers.operations import Refusal
from shared.contracts.base import Instant, Problem, Step
from shared.contracts.explained import AssessmentExplained, CentreExplained, CommuneExplained
from shared.contracts.facts import (
    AppealDecision,
    AppealFollows,
    AppealMade,
    RankingReleased,
    RankingRow,
    Recognition,
    Superseded,
)
from shared.contracts.submissions import AssessmentSeries

AppealState = Literal["open", "overdue", "withdrawn", "upheld", "dismissed"]
"""`overdue`: nobody has decided, and the time for it is over."""


class AppealView(AppealMade):
    """An appeal against a version of a result, and what became of it."""

    decision: AppealDecision | None = None
    state: AppealState
    newest_version: int
    """Of the result: where that is another than `result_version`, a newer one stands."""


class AppealRef(BaseModel):
    """That there is an appeal against a result: `GET /appeals` tells it whole."""

    province: str
    appeal_id: str
    result_version: int
    state: AppealState
    """`open` also where the time to decide is over."""
    follows: AppealFollows | None = None


Appeals = Annotated[list[AppealRef], Field(exclude_if=lambda found: not found)]


class CommuneResult(CommuneExplained):
    """A commune's result."""

    superseded: list[Superseded] = []
    """The versions before, oldest first, and why each was judged again."""
    is_explained: bool = True
    """`False`: judging it again by the rules in use gives other figures. Shown are those that were published, without
    thresholds, reasons and citations; the explanation says so."""
    warnings: list[Problem] = []
    """What of its figures is formally right but hardly true, by themselves. It changes nothing in the result."""
    appeals: Appeals = []
    """Against any of its versions, in the order in which they were made."""


class CentreResult(CentreExplained):
    """A centre's result, likewise."""

    superseded: list[Superseded] = []
    is_explained: bool = True
    warnings: list[Problem] = []
    appeals: Appeals = []


class AssessmentResult(AssessmentExplained):
    """Any other result, likewise."""

    superseded: list[Superseded] = []
    is_explained: bool = True
    warnings: list[Problem] = []
    appeals: Appeals = []


AnyResult = CommuneResult | CentreResult | AssessmentResult


class RankingPlace(RankingRow):
    """One commune's row in a ranking, and in which one. `ranked`: how many communes have a rank in it."""

    scope: str
    period: int
    version: int
    ranked: int


class ReleasedPlace(BaseModel):
    """What was released of a commune's place, or that it was withdrawn."""

    act: RankingReleased
    rank: int | None
    """`None`: not ranked in it, or the release was withdrawn."""


class Neighbourhood(RankingPlace):
    """A commune's place in a ranking between its neighbours, in the order of the ranking."""

    above: list[RankingRow]
    below: list[RankingRow]
    released: ReleasedPlace | None = None
    """`None`: the ranking was never released."""


class ReleaseState(BaseModel):
    """How a ranking as it is now stands to what was released of it."""

    act: RankingReleased | None
    """The last act; `None`: it was never released."""
    changes: int | None
    """Units whose result is another than in that act; `None`: there is none, or the caller sees releases only."""
    shifted: int | None
    """Units whose rank moved since only because others changed."""


class ScoringExplanation(BaseModel):
    """A subject's result with everything that made it, and what rests on it."""

    subject: str
    """Unit id, centre id, or `<series>/<subject id>`."""
    period: int
    result: AnyResult | None
    """`None`: there is none, or the caller may not see it."""
    ranks: list[Neighbourhood]
    """A commune's place in every ranking that holds it."""
    centres: list[CentreResult]
    """Results of a commune's centres, by centre id."""
    decisions: list[Recognition] = []
    """Of a centre: what authorities decided on its grade in periods of which there is no result, so without figures;
    of the period that was asked for, else of all, the latest first."""
    models: AssessmentResult | None = None
    """The result of a commune's learning models in that period."""


class Order(BaseModel):
    """An order to judge a period again, and what came of it."""

    id: str
    period: int
    province: str | None
    why: str
    who: str
    role: str
    at: Instant
    state: Literal["running", "done", "violated", "failed"]
    """`failed`: what is still to be judged rests on altered documents; the order goes on when it is given again."""
    requested: int
    results: int | None
    changed: int | None
    violations: list[str]
    altered: list[str] = []
    """Of a failed one: collection and identity of documents that were altered outside the service."""
    finished_at: Instant | None


class DifferenceLine(BaseModel):
    """One field in which a result that is judged again would differ; `before`, `after`: JSON values."""

    result: str
    kind: Literal["commune", "centre"] | AssessmentSeries
    subject: str
    name: str
    province: str
    field: str
    before: Any
    after: Any
    why: list[Step]


class Summary(BaseModel):
    """What a rehearsal came to."""

    period: int
    province: str | None
    rulebook: str | None
    results: int
    changed: int
    differences: int
    outcomes: dict[str, int]


class SummaryLine(BaseModel):
    """The last line of a rehearsal; without it the answer is not whole."""

    summary: Summary


class ProblemLine(BaseModel):
    """The last line of a rehearsal that could not go on, instead of the summary."""

    problem: Refusal
