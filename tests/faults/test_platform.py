"""The whole platform under load while something is killed, frozen or told to end; then the checker compares everything.

Each test has servers of its own, because it harms them and because the checker compares all that is on them. What each
shows: no trouble of this kind loses, doubles or falsifies anything. `make chaos` mixes them at random, for longer.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from pymongo.errors import AutoReconnect

from cli.publishing import Portal
from demo.synthetic import ON_TIME
from deploy.local.harness import Servers, start_servers
from shared.messaging.access import KafkaAccess
from shared.messaging.clock import BusinessClock
from shared.messaging.operate.topics import apply_topics
from tests.chaos.__main__ import publish_for
from tests.chaos.load import Load
from tests.checker import check
from tests.oracle import Oracle
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.e2e, pytest.mark.faults]
PROVINCES = ("12",)
SERVICES = ("intake", "scoring", "funding", "notifications")
SLOW = "delay=0.5:300ms"
"""Batches that last, so that any moment under load lies in the middle of one."""
END_SECONDS = 30
CLOCK = BusinessClock(int((ON_TIME - datetime.now(UTC)).total_seconds()))
Trouble = Callable[[], Awaitable[None]]


class Platform:
    """One copy of every service, its servers, and load on all of it."""

    def __init__(self, servers: Servers, world: ServiceProcesses) -> None:
        self.servers = servers
        self.world = world

    async def start(self, *services: str) -> None:
        """Start services and wait until they are ready."""
        await asyncio.to_thread(self.world.start, *services)

    async def terminate(self, service: str) -> int:
        """SIGTERM; returns the exit code, and fails unless the process ends in time."""
        started = time.monotonic()
        code = await asyncio.to_thread(self.world.stop, service)
        assert time.monotonic() - started < END_SECONDS, f"{service} did not end:\n{self.world.log(service)}"
        return code

    async def busy(self, service: str) -> None:
        """Wait until the service has a batch in flight."""
        async with asyncio.timeout(60):
            while not (await asyncio.to_thread(self.world.get, service, "/flow"))["busy"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def survives(self, trouble: Trouble) -> None:
        """Publish a year's files and corrections of them, cause the trouble in their midst, and compare everything."""
        load = Load(PROVINCES, seed=1)
        async with Portal(self.servers.kafka, clock=CLOCK) as portal:
            sent = await portal.publish(load.setup())
            await asyncio.to_thread(self.world.wait_settled, "intake")
            async with asyncio.TaskGroup() as tasks:
                publishing = tasks.create_task(publish_for(portal, load, seconds=10, per_second=50))
                await self.busy("intake")
                await trouble()
        sent += publishing.result()
        for service in SERVICES:
            await asyncio.to_thread(self.world.wait_ready, service)
        await asyncio.to_thread(self.world.wait_settled, *SERVICES, seconds=120)

        findings = await check(self.servers.kafka, self.world, Oracle(CLOCK), sent, PROVINCES)
        assert findings.all == []
        for service in SERVICES:
            assert self.world.database(service)["dead_letters"].count_documents({}) == 0, service


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    with start_servers(tmp_path / "servers") as servers:
        await apply_topics(servers.kafka)
        environment = {"LANGHOC_CLOCK_OFFSET": str(CLOCK.offset_seconds), "LANGHOC_FAULTS": SLOW}
        with ServiceProcesses(servers, tmp_path, LANGHOC_BATCH_RECORDS="50", **environment) as world:
            found = Platform(servers, world)
            await found.start(*SERVICES)
            yield found


FAST, SLOW_CLOCK = "skew=600s", "skew=-600s"


@pytest.fixture
async def skewed(tmp_path: Path) -> AsyncIterator[Platform]:
    """Intake and scoring in two copies each, one on a host ten minutes fast and one on a slow one; the others once."""
    with start_servers(tmp_path / "servers") as servers:
        await apply_topics(servers.kafka)
        environment = {"LANGHOC_CLOCK_OFFSET": str(CLOCK.offset_seconds), "LANGHOC_BATCH_RECORDS": "50"}
        with ServiceProcesses(servers, tmp_path, **environment) as world:
            hosts = [("intake", 0, FAST), ("intake", 1, SLOW_CLOCK), ("scoring", 0, SLOW_CLOCK), ("scoring", 1, FAST),
                     ("funding", 0, FAST), ("notifications", 0, SLOW_CLOCK)]  # fmt: skip
            for service, instance, skew in hosts:
                faults = f"{skew},{SLOW}" if service == "intake" else skew
                world.launch(service, instance=instance, LANGHOC_FAULTS=faults)
            for service, instance, _ in hosts:
                await asyncio.to_thread(world.wait_ready, service, instance)
            yield Platform(servers, world)


