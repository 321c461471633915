"""Several members of one consumer group in this process, each made of the real `Runtime`, around the sample service."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from prometheus_client import REGISTRY

from shared.messaging.decide.asking import Ask, Consumer, Decide, Outcome
from shared.messaging.faults import Step
from shared.messaging.messages import Received
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.mongo.connect import connect
from tests.conformance.service import NAME, sample_consumer
from tests.conformance.worlds import RealWorld


class Group(RealWorld):
    """The conformance suite's world, with as many members as wanted."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.started: Counter[str] = Counter()
        """How often each record was delivered to its decision, by event id."""
        self._newest: dict[str, Received[Any]] = {}
        """Each record as it was delivered last."""
        self.broken = False
        """Every record makes its decision fail."""
        self.database = self._database

    def consumer(self) -> Consumer:
        """The sample service's consumer, watched, and broken on demand."""
        consumer = sample_consumer(self.topics)
        return replace(consumer, routes={type_: self._watched(route) for type_, route in consumer.routes.items()})

    def _watched(self, decide: Decide[Received[Any]]) -> Decide[Received[Any]]:
        async def watched(received: Received[Any], ask: Ask) -> Outcome:
            if self._newest.get(received.event_id) is not received:  # else the same delivery, decided again
                self._newest[received.event_id] = received
                self.started[received.event_id] += 1
            if self.broken:
                raise ZeroDivisionError("a bad release")
            return await decide(received, ask)

        return watched

    def another_connection(self) -> Mongo:
        """The group's database, as another process sees it."""
        return connect("motor", self._servers.mongo, self._database)

    @asynccontextmanager
    async def member(self, instance: int = 0, **changes: Any) -> AsyncIterator[Runtime]:
        """A running member; `changes` of its settings."""
        settings = ServiceSettings.model_validate({**self._settings.model_dump(), "instance": instance, **changes})
        runtime = Runtime(NAME, settings, self.another_connection(), self.consumer(), migrate=_nothing)
        await runtime.start()
        try:
            yield runtime
        finally:
            await runtime.stop()

    async def killed_at(self, step: Step) -> int:
        """Run a process of its own that dies at this step; returns its exit code."""
        settings = self._settings
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.service", step, self.database, self.topics.input, self.topics.output,
            env={
                **os.environ,
                **{f"LANGHOC_{name.upper()}": value for name, value in self._servers.kafka.settings.items()},
                "LANGHOC_MONGO": self._servers.mongo,
                "LANGHOC_STAGE": "local",
                "LANGHOC_JWKS": settings.jwks,
                "LANGHOC_GROUP_PREFIX": settings.group_prefix,
                "LANGHOC_SESSION_TIMEOUT_MS": str(settings.session_timeout_ms),
                "LANGHOC_PUBLISH_DEADLINE": str(settings.publish_deadline),
                "LANGHOC_LEASE_SECONDS": str(settings.lease_seconds),
            },
        )  # fmt: skip
        try:
            async with asyncio.timeout(60):
                return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def sees(self, condition: Callable[[], bool]) -> None:
        """Wait for something that happens in this process."""

        async def holds() -> bool:
            return condition()

        await self.until(holds)

    async def ready(self, member: Runtime) -> dict[str, bool]:
        """What a member says of itself."""
        return {check.name: check.ok for check in await member.ready()}


async def _nothing(mongo: Mongo) -> None:
    """The sample service has no migrations."""


def counted(metric: str, **labels: str) -> float:
    """A metric of this process."""
    return REGISTRY.get_sample_value(metric, labels) or 0.0
