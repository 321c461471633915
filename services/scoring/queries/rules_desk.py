"""What the ministry sees of proposed rules: where each stands, and by rehearsal what it would move."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from services.scoring.decisions import (
    NATION,
    RANKINGS,
    RESCORED,
    RESULTS,
    Moves,
    RankingYear,
    Rescored,
    Result,
    rows_again,
    standings_by_holder,
    terms,
)
from services.scoring.decisions import rules_desk as decisions
from services.scoring.domain import Stretch
from services.scoring.queries.rankings import rows
from shared.answers.page import Page
from shared.answers.rules import ProposalView, ScoringRehearsal
from shared.contracts.base import Text
from shared.messaging.decide.asking import Due
from shared.messaging.decide.documents import Ref
from shared.messaging.decide.engine import Run, answer, bring, in_turn
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.register import register_now
from shared.mongo import Mongo
from shared.refusals import problem
from shared.rulebook import NoRuleInForce
from shared.rulebook.decided import decision_on, state_of
from shared.rulebook.overlays import folders, using
from shared.rulebook.proposed import Tried

PROPOSALS = decisions.PROPOSALS
CHUNK = 10
"""Results that are judged together."""


async def find(mongo: Mongo, id: str) -> decisions.Proposal | None:
    """One proposal."""
    rows = await mongo.find(PROPOSALS.name, {"_id": PROPOSALS.ref(id).id})
    return PROPOSALS.read(rows[0]) if rows else None


async def proposals(mongo: Mongo, query: dict[str, Any], *, after: str | None, limit: int) -> Page[ProposalView]:
    """A page of the proposals by id, without their files."""
    if after:
        query = {**query, "_id": {"$gt": after}}
    rows = await mongo.find(PROPOSALS.name, query, sort=[("_id", 1)], limit=limit + 1)
    here = await standing()
    items = [view(PROPOSALS.read(row), here).model_copy(update={"files": {}}) for row in rows[:limit]]
    return Page(items=items, next=rows[limit - 1]["_id"] if len(rows) > limit else None)


class InUse(NamedTuple):
    """By which rules this process goes."""

    base: str
    digests: frozenset[str]
    """Of the proposals that are installed."""


async def standing() -> InUse:
    """By which rules this process goes."""
    return await asyncio.to_thread(_standing)


def _standing() -> InUse:
    places = folders()
    decided = (decision_on(folder, str(folder)) for folder in places)
    return InUse(state_of(places), frozenset(each.digest for each in decided if each is not None))


def view(proposal: decisions.Proposal, here: InUse) -> ProposalView:
    """A proposal as it is answered."""
    told = {name: getattr(proposal, name) for name in ProposalView.model_fields.keys() & type(proposal).model_fields}
    told["files"] = dict(proposal.texts)
    return ProposalView(**told, in_use=proposal.digest in here.digests, is_current=proposal.base == here.base)


# --------------------------------------------------------------------------------------------------- rehearsal


async def rehearse(mongo: Mongo, rules: Tried, period: int, shown: int, at: datetime) -> ScoringRehearsal:
    """What judging a period again by other rules would move, and the ranks that follow. Nothing is written.

    The same decision judges that an order to judge again would have made, on the same documents, with what follows for
    communes from their centres and standards. Districts and provinces are judged on the counts that are kept with them.

    Args:
        shown: how many of each are told one by one.
    """
    moves = Moves(rules.digest, period, shown)
    with using(rules.places):
        by_province: list[dict[str, Any]] = [{"$match": {"period": period}}, {"$group": {"_id": "$accepted.province"}}]
        for row in sorted(await mongo.aggregate(RESULTS.name, by_province), key=lambda row: str(row["_id"])):
            await _judge(mongo, period, row["_id"], moves, at)
        await _rank(mongo, period, moves)
    return moves.told()


async def _judge(mongo: Mongo, period: int, province: str, moves: Moves, at: datetime) -> None:
    """All results of a province, one after the other over what the ones before have led to."""
    query = {"period": period, "accepted.province": province}
    ids = [row["_id"] for row in await mongo.find(RESULTS.name, query, projection={"_id": 1}, sort=[("_id", 1)])]
    reader, refs = Reader(mongo), [RESULTS.ref(id) for id in ids]
    await reader.load(refs)
    before = {ref: kept for ref in refs if (kept := reader[ref]) is not None}
    failed: dict[Ref[Result], Text] = {}
    written: set[Ref[Any]] = set()
    for start in range(0, len(refs), CHUNK):
        await asyncio.sleep(0)  # records and other callers come between
        chunk = refs[start : start + CHUNK]
        runs = [_run(ref, period, reader, at) for ref in chunk]
        await bring(runs, reader)
        for ref, run in zip(chunk, runs, strict=True):
            await in_turn(run, reader, written)
            try:
                puts = run.result().puts
            except (NoRuleInForce, LookupError, ValueError) as error:
                failed[ref] = _reason(error)
                continue
            reader.expect(puts)
            written |= puts.keys()
    for ref, kept in before.items():
        moves.judged_again(kept, None if ref in failed else reader[ref], failed.get(ref))


def _run(ref: Ref[Result], period: int, reader: Reader, at: datetime) -> Run[Due[Rescored]]:
    return Run(RESCORED.decide, Due(Rescored(ref.id, period), at), reader, at, declared=RESCORED.declared)


def _reason(error: Exception) -> Text:
    if isinstance(error, NoRuleInForce):
        return error.problem.message
    return problem("scoring.rules_cannot_judge").message


async def _rank(mongo: Mongo, period: int, moves: Moves) -> None:
    """All rankings that there are of a period: the nation's, then those of areas, then of provinces."""
    heads = [RANKINGS.read(row) for row in await mongo.find(RANKINGS.name, {"period": period})]
    if not heads:
        return
    reader = Reader(mongo)
    register = await answer(register_now, reader)
    known = {
        holder: [moves.standings.get(each.unit_id, each) for each in found]
        for holder, found in (await answer(partial(standings_by_holder, period=period), reader)).items()
    }
    for head in sorted(heads, key=lambda each: (each.scope != NATION, each.scope)):
        await asyncio.sleep(0)
        year = RankingYear(head.scope, period)
        holder = year.holder
        results = known if holder is None else {holder: known.get(holder, [])}
        try:
            after = rows_again(terms(head.scope, period, None, register), results)
        except NoRuleInForce as error:
            moves.unranked[head.scope] = error.problem.message
            continue
        moves.ranked_again(year, await rows(mongo, head, Stretch(1, head.pages)), after)
