"""Service processes for tests: started as in production, to be killed and started again."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from pymongo import MongoClient
from pymongo.database import Database

from deploy.local.files import write_atomically
from deploy.local.harness import Servers, start_child
from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from deploy.local.mongo_rights import let_in_to, shut_out
from deploy.local.ports import choose_ports
from deploy.local.servers import goes_by
from deploy.local.state import SERVICES
from deploy.principals import principals_of
from shared.contracts.rights import rights


class Ended(AssertionError):
    """A process ended that was waited for."""


class ServiceProcesses:
    """Runs `python -m services.<name>` against the test's servers, with databases and consumer groups of its own.

    Each service logs in as in production: a user named like its database, which may do nothing else.
    """

    def __init__(self, servers: Servers, folder: Path, **environment: str) -> None:
        self._servers = servers
        self.folder = folder
        self._world = uuid.uuid4().hex[:8]
        self._environment = environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ports: dict[str, int] = {}
        self.client: MongoClient[dict[str, Any]] = MongoClient(servers.mongo, tz_aware=True)
        ensure_signing_key(folder)
        for service in SERVICES:
            self.let_in(service)
        with principals_of(servers.kafka) as principals:
            for service in SERVICES:
                principals.grant(service, rights(service, group_prefix=f"{self._world}-"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()
        for name in self.client.list_database_names():
            if name.startswith(self._world):
                self.client.drop_database(name)
        for service in SERVICES:
            self.shut_out(service)
        self.client.close()

    def group(self, service: str) -> str:
        """The consumer group of a service in this world."""
        return f"{self._world}-{service}"

    def database(self, service: str) -> Database[dict[str, Any]]:
        """A service's database, for looking (never for steering)."""
        return self.client[f"{self._world}_{service}"]

    def let_in(self, service: str) -> None:
        """Make the service's user in MongoDB, with the rights that it has in production."""
        database = self.database(service).name
        let_in_to(self.client, database, self._servers.secrets.password(service, "mongo"), database)

    def shut_out(self, service: str) -> None:
        """Take away the service's user in MongoDB, also from under its open connections."""
        database = self.database(service).name
        shut_out(self.client, database, database)

    def start(self, *services: str, instance: int = 0, **environment: str) -> None:
        """Start services and wait until they are ready."""
        self.launch(*services, instance=instance, **environment)
        for service in services:
            self.wait_ready(service, instance)

    def launch(self, *services: str, instance: int = 0, **environment: str) -> None:
        """Start services without waiting."""
        for service in services:
            key = f"{service}-{instance}"
            port = self._ports.setdefault(key, choose_ports([key], self.folder / "ports.json")[key])
            self._running[key] = start_child(
                [sys.executable, "-m", f"services.{service}"],
                self.folder / f"{key}.log",
                {
                    "LANGHOC_KAFKA": self._servers.kafka.bootstrap,
                    "LANGHOC_KAFKA_SECURITY": self._servers.kafka.security,
                    "LANGHOC_MONGO": self._servers["mongod"].address,
                    "LANGHOC_MONGO_USER": self.database(service).name,
                    "LANGHOC_SECRETS_DIR": str(self._servers.secrets.folder(service)),
                    "LANGHOC_HTTP_PORT": str(port),
                    "LANGHOC_INSTANCE": str(instance),
                    "LANGHOC_STAGE": "local",
                    "LANGHOC_JWKS": str(jwks_path(self.folder)),
                    "LANGHOC_ACCOUNT_KEY": self._servers.secrets.account_key(),
                    "LANGHOC_DATABASE_PREFIX": f"{self._world}_",
                    "LANGHOC_GROUP_PREFIX": f"{self._world}-",
                    "LANGHOC_BURST_QUIET": "0.3",
                    "LANGHOC_BURST_LIMIT": "1.0",
                    "LANGHOC_LEASE_SECONDS": "4",
                    "LANGHOC_PUBLISH_DEADLINE": "3",
                    **self._environment,
                    **environment,
                },
            )

    def wait_ready(self, service: str, instance: int = 0, seconds: float = 180) -> None:
        """Wait for `/health/ready`; fail with the log's end if the process dies."""
        key = f"{service}-{instance}"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._running[key].poll() is not None:
                raise Ended(f"{key} ended with {self._running[key].returncode}:\n{self.log(service, instance)}")
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url(service, instance)}/health/ready", timeout=2).status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"{key} is not ready after {seconds:.0f} s:\n{self.log(service, instance)}")

    @property
    def clock(self) -> Path:
        """The file of the business clock, for services that are started with it."""
        return self.folder / "clock"

    def set_clock(self, at: datetime, *services: str, seconds: float = 60) -> int:
        """Let the clock of services that were started with its file show a time, at once and never before it.

        Returns by how many seconds it is ahead, when the first instances of these services go by it.
        """
        offset = math.ceil((at - datetime.now(UTC)).total_seconds())
        write_atomically(self.clock, str(offset))
        deadline = time.monotonic() + seconds
        for service in services:
            while not goes_by(self.url(service), offset):
                assert time.monotonic() < deadline, f"{service} does not go by {offset}:\n{self.log(service)}"
                time.sleep(0.05)
        return offset

    def kill(self, service: str, instance: int = 0) -> None:
        """SIGKILL."""
        process = self._running.pop(f"{service}-{instance}")
        process.kill()
        process.wait()

    def pid(self, service: str, instance: int = 0) -> int:
        """The process, to be looked at."""
        return self._running[f"{service}-{instance}"].pid

    def signal(self, service: str, instance: int, number: signal.Signals) -> None:
        """Send a signal to a process."""
        self._running[f"{service}-{instance}"].send_signal(number)

    def ended(self) -> list[tuple[str, int]]:
        """Service and instance of the processes that ended by themselves; they are forgotten."""
        gone = [key for key, process in self._running.items() if process.poll() is not None]
        for key in gone:
            del self._running[key]
        return [(name, int(number)) for name, _, number in (key.rpartition("-") for key in gone)]

    def stop(self, service: str, instance: int = 0) -> int:
        """SIGTERM; returns the exit code."""
        process = self._running.pop(f"{service}-{instance}")
        process.terminate()
        return process.wait(40)

    def end_of(self, service: str, instance: int = 0, seconds: float = 60) -> int:
        """The exit code of a process that ends by itself."""
        return self._running.pop(f"{service}-{instance}").wait(seconds)

    def url(self, service: str, instance: int = 0) -> str:
        """Base URL of a service's HTTP side."""
        return f"http://127.0.0.1:{self._ports[f'{service}-{instance}']}"

    def log(self, service: str, instance: int = 0) -> str:
        """The end of a service's log, to be shown; what a service said before may have gone from it."""
        return "\n".join(self.whole_log(service, instance).splitlines()[-30:])

    def whole_log(self, service: str, instance: int = 0) -> str:
        """All that a service has said, also before it was started again."""
        path = self.folder / f"{service}-{instance}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def get(
        self,
        service: str,
        path: str,
        *,
        instance: int = 0,
        role: str = "ministry",
        of: str | None = None,
        **query: Any,
    ) -> Any:
        """GET a service's API with a token (of a province, for that role); returns the JSON body of a 200."""
        response = self.ask(service, path, instance=instance, role=role, of=of, **query)
        assert response.status_code == 200, response.text
        return response.json()

    def ask(
        self,
        service: str,
        path: str,
        *,
        instance: int = 0,
        role: str = "ministry",
        of: str | None = None,
        **query: Any,
    ) -> httpx.Response:
        """The same with whatever the answer is."""
        token = issue_token(self.folder, "test", role, of)  # type: ignore[arg-type]
        bearer = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{self.url(service, instance)}{path}", params=query, headers=bearer, timeout=20)

    def wait_settled(self, *services: str, seconds: float = 60, looks: int = 2) -> None:
        """Wait until nothing is on its way in all processes of these services, at so many looks in a row."""
        deadline = time.monotonic() + seconds
        quiet = 0
        flows: list[Any] = []
        while True:
            assert time.monotonic() < deadline, f"not settled: {flows}\n{self.log(services[0])}"
            answers = [
                self.ask(service, "/flow", instance=int(number))
                for service, _, number in (key.rpartition("-") for key in list(self._running))
                if service in services
            ]
            flows = [answer.json() for answer in answers]
            assert all(answer.status_code in (200, 503) for answer in answers), flows
            quiet = quiet + 1 if all(flow.get("settled", False) for flow in flows) else 0
            if quiet == looks:
                return
            time.sleep(0.5)
