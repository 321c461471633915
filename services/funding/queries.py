"""Indexes of funding, what an older release left, and what its API reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from services.funding.decisions import (
    ACTIONS,
    ACTIVITIES,
    ADJUSTMENTS,
    ALLOCATIONS,
    CENTRES,
    DECISIONS,
    DONE,
    ENVELOPES,
    JOURNAL,
    LIVES,
    OPERATING,
    PROPOSAL,
    RECONCILIATION,
    REFUSALS,
    RELEASES,
    RUNS,
    SCORES,
    SUPPORTS,
    Activity,
    Decision,
    ProvinceInputs,
    Score,
    Snapshot,
    again,
    calculated,
    compare_again,
    compared,
    inputs_of,
    life_and_run,
    rules_in_force,
    snapshot_known,
    standing,
)
from services.funding.domain import (
    Budget,
    Comparison,
    History,
    Life,
    Line,
    Side,
    View,
    Year,
    compare,
    misfits,
    told,
    views,
)
from shared.answers.budgets import Acceptance, ToldAdjustment, ToldDecision, ToldProposal, Worked
from shared.contracts.facts import BudgetProposed, BudgetRunProposed, Purpose, RegistrationAccepted
from shared.contracts.journal import JournalEntry
from shared.contracts.life import ActionRecord, Refusals, State
from shared.messaging.collections import RECALCULATIONS, SETS
from shared.messaging.decide.documents import Collection, Query, Sort, content_of
from shared.messaging.decide.engine import answer
from shared.messaging.decide.migrating import contract, name_requests
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.sets import key_text
from shared.messaging.decide.writing import rows_of
from shared.messaging.seals import Altered
from shared.mongo import Mongo, Unavailable
from shared.rulebook import FundingPolicy
from shared.rulebook.sustainability import sustainability_policy

M = TypeVar("M")
BY_ID: Sort = [("_id", 1)]
MOST_READS = 5
"""Of what belongs together while others decide: more than fall between two of them."""


async def migrate(mongo: Mongo) -> None:
    """Create the indexes, lift what an older release wrote, and make known what sets there are. Safe to repeat."""
    await contract(mongo, ALLOCATIONS, DECISIONS, RELEASES, ADJUSTMENTS)
    await _take_over(mongo)
    for collection in ("centres", "pending"):
        await mongo.index(collection, [("province", 1)])
    await mongo.index("centres", [("predecessors", 1)])
    for collection in ("scores", "supports", "equipment", "activities"):
        await mongo.index(collection, [("centre_id", 1)])
    await mongo.index("recognised", [("unit_id", 1)])
    await mongo.index("allocations", [("province", 1), ("year", 1)])
    await mongo.index("allocations", [("allocation.centre_id", 1)])
    await mongo.index("allocations", [("allocation.commune_code", 1)])
    await mongo.index("decisions", [("province", 1), ("year", 1)])
    await mongo.index("decisions", [("centre_id", 1), ("year", 1)])
    await mongo.index("releases", [("province", 1), ("year", 1)])
    await mongo.index("releases", [("centre_id", 1), ("year", 1)])
    await mongo.index("payments", [("province", 1), ("year", 1)])
    await mongo.index("payments", [("centre_id", 1), ("year", 1)])
    for collection in ("supports", "equipment"):
        await mongo.index(collection, [("province", 1), ("year", 1)])
    await mongo.index("adjustments", [("province", 1), ("year", 1)])
    await mongo.index("actions", [("province", 1), ("year", 1)])
    await mongo.index("actions", [("command", 1)])
    await mongo.index("refusals", [("province", 1), ("year", 1)])
    await mongo.index("refusals", [("latest.command", 1)])
    # An entry's place is its `_id`; that no two entries follow the same one is for the database to refuse as well.
    await mongo.index("journal", [("previous_hash", 1)], unique=True)
    await mongo.index("journal", [("province", 1), ("year", 1), ("purpose", 1), ("number", 1)], unique=True)


async def _take_over(mongo: Mongo) -> None:
    """A release before named sets knew none: each budget year that has an envelope is one, and is looked at once.

    A proposal of a release that did not look at the clock is computed again: it knows of no deadline that will pass. A
    budget of a release that knew of no payments is compared with them once.
    """
    await name_requests(mongo, again)
    keys = await _known_keys(mongo, PROPOSAL)
    envelopes = standing(await _legible(mongo, ENVELOPES, {}, []))  # an altered one is no start's trouble
    requests = [again(envelope.province, envelope.year) for envelope in envelopes]
    new = [request for request in requests if key_text(request.key) not in keys]
    new += [again(run["province"], run["year"]) for run in await mongo.find(RUNS.name, {"awaited": None})]
    compared_once = await _known_keys(mongo, RECONCILIATION)
    published = {"state": {"$in": [State.PUBLISHED, State.ADJUSTED]}}  # what nobody published, nobody pays
    lives = [compare_again(row["province"], row["year"]) for row in await mongo.find(LIVES.name, published)]
    new += [request for request in lives if key_text(request.key) not in compared_once]
    await mongo.insert(RECALCULATIONS, rows_of(new, await mongo.time()))


async def _known_keys(mongo: Mongo, name: str) -> set[str]:
    return {row["key"] for place in (SETS, RECALCULATIONS) for row in await mongo.find(place, {"set": name})}


async def found(mongo: Mongo, kind: Collection[M], query: Query, sort: Sort = BY_ID, limit: int = 0) -> list[M]:
    """Documents of one kind."""
    return [kind.read(row) for row in await mongo.find(kind.name, query, sort=sort, limit=limit)]


def _after(query: dict[str, Any], id: str | None) -> dict[str, Any]:
    return {**query, "_id": {"$gt": id}} if id else query


async def runs(mongo: Mongo, query: Query) -> list[BudgetRunProposed]:
    """Latest proposal of each province and year."""
    return await found(mongo, RUNS, query, sort=[("year", -1), ("province", 1)])


async def allocations(
    mongo: Mongo, query: dict[str, Any], *, after: str | None = None, limit: int = 0
) -> list[BudgetProposed]:
    """Lines of proposals, ordered by id (`<centre id>/<year>`)."""
    return await found(mongo, ALLOCATIONS, _after(query, after), limit=limit)


async def proposals(
    mongo: Mongo, query: dict[str, Any], *, after: str | None = None, limit: int = 0
) -> list[ToldProposal]:
    """Lines of proposals, told in words, in the same order. Raises `Unavailable` where they move all the time."""
    for _ in range(MOST_READS):
        # A line that a newer run than this one moved is told by that one: its run is read before it, and read again.
        of_lines = await mongo.find(
            ALLOCATIONS.name, _after(query, after), sort=BY_ID, limit=limit, projection={"province": 1, "year": 1}
        )
        budgets = {(row["province"], row["year"]) for row in of_lines}
        runs = await runs_of(mongo, budgets)
        lines = await allocations(mongo, query, after=after, limit=limit)
        pairs = [(line, runs.get((line.province, line.year))) for line in lines]
        if budgets.issuperset((line.province, line.year) for line in lines) and all(
            run is None or line.run_version <= run.version for line, run in pairs
        ):
            return [told.proposal(line, run) for line, run in pairs]
    raise Unavailable(f"the proposals moved {MOST_READS} times while they were read")


async def runs_of(mongo: Mongo, budgets: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], BudgetRunProposed]:
    """The runs that stand of these provinces and years."""
    ids = sorted({RUNS.ref(*key).id for key in budgets})
    return {(run.province, run.year): run for run in await found(mongo, RUNS, {"_id": {"$in": ids}})} if ids else {}


async def told_decisions(mongo: Mongo, decisions: Sequence[Decision]) -> list[ToldDecision]:
    """The decisions, told in words: those of a run that was approved, which moves no more."""
    runs = await runs_of(mongo, ((one.province, one.year) for one in decisions))
    return [told.decision(one, runs.get((one.province, one.year))) for one in decisions]


async def budget(mongo: Mongo, province: str, year: int) -> tuple[Life, BudgetRunProposed] | None:
    """A budget and its proposal; `None` where there is none."""
    life, run = await answer(lambda ask: life_and_run(ask, province, year), Reader(mongo))
    return (life, run) if run else None


async def record_of(mongo: Mongo, command: str) -> ActionRecord | None:
    """What became of a command; `None` too where it was refused, and later refusals of its sender took its place."""
    records = await found(mongo, ACTIONS, {"command": command})
    records += [one for each in await found(mongo, REFUSALS, {"latest.command": command}) for one in each.latest]
    return next((record for record in records if record.command == command), None)


async def actions(mongo: Mongo, province: str, year: int) -> list[ActionRecord]:
    """Everything that was done to a budget, in that order; of a release before, also what was refused then."""
    return await found(mongo, ACTIONS, {"province": province, "year": year})


async def refusals(mongo: Mongo, province: str, year: int, *, after: str | None, limit: int) -> list[Refusals]:
    """The refused orders on a budget, by sender."""
    return await found(mongo, REFUSALS, _after({"province": province, "year": year}, after), limit=limit)


async def acceptances(mongo: Mongo, lines: Iterable[BudgetProposed]) -> list[Acceptance]:
    """Who submitted the budgets of these lines though the file or a figure of their centres was not there, and why."""
    of: dict[tuple[str, int], set[str]] = {}
    for line in lines:
        of.setdefault((line.province, line.year), set()).add(line.allocation.centre_id)
    return [
        Acceptance(centre_id=centre_id, year=year, by=record.who, at=record.at, why=record.why)
        for (province, year), centres in sorted(of.items())
        for record in await actions(mongo, province, year)
        if record.result == DONE
        for centre_id in record.accepts
        if centre_id in centres
    ]


@dataclass(frozen=True, slots=True)
class Books:
    """What was decided of a province's budget, and which of its documents do not say so."""

    life: Life | None
    """`None`: nobody has acted on it, or it is altered."""
    journals: Mapping[Purpose, Sequence[JournalEntry]]
    decisions: Sequence[Decision]
    """That stand, by centre and purpose."""
    releases: Sequence[Decision]
    """Every version as it was published, in order of centre, purpose and version."""
    altered: Sequence[str]
    """Places of documents that were altered outside the service, or are missing."""

    @property
    def whole(self) -> Books:
        """The same. Raises `Altered` where any document is."""
        if self.altered:
            raise Altered(*self.altered)
        return self


