"""Rules are proposed by one person of the ministry and released by another (ADR 64).

A release changes no rule by itself: it is what may be installed. What is proven of the files, and by which rules the
service goes, is told with the order: a decision reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import TypeAdapter

from shared.answers.rules import Deciding, ProposalState
from shared.contracts.base import Contract, Instant, Problem, content_hash
from shared.contracts.people import Hand
from shared.errors import LanghocError
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.documents import Collection
from shared.refusals import problem
from shared.rulebook.decided import Decided, sums_of

REPEATED = "repeated"


class RuleFile(NamedTuple):
    """One file of a rulebook's folder."""

    place: str
    text: str


class Proposal(Contract):
    """`<proposal id>`: files that are proposed, and what became of them."""

    id: str
    files: tuple[RuleFile, ...]
    """In order of place."""
    base: str
    digest: str
    new: tuple[str, ...]
    ended: tuple[str, ...]
    reworded: tuple[str, ...]
    why: str
    proposed_by: str
    proposed_at: Instant
    state: ProposalState = "proposed"
    decided: Deciding | None = None

    @property
    def texts(self) -> Mapping[str, str]:
        """Text of each file by its place."""
        return {file.place: file.text for file in self.files}

    @property
    def record(self) -> Decided:
        """What is installed beside the files. Of one that was released."""
        assert self.decided is not None
        return Decided(
            proposal=self.id,
            base=self.base,
            digest=self.digest,
            files=sums_of(self.texts),
            why=self.why,
            proposed_by=self.proposed_by,
            proposed_at=self.proposed_at.isoformat(),
            released_by=self.decided.by,
            released_at=self.decided.at.isoformat(),
            released_why=self.decided.why,
        )


PROPOSALS: Collection[Proposal] = Collection("rule_proposals", TypeAdapter(Proposal))


class Undecidable(LanghocError):
    """A proposal, its release or withdrawal is refused; `problems` says why, all of it."""


class Proposing(NamedTuple):
    """Files that were proven, and who proposes them, when and why."""

    proposal: Proposal

    @property
    def id(self) -> str:
        """Of the command: another content under the same id is another command, and refused by its problem."""
        said = self.proposal
        return f"rule-proposal/{said.id}/{content_hash([said.digest, said.why, said.proposed_by])}"


class Answering(NamedTuple):
    """That a proposal is released or withdrawn."""

    proposal: str
    state: ProposalState
    digest: str
    """Of the files that the person has looked at."""
    why: str
    by: Hand
    seen: str | None
    base: str
    """State of the rules in use."""

    @property
    def id(self) -> str:
        """Of the command."""
        said = content_hash([self.digest, self.why, self.by.person, self.seen])
        return f"rule-proposal/{self.proposal}/{self.state}/{said}"


async def propose(order: Order[Proposing], ask: Ask) -> Outcome:
    """Keep a proposal. Raises `Undecidable` where its id is another one's."""
    wanted = order.data.proposal
    ref = PROPOSALS.ref(wanted.id)
    before = await ask.one(ref)
    if before is None:
        return Outcome({ref: wanted})
    same = (before.digest, before.why, before.proposed_by) == (wanted.digest, wanted.why, wanted.proposed_by)
    if not same:
        raise Undecidable(problem("scoring.release_id_reused", "/id", id=wanted.id))
    return Outcome(verdict=REPEATED)


async def answer(order: Order[Answering], ask: Ask) -> Outcome:
    """Release a proposal, or withdraw it. Raises `Undecidable`."""
    wanted = order.data
    ref = PROPOSALS.ref(wanted.proposal)
    before = await ask.one(ref)
    if before is None:
        return Outcome(verdict="unknown")
    decided = Deciding(by=wanted.by.person, at=order.at, why=wanted.why, seen=wanted.seen)
    if before.decided is not None and before.state == wanted.state:
        said = before.decided.model_copy(update={"at": order.at})
        if (said, before.digest) == (decided, wanted.digest):
            return Outcome(verdict=REPEATED)
    if problems := [*_hindrances(before, wanted)]:
        raise Undecidable(*problems)
    return Outcome({ref: before.model_copy(update={"state": wanted.state, "decided": decided})}, verdict=wanted.state)


def _hindrances(before: Proposal, wanted: Answering) -> Iterator[Problem]:
    """Everything that stands in the way of deciding."""
    if before.decided is not None:
        yield problem("scoring.rules_decided", "", by=before.decided.by)
    if before.digest != wanted.digest:
        yield problem("scoring.rules_other_digest", "/digest", digest=before.digest)
    if wanted.state == "released":
        if wanted.by.is_among([before.proposed_by]):
            yield problem("scoring.same_person")
        if before.base != wanted.base:
            yield problem("scoring.rules_moved_on")
