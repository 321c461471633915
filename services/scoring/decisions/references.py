"""What other rubrics' results say of a commune, collected from these results: after one of them has left it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import TypeAdapter

from services.scoring.decisions.documents import RECOGNITIONS, REFERENCES, RESULTS, WITHDRAWALS, Result, StoredScored
from services.scoring.decisions.results import Judging, reference
from shared.contracts.base import Contract
from shared.messaging.decide.asking import Ask, Due, Look, Outcome
from shared.messaging.decide.register import REGISTERS
from shared.messaging.decide.sets import SetOf, Source


class CommuneYear(NamedTuple):
    """One commune in one period."""

    unit_id: str
    period: int


class _Feeding(Contract):
    result: StoredScored


_FEEDING = TypeAdapter(_Feeding)


def _left(before: Result | None, after: Result | None) -> Iterator[CommuneYear]:
    """The commune that a result no longer feeds, or of which it says nothing any more: there may be another result
    that had no room among the most that are kept."""
    fed = before.feeds if before else None
    if before and fed and not (after and after.feeds == fed and reference(after.result)):
        yield CommuneYear(fed, before.period)


async def _collect(due: Due[CommuneYear], ask: Ask) -> Outcome:
    unit_id, period = due.key
    # Before the results are looked at: whoever adds one at this moment collides with what is written here.
    await ask.one(REFERENCES.ref(unit_id, period))
    judging = Judging(ask, Outcome(), "reference", None, due.at)
    found = await ask.look(
        Look(RESULTS, _FEEDING, {"feeds": unit_id, "period": period}, without=("accepted", "inputs"))
    )
    await judging.refer(unit_id, period, filter(None, (reference(each.result) for each in found)))
    return judging.outcome


COLLECTED = SetOf(
    "references",
    CommuneYear,
    _collect,
    (Source(RESULTS, _left),),
    keeps=(REFERENCES, RECOGNITIONS, WITHDRAWALS, REGISTERS),
)
"""A commune is judged again at once by whatever touches it; here only what it needs is read."""
