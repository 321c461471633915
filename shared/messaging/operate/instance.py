"""Being instance number n of a service is a lease: two processes with one number would throw each other out.

Membership of the consumer group is static, under the instance's number. A second process under the same number would
take the first one's place without a word, the first would take it back after its next restart, and so on (ADR 21).
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import structlog

from shared.mongo import Mongo
from shared.mongo.leases import Leases
from shared.mongo.port import MongoError

log = structlog.get_logger()
POLL_SECONDS = 0.5


class InstanceTaken(Exception):
    """Another living process of the service has this number. Waiting does not mend it."""

    def __init__(self, service: str, number: int) -> None:
        super().__init__(
            f"Another process runs as instance {number} of {service} and renews its lease. "
            f"Stop that process, or start this one under a number of its own (LANGHOC_INSTANCE)."
        )


class Instance:
    """The right of this process to be one instance of its service."""

    def __init__(self, service: str, number: int, mongo: Mongo, *, lease_seconds: float) -> None:
        self._service = service
        self._number = number
        self._name = f"instance/{number}"
        self._leases = Leases(mongo, lease_seconds)
        self._seconds = lease_seconds

    async def claim(self) -> None:
        """Take the lease, waiting at most one lease for a predecessor that may be dead.

        Raises `InstanceTaken` if the holder is alive, and `MongoError`.
        """
        await self._leases.create([self._name])
        give_up = time.monotonic() + self._seconds + POLL_SECONDS
        told = False
        while not await self._leases.acquire([self._name]):
            if time.monotonic() > give_up:
                raise InstanceTaken(self._service, self._number)
            if not told:
                log.warning("instance.held", instance=self._number, waiting_seconds=self._seconds)
                told = True
            await asyncio.sleep(POLL_SECONDS)

    async def sure(self) -> None:
        """Return if the lease is surely ours; asks the database only if that is in doubt, as after a freeze.

        Raises `InstanceTaken`, and `MongoError` where the database cannot tell.
        """
        if not self._leases.held():
            await self._renew()

    async def keep(self) -> None:
        """Renew until cancelled. Raises `InstanceTaken` when another process has the lease."""
        while True:
            await asyncio.sleep(self._seconds / 4)
            with suppress(MongoError):  # a database that is away gives the lease to nobody else either
                await self._renew()

    async def release(self) -> None:
        """Give it back, so that a successor need not wait."""
        await self._leases.release()

    async def _renew(self) -> None:
        if await self._leases.acquire([self._name]):
            return
        await self._leases.create([self._name])  # the document itself is gone: a database that was restored
        if not await self._leases.acquire([self._name]):
            raise InstanceTaken(self._service, self._number)
