"""What a province's money calls for: told when its proposal has come to rest, never while it is still forming."""

from __future__ import annotations

from typing import NamedTuple

from services.notifications.decisions.documents import (
    ADJUSTMENTS,
    ALERTS,
    MOVES,
    RUNS,
    SUPPORTS,
    Adjustment,
    Move,
    Run,
    SupportLine,
)
from services.notifications.decisions.telling import keep_true
from services.notifications.domain import (
    Proposal,
    adjustment_proposed_alert,
    assessment_deadline,
    assessments_close,
    below_minimum_alerts,
    digest_alert,
    is_complete,
    returned_alert,
    unknown_alerts,
)
from shared.contracts.base import Text
from shared.contracts.facts import Alert
from shared.contracts.life import Action, State
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each

WAITING = "waiting"
"""Not all lines of the run are here yet; the next one asks again."""
WITHDRAWN = "withdrawn"
"""Funding's flag of a line that is no longer part of the run."""
DECIDED = frozenset({State.APPROVED, State.PUBLISHED, State.ADJUSTED})
_WHY = Text(
    vi="Đề nghị kinh phí nay không còn như vậy, hoặc đã được quyết định.",
    en="The proposal is no longer so, or was decided.",
)


class ProvinceYear(NamedTuple):
    """A province and a budget year."""

    province: str
    year: int


async def standing_money(due: Due[ProvinceYear], ask: Ask) -> Outcome:
    """Keep true what a province and the ministry are told of a budget year.

    Nothing happens while lines of the run are missing: sum and hash of the stored lines must be those of the run.
    """
    run, move = await ask.one(RUNS.ref(*due.key)), await ask.one(MOVES.ref(*due.key))
    kept = await ask.all(SUPPORTS, due.key._asdict())
    lines = sorted(
        (line for line in kept if WITHDRAWN not in line.allocation.flags), key=lambda line: line.allocation.centre_id
    )
    adjustments = await ask.all(ADJUSTMENTS, due.key._asdict())
    outcome, wanted, traces = Outcome(), list[Alert](), dict[str, str | None]()

    def call(alert: Alert | None, trace: str | None) -> None:
        if alert is not None:
            wanted.append(alert)
            traces[alert.alert_id] = trace

    for each_ in adjustments:
        call(adjustment_proposed_alert(each_, each_.event_id, each_.received_at), each_.traceparent)
    matter = "/".join(map(str, due.key))
    await keep_true(ask, outcome, f"adjustments/{matter}", wanted, at=due.at, why=_WHY, traces=traces)
    if run is None or not is_complete(run, lines):
        outcome.verdict = WAITING
        return outcome
    wanted.clear()
    is_decided = move is not None and move.state in DECIDED
    for alert in below_minimum_alerts(run, run.event_id, run.received_at, is_decided=is_decided):
        call(alert, run.traceparent)
    if move:
        call(returned_alert(move, move.event_id, move.received_at), move.traceparent)
    if not is_decided and _is_at_rest(run, lines, move, ask):
        last = max(lines, key=lambda line: (line.received_at, line.event_id), default=run)
        raised_at = max(noted.received_at for noted in (run, last, move) if noted)
        proposal = Proposal(run, [line.allocation for line in lines], [line.then for line in lines])
        is_closed = ask.reached(assessments_close(run.year))
        call(digest_alert(proposal, run.event_id, raised_at, is_closed=is_closed), last.traceparent)
        for alert in unknown_alerts(run, run.event_id, raised_at):
            call(alert, last.traceparent)
    await keep_true(ask, outcome, f"money/{matter}", wanted, at=due.at, why=_WHY, traces=traces)
    return outcome


def _is_at_rest(run: Run, lines: list[SupportLine], move: Move | None, ask: Ask) -> bool:
    """Whether the proposal is worth telling: an officer acted on this version of it, or the time for files is over.

    Once it is decided, the decision is told instead. Where the envelope was taken back nothing is proposed.
    """
    if State.NO_ENVELOPE in run.flags:
        return False
    acted_on = move is not None and move.action != Action.PROPOSE and move.run_version == run.version
    is_over = ask.reached(assessment_deadline(run.year))
    return acted_on or (is_over and all(line.allocation.assessment != "awaited" for line in lines))


def _of(state: Run | SupportLine | Move | Adjustment) -> list[ProvinceYear]:
    return [ProvinceYear(state.province, state.year)]


STANDING_MONEY = SetOf(
    "settled_support",
    ProvinceYear,
    standing_money,
    sources=tuple(Source(kind, each(_of)) for kind in (RUNS, SUPPORTS, MOVES, ADJUSTMENTS)),
    keeps=(ALERTS,),
)