async def books(mongo: Mongo, province: str, year: int) -> Books:
    """What was decided, compared with the chained journal: each document that does not fit is named.

    They are several questions, and whatever is booked moves the budget itself: where it moved between them, what does
    not fit says nothing, and they are asked again. Raises `Unavailable` where it does so every time.
    """
    place = {"_id": LIVES.ref(province, year).id}
    for _ in range(MOST_READS):
        before = await mongo.find(LIVES.name, place, projection={"_rev": 1})
        read = await _books(mongo, province, year)
        if not read.altered or before == await mongo.find(LIVES.name, place, projection={"_rev": 1}):
            return read
    raise Unavailable(f"the budget {province}/{year} moved {MOST_READS} times while it was read")


async def _books(mongo: Mongo, province: str, year: int) -> Books:
    query, altered = {"province": province, "year": year}, list[str]()
    lives = await _legible(mongo, LIVES, {"_id": LIVES.ref(province, year).id}, altered)
    decided = await _legible(mongo, DECISIONS, query, altered)
    released = await _legible(mongo, RELEASES, query, altered)
    life = next(iter(lives), None)
    known = life.journals if life else {}
    journals = {purpose: await _entries(mongo, province, year, purpose, altered) for purpose in known}
    if life:
        altered += misfits(life, journals, decided, released)
    elif decided or released:
        altered.append(f"{LIVES.name}/{LIVES.ref(province, year).id}")
    return Books(life, journals, decided, released, list(dict.fromkeys(altered)))


