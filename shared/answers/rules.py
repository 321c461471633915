"""Answers of the rules desk: what is proposed, what it would move, and what was decided."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from shared.contracts.base import Claim, Dong, Identifier, Instant, Line, Points, ProvinceCode, Text, Year
from shared.contracts.facts import ResultState
from shared.rulebook.basis import Series

ProposalState = Literal["proposed", "withdrawn", "released"]


class Deciding(BaseModel):
    """Who released or withdrew a proposal, when and why."""

    by: str
    """Id of the person."""
    at: Instant
    why: str
    seen: str | None = None
    """Of a release: the digest of the rehearsal that the person says to have seen."""


class ProposalView(BaseModel):
    """Files of rules that somebody proposes, what became of them, and how they stand to the rules in use."""

    id: str
    files: Annotated[dict[str, str], Field(exclude_if=lambda files: not files)] = {}
    """Text by place in a rulebook's folder; left out in a list."""
    base: str
    """State of the rules in use, beside which the files were proven."""
    digest: str
    """SHA-256 over files and base: what is rehearsed and released by name."""
    new: list[str]
    """Ids of rules that there were not."""
    ended: list[str]
    """Ids of rules in use that end on another day."""
    reworded: list[str]
    """Ids of rules in use of which words differ, and nothing else."""
    why: str
    proposed_by: str
    proposed_at: Instant
    state: ProposalState = "proposed"
    decided: Deciding | None = None
    in_use: bool
    """Whether the service goes by it: released, installed, and started since."""
    is_current: bool
    """Whether the rules in use are still those beside which it was proven; if not, it is proposed anew."""


class Rehearsing(BaseModel):
    """What a result comes to."""

    state: ResultState
    total: Points | None = None
    grade: str | None = None
    level: int | None = None


class MovedResult(BaseModel):
    """A result that would come to something else."""

    kind: Series
    subject: str
    name: str
    province: str
    """Today's code of the province that speaks for it."""
    period: int
    before: Rehearsing
    after: Rehearsing | None
    """`None`: it cannot be judged by these rules."""
    why: Text | None = None
    """Where it cannot: the reason."""


class MovedRank(BaseModel):
    """A commune whose rank would be another one."""

    scope: str
    period: int
    unit_id: str
    code: str
    name: str
    before: int | None
    after: int | None


class SupposedScore(Claim):
    """A centre's result as it would be, for what support follows from it: answered by scoring, asked of funding."""

    centre_id: Identifier
    period: Year
    province: ProvinceCode
    rubric: Line
    state: ResultState
    total: Points | None = None
    grade: Line | None = None


class ScoringRehearsal(BaseModel):
    """What proposed rules would move among results and ranks, once every kept result is judged again by them."""

    digest: str
    """Of the proposal."""
    period: int
    judged: int
    moved: int
    """Results whose state, points, grade or level would be another one, or that could not be judged."""
    otherwise: int
    """Further results that would get a new version: a value or a verdict within them differs."""
    unjudged: int
    """Of those moved: results that could not be judged at all."""
    by_kind: dict[Series, int]
    """Of those moved."""
    results: list[MovedResult]
    """The first of those moved, by province and id."""
    ranks_moved: int
    by_scope: dict[str, int]
    """Moved ranks by scope."""
    ranks: list[MovedRank]
    """The first of them: the nation's before the areas' and the provinces'."""
    unranked: dict[str, Text]
    """Rankings that could not be made by these rules, by scope: the reason."""
    scores: list[SupposedScore]
    """All results of centres that would change, for funding's own rehearsal."""
    seen: str
    """SHA-256 over everything that moves, also what is not listed."""


class MovedAmount(BaseModel):
    """A centre whose amount would be another one, in đồng."""

    province: str
    year: int
    centre_id: str | None
    """`None`: the province's reserve."""
    name: str
    what: Literal["support", "equipment", "adjustment"]
    """`adjustment`: the budget is approved, and stays; a change of its support would be proposed."""
    before: int | None
    after: int


class MovedBudget(BaseModel):
    """A budget that would be proposed otherwise."""

    province: str
    year: int
    amounts: int
    """Amounts that would be other ones."""
    before: Dong | None
    """Sum of all lines of support; `None`: it is approved and stays, or could not be computed."""
    after: Dong | None
    why: Text | None = None
    """Where it could not be computed by these rules: the reason."""


class FundingRehearsal(BaseModel):
    """What proposed rules would move among a province's amounts."""

    digest: str
    budgets: int
    """How many were looked at."""
    moved: list[MovedBudget]
    amounts_moved: int
    amounts: list[MovedAmount]
    """The first of them."""
    seen: str


class RulesPackage(BaseModel):
    """What is installed of released rules: files by their place, the record of the decision among them."""

    id: str
    digest: str
    files: dict[str, str]
