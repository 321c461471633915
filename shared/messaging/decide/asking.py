"""The one form of every decision: a cause and what it asks for → an outcome. Pure: no I/O, no clock, no driver.

A decision is a coroutine that awaits nothing but its `Ask`. The engine drives it, never asyncio: it loads what the
decisions of a whole batch ask for with one query per collection and round. So a decision says what it needs where it
needs it, and a test drives it over a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from shared.messaging.decide.documents import Collection, Query, Ref, Sort
from shared.messaging.messages import Outgoing, Received, Unreadable

C = TypeVar("C")
K = TypeVar("K")
M = TypeVar("M")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Order(Generic[M]):
    """A person's command as a cause."""

    id: str
    """Chosen by its sender: the same id again changes nothing."""
    data: M
    at: datetime
    """Business time of its arrival."""


@dataclass(frozen=True, slots=True)
class Due(Generic[K]):
    """A set whose turn has come, as a cause."""

    key: K
    at: datetime
    """Business time, for what the outcome is dated with. What changes with time is asked of `Ask.reached`."""


@dataclass(frozen=True, slots=True)
class Request:
    """That a set is to be computed."""

    set: str
    key: tuple[str | int | None, ...]
    """A part that is `None` stands for every one: all known sets whose other parts are these."""
    due: datetime | None = None
    """Business time before which nothing is to be done; `None`: now."""


@dataclass(slots=True)
class Outcome:
    """What was decided."""

    puts: dict[Ref[Any], Any] = field(default_factory=dict)
    """Whole new documents. Several decisions may put the same one within a batch: the last wins."""
    events: list[Outgoing] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    """Sets that are wanted by name. What depends on the `puts` is requested by the sets' own sources."""
    verdict: str = "handled"
    """Label for metrics: `handled`, `stale`, … or the receipt's status."""
    holds: set[Ref[Any]] = field(default_factory=set)
    """Documents, or absences of documents, that must not have moved when this is written."""

    def put(self, ref: Ref[M], state: M) -> None:
        """Put one document; typed."""
        self.puts[ref] = state


STALE = "stale"


@dataclass(frozen=True, eq=False, slots=True)
class Look(Generic[P]):
    """Parts of documents, only to look at: they cannot be put, and nothing guards them. For sets and orders.

    What `fields` or a `pipeline` picks is looked at unsealed; `without` leaves out what a seal can do without.
    """

    kind: Collection[Any]
    model: TypeAdapter[P]
    query: Query
    fields: Sequence[str] = ()
    """What is read besides `_id`; empty: everything."""
    without: Sequence[str] = ()
    """Of everything, fields that are not read: documents or lists."""
    sort: Sort | None = None
    pipeline: Sequence[Mapping[str, Any]] = ()
    """Computed by the database over what `query` finds."""


class Known(Protocol):
    """What was loaded so far, with what was decided before in the same batch."""

    def __contains__(self, ref: object, /) -> bool: ...

    def __getitem__(self, ref: Ref[M], /) -> M | None: ...

    async def load(self, refs: Iterable[Ref[Any]]) -> None: ...

    async def every(self, kind: Collection[M], query: Query) -> list[M]: ...

    async def look(self, look: Look[P]) -> list[P]: ...


Declared = frozenset[str] | None
"""The collections that a set may read; `None`: all."""


class Want(Generic[P]):
    """What a decision waits for; the engine brings it and goes on."""

    def __init__(self, refs: Sequence[Ref[Any]] = (), bring: Callable[[Known], Coroutine[Any, Any, P]] | None = None):
        self.refs = refs
        self.bring = bring
        self.answer: Any = None

    def __await__(self) -> Generator[Want[P], None, P]:
        yield self
        answer: P = self.answer
        return answer


class UndeclaredRead(LookupError):
    """A set read a kind of document that it did not declare: nothing would compute it again when that changes."""


class Ask:
    """What one decision may ask. It keeps what was asked: that is what the decision rests on."""

    def __init__(self, known: Known, at: datetime, *, declared: Declared = None, ranges: bool = True) -> None:
        """`declared`: the collections that a set may read; `ranges`: whether more than identities may be asked for."""
        self._known = known
        self._at = at
        self._declared = declared
        self._ranges = ranges
        self._over: dict[Ref[Any], Any] = {}
        self.reads: set[Ref[Any]] = set()
        self.unreached: list[datetime] = []
        """Instants that the decision found to be still to come."""

    async def one(self, ref: Ref[M]) -> M | None:
        """One document, or `None`."""
        self._declare(ref.collection)
        self.reads.add(ref)
        if ref in self._over:
            state: M | None = self._over[ref]
            return state
        if ref not in self._known:
            await Want([ref])
        return self._known[ref]

    async def many(self, refs: Iterable[Ref[M]]) -> list[M | None]:
        """Documents by their identity, in that order."""
        wanted = list(refs)
        self._declare(*(ref.collection for ref in wanted))
        self.reads.update(wanted)
        missing = [ref for ref in wanted if ref not in self._over and ref not in self._known]
        if missing:
            await Want(missing)
        return [self._over[ref] if ref in self._over else self._known[ref] for ref in wanted]

    async def all(self, kind: Collection[M], query: Query) -> list[M]:
        """All documents that match, in order of their identity. For sets and orders: a record asks by identity."""
        self._range(kind)
        return await Want(bring=lambda known: known.every(kind, query))

    async def look(self, look: Look[P]) -> list[P]:
        """Parts of documents, or what the database computes over them."""
        self._range(look.kind)
        return await Want(bring=lambda known: known.look(look))

    def apart(self) -> Ask:
        """One over the same, for a decision that is only tried: what it puts or waits for is not this one's."""
        return Ask(self._known, self._at, declared=self._declared, ranges=self._ranges)

    def reached(self, at: datetime) -> bool:
        """Whether an instant has come; the only way to know the time. A set is computed again at the next that has
        not."""
        if self._at >= at:
            return True
        self.unreached.append(at)
        return False

    def over(self, outcome: Outcome) -> None:
        """See what this decision itself has put so far."""
        self._over = outcome.puts

    def _range(self, kind: Collection[Any]) -> None:
        # What others of the same batch have put is not laid over a range.
        if not self._ranges:
            raise UndeclaredRead(f"a record asks by identity only, not for a range of {kind.name}")
        self._declare(kind.name)

    def _declare(self, *collections: str) -> None:
        if self._declared is not None and not self._declared.issuperset(collections):
            raise UndeclaredRead(f"{sorted(set(collections) - self._declared)} read, declared {sorted(self._declared)}")


Decide = Callable[[C, Ask], Coroutine[Want[Any], Any, Outcome]]
"""A decision on a cause: `Received`, `Order` or `Due`."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """What a service listens to.

    `routes` maps a `ce_type` to its decision; types of a topic that are known to the contracts but not routed are
    skipped. With `refusals` (topics whose senders are outside our trust) an unreadable record is answered, not
    dead-lettered.
    """

    name: str
    topics: tuple[str, ...]
    routes: Mapping[str, Decide[Received[Any]]]
    refusals: Decide[Received[Unreadable]] | None = None
