"""Authorities' decisions → what stands beside a computed result, and level 2 that needs one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.scoring.decisions.areas import areas_around
from services.scoring.decisions.documents import commune_refs, items_of, recognitions_in, recognitions_ref
from services.scoring.decisions.results import Judging
from services.scoring.domain.judging import Recognition
from shared.contracts.catalogue import EventType
from shared.contracts.facts import RecognitionAccepted
from shared.messaging.decide.handling import STALE, Outcome, Ref, Route, States
from shared.messaging.decide.register import REGISTER, register_of
from shared.messaging.messages import Received

FIRST_PERIOD = 2013


def _needs(received: Received[RecognitionAccepted]) -> list[Ref]:
    return [REGISTER, recognitions_ref(received.data.unit_id)]


def _further(received: Received[RecognitionAccepted], states: States) -> Iterator[Ref]:
    register = register_of(states)
    for unit_id in register.lineage(received.data.unit_id):
        for period in _periods_touched(received):
            yield from commune_refs(unit_id, period, register)


def _periods_touched(received: Received[RecognitionAccepted]) -> range:
    """Periods beside whose results the decision may stand: from its own to those that can be assessed by now.

    The period that it recognises is covered besides the year of its date, so that a correction of the date also reaches
    the results that the date before had touched. An assessment that comes later looks for the decision by itself.
    """
    accepted = received.data
    return range(max(FIRST_PERIOD, min(accepted.period, accepted.decided_on.year)), received.received_at.year + 2)


def _handle(received: Received[RecognitionAccepted], states: States) -> Outcome:
    accepted = received.data
    ref = recognitions_ref(accepted.unit_id)
    items = recognitions_in(items_of(states[ref]))
    if any(item.period == accepted.period and item.version >= accepted.version for item in items):
        return Outcome(verdict=STALE)
    kept = [item for item in items if item.period != accepted.period]
    items = tuple(sorted([*kept, Recognition.of(accepted)], key=lambda item: item.period))
    judging = Judging(states, Outcome(), "recognition", received.traceparent)
    judging.outcome.puts[ref] = {"items": [item.model_dump(mode="json") for item in items]}
    for unit_id in judging.register.lineage(accepted.unit_id):
        for period in _periods_touched(received):
            judging.commune(unit_id, period)
    judging.outcome.requests += areas_around(accepted.unit_id, _periods_touched(received), judging.register)
    return judging.outcome


routes: Mapping[str, Route[Any]] = {EventType.RECOGNITION_ACCEPTED: Route(_needs, _handle, _further)}
