"""Loading documents with their revisions, so that what is decided on them can be written guarded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.messaging.decide.growing import taken_apart, whole
from shared.messaging.decide.handling import Document, Entry, Ref, content_of
from shared.mongo import Mongo, Put
from shared.mongo.port import Query, Sort

STAMP = "_stamp"
"""Beside each document that is put: a stamp above those of the events of the decision that put it."""


class Reader:
    """Documents read so far, their revisions and stamps. Its `puts` turns decisions into guarded writes."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._documents: dict[Ref, Document | None] = {}
        self._revisions: dict[Ref, int] = {}
        self._rows: dict[Ref, frozenset[Any]] = {}
        self.stamp = 0
        """The highest of all that was read: events of a decision on it must come behind those that led to it."""

    async def load(self, refs: Iterable[Ref]) -> None:
        """Load documents by identity, one query per collection."""
        wanted: dict[str, list[str]] = {}
        for ref in refs:
            if ref not in self._documents:
                self._documents[ref] = None
                wanted.setdefault(ref.collection, []).append(ref.id)
        for collection, ids in wanted.items():
            for found in await self._mongo.find(collection, {"_id": {"$in": ids}}):
                head, ref = self._keep(collection, found), Ref(collection, str(found["_id"]))
                self._documents[ref], self._rows[ref] = await whole(self._mongo, ref, head)

    async def get(self, ref: Ref) -> Document | None:
        """One document, or `None`."""
        await self.load([ref])
        return self._documents[ref]

    async def find(self, collection: str, query: Query, *, sort: Sort | None = None) -> dict[str, Document]:
        """All matching documents by `_id`."""
        rows = await self._mongo.find(collection, query, sort=sort)
        return {str(found["_id"]): self._keep(collection, found) for found in rows}

    async def look(self, collection: str, query: Query, projection: Mapping[str, int]) -> list[Document]:
        """Parts of documents, with their `_id`; only to look at, they cannot be put."""
        rows = await self._mongo.find(collection, query, projection={**projection, STAMP: 1})
        for row in rows:
            self.stamp = max(self.stamp, row.pop(STAMP, 0))
        return rows

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """What the database computes over documents; only to look at."""
        return await self._mongo.aggregate(collection, pipeline)

    def __getitem__(self, ref: Ref) -> Document | None:
        """A loaded document, with this batch's own writes applied. `KeyError` if it was not loaded."""
        return self._documents[ref]

    def expect(self, puts: Mapping[Ref, Document]) -> None:
        """Keep decisions. A document that was not read is expected not to exist: if it does, its write conflicts."""
        self._documents.update(puts)

    def puts(self, refs: Iterable[Ref], stamp: int) -> dict[str, list[Put]]:
        """Guarded writes of the current documents, by collection, under a stamp above those of their events."""
        writes: dict[str, list[Put]] = {}
        for ref in refs:
            document = self._documents[ref]
            assert document is not None
            kept = self._rows.get(ref, frozenset())
            parts = taken_apart(ref, self._revisions.get(ref), document, kept)
            writes.setdefault(ref.collection, []).extend(
                Put(part.id, part.revision, {**part.document, STAMP: stamp}) for part in parts
            )
        return writes

    def _keep(self, collection: str, found: dict[str, Any]) -> Document:
        ref = Ref(collection, str(found["_id"]))
        document = content_of(found)
        self._documents[ref] = document
        self._revisions[ref] = found["_rev"]
        self.stamp = max(self.stamp, found.get(STAMP, 0))
        return document


class View:
    """`States` of one record: only what its route asked for, so that a forgotten need fails in the first test."""

    def __init__(self, reader: Reader, needs: frozenset[Ref]) -> None:
        self._reader = reader
        self._needs = needs

    def __getitem__(self, ref: Ref) -> Document | None:
        if ref not in self._needs:
            raise KeyError(f"{ref} was read without being named in needs")
        return self._reader[ref]

    def apply(self, puts: Mapping[Ref, Document]) -> None:
        """Make decisions visible to the next handler of the batch: all of them, or none if one was not asked for."""
        for ref in puts:
            if ref not in self._needs and not isinstance(ref, Entry):
                raise KeyError(f"{ref} was put without being named in needs")
        self._reader.expect(puts)
