"""History that the ministry takes in: judged like everything else, but no period is closed to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.intake.decisions.documents import HISTORIES
from services.intake.decisions.kinds import Deed
from services.intake.decisions.register import Unsound
from services.intake.decisions.submissions import settle
from shared.answers.periods import HistoryImported
from shared.contracts.base import content_hash
from shared.contracts.facts import MinistryOrder, Receipt
from shared.contracts.imports import PREFIX
from shared.contracts.orders import HistoryImport
from shared.contracts.submissions import Submission
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Position, Received
from shared.refusals import problem

REPEATED = "repeated"


class Read(NamedTuple):
    """A submission of an order, as it was read."""

    deed: Deed[Any]
    province: str
    data: Submission
    raw: bytes


class Handed(NamedTuple):
    """An order of history with its submissions, and who gives it."""

    order: HistoryImport
    submissions: Sequence[Read]
    who: str
    clock_offset: int

    @property
    def hash(self) -> str:
        """Over all that was sent."""
        return content_hash(self.order.model_dump(mode="json"))

    @property
    def id(self) -> str:
        """Of the command: another content under the same id is another command, and refused by its problem."""
        return f"history/{self.order.order_id}/{self.hash}"


async def take_in(order: Order[Handed], ask: Ask) -> Outcome:
    """Decide all submissions, one after the other, and record the order. Raises `Unsound` where its id was used."""
    handed, wanted, ref = order.data, order.data.order, ref_of(order.data.order)
    if wanted.order_id.startswith(PREFIX):
        raise Unsound(problem("imports.id_reserved", "/order_id", id=wanted.order_id))
    before = await ask.one(ref)
    if before is not None:
        if before.hash == handed.hash:
            return Outcome(verdict=REPEATED)
        raise Unsound(problem("intake.order_id_reused", "/order_id", id=wanted.order_id))
    under = MinistryOrder(kind="history", id=wanted.order_id, decision_number=wanted.decision_number)
    outcome = await judged(handed.submissions, under, order.at, handed.clock_offset, ask)
    outcome.put(
        ref,
        HistoryImported(
            order_id=wanted.order_id,
            why=wanted.why,
            decision_number=wanted.decision_number,
            hash=handed.hash,
            provinces=sorted({one.province for one in handed.submissions}),
            ordered_by=handed.who,
            ordered_at=order.at,
            receipts=[receipt.receipt_id for receipt in receipts_in(outcome)],
        ),
    )
    return outcome


async def judged(
    submissions: Sequence[Read], under: MinistryOrder, at: datetime, clock_offset: int, ask: Ask
) -> Outcome:
    """What comes of submissions under an order, each judged after those before it."""
    outcome = Outcome(verdict="taken_in")
    ask.over(outcome)
    for place, one in enumerate(submissions):
        received = Received(
            data=one.data,
            event_id=f"history/{under.id}/{place}",
            type=one.deed.type,
            source="",
            subject="",
            version=None,
            received_at=at,
            position=Position(f"history/{under.id}.{one.province}", 0, place),
            raw=one.raw,
            clock_offset=clock_offset,
        )
        settled = await settle(one.deed, received, ask, under=under)
        outcome.puts |= settled.puts
        outcome.events += settled.events
    return outcome


def ref_of(order: HistoryImport) -> Ref[HistoryImported]:
    """Where an order is recorded."""
    return HISTORIES.ref(order.order_id)


def receipts_in(outcome: Outcome) -> list[Receipt]:
    """The receipts of an outcome, in their order."""
    return [event.data for event in outcome.events if isinstance(event.data, Receipt)]
