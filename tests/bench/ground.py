"""What measurements stand on: servers as the demonstration has them, services as they are shipped, and sizes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.publishing import Message, headers_of, topic_of
from demo.synthetic import ON_TIME
from deploy.local.harness import Servers, start_servers
from deploy.local.state import SERVICES
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import apply_topics
from shared.messaging.send.producer import build_producer
from shared.messaging.settings import ServiceSettings
from tests.platform import ServiceProcesses
from tests.topics import Offsets, begin_at, ends, read_by

AS_SHIPPED = {
    f"LANGHOC_{name.upper()}": str(ServiceSettings.model_fields[name].default)
    for name in ("burst_quiet", "burst_limit", "lease_seconds", "publish_deadline")
}
"""Tests hurry the services; what is measured is what a ministry gets."""
PATIENCE_SECONDS = 3_600.0
"""How long a flow may take to settle. It is only there to end a measurement that never will."""
IN_FLIGHT = 5_000
"""Records that are sent before their confirmations are looked at."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. The defaults are what figures are published from."""

    provinces: tuple[str, ...] | None = None
    """Of the national year; all 34 if `None`."""
    times: int = 3
    """Business times of the national year that are lived through; for each but the first all services start anew."""
    naive: int = 1_500
    """Records for the handlers with one transaction each, which take long."""
    batch: int = ServiceSettings.model_fields["batch_records"].default
    """Records of a batch, of services and baselines alike: a rate wants ten batches and more."""
    others: bool = True
    """Whether other libraries are measured beside, which are fetched into the cache."""
    per_second: int = 200
    latency_seconds: int = 30
    changes: int = 5
    backlog: int = 200_000
    costs_at: tuple[int, int] = (10_000, 100_000)
    """How many records lie behind intake where the cost of one more is measured."""
    flood: int = 6_000
    samples: int = 20
    """Receipts of a province that are waited for, without the flood and within it."""
    delivery: int = 6_000
    titles: int = 20_000
    """Decisions on titles: households and their moves."""
    years: int = 10
    """Of budgets in memory."""
    centres: int = 310
    """In each of their provinces at the beginning: with 34 provinces more than 10,000."""


FULL = Sizes()
QUICK = Sizes(
    provinces=("12", "44"),
    times=2,
    naive=200,
    batch=50,
    latency_seconds=5,
    changes=2,
    backlog=6_000,
    costs_at=(1_000, 5_000),
    flood=2_000,
    titles=4_000,
    samples=8,
    delivery=2_000,
    years=1,
)
MILLION = Sizes(titles=1_000_000, backlog=1_010_000, costs_at=(10_000, 1_000_000))


class Ground:
    """Servers, started when the first measurement asks for them and stopped at the end, and a folder for the rest."""

    def __init__(self, sizes: Sizes = FULL, servers: Servers | None = None) -> None:
        """`servers`: some that run already; what lies on their topics is not looked at."""
        self.sizes = sizes
        self._given = servers
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @cached_property
    def folder(self) -> Path:
        """Gone at the end."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="langhoc-bench-")))

    @cached_property
    def servers(self) -> Servers:
        """Kafka with all topics, and MongoDB. Not to be asked for first within an event loop."""
        servers = self._given or self._stack.enter_context(start_servers(self.folder / "servers", full_size=True))
        asyncio.run(apply_topics(servers.kafka))
        return servers

    @asynccontextmanager
    async def world(
        self, at: datetime = ON_TIME, since: Offsets | None = None, **environment: str
    ) -> AsyncIterator[ServiceProcesses]:
        """Service processes to be started, whose business clock shows `at`.

        They read what is published from now on; what `since` names, from there.
        """
        batch = str(self.sizes.batch)
        shown = {"LANGHOC_CLOCK_OFFSET": offset(at), "LANGHOC_BATCH_RECORDS": batch}
        # A folder of its own for each world: the logs are read where one of its processes ends.
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        with ServiceProcesses(self.servers, folder, **AS_SHIPPED, **shown, **environment) as processes:
            for service in SERVICES:
                here = await ends(self.servers.kafka, read_by(service))
                begin = {partition: (since or {}).get(partition, end) for partition, end in here.items()}
                await begin_at(self.servers.kafka, processes.group(service), begin)
            yield processes


def offset(at: datetime) -> str:
    """The setting with which a service that starts now has this time."""
    return str(round((at - datetime.now(UTC)).total_seconds()))


async def publish(kafka: KafkaAccess, messages: Iterable[Message], at: datetime = ON_TIME) -> int:
    """Put messages on their channels, in order and untraced, as fast as the broker takes them; returns how many."""
    async with build_producer(kafka, "langhoc-bench") as producer:
        sent = 0
        waiting: list[asyncio.Future[object]] = []
        for message in messages:
            headers = headers_of(message, at, "")
            waiting.append(await producer.send(topic_of(message), message.body, message.key.encode(), headers=headers))
            sent += 1
            if len(waiting) == IN_FLIGHT:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
        return sent
