"""Accepted assessments → results, and what stands on them. In whatever order they arrive, the end is the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.scoring.decisions.areas import file_area
from services.scoring.decisions.documents import AREA_SERIES, AcceptedAssessment, Inputs, area_ref, ref_of
from services.scoring.decisions.results import Judging, refs_of
from shared.contracts.catalogue import EventType
from shared.contracts.facts import AssessmentAccepted, CommuneAccepted
from shared.messaging.decide.handling import STALE, Outcome, Ref, Route, States
from shared.messaging.decide.register import REGISTER, register_of
from shared.messaging.messages import Received


def _needs(received: Received[AcceptedAssessment]) -> Iterable[Ref]:
    accepted = received.data
    if isinstance(accepted, AssessmentAccepted) and accepted.series in AREA_SERIES:
        return [area_ref(accepted.series, accepted.subject_id, accepted.period)]
    return [REGISTER, ref_of(accepted)]


def _further(received: Received[AcceptedAssessment], states: States) -> Iterable[Ref]:
    accepted = received.data
    if isinstance(accepted, AssessmentAccepted) and accepted.series in AREA_SERIES:
        return []
    return refs_of(accepted, register_of(states))


def _handle(received: Received[AcceptedAssessment], states: States) -> Outcome:
    accepted = received.data
    if isinstance(accepted, AssessmentAccepted) and accepted.series in AREA_SERIES:
        return file_area(accepted, states, received.traceparent)
    stored = states[ref_of(accepted)]
    if stored is not None and accepted.version <= stored["input_version"]:
        return Outcome(verdict=STALE)
    judging = Judging(states, Outcome(), "reference", received.traceparent)
    inputs = judging.commune_inputs(accepted) if isinstance(accepted, CommuneAccepted) else Inputs(accepted)
    judging.judge(inputs)
    return judging.outcome


_ROUTE = Route(_needs, _handle, _further)
routes: Mapping[str, Route[Any]] = dict.fromkeys(
    (EventType.COMMUNE_ACCEPTED, EventType.CENTRE_ACCEPTED, EventType.ASSESSMENT_ACCEPTED), _ROUTE
)
