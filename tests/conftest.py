"""Fixtures for tests on real servers, started once per worker of a run and stopped at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiokafka import AIOKafkaProducer
from xdist.scheduler import LoadFileScheduling

from deploy.local import ports
from deploy.local.harness import Servers, start_servers
from deploy.local.state import SERVICES
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import apply_topics
from tests.platform import ServiceProcesses
from tests.topics import begin_at, ends, read_by

WORKERS_PORTS = range(12_000, 20_000)
"""Below those that a platform takes which a test starts with the command."""
LARGEST_NUMBER_OF_WORKERS = 8
FAULTS = "tests/faults/"


def pytest_configure() -> None:
    """Give each worker ports of its own: else one takes what another has found free and is about to use.

    What the command prints is as wide as into a pipe, and not as the terminal that a worker is told of.
    """
    os.environ.pop("COLUMNS", None)
    # A command's output is what it says: the log of a service in the same process goes past what stands in for stdout.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        number = int(worker.removeprefix("gw")) % LARGEST_NUMBER_OF_WORKERS
        ports.PORTS = WORKERS_PORTS[number::LARGEST_NUMBER_OF_WORKERS]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Workers take whole files, in order. What kills and freezes is one piece: one such trouble at a time."""
    scheduler = LoadFileScheduling(config, log)
    by_file = scheduler._split_scope
    scheduler._split_scope = lambda test: FAULTS if test.startswith(FAULTS) else by_file(test)
    return scheduler


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Real Kafka and MongoDB, shared by all tests that do not harm them."""
    with start_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="session")
async def topics(servers: Servers) -> KafkaAccess:
    """A broker that has every topic of the contracts, as its administrator reaches it."""
    await apply_topics(servers.kafka)
    return servers.kafka


@pytest.fixture
def processes(servers: Servers, topics: KafkaAccess, tmp_path: Path) -> Iterator[ServiceProcesses]:
    """Service processes in a world of their own: own databases, own consumer groups, own log files."""
    with ServiceProcesses(servers, tmp_path) as running:
        yield running


@pytest.fixture
async def undisturbed(processes: ServiceProcesses, topics: KafkaAccess) -> ServiceProcesses:
    """The same; they read what is published from now on, and nothing that an earlier test of this worker has left."""
    for service in SERVICES:
        await begin_at(topics, processes.group(service), await ends(topics, read_by(service)))
    return processes


@pytest.fixture
async def producer(topics: KafkaAccess) -> AsyncIterator[AIOKafkaProducer]:
    """A plain producer, as a foreign system would use."""
    client = AIOKafkaProducer(**topics.options, acks="all")
    await client.start()
    yield client
    await client.stop()
