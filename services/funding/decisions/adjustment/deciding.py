"""Adjustments of an approved budget: the system proposes, an officer submits, another one approves or refuses.

A further correction replaces what is still open; what was refused is not proposed again. An approved adjustment is
taken back in the same way, by an adjustment that names it and entries that reverse its entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from services.funding.decisions.adjustment.corrections import ADJUSTMENTS, Adjusting, keep, moved, numbered
from services.funding.decisions.journal import (
    DECISIONS,
    JOURNAL,
    OPERATING,
    Decision,
    book,
    counted,
    decide,
    settled_of,
    tell,
)
from services.funding.decisions.life.acting import Absent, life_and_run
from services.funding.decisions.life.records import Command, beside, recorded, refused
from services.funding.decisions.proposal.inputs import CENTRES, about
from services.funding.domain import PREPARERS, Life, adjusted, journal, persons
from shared.contracts.base import Problem, Text
from shared.contracts.facts import AdjustmentState, Allocation, BudgetAdjusted, JournalMark
from shared.contracts.journal import JournalEntry, append
from shared.contracts.life import Action, State
from shared.messaging.decide.asking import Ask, Outcome
from shared.refusals import problem

DECIDERS = frozenset({"finance"})


@dataclass(frozen=True, slots=True)
class Case:
    """One adjustment and what a decision on it rests on."""

    life: Life
    adjusting: Adjusting
    decision: Decision | None
    """On its centre."""
    of_centre: Sequence[Adjusting]
    """All of the same centre (or reserve), oldest first."""
    entries: Sequence[JournalEntry] = ()
    """Journal entries of the adjustment that it reverses."""
    now_in: str | None = None
    """Province that has the centre by now."""
    settled: int = 0
    """What later years have paid of what the decision carries over."""


def submit(case: Case, command: Command) -> Outcome:
    """An officer asks for the decision."""
    problems = list(_refusals(case, command, PREPARERS, "proposed"))
    if problems:
        return refused(case.life, command, problems)
    outcome = Outcome(verdict="submit")
    person = command.person.id
    others = [hand for hand in case.adjusting.prepared_by if hand != person]
    keep(outcome, moved(case.adjusting, "submitted", (*others, person)))
    recorded(outcome, case.life, case.life, command)
    return outcome


def refuse(case: Case, command: Command) -> Outcome:
    """A second person says no; the same change is not proposed again."""
    problems = [*_refusals(case, command, DECIDERS, "submitted"), *_same_person(case, command)]
    if problems:
        return refused(case.life, command, problems)
    outcome = Outcome(verdict="refuse")
    keep(outcome, moved(case.adjusting, "refused", case.adjusting.prepared_by))
    recorded(outcome, case.life, case.life, command)
    return outcome


def approve_adjustment(case: Case, command: Command) -> Outcome:
    """A second person says yes: the decision gets a new version, the journal its entries, the treasury its event."""
    life, adjusting, proposal = case.life, case.adjusting, case.adjusting.proposal
    problems = [
        *_same_person(case, command),
        *_refusals(case, command, DECIDERS, "submitted"),
        *_of_money(case),
    ]
    if problems:
        return refused(life, command, problems)
    decision = journal.Decision(
        command.person.id, command.person.role, command.at, command.why, f"adjustment/{proposal.adjustment_id}"
    )
    postings = (
        journal.reversed_(decision, case.entries)
        if proposal.reverses
        else journal.adjusted(decision, proposal.centre_id, proposal.delta, proposal.carried)
    )
    head = life.journals.get(OPERATING)
    entries = append(postings, province=life.province, year=life.year, purpose=OPERATING, head=head)
    outcome = Outcome(verdict="approve")
    mark = book(outcome, entries)
    money: dict[str, object] = {"journals": {**life.journals, OPERATING: mark}}
    if proposal.centre_id is None:
        money |= {"reserve": (life.reserve or 0) + proposal.delta, "envelope": proposal.corrected}
    else:
        money |= {"reserve": (life.reserve or 0) - proposal.delta}
        adjusted_fact = _fact(case, command, entries[0].number, mark)
        decide(outcome, adjusted_fact)
        tell(outcome, adjusted_fact)
        if case.now_in and case.now_in != life.province:
            outcome.requests += about(case.now_in)  # what is carried over follows the centre
    approved = moved(adjusting, "approved", adjusting.prepared_by)
    with_mark = approved.proposal.model_copy(update={"journal": mark})
    keep(outcome, approved.model_copy(update={"proposal": with_mark}))
    recorded(outcome, life, adjusted(life).model_copy(update=money), command, moved=Action.ADJUST)
    return outcome


def _fact(case: Case, command: Command, entry: int, mark: JournalMark) -> BudgetAdjusted:
    life, proposal, known = case.life, case.adjusting.proposal, case.decision
    if proposal.centre_id is None or proposal.allocation is None:
        raise AssertionError(f"{proposal.adjustment_id} is of no centre")
    paid = known.amount if known else 0
    return BudgetAdjusted(
        province=life.province,
        year=life.year,
        purpose=OPERATING,
        centre_id=proposal.centre_id,
        version=known.version + 1 if known else 1,
        amount=paid + proposal.delta,
        previous_amount=paid if known else None,
        delta=proposal.delta,
        settled=known.settled if known else 0,
        carried_total=(known.carried_total if known else 0) + proposal.carried,
        allocation=proposal.allocation,
        entry=entry,
        journal=mark,
        decided_by=command.person.id,
        decided_at=command.at,
        why=command.why,
        adjustment_id=proposal.adjustment_id,
        carried=proposal.carried,
        reserve=(life.reserve or 0) - proposal.delta,
        submitted_by=case.adjusting.prepared_by[-1],
    )


def reverse(case: Case, command: Command) -> Outcome:
    """An officer asks to take an approved adjustment back; a second person decides on that like on any other."""
    life, proposal = case.life, case.adjusting.proposal
    problems = list(_refusals(case, command, PREPARERS, "approved"))
    standing = [each.number for each in case.of_centre if each.proposal.state not in ("refused", "void")]
    if proposal.reverses or standing[-1:] != [case.adjusting.number]:
        problems.append(problem("funding.not_reversible", adjustment=proposal.adjustment_id))
    if problems:
        return refused(life, command, problems)
    taken_back = proposal.model_copy(
        update={
            "state": "submitted",
            "amount": proposal.corrected,
            "corrected": proposal.amount,
            "delta": -proposal.delta,
            "carried": -proposal.carried,
            "allocation": _line_before(case.adjusting),
            "reason": Text(vi=command.why, en=command.why),
            "reverses": proposal.adjustment_id,
            "journal": None,
            "proposed_at": command.at,
        }
    )
    asked = Adjusting(
        proposal=taken_back,
        number=0,
        before=proposal.allocation,
        prepared_by=(command.person.id,),
    )
    outcome = Outcome(verdict="reverse")
    keep(outcome, numbered(asked, case.of_centre[-1].number + 1, version=1))
    recorded(outcome, life, life, command)
    return outcome


def _line_before(adjusting: Adjusting) -> Allocation | None:
    """The line that stands again once an adjustment is taken back."""
    line = adjusting.proposal.allocation
    if adjusting.before is not None or line is None:
        return adjusting.before
    return line.model_copy(update={"amount": 0, "exact": "0"})


def _refusals(case: Case, command: Command, roles: frozenset[str], wanted: AdjustmentState) -> Iterator[Problem]:
    proposal = case.adjusting.proposal
    yield from persons(case.life.province, command.person, roles, command.why)
    if proposal.state != wanted:
        yield problem("funding.wrong_state", state=proposal.state, states=wanted)
    if (command.version, command.hash) != (proposal.version, proposal.hash):
        field = "/version" if command.version != proposal.version else "/hash"
        given, stands = f"{command.version} {command.hash}", f"{proposal.version} {proposal.hash}"
        yield problem("funding.moved_on", field, named=given, current=stands)


def _same_person(case: Case, command: Command) -> Iterator[Problem]:
    if command.person.is_among(case.adjusting.prepared_by):
        yield problem("funding.same_person", person=command.person.id)


def _of_money(case: Case) -> Iterator[Problem]:
    life, proposal, known = case.life, case.adjusting.proposal, case.decision
    if life.state not in (State.PUBLISHED, State.ADJUSTED):
        wanted = f"{State.PUBLISHED}, {State.ADJUSTED}"
        yield problem("funding.wrong_state", state=life.state, states=wanted)
    if known and known.province != life.province:
        yield problem("funding.decided_before", centres=known.centre_id)
    amount, carried = (known.amount, known.carried_total) if known else (0, 0)
    stands = life.envelope if proposal.centre_id is None else amount + carried
    paid_already = proposal.centre_id is not None and carried + proposal.carried < case.settled
    if stands != proposal.amount or paid_already:
        yield problem("funding.inputs_changed", "/version", version=proposal.version)
    needed = -proposal.delta if proposal.centre_id is None else proposal.delta
    if needed > (life.reserve or 0):
        yield problem("funding.reserve_too_small", reserve=life.reserve, needed=needed)


_ADJUSTING = {"submit": submit, "approve": approve_adjustment, "refuse": refuse, "reverse": reverse}


async def decide_on_adjustment(adjustment_id: str, command: Command, ask: Ask) -> Outcome:
    """A person's action on an adjustment, decided on what stands now. Raises `Absent`."""
    adjusting = await ask.one(ADJUSTMENTS.ref(adjustment_id))
    if adjusting is None:
        raise Absent(adjustment_id)
    command = await beside(command, adjusting.proposal.province, adjusting.proposal.year, ask)
    return _ADJUSTING[command.action](await _case(adjusting, ask), command)