async def _legible(mongo: Mongo, kind: Collection[M], query: Query, altered: list[str]) -> list[M]:
    """Documents of one kind; those that were altered are named instead.

    So is one that has a seal and is none of its kind: whoever has the key sealed it, but no release wrote it.
    """
    documents = []
    for row in await mongo.find(kind.name, query, sort=BY_ID):
        try:
            documents.append(kind.read(row))
        except Altered as error:
            altered += error.places
        except ValidationError:
            altered.append(f"{kind.name}/{row['_id']}")
    return documents


async def adjustments(
    mongo: Mongo, query: dict[str, Any], *, after: str | None = None, limit: int = 0
) -> list[ToldAdjustment]:
    """Adjustments in order of their ids (by province, year, centre and number), told in words."""
    kept = [one.proposal for one in await found(mongo, ADJUSTMENTS, _after(query, after), limit=limit)]
    runs = await runs_of(mongo, ((one.province, one.year) for one in kept))
    return [told.adjustment(one, runs.get((one.province, one.year))) for one in kept]


async def find_adjustment(mongo: Mongo, adjustment_id: str) -> ToldAdjustment | None:
    """One adjustment."""
    kept = await adjustments(mongo, {"_id": adjustment_id})
    return kept[0] if kept else None


async def journal(mongo: Mongo, province: str, year: int, purpose: str) -> list[JournalEntry]:
    """All entries of a journal, in their order, as they lie there: whether they are whole is told by their chain.

    Raises `Altered` of what lies among them and is no entry: no chain could tell of it.
    """
    altered = list[str]()
    entries = await _entries(mongo, province, year, purpose, altered)
    if altered:
        raise Altered(*altered)
    return entries


async def _entries(mongo: Mongo, province: str, year: int, purpose: str, altered: list[str]) -> list[JournalEntry]:
    entries = []
    query = {"province": province, "year": year, "purpose": purpose}
    for row in await mongo.find(JOURNAL.name, query, sort=BY_ID):
        try:
            entries.append(JOURNAL.model.validate_python(content_of(row)))
        except ValidationError:
            altered.append(f"{JOURNAL.name}/{row['_id']}")
    return entries


