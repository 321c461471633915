"""Appeals against results: what a province can appeal against, and what can be decided on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.contracts.base import Problem
from shared.contracts.facts import AppealDecision, RequestWithdrawn
from shared.contracts.orders import AppealAnswer
from shared.contracts.people import Hand
from shared.refusals import problem
from shared.rulebook import HANOI, AppealPolicy


class StandingVersion(NamedTuple):
    """The version of a result that stands."""

    version: int
    hash: str
    published_at: datetime | None
    """`None`: nobody knows it any more, so nobody is too late."""


class EarlierAppeal(NamedTuple):
    """Another appeal about the same subject and period."""

    appeal_id: str
    result_version: int
    withdrawn: bool
    decided: bool


def check_appeal(
    seen: tuple[int, str], standing: StandingVersion, earlier: list[EarlierAppeal], policy: AppealPolicy, at: datetime
) -> Iterator[Problem]:
    """Everything that stands in the way of an appeal.

    Args:
        seen: version and hash of the result that the province looked at.
        policy: in force on the day on which that version was published.
    """
    if seen != (standing.version, standing.hash):
        yield problem("scoring.appeal_moved_on", "/result_version", version=seen[0], newest=standing.version)
    elif standing.published_at is not None and at >= (end := policy.made.decide_by(standing.published_at)):
        last = (end - timedelta(microseconds=1)).astimezone(HANOI).date()
        ground = policy.made.citation
        yield problem("scoring.appeal_too_late", "/result_version", days=policy.made.within_days, last=last, law=ground)
    for one in earlier:
        if not one.withdrawn and not one.decided:
            yield problem("scoring.appeal_waits", "/subject", id=one.appeal_id)
        elif one.decided and one.result_version == seen[0]:
            yield problem("scoring.appeal_final", "/result_version", id=one.appeal_id)


def check_answer(
    answer: AppealAnswer, by: Hand, made_by: str, withdrawn: RequestWithdrawn | None, decision: AppealDecision | None
) -> Iterator[Problem]:
    """Everything that stands in the way of deciding."""
    yield from check_undecided(withdrawn, decision)
    if by.is_among([made_by]):
        yield problem("scoring.appeal_same_person")
    if answer.upheld != (answer.follows is not None):
        yield problem("scoring.appeal_follows", "/follows")


def check_undecided(withdrawn: RequestWithdrawn | None, decision: AppealDecision | None) -> Iterator[Problem]:
    """That nothing more can become of an appeal."""
    if withdrawn is not None:
        on = withdrawn.withdrawn_at.astimezone(HANOI).date()
        yield problem("scoring.appeal_withdrawn", on=on, by=withdrawn.withdrawn_by)
    elif decision is not None:
        yield problem("scoring.appeal_decided", on=decision.decided_at.astimezone(HANOI).date(), by=decision.decided_by)
