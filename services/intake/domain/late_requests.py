"""Requests for late acceptance: what can be asked for, and what can be decided on it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple, get_args

from shared.contracts.base import Problem
from shared.contracts.facts import Closable, LateDecision, PeriodReopened, Receipt, RequestWithdrawn
from shared.contracts.orders import LateAnswer
from shared.contracts.people import Hand
from shared.refusals import problem
from shared.rulebook import HANOI

MOST_OPEN = 500
"""Requests of one province that wait for a decision."""


class Refused(NamedTuple):
    """Of a file that was refused because its period is closed: what it speaks of."""

    what: Closable
    period: int
    subject: str | None
    """As submissions name it; `None` of an envelope."""


def refused_for_closing(receipt: Receipt) -> Refused | None:
    """`None`: it was not refused, or for other reasons alone."""
    if receipt.subject is None or receipt.period is None:
        return None
    if not any(one.code == "period_closed" for one in receipt.problems):
        return None
    series, _, subject = receipt.subject.partition("/")
    what = series if receipt.kind == "assessment" else receipt.kind
    if what not in get_args(Closable):
        return None
    own = None if what == "envelope" else subject if receipt.kind == "assessment" else receipt.subject
    return Refused(what, receipt.period, own)  # type: ignore[arg-type]


def check_asked(refused: Refused, waiting: int, same: str | None, opened: PeriodReopened | None) -> Iterator[Problem]:
    """Everything that makes a request needless.

    Args:
        waiting: how many of the province wait for a decision.
        same: id of the one among them that speaks of the same.
        opened: the order under which the file would be taken now.
    """
    if opened is not None:
        last = (opened.closes_at - timedelta(microseconds=1)).astimezone(HANOI).date()
        yield problem("intake.request_needless", "/receipt_id", id=opened.order_id, last=last)
    elif same is not None:
        yield problem("intake.request_waits", "/receipt_id", id=same)
    if waiting >= MOST_OPEN:
        yield problem("intake.too_many_late_requests", count=waiting, most=MOST_OPEN)


def check_answer(
    answer: LateAnswer,
    by: Hand,
    requested_by: str,
    withdrawn: RequestWithdrawn | None,
    decision: LateDecision | None,
) -> Iterator[Problem]:
    """Everything that stands in the way of deciding."""
    yield from check_undecided(withdrawn, decision)
    if by.is_among([requested_by]):
        yield problem("intake.request_same_person")
    if answer.granted != (answer.until is not None):
        yield problem("intake.request_until", "/until")


def check_undecided(withdrawn: RequestWithdrawn | None, decision: LateDecision | None) -> Iterator[Problem]:
    """That nothing more can become of a request."""
    if withdrawn is not None:
        on = withdrawn.withdrawn_at.astimezone(HANOI).date()
        yield problem("intake.request_withdrawn", on=on, by=withdrawn.withdrawn_by)
    elif decision is not None:
        on = decision.decided_at.astimezone(HANOI).date()
        yield problem("intake.request_decided", on=on, by=decision.decided_by)
