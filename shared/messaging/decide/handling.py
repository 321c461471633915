"""Forms of decisions that are being replaced by `asking`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter

from shared.messaging.decide import documents
from shared.messaging.decide.asking import STALE, Ask, Consumer, Outcome, Request
from shared.messaging.decide.documents import Collection, Document, content_of
from shared.messaging.decide.writing import rows_of as requests_of
from shared.messaging.messages import Received

__all__ = [
    "STALE", "Consumer", "Dictionary", "Document", "Entry", "Outcome", "Recalculation", "Ref", "Request", "Route",
    "States", "content_of", "requests_of",
]  # fmt: skip
T = TypeVar("T")
if TYPE_CHECKING:
    Ref = documents.Ref[Any]
else:
    Ref = documents.Ref


def Entry(collection: str, id: str) -> Ref:
    """A line of a history."""
    return Ref(collection, id, _ENTRIES)


_ENTRIES: Collection[Any] = Collection("", TypeAdapter(dict[str, Any]), entries=True)


class States(Protocol):
    """The documents as they are now."""

    def __getitem__(self, ref: Ref) -> Document | None: ...


@dataclass(frozen=True, slots=True)
class Recalculation:
    """A request to recompute a result over a set."""

    scope: str
    period: int
    due: datetime | None = None

    @property
    def set(self) -> str:
        """As a dry run tells it."""
        return self.scope

    @property
    def key(self) -> tuple[int]:
        """As a dry run tells it."""
        return (self.period,)


@dataclass(frozen=True, slots=True)
class Route(Generic[T]):
    """How one event type is handled."""

    needs: Callable[[Received[T]], Iterable[Ref]]
    handle: Callable[[Received[T], States], Outcome]
    further: Callable[[Received[T], States], Iterable[Ref]] = lambda received, states: ()

    async def __call__(self, received: Received[T], ask: Ask) -> Outcome:
        """As one decision."""
        view = _View()
        refs = list(self.needs(received))
        view.update(zip(refs, await ask.many(refs), strict=True))
        refs = list(self.further(received, view))
        view.update(zip(refs, await ask.many(refs), strict=True))
        return self.handle(received, view)


class _View(dict[Ref, Any]):
    def __missing__(self, ref: Ref) -> Any:
        raise KeyError(f"{ref} was read without being named in needs")


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
