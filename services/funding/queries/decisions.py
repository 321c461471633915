"""What people decide, read and written: budgets, adjustments, the journal, the record of actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.funding.decisions.adjustments import (
    Case,
    adjustment_ref,
    approve_adjustment,
    refuse,
    reverse,
    submit,
)
from services.funding.decisions.corrections import Adjusting, settled_of
from services.funding.decisions.lives import (
    PURPOSES,
    Grounds,
    approve,
    debts_behind,
    decided_ref,
    life_of,
    move,
    publish,
)
from services.funding.decisions.records import Command
from services.funding.domain.life import Life
from services.funding.queries.proposals import (
    OPERATING,
    bare,
    counted,
    inputs_of,
    life_and_run,
    lines_of,
    snapshot_read,
)
from shared.contracts.facts import AdjustmentProposed
from shared.contracts.journal import JournalEntry
from shared.contracts.life import Action, ActionRecord
from shared.messaging.decide.handling import Document, Outcome, Ref
from shared.messaging.decide.reader import Reader
from shared.mongo import Mongo

_ADJUSTING = {"submit": submit, "approve": approve_adjustment, "refuse": refuse, "reverse": reverse}


class Absent(LookupError):
    """There is no such budget or adjustment: nothing that an action could be recorded of."""


async def act(reader: Reader, province: str, year: int, command: Command, now: datetime) -> Outcome:
    """A person's action on a budget, decided on what stands now. Raises `Absent`."""
    life, run = await life_and_run(reader, province, year)
    if run is None:
        raise Absent(life.key)
    command = replace(command, at=now)
    match Action(command.action):
        case Action.APPROVE:
            grounds = await _grounds(reader, life, run)
            outcome = approve(life, grounds, command)
            # The decisions whose debts it pays are put again, unchanged: nobody pays or cancels them at this moment.
            behind = [decided_ref(line["centre_id"], line["year"]) for line in debts_behind(grounds.inputs)]
            outcome.puts |= {ref: debt for ref in behind if (debt := reader[ref])}
        case Action.PUBLISH:
            decided = await reader.find("decisions", {"province": province, "year": year})
            outcome = publish(life, run, decided.values(), command)
        case _:
            outcome = move(life, command)
    # The run that was acted on is put again, unchanged: a recalculation at the same moment collides instead of writing
    # another proposal under what was decided or recorded.
    outcome.puts[Ref("runs", life.key)] = run
    return outcome


async def _grounds(reader: Reader, life: Life, run: Document) -> Grounds:
    inputs = await inputs_of(reader, life.province, life.year)
    lines = await lines_of(reader, inputs)
    # Whoever has a line, and whoever may have an award without one.
    ids = sorted({*lines, *(line["centre_id"] for line in inputs.decided)})
    places = [decided_ref(centre_id, life.year, purpose) for centre_id in ids for purpose in PURPOSES]
    await reader.load(places)
    return Grounds(run, inputs, lines, frozenset(ref for ref in places if reader[ref] is not None))


async def decide_on_adjustment(reader: Reader, adjustment_id: str, command: Command, now: datetime) -> Outcome:
    """A person's action on an adjustment, decided on what stands now. Raises `Absent`."""
    kept = await reader.get(adjustment_ref(adjustment_id))
    if kept is None:
        raise Absent(adjustment_id)
    adjusting = Adjusting.model_validate(kept)
    proposal = adjusting.proposal
    life, _ = await life_and_run(reader, proposal.province, proposal.year)
    decision = None
    if proposal.centre_id is not None:
        decision = await reader.get(decided_ref(proposal.centre_id, proposal.year))
    query = {"province": proposal.province, "year": proposal.year}
    same = await reader.find("adjustments", {**query, "proposal.centre_id": proposal.centre_id})
    entries: dict[str, Document] = {}
    if proposal.reverses:
        entries = await reader.find("journal", {**query, "ref": f"adjustment/{proposal.reverses}"})
    case = Case(
        life=life,
        adjusting=adjusting,
        decision=decision,
        all_of_centre=list(same.values()),
        entries=[entries[key] for key in sorted(entries)],
        settled=await _settled(reader, decision),
    )
    return _ADJUSTING[command.action](case, replace(command, at=now))


async def _settled(reader: Reader, decision: Document | None) -> int:
    """What later years have paid of what a decision carries over. The decision is read before."""
    if decision is None or not decision["carried_total"]:
        return 0
    everything = await counted(reader, {"centre_id": decision["centre_id"], "purpose": OPERATING})
    return settled_of(everything, decision["year"])[decision["centre_id"]]


# ------------------------------------------------------------------------------------------------- reading


async def record_of(mongo: Mongo, command: str) -> ActionRecord | None:
    """What became of a command."""
    rows = bare(await mongo.find("actions", {"command": command}))
    return ActionRecord.model_validate(rows[0]) if rows else None


async def budget(mongo: Mongo, province: str, year: int) -> tuple[Life, Document] | None:
    """A budget and its proposal; `None` where there is none."""
    key = f"{province}/{year}"
    runs = bare(await mongo.find("runs", {"_id": key}))
    lives = bare(await mongo.find("budgets", {"_id": key}))
    return (life_of(province, year, lives[0] if lives else None, runs[0]), runs[0]) if runs else None


async def actions(mongo: Mongo, province: str, year: int) -> list[ActionRecord]:
    """Everything that was done to a budget, or refused, in that order."""
    rows = await mongo.find("actions", {"province": province, "year": year}, sort=[("_id", 1)])
    return [ActionRecord.model_validate(row) for row in bare(rows)]


async def decisions(mongo: Mongo, query: dict[str, Any]) -> list[Document]:
    """Decisions that stand, by centre and purpose."""
    return bare(await mongo.find("decisions", query, sort=[("_id", 1)]))


async def adjustments(
    mongo: Mongo, query: dict[str, Any], *, after: str | None = None, limit: int = 0
) -> list[AdjustmentProposed]:
    """Adjustments in order of their ids: by province, year, centre and number."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    rows = await mongo.find("adjustments", query, sort=[("_id", 1)], limit=limit)
    return [Adjusting.model_validate(row).proposal for row in rows]


async def find_adjustment(mongo: Mongo, adjustment_id: str) -> AdjustmentProposed | None:
    """One adjustment."""
    found = await adjustments(mongo, {"_id": adjustment_id})
    return found[0] if found else None


async def journal(mongo: Mongo, province: str, year: int, purpose: str) -> list[JournalEntry]:
    """All entries of a journal, in their order."""
    query = {"province": province, "year": year, "purpose": purpose}
    rows = await mongo.find("journal", query, sort=[("_id", 1)])
    return [JournalEntry.model_validate(row) for row in bare(rows)]


async def snapshot(mongo: Mongo, province: str, year: int) -> Document | None:
    """The frozen inputs of a budget's approval."""
    return await snapshot_read(Reader(mongo), province, year)
