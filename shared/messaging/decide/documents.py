"""A service's own documents as typed values: what a collection holds, under which identity, in which schema.

Every stored document carries the number of its schema. One that an older release wrote is lifted when it is read, so
that decisions know one shape only; at the start of a release that changed a shape all are written anew (`migrating`).
It also carries a seal, without which it is not read (`shared.messaging.seals`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from shared.messaging import seals

Document = dict[str, Any]
Query = Mapping[str, Any]
Sort = Sequence[tuple[str, int]]
M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)
SCHEMA = "_schema"
"""Beside each document: the number of the schema in which it is written; 0 before there were numbers."""
ABSENT = "_absent"
"""Marks the place of a document that does not exist, but on whose absence something was decided."""
NAMES: set[str] = set()
"""Of all collections that were declared."""


class NewerSchema(RuntimeError):
    """A newer release wrote the document. This one waits for its own upgrade, to lose nothing that it does not know."""


@dataclass(frozen=True, slots=True)
class Ref(Generic[M_co]):
    """One document of the service's own database: collection and `_id`."""

    collection: str
    id: str
    kind: Collection[Any] = field(compare=False, repr=False)

    def __hash__(self) -> int:  # the text keeps its own; seventy are asked for per record
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class Growing:
    """A list within a document that only grows: how the document is taken apart (`growing`)."""

    rows: str
    """Field of the list that grows."""
    key: str
    """Field of a row by which the list is ordered, and by which a row is known."""
    hash: str
    """Field of the document that tells one content of the list from another."""


@dataclass(frozen=True, eq=False)
class Collection(Generic[M]):
    """Documents of one kind: their name in the database and their model.

    Args:
        model: how a document is read and written, as JSON but for the `native` fields.
        schema: number of the shape; raised whenever a document of the shape before could not be read by the model.
        upgrades: by the number of a shape, what makes the next one of a document of it; a number without one changed
            nothing in what is stored.
        native: fields that the database keeps in its own types: bytes, instants that an index compares.
        entries: documents that are written once and never changed, the lines of a history. They are put without having
            been read. So what grows with history grows by documents, and none of them grows.
        grows: the list of each document that is kept apart from it.
    """

    name: str
    model: TypeAdapter[M]
    schema: int = 1
    upgrades: Mapping[int, Callable[[Document], Document]] = field(default_factory=dict)
    native: frozenset[str] = frozenset()
    entries: bool = False
    grows: Growing | None = None

    def __post_init__(self) -> None:
        NAMES.add(self.name)

    def ref(self, *parts: object) -> Ref[M]:
        """A document by the parts of its identity."""
        return Ref(self.name, "/".join(map(str, parts)), self)

    def read(self, found: Mapping[str, Any]) -> M:
        """A stored document. Raises `Altered`, `NewerSchema`, and `ValidationError` where no release wrote it."""
        return self.model.validate_python(self.lifted(found))

    def lifted(self, found: Mapping[str, Any]) -> Document:
        """The content of a stored document in today's shape. Raises as `read` does."""
        written = self.recognise(found)
        if self.grows is None:  # its parts were looked at when they were put together
            seals.check(self.name, found)
        document = content_of(found)
        for number in range(written, self.schema):
            if number in self.upgrades:
                document = self.upgrades[number](document)
        return document

    def recognise(self, found: Mapping[str, Any]) -> int:
        """The number of a stored document's schema. Raises `NewerSchema`."""
        schema: int = found.get(SCHEMA, 0)
        if schema > self.schema:
            raise NewerSchema(f"{self.name} {found.get('_id', '')}: schema {schema}, this release knows {self.schema}")
        return schema

    def written(self, state: M) -> Document:
        """The content as it is stored."""
        document: Document = self.model.dump_python(state, mode="json", exclude=set(self.native) or None)
        return document | {name: getattr(state, name) for name in self.native} | {SCHEMA: self.schema}


def content_of(document: Mapping[str, Any], *besides: str) -> Document:
    """A stored document without what the platform keeps beside it (names with an underscore), and without `besides`."""
    return {name: value for name, value in document.items() if not name.startswith("_") and name not in besides}
