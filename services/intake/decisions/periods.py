"""Whether a period is closed to a submission, or open to it by an order of the ministry."""

from __future__ import annotations

from services.intake import domain
from services.intake.decisions.documents import REOPENED, REOPENINGS
from services.intake.decisions.kinds import Kind, S
from shared.contracts.facts import Closable, MinistryOrder, PeriodReopened
from shared.messaging.decide.asking import Ask
from shared.rulebook import closing


async def bind(
    findings: domain.Findings, kind: Kind[S], data: S, arrival: domain.Arrival, ask: Ask, under: MinistryOrder | None
) -> None:
    """Note that the period is closed, or under which order it is taken nevertheless. Its arrival alone decides.

    `under`: an order to which no period is closed.
    """
    findings.under = under
    what, period = domain.closable(kind.name, data), kind.period(data)
    if under is not None or what is None or arrival.received_at < (closed := closing(what, period)).at:
        return
    subject = kind.subject(data, arrival.province).removeprefix(f"{what}/")
    for order in await orders_of(what, period, arrival.province, subject, ask):
        if domain.is_covered(order, arrival.province, subject, arrival.received_at):
            findings.under = MinistryOrder(kind="reopening", id=order.order_id, decision_number=order.decision_number)
            return
    findings.closed = domain.closed_problem(what, period, closed)


async def orders_of(what: Closable, period: int, province: str, subject: str, ask: Ask) -> list[PeriodReopened]:
    """The orders that may have opened a period again to a subject: those of it alone, and those of a wider scope (or of
    an older release, which listed all of them together). Those that are over are among them."""
    lists = await ask.many([REOPENED.ref(what, period), REOPENED.ref(what, period, province, subject)])
    found = await ask.many(REOPENINGS.ref(order) for named in lists if named for order in named.orders)
    return [order for order in found if order is not None]
