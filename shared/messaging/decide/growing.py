"""Documents with a list that only grows: kept as a head and one document per row, so that none of them grows.

Whoever decides on such a document sees it whole. The rows are numbered as they came and never change, so that a head
names its rows for ever: two processes that add one collide on the head, and rows that were read once need not be read
again. What an older release kept in one piece is read as it is, and taken apart when it is next put.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.messaging import seals
from shared.messaging.decide.documents import Document, Ref
from shared.mongo import Mongo, Put, Unavailable

REMEMBERED = 8


_COUNT = "rows"
_remembered: dict[tuple[Ref[Any], str], list[Any]] = {}


async def whole(mongo: Mongo, ref: Ref[Any], head: Document) -> tuple[Document, frozenset[Any]]:
    """The document with its rows, and the keys of those that are kept as documents of their own.

    Raises `Unavailable` where rows that the head names cannot be read, and `Altered`.
    """
    shape = ref.kind.grows
    if shape is None:
        return head, frozenset()
    seals.check(ref.collection, head)
    if _COUNT not in head:
        return head, frozenset()
    rows = _remembered.get((ref, head[shape.hash]))
    if rows is None:
        query = {"_id": {"$gt": f"{ref.id}/", "$lte": _row_id(ref, head[_COUNT])}}
        found = await mongo.find(ref.collection, query, sort=[("_id", 1)])
        if len(found) != head[_COUNT]:
            raise Unavailable(f"{ref} names {head[_COUNT]} rows, {len(found)} were read")
        for each in found:
            seals.check(ref.collection, each)
        rows = sorted((each["row"] for each in found), key=lambda row: row[shape.key])
        while len(_remembered) >= REMEMBERED:
            del _remembered[next(iter(_remembered))]
        _remembered[ref, head[shape.hash]] = rows
    content = {name: value for name, value in head.items() if name != _COUNT}
    return {**content, shape.rows: rows}, frozenset(row[shape.key] for row in rows)


def taken_apart(ref: Ref[Any], revision: int | None, document: Document, kept: frozenset[Any]) -> Iterable[Put]:
    """The writes of a document: its head, and the rows that are not `kept` yet."""
    shape = ref.kind.grows
    if shape is None or shape.rows not in document:
        return [Put(ref.id, revision, document)]
    rows = document[shape.rows]
    new = [row for row in rows if row[shape.key] not in kept]
    head = {name: value for name, value in document.items() if name != shape.rows} | {_COUNT: len(rows)}
    places = range(len(kept) + 1, len(rows) + 1)
    parts = [Put(_row_id(ref, place), None, {"row": row}) for place, row in zip(places, new, strict=True)]
    return [Put(ref.id, revision, head), *parts]


def _row_id(ref: Ref[Any], place: int) -> str:
    return f"{ref.id}/{place:09}"
