"""What people do to a province's budget, from the proposal to its publication. Pure: decided on documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from services.funding.decisions.proposals import (
    TOPIC,
    ProvinceInputs,
    Rules,
    calculated,
    grants_of,
    rules_in_force,
    same_line,
)
from services.funding.decisions.records import Command, recorded, refused
from services.funding.decisions.snapshots import in_parts, snapshot_of
from services.funding.domain import WITHDRAWN, Budget, head_of, journal, withdrawn
from services.funding.domain.life import Life, Order, proposed, refusals, step
from shared.contracts.base import Problem, content_hash
from shared.contracts.facts import (
    Allocation,
    BudgetAdjusted,
    BudgetApproved,
    BudgetRunApproved,
    BudgetRunProposed,
    Purpose,
)
from shared.contracts.journal import JournalEntry, append
from shared.contracts.life import Action, Approval, State
from shared.messaging.decide.handling import Document, Outcome, Recalculation, Ref
from shared.messaging.messages import Outgoing
from shared.refusals import problem

NAMED = 20
"""Centres that a refusal names."""
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True, slots=True)
class Award:
    """What an approval gives one centre for one purpose, in đồng."""

    purpose: Purpose
    line: Allocation
    settled: int = 0
    """Paid of what earlier years had carried over."""

    @property
    def centre_id(self) -> str:
        """Whose it is."""
        return self.line.centre_id

    @property
    def amount(self) -> int:
        """Support of the year."""
        return self.line.amount


def awards_of(budget: Budget, inputs: ProvinceInputs, rules: Rules) -> list[Award]:
    """Everything that a budget gives, in order of centre and purpose.

    A centre to which earlier years owe something has an award even if it has no line any more.
    """
    lines = {line.centre_id: line for line in budget.lines}
    settled = {charge.centre_id: charge.paid for charge in budget.charges}
    for decided in inputs.decided:
        if decided["centre_id"] in settled.keys() - lines.keys() and "allocation" in decided:
            line = withdrawn(Allocation.model_validate(decided["allocation"]), rules.policy)
            lines[line.centre_id] = line
    awards = [Award("operating", line, settled.get(centre_id, 0)) for centre_id, line in lines.items()]
    awards += [Award("equipment", line) for line in grants_of(budget).values()]
    return sorted(awards, key=lambda award: (award.centre_id, award.purpose))


def life_of(province: str, year: int, kept: Document | None, run: Document | None) -> Life:
    """Where a budget stands. Until somebody acts on it nothing is kept: its proposal is its state."""
    if kept is not None:
        return Life.model_validate(kept)
    if run is None:
        return Life(province=province, year=year, state=State.RECEIVED, version=0, hash="")
    return Life(province=province, year=year, state=State.PROPOSED, version=run["version"], hash=run["hash"])


def decision_ref(award: Award, year: int) -> Ref:
    """Where the decision is kept."""
    return decided_ref(award.centre_id, year, award.purpose)


def decided_ref(centre_id: str, year: int, purpose: Purpose = "operating") -> Ref:
    """The one place of the decision on a centre, year and purpose: there is no second one."""
    return Ref("decisions", f"{centre_id}/{year}/{purpose}")


def entry_ref(entry: JournalEntry) -> Ref:
    """The place of a journal entry is its identity: no two entries can stand in one place."""
    return Ref("journal", f"{entry.province}/{entry.year}/{entry.purpose}/{entry.number:07}")


def told(outcome: Outcome, decided: BudgetApproved | BudgetAdjusted) -> None:
    """Publish a version of a decision, and keep it as it was published."""
    outcome.events.append(Outgoing(TOPIC, decided.centre_id, decided.centre_id, decided))
    place = f"{decided.centre_id}/{decided.year}/{decided.purpose}/{decided.version:05}"
    outcome.puts[Ref("releases", place)] = decided.model_dump(mode="json")


def order_of(command: Command) -> Order:
    """The order in a command on a budget."""
    return Order(Action(command.action), command.person, command.why, command.version or 0, command.hash or "")


def move(life: Life, command: Command) -> Outcome:
    """Simulate, submit, withdraw or return."""
    order = order_of(command)
    if problems := refusals(life, order):
        return refused(life, command, problems)
    outcome = Outcome(verdict=order.action)
    recorded(outcome, life, step(life, order), command)
    return outcome


def proposed_anew(outcome: Outcome, life: Life, run: BudgetRunProposed, command: Command) -> None:
    """Note in a proposal's outcome that it replaces a version on which people had acted."""
    recorded(outcome, life, proposed(life, run.version, run.hash), command)


