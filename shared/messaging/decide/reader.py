"""Loading documents with their revisions, so that what is decided on them can be written guarded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.messaging import seals
from shared.messaging.decide.asking import Look
from shared.messaging.decide.documents import ABSENT, Collection, Document, Query, Ref, content_of
from shared.messaging.decide.growing import taken_apart, whole
from shared.mongo import Conflict, Mongo, Permanent, Put

M = TypeVar("M")
P = TypeVar("P")
STAMP = "_stamp"
"""Beside each document that is put: a stamp above those of the events of the decision that put it."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """A document as it was found, not yet read into its model."""

    document: Document


def put(collection: str, part: Put, stamp: int) -> Put:
    """The write of a document with its stamp and its seal. Raises `Permanent` of one that nothing can keep."""
    try:
        return Put(part.id, part.revision, seals.sealed(collection, part.id, {**part.document, STAMP: stamp}))
    except seals.UNENCODABLE as error:
        raise Permanent(f"{collection}/{part.id}: {error}") from error


class Reader:
    """Documents read so far, their revisions and stamps. Its `puts` turns decisions into guarded writes."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._found: dict[Ref[Any], Any] = {}
        """As they are now, with what was decided on top."""
        self._revisions: dict[Ref[Any], int] = {}
        self._rows: dict[Ref[Any], frozenset[Any]] = {}
        self.stamp = 0
        """The highest of all that was read: events of a decision on it must come behind those that led to it."""

    def __contains__(self, ref: object) -> bool:
        return ref in self._found

    def __getitem__(self, ref: Ref[M]) -> M | None:
        """A loaded document, with this batch's own writes applied. `KeyError` if it was not loaded.

        Read into its model here, in the decision that asks for it: one that cannot be read is no other's trouble.
        """
        found = self._found[ref]
        if isinstance(found, _Stored):
            document = found.document
            if ABSENT in document:
                seals.check(ref.collection, document)
            found = self._found[ref] = None if ABSENT in document else ref.kind.read(document)
        state: M | None = found
        return state

    def now(self, ref: Ref[M]) -> M | None:
        """A document as far as it is known: `None` also where it was never looked for."""
        return self[ref] if ref in self._found else None

    async def load(self, refs: Iterable[Ref[Any]]) -> None:
        """Load documents by identity, one query per collection. Raises `NewerSchema`, `Altered` of a growing one."""
        wanted: dict[str, dict[str, Ref[Any]]] = {}
        for ref in refs:
            if ref not in self._found:
                self._found[ref] = None
                wanted.setdefault(ref.collection, {})[ref.id] = ref
        for collection, by_id in wanted.items():
            for found in await self._mongo.find(collection, {"_id": {"$in": list(by_id)}}):
                ref = by_id[str(found["_id"])]
                document, self._rows[ref] = await whole(self._mongo, ref, found)
                self._keep(ref, document)

    async def every(self, kind: Collection[M], query: Query) -> list[M]:
        """All documents that match, by identity. Raises `Conflict` where one has moved since it was read before."""
        rows = await self._mongo.find(kind.name, query, sort=[("_id", 1)])
        refs = [kind.ref(row["_id"]) for row in rows]
        for ref, row in zip(refs, rows, strict=True):
            if ref in self._found and self._revisions.get(ref) != row["_rev"]:
                raise Conflict(f"{ref} moved while it was decided on")
            self._keep(ref, row)
        return [state for ref in refs if (state := self[ref]) is not None]

    async def look(self, look: Look[P]) -> list[P]:
        """Parts of documents, or what the database computes over them. Raises `Altered` as far as `Look` says."""
        if look.pipeline:
            rows = await self._mongo.aggregate(look.kind.name, [{"$match": look.query}, *look.pipeline])
        else:
            fields = {**dict.fromkeys(look.fields, 1), STAMP: 1} if look.fields else dict.fromkeys(look.without, 0)
            rows = await self._mongo.find(look.kind.name, look.query, projection=fields or None, sort=look.sort)
        if not (look.fields or look.pipeline):
            seals.check_all(look.kind.name, rows, look.without)
        for row in rows:
            self.stamp = max(self.stamp, row.get(STAMP) or 0)  # an index says null where a field is missing
        return [look.model.validate_python({"_id": row["_id"], **content_of(row)}) for row in rows]

    def expect(self, puts: Mapping[Ref[Any], Any]) -> None:
        """Keep decisions. A document that was not read is expected not to exist: if it does, its write conflicts."""
        self._found.update(puts)

    def puts(self, refs: Iterable[Ref[Any]], stamp: int) -> dict[str, list[Put]]:
        """Guarded writes of the current documents, by collection, under a stamp above those of their events.

        One that does not exist is written as a mark of its absence: whoever creates it at this moment collides.
        """
        writes: dict[str, list[Put]] = {}
        for ref in refs:
            state = self[ref]
            document = {ABSENT: True} if state is None else ref.kind.written(state)
            kept = self._rows.get(ref, frozenset())
            parts = taken_apart(ref, self._revisions.get(ref), document, kept)
            writes.setdefault(ref.collection, []).extend(put(ref.collection, part, stamp) for part in parts)
        return writes

    def _keep(self, ref: Ref[Any], found: Document) -> None:
        ref.kind.recognise(found)
        self._revisions[ref] = found["_rev"]
        self.stamp = max(self.stamp, found.get(STAMP) or 0)
        self._found[ref] = _Stored(found)
