"""The record of actions on a budget: who, in which role, when, why, before and after; also of what was refused.

Records are numbered per budget and never changed. There is no way to act on a budget without leaving one. What was
refused is kept apart, by its sender, and only the latest of it: nobody makes another one's budget grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter

from services.funding.decisions.journal import TOPIC
from services.funding.domain import Life, Order, Person
from shared.contracts.base import Problem, content_hash
from shared.contracts.facts import BudgetMoved
from shared.contracts.life import Action, ActionRecord, Refusals, Shape
from shared.messaging.decide.asking import Ask, Outcome
from shared.messaging.decide.documents import Collection, Ref
from shared.messaging.messages import Outgoing

SYSTEM = Person("langhoc", "system")
MOST = 100
"""Problems that one record names: thousands of lines may not fit, and the record must."""
KEPT = 10
"""Refused orders of one sender on a budget that are kept whole; the others are counted."""
NAMED = 20
"""Centres that the record of a refused order names."""
DONE = "done"
REFUSED = "refused"
UNDECIDED = datetime.min.replace(tzinfo=UTC)


LIVES: Collection[Life] = Collection("budgets", TypeAdapter(Life))
ACTIONS: Collection[ActionRecord] = Collection("actions", TypeAdapter(ActionRecord), entries=True)
REFUSALS: Collection[Refusals] = Collection("refusals", TypeAdapter(Refusals))


@dataclass(frozen=True, slots=True)
class Command:
    """An order on its way: its id, and what was asked in it."""

    id: str | None
    action: str
    subject: str
    person: Person
    why: str
    version: int | None
    hash: str | None
    at: datetime = UNDECIDED
    """Business time of the decision."""
    accepts: tuple[str, ...] = ()
    """Centres that it accepts by name."""
    refusals: Refusals | None = None
    """What was refused of its sender on this budget before (`beside`); `None`: nothing."""

    @property
    def asked(self) -> str:
        """Hash of everything but id and time."""
        person = [self.person.id, self.person.role]
        named = [sorted(self.accepts)] if self.accepts else []
        return content_hash([self.action, self.subject, person, self.why, self.version, self.hash, *named])


def order_of(command: Command) -> Order:
    """The order in a command on a budget."""
    version, hash = command.version or 0, command.hash or ""
    return Order(Action(command.action), command.person, command.why, version, hash, command.accepts)


async def beside(command: Command, province: str, year: int, ask: Ask) -> Command:
    """The order together with what was refused of its sender before: for the case that it is refused too."""
    return replace(command, refusals=await ask.one(_refusals(province, year, command)))


def _refusals(province: str, year: int, command: Command) -> Ref[Refusals]:
    return REFUSALS.ref(province, year, command.person.id)


def recorded(
    outcome: Outcome,
    before: Life,
    after: Life,
    command: Command,
    *,
    moved: Action | None = None,
) -> Life:
    """Put the life and the record of the action that led to it into an outcome; returns the life as it is kept.

    `moved`: what was done to the budget itself, which is published; `None`: it stands where it stood.
    """
    number = before.actions + 1
    kept = after.model_copy(update={"actions": number})
    record = _record(before, kept, command, number)
    outcome.put(LIVES.ref(kept.key), kept)
    outcome.put(ACTIONS.ref(kept.key, f"{number:07}"), record)
    if moved is not None:
        outcome.events.append(Outgoing(TOPIC, kept.province, kept.province, _moved(kept, moved, command)))
    return kept


def _record(before: Life, after: Life, command: Command, number: int, problems: Sequence[Problem] = ()) -> ActionRecord:
    return ActionRecord(
        province=before.province,
        year=before.year,
        number=number,
        command=command.id,
        asked=command.asked,
        at=command.at,
        who=command.person.id,
        role=command.person.role,
        action=command.action,
        subject=command.subject,
        why=command.why,
        version=command.version,
        hash=command.hash,
        accepts=sorted(command.accepts)[: NAMED if problems else None],
        result=problems[0].code if problems else DONE,
        problems=list(problems[:MOST]),
        before=Shape.model_validate(before, from_attributes=True),
        after=Shape.model_validate(after, from_attributes=True),
    )


def _moved(life: Life, action: Action, command: Command) -> BudgetMoved:
    return BudgetMoved(
        province=life.province,
        year=life.year,
        version=life.actions,
        action=action,
        state=life.state,
        run_version=life.version or None,
        why=command.why,
        by=command.person.id,
        at=command.at,
    )


def refused(life: Life, command: Command, problems: Sequence[Problem]) -> Outcome:
    """Nothing is done; that it was asked for is kept, beside the budget. `command`: as `beside` gave it."""
    known = command.refusals or Refusals(province=life.province, year=life.year, who=command.person.id)
    record = _record(life, life, command, known.count + 1, problems)
    latest = [*known.latest, record][-KEPT:]
    outcome = Outcome(verdict=REFUSED)
    outcome.put(
        _refusals(life.province, life.year, command),
        known.model_copy(update={"count": known.count + 1, "latest": latest}),
    )
    return outcome
