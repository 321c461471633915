"""What the tests on a real broker share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

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
