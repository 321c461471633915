"""Titles by single decisions: kept per holder, counted per commune and period once a burst of them is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from pydantic import TypeAdapter

from services.scoring.decisions.documents import (
    RECOGNITIONS,
    REFERENCES,
    RESULTS,
    TITLE_COUNTS,
    TITLES,
    WITHDRAWALS,
    GoneTitle,
    Holder,
    Result,
    TitlesOf,
    assessment_ref,
)
from services.scoring.decisions.results import UNCHANGED, Judging
from services.scoring.domain import TitleDecision, counted
from shared.contracts.facts import AssessmentAccepted, TitleAccepted, Withdrawn
from shared.contracts.submissions import TitleModel
from shared.messaging.decide.asking import STALE, Ask, Due, Look, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.decide.register import REGISTER, REGISTERS, register_now
from shared.messaging.decide.sets import SetOf, Source, each
from shared.messaging.messages import Received
from shared.registry import Registry
from shared.rulebook import cut_off

SERIES = "learning_models"


class TitleYear(NamedTuple):
    """The titles of one commune in one period."""

    unit_id: str
    period: int


async def on_title(received: Received[TitleAccepted], ask: Ask) -> Outcome:
    """Keep a decision on a title, or its revocation, among those on its holder. Nothing is counted here."""
    fact = received.data
    ref = TITLES.ref(fact.province, fact.model, fact.holder_id)
    return await _kept(ref, fact.model, TitleDecision.of(fact), ask)


async def on_title_withdrawn(fact: Withdrawn, ask: Ask) -> Outcome:
    """Likewise, that one was filed by mistake; also of one that has not come yet."""
    _, province, model, holder_id, unit_id = fact.subject.split("/")
    assert fact.period is not None, "a title has the year of its decision"
    gone = GoneTitle(unit_id, fact.period, fact.version)
    return await _kept(TITLES.ref(province, model, holder_id), cast(TitleModel, model), gone, ask)


async def _kept(ref: Ref[Holder], model: TitleModel, last: TitleDecision | GoneTitle, ask: Ask) -> Outcome:
    await ask.many([REGISTER, ref])
    before, register = await ask.one(ref), await register_now(ask)
    known = before or Holder(model=model)
    same = (last.unit_id, last.year)
    versions = [one.version for one in known.decisions if (one.unit_id, one.year) == same]
    versions += [one.version for one in known.gone if (one.unit_id, one.year) == same]
    if any(version >= last.version for version in versions):
        return Outcome(verdict=STALE)
    decisions = [one for one in known.decisions if (one.unit_id, one.year) != same]
    gone = [one for one in known.gone if (one.unit_id, one.year) != same]
    if isinstance(last, TitleDecision):
        decisions.append(last)
    else:
        gone.append(last)
    units = {one.unit_id for one in decisions}
    now = Holder(
        model=known.model,
        decisions=tuple(sorted(decisions, key=lambda one: (one.unit_id, one.year))),
        gone=tuple(sorted(gone)),
        units=tuple(sorted(units)),
        around=tuple(sorted({id for one in decisions for id in _counted_in(one, register)})),
    )
    return Outcome({ref: now})


def _counted_in(decision: TitleDecision, register: Registry) -> Iterator[str]:
    """Every unit that may count it on some cut-off day: its own under any id, and what that went into whole."""
    seen: list[str] = []
    waiting = [decision.unit_id]
    while waiting:
        for id in register.lineage(waiting.pop()):
            if id not in seen:
                seen.append(id)
                rows = register.successors(id)
                waiting += [row.successor for row in rows if row.share == "whole"]
    for id in seen:
        unit = register.by_id(id)
        if unit is not None and (unit.valid_to is None or unit.valid_to > cut_off(decision.year)):
            yield id


def _within(unit_id: str, period: int, register: Registry) -> list[str]:
    """Every unit whose places lie in this commune on the cut-off date."""
    day, seen, waiting = cut_off(period), set[str](), [unit_id]
    while waiting:
        for id in register.lineage(waiting.pop()):
            if id not in seen:
                seen.add(id)
                waiting += [row.predecessor for row in register.predecessors(id)]
    here = ((id, register.counterpart(id, day)) for id in seen)
    return sorted(id for id, unit in here if unit is not None and unit.unit_id == unit_id)


async def _count(due: Due[TitleYear], ask: Ask) -> Outcome:
    unit_id, period = due.key
    ref, judged = TITLE_COUNTS.ref(unit_id, period), assessment_ref(SERIES, unit_id, period)
    before = await ask.one(ref)  # before what is counted, which may only be newer
    units = _within(unit_id, period, await register_now(ask))
    found = await ask.look(Look(TITLES, _HOLDERS, {"units": {"$in": units}}))
    counts = counted(((one.model, one.decisions) for one in found), set(units), cut_off(period))
    outcome = Outcome(verdict=UNCHANGED)
    if counts != (before.counts if before else None):
        outcome = Outcome({ref: TitlesOf(unit_id=unit_id, period=period, counts=counts)}, verdict="counted")
    judging = Judging(ask, outcome, "reference", None, due.at)
    stored = await ask.one(judged)
    if stored is not None:
        await judging.judge(stored.accepted)
    return judging.outcome


_HOLDERS = TypeAdapter(Holder)


def _around(holder: Holder) -> Iterable[tuple[str, int | None]]:
    """Every period that was counted, and those in which a decision was taken."""
    for unit_id in holder.around:
        yield unit_id, None
        for year in {one.year for one in holder.decisions}:
            yield unit_id, year


def _filed(result: Result) -> list[TitleYear]:
    return (
        [TitleYear(result.accepted.subject_id, result.period)]
        if isinstance(result.accepted, AssessmentAccepted) and result.kind == SERIES
        else []
    )


COUNTED = SetOf(
    "titles",
    TitleYear,
    _count,
    (
        Source(TITLES, each(_around)),
        Source(RESULTS, each(_filed, by=lambda result: result.input_version)),
        Source(REGISTERS, each(lambda corrections: [(None, None)])),
    ),
    keeps=(TITLE_COUNTS, WITHDRAWALS, REFERENCES, RECOGNITIONS),
)
"""A file that comes is judged on the counts that are there; what single decisions change is counted here."""
