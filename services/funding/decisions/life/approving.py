"""The approval of a budget: what it rests on, what it gives, and what it freezes, decides and books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from services.funding.decisions.journal import (
    DECISIONS,
    OPERATING,
    PURPOSES,
    Decision,
    Granted,
    book,
    decide,
)
from services.funding.decisions.life.records import Command, order_of, recorded, refused
from services.funding.decisions.life.snapshots import keep, snapshot_of
from services.funding.decisions.proposal.calculating import Rules, calculated, rules_in_force
from services.funding.decisions.proposal.departures import closing_line
from services.funding.decisions.proposal.inputs import ProvinceInputs, again, inputs_of
from services.funding.decisions.proposal.proposing import RUNS, grants_of, lines_of, proof_of, same_line, says_the_same
from services.funding.domain import Budget, Life, journal, refusals, some, step
from shared.contracts.facts import Allocation, BudgetApproved, BudgetProposed, BudgetRunProposed, Purpose
from shared.contracts.journal import append
from shared.contracts.life import Action, Approval
from shared.messaging.decide.asking import Ask, Outcome
from shared.messaging.decide.documents import Ref
from shared.refusals import problem


@dataclass(frozen=True, slots=True)
class Award:
    """What an approval gives one centre for one purpose, in đồng."""

    purpose: Purpose
    line: Allocation
    settled: int = 0
    """Paid of what earlier years had carried over."""
    on_record: int = 0
    """Of initial equipment: stated as paid in the same year."""

    def place(self, year: int) -> Ref[Decision]:
        """Where the decision is kept."""
        return DECISIONS.ref(self.line.centre_id, year, self.purpose)


def awards_of(budget: Budget, inputs: ProvinceInputs, rules: Rules) -> list[Award]:
    """Everything that a budget gives, in order of centre and purpose.

    A centre to which earlier years owe something has an award even if it has no line any more.
    """
    lines = {line.centre_id: line for line in budget.lines}
    settled = {charge.centre_id: charge.paid for charge in budget.charges}
    for decided in inputs.decided:
        if decided.centre_id in settled.keys() - lines.keys() and decided.allocation:
            lines[decided.centre_id] = closing_line(decided.allocation, inputs, rules)
    awards = [Award(OPERATING, line, settled.get(centre_id, 0)) for centre_id, line in lines.items()]
    stated = {payment.centre_id: payment.amount for payment in inputs.equipment if payment.year == inputs.year}
    awards += [
        Award("equipment", line, on_record=stated.get(centre_id, 0)) for centre_id, line in grants_of(budget).items()
    ]
    return sorted(awards, key=attrgetter("line.centre_id", "purpose"))


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an approval rests on, as it is at that moment."""

    run: BudgetRunProposed
    inputs: ProvinceInputs
    lines: Mapping[str, BudgetProposed]
    """As they were proposed, by centre."""
    decided: frozenset[Ref[Decision]]
    """Places in which there is a decision already."""


async def grounds_of(ask: Ask, life: Life, run: BudgetRunProposed) -> Grounds:
    """What an approval of this run would rest on."""
    inputs = await inputs_of(ask, life.province, life.year)
    lines = await lines_of(ask, inputs)
    # Whoever has a line, and whoever may have an award without one.
    ids = sorted({*lines, *(line.centre_id for line in inputs.decided)})
    places = [DECISIONS.ref(centre_id, life.year, purpose) for centre_id in ids for purpose in PURPOSES]
    found = zip(places, await ask.many(places), strict=True)
    return Grounds(run, inputs, lines, frozenset(place for place, decision in found if decision))


