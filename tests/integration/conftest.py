"""What the tests on a real broker share."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import MongoClient
from pymongo.database import Database

from deploy.local.harness import Servers
from tests.integration.members import World


@pytest.fixture
async def world(servers: Servers) -> AsyncIterator[World]:
    admin = AIOKafkaAdminClient(**servers.kafka.options)
    producer = AIOKafkaProducer(**servers.kafka.options, acks="all")
    await admin.start()
    await producer.start()
    yield World(servers.kafka, admin, producer)
    await producer.stop()
    await admin.close()


@pytest.fixture
def database(servers: Servers) -> Iterator[Database[dict[str, Any]]]:
    """A database of its own, for looking and for bringing in documents."""
    name = f"own_{uuid.uuid4().hex[:8]}"
    with MongoClient[dict[str, Any]](servers.mongo) as client:
        yield client[name]
        client.drop_database(name)
