"""The MongoDB port in memory, with switches for what goes wrong between two machines.

It understands the queries, updates and aggregations that Langhoc uses, and raises `UnknownToTheFake` for any other,
so that no test passes on a misread query. One conformance suite (`tests/conformance/test_mongo_port.py`) holds it and
the real drivers to the same behaviour. What it cannot show: time-outs and load.
"""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
from bson import CodecOptions, ObjectId
from bson.errors import BSONError

from shared.messaging import seals
from shared.mongo.port import (
    Conflict,
    Document,
    DuplicateKey,
    MongoError,
    Permanent,
    Put,
    Query,
    Session,
    Sort,
    Transient,
)

LARGEST_DOCUMENT = 16 * 1024 * 1024


class UnknownToTheFake(AssertionError):
    """The test asks in a way that Langhoc itself never does; misreading it would let the test pass for nothing."""


Rows = dict[Any, Document]
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$in": lambda value, options: value in options,
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
    "$ne": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """How a commit fails: with which error, and whether it was carried out nevertheless."""

    error: type[MongoError]
    applied: bool = False


class MemorySession:
    """A transaction on a snapshot; two that touch the same document collide."""

    def __init__(self, mongo: MemoryMongo) -> None:
        self._mongo = mongo
        self._snapshot = {name: dict(rows) for name, rows in mongo.collections.items()}
        self.collections = {name: dict(rows) for name, rows in mongo.collections.items()}
        self._ended: type[MongoError] | None = None
        self._committed = False

    async def commit(self) -> None:
        """As the server does it: repeating a commit tells the truth about the first one."""
        if self._committed:
            return
        if self._ended is not None:
            raise Transient("the server has no such transaction")
        self._mongo.commits += 1
        fault = self._mongo.commit_faults.get(self._mongo.commits)
        if fault is None or fault.applied:
            self._apply()
            self._committed = True
        if fault is not None:
            self._ended = fault.error
            raise fault.error("as ordered by the test")

    def _apply(self) -> None:
        changes: list[tuple[str, Any]] = []
        for name in self.collections:
            before, after = self._snapshot.get(name, {}), self.collections[name]
            changes += [(name, id) for id in {**before, **after} if before.get(id) is not after.get(id)]
        for name, id in changes:
            if self._mongo.rows(name).get(id) is not self._snapshot.get(name, {}).get(id):
                self._ended = Transient
                raise Transient(f"write conflict on {name}/{id}")
        for name, id in changes:
            changed = self.collections[name].get(id)
            if changed is None:
                del self._mongo.rows(name)[id]
            else:
                self._mongo.rows(name)[id] = changed