async def approve(life: Life, run: BudgetRunProposed, command: Command, ask: Ask) -> Outcome:
    """Freeze the inputs, decide on every line, and book it all. Nothing is published yet.

    The proposal is computed anew from the inputs as they stand: what is approved is what the frozen inputs give, to the
    last byte, or it is refused because a correction has arrived that the proposal does not know.
    """
    if problems := refusals(life, order_of(command)):
        return refused(life, command, problems)
    grounds, rules = await grounds_of(ask, life, run), rules_in_force(life.year, life.province)
    budget = calculated(grounds.inputs, rules)
    proof = proof_of(budget, grounds.inputs, rules, run.version, run.proposed_at)
    if not _stands(budget, proof, grounds):
        problems.append(problem("funding.inputs_changed", "/version", version=run.version))
    awards = awards_of(budget, grounds.inputs, rules)
    grants = await _grants(ask, awards, grounds.inputs)
    if grants is None:
        problems = problems or [problem("funding.inputs_changed", "/version", version=run.version)]
    twice = sorted({award.line.centre_id for award in awards if award.place(life.year) in grounds.decided})
    if twice:
        problems.append(problem("funding.decided_before", centres=some(twice)))
    if problems:
        outcome = refused(life, command, problems)
        outcome.requests.append(again(life.province, life.year))  # what the proposal does not know yet
        return outcome

    outcome = Outcome(verdict=Action.APPROVE)
    if not run.rules:  # of an earlier release: what is decided now is told by the rules that it was proved with
        run = proof.model_copy(update={"provenance": run.provenance})
        outcome.put(RUNS.ref(life.province, life.year), run)
    for granted in grants or ():
        outcome.put(Granted.ref(granted.centre_id), granted)
    snapshot = snapshot_of(budget, grounds.inputs, rules, run, command.at)
    keep(outcome, snapshot)
    decision = journal.Decision(command.person.id, command.person.role, command.at, command.why, "approval/1")
    after = step(life, order_of(command))
    for purpose in PURPOSES:
        these = [award for award in awards if award.purpose == purpose]
        if these or purpose == OPERATING:
            reserve = run.reserve if purpose == OPERATING else None
            after = _booked(outcome, after, decision, purpose, these, reserve, run.version, snapshot["hash"])
    approval = Approval(
        by=command.person.id,
        at=command.at,
        why=command.why,
        snapshot=snapshot["hash"],
        accepted=list(life.accepted),
    )
    known = {"approval": approval, "envelope": run.envelope, "reserve": run.reserve}
    recorded(outcome, life, after.model_copy(update=known), command, moved=Action.APPROVE)
    # Another province that carried a debt over can no longer cancel by an adjustment what is paid of it here.
    outcome.requests += [again(line.province) for line in grounds.inputs.decided if line.carried_total]
    return outcome


async def _grants(ask: Ask, awards: Sequence[Award], inputs: ProvinceInputs) -> list[Granted] | None:
    """The marks of the initial equipment that this approval grants; `None`: another one that it does not know of
    granted some of it meanwhile."""
    ids = [award.line.centre_id for award in awards if award.purpose == "equipment"]
    found = await ask.many(Granted.ref(centre_id) for centre_id in ids)
    known = [mark or Granted(centre_id=centre_id, years={}) for centre_id, mark in zip(ids, found, strict=True)]
    seen = {(line.centre_id, str(line.year)) for line in inputs.decided if line.purpose == "equipment"}
    if any((mark.centre_id, year) not in seen for mark in known for year in mark.years):
        return None
    return [mark.model_copy(update={"years": {**mark.years, str(inputs.year): inputs.province}}) for mark in known]


def _stands(budget: Budget, proof: BudgetRunProposed, grounds: Grounds) -> bool:
    """Whether the run and the lines that are kept are those that the inputs give now."""
    grants = grants_of(budget)
    return says_the_same(proof, grounds.run) and all(
        same_line(grounds.lines.get(line.centre_id), proof, line, grants.get(line.centre_id)) for line in budget.lines
    )


def _booked(
    outcome: Outcome,
    life: Life,
    decision: journal.Decision,
    purpose: Purpose,
    awards: Sequence[Award],
    reserve: int | None,
    run_version: int,
    snapshot: str,
) -> Life:
    """Put the journal entries and the decisions of one purpose; returns the life with the journal's new head."""
    paid = [(award.line.centre_id, award.line.amount, award.settled) for award in awards]
    entries = append(
        journal.approved(decision, paid, reserve),
        province=life.province,
        year=life.year,
        purpose=purpose,
        head=life.journals.get(purpose),
    )
    mark = book(outcome, entries)
    places = {entry.centre_id: entry.number for entry in entries if entry.kind == "approval"}
    for award in awards:
        decide(
            outcome,
            BudgetApproved(
                province=life.province,
                year=life.year,
                purpose=purpose,
                centre_id=award.line.centre_id,
                version=1,
                amount=award.line.amount,
                previous_amount=None,
                delta=award.line.amount,
                settled=award.settled,
                on_record=award.on_record,
                allocation=award.line,
                entry=places[award.line.centre_id],
                journal=mark,
                decided_by=decision.who,
                decided_at=decision.at,
                why=decision.why,
                run_version=run_version,
                snapshot=snapshot,
            ),
        )
    return life.model_copy(update={"journals": {**life.journals, purpose: mark}})
