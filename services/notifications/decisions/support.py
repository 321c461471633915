"""Changed support is told only when a province's proposal is settled: a burst of corrections raises no alerts about
amounts that live for a second."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from services.notifications.decisions.alerts import tell
from services.notifications.decisions.documents import ALERTS, RUNS, SUPPORTS, TOLD, Run, SupportLine
from services.notifications.domain import Told, assessment_deadline, is_complete, support_changed_alert
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each

WAITING = "waiting"
"""Not all lines of the run are here yet; the next one asks again."""
WITHDRAWN = "withdrawn"
"""Funding's flag of a line that is no longer part of the run."""


class ProvinceYear(NamedTuple):
    """A province and a budget year."""

    province: str
    year: int


async def settled_support(due: Due[ProvinceYear], ask: Ask) -> Outcome:
    """The alerts about changed support of one province and budget year, once its proposal has settled.

    Nothing happens while lines of the run are missing: sum and hash of the stored lines must be those of the
    run. Each alert hangs under its centre's budget event, and was raised at the time of the run's latest
    event.

    A centre without an assessment is told of only when the time for it is over: until then its amount says nothing.
    """
    run = await ask.one(RUNS.ref(*due.key))
    kept = await ask.all(SUPPORTS, due.key._asdict())
    lines = sorted(
        (line for line in kept if WITHDRAWN not in line.allocation.flags), key=lambda line: line.allocation.centre_id
    )
    if run is None or not is_complete(run, lines):
        return Outcome(verdict=WAITING)
    raised_at = max(noted.received_at for noted in (run, *lines))
    outcome, alerts = Outcome(), []
    refs = [TOLD.ref(line.allocation.centre_id, line.year) for line in lines]
    for line, ref, told in zip(lines, refs, await ask.many(refs), strict=True):
        at = raised_at
        if line.allocation.assessment == "awaited":
            continue  # another line comes when its time is over
        if line.allocation.assessment == "not_submitted":
            time_limit = assessment_deadline(line)
            if not ask.reached(time_limit):
                continue
            at = max(raised_at, time_limit)
        if alert := support_changed_alert(line, told, line.event_id, at):
            outcome.put(ref, Told(line.allocation.amount, (told.times if told else 0) + 1))
            alerts.append(alert)
    await tell(ask, outcome, alerts)
    traces = {line.allocation.centre_id: line.traceparent for line in lines}
    outcome.events = [replace(event, parent=traces[event.subject]) for event in outcome.events]
    return outcome


def _of(state: SupportLine | Run) -> list[ProvinceYear]:
    return [ProvinceYear(state.province, state.year)]


SETTLED_SUPPORT = SetOf(
    "settled_support",
    ProvinceYear,
    settled_support,
    sources=(Source(RUNS, each(_of)), Source(SUPPORTS, each(_of))),
    keeps=(TOLD, ALERTS),
)
