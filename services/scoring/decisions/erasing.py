"""Submissions whose words were erased: nothing is judged anew, since nothing that stands rests on them.

What is kept of such a one is kept beside its withdrawal; what was corrected is replaced anyway. The three of them (the
assessment, its withdrawal, its erasure) may come in any order, and the last to come drops the words.
"""

from __future__ import annotations

from typing import Any, TypeVar

from services.scoring.decisions.areas import AREA_SERIES
from services.scoring.decisions.documents import AREAS, ERASED, RESULTS, WITHDRAWALS, Area, Result, assessment_id
from shared.contracts.facts import Accepted, SubmissionErased
from shared.messaging.decide.asking import STALE, Ask, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Received
from shared.privacy import ERASED_LINE

A = TypeVar("A", bound=Accepted)


async def on_erased(received: Received[SubmissionErased], ask: Ask) -> Outcome:
    """Remember it, and drop the words of what is here already."""
    fact = received.data
    ref = ERASED.ref(fact.receipt_id)
    if await ask.one(ref) is not None:
        return Outcome(verdict=STALE)
    outcome = Outcome({ref: fact})
    if fact.kind in ("commune", "centre", "assessment"):
        await drop_words(RESULTS.ref(assessment_id(fact.kind, fact.subject), fact.period).id, ask, outcome)
    return outcome


async def drop_words(id: str, ask: Ask, outcome: Outcome) -> None:
    """Put the assessment without its words, if it is withdrawn and erased as far as is known now.

    Args:
        id: of its result, and of whatever is kept beside that.
    """
    ask.over(outcome)
    ref: Ref[Area | Result] = AREAS.ref(id) if id.partition("@")[0] in AREA_SERIES else RESULTS.ref(id)
    withdrawn, kept = await ask.one(WITHDRAWALS.ref(id)), await ask.one(ref)
    if withdrawn is None or kept is None or kept.accepted.version >= withdrawn.version:
        return
    if await ask.one(ERASED.ref(kept.accepted.receipt_id)) is not None:
        told = {"told": None} if isinstance(kept, Result) else {}
        outcome.put(ref, kept.model_copy(update={"accepted": without_words(kept.accepted), **told}))


def without_words(accepted: A) -> A:
    """The same assessment: figures as they are, a sender's own words (references to evidence, the reason) gone."""
    said = _without(accepted.model_dump(mode="json"))
    return type(accepted).model_validate(said | ({"reason": ERASED_LINE} if accepted.reason else {}))


def _without(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: [ERASED_LINE] * len(inner) if name == "evidence" else _without(inner)
                for name, inner in value.items()
            }
        case list():
            return [_without(each) for each in value]
        case _:
            return value
