"""What is accepted → results, and what stands on them. In whatever order it arrives, the end is the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, cast, get_args

from services.scoring.decisions.areas import AREA_SERIES, areas_counting
from services.scoring.decisions.documents import (
    WITHDRAWALS,
    AcceptedAssessment,
    Area,
    Gone,
    Recognitions,
    area_ref,
    formed,
    recognitions_ref,
    ref_of,
    withdrawn_ref,
)
from services.scoring.decisions.erasing import drop_words
from services.scoring.decisions.results import UNCHANGED, Judging
from services.scoring.decisions.titles import on_title_withdrawn
from shared.contracts.facts import AssessmentAccepted, Recognition, RecognitionAccepted, Withdrawn
from shared.contracts.register import RegisterCorrected
from shared.contracts.submissions import RecognisedSeries, Standard
from shared.messaging.decide.asking import STALE, Ask, Outcome
from shared.messaging.decide.register import REGISTER, keep, register_now
from shared.messaging.messages import Received
from shared.registry import touched_units

Row = TypeVar("Row", Recognition, Gone)


async def on_assessment(received: Received[AcceptedAssessment], ask: Ask) -> Outcome:
    """Judge it; that of an area is only filed, since its result is computed over a set."""
    accepted = received.data
    if isinstance(accepted, AssessmentAccepted) and accepted.series in AREA_SERIES:
        return await _file(accepted, ask, received.traceparent)
    ref = ref_of(accepted)
    await ask.many([REGISTER, ref])
    stored = await ask.one(ref)
    if stored is not None and accepted.version <= stored.accepted.version:
        return Outcome(verdict=STALE)
    judging = Judging(ask, Outcome(), "reference", received.traceparent, received.received_at)
    await judging.judge(accepted)
    await drop_words(ref.id, ask, judging.outcome)
    return judging.outcome


async def _file(accepted: AssessmentAccepted, ask: Ask, traceparent: str | None) -> Outcome:
    ref = area_ref(accepted.series, accepted.subject_id, accepted.period)
    stored = await ask.one(ref)
    if stored is not None and accepted.version <= stored.accepted.version:
        return Outcome(verdict=STALE)
    filed = Area(series=accepted.series, period=accepted.period, accepted=accepted, traceparent=traceparent)
    outcome = Outcome({ref: filed})
    await drop_words(ref.id, ask, outcome)
    return outcome


async def on_recognition(received: Received[RecognitionAccepted], ask: Ask) -> Outcome:
    """Keep an authority's decision, or its revocation: it stands beside a computed result, and level 2 needs one."""
    fact = received.data
    gone = Gone(fact.period, fact.standard, fact.version)
    return await _decided(fact.series, fact.unit_id, gone, Recognition.of(fact), ask, received)


async def on_withdrawn(received: Received[Withdrawn], ask: Ask) -> Outcome:
    """Leave without a judgement, or without a decision, what its sender has taken back; also what has not come yet.

    A withdrawal lies under the key of what it takes back, so nobody else handles one of the two at the same moment.
    """
    fact = received.data
    if fact.kind == "recognition":
        assert fact.period is not None, "decisions are for a period"
        series, subject, standard = _recognised(fact.subject)
        return await _decided(series, subject, Gone(fact.period, standard, fact.version), None, ask, received)
    if fact.kind == "title":
        return await on_title_withdrawn(fact, ask)
    if fact.kind not in ("commune", "centre", "assessment"):
        return Outcome(verdict=UNCHANGED)
    result_ref = withdrawn_ref(fact)
    ref = WITHDRAWALS.ref(result_ref.id)
    known, stored = await ask.one(ref), await ask.one(result_ref)
    if known is not None and fact.version <= known.version:
        return Outcome(verdict=STALE)
    judging = Judging(ask, Outcome({ref: fact}), "withdrawal", received.traceparent, received.received_at)
    if stored is not None and stored.kind not in AREA_SERIES:
        await judging.judge(stored.accepted)
    await drop_words(ref.id, ask, judging.outcome)
    return judging.outcome


async def _decided(
    series: RecognisedSeries, subject: str, last: Gone, decision: Recognition | None, ask: Ask, cause: Received[Any]
) -> Outcome:
    """Keep the last that is known of a decision: what it says, or (`None`) that it was withdrawn."""
    ref = recognitions_ref(series, subject)
    await ask.many([REGISTER, ref])
    kept, register = await ask.one(ref) or Recognitions(), await register_now(ask)

    place = (last.period, last.standard)
    rows: list[Recognition | Gone] = [*kept.items, *kept.withdrawn]
    if any(row.version >= last.version for row in rows if (row.period, row.standard) == place):
        return Outcome(verdict=STALE)
    now: dict[str, Any] = {
        "items": _with(kept.items, place, decision),
        "withdrawn": _with(kept.withdrawn, place, None if decision else last),
        "areas": areas_counting(series, subject, last.period, register),
    }
    if series == "centre":
        now["province"] = cause.data.province
    outcome = Outcome({ref: kept.model_copy(update=now)})
    judging = Judging(ask, outcome, "recognition", cause.traceparent, cause.received_at)
    match series:
        case "commune":
            await judging.again(series, [*register.lineage(subject), *formed(subject, register)])
        case "universal_education":
            await judging.again(series, register.lineage(subject))
            await judging.again("commune", register.lineage(subject))
        case "centre":
            await judging.centre(subject, last.period)
        case "learning_unit":
            await judging.again(series, [subject])
    return judging.outcome


def _with(rows: Iterable[Row], place: tuple[int, Standard | None], now: Row | None) -> tuple[Row, ...]:
    """The rows with `now` in its place, or nothing, in their order."""
    found = {(row.period, row.standard or ""): row for row in rows if (row.period, row.standard) != place}
    if now is not None:
        found[place[0], place[1] or ""] = now
    return tuple(found[each] for each in sorted(found))


def _recognised(subject: str) -> tuple[RecognisedSeries, str, Standard | None]:
    """Series, subject and standard of a decision, from the subject of its fact."""
    series, slash, rest = subject.partition("/")
    if not slash or series not in get_args(RecognisedSeries):
        return "commune", subject, None
    id, slash, standard = rest.rpartition("/")
    if slash and series == "universal_education":
        return "universal_education", id, cast(Standard, standard)
    return cast(RecognisedSeries, series), rest, None


async def on_correction(received: Received[RegisterCorrected], ask: Ask) -> Outcome:
    """Keep a correction of the register, and judge again the units that it names and those that are the same ones.

    What was accepted stands under the unit for which it was accepted. What may change is which units are the same one,
    so whose recognitions count.
    """
    outcome = await keep(received, ask)
    if not outcome.puts:
        return outcome
    judging = Judging(ask, outcome, "register", received.traceparent, received.received_at)
    register = await register_now(ask)
    named = {each for id in touched_units(received.data.correction) for each in register.lineage(id)}
    named |= {each for id in named for each in formed(id, register)}
    await judging.again("commune", sorted(named))
    await judging.again("universal_education", sorted(named))
    return outcome
