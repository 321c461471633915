"""What is known of a province for a budget year: the facts as they are kept, and how they are read together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import Field, TypeAdapter

from services.funding.decisions.journal import DECISIONS, OPERATING, Counted, counted
from shared.contracts.base import Contract, Instant, Points, Status
from shared.contracts.facts import (
    Accepted,
    EnvelopeAccepted,
    PaymentAccepted,
    RecognitionAccepted,
    RegistrationAccepted,
    ResultState,
    SupportAccepted,
    Withdrawn,
)
from shared.contracts.lifetimes import existed, existed_in
from shared.messaging.decide.asking import Ask, Request
from shared.messaging.decide.documents import Collection, Query
from shared.rulebook import NoRuleInForce, closing, cut_off, deadline, rubric_for

PROPOSAL = "proposal"
KIN = "kin"
LATEST = datetime.max.replace(tzinfo=UTC)
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


def about(province: str) -> list[Request]:
    """That all is to be computed that rests on a province's centres, wherever."""
    return [again(province), Request(KIN, (province,))]


class Score(Contract):
    """What counts of the latest `CentreScored`."""

    version: int
    period: int
    rubric: str
    state: ResultState
    total: Points | None = None
    grade: str | None
    centre_id: str
    province: str
    traceparent: str | None = None
    """Of the event; no amount depends on it."""
    imported: str | None = Field(None, exclude_if=lambda name: name is None)
    """The import of history that handed in the file; no amount depends on it."""


class GradeDecided(Contract):
    """A grade that an authority's decision gave a centre, and that stands: it was neither revoked nor withdrawn."""

    centre_id: str
    period: int
    province: str
    rubric: str
    """That of centres in force for the period, whose grade it is."""
    grade: str
    decision_number: str
    imported: str | None = Field(None, exclude_if=lambda name: name is None)
    """The import of history that handed it in; no amount depends on it."""


class Files(Contract):
    """When the accepted files of a centre's period came. Every version tells, whether a result was made of it or not,
    so that it does not matter in which order they are heard of."""

    centre_id: str
    period: int
    province: str
    arrivals: dict[int, Instant] = {}
    """By version: those that came before every later one, and since the last withdrawal."""
    withdrawn: int = 0
    """Version of the latest withdrawal."""
    withdrawn_at: Instant | None = None

    def beside(self, other: Files) -> Files:
        """What is known with other versions, whichever was told first."""
        gone = max(self, other, key=attrgetter("withdrawn"))
        kept: dict[int, Instant] = {}
        for version, came in sorted((self.arrivals | other.arrivals).items(), reverse=True):
            if version > gone.withdrawn and came < min(kept.values(), default=LATEST):
                kept[version] = came
        return gone.model_copy(update={"arrivals": dict(sorted(kept.items()))})

    @property
    def arrived(self) -> Instant | None:
        """When the first file that counts came; `None`: not known."""
        return min(self.arrivals.values(), default=None)


class Pending(Contract):
    """A file that was rejected, held or in conflict, until a result stands: the first such one of the period."""

    centre_id: str
    period: int
    province: str
    status: Status
    receipt_id: str
    received_at: Instant | None = None
    """`None`: an older release did not keep it."""
    in_time: Instant | None = Field(None, exclude_if=lambda at: at is None)
    """When the latest one came that came by the deadline: after a withdrawal only a file that came later counts."""

    def beside(self, other: Pending) -> Pending:
        """What two files say together, whichever was told first."""
        first = self if self.before(other) else other
        in_time = max((at for at in (self.in_time, other.in_time) if at), default=None)
        return first.model_copy(update={"in_time": in_time})

    def before(self, other: Pending) -> bool:
        """Whether it came before another one. What an older release kept came before everything."""
        if self.received_at is None or other.received_at is None:
            return self.received_at is None and other.received_at is not None
        return (self.received_at, self.receipt_id) < (other.received_at, other.receipt_id)

    def since(self, withdrawn: Instant | None) -> Instant | None:
        """When a file came by the deadline and after the withdrawal of another one; `None`: none did."""
        return self.in_time if withdrawn and self.in_time and self.in_time > withdrawn else None


