"""The driver port: the few operations Langhoc needs, so that Motor and its successor stay interchangeable (ADR 1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Document = dict[str, Any]
Query = Mapping[str, Any]
Sort = Sequence[tuple[str, int]]


class MongoError(Exception):
    """Root of what can go wrong behind the port; the driver's errors are mapped to it in one place."""


class DuplicateKey(MongoError):
    """A unique index refused a write. `collection` and `index` tell which, because they mean different things."""

    def __init__(self, collection: str, index: str) -> None:
        super().__init__(f"duplicate key in {collection} ({index})")
        self.collection = collection
        self.index = index


class Conflict(MongoError):
    """A guarded write found another revision than it had loaded: load again and decide again."""


class Transient(MongoError):
    """The server asks to repeat the whole transaction (write conflict, step-down, network)."""


class CommitUnknown(MongoError):
    """The commit may or may not have happened: commit again, the server answers with the truth."""


class Unavailable(MongoError):
    """The database did not answer within the deadline; nothing is known to be written."""


class LoggedOut(Unavailable):
    """We are let in no more: the user is gone, or was given anew; an open connection then stays logged out for ever."""


class Permanent(MongoError):
    """This write can never succeed (document too large, invalid BSON): repeating is useless."""


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole document if it still has the revision that was loaded (`None`: if it does not exist)."""

    id: str
    revision: int | None
    document: Document


class Session(Protocol):
    """One transaction in progress. Operations run one after the other, never in parallel."""

    async def commit(self) -> None:
        """Commit; raises `CommitUnknown` if the answer was lost."""
        ...


class Mongo(Protocol):
    """One service's database."""

    @property
    def refused_seconds(self) -> float:
        """From the first time that our login was refused to the last; 0 if it was not, or long ago."""
        ...

    async def find(
        self,
        collection: str,
        query: Query,
        *,
        projection: Mapping[str, int] | None = None,
        sort: Sort | None = None,
        limit: int = 0,
        skip: int = 0,
    ) -> list[Document]: ...

    async def count(self, collection: str, query: Query) -> int: ...

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]: ...

    async def insert(self, collection: str, documents: Sequence[Document], session: Session | None = None) -> None:
        """Insert all; raises `DuplicateKey`."""
        ...

    async def put(self, collection: str, puts: Sequence[Put], session: Session) -> None:
        """Write all, guarded by revision; raises `Conflict` if any guard does not hold."""
        ...

    async def delete(self, collection: str, query: Query, session: Session | None = None) -> int: ...

    async def update(
        self,
        collection: str,
        query: Query,
        update: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        upsert: bool = False,
    ) -> int:
        """Update all matching documents outside any transaction; returns how many matched."""
        ...

    async def index(
        self, collection: str, keys: Sort, *, unique: bool = False, expire_after_seconds: int | None = None
    ) -> None: ...

    async def collection_names(self) -> list[str]:
        """Of all collections that there are."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """Begin; leaving the block without `commit` aborts."""
        ...

    async def time(self) -> datetime:
        """The server's clock."""
        ...

    async def version(self) -> str:
        """The server's version, such as `8.0.4`."""
        ...

    async def ping(self) -> None:
        """Raise a `MongoError` unless a primary lets us read and write, as a service does."""
        ...

    async def close(self) -> None: ...


async def answers(mongo: Mongo, seconds: float = 5.0) -> bool:
    """Whether a primary works for us now: what else failed is then not the database's doing."""
    try:
        async with asyncio.timeout(seconds):
            await mongo.ping()
    except (MongoError, TimeoutError):
        return False
    return True