async def snapshot(mongo: Mongo, province: str, year: int) -> Snapshot | None:
    """The frozen inputs of a budget's approval."""
    return await answer(lambda ask: snapshot_known(ask, province, year), Reader(mongo))


async def known(mongo: Mongo, province: str, year: int, at: datetime) -> ProvinceInputs | None:
    """What a simulation starts from at this moment; `None` where no envelope is known."""
    inputs = await answer(lambda ask: inputs_of(ask, province, year), Reader(mongo), at)
    return None if inputs.envelope is None else inputs


def simulated(inputs: ProvinceInputs, *, envelope: int | None, policy: FundingPolicy | None) -> Comparison:
    """What another envelope or another policy would make of the same centres. Pure, and long for a large province.

    *Before* is what the rules in force give on what is known now.

    Raises:
        RulebookError: the rules do not fit the centres.
    """
    assert inputs.envelope is not None
    rules = rules_in_force(inputs.year, inputs.province)
    before = calculated(inputs, rules)
    given = inputs.envelope if envelope is None else inputs.envelope.model_copy(update={"amount": envelope})
    other = inputs.model_copy(update={"envelope": given})
    after = calculated(other, rules if policy is None else replace(rules, policy=policy))
    return compare(_side(before), _side(after), {one.centre_id: one.area_class for one in inputs.centres})


def _side(budget: Budget) -> Side:
    return Side(budget.envelope, budget.operating, budget.reserve, budget.case, budget.lines)


async def sustainability(mongo: Mongo, province: str, first: int, last: int) -> list[View]:
    """Support, activity and results of the province's centres from budget year `first` to `last`, each included.

    Support is what was decided; where nothing was decided, what the province stated, else what is proposed. Raises
    `Altered`, as `books` does, of every budget in which something was decided for one of them.
    """
    years = range(first, last + 1)
    centres = standing(await found(mongo, CENTRES, {"province": province}))
    ids, within = {"$in": [centre.centre_id for centre in centres]}, {"$gte": first, "$lte": last}
    proposed = await found(mongo, ALLOCATIONS, {"allocation.centre_id": ids, "year": within})
    stated = standing(await found(mongo, SUPPORTS, {"centre_id": ids, "year": within}))
    decided = await found(mongo, DECISIONS, {"centre_id": ids, "year": within})
    budgets = sorted({(line.province, line.year) for line in decided})  # a centre that has moved has several
    booked = [line for budget in budgets for line in (await books(mongo, *budget)).whole.decisions]
    supports = {(line.allocation.centre_id, line.year): line.allocation.amount for line in proposed}
    supports |= {(line.centre_id, line.year): line.amount for line in stated}
    supports |= {(line.centre_id, line.year): line.amount for line in booked if line.purpose == OPERATING}
    scored = await found(mongo, SCORES, {"centre_id": ids, "period": {"$gte": first - 1, "$lt": last}})
    scores = {(score.centre_id, score.period + 1): score for score in scored}
    reported = await found(mongo, ACTIVITIES, {"centre_id": ids, "period": within})
    activities = {(one.centre_id, one.period): Worked(**_worked(one)) for one in reported}
    histories = [_history(centre, years, supports, scores, activities) for centre in centres]
    return views(histories, sustainability_policy(date(last, 1, 1), province))


def _worked(one: Activity) -> dict[str, int | None]:
    return {name: getattr(one, name) for name in Worked.model_fields}


def _history(
    centre: RegistrationAccepted,
    years: Sequence[int],
    supports: dict[tuple[str, int], int],
    scores: dict[tuple[str, int], Score],
    activities: dict[tuple[str, int], Worked],
) -> History:
    told = []
    for year in years:
        support, score = supports.get((centre.centre_id, year)), scores.get((centre.centre_id, year))
        if support is not None or score:
            told.append(Year(year, support, score.total if score else None, score.grade if score else None))
    worked = {year: activities[key] for year in years if (key := (centre.centre_id, year)) in activities}
    return History(centre.centre_id, centre.name, centre.area_class, told, worked)


async def payments(mongo: Mongo, province: str, year: int) -> tuple[list[Line], Mapping[str, str]]:
    """The lines of a budget year's payments, none where nothing was decided or paid; and the names of their centres."""
    lines = (await answer(lambda ask: compared(ask, province, year), Reader(mongo))).lines
    ids = sorted({line.centre_id for line in lines})
    centres = standing(await found(mongo, CENTRES, {"_id": {"$in": ids}})) if ids else []
    return lines, {centre.centre_id: centre.name for centre in centres}
