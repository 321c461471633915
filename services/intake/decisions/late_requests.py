"""A province asks for a file to be taken whose period is closed to it; the ministry grants or refuses that, by name.

What is granted is an order that opens the period to exactly that subject for a while: a reopening like any other.
"""

from __future__ import annotations

from typing import NamedTuple

from services.intake import domain
from services.intake.decisions.documents import LATE_REQUESTS, RECEIPTS, LateRequest
from services.intake.decisions.periods import orders_of
from services.intake.decisions.register import Unsound
from services.intake.decisions.reopening import REPEATED, Reopening, reopen
from services.intake.decisions.submissions import ACCEPTED_TOPIC
from shared.contracts.base import content_hash
from shared.contracts.facts import LateDecided, LateDecision, LateRequested, RequestWithdrawn
from shared.contracts.orders import LateAnswer, LateWithdrawal, PeriodReopening
from shared.contracts.orders import LateRequest as Wanted
from shared.contracts.people import Hand
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Outgoing
from shared.refusals import problem
from shared.rulebook import HANOI, request_policy


class Asking(NamedTuple):
    """A request, of which province, and who makes it."""

    request: Wanted
    province: str
    who: str

    @property
    def id(self) -> str:
        """Of the command: another content under the same id is another command, and refused by its problem."""
        return f"late/{self.province}/{self.request.request_id}/{content_hash(self.request.model_dump())}"


class Answering(NamedTuple):
    """The ministry's answer to a request, and who gives it."""

    ref: Ref[LateRequest]
    answer: LateAnswer
    by: Hand

    @property
    def id(self) -> str:
        """Of the command."""
        said = content_hash([self.by.person, self.answer.model_dump(mode="json")])
        return f"late/{self.ref.id}/answer/{said}"


class TakingBack(NamedTuple):
    """That a province asks no more, and who says so."""

    ref: Ref[LateRequest]
    withdrawal: LateWithdrawal
    who: str

    @property
    def id(self) -> str:
        """Of the command."""
        return f"late/{self.ref.id}/withdraw/{content_hash(self.withdrawal.model_dump())}"


def ref_of(province: str, request_id: str) -> Ref[LateRequest]:
    """Where a request is recorded."""
    return LATE_REQUESTS.ref(province, request_id)


def order_of(ref: Ref[LateRequest]) -> str:
    """Id of the order that a request leads to, if it is granted."""
    return f"late/{ref.id}"


async def ask_for(order: Order[Asking], ask: Ask) -> Outcome:
    """Record a request. Raises `Unsound` with everything that makes it needless."""
    wanted, province, who = order.data
    ref = ref_of(province, wanted.request_id)
    before, answer = await ask.one(ref), await ask.one(RECEIPTS.ref(wanted.receipt_id))
    if before is not None:
        if all(getattr(before, name) == said for name, said in wanted):
            return Outcome(verdict=REPEATED)
        raise Unsound(problem("intake.order_id_reused", "/request_id", id=wanted.request_id))
    if answer is None or answer.province != province:
        raise Unsound(problem("intake.request_receipt_unknown", "/receipt_id", id=wanted.receipt_id))
    refused = domain.refused_for_closing(answer.receipt)
    if refused is None:
        raise Unsound(problem("intake.request_without_closing", "/receipt_id", id=wanted.receipt_id))
    opened = [
        one
        for one in await orders_of(refused.what, refused.period, province, refused.subject or province, ask)
        if domain.is_covered(one, province, refused.subject or province, order.at)
    ]
    waiting = await ask.all(LATE_REQUESTS, {"province": province, "decision": None, "withdrawn": None})
    same = [one.request_id for one in waiting if (one.what, one.period, one.subject) == refused]
    if problems := [*domain.check_asked(refused, len(waiting), next(iter(same), None), next(iter(opened), None))]:
        raise Unsound(*problems)
    policy = request_policy(order.at.astimezone(HANOI).date())
    fact = LateRequested(
        version=1,
        **wanted.model_dump(),
        province=province,
        **refused._asdict(),
        requested_by=who,
        requested_at=order.at,
        decide_by=policy.late.decide_by(order.at),
    )
    return _told(ref, LateRequest(**dict(fact)), fact)


async def answer(order: Order[Answering], ask: Ask) -> Outcome:
    """Grant or refuse it. Raises `Unsound`, also with all that makes the order unsound which it would lead to."""
    ref, wanted, by = order.data
    before = await ask.one(ref)
    if before is None:
        return Outcome(verdict="unknown")
    said = {"granted": wanted.granted, "reason": wanted.reason, "decision_number": wanted.decision_number}
    decision = LateDecision(
        **said,
        until=wanted.until,
        order_id=order_of(ref) if wanted.granted else None,
        decided_by=by.person,
        decided_at=before.decision.decided_at if before.decision else order.at,
    )
    if decision == before.decision:
        return Outcome(verdict=REPEATED)
    if problems := [
        *domain.check_answer(wanted, by, before.requested_by, before.withdrawn, before.decision),
    ]:
        raise Unsound(*problems)
    outcome = await _opened(before, decision, order, ask)
    after = before.model_copy(update={"version": before.version + 1, "decision": decision})
    outcome.put(ref, after)
    subject = order_of(ref)
    outcome.events.append(Outgoing(ACCEPTED_TOPIC, subject, subject, LateDecided(**dict(after))))
    return outcome


async def _opened(request: LateRequest, decision: LateDecision, order: Order[Answering], ask: Ask) -> Outcome:
    """The order that opens the period, where that is granted."""
    if decision.until is None or decision.order_id is None:
        return Outcome()
    opening = PeriodReopening(
        order_id=decision.order_id,
        what=request.what,
        period=request.period,
        province=request.province,
        subject=request.subject,
        reason=decision.reason,
        until=decision.until,
        decision_number=decision.decision_number,
    )
    return await reopen(Order(order.id, Reopening(opening, decision.decided_by), order.at), ask)


async def take_back(order: Order[TakingBack], ask: Ask) -> Outcome:
    """The province asks no more. Raises `Unsound` where it was decided."""
    ref, wanted, who = order.data
    before = await ask.one(ref)
    if before is None:
        return Outcome(verdict="unknown")
    gone = before.withdrawn
    if gone is not None and (gone.reason, gone.withdrawn_by) == (wanted.reason, who):
        return Outcome(verdict=REPEATED)
    if problems := [*domain.check_undecided(gone, before.decision)]:
        raise Unsound(*problems)
    withdrawn = RequestWithdrawn(reason=wanted.reason, withdrawn_by=who, withdrawn_at=order.at)
    after = before.model_copy(update={"version": before.version + 1, "withdrawn": withdrawn})
    return _told(ref, after, LateRequested(**{name: getattr(after, name) for name in LateRequested.model_fields}))


def _told(ref: Ref[LateRequest], request: LateRequest, fact: LateRequested) -> Outcome:
    subject = order_of(ref)
    return Outcome({ref: request}, [Outgoing(ACCEPTED_TOPIC, subject, subject, fact)])
