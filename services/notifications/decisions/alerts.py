"""What notifications does with each event: it tells what happened, and keeps what tells whether something holds.

A fact may come again, late, or before an older one: versions and places decide, never the order in which it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from services.notifications.decisions.documents import (
    ACTIVITIES,
    ADJUSTMENTS,
    ALERTS,
    FILES,
    MOVES,
    RESULTS,
    RUNS,
    SUPPORTS,
    Adjustment,
    Appeal,
    File,
    LateRequest,
    Move,
    Reconciled,
    Release,
    Reopening,
    Run,
    Seen,
    SupportLine,
)
from services.notifications.decisions.erasing import without_erased_words
from services.notifications.decisions.files import matter_of
from services.notifications.decisions.telling import tell
from services.notifications.domain import (
    CALLS,
    TAKEN,
    activity_of,
    file_of,
    known_until,
    place_of,
    receipt_alert,
    standing,
)
from shared.contracts.catalogue import EventType
from shared.contracts.facts import (
    AdjustmentProposed,
    AssessmentScored,
    BudgetMoved,
    BudgetProposed,
    BudgetRunProposed,
    CentreScored,
    CommuneScored,
    Receipt,
)
from shared.messaging.decide.asking import STALE, Ask, Decide, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.messages import Received

IGNORED = "ignored"
REPEATED = "repeated"
"""The matter was told before."""
MENDED = "mended"
"""What came later about the same was taken: nothing is asked any more."""
Kept = TypeVar("Kept", Run, Move, Adjustment, Reconciled, Release, Reopening, LateRequest, Appeal)


async def on_matter(received: Received[Any], ask: Ask) -> Outcome:
    """An event that is one matter by itself; the keys of its alerts say which."""
    matter = (received.data, received.event_id, received.received_at)
    alerts = [alert for alert_of in CALLS.get(received.type, ()) if (alert := alert_of(*matter))]
    if not alerts:
        return Outcome(verdict=IGNORED)
    outcome = Outcome()
    await tell(ask, outcome, alerts)
    return outcome if outcome.events else Outcome(verdict=REPEATED)


async def on_receipt(received: Received[Receipt], ask: Ask) -> Outcome:
    """A submission that was not taken is told at once; one that was taken mends what was sent before about the same."""
    receipt = await without_erased_words(received.data, ask)
    alert, file, place = receipt_alert(receipt, received.event_id), file_of(receipt), place_of(receipt)
    if alert is None and (file is None or receipt.status not in TAKEN):
        return Outcome(verdict=IGNORED)
    outcome = Outcome()
    if file is None:
        await tell(ask, outcome, [alert] if alert else [])
        return outcome if outcome.events else Outcome(verdict=REPEATED)
    ref = FILES.ref(receipt.province, file)
    known = await ask.one(ref) or File(province=receipt.province, file=file)
    is_mended = known.taken is not None and known.taken >= place
    if alert is None:
        if is_mended:
            return Outcome(verdict=STALE)
        outcome.put(ref, known.model_copy(update={"taken": place}))
        return outcome
    if is_mended:
        return Outcome(verdict=MENDED)
    if await ask.one(ALERTS.ref(alert.alert_id)) is not None:
        return Outcome(verdict=REPEATED)
    await tell(ask, outcome, [alert], matter=matter_of(receipt.province, file), place=place)
    outcome.put(ref, known.model_copy(update={"asked": known.asked + 1}))
    return outcome


async def on_result(
    received: Received[CommuneScored] | Received[CentreScored] | Received[AssessmentScored], ask: Ask
) -> Outcome:
    """A version of a result, whichever came before it."""
    result = received.data
    match result:
        case CommuneScored():
            ref = RESULTS.ref("commune", result.unit_id, result.period)
        case CentreScored():
            ref = RESULTS.ref("centre", result.centre_id, result.period)
        case AssessmentScored():
            ref = RESULTS.ref(result.series, result.subject_id, result.period)
    before = await ask.one(ref)
    if before is not None and before.standing is None and before.version >= result.version:
        return Outcome(verdict=STALE)
    known = before.standing if before else None
    now = standing(result, known, received.event_id, received.received_at, received.traceparent)
    if now == known:
        return Outcome(verdict=STALE)
    seen = Seen(version=now.newest.version, standing=now, province=now.province, period=now.period)
    outcome = Outcome({ref: seen})
    if isinstance(result, AssessmentScored):
        await _keep_activity(outcome, result, received, ask)
    return outcome


async def _keep_activity(outcome: Outcome, result: AssessmentScored, received: Received[Any], ask: Ask) -> None:
    """What the newest version of a report says of a centre's months."""
    activity = activity_of(result, received.event_id, received.received_at, received.traceparent)
    if activity is not None:
        ref = ACTIVITIES.ref(activity.centre_id, activity.period)
        before = await ask.one(ref)
        if before is None or before.version < activity.version:
            outcome.put(ref, activity)


async def on_line(received: Received[BudgetProposed], ask: Ask) -> Outcome:
    """A line of a proposal: the newest, and what it was when the time for files was over."""
    line = received.data
    ref = SUPPORTS.ref(line.allocation.centre_id, line.year)
    before = await ask.one(ref)
    then = (before.then, before.then_version) if before else (None, None)
    if received.received_at < known_until(line.year) and (then[1] is None or line.version > then[1]):
        then = (line.allocation.amount, line.version)
    newest = before if before and before.version >= line.version else SupportLine(**noted(received))
    now = newest.model_copy(update={"then": then[0], "then_version": then[1]})
    return Outcome(verdict=STALE) if now == before else Outcome({ref: now})


async def on_run(received: Received[BudgetRunProposed], ask: Ask) -> Outcome:
    """The head of a proposal."""
    return await newest(ask, RUNS.ref(received.data.province, received.data.year), Run(**noted(received)))


async def on_move(received: Received[BudgetMoved], ask: Ask) -> Outcome:
    """An action on a budget."""
    return await newest(ask, MOVES.ref(received.data.province, received.data.year), Move(**noted(received)))


async def on_adjustment(received: Received[AdjustmentProposed], ask: Ask) -> Outcome:
    """A version of a proposal to adjust."""
    return await newest(ask, ADJUSTMENTS.ref(received.data.adjustment_id), Adjustment(**noted(received)))


async def newest(ask: Ask, ref: Ref[Kept], now: Kept) -> Outcome:
    """Keep the newest version."""
    before = await ask.one(ref)
    if before is not None and before.version >= now.version:
        return Outcome(verdict=STALE)
    return Outcome({ref: now})


def noted(received: Received[Any]) -> dict[str, Any]:
    """An event's fact with what is kept beside it."""
    beside = {name: getattr(received, name) for name in ("event_id", "received_at", "traceparent")}
    return {**dict(received.data), **beside}


routes: Mapping[str, Decide[Received[Any]]] = {
    **dict.fromkeys(CALLS, on_matter),
    EventType.RECEIPT_ISSUED: on_receipt,
    EventType.COMMUNE_SCORED: on_result,
    EventType.CENTRE_SCORED: on_result,
    EventType.ASSESSMENT_SCORED: on_result,
    EventType.BUDGET_PROPOSED: on_line,
    EventType.BUDGET_RUN_PROPOSED: on_run,
    EventType.BUDGET_MOVED: on_move,
    EventType.ADJUSTMENT_PROPOSED: on_adjustment,
}
