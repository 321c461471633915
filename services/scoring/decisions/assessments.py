"""What is accepted → results, and what stands on them. In whatever order it arrives, the end is the same."""

from __future__ import annotations

from services.scoring.decisions.areas import AREA_SERIES, areas_around
from services.scoring.decisions.documents import (
    RECOGNITIONS,
    AcceptedAssessment,
    Area,
    Recognitions,
    area_ref,
    ref_of,
)
from services.scoring.decisions.results import Judging
from services.scoring.domain import Recognition
from shared.contracts.facts import AssessmentAccepted, RecognitionAccepted
from shared.contracts.register import RegisterCorrected
from shared.messaging.decide.asking import STALE, Ask, Outcome
from shared.messaging.decide.register import REGISTER, keep, register_now
from shared.messaging.messages import Received
from shared.registry import touched_units


async def on_assessment(received: Received[AcceptedAssessment], ask: Ask) -> Outcome:
    """Judge it; that of an area is only filed, since its result is computed over a set."""
    accepted = received.data
    if isinstance(accepted, AssessmentAccepted) and accepted.series in AREA_SERIES:
        return await _file(accepted, ask, received.traceparent)
    ref = ref_of(accepted)
    await ask.many([REGISTER, ref])
    stored = await ask.one(ref)
    if stored is not None and accepted.version <= stored.input_version:
        return Outcome(verdict=STALE)
    judging = Judging(ask, Outcome(), "reference", received.traceparent)
    await judging.judge(accepted)
    return judging.outcome


async def _file(accepted: AssessmentAccepted, ask: Ask, traceparent: str | None) -> Outcome:
    ref = area_ref(accepted.series, accepted.subject_id, accepted.period)
    stored = await ask.one(ref)
    if stored is not None and accepted.version <= stored.accepted.version:
        return Outcome(verdict=STALE)
    filed = Area(series=accepted.series, period=accepted.period, accepted=accepted, traceparent=traceparent)
    return Outcome({ref: filed})


async def on_recognition(received: Received[RecognitionAccepted], ask: Ask) -> Outcome:
    """Keep an authority's decision: it stands beside a computed result, and level 2 needs one."""
    accepted = received.data
    ref = RECOGNITIONS.ref(accepted.unit_id)
    await ask.many([REGISTER, ref])
    kept, register = await ask.one(ref) or Recognitions(), await register_now(ask)
    if any(item.period == accepted.period and item.version >= accepted.version for item in kept.items):
        return Outcome(verdict=STALE)
    others = [item for item in kept.items if item.period != accepted.period]
    items = tuple(sorted([*others, Recognition.of(accepted)], key=lambda item: item.period))
    update = {"items": items, "areas": areas_around(accepted.unit_id, register)}
    judging = Judging(ask, Outcome({ref: kept.model_copy(update=update)}), "recognition", received.traceparent)
    await judging.communes(register.lineage(accepted.unit_id))
    return judging.outcome


async def on_correction(received: Received[RegisterCorrected], ask: Ask) -> Outcome:
    """Keep a correction of the register, and judge again the units that it names and those that are the same ones.

    What was accepted stands under the unit for which it was accepted. What may change is which units are the same one,
    so whose recognitions count.
    """
    outcome = await keep(received, ask)
    if not outcome.puts:
        return outcome
    judging = Judging(ask, outcome, "register", received.traceparent)
    register = await register_now(ask)
    named = {each for id in touched_units(received.data.correction) for each in register.lineage(id)}
    await judging.communes(sorted(named))
    # Whoever judges one of them for the first time at this very moment goes by the register from before.
    outcome.holds.update(map(RECOGNITIONS.ref, named))
    return outcome