async def _case(adjusting: Adjusting, ask: Ask) -> Case:
    proposal = adjusting.proposal
    life, _ = await life_and_run(ask, proposal.province, proposal.year)
    decision, centre = None, None
    if proposal.centre_id is not None:
        decision = await ask.one(DECISIONS.ref(proposal.centre_id, proposal.year, OPERATING))
        centre = await ask.one(CENTRES.ref(proposal.centre_id))
    query = {"province": proposal.province, "year": proposal.year}
    same = await ask.all(ADJUSTMENTS, {**query, "proposal.centre_id": proposal.centre_id})
    of_centre = sorted(same, key=attrgetter("number"))
    await ask.one(numbered(adjusting, of_centre[-1].number + 1, version=1).ref)  # the place of what takes it back
    reversed_ = f"adjustment/{proposal.reverses}"
    return Case(
        life=life,
        adjusting=adjusting,
        decision=decision,
        of_centre=of_centre,
        entries=await ask.all(JOURNAL, {**query, "ref": reversed_}) if proposal.reverses else (),
        now_in=centre.province if centre else None,
        settled=await _settled(ask, decision),
    )


async def _settled(ask: Ask, decision: Decision | None) -> int:
    """What later years have paid of what a decision carries over. The decision is read before."""
    if decision is None or not decision.carried_total:
        return 0
    everything = await counted(ask, {"centre_id": decision.centre_id, "purpose": OPERATING})
    return settled_of(everything, decision.year)[decision.centre_id]
