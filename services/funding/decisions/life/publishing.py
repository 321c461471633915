"""The publication of an approved budget: every decision and the proof of the whole, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from services.funding.decisions.journal import OPERATING, TOPIC, Decision, tell
from services.funding.decisions.life.records import Command, order_of, recorded, refused
from services.funding.domain import WITHDRAWN, Life, refusals, step
from shared.contracts.base import Problem, content_hash
from shared.contracts.facts import BudgetApproved, BudgetRunApproved, BudgetRunProposed, Purpose
from shared.contracts.life import Action
from shared.messaging.decide.asking import Outcome
from shared.messaging.messages import Outgoing
from shared.refusals import problem


def publish(life: Life, run: BudgetRunProposed, decisions: Iterable[Decision], command: Command) -> Outcome:
    """Tell the treasury of every decision that was approved, and of the whole: all of it or nothing.

    Args:
        life: of the budget.
        run: that was approved.
        decisions: all of the province and year.
        command: the order.
    """
    problems = refusals(life, order_of(command))
    approved = (decision for decision in decisions if isinstance(decision, BudgetApproved))
    lines = sorted(approved, key=attrgetter("centre_id", "purpose"))
    if not problems:
        problems = list(_missing(life, run, lines))
    if problems:
        return refused(life, command, problems)
    outcome = Outcome(verdict=Action.PUBLISH)
    for line in lines:
        tell(outcome, line)
    for purpose in life.journals:
        proof = _proof(life, run, purpose, [line for line in lines if line.purpose == purpose], command)
        outcome.events.append(Outgoing(TOPIC, life.province, life.province, proof))
    recorded(outcome, life, step(life, order_of(command)), command, moved=Action.PUBLISH)
    return outcome


def _missing(life: Life, run: BudgetRunProposed, lines: Sequence[BudgetApproved]) -> Iterator[Problem]:
    """What does not fit, item by item, between the run that was approved and what would be published."""
    shared = [line for line in lines if line.purpose == OPERATING and WITHDRAWN not in line.allocation.flags]
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
    reserve = run.reserve if purpose == OPERATING else 0
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
        published_by=command.person.id,
        published_at=command.at,
    )
