"""The ministry opens a closed period again for a while, or ends that before its time."""

from __future__ import annotations

from typing import NamedTuple

from services.intake import domain
from services.intake.decisions.documents import AGGREGATES, LEARNING_UNITS, REOPENED, REOPENINGS, Reopened
from services.intake.decisions.kinds import owned_as
from services.intake.decisions.register import Unsound
from services.intake.decisions.submissions import ACCEPTED_TOPIC, registration_of
from shared.contracts.base import content_hash
from shared.contracts.facts import PeriodReopened, ReopeningEnded
from shared.contracts.orders import PeriodReopening, ReopeningEnd
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.register import REGISTER, register_now
from shared.messaging.messages import Outgoing
from shared.refusals import problem
from shared.rulebook import HANOI, closing, named_closable

MOST_REOPENINGS = 200
"""Of one kind and period, those of one subject apart: each late submission looks at all that may be about it."""
REPEATED = "repeated"


class Reopening(NamedTuple):
    """An order to open a period again, and who gives it."""

    order: PeriodReopening
    who: str

    @property
    def id(self) -> str:
        """Of the command: another content under the same id is another command, and refused by its problem."""
        return f"periods/{self.order.order_id}/{content_hash(self.order.model_dump(mode='json'))}"


class Ending(NamedTuple):
    """An order to end a reopening, and who gives it."""

    order_id: str
    end: ReopeningEnd
    who: str

    @property
    def id(self) -> str:
        """Of the command."""
        return f"periods/{self.order_id}/end/{content_hash(self.end.model_dump())}"


async def reopen(order: Order[Reopening], ask: Ask) -> Outcome:
    """Open a period again. Raises `Unsound` with everything that makes no sense."""
    wanted, who = order.data
    alone = (wanted.province, wanted.subject) if wanted.subject is not None else ()
    ref, listed = REOPENINGS.ref(wanted.order_id), REOPENED.ref(wanted.what, wanted.period, *alone)
    known = await _known(wanted, ask)
    taken, before = await ask.one(ref), await ask.one(listed)
    if taken is not None:
        if PeriodReopening.model_validate(taken.model_dump(include=set(PeriodReopening.model_fields))) == wanted:
            return Outcome(verdict=REPEATED)
        raise Unsound(problem("intake.order_id_reused", "/order_id", id=wanted.order_id))
    problems = domain.check_reopening(wanted, closing(wanted.what, wanted.period), known, order.at)
    orders = [*(before.orders if before else ()), wanted.order_id]
    if len(orders) > MOST_REOPENINGS:
        what = named_closable(wanted.what)
        problems.append(
            problem("intake.too_many_reopenings", "/period", what=what, period=wanted.period, most=MOST_REOPENINGS)
        )
    if problems:
        raise Unsound(*problems)
    fact = PeriodReopened(version=1, **wanted.model_dump(), ordered_by=who, ordered_at=order.at)
    outcome = _told(fact)
    outcome.put(listed, Reopened(orders=orders))
    return outcome


async def end(order: Order[Ending], ask: Ask) -> Outcome:
    """End a reopening now: what arrives from now on is no longer taken. Raises `Unsound` where it is over."""
    order_id, wanted, who = order.data
    before = await ask.one(REOPENINGS.ref(order_id))
    if before is None:
        return Outcome(verdict="unknown")
    if before.ended is not None and (before.ended.reason, before.ended.ended_by) == (wanted.reason, who):
        return Outcome(verdict=REPEATED)
    if order.at >= before.closes_at:
        on = before.closes_at.astimezone(HANOI).date()
        raise Unsound(problem("intake.reopening_over", id=order_id, on=on))
    ended = ReopeningEnded(reason=wanted.reason, ended_by=who, ended_at=order.at)
    return _told(before.model_copy(update={"version": before.version + 1, "ended": ended}))


def _told(fact: PeriodReopened) -> Outcome:
    subject = f"period/{fact.order_id}"
    return Outcome({REOPENINGS.ref(fact.order_id): fact}, [Outgoing(ACCEPTED_TOPIC, subject, subject, fact)])


async def _known(wanted: PeriodReopening, ask: Ask) -> domain.Known:
    """What the scope is checked against."""
    subject = wanted.subject or ""
    registered = AGGREGATES.ref("registration", subject, 0)
    owner = LEARNING_UNITS.ref(owned_as(wanted.what, subject) or subject)
    await ask.many([REGISTER, REOPENINGS.ref(wanted.order_id), registered, owner])
    owned = await ask.one(owner)
    return domain.Known(
        await register_now(ask),
        {subject: registration_of(await ask.one(registered))},
        owned.province if owned else None,
    )