@dataclass
class MemoryMongo:
    """`Mongo` over dictionaries."""

    collections: dict[str, Rows] = field(default_factory=dict)
    commit_faults: dict[int, Fault] = field(default_factory=dict)
    """Faults by the number of the commit, counted from 1."""
    unwritable: Callable[[str, Document], bool] = lambda collection, document: False
    """Tells for which documents of which collection a write raises `Permanent`."""
    meanwhile: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What another process does just before each of the next transactions begins, one entry for each."""
    down: type[MongoError] | None = None
    """Every operation raises this."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The server's clock."""
    release: str = "8.0.4"
    """What it calls its version."""
    refused_seconds: float = 0.0
    commits: int = 0
    _unique: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    def rows(self, collection: str) -> Rows:
        """The documents of a collection by `_id`."""
        return self.collections.setdefault(collection, {})

    def seal(self) -> None:
        """Let every document say what its service wrote, whatever the test has made of it."""
        for name, rows in self.collections.items():
            for id, row in rows.items():
                if "_rev" in row:
                    rows[id] = seals.sealed(name, str(id), row)

    def all(self, collection: str) -> list[Document]:
        """The documents of a collection, for looking."""
        return [_copied(row) for row in self.rows(collection).values()]

    async def find(
        self,
        collection: str,
        query: Query,
        *,
        projection: Mapping[str, int] | None = None,
        sort: Sort | None = None,
        limit: int = 0,
        skip: int = 0,
    ) -> list[Document]:
        self._answer()
        found = list(self._matching(self.rows(collection), query))
        for name, direction in reversed(sort or ()):
            found.sort(key=lambda row: _place(_path(row, name)), reverse=direction < 0)
        page = found[skip : skip + limit if limit else None]
        return [_copied(_project(row, projection)) for row in page]

    async def count(self, collection: str, query: Query) -> int:
        self._answer()
        return sum(1 for _ in self._matching(self.rows(collection), query))

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        self._answer()
        rows = list(self.rows(collection).values())
        for stage in pipeline:
            ((name, what),) = stage.items()
            if name == "$match":
                rows = list(self._matching(dict(enumerate(rows)), what))
            elif name == "$sort":
                for path, direction in reversed(what.items()):
                    rows.sort(key=lambda row: _place(_path(row, path)), reverse=direction < 0)
            elif name == "$group":
                rows = self._group(rows, what)
            else:
                raise UnknownToTheFake(name)
        return [_copied(row) for row in rows]

    async def insert(self, collection: str, documents: Sequence[Document], session: Session | None = None) -> None:
        self._answer()
        rows = self._rows_in(collection, session)
        for document in documents:
            document.setdefault("_id", ObjectId())  # the drivers add it to the caller's document too
            self._insert(collection, rows, document)

    async def put(self, collection: str, puts: Sequence[Put], session: Session) -> None:
        self._answer()
        rows = self._rows_in(collection, session)
        for put in puts:
            before = rows.get(put.id)
            if (before["_rev"] if before else None) != put.revision:
                raise Conflict(f"{collection}: {put.id} has another revision")
            rows.pop(put.id, None)
            self._insert(collection, rows, {**put.document, "_id": put.id, "_rev": (put.revision or 0) + 1})

    async def delete(self, collection: str, query: Query, session: Session | None = None) -> int:
        self._answer()
        rows = self._rows_in(collection, session)
        gone = [row["_id"] for row in self._matching(rows, query)]
        for id in gone:
            del rows[id]
        return len(gone)

    async def update(
        self,
        collection: str,
        query: Query,
        update: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        upsert: bool = False,
    ) -> int:
        self._answer()
        rows = self.rows(collection)
        matching = list(self._matching(rows, query))
        if upsert and not matching:
            raise UnknownToTheFake("upsert")
        computed = not isinstance(update, Mapping)
        for stage in [update] if isinstance(update, Mapping) else update:
            if stage.keys() != {"$set"}:
                raise UnknownToTheFake(str(stage))
            for row in matching:
                changes = {
                    name: self._value(value, row) if computed else value for name, value in stage["$set"].items()
                }
                rows[row["_id"]] = {**rows[row["_id"]], **changes}
        return len(matching)

    async def index(
        self, collection: str, keys: Sort, *, unique: bool = False, expire_after_seconds: int | None = None
    ) -> None:
        self._answer()
        names = tuple(name for name, _ in keys)
        if unique and names not in self._unique.setdefault(collection, []):
            self._unique[collection].append(names)

    async def collection_names(self) -> list[str]:
        self._answer()
        return [name for name, rows in self.collections.items() if rows]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        self._answer()
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        yield MemorySession(self)

    async def time(self) -> datetime:
        self._answer()
        return self.now()

    async def version(self) -> str:
        self._answer()
        return self.release

    async def ping(self) -> None:
        self._answer()

    async def close(self) -> None:
        pass

    def _answer(self) -> None:
        if self.down is not None:
            raise self.down("as ordered by the test")

    def _rows_in(self, collection: str, session: Session | None) -> Rows:
        if session is None:
            return self.rows(collection)
        assert isinstance(session, MemorySession)
        return session.collections.setdefault(collection, {})

    def _insert(self, collection: str, rows: Rows, document: Document) -> None:
        if self.unwritable(collection, document):
            raise Permanent(f"{collection}/{document['_id']}: as ordered by the test")
        if document["_id"] in rows:
            raise DuplicateKey(collection, "_id_")
        for names in self._unique.get(collection, ()):
            key = [_path(document, name) for name in names]
            if any([_path(row, name) for name in names] == key for row in rows.values()):
                raise DuplicateKey(collection, "_".join(f"{name}_1" for name in names))
        rows[document["_id"]] = _stored(document)

    # ------------------------------------------------------------------ queries and expressions

    def _matching(self, rows: Rows, query: Query) -> Iterator[Document]:
        return (row for row in list(rows.values()) if all(self._holds(row, *term) for term in query.items()))

    def _holds(self, row: Document, path: str, wanted: Any) -> bool:
        if path == "$expr":
            return bool(self._value(wanted, row))
        if path == "$or":
            return any(all(self._holds(row, *term) for term in choice.items()) for choice in wanted)
        if path == "$nor":
            return not self._holds(row, "$or", wanted)
        if path.startswith("$"):
            raise UnknownToTheFake(path)
        inside = _inside(row, path)
        if inside is not None:
            if not isinstance(wanted, Mapping) or wanted.keys() == {"$in"}:
                return any(_compares(value, wanted) for value in inside)
            raise UnknownToTheFake(f"{wanted} inside a list")
        return _compares(_path(row, path), wanted)

    def _value(self, expression: Any, row: Document) -> Any:
        if expression == "$$NOW":
            return self.now()
        if isinstance(expression, str) and expression.startswith("$"):
            return _path(row, expression[1:])
        if not isinstance(expression, Mapping):
            return expression
        if not any(name.startswith("$") for name in expression):
            return {name: self._value(value, row) for name, value in expression.items()}
        ((name, operands),) = expression.items()
        values = [self._value(operand, row) for operand in operands]
        match name:
            case "$or":
                return any(values)
            case "$eq":
                return values[0] == values[1]
            case "$lt":  # in an expression, what is missing is less than anything
                return values[1] is not None and (values[0] is None or values[0] < values[1])
            case "$add":
                return values[0] + timedelta(milliseconds=values[1])
            case _:
                raise UnknownToTheFake(name)

    def _group(self, rows: Sequence[Document], what: Mapping[str, Any]) -> list[Document]:
        groups: dict[str, tuple[Any, list[Document]]] = {}
        for row in rows:
            identity = self._value(what["_id"], row)
            groups.setdefault(repr(identity), (identity, []))[1].append(row)
        return [
            {"_id": identity}
            | {name: self._accumulated(accumulator, members) for name, accumulator in what.items() if name != "_id"}
            for identity, members in groups.values()
        ]

    def _accumulated(self, accumulator: Mapping[str, Any], members: Sequence[Document]) -> Any:
        ((name, expression),) = accumulator.items()
        values = [self._value(expression, row) for row in members]
        match name:
            case "$min":
                return min(values)
            case "$max":
                return max(values)
            case "$sum":
                return sum(values)
            case _:
                raise UnknownToTheFake(name)


