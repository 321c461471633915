"""The schedule of trouble: who is killed, frozen or shut out when, decided by the seed alone."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from deploy.local.harness import ServerProcess, Servers
from deploy.principals import principals_of
from shared.contracts.rights import Right
from tests.platform import ServiceProcesses

SERVICES = ("intake", "scoring", "funding", "notifications")
COPIES = 2
SKEW_SECONDS = 600
STOP_SECONDS, STOP_EVERY_SECONDS = 60.0, 300.0
"""The broker is stopped in order for a minute: once in a short run, every five minutes in a long one."""
RESTART_SECONDS = 240.0
"""A broker that reads its log again on a busy machine takes its time; that is not what is being tried."""


class Trouble:
    """Kills, freezes and shuts out, and starts again what ended, as a supervisor would."""

    def __init__(self, world: ServiceProcesses, servers: Servers, seed: int) -> None:
        self._world = world
        self._servers = servers
        self._seed = seed
        self._random = Random(f"trouble/{seed}")
        self.injected: Counter[str] = Counter()
        self.restarts: Counter[str] = Counter()
        self._busy: set[str] = set()
        self._rights: dict[str, set[Right]] = {}

    async def inject(self) -> None:
        """Cause trouble every few seconds until cancelled; what was begun is always undone."""
        running: set[asyncio.Task[None]] = set()

        def begin(trouble: Coroutine[Any, Any, None]) -> None:
            task = asyncio.create_task(trouble)
            running.add(task)
            task.add_done_callback(running.discard)

        next_stop = time.monotonic() + self._random.uniform(5.0, 20.0)
        try:
            while True:
                await asyncio.sleep(self._random.uniform(1.0, 4.0))
                if time.monotonic() > next_stop:
                    next_stop = time.monotonic() + STOP_EVERY_SECONDS
                    begin(self._stop_broker())
                begin(self._once())
        finally:
            await asyncio.gather(*running)

    async def _stop_broker(self) -> None:
        """In order, as for maintenance, and for long: what was on its way to it must go on by itself afterwards."""
        while "kafka" in self._busy:  # noqa: ASYNC110  other trouble with it ends by itself
            await asyncio.sleep(0.5)
        self._busy.add("kafka")
        server: ServerProcess = self._servers["kafka"]
        try:
            await asyncio.to_thread(server.stop)
            await asyncio.sleep(STOP_SECONDS)
            await asyncio.to_thread(server.restart, RESTART_SECONDS)
            self.injected["stop kafka for a minute"] += 1
        finally:
            self._busy.discard("kafka")

    async def away_at_start(self, seconds: float) -> None:
        """Broker and database are not there yet when the services start, and come one after the other."""
        for name in ("kafka", "mongod"):
            await asyncio.to_thread(self._servers[name].stop)
        for copy in range(COPIES):
            await asyncio.to_thread(self.launch, *SERVICES, instance=copy)
        for name in self._random.sample(("kafka", "mongod"), 2):
            await asyncio.sleep(seconds)
            await asyncio.to_thread(self._servers[name].restart, RESTART_SECONDS)
        self.injected["kafka and mongod away at start"] += 1

    def launch(self, *services: str, instance: int) -> None:
        """Start services, on a host whose clock is ten minutes fast (the first copy) or slow (the others)."""
        skew = SKEW_SECONDS if instance == 0 else -SKEW_SECONDS
        self._world.launch(*services, instance=instance, LANGHOC_FAULTS=f"garble=0.01,skew={skew}s,seed={self._seed}")

    async def supervise(self) -> None:
        """Start again what ended, after a moment."""
        while True:
            for service, instance in self._world.ended():
                self.restarts[service] += 1
                await asyncio.sleep(0.5)
                self.launch(service, instance=instance)
            await asyncio.sleep(0.2)

    async def _once(self) -> None:
        dice = self._random.random()
        seconds = self._random.uniform(0.5, 8.0)
        if dice < 0.15:
            await self._server("kafka", seconds, freeze=dice < 0.08)
        elif dice < 0.32:
            await self._server("mongod", seconds, freeze=dice < 0.24)
        elif dice < 0.38:
            # Whoever is connected stays logged out: it ends itself, and is started again.
            await self._revoke("mongod", self._world.shut_out, self._world.let_in)
        elif dice < 0.43:
            await self._revoke("kafka", self._forbid, self._allow)
        else:
            service, instance = self._random.choice(SERVICES), self._random.randrange(COPIES)
            kind = self._random.choice(("kill", "kill", "terminate", "freeze"))
            await self._service(service, instance, kind, seconds)

    async def _server(self, name: str, seconds: float, *, freeze: bool) -> None:
        if name in self._busy:
            return
        self._busy.add(name)
        server: ServerProcess = self._servers[name]
        try:
            if freeze:
                server.pause()
                await asyncio.sleep(seconds)
                server.resume()
            else:
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(seconds / 4)
                await asyncio.to_thread(server.restart, RESTART_SECONDS)
            self.injected[f"{'freeze' if freeze else 'kill'} {name}"] += 1
        finally:
            self._busy.discard(name)

    async def _revoke(self, server: str, take: Callable[[str], None], give: Callable[[str], None]) -> None:
        """Take what a service may do on a server away from under its open connections, and give it back."""
        if server in self._busy:  # it may be away, and nobody could be told
            return
        service, seconds = self._random.choice(SERVICES), self._random.uniform(0.5, 8.0)
        self._busy.add(server)
        try:
            try:
                await asyncio.to_thread(take, service)
                await asyncio.sleep(seconds)
            finally:
                await asyncio.to_thread(give, service)
            self.injected[f"revoke on {server}"] += 1
        finally:
            self._busy.discard(server)

    def _forbid(self, service: str) -> None:
        with principals_of(self._servers.kafka) as principals:
            held = self._rights.setdefault(service, principals.rights_of(service))
            principals.withdraw(service, held)

    def _allow(self, service: str) -> None:
        with principals_of(self._servers.kafka) as principals:
            principals.grant(service, self._rights.get(service, set()))

    async def _service(self, service: str, instance: int, kind: str, seconds: float) -> None:
        key = f"{service}-{instance}"
        if key in self._busy:
            return
        self._busy.add(key)
        try:
            match kind:
                case "kill":
                    self._world.signal(service, instance, signal.SIGKILL)
                case "terminate":
                    self._world.signal(service, instance, signal.SIGTERM)
                case _:
                    self._world.signal(service, instance, signal.SIGSTOP)
                    await asyncio.sleep(seconds)
                    self._world.signal(service, instance, signal.SIGCONT)
            self.injected[f"{kind} {service}"] += 1
        except KeyError:
            return  # it is just being started again
        finally:
            self._busy.discard(key)