class Clock(Contract):
    """Where the assessment that decides about a budget year stands in time."""

    deadline: Instant
    closes: Instant
    """First instant at which the period is closed."""
    phase: Literal["open", "due", "closed"]
    """Before the deadline, before the closing, after it."""


F = TypeVar("F", bound=Accepted)


def _facts(name: str, fact: type[F]) -> Collection[F | Withdrawn]:
    """Accepted facts; in the place of one that was withdrawn lies its withdrawal, whichever of the two came first."""
    model: Any = Annotated[fact | Withdrawn, Field(union_mode="left_to_right")]
    return Collection(name, TypeAdapter(model), schema=2)


def standing(facts: Iterable[F | Withdrawn]) -> list[F]:
    """Those that were not withdrawn."""
    return [fact for fact in facts if not isinstance(fact, Withdrawn)]


CENTRES = _facts("centres", RegistrationAccepted)
SUPPORTS = _facts("supports", SupportAccepted)
ENVELOPES = _facts("envelopes", EnvelopeAccepted)
EQUIPMENT = _facts("equipment", SupportAccepted)
"""Payments of initial equipment: apart from `SUPPORTS`, so that nothing measures a year's support against them."""
RECOGNISED = _facts("recognised", RecognitionAccepted)
"""Decisions on the grades of centres; those on anything else move no money."""
PAYMENTS = _facts("payments", PaymentAccepted)
"""Movements of money, apart from both: no proposal rests on what was paid."""
SCORES: Collection[Score] = Collection("scores", TypeAdapter(Score))
FILES: Collection[Files] = Collection("files", TypeAdapter(Files))
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
    graded: Sequence[GradeDecided] = Field((), exclude_if=lambda decisions: not decisions)
    """Decisions on grades of the same periods: each stands in where no grade was computed."""
    supports: Sequence[SupportAccepted]
    """Of the province, of the years before: as far back as the transition of merged centres looks."""
    equipment: Sequence[SupportAccepted] = Field((), exclude_if=lambda payments: not payments)
    """Payments of initial equipment to the province's centres, of any year: it is owed once."""
    gone: Sequence[Withdrawn] = Field((), exclude_if=lambda withdrawals: not withdrawals)
    """Registrations of the province's centres that were withdrawn."""
    pending: Sequence[Pending]
    """Of the province, at least of the period before the year; of a centre that has moved also those sent before."""
    files: Sequence[Files] = Field((), exclude_if=lambda files: not files)
    """Of the province's centres, of the period before the year. Without one: an older release kept none."""
    kin: Sequence[RegistrationAccepted] = ()
    """Centres that the province's continue and that are not among `centres`, and others that continue the same ones."""
    clock: Clock | None = None
    """`None`: no rule says until when the assessment may come, or an older release kept it not."""
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
    follow the centre, wherever it lay when they came; those of a time in which it did not exist count nowhere (ADR 52).
    """
    registrations = await ask.all(CENTRES, {"province": province})
    centres = standing(registrations)
    of_centres = {"centre_id": {"$in": [centre.centre_id for centre in centres]}}
    known = await _decided(ask, of_centres)
    taken = {line.centre_id for line in known if line.year == year and line.province != province}
    decided = [line for line in known if _concerns(line, year) and line.centre_id not in taken]
    own = [centre for centre in centres if centre.centre_id not in taken]
    kin = await _kin(ask, own)
    lives = {centre.centre_id: centre for centre in (*kin, *centres)}
    of_kin = {"centre_id": {"$in": [centre.centre_id for centre in kin]}}
    supports = await ask.all(SUPPORTS, {**of_centres, "year": {"$lt": year}})
    if kin:
        supports += await ask.all(SUPPORTS, {**of_kin, "year": {"$lt": year}})
        decided += [line for line in await counted(ask, of_kin) if line.year < year]
    scores = await ask.all(SCORES, {**of_centres, "period": {"$lt": year}})
    decisions = await ask.all(RECOGNISED, {"unit_id": of_centres["centre_id"], "period": {"$lt": year}})
    graded = [*_graded(standing(decisions))]
    pending = await ask.all(PENDING, {"province": province, "period": year - 1})
    # Whoever had a centre before it moved is known by what it was entitled to send; anybody may have named it.
    facts: list[SupportAccepted | Score | GradeDecided | Counted] = [*standing(supports), *scores, *graded, *decided]
    ids = {centre.centre_id for centre in own}
    moved = {(each.province, each.centre_id) for each in facts if each.province != province and each.centre_id in ids}
    there = await ask.many(PENDING.ref(*key, year - 1) for key in sorted(moved))
    files = await ask.all(FILES, {**of_centres, "period": year - 1})
    envelope = await ask.one(ENVELOPES.ref(province, year))
    return ProvinceInputs(
        province=province,
        year=year,
        envelope=None if isinstance(envelope, Withdrawn) else envelope,
        centres=own,
        scores=_of_life(scores, lives),
        graded=_of_life(graded, lives),
        supports=[each for each in standing(supports) if existed_in(lives[each.centre_id], each.year)],
        equipment=standing(await ask.all(EQUIPMENT, of_centres)),
        gone=[each for each in registrations if isinstance(each, Withdrawn)],
        pending=_of_life([*pending, *(file for file in there if file)], lives),
        files=_of_life(files, lives),
        decided=await _with_lines(ask, decided, year),
        kin=kin,
        clock=_clock(ask, year),
    )


def _graded(decisions: Iterable[RecognitionAccepted]) -> Iterator[GradeDecided]:
    """Those that stand, with grades that the rule of their period knows. A revoked one weighs nothing, whenever that
    took effect: it speaks of a year that is over."""
    for one in decisions:
        try:
            rule = rubric_for("centre", one.period)
        except NoRuleInForce:
            continue
        if one.revocation is not None or one.grade is None or one.grade not in rule.outcomes:
            continue
        yield GradeDecided(
            centre_id=one.unit_id,
            period=one.period,
            province=one.province,
            rubric=rule.id,
            grade=one.grade,
            decision_number=one.decision_number,
            imported=one.imported,
        )


A = TypeVar("A", Score, GradeDecided, Files, Pending)


def _of_life(assessments: Iterable[A], lives: Mapping[str, RegistrationAccepted]) -> list[A]:
    """Those of periods on whose cut-off date their centre existed. By a registration that was corrected since, one that
    was accepted may be of another time; it counts as little as if it had come afterwards, when intake would hold it."""
    return [
        each
        for each in assessments
        if (centre := lives.get(each.centre_id)) is None or existed(centre, cut_off(each.period))
    ]


def deadline_of(period: int) -> datetime:
    """Until when assessments of centres may come. Raises `NoRuleInForce`."""
    return deadline(rubric_for("centre", period), period)


def _clock(ask: Ask, year: int) -> Clock | None:
    period = year - 1
    try:
        last, closes = deadline_of(period), closing("centre", period).at
    except NoRuleInForce:
        return None
    phase: Literal["open", "due", "closed"] = "closed"
    if not ask.reached(last):
        phase = "open"
    elif not ask.reached(closes):
        phase = "due"
    return Clock(deadline=last, closes=closes, phase=phase)


async def _kin(ask: Ask, centres: Sequence[RegistrationAccepted]) -> list[RegistrationAccepted]:
    """Centres elsewhere whose figures these continue, however long the chain, and who shares figures with them."""
    own = {centre.centre_id for centre in centres}
    named = {key for centre in centres for key in centre.predecessors}
    found = await heirs_of(ask, own | named)
    asked: set[str] = set()
    while new := sorted(named - asked - own):
        asked |= set(new)
        there = standing(each for each in await ask.many(CENTRES.ref(key) for key in new) if each)
        further = {key for each in there for key in each.predecessors} - named
        found += [*there, *(await heirs_of(ask, further) if further else ())]
        named |= further
    return [each for key, each in sorted({each.centre_id: each for each in found}.items()) if key not in own]


async def heirs_of(ask: Ask, centres: Iterable[str]) -> list[RegistrationAccepted]:
    """The centres that continue any of these."""
    return standing(await ask.all(CENTRES, {"predecessors": {"$in": sorted(centres)}}))


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
