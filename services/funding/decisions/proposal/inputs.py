"""What is known of a province for a budget year: the facts as they are kept, and how they are read together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import TypeAdapter

from services.funding.decisions.journal import DECISIONS, OPERATING, Counted, counted
from shared.contracts.base import Contract, Points, Status
from shared.contracts.facts import EnvelopeAccepted, RegistrationAccepted, SupportAccepted
from shared.messaging.decide.asking import Ask, Request
from shared.messaging.decide.documents import Collection, Query

PROPOSAL = "proposal"
EVERY_YEAR: Any = None
"""As the year of a `ProvinceYear` in a request: every known one of the province."""


class ProvinceYear(NamedTuple):
    """Key of the set `proposal`."""

    province: str
    year: int


def budget_year(period: int) -> int:
    """The budget year that an assessment period decides."""
    return period + 1


def again(province: str, year: int = EVERY_YEAR) -> Request:
    """That a province's proposals are to be computed."""
    return Request(PROPOSAL, ProvinceYear(province, year))


class Score(Contract):
    """What counts of the latest `CentreScored`."""

    version: int
    period: int
    rubric: str
    state: Literal["scored", "incomplete"]
    total: Points | None = None
    grade: str | None
    centre_id: str
    province: str
    traceparent: str | None = None
    """Of the event; no amount depends on it."""


class Pending(Contract):
    """A file that was rejected, held or in conflict, until a result stands."""

    centre_id: str
    period: int
    province: str
    status: Status
    receipt_id: str


CENTRES: Collection[RegistrationAccepted] = Collection("centres", TypeAdapter(RegistrationAccepted))
SUPPORTS: Collection[SupportAccepted] = Collection("supports", TypeAdapter(SupportAccepted))
ENVELOPES: Collection[EnvelopeAccepted] = Collection("envelopes", TypeAdapter(EnvelopeAccepted))
SCORES: Collection[Score] = Collection("scores", TypeAdapter(Score))
PENDING: Collection[Pending] = Collection("pending", TypeAdapter(Pending))


class ProvinceInputs(Contract):
    """All inputs of one province. More years than needed do no harm: each proposal picks its own."""

    province: str
    year: int
    envelope: EnvelopeAccepted | None
    """Of the province and year."""
    centres: Sequence[RegistrationAccepted]
    """Of the province."""
    scores: Sequence[Score]
    """Of the province, at least of every period before the year: an earlier grade stands in for a pending file."""
    supports: Sequence[SupportAccepted]
    """Of the province, of the years before: as far back as the transition of merged centres looks."""
    pending: Sequence[Pending]
    """Of the province, at least of the period before the year."""
    decided: Sequence[Counted] = ()
    """Decisions of the years before on the province's centres, whoever took them: what counts of each, and of the
    latest one on a centre with a debt (`debts_of`) its `allocation`. Of later years those that were decided first and
    have paid what this year would pay again: debts, and the initial equipment."""


def debts_of(decided: Iterable[Counted], year: int) -> dict[str, int]:
    """What the years before carried over and no other year has paid, in đồng, by centre; only where there is some.

    The debt follows the centre: whoever has it in the register pays. A later year that was decided first has paid too.
    """
    sums: dict[str, int] = {}
    for line in decided:
        if line.purpose == OPERATING:
            carried = line.carried_total if line.year < year else 0
            sums[line.centre_id] = sums.get(line.centre_id, 0) + carried - line.settled
    return {centre_id: amount for centre_id, amount in sums.items() if amount > 0}


async def inputs_of(ask: Ask, province: str, year: int) -> ProvinceInputs:
    """What is known of a province for a budget year.

    A centre on which another province has decided for the year is left to it: it is counted once. Results and supports
    follow the centre, wherever it lay when they came.
    """
    centres = await ask.all(CENTRES, {"province": province})
    of_centres = {"centre_id": {"$in": [centre.centre_id for centre in centres]}}
    known = await _decided(ask, of_centres)
    taken = {line.centre_id for line in known if line.year == year and line.province != province}
    decided = [line for line in known if _concerns(line, year) and line.centre_id not in taken]
    return ProvinceInputs(
        province=province,
        year=year,
        envelope=await ask.one(ENVELOPES.ref(province, year)),
        centres=[centre for centre in centres if centre.centre_id not in taken],
        scores=await ask.all(SCORES, {**of_centres, "period": {"$lt": year}}),
        supports=await ask.all(SUPPORTS, {**of_centres, "year": {"$lt": year}}),
        pending=await ask.all(PENDING, {"province": province, "period": year - 1}),
        decided=await _with_lines(ask, decided, year),
    )


async def _decided(ask: Ask, of_centres: Query) -> list[Counted]:
    """What counts of all decisions on these centres.

    Those that carry a debt are read before anything that may have paid it, and asked for by identity: an approval holds
    them, so that two who pay a debt, or one who pays and one who cancels it, collide.
    """
    carrying = await ask.all(DECISIONS, {**of_centres, "purpose": OPERATING, "carried_total": {"$gt": 0}})
    debts = await ask.many(DECISIONS.ref(line.centre_id, line.year, OPERATING) for line in carrying)
    owing = {(debt.centre_id, debt.year, OPERATING): Counted.of(debt) for debt in debts if debt}
    return [
        owing.get((row.centre_id, row.year, row.purpose), row.model_copy(update={"carried_total": 0}))
        for row in await counted(ask, of_centres)
    ]


def _concerns(line: Counted, year: int) -> bool:
    paid = line.settled or line.purpose != OPERATING
    return bool(line.year < year or (line.year > year and paid))


async def _with_lines(ask: Ask, decided: Sequence[Counted], year: int) -> list[Counted]:
    """The decisions, the latest one on each centre with a debt together with its line."""
    before = {(line.centre_id, line.year) for line in decided if line.purpose == OPERATING and line.year < year}
    latest = [max(key for key in before if key[0] == centre_id) for centre_id in debts_of(decided, year)]
    found = await ask.many(DECISIONS.ref(*key, OPERATING) for key in latest)
    lines = {(whole.centre_id, whole.year, OPERATING): whole.allocation for whole in found if whole}
    return [
        line.model_copy(update={"allocation": lines.get((line.centre_id, line.year, line.purpose))}) for line in decided
    ]
