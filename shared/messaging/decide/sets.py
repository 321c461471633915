"""Results over sets (a ranking, a province's proposal): what each depends on, declared once.

Every put of a document asks for the sets that it touches, by what it says before and after. Coarse keys suffice (a
province): an unchanged outcome publishes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import takewhile
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from shared.contracts.base import Contract
from shared.messaging.collections import RECALCULATIONS, SETS
from shared.messaging.decide.asking import Decide, Due, Request
from shared.messaging.decide.documents import Collection, Ref

K = TypeVar("K", bound=tuple[Any, ...])
M = TypeVar("M")
Key = tuple[str | int | None, ...]
"""A part that is `None` stands for every one: all known sets whose other parts are these."""
Touches = Callable[[M | None, M | None], Iterable[Key]]
"""`(before, after)` → keys of the sets that the change of a document touches. One of the two may be `None`."""


def each(keys: Callable[[M], Iterable[Key]], by: Callable[[M], object] = lambda state: state) -> Touches[M]:
    """The sets of what a document says before, and of what it says after, where `by` tells the two apart."""

    def touches(before: M | None, after: M | None) -> list[Key]:
        if before is not None and after is not None and by(before) == by(after):
            return []
        return [key for state in (before, after) if state is not None for key in keys(state)]

    return touches


@dataclass(frozen=True)
class Source(Generic[M]):
    """Documents of one kind on which a set rests."""

    kind: Collection[M]
    touches: Touches[M]


@dataclass(frozen=True)
class SetOf(Generic[K]):
    """A result over a set.

    Args:
        name: of the set, for ever: open requests hold it.
        key: makes a key of its parts: text, whole numbers.
        decide: computes the set of a key.
        sources: what it depends on. It may read nothing else.
        keeps: its own results, which it may read too, to go on from them.
    """

    name: str
    key: Callable[..., K]
    decide: Decide[Due[K]]
    sources: tuple[Source[Any], ...] = ()
    keeps: tuple[Collection[Any], ...] = ()

    def request(self, key: Key, due: datetime | None = None) -> Request:
        """That the set of this key is to be computed. A part that is `None` stands for every one."""
        return Request(self.name, tuple(key), due)

    @cached_property
    def declared(self) -> frozenset[str]:
        """The collections that it may read."""
        return frozenset(kind.name for kind in (*(source.kind for source in self.sources), *self.keeps))


class Sets:
    """All sets of one service."""

    def __init__(self, sets: Sequence[SetOf[Any]] = ()) -> None:
        self.by_name: Mapping[str, SetOf[Any]] = {each.name: each for each in sets}
        self._touched: dict[str, list[tuple[SetOf[Any], Source[Any]]]] = {}
        for one in sets:
            for source in one.sources:
                self._touched.setdefault(source.kind.name, []).append((one, source))

    def touched(self, ref: Ref[Any], before: Any, after: Any) -> Iterator[Request]:
        """The sets that a change of one document touches."""
        if before == after:
            return
        for one, source in self._touched.get(ref.collection, ()):
            for key in source.touches(before, after):
                yield one.request(key)


def key_text(key: tuple[Hashable, ...]) -> str:
    """A key as it is stored."""
    return json.dumps(key, ensure_ascii=False)


def key_parts(text: str) -> tuple[Any, ...]:
    """The parts of a stored key."""
    return tuple(json.loads(text))


def span(pattern: tuple[Any, ...]) -> dict[str, str]:
    """Query for the stored keys that begin as this one does, up to its first open part."""
    begin = key_text(tuple(takewhile(lambda part: part is not None, pattern)))[:-1]
    begin += ", " if begin != "[" else ""
    return {"$gte": begin, "$lt": f"{begin}\U0010ffff"}


def covers(pattern: tuple[Any, ...], key: tuple[Any, ...]) -> bool:
    """Whether a key with open parts stands for this one."""
    return len(pattern) == len(key) and all(part in (None, own) for part, own in zip(pattern, key, strict=True))


class Named(Contract):
    """A set as it is stored, by its name and key: one that was computed once, or a request that waits."""

    set: str
    key: str

    @property
    def parts(self) -> Key:
        """The parts of the key."""
        return key_parts(self.key)


KNOWN_SETS = Collection(SETS, TypeAdapter(Named))
OPEN_REQUESTS = Collection(RECALCULATIONS, TypeAdapter(Named))
"""To look at only."""