def _stored(document: Document) -> Document:
    """The document as it comes back from the server: bytes for binaries, milliseconds, what BSON can hold."""
    try:
        encoded = bson.encode(document)
    except (BSONError, OverflowError, UnicodeEncodeError) as error:
        raise Permanent(str(error)) from error
    if len(encoded) > LARGEST_DOCUMENT:
        raise Permanent(f"{len(encoded):,} bytes")
    return bson.decode(encoded, CodecOptions(tz_aware=True))


def _copied(value: Any) -> Any:
    """A copy of what BSON can hold, where only documents and lists can be changed."""
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _compares(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return bool(value == wanted) or (isinstance(value, list) and wanted in value)
    for name, operand in wanted.items():
        if name not in _COMPARISONS:
            raise UnknownToTheFake(name)
        if name in ("$gt", "$gte", "$lt", "$lte") and type(value) is not type(operand):
            return False  # the server compares within one type only
        if not _COMPARISONS[name](value, operand):
            return False
    return True


def _inside(row: Document, path: str) -> list[Any] | None:
    """The values of a list, or at a path through one list of documents (`rows.unit_id`); `None` where there is none."""
    if isinstance(listed := _path(row, path), list):
        return listed
    outer, _, last = path.rpartition(".")
    documents = _path(row, outer) if outer else None
    return [_path(document, last) for document in documents] if isinstance(documents, list) else None


def _path(row: Document, path: str) -> Any:
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _place(value: Any) -> tuple[bool, Any]:
    """By what the server sorts: what is null or missing comes before everything."""
    return value is not None, value


def _project(row: Document, projection: Mapping[str, int] | None) -> Document:
    if projection is None:
        return row
    if not any(projection.values()):
        if any("." in path for path in projection):
            raise UnknownToTheFake("projections that leave out a part of a field")
        return {name: value for name, value in row.items() if name not in projection}
    if not all(projection.values()):
        raise UnknownToTheFake("projections that leave out and pick")
    shown: Document = {"_id": row["_id"]}
    for path in projection:
        *outer, last = path.split(".")
        source, target = row, shown
        for name in outer:
            source, target = source.get(name, {}), target.setdefault(name, {})
        if last in source:
            target[last] = source[last]
    return shown
