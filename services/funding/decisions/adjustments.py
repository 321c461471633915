"""Adjustments of an approved budget: the system proposes, an officer submits, another one approves or refuses.

A further correction replaces what is still open; what was refused is not proposed again. An approved adjustment is
taken back in the same way, by an adjustment that names it and entries that reverse its entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from services.funding.decisions.corrections import Adjusting, Decisions, corrections, hash_of
from services.funding.decisions.lives import decided_ref, entry_ref, told
from services.funding.decisions.proposals import TOPIC, ProvinceInputs
from services.funding.decisions.records import Command, recorded, refused
from services.funding.domain import journal
from services.funding.domain.life import PREPARERS, Life, adjusted, persons
from shared.contracts.base import Problem, Text
from shared.contracts.facts import AdjustmentProposed, AdjustmentState, Allocation, BudgetAdjusted, JournalMark, Purpose
from shared.contracts.journal import JournalEntry, append
from shared.contracts.life import State
from shared.messaging.decide.handling import Document, Outcome, Recalculation, Ref
from shared.messaging.messages import Outgoing
from shared.refusals import problem

OPEN = frozenset({"proposed", "submitted"})
DECIDERS = frozenset({"finance"})
PURPOSE: Purpose = "operating"


def adjustment_ref(adjustment_id: str) -> Ref:
    """Where an adjustment is kept."""
    return Ref("adjustments", adjustment_id)


# ------------------------------------------------------------------------------------------------- following


def follow(decided: Decisions, inputs: ProvinceInputs, command: Command) -> Outcome:
    """What the inputs of today would change of what was approved, as proposals of adjustments. Never a changed amount.

    Args:
        decided: what was decided; its life has an approval.
        inputs: what is known of the province now.
        command: of the system, for the record.
    """
    outcome, life = Outcome(verdict="unchanged"), decided.life
    known = _by_key(decided.adjustments)
    wanted = {each.key: each for each in corrections(decided, inputs, _blank(life, command))}
    for key in sorted(known.keys() | wanted.keys()):
        adjusting = _next(known.get(key, []), wanted.get(key))
        if adjusting is None:
            continue
        outcome.verdict = "adjustments"
        _keep(outcome, adjusting)
        about = replace(command, subject=adjusting.proposal.adjustment_id, why=adjusting.proposal.reason.vi)
        life = recorded(outcome, life, life, about)
    return outcome


def _blank(life: Life, command: Command) -> AdjustmentProposed:
    return AdjustmentProposed(
        adjustment_id="",
        version=1,
        province=life.province,
        year=life.year,
        purpose=PURPOSE,
        centre_id=None,
        state="proposed",
        amount=0,
        corrected=0,
        delta=0,
        carried=0,
        allocation=None,
        reason=Text(vi="", en=""),
        hash="",
        proposed_at=command.at,
    )


def _by_key(documents: Iterable[Document]) -> dict[str, list[Adjusting]]:
    """The adjustments of each centre, oldest first."""
    found: dict[str, list[Adjusting]] = {}
    for adjusting in sorted(map(Adjusting.model_validate, documents), key=lambda each: each.number):
        found.setdefault(adjusting.key, []).append(adjusting)
    return found


def _next(known: Sequence[Adjusting], wanted: Adjusting | None) -> Adjusting | None:
    """What becomes of a centre's adjustments; `None`: nothing new."""
    last = known[-1] if known else None
    is_open = last is not None and last.proposal.state in OPEN
    if last is not None and is_open and last.proposal.reverses:
        return None  # people are about to take one back; what then differs is proposed after they have decided
    if wanted is None:
        return _moved(last, "void", last.prepared_by) if last is not None and is_open else None
    if last is None or not is_open:
        turned_down = _turned_down(known)
        number = last.number + 1 if last else 1
        return None if wanted.change == turned_down else _numbered(wanted, number, version=1)
    kept = wanted.model_copy(update={"prepared_by": last.prepared_by})
    replacing = _numbered(kept, last.number, version=last.proposal.version + 1)
    return None if replacing.proposal.hash == last.proposal.hash else replacing


def _turned_down(known: Sequence[Adjusting]) -> tuple[int, int] | None:
    """The change that people decided against last: it is not proposed to them again."""
    last = known[-1] if known else None
    if last is None:
        return None
    if last.proposal.state == "refused":
        return last.change
    if last.proposal.state == "approved" and last.proposal.reverses:
        return next(each.change for each in known if each.proposal.adjustment_id == last.proposal.reverses)
    return None


def _numbered(adjusting: Adjusting, number: int, *, version: int) -> Adjusting:
    proposal = adjusting.proposal
    adjustment_id = f"{proposal.province}/{proposal.year}/{adjusting.key}/{number}"
    named = proposal.model_copy(update={"adjustment_id": adjustment_id, "version": version})
    return adjusting.model_copy(
        update={"proposal": named.model_copy(update={"hash": hash_of(named)}), "number": number}
    )


def _moved(adjusting: Adjusting, state: AdjustmentState, prepared_by: tuple[str, ...]) -> Adjusting:
    proposal = adjusting.proposal
    moved = proposal.model_copy(update={"state": state, "version": proposal.version + 1})
    return adjusting.model_copy(update={"proposal": moved, "prepared_by": prepared_by})


def _keep(outcome: Outcome, adjusting: Adjusting) -> None:
    proposal = adjusting.proposal
    outcome.puts[adjustment_ref(proposal.adjustment_id)] = {
        **adjusting.model_dump(mode="json"),
        "province": proposal.province,
        "year": proposal.year,
    }
    subject = proposal.centre_id or proposal.province
    outcome.events.append(Outgoing(TOPIC, subject, subject, proposal))


