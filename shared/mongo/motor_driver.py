"""The port on Motor, the project's chosen driver."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from bson import CodecOptions
from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import InsertOne, ReplaceOne
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.mongo.port import (
    CommitUnknown,
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
    Unavailable,
)

WRITE_CONFLICT, MULTIPLE_ERRORS, NO_SUCH_TRANSACTION, DUPLICATE = 112, 65, 251, 11000
TRANSIENT_CODES = {WRITE_CONFLICT, MULTIPLE_ERRORS, NO_SUCH_TRANSACTION}
TOO_LARGE_CODES = {10334, 17280, 17419, 17420}
_NAMESPACE = re.compile(r"collection: \S+?\.(\S+) index: (\S+)")


class MotorSession:
    """One Motor transaction."""

    def __init__(self, inner: AsyncIOMotorClientSession) -> None:
        self.inner = inner

    async def commit(self) -> None:
        with mapped():
            await self.inner.commit_transaction()


class MotorMongo:
    """One database on one client; lives in one event loop."""

    def __init__(self, uri: str, database: str, *, timeout_ms: int = 10_000) -> None:
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri,
            appname=database,
            serverSelectionTimeoutMS=timeout_ms,
            socketTimeoutMS=2 * timeout_ms,
            tz_aware=True,
            w="majority",
            journal=True,
        )
        self._db = self._client.get_database(
            database, codec_options=CodecOptions(tz_aware=True), read_concern=ReadConcern("majority")
        )

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
        with mapped():
            cursor = self._db[collection].find(query, projection, limit=limit, skip=skip, batch_size=2_000)
            if sort:
                cursor = cursor.sort(list(sort))
            return await cursor.to_list(None)

    async def count(self, collection: str, query: Query) -> int:
        with mapped():
            return int(await self._db[collection].count_documents(query))

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        with mapped():
            return await self._db[collection].aggregate(list(pipeline), batchSize=2_000).to_list(None)

    async def insert(self, collection: str, documents: Sequence[Document], session: Session | None = None) -> None:
        if documents:
            with mapped():
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
            with mapped():
                result = await self._db[collection].bulk_write(writes, ordered=True, session=_inner(session))
        except DuplicateKey as error:
            if error.index == "_id_":  # somebody created the document since it was looked for
                raise Conflict(f"{collection}: a document appeared") from error
            raise
        if result.matched_count != replaced:
            raise Conflict(f"{collection}: {replaced - result.matched_count} of {replaced} revisions moved")

    async def delete(self, collection: str, query: Query, session: Session | None = None) -> int:
        with mapped():
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
        with mapped():
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
        with mapped():
            await self._db[collection].create_index(list(keys), **options)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        with mapped():
            session = await self._client.start_session()
        async with session:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
                max_commit_time_ms=10_000,
            )
            yield MotorSession(session)  # ending a session aborts what was not committed

    async def ping(self) -> None:
        with mapped():
            await self._db.command("ping")

    async def close(self) -> None:
        self._client.close()


def _inner(session: Session | None) -> AsyncIOMotorClientSession | None:
    if session is None:
        return None
    assert isinstance(session, MotorSession)
    return session.inner


@contextmanager
def mapped() -> Iterator[None]:
    """Turn PyMongo's errors into the port's. Both drivers raise the same classes, so both share this."""
    try:
        yield
    except PyMongoError as error:
        raise translate(error) from error
    except (BSONError, OverflowError, UnicodeEncodeError) as error:  # not even encodable
        raise Permanent(str(error)) from error


def translate(error: PyMongoError) -> MongoError:
    """The port's error for a PyMongo error. Labels come first: the server knows best what may be repeated."""
    if error.has_error_label("UnknownTransactionCommitResult"):
        return CommitUnknown(str(error))
    if error.has_error_label("TransientTransactionError"):
        return Transient(str(error))
    if isinstance(error, BulkWriteError):
        details = error.details
        failures = details.get("writeErrors") or [{}]
        first = failures[0]
        if first.get("code") == DUPLICATE:
            return _duplicate(str(first.get("errmsg", "")))
        if first.get("code") in TRANSIENT_CODES:
            return Transient(str(error))
        if details.get("writeConcernErrors"):
            return Transient(str(error))
        return Permanent(str(first.get("errmsg", error)))
    if isinstance(error, DuplicateKeyError):
        return _duplicate(str(error))
    if isinstance(error, DocumentTooLarge):
        return Permanent(str(error))
    if isinstance(error, OperationFailure):
        if error.code in TRANSIENT_CODES:
            return Transient(str(error))
        if error.code in TOO_LARGE_CODES:
            return Permanent(str(error))
    if isinstance(error, ConnectionFailure):
        return Transient(str(error))
    return Unavailable(str(error))


def _duplicate(message: str) -> DuplicateKey:
    match = _NAMESPACE.search(message)
    return DuplicateKey(match.group(1), match.group(2)) if match else DuplicateKey("?", "?")
