"""Submissions whose words were erased: what was told of them is told without the words."""

from __future__ import annotations

from services.notifications.decisions.documents import ALERTS, ERASED
from services.notifications.decisions.telling import unsay
from services.notifications.domain import RECEIPT_KINDS
from shared.contracts.facts import Receipt, SubmissionErased
from shared.messaging.decide.asking import STALE, Ask, Outcome
from shared.messaging.messages import Received
from shared.privacy import erased_words


async def on_erased(received: Received[SubmissionErased], ask: Ask) -> Outcome:
    """Remember it, since its receipt comes by another topic, and drop the words of what was told already."""
    fact = received.data
    ref, alerts = ERASED.ref(fact.receipt_id), [ALERTS.ref(f"{kind}/{fact.receipt_id}") for kind in RECEIPT_KINDS]
    await ask.many([ref, *alerts])
    if await ask.one(ref) is not None:
        return Outcome(verdict=STALE)
    outcome = Outcome({ref: fact})
    for said in await ask.many(alerts):
        if said is not None and not said.wordless:
            unsay(outcome, said)
    return outcome


async def without_erased_words(receipt: Receipt, ask: Ask) -> Receipt:
    """A receipt as it may be told."""
    if not receipt.problems or await ask.one(ERASED.ref(receipt.receipt_id)) is None:
        return receipt
    return receipt.model_copy(update={"problems": erased_words(receipt.problems)})
