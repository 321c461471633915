"""A province appeals against a version of a result; a named person of the ministry upholds or dismisses that.

It changes no figure: where one is upheld, the decision names the way that does.
"""

from __future__ import annotations

from typing import NamedTuple

from services.scoring.decisions.documents import APPEALS, RESULTS, Appeal, Result, assessment_ref
from services.scoring.decisions.results import SCORES_TOPIC
from services.scoring.domain import EarlierAppeal, StandingVersion, check_answer, check_appeal, check_undecided
from shared.contracts.base import content_hash
from shared.contracts.facts import AppealDecided, AppealDecision, AppealMade, RequestWithdrawn
from shared.contracts.orders import Appeal as Wanted
from shared.contracts.orders import AppealAnswer, AppealWithdrawal
from shared.contracts.people import Hand
from shared.errors import LanghocError
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Outgoing
from shared.refusals import problem
from shared.rulebook import HANOI, appeal_policy

REPEATED = "repeated"


class Unappealable(LanghocError):
    """An appeal, its withdrawal or the decision on it is refused; `problems` says why, all of it."""


class Appealing(NamedTuple):
    """An appeal, of which province, and who makes it."""

    appeal: Wanted
    province: str
    who: str

    @property
    def id(self) -> str:
        """Of the command: another content under the same id is another command, and refused by its problem."""
        return f"appeal/{self.province}/{self.appeal.appeal_id}/{content_hash(self.appeal.model_dump())}"


class Answering(NamedTuple):
    """The ministry's decision on an appeal, and who gives it."""

    ref: Ref[Appeal]
    answer: AppealAnswer
    by: Hand

    @property
    def id(self) -> str:
        """Of the command."""
        return f"appeal/{self.ref.id}/answer/{content_hash([self.by.person, self.answer.model_dump()])}"


class TakingBack(NamedTuple):
    """That a province asks no more, and who says so."""

    ref: Ref[Appeal]
    withdrawal: AppealWithdrawal
    who: str

    @property
    def id(self) -> str:
        """Of the command."""
        return f"appeal/{self.ref.id}/withdraw/{content_hash([self.who, self.withdrawal.model_dump()])}"


def result_ref(series: str, subject: str, period: int) -> Ref[Result]:
    """The result that an appeal speaks of."""
    if series in ("commune", "centre"):
        return RESULTS.ref(subject, period)
    return assessment_ref(series, subject, period)


async def appeal(order: Order[Appealing], ask: Ask) -> Outcome:
    """Record an appeal. Raises `Unappealable`."""
    wanted, province, who = order.data
    ref = APPEALS.ref(province, wanted.appeal_id)
    before, result = await ask.many([ref, result_ref(wanted.series, wanted.subject, wanted.period)])
    if isinstance(before, Appeal):
        if all(getattr(before, name) == said for name, said in wanted):
            return Outcome(verdict=REPEATED)
        raise Unappealable(problem("scoring.release_id_reused", "/appeal_id", id=wanted.appeal_id))
    if not isinstance(result, Result) or (result.kind, result.result.province) != (wanted.series, province):
        raise Unappealable(problem("scoring.appeal_result_unknown", "/subject", subject=wanted.subject))
    same = {name: getattr(wanted, name) for name in ("series", "subject", "period")}
    earlier = [
        EarlierAppeal(one.appeal_id, one.result_version, one.withdrawn is not None, one.decision is not None)
        for one in await ask.all(APPEALS, same)
    ]
    standing = StandingVersion(result.version, result.result.hash, result.published_at)
    since = appeal_policy((standing.published_at or order.at).astimezone(HANOI).date())
    seen = (wanted.result_version, wanted.result_hash)
    if problems := [*check_appeal(seen, standing, earlier, since, order.at)]:
        raise Unappealable(*problems)
    fact = AppealMade(
        version=1,
        **dict(wanted),
        province=province,
        name=result.result.name,
        made_by=who,
        made_at=order.at,
        decide_by=appeal_policy(order.at.astimezone(HANOI).date()).decided.decide_by(order.at),
    )
    return _told(ref, Appeal(**dict(fact)), fact)


async def answer(order: Order[Answering], ask: Ask) -> Outcome:
    """Uphold or dismiss it. Raises `Unappealable`."""
    ref, wanted, by = order.data
    before = await ask.one(ref)
    if before is None:
        return Outcome(verdict="unknown")
    decided_at = before.decision.decided_at if before.decision else order.at
    decision = AppealDecision(**dict(wanted), decided_by=by.person, decided_at=decided_at)
    if decision == before.decision:
        return Outcome(verdict=REPEATED)
    if problems := [*check_answer(wanted, by, before.made_by, before.withdrawn, before.decision)]:
        raise Unappealable(*problems)
    after = before.model_copy(update={"version": before.version + 1, "decision": decision})
    return _told(ref, after, AppealDecided(**dict(after)))


async def take_back(order: Order[TakingBack], ask: Ask) -> Outcome:
    """The province asks no more. Raises `Unappealable` where it was decided."""
    ref, wanted, who = order.data
    before = await ask.one(ref)
    if before is None:
        return Outcome(verdict="unknown")
    gone = before.withdrawn
    if gone is not None and (gone.reason, gone.withdrawn_by) == (wanted.reason, who):
        return Outcome(verdict=REPEATED)
    if problems := [*check_undecided(gone, before.decision)]:
        raise Unappealable(*problems)
    withdrawn = RequestWithdrawn(reason=wanted.reason, withdrawn_by=who, withdrawn_at=order.at)
    after = before.model_copy(update={"version": before.version + 1, "withdrawn": withdrawn})
    return _told(ref, after, AppealMade(**{name: getattr(after, name) for name in AppealMade.model_fields}))


def _told(ref: Ref[Appeal], kept: Appeal, fact: AppealMade) -> Outcome:
    subject = f"appeal/{ref.id}"
    return Outcome({ref: kept}, [Outgoing(SCORES_TOPIC, subject, subject, fact)])
