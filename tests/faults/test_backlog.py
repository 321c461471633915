"""A hundred thousand bad records of one sender lie there when intake starts; meanwhile others send good ones.

The broker and the database are this module's own: such a backlog would lie in the way of every other test.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from cli.publishing import Portal
from demo.synthetic import Demonstration
from deploy.local.harness import start_servers
from shared.messaging.operate.topics import apply_topics
from tests.faults.metrics import metric
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.integration, pytest.mark.faults, pytest.mark.timeout(900)]
BACKLOG = 100_000
PADDING = b" " * 500
GOOD = 200
LARGEST_RSS = 220 * 1024 * 1024
"""The whole backlog in memory would be 50 MiB of bodies, and as much again in objects, over what the service needs."""
BAD, OTHER = {"province": "12"}, {"province": "44"}


@dataclass
class Watched:
    """What was seen while the backlog was worked off."""

    processes: ServiceProcesses
    sent: int
    rss: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    bad_when_others_were_through: int | None = None
    not_ready: list[dict[str, str]] = field(default_factory=list)
    """At each look: what kept the service from being ready, and why."""

    def look(self) -> int:
        """Take the figures now; returns how many bad records are answered."""
        self.rss.append(metric(self.processes, "process_resident_memory_bytes"))
        self.lag.append(metric(self.processes, "langhoc_lag_records"))
        told = httpx.get(f"{self.processes.url('intake')}/health/ready", timeout=20).json()
        self.not_ready.append({name: check["detail"] for name, check in told["checks"].items() if not check["ok"]})
        answered = self.count("receipts", BAD)
        if self.bad_when_others_were_through is None and self.count("receipts", OTHER) == self.sent:
            self.bad_when_others_were_through = answered
        return answered

    def count(self, collection: str, query: dict[str, Any]) -> int:
        """Documents of intake."""
        return self.processes.database("intake")[collection].count_documents(query)


@pytest.fixture(scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    """The backlog, worked off."""
    folder: Path = tmp_path_factory.mktemp("backlog")
    with start_servers(folder / "servers") as servers:
        await apply_topics(servers.kafka)
        async with AIOKafkaProducer(**servers.kafka.options, acks="all", linger_ms=20) as producer:
            for number in range(BACKLOG):
                await producer.send("submissions.12", b"{%d" % number + PADDING, key=b"%d" % number)
        with ServiceProcesses(servers, folder) as processes:
            async with Portal(servers.kafka) as portal:
                sent = await portal.publish(islice(Demonstration(("44",)).setup(), GOOD))
            processes.start("intake")
            seen = Watched(processes, len(sent))
            give_up = time.monotonic() + 600
            while await asyncio.to_thread(seen.look) < BACKLOG:
                assert time.monotonic() < give_up, processes.log("intake")
                await asyncio.sleep(0.3)
            await asyncio.to_thread(processes.wait_settled, "intake")
            seen.look()
            yield seen


async def test_memory_does_not_grow_with_the_backlog(watched: Watched) -> None:
    assert max(watched.lag) > BACKLOG / 2, "the backlog was seen"
    assert max(watched.rss) < LARGEST_RSS, [f"{rss / 2**20:.0f}" for rss in watched.rss]


async def test_every_bad_record_is_answered_and_none_is_held_against_us(watched: Watched) -> None:
    assert watched.count("receipts", {**BAD, "receipt.status": "rejected"}) == BACKLOG
    assert watched.count("dead_letters", {}) == 0
    assert metric(watched.processes, "langhoc_brakes") == 0
    assert not [checks for checks in watched.not_ready if {"brake", "events", "rights"} & checks.keys()]
    three = zip(watched.not_ready, watched.not_ready[1:], watched.not_ready[2:], strict=False)
    assert not [checks for checks in three if all(checks)], "three failures in a row take a service from its users"
    assert not watched.not_ready[-1]


async def test_what_others_sent_passes_a_backlog_of_bad_records(watched: Watched) -> None:
    assert watched.count("receipts", {**OTHER, "receipt.status": "accepted"}) == watched.sent
    assert watched.bad_when_others_were_through is not None
    assert watched.bad_when_others_were_through < BACKLOG / 2


async def test_the_operator_sees_the_end_of_it(watched: Watched) -> None:
    assert metric(watched.processes, "langhoc_records_total", verdict="rejected") == BACKLOG
    assert (watched.lag[-1], metric(watched.processes, "langhoc_outbox_rows")) == (0, 0)
