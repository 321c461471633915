"""A correction of the register: kept, and whatever rests on the units that it names is judged and ranked again.

What was accepted stands under the unit for which it was accepted. What may change is which units are the same one (so
whose recognitions count), what lies within an area, and which units a ranking has rows for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from services.scoring.decisions.areas import areas_around
from services.scoring.decisions.documents import commune_refs
from services.scoring.decisions.rankings import NATION, area_class_scope, province_scope
from services.scoring.decisions.results import Judging
from shared.contracts.catalogue import EventType
from shared.contracts.register import RegisterCorrected
from shared.contracts.submissions import AreaClass
from shared.messaging.decide.handling import STALE, Outcome, Recalculation, Ref, Route, States
from shared.messaging.decide.register import REGISTER, register_of
from shared.messaging.messages import Received
from shared.registry import Registry, corrected_register, touched_units, with_correction
from shared.rulebook import cut_off

FIRST_PERIOD = 2013


def _further(received: Received[RegisterCorrected], states: States) -> Iterator[Ref]:
    after = with_correction(states[REGISTER], received.data)
    if after is not None:
        register = corrected_register(after)
        for unit_id, period in _touched(received, register):
            yield from commune_refs(unit_id, period, register)


def _handle(received: Received[RegisterCorrected], states: States) -> Outcome:
    document = with_correction(states[REGISTER], received.data)
    if document is None:
        return Outcome(verdict=STALE)
    before, register = register_of(states), corrected_register(document)
    judging = Judging(states, Outcome(puts={REGISTER: document}), "register", received.traceparent)
    requests: dict[Recalculation, None] = {}
    for unit_id, period in _touched(received, register):
        judging.commune(unit_id, period)
        for known in (before, register):  # also the area that the unit leaves counts anew
            requests |= dict.fromkeys(areas_around(unit_id, [period], known))
        requests |= dict.fromkeys(_rankings(unit_id, period, before, register))
    judging.outcome.requests += requests
    return judging.outcome


def _touched(received: Received[RegisterCorrected], register: Registry) -> list[tuple[str, int]]:
    """Units and periods that the correction may concern: those named, and those that are the same unit as one of them.

    A period whose cut-off date a unit did not see has no result of it, before and after.
    """
    periods = range(FIRST_PERIOD, received.received_at.year + 2)
    named = {each for unit_id in touched_units(received.data.correction) for each in register.lineage(unit_id)}
    return [(unit_id, period) for unit_id in sorted(named) for period in periods]


def _rankings(unit_id: str, period: int, *registers: Registry) -> Iterator[Recalculation]:
    """The rankings that have a row for the unit, in any of these registers; none is made where nothing was ranked."""
    for register in registers:
        unit = register.by_id(unit_id)
        if unit is not None and unit.valid(cut_off(period)):
            scopes = [province_scope(unit.province_code), NATION, *map(area_class_scope, get_args(AreaClass))]
            yield from (Recalculation(scope, period) for scope in scopes)


routes: Mapping[str, Route[Any]] = {EventType.REGISTER_CORRECTED: Route(lambda received: [REGISTER], _handle, _further)}
