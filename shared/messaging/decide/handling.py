"""The language between the pipeline and a service's handlers. Pure data: no I/O, no clock, no driver.

A handler is a function `(Received, States) -> Outcome`. The pipeline loads the documents that the route `needs`,
calls the handler in memory, and writes everything of a whole batch in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from shared.messaging.messages import Outgoing, Received, Unreadable

T = TypeVar("T")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ref:
    """One document of the service's own database: collection and `_id`."""

    collection: str
    id: str


@dataclass(frozen=True, slots=True)
class Entry(Ref):
    """A document that is written once under an identity of its own and never changed: a line of a history.

    A handler puts it without having named it in `needs`, and never reads it. So what grows with history grows by
    documents, and none of them grows.
    """


class States(Protocol):
    """The documents as they are now, with the writes of earlier records of the same batch already applied."""

    def __getitem__(self, ref: Ref) -> Document | None:
        """The document without its `_id`, or `None`. `KeyError` if the route did not ask for it in `needs`."""
        ...


@dataclass(frozen=True, slots=True)
class Recalculation:
    """A request to recompute a result over a set; inserted, never updated, to avoid write conflicts."""

    scope: str
    period: int
    due: datetime | None = None
    """Business time before which nothing is to be done, for what a passing deadline changes; `None`: now."""


def requests_of(requests: Iterable[Recalculation], now: datetime) -> list[Document]:
    """Recalculation requests as documents to insert."""
    return [{"scope": each.scope, "period": each.period, "due": each.due, "at": now} for each in requests]


@dataclass(slots=True)
class Outcome:
    """What a handler decided: new documents, facts to publish, sets to recompute."""

    puts: dict[Ref, Document] = field(default_factory=dict)
    """Whole new documents (without `_id`). Several handlers may put the same one within a batch: the last wins.
    Under an `Entry` there must be none yet."""
    events: list[Outgoing] = field(default_factory=list)
    requests: list[Recalculation] = field(default_factory=list)
    verdict: str = "handled"
    """Label for metrics: `handled`, `stale`, … or the receipt's status."""


STALE = "stale"


@dataclass(frozen=True, slots=True)
class Route(Generic[T]):
    """How one event type is handled. `needs` and `further` must name every document that `handle` will read or put,
    entries of a history apart."""

    needs: Callable[[Received[T]], Iterable[Ref]]
    handle: Callable[[Received[T], States], Outcome]
    further: Callable[[Received[T], States], Iterable[Ref]] = lambda received, states: ()
    """Documents whose identity is told by those of `needs`: a unit's earlier ids, by the register."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """What a service listens to.

    `routes` maps a `ce_type` to its route; types of a topic that are known to the contracts but not routed are skipped.
    With `refusals` (topics whose senders are outside our trust) an unreadable record is answered, not dead-lettered.
    """

    name: str
    topics: tuple[str, ...]
    routes: Mapping[str, Route[Any]]
    refusals: Route[Unreadable] | None = None


def content_of(document: Mapping[str, Any], *besides: str) -> Document:
    """A stored document without what the platform keeps beside it (names with an underscore), and without `besides`."""
    return {name: value for name, value in document.items() if not name.startswith("_") and name not in besides}


class Dictionary:
    """`States` over a plain dictionary, for unit tests of handlers."""

    def __init__(self, documents: Mapping[Ref, Document] | None = None) -> None:
        self.documents: dict[Ref, Document] = dict(documents or {})

    def __getitem__(self, ref: Ref) -> Document | None:
        return self.documents.get(ref)

    def apply(self, outcome: Outcome) -> Outcome:
        """Apply an outcome's puts, as the pipeline would."""
        self.documents.update(outcome.puts)
        return outcome