# ------------------------------------------------------------------------------------------------- deciding


@dataclass(frozen=True, slots=True)
class Case:
    """One adjustment and what a decision on it rests on."""

    life: Life
    adjusting: Adjusting
    decision: Document | None
    """The document of `decisions` of its centre."""
    all_of_centre: Sequence[Document]
    """Documents of `adjustments` of the same centre (or reserve)."""
    entries: Sequence[Document] = ()
    """Journal entries of the adjustment that it reverses."""
    settled: int = 0
    """What later years have paid of what the decision carries over."""


def submit(case: Case, command: Command) -> Outcome:
    """An officer asks for the decision."""
    problems = list(_refusals(case, command, PREPARERS, "proposed"))
    if problems:
        return refused(case.life, command, problems)
    outcome = Outcome(verdict="submit")
    subject = command.person.subject
    others = [hand for hand in case.adjusting.prepared_by if hand != subject]
    _keep(outcome, _moved(case.adjusting, "submitted", (*others, subject)))
    recorded(outcome, case.life, case.life, command)
    return outcome


def refuse(case: Case, command: Command) -> Outcome:
    """A second person says no; the same change is not proposed again."""
    problems = [*_refusals(case, command, DECIDERS, "submitted"), *_same_person(case, command)]
    if problems:
        return refused(case.life, command, problems)
    outcome = Outcome(verdict="refuse", requests=_asked_again(case.life))
    _keep(outcome, _moved(case.adjusting, "refused", case.adjusting.prepared_by))
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
        command.person.subject, command.person.role, command.at, command.why, f"adjustment/{proposal.adjustment_id}"
    )
    postings = (
        journal.reversed_(decision, [JournalEntry.model_validate(entry) for entry in case.entries])
        if proposal.reverses
        else journal.adjusted(decision, proposal.centre_id, proposal.delta, proposal.carried)
    )
    entries = append(postings, province=life.province, year=life.year, purpose=PURPOSE, head=life.journals.get(PURPOSE))
    mark = entries[-1].mark
    outcome = Outcome(verdict="approve", requests=_asked_again(life))
    for entry in entries:
        outcome.puts[entry_ref(entry)] = entry.model_dump(mode="json")
    money: dict[str, object] = {"journals": {**life.journals, PURPOSE: mark}}
    if proposal.centre_id is None:
        money |= {"reserve": (life.reserve or 0) + proposal.delta, "envelope": proposal.corrected}
    else:
        money |= {"reserve": (life.reserve or 0) - proposal.delta}
        adjusted_fact = _fact(case, command, entries[0].number, mark)
        outcome.puts[decided_ref(proposal.centre_id, life.year)] = adjusted_fact.model_dump(mode="json")
        told(outcome, adjusted_fact)
    approved = _moved(adjusting, "approved", adjusting.prepared_by)
    with_mark = approved.proposal.model_copy(update={"journal": mark})
    _keep(outcome, approved.model_copy(update={"proposal": with_mark}))
    recorded(outcome, life, adjusted(life).model_copy(update=money), command)
    return outcome


def _fact(case: Case, command: Command, entry: int, mark: JournalMark) -> BudgetAdjusted:
    life, proposal, known = case.life, case.adjusting.proposal, case.decision
    if proposal.centre_id is None or proposal.allocation is None:
        raise AssertionError(f"{proposal.adjustment_id} is of no centre")
    paid = known["amount"] if known else 0
    return BudgetAdjusted(
        province=life.province,
        year=life.year,
        purpose=PURPOSE,
        centre_id=proposal.centre_id,
        version=known["version"] + 1 if known else 1,
        amount=paid + proposal.delta,
        previous_amount=paid if known else None,
        delta=proposal.delta,
        settled=known["settled"] if known else 0,
        carried_total=(known["carried_total"] if known else 0) + proposal.carried,
        allocation=proposal.allocation,
        entry=entry,
        journal=mark,
        decided_by=command.person.subject,
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
    known = sorted(map(Adjusting.model_validate, case.all_of_centre), key=lambda each: each.number)
    last = known[-1]
    standing = [each.number for each in known if each.proposal.state not in ("refused", "void")]
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
        prepared_by=(command.person.subject,),
    )
    outcome = Outcome(verdict="reverse")
    _keep(outcome, _numbered(asked, last.number + 1, version=1))
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
    if command.person.subject in case.adjusting.prepared_by:
        yield problem("funding.same_person", person=command.person.subject)


def _of_money(case: Case) -> Iterator[Problem]:
    life, proposal, known = case.life, case.adjusting.proposal, case.decision
    if life.state not in (State.PUBLISHED, State.ADJUSTED):
        wanted = f"{State.PUBLISHED}, {State.ADJUSTED}"
        yield problem("funding.wrong_state", state=life.state, states=wanted)
    if known and known["province"] != life.province:
        yield problem("funding.decided_before", centres=known["centre_id"])
    amount, carried = (known["amount"], known["carried_total"]) if known else (0, 0)
    stands = life.envelope if proposal.centre_id is None else amount + carried
    paid_already = proposal.centre_id is not None and carried + proposal.carried < case.settled
    if stands != proposal.amount or paid_already:
        yield problem("funding.inputs_changed", "/version", version=proposal.version)
    needed = -proposal.delta if proposal.centre_id is None else proposal.delta
    if needed > (life.reserve or 0):
        yield problem("funding.reserve_too_small", reserve=life.reserve, needed=needed)


def _asked_again(life: Life) -> list[Recalculation]:
    """Other corrections meet another reserve now, the next year another last year, and the one after it a debt."""
    return [Recalculation(life.province, life.year + later) for later in range(3)]