# ------------------------------------------------------------------------------------------------- approval


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an approval rests on, as it is at that moment."""

    run: Document
    inputs: ProvinceInputs
    lines: Mapping[str, Document]
    """The documents of `allocations` of the province and year, by centre."""
    decided: frozenset[Ref]
    """Places in which there is a decision already."""


def approve(life: Life, grounds: Grounds, command: Command) -> Outcome:
    """Freeze the inputs, decide on every line, and book it all. Nothing is published yet.

    The proposal is computed anew from the inputs as they stand: what is approved is what the frozen inputs give, to the
    last byte, or it is refused because a correction has arrived that the proposal does not know.
    """
    if problems := refusals(life, order_of(command)):
        return refused(life, command, problems)
    rules = rules_in_force(life.year, life.province)
    budget, run = calculated(grounds.inputs, rules), BudgetRunProposed.model_validate(grounds.run)
    if not _stands(budget, grounds):
        problems.append(problem("funding.inputs_changed", "/version", version=run.version))
    awards = awards_of(budget, grounds.inputs, rules)
    twice = sorted({award.centre_id for award in awards if decision_ref(award, life.year) in grounds.decided})
    if twice:
        problems.append(problem("funding.decided_before", centres=_some(twice)))
    if problems:
        outcome = refused(life, command, problems)
        outcome.requests.append(Recalculation(life.province, life.year))  # what the proposal does not know yet
        return outcome

    outcome = Outcome(verdict=Action.APPROVE)
    snapshot = snapshot_of(budget, grounds.inputs, rules, run, command.at)
    outcome.puts |= in_parts(snapshot)
    decision = journal.Decision(command.person.subject, command.person.role, command.at, command.why, "approval/1")
    after = step(life, order_of(command))
    for purpose in PURPOSES:
        these = [award for award in awards if award.purpose == purpose]
        if these or purpose == "operating":
            reserve = run.reserve if purpose == "operating" else None
            after = _booked(outcome, after, decision, purpose, these, reserve, run.version, snapshot["hash"])
    approval = Approval(by=command.person.subject, at=command.at, why=command.why, snapshot=snapshot["hash"])
    known = {"approval": approval, "envelope": run.envelope, "reserve": run.reserve}
    recorded(outcome, life, after.model_copy(update=known), command)
    # What was approved is next year's last-year support; what came in meanwhile becomes an adjustment.
    outcome.requests += [Recalculation(life.province, life.year), Recalculation(life.province, life.year + 1)]
    # What was paid of a debt can no longer be cancelled by an adjustment that is open in the year that carried it, nor
    # be paid by a year between.
    for debt in debts_behind(grounds.inputs):
        between = range(debt["year"] + 1, life.year)
        outcome.requests += [Recalculation(debt["province"], debt["year"])]
        outcome.requests += [Recalculation(life.province, year) for year in between]
    return outcome


def _some(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f", … (+{more})" if more > 0 else "")


def debts_behind(inputs: ProvinceInputs) -> list[Document]:
    """The decisions of earlier years that carried something over."""
    return [line for line in inputs.decided if line["carried_total"] and line["year"] < inputs.year]


def _stands(budget: Budget, grounds: Grounds) -> bool:
    """Whether the run and the lines that are kept are those that the inputs give now."""
    run, grants = BudgetRunProposed.model_validate(grounds.run), grants_of(budget)
    head = head_of(budget, province=run.province, year=run.year, version=run.version, proposed_at=run.proposed_at)
    return head == run and all(
        same_line(grounds.lines.get(line.centre_id), run.province, line, grants.get(line.centre_id))
        for line in budget.lines
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
    paid = [(award.centre_id, award.amount, award.settled) for award in awards]
    entries = append(
        journal.approved(decision, paid, reserve),
        province=life.province,
        year=life.year,
        purpose=purpose,
        head=life.journals.get(purpose),
    )
    mark = entries[-1].mark
    for entry in entries:
        outcome.puts[entry_ref(entry)] = entry.model_dump(mode="json")
    places = {entry.centre_id: entry.number for entry in entries if entry.kind == "approval"}
    for award in awards:
        outcome.puts[decision_ref(award, life.year)] = BudgetApproved(
            province=life.province,
            year=life.year,
            purpose=purpose,
            centre_id=award.centre_id,
            version=1,
            amount=award.amount,
            previous_amount=None,
            delta=award.amount,
            settled=award.settled,
            allocation=award.line,
            entry=places[award.centre_id],
            journal=mark,
            decided_by=decision.who,
            decided_at=decision.at,
            why=decision.why,
            run_version=run_version,
            snapshot=snapshot,
        ).model_dump(mode="json")
    return life.model_copy(update={"journals": {**life.journals, purpose: mark}})


# ----------------------------------------------------------------------------------------------- publication


def publish(life: Life, run: Document, decisions: Iterable[Document], command: Command) -> Outcome:
    """Tell the treasury of every decision that was approved, and of the whole: all of it or nothing.

    Args:
        life: of the budget.
        run: the document of `runs` that was approved.
        decisions: the documents of `decisions` of the province and year.
        command: the order.
    """
    problems = refusals(life, order_of(command))
    lines = sorted(map(BudgetApproved.model_validate, decisions), key=lambda line: (line.centre_id, line.purpose))
    head = BudgetRunProposed.model_validate(run)
    if not problems:
        problems = list(_missing(life, head, lines))
    if problems:
        return refused(life, command, problems)
    outcome = Outcome(verdict=Action.PUBLISH)
    for line in lines:
        told(outcome, line)
    for purpose in life.journals:
        proof = _proof(life, head, purpose, [line for line in lines if line.purpose == purpose], command)
        outcome.events.append(Outgoing(TOPIC, life.province, life.province, proof))
    recorded(outcome, life, step(life, order_of(command)), command)
    return outcome


def _missing(life: Life, run: BudgetRunProposed, lines: Sequence[BudgetApproved]) -> Iterator[Problem]:
    """What does not fit, item by item, between the run that was approved and what would be published."""
    shared = [line for line in lines if line.purpose == "operating" and WITHDRAWN not in line.allocation.flags]
    total = sum(line.amount + line.settled for line in lines)
    pairs: list[tuple[object, object]] = [
        (len(shared), run.centres),
        (content_hash([[line.centre_id, line.amount] for line in shared]), run.hash),
        (total + run.reserve, run.envelope),
        ((life.envelope, life.reserve), (run.envelope, run.reserve)),
        *((line.amount, line.allocation.amount) for line in lines),
        *((line.run_version, run.version) for line in lines),
        *((line.journal, life.journals.get(line.purpose)) for line in lines),
    ]
    for given, wanted in pairs:
        if given != wanted:
            yield problem("funding.not_complete", found=given, approved=wanted)


def _proof(
    life: Life, run: BudgetRunProposed, purpose: Purpose, lines: Sequence[BudgetApproved], command: Command
) -> BudgetRunApproved:
    if life.approval is None or life.submitted_by is None:
        raise AssertionError(f"{life.key} is approved by nobody")
    reserve = run.reserve if purpose == "operating" else 0
    allocated, carried = sum(line.amount for line in lines), sum(line.settled for line in lines)
    return BudgetRunApproved(
        province=life.province,
        year=life.year,
        purpose=purpose,
        version=run.version,
        envelope=allocated + carried + reserve,
        allocated=allocated,
        carried=carried,
        reserve=reserve,
        centres=len(lines),
        hash=content_hash([[line.centre_id, line.amount, line.settled] for line in lines]),
        snapshot=life.approval.snapshot,
        journal=life.journals[purpose],
        submitted_by=life.submitted_by,
        approved_by=life.approval.by,
        approved_at=life.approval.at,
        published_by=command.person.subject,
        published_at=command.at,
    )
