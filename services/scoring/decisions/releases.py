"""A ranking is released by an act of people, and taken back by one (docs/adr/0031-a-ranking-is-released-by-an-act.md).

What is released is one version as it was looked at: its pages were written once and never change. Rankings go on being
computed meanwhile; what differs from the last release is seen when somebody releases it in its turn, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from services.scoring.decisions.documents import RANKING_PAGES, RANKINGS, RELEASE_ACTS, RELEASES
from services.scoring.decisions.held import held_by
from services.scoring.decisions.ranked import RANKING
from services.scoring.decisions.ranking_versions import RANKINGS_TOPIC
from services.scoring.decisions.rankings import RankingYear, pages_apart
from services.scoring.decisions.recomputes import RESCORED
from services.scoring.decisions.references import COLLECTED
from services.scoring.domain import VersionChange, difference, unaccepted
from shared.contracts.base import Problem
from shared.contracts.facts import RankingPublished, RankingReleased, RankingRow
from shared.errors import LanghocError
from shared.messaging.decide.asking import Ask, Look, Order, Outcome
from shared.messaging.decide.sets import OPEN_REQUESTS, covers
from shared.messaging.messages import Outgoing
from shared.refusals import problem
from shared.rulebook import HANOI

_MOVING = {"set": {"$in": [RANKING.name, RESCORED.name, COLLECTED.name]}}


class Unreleasable(LanghocError):
    """A ranking is not released, or a release not taken back; `problems` says why, all of it."""


@dataclass(frozen=True)
class Act:
    """The order to release a version of a ranking, or to withdraw a release."""

    order_id: str
    ranking: RankingYear
    state: Literal["released", "withdrawn"]
    number: int
    """The version of the ranking that is to be released; the release that is to be withdrawn."""
    hash: str | None
    """Of the version that the person has seen; `None` of a withdrawal."""
    decision_number: str
    decided_on: date
    signed_by: str
    reason: str | None
    by: str
    role: str
    accepts: tuple[str, ...] = ()
    """Of a release: warnings that it is not to be held by, `<commune code>/<warning>`."""

    def is_of(self, done: RankingReleased) -> bool:
        """Whether this is the order of that act."""
        out = done.state == "released"
        seen = (done.ranking.version, done.ranking.hash) if out else (done.supersedes, None)
        decision = (done.decision_number, done.decided_on, done.signed_by, done.reason)
        mine = (self.decision_number, self.decided_on, self.signed_by, self.reason)
        asked = (*self.ranking, self.state, self.number, self.hash)
        accepted = set(done.accepted) <= {*self.accepts}
        return (done.scope, done.period, done.state, *seen) == asked and decision == mine and accepted


async def release(order: Order[Act], ask: Ask) -> Outcome:
    """Release or withdraw. Raises `Unreleasable`."""
    act = order.data
    last, accepted = await ask.one(RELEASES.ref(*act.ranking)), list[str]()
    if act.state == "withdrawn":
        wrong = list(_unwithdrawable(act, last))
        ranking = last.ranking if last else None
    else:
        ranking = await ask.one(RANKINGS.ref(*act.ranking))
        wrong = list(_unreleasable(act, ranking, last))
        if not wrong and await _moving(act.ranking, ask):
            wrong.append(problem("scoring.ranking_moving", "/version"))
        if not wrong:  # nothing moves: these are the results of the version that was looked at
            held, accepts = await held_by(act.ranking, ask), set(act.accepts)
            accepted = [each for each in held if each in accepts]
            wrong += unaccepted(held, accepted, act.ranking.period, act.ranking.holder)
    today = order.at.astimezone(HANOI).date()
    if act.decided_on > today:
        wrong.append(problem("scoring.release_decided_later", "/decided_on", on=act.decided_on, today=today))
    if last is not None and not act.reason:
        wrong.append(problem("scoring.release_reason_missing", "/reason", number=last.version))
    elif accepted and not act.reason:
        wrong.append(problem("scoring.release_accepts_without_reason", "/reason", count=len(accepted)))
    if wrong:
        raise Unreleasable(*wrong)
    assert ranking is not None
    change = await _change(last.ranking, ranking, ask) if last else VersionChange([], 0)
    released = RankingReleased(
        scope=act.ranking.scope,
        period=act.ranking.period,
        version=last.version + 1 if last else 1,
        state=act.state,
        ranking=RankingPublished.model_validate(dict(ranking)),
        decision_number=act.decision_number,
        decided_on=act.decided_on,
        signed_by=act.signed_by,
        reason=act.reason,
        order_id=act.order_id,
        released_by=act.by,
        role=act.role,
        released_at=order.at,
        supersedes=last.version if last else None,
        changes=len(change.changes),
        shifted=change.shifted,
        accepted=accepted,
    )
    outcome = Outcome(verdict=act.state)
    outcome.put(RELEASES.ref(*act.ranking), released)
    outcome.put(RELEASE_ACTS.ref(*act.ranking, released.version), released)
    outcome.events.append(Outgoing(RANKINGS_TOPIC, released.scope, released.scope, released))
    return outcome


def _unreleasable(act: Act, head: RankingPublished | None, last: RankingReleased | None) -> Iterator[Problem]:
    if head is None or (head.version, head.hash) != (act.number, act.hash):
        newest = head.version if head else "–"
        yield problem("scoring.ranking_moved_on", "/version", version=act.number, newest=newest)
    elif last is not None and last.state == "released" and last.ranking.hash == head.hash:
        yield problem("scoring.release_unchanged", "/hash", number=last.version)


def _unwithdrawable(act: Act, last: RankingReleased | None) -> Iterator[Problem]:
    if last is None or (last.version, last.state) != (act.number, "released"):
        yield problem("scoring.release_not_in_force", "", number=act.number)


async def _moving(ranking: RankingYear, ask: Ask) -> bool:
    """Whether results of the period, or the ranking itself, wait to be computed: the next version is on its way."""
    for waits in await ask.look(Look(OPEN_REQUESTS, OPEN_REQUESTS.model, _MOVING, ("set", "key"))):
        if waits.set == RANKING.name and covers(waits.parts, ranking):
            return True
        if waits.set != RANKING.name and waits.parts[-1] in (None, ranking.period):
            return True
    return False


async def _change(before: RankingPublished, after: RankingPublished, ask: Ask) -> VersionChange:
    gone, come = pages_apart(before, after)
    pages = await ask.many(RANKING_PAGES.ref(id) for id in (*gone, *come))
    rows: list[list[RankingRow]] = [page.rows if page else [] for page in pages]
    return difference(
        [row for page in rows[: len(gone)] for row in page], [row for page in rows[len(gone) :] for row in page], {}
    )
