"""The port on PyMongo's own asynchronous client, Motor's maintained successor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from shared.mongo.driver import DATABASE, PAGE, TRANSACTION, Driver, DriverSession, client_options
from shared.mongo.errors_of_pymongo import mapped
from shared.mongo.port import Document, Session


class PyMongo(Driver[AsyncDatabase[Document]]):
    """`Mongo` on `AsyncMongoClient`."""

    def __init__(self, uri: str, database: str, *, timeout_ms: int = 10_000, **credentials: Any) -> None:
        options = client_options(database, timeout_ms) | credentials
        self._client: AsyncMongoClient[Document] = AsyncMongoClient(uri, **options)
        super().__init__(self._client.get_database(database, **DATABASE))

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        with mapped(self._refusals):
            cursor = await self._db[collection].aggregate(list(pipeline), batchSize=PAGE)
            return await cursor.to_list(None)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        with mapped(self._refusals):
            session = self._client.start_session()
        async with session:
            await session.start_transaction(**TRANSACTION)
            yield DriverSession(session, self._refusals)  # ending a session aborts what was not committed

    async def close(self) -> None:
        await self._client.close()
