"""The real platform: Kafka, MongoDB and the four service processes, with the business clock as each step wants it.

The business clock is the real one, shifted: for another time it is shifted otherwise, under the running services. What
belongs to one step therefore arrives within the minutes after its time, never before it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer

from cli.publishing import Message, Portal
from deploy.local.harness import Servers
from deploy.local.identity import issue_token
from shared.contracts.topics import topic_names
from shared.messaging.clock import BusinessClock
from shared.messaging.collections import DEAD_LETTERS
from shared.messaging.operate.topics import province_codes
from tests.casework.case import Officer
from tests.casework.events import READ, Event
from tests.casework.in_memory import wirings
from tests.casework.playing import Letter, World
from tests.platform import ServiceProcesses
from tests.topics import begin_at, ends, partitions_of

SERVICES = tuple(each.consumer.name for each in wirings())
DRIFT = timedelta(minutes=10)
"""How far the clock may run on within one time: as much as a case has to keep away from the edge of a day."""
SETTLING = 180.0
"""Seconds in which a step must have come to rest."""


class PlatformWorld(World):
    """Databases and consumer groups of their own on running servers; what lies on the topics before is not seen."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self._kafka = servers.kafka
        self._folder = folder
        self._processes = ServiceProcesses(servers, folder)
        self._reader = AIOKafkaConsumer(**servers.kafka.options, enable_auto_commit=False)
        self._events: list[Event] = []
        self._at: datetime | None = None
        self._since = 0.0
        self._offset = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PlatformWorld]:
        """With its topics read from here on; everything that it started is stopped at the end."""
        with self._processes:
            await self._reader.start()
            try:
                partitions = partitions_of(name for family in READ for name in topic_names(family, province_codes()))
                self._reader.assign(partitions)
                await self._reader.seek_to_end(*partitions)
                for each in wirings():
                    here = await ends(self._kafka, each.consumer.topics)
                    await begin_at(self._kafka, self._processes.group(each.consumer.name), here)
                yield self
            finally:
                await self._reader.stop()

    async def come(self, at: datetime, messages: Sequence[Message]) -> list[str]:
        if at != self._at or time.monotonic() - self._since > DRIFT.total_seconds():
            await self._become(at)
        async with Portal(self._kafka, clock=BusinessClock(self._offset)) as portal:
            return [str(sent.position) for sent in await portal.publish(messages)]

    async def rest(self) -> None:
        await asyncio.to_thread(self._processes.wait_settled, *SERVICES, seconds=SETTLING)

    async def ask(self, who: Officer, service: str, path: str) -> httpx.Response:
        async with self._client(who, service) as client:
            return await client.get(path)

    async def order(self, who: Officer, service: str, path: str, body: Any, key: str) -> httpx.Response:
        async with self._client(who, service) as client:
            return await client.post(path, json=body, headers={"Idempotency-Key": key})

    async def events(self) -> Sequence[Event]:
        ends = await self._reader.end_offsets(self._reader.assignment())
        while any([await self._reader.position(partition) < end for partition, end in ends.items()]):
            batches = await self._reader.getmany(timeout_ms=500)
            self._events += [Event.of(record) for records in batches.values() for record in records]
        return self._events

    async def dead_letters(self) -> Sequence[Letter]:
        return [
            Letter.of(service, row)
            for service in SERVICES
            for row in self._processes.database(service)[DEAD_LETTERS].find()
        ]

    async def _become(self, at: datetime) -> None:
        running = SERVICES if self._at else ()
        self._at, self._since = at, time.monotonic()
        self._offset = await asyncio.to_thread(self._processes.set_clock, at, *running)
        if not running:
            clock = str(self._processes.clock)
            await asyncio.to_thread(self._processes.start, *SERVICES, LANGHOC_CLOCK_FILE=clock)

    def _client(self, who: Officer, service: str) -> httpx.AsyncClient:
        token = issue_token(self._folder, who.name, who.role, who.province)
        bearer = {"Authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=self._processes.url(service), headers=bearer, timeout=30)
