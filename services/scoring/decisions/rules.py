"""The rules in use, published once per revision: what the verdicts of a scored event are joined with (ADR 45)."""

from __future__ import annotations

from pydantic import TypeAdapter

from services.scoring.decisions.results import UNCHANGED
from shared.contracts.rules import RulebookReleased, RuleReleased
from shared.messaging.decide.asking import Ask, Order, Outcome
from shared.messaging.decide.documents import Collection
from shared.messaging.messages import Outgoing
from shared.rulebook.book import Document, Rulebook

TOPIC = "rules"
RULES = Collection("rules", TypeAdapter(RuleReleased))
"""`<rule id>@<revision>`: every revision that was ever in use, as it was published last."""
RULEBOOKS = Collection("rulebooks", TypeAdapter(RulebookReleased))
"""By revision."""


async def release_rules(order: Order[Rulebook], ask: Ask) -> Outcome:
    """Publish the rules of a rulebook that are new, or that end on another day than was published; else nothing."""
    outcome = Outcome(verdict=UNCHANGED)
    refs = {RULES.ref(f"{each.id}@{each.revision}"): each for each in order.data.documents}
    for (ref, document), kept in zip(refs.items(), await ask.many(refs), strict=True):
        told = _released(document, kept)
        if told != kept:
            outcome.put(ref, told)
            outcome.events.append(Outgoing(TOPIC, ref.id, ref.id, told))
    whole = RulebookReleased(version=1, revision=order.data.revision, rules=order.data.revisions)
    ref_of_whole = RULEBOOKS.ref(whole.revision)
    if await ask.one(ref_of_whole) is None:
        outcome.put(ref_of_whole, whole)
        outcome.events.append(Outgoing(TOPIC, whole.revision, whole.revision, whole))
    return outcome


def _released(document: Document, kept: RuleReleased | None) -> RuleReleased:
    """The document as it is to be known: as it was published, unless its end is another one."""
    if kept is not None and kept.effective_to == document.effective_to:
        return kept
    return RuleReleased(version=kept.version + 1 if kept else 1, **vars(document))
