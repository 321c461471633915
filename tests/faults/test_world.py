"""Two provinces' whole year on real servers while every service is killed once: exactly what the oracle computes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.publishing import Portal
from demo.synthetic import ON_TIME, Demonstration, expected_tally
from deploy.local.harness import Servers, start_servers
from shared.messaging.clock import BusinessClock
from shared.messaging.operate.topics import apply_topics
from tests.checker import check
from tests.oracle import Oracle
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(400)]
PROVINCES = ("12", "44")  # an envelope below the legal minima; and the successor of the legacy province
SERVICES = ("intake", "scoring", "funding", "notifications")
CLOCK = BusinessClock(int((ON_TIME - datetime.now(UTC)).total_seconds()))


@pytest.fixture
async def own_servers(tmp_path: Path) -> AsyncIterator[Servers]:
    """Servers of this test alone, because it compares everything that is on them."""
    with start_servers(tmp_path / "servers") as running:
        await apply_topics(running.kafka)
        yield running


@pytest.fixture
def world(own_servers: Servers, tmp_path: Path) -> Iterator[ServiceProcesses]:
    """The services, at the simulated date."""
    with ServiceProcesses(own_servers, tmp_path, LANGHOC_CLOCK_OFFSET=str(CLOCK.offset_seconds)) as running:
        yield running


async def kill_at(world: ServiceProcesses, service: str, collection: str, count: int) -> tuple[str, str, int]:
    """SIGKILL a service as soon as its collection holds so many documents, and start it again.

    Returns service, collection and how much there was then, so that the test can show that it was in the middle.
    """
    documents = world.database(service)[collection]
    while await asyncio.to_thread(documents.count_documents, {}) < count:  # noqa: ASYNC110  another process's progress
        await asyncio.sleep(0.005)
    world.kill(service)
    reached = documents.count_documents({})
    await asyncio.to_thread(world.start, service, LANGHOC_BATCH_RECORDS="100")
    return service, collection, reached


async def test_a_year_with_every_service_killed_is_what_the_oracle_says(
    world: ServiceProcesses, own_servers: Servers
) -> None:
    await asyncio.to_thread(world.start, *SERVICES, LANGHOC_BATCH_RECORDS="100")
    demonstration = Demonstration(PROVINCES)
    setup = list(demonstration.setup())
    messages = [*setup, *demonstration.assessments(), *demonstration.legacy()]

    async with Portal(own_servers.kafka, clock=CLOCK) as portal:
        # What one province says of another's centre is judged by what is registered then: registrations come first.
        sent, *kills = await asyncio.gather(
            portal.publish(setup),
            kill_at(world, "intake", "receipts", 150),
            kill_at(world, "funding", "centres", 40),
        )
        await asyncio.to_thread(world.wait_settled, "intake", seconds=120)
        rest, *more_kills = await asyncio.gather(
            portal.publish(messages[len(setup) :]),
            kill_at(world, "intake", "receipts", len(setup) + 100),
            kill_at(world, "scoring", "results", 60),
            kill_at(world, "notifications", "alerts", 10),
        )
        sent += rest
    await asyncio.to_thread(world.wait_settled, *SERVICES, seconds=120)

    for service, collection, reached in [*kills, *more_kills]:
        assert reached < world.database(service)[collection].count_documents({}), f"{service} was killed at its end"
    for service in SERVICES:
        assert world.database(service)["dead_letters"].count_documents({}) == 0, service
        assert world.database(service)["outbox"].count_documents({}) == 0, service
    tally = world.get("intake", "/tally")
    assert tally == {"received": len(messages)} | {s.value: n for s, n in expected_tally(messages).items()}

    findings = await check(own_servers.kafka, world, Oracle(CLOCK), sent, PROVINCES)
    assert findings.all == []
