"""What stands: the decision on each centre's support, each version as it was published, the journal that books them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import get_args

from pydantic import Field, TypeAdapter

from shared.contracts.base import Contract
from shared.contracts.facts import Allocation, BudgetAdjusted, BudgetApproved, JournalMark, Purpose
from shared.contracts.former import line_of_words
from shared.contracts.journal import JournalEntry
from shared.messaging.decide.asking import Ask, Look, Outcome
from shared.messaging.decide.documents import Collection, Document, Query, Ref
from shared.messaging.messages import Outgoing

TOPIC = "budgets"
OPERATING: Purpose = "operating"
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
Decision = BudgetApproved | BudgetAdjusted


_LINES: Sequence[str] = ("allocation", "grant", "before")


def told_in_words(document: Document) -> Document:
    """A document of schema 1, whose line was told in words, as one of schema 2: the words are kept as they were."""
    return document | {name: line_of_words(document[name]) for name in _LINES if name in document}


OF_LINES: Mapping[int, Callable[[Document], Document]] = {0: told_in_words, 1: told_in_words}
DECISIONS: Collection[Decision] = Collection("decisions", TypeAdapter(Decision), schema=2, upgrades=OF_LINES)
RELEASES: Collection[Decision] = Collection(
    "releases", TypeAdapter(Decision), schema=2, upgrades=OF_LINES, entries=True
)
JOURNAL: Collection[JournalEntry] = Collection("journal", TypeAdapter(JournalEntry), entries=True)


class Granted(Contract):
    """Which approvals granted a centre its initial equipment: the one key that all of them meet at.

    Approvals of two years, or of two provinces, have nothing else in common; each reads and writes this.
    """

    centre_id: str
    years: dict[str, str]
    """Budget year → province that approved it."""

    @staticmethod
    def ref(centre_id: str) -> Ref[Granted]:
        """`<centre id>/equipment`."""
        return GRANTED.ref(centre_id, "equipment")


GRANTED: Collection[Granted] = Collection("granted", TypeAdapter(Granted))


class Counted(Contract):
    """What counts of a decision for other years. Money in đồng."""

    centre_id: str
    year: int
    purpose: Purpose
    province: str
    amount: int
    carried_total: int
    settled: int
    on_record: int = Field(0, exclude_if=lambda stated: not stated)
    allocation: Allocation | None = Field(None, exclude_if=lambda line: line is None)
    """Its line, where a debt may have to be paid to a centre that has none any more."""

    @classmethod
    def of(cls, decision: Decision) -> Counted:
        """Of a decision, without its line."""
        return cls(**{name: getattr(decision, name) for name in _COUNTED})


_COUNTED = tuple(name for name in Counted.model_fields if name != "allocation")
_ROW = TypeAdapter(Counted)


async def counted(ask: Ask, query: Query) -> list[Counted]:
    """What counts of decisions."""
    return await ask.look(Look(DECISIONS, _ROW, query, without=("allocation",)))


def settled_of(decisions: Iterable[Counted], year: int) -> dict[str, int]:
    """What later years have paid of what `year` carried over, by centre; the oldest debt is paid first.

    `decisions`: all on these centres' operating support, of any year.
    """
    older: dict[str, int] = {}
    own: dict[str, int] = {}
    paid: dict[str, int] = {}
    for line in decisions:
        key = line.centre_id
        paid[key] = paid.get(key, 0) + line.settled
        if line.year < year:
            older[key] = older.get(key, 0) + line.carried_total
        elif line.year == year:
            own[key] = line.carried_total
    return {key: min(carried, max(0, paid[key] - older.get(key, 0))) for key, carried in own.items()}


def decide(outcome: Outcome, decision: Decision) -> None:
    """Put a decision in its one place: there is no second one for a centre, year and purpose."""
    outcome.put(DECISIONS.ref(decision.centre_id, decision.year, decision.purpose), decision)


def book(outcome: Outcome, entries: Sequence[JournalEntry]) -> JournalMark:
    """Put entries, at least one; returns the journal's new head. The place of an entry is its identity."""
    for entry in entries:
        outcome.put(JOURNAL.ref(entry.province, entry.year, entry.purpose, f"{entry.number:07}"), entry)
    return entries[-1].mark


def tell(outcome: Outcome, decision: Decision) -> None:
    """Publish a version of a decision, and keep it as it was published."""
    outcome.events.append(Outgoing(TOPIC, decision.centre_id, decision.centre_id, decision))
    outcome.put(RELEASES.ref(decision.centre_id, decision.year, decision.purpose, f"{decision.version:05}"), decision)
