"""Fixtures for tests on real servers, started once per run and stopped at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.harness import Servers, start_servers
from shared.messaging.operate.topics import apply_topics
from tests.platform import ServiceProcesses


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Real Kafka and MongoDB, shared by all tests that do not harm them."""
    with start_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="session")
async def topics(servers: Servers) -> str:
    """Bootstrap address of a broker that has every topic of the contracts."""
    await apply_topics(servers.kafka)
    return servers.kafka


@pytest.fixture
def processes(servers: Servers, topics: str, tmp_path: Path) -> Iterator[ServiceProcesses]:
    """Service processes in a world of their own: own databases, own consumer groups, own log files."""
    with ServiceProcesses(servers, tmp_path) as running:
        yield running


@pytest.fixture
async def producer(topics: str) -> AsyncIterator[AIOKafkaProducer]:
    """A plain producer, as a foreign system would use."""
    client = AIOKafkaProducer(bootstrap_servers=topics, acks="all")
    await client.start()
    yield client
    await client.stop()
