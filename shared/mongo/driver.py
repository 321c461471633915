"""The port on MongoDB: what Motor and PyMongo's own asynchronous client have in common, which is nearly everything."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from bson import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClientSession, AsyncIOMotorDatabase
from pymongo import InsertOne, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.mongo.errors_of_pymongo import mapped
from shared.mongo.leases import COLLECTION as PROBED
from shared.mongo.port import Conflict, Document, DuplicateKey, Put, Query, Session, Sort
from shared.mongo.refusals import Refusals

Database = TypeVar("Database", AsyncIOMotorDatabase[Document], AsyncDatabase[Document])
PAGE = 2_000
"""Documents per answer of the server."""
TRANSACTION: Mapping[str, Any] = {
    "read_concern": ReadConcern("snapshot"),
    "write_concern": WriteConcern("majority", j=True),
    "max_commit_time_ms": 10_000,
}
DATABASE: Mapping[str, Any] = {
    "codec_options": CodecOptions(tz_aware=True),
    "read_concern": ReadConcern("majority"),
}


def client_options(database: str, timeout_ms: int) -> dict[str, Any]:
    """Options of either driver's client."""
    return {
        "appname": database,
        "serverSelectionTimeoutMS": timeout_ms,
        "socketTimeoutMS": 2 * timeout_ms,
        "tz_aware": True,
        "w": "majority",
        "journal": True,
    }


class DriverSession:
    """One transaction of either driver."""

    def __init__(self, inner: AsyncIOMotorClientSession | AsyncClientSession, refusals: Refusals) -> None:
        self.inner = inner
        self._refusals = refusals

    async def commit(self) -> None:
        with mapped(self._refusals):
            await self.inner.commit_transaction()


class Driver(ABC, Generic[Database]):
    """One database on one client; lives in one event loop. Each driver adds what it spells differently."""

    def __init__(self, database: Database) -> None:
        self._db: Database = database
        self._refusals = Refusals()

    @property
    def refused_seconds(self) -> float:
        return self._refusals.seconds

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """Each driver's own."""

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
        with mapped(self._refusals):
            cursor = self._db[collection].find(query, projection, limit=limit, skip=skip, batch_size=PAGE)
            if sort:
                cursor = cursor.sort(list(sort))
            return await cursor.to_list(None)

    async def count(self, collection: str, query: Query) -> int:
        with mapped(self._refusals):
            return int(await self._db[collection].count_documents(query))

    async def insert(self, collection: str, documents: Sequence[Document], session: Session | None = None) -> None:
        if documents:
            with mapped(self._refusals):
                await self._db[collection].insert_many(documents, ordered=True, session=_inner(session))

    async def put(self, collection: str, puts: Sequence[Put], session: Session) -> None:
        if not puts:
            return
        writes: list[InsertOne[Document] | ReplaceOne[Document]] = []
        replaced = 0
        for put in puts:
            if put.revision is None:
                writes.append(InsertOne({**put.document, "_id": put.id, "_rev": 1}))
            else:
                replaced += 1
                writes.append(
                    ReplaceOne({"_id": put.id, "_rev": put.revision}, {**put.document, "_rev": put.revision + 1})
                )
        try:
            with mapped(self._refusals):
                result = await self._db[collection].bulk_write(writes, ordered=True, session=_inner(session))
        except DuplicateKey as error:
            if error.index == "_id_":  # somebody created the document since it was looked for
                raise Conflict(f"{collection}: a document appeared") from error
            raise
        if result.matched_count != replaced:
            raise Conflict(f"{collection}: {replaced - result.matched_count} of {replaced} revisions moved")

    async def delete(self, collection: str, query: Query, session: Session | None = None) -> int:
        with mapped(self._refusals):
            result = await self._db[collection].delete_many(query, session=_inner(session))
            return int(result.deleted_count)

    async def update(
        self,
        collection: str,
        query: Query,
        update: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        upsert: bool = False,
    ) -> int:
        with mapped(self._refusals):
            result = await self._db[collection].update_many(
                query, update if isinstance(update, Mapping) else list(update), upsert=upsert
            )
            return int(result.matched_count)

    async def index(
        self, collection: str, keys: Sort, *, unique: bool = False, expire_after_seconds: int | None = None
    ) -> None:
        options: dict[str, Any] = {"unique": True} if unique else {}
        if expire_after_seconds is not None:
            options["expireAfterSeconds"] = expire_after_seconds
        with mapped(self._refusals):
            await self._db[collection].create_index(list(keys), **options)

    async def collection_names(self) -> list[str]:
        with mapped(self._refusals):
            return list(
                await self._db.list_collection_names(authorizedCollections=True)
            )  # asks for no right of its own

    async def time(self) -> datetime:
        with mapped(self._refusals):
            answer = await self._db.command("hello")
            return answer["localTime"].replace(tzinfo=UTC)  # type: ignore[no-any-return]

    async def version(self) -> str:
        with mapped(self._refusals):
            return str((await self._db.command("buildInfo"))["version"])

    async def ping(self) -> None:
        # MongoDB's own `hello` and `ping` are answered to anybody. What is not committed leaves nothing behind.
        probe = uuid.uuid4().hex
        await self.find(PROBED, {"_id": probe}, limit=1)
        async with self.transaction() as session:
            await self.insert(PROBED, [{"_id": probe, "_rev": 1}], session)
            await self.put(PROBED, [Put(probe, 1, {})], session)
            await self.delete(PROBED, {"_id": probe}, session)


def _inner(session: Session | None) -> Any:
    if session is None:
        return None
    assert isinstance(session, DriverSession)
    return session.inner