async def test_hosts_whose_clocks_are_twenty_minutes_apart(skewed: Platform) -> None:
    """Leases, bursts, tokens and the order of versions: none of them is what a host's clock says."""

    async def trouble() -> None:
        """The clocks are."""

    await skewed.survives(trouble)
    assert skewed.world.ended() == [], "nobody needed a restart"
    assert await versions_in_order(skewed.servers.kafka, "intake.accepted", "scores")


async def versions_in_order(kafka: KafkaAccess, *topics: str) -> bool:
    """Whether each subject's versions rise on the topics; the same event again does not count."""
    consumer = AIOKafkaConsumer(**kafka.options, auto_offset_reset="earliest")
    consumer.subscribe(topics)
    await consumer.start()
    seen: set[str] = set()
    last: dict[tuple[str, ...], int] = {}
    try:
        while batch := await consumer.getmany(timeout_ms=3_000):
            for record in (record for records in batch.values() for record in records):
                headers = {name: value.decode() for name, value in record.headers}
                if headers["ce_id"] in seen:
                    continue
                seen.add(headers["ce_id"])
                fact = json.loads(record.value)
                chain = (record.topic, headers["ce_type"], headers["ce_subject"], str(fact.get("period")))
                if fact["version"] <= last.get(chain, 0):
                    return False
                last[chain] = fact["version"]
    finally:
        await consumer.stop()
    return max(last.values()) > 1


async def test_every_service_ends_in_mid_batch_when_it_is_told_to(platform: Platform) -> None:
    async def trouble() -> None:
        for service in SERVICES:
            await platform.busy(service)
            assert await platform.terminate(service) in (0, -signal.SIGTERM), platform.world.log(service)
            await platform.start(service)

    await platform.survives(trouble)


async def test_the_broker_is_killed_and_comes_back(platform: Platform) -> None:
    async def trouble() -> None:
        await asyncio.to_thread(platform.servers["kafka"].kill)
        await asyncio.sleep(2)
        await asyncio.to_thread(platform.servers["kafka"].restart)

    await platform.survives(trouble)
    assert platform.world.ended() == [], "nobody needed a restart"


@pytest.mark.parametrize("seconds", [0, 35])
async def test_the_broker_is_stopped_and_started_in_order(platform: Platform, seconds: float) -> None:
    """The longer one outlasts the client's patience: records that are numbered and given up leave a gap."""

    async def trouble() -> None:
        await asyncio.to_thread(platform.servers["kafka"].stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(platform.servers["kafka"].restart)

    await platform.survives(trouble)


async def test_the_broker_freezes_and_services_told_to_end_meanwhile_do(platform: Platform) -> None:
    """A frozen broker answers nothing, so neither a publish nor the client's own stop ever returns."""

    async def trouble() -> None:
        platform.servers["kafka"].pause()
        try:
            await asyncio.sleep(5)
            await asyncio.gather(*(platform.terminate(service) for service in ("intake", "funding")))
        finally:
            platform.servers["kafka"].resume()
        await platform.start("intake", "funding")

    await platform.survives(trouble)


async def test_the_database_is_killed_and_recovers_from_its_journal(platform: Platform) -> None:
    async def trouble() -> None:
        await asyncio.to_thread(platform.servers["mongod"].kill)
        await asyncio.sleep(2)
        await asyncio.to_thread(platform.servers["mongod"].restart)

    await platform.survives(trouble)
    assert platform.world.ended() == [], "nobody needed a restart"


async def test_the_primary_steps_down_in_mid_transaction(platform: Platform) -> None:
    admin = platform.world.client.admin

    async def trouble() -> None:
        before = admin.command("hello")["electionId"]
        with suppress(AutoReconnect):  # the server may close the connection that asked for it
            admin.command("replSetStepDown", 3, force=True)
        assert (await asyncio.to_thread(admin.command, "hello"))["electionId"] != before, "nobody had to be elected"

    await platform.survives(trouble)
    assert platform.world.ended() == [], "nobody needed a restart"
