"""Results over a province: its proposal until it is approved, proposals of adjustments from then on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from services.funding.decisions.adjustment.corrections import ADJUSTMENTS, Adjusting, Decisions
from services.funding.decisions.adjustment.following import follow
from services.funding.decisions.journal import DECISIONS, OPERATING, counted, settled_of
from services.funding.decisions.life.acting import life_and_run, proposed_anew
from services.funding.decisions.life.records import LIVES, SYSTEM, Command
from services.funding.decisions.life.snapshots import PARTS, SNAPSHOTS, Approved, snapshot_known
from services.funding.decisions.proposal.inputs import (
    CENTRES,
    ENVELOPES,
    EQUIPMENT,
    EVERY_YEAR,
    FILES,
    KIN,
    PENDING,
    PROPOSAL,
    RECOGNISED,
    SCORES,
    SUPPORTS,
    Files,
    Pending,
    ProvinceInputs,
    ProvinceYear,
    again,
    budget_year,
    heirs_of,
    inputs_of,
    standing,
)
from services.funding.decisions.proposal.proposing import ALLOCATIONS, RUNS, lines_of, propose
from services.funding.decisions.reconciling import RECONCILIATIONS
from services.funding.domain import DECIDED, Life
from shared.contracts.facts import EnvelopeAccepted, Withdrawn
from shared.messaging.decide.asking import Ask, Due, Outcome
from shared.messaging.decide.sets import SetOf, Source, each

_BECAUSE = "Số liệu đầu vào đã thay đổi: có bản đề nghị mới. / Inputs have changed: there is a new proposal."


async def propose_or_adjust(due: Due[ProvinceYear], ask: Ask) -> Outcome:
    """What follows for a province and budget year from what is known of them now."""
    life, run = await life_and_run(ask, *due.key)
    inputs = await inputs_of(ask, *due.key)
    if life.state in DECIDED:
        return await _followed(life, inputs, due.at, ask)
    outcome = propose(inputs, run, (await lines_of(ask, inputs)).values(), due.at)
    new = outcome.puts.get(RUNS.ref(*due.key))
    if new is not None and life.actions:
        proposed_anew(outcome, life, new, _system("propose", "budget", _BECAUSE, due.at))
    return outcome


async def _followed(life: Life, inputs: ProvinceInputs, at: datetime, ask: Ask) -> Outcome:
    query = {"province": life.province, "year": life.year}
    lines = {line.centre_id: line for line in await ask.all(DECISIONS, {**query, "purpose": OPERATING})}
    carrying = [centre_id for centre_id, line in lines.items() if line.carried_total]
    everything = await counted(ask, {"centre_id": {"$in": carrying}, "purpose": OPERATING})
    snapshot = await snapshot_known(ask, life.province, life.year)
    if snapshot is None:
        raise LookupError(f"the snapshot of {life.key} is missing")
    decided = Decisions(
        life=life,
        approved=Approved.of(snapshot),
        lines=lines,
        settled=settled_of(everything, life.year),
        adjustments=await ask.all(ADJUSTMENTS, query),
    )
    before = inputs.model_copy(update={"decided": [line for line in inputs.decided if line.year < life.year]})
    return await follow(decided, before, _system("propose_adjustment", "", "", at), ask)


def _system(action: str, subject: str, why: str, at: datetime) -> Command:
    return Command(None, action, subject, SYSTEM, why, None, None, at)


def _every_year(state: Any) -> list[ProvinceYear]:
    """A centre counts in every year; a result, a support and a decision in all that come after it."""
    return [ProvinceYear(state.province, EVERY_YEAR)]


def _its_year(envelope: EnvelopeAccepted | Withdrawn) -> list[ProvinceYear]:
    year = envelope.period if isinstance(envelope, Withdrawn) else envelope.year
    return [] if year is None else [ProvinceYear(envelope.province, year)]


def _next_year(file: Files | Pending) -> list[ProvinceYear]:
    return [ProvinceYear(file.province, budget_year(file.period))]


def _once_decided(adjusting: Adjusting) -> list[ProvinceYear]:
    """What people said yes or no to; the other corrections meet another reserve then."""
    of = adjusting.proposal
    return [ProvinceYear(of.province, of.year)] if of.state in ("approved", "refused") else []


PROPOSALS = SetOf(
    PROPOSAL,
    ProvinceYear,
    propose_or_adjust,
    sources=(
        Source(CENTRES, each(_every_year)),
        Source(ENVELOPES, each(_its_year)),
        Source(SUPPORTS, each(_every_year)),
        Source(EQUIPMENT, each(_every_year)),
        Source(SCORES, each(_every_year)),
        Source(RECOGNISED, each(_every_year)),
        Source(FILES, each(_next_year)),
        Source(PENDING, each(_next_year)),
        Source(DECISIONS, each(_every_year)),
        Source(ADJUSTMENTS, each(_once_decided)),
    ),
    keeps=(RUNS, ALLOCATIONS, LIVES, SNAPSHOTS, PARTS),
)


class Province(NamedTuple):
    """Key of the set `kin`."""

    province: str


async def ask_heirs(due: Due[Province], ask: Ask) -> Outcome:
    """Have every other province compute its proposals that continues figures of a province's centres, or shares them.

    It publishes and keeps nothing; what a centre had may count in the province of its successor, or of that one's, and
    a predecessor that lives on elsewhere keeps less of it.
    """
    centres = await ask.all(CENTRES, due.key._asdict())
    named = sorted({key for centre in standing(centres) for key in centre.predecessors})
    provinces = {each.province for each in await ask.many(CENTRES.ref(key) for key in named) if each}
    known = {each.subject if isinstance(each, Withdrawn) else each.centre_id for each in centres} | {*named}
    new = known
    while new:
        heirs = await heirs_of(ask, new)
        provinces |= {heir.province for heir in heirs}
        new = {heir.centre_id for heir in heirs} - known
        known |= new
    others = sorted(provinces - {due.key.province})
    return Outcome(requests=[again(province) for province in others])


def _its_kin(state: Any) -> list[Province]:
    return [Province(state.province)]


HEIRS = SetOf(
    KIN,
    Province,
    ask_heirs,
    sources=(Source(CENTRES, each(_its_kin)), Source(SUPPORTS, each(_its_kin)), Source(DECISIONS, each(_its_kin))),
)
SETS: tuple[SetOf[Any], ...] = (PROPOSALS, HEIRS, RECONCILIATIONS)
