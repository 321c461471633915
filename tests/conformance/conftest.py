"""The worlds as fixtures. Those on real servers start them once per run."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
from pymongo import MongoClient

from deploy.local.harness import Servers
from deploy.local.mongo_rights import let_in_to, shut_out
from shared.mongo import Mongo
from shared.mongo.connect import Login, connect
from shared.mongo.port import Document
from tests.conformance.worlds import MemoryWorld, RealWorld, World
from tests.fakes.memory import MemoryMongo

REAL = [pytest.param(driver, marks=pytest.mark.integration) for driver in ("motor", "pymongo")]


@pytest.fixture(params=["memory", *REAL])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Each world in turn."""
    if request.param == "memory":
        found: World = MemoryWorld()
    else:
        found = RealWorld(request.getfixturevalue("servers"), request.param)
    await found.begin()
    yield found
    await found.end()


@pytest.fixture(params=["memory", *REAL])
async def mongo(request: pytest.FixtureRequest) -> AsyncIterator[Mongo]:
    """Each implementation of the database port, empty, with the rights that a service has."""
    if request.param == "memory":
        yield MemoryMongo()
        return
    servers: Servers = request.getfixturevalue("servers")
    database = f"port_{uuid.uuid4().hex[:8]}"
    with MongoClient[Document](servers.mongo) as client:
        let_in_to(client, database, "as a service", database)
        found = connect(request.param, servers["mongod"].address, database, Login(database, "as a service"))
        yield found
        await found.close()
        client.drop_database(database)
        shut_out(client, database, database)
