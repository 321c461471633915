"""By which rules proposals were made last: where others are in use, each is made anew."""

from __future__ import annotations

from pydantic import TypeAdapter

from services.funding.decisions.proposal.inputs import PROPOSAL
from shared.contracts.base import Contract
from shared.messaging.decide.asking import Ask, Order, Outcome, Request
from shared.messaging.decide.documents import Collection

UNCHANGED = "unchanged"


class RulesUsed(Contract):
    """`rules`: the state of the rules with which the service started last."""

    state: str


RULES_USED: Collection[RulesUsed] = Collection("rules_used", TypeAdapter(RulesUsed))


async def go_by(order: Order[str], ask: Ask) -> Outcome:
    """Have every known proposal made anew where the rules are in another state than before; what stays is not told."""
    ref = RULES_USED.ref("rules")
    before = await ask.one(ref)
    if before is not None and before.state == order.data:
        return Outcome(verdict=UNCHANGED)
    return Outcome({ref: RulesUsed(state=order.data)}, requests=[Request(PROPOSAL, (None, None))])
