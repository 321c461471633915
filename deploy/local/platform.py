"""The whole platform on one machine: `LocalPlatform.up`, `down` and what lies between."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal

from deploy.local import fetch
from deploy.local.errors import LocalPlatformError, NotRunning, StartFailed, UnknownProgram
from deploy.local.fetch import Progress
from deploy.local.files import private_folder, write_atomically
from deploy.local.identity import ensure_signing_key
from deploy.local.logs import tail
from deploy.local.mongo_rights import databases_of
from deploy.local.ports import choose_ports
from deploy.local.secrets import Secrets
from deploy.local.servers import (
    LOOPBACK,
    SERVER_PORTS,
    Kafka,
    MongoDB,
    Server,
    Zipkin,
    admit_services,
    embedded_access,
    goes_by,
    http_answers,
    kafka_answers,
    mongo_answers,
)
from deploy.local.state import PROJECT_ROOT, SERVICES, External, Platform, default_state
from deploy.local.supervisor import (
    SERVICES_FILE,
    STOP_SECONDS,
    ProcessInfo,
    Supervisor,
    SupervisorUnavailable,
    clock_path,
    config_path,
    instance_name,
    log_path,
    make_socket_folder,
    remove_socket,
    render_main,
    render_services,
    shared_environment,
    socket_path,
    with_logins,
)
from shared.messaging.access import KafkaAccess

# Set for supervisord and so for all that it starts: by this a process is known to belong to a state folder,
# even when supervisord itself was killed and a pid file would name a stranger.
OWNER_VARIABLE = "LANGHOC_OWNER"

SERVERS_TIMEOUT = 90.0
SERVICES_TIMEOUT = 90.0

# What `down --wipe` removes: by name, so that a LANGHOC_STATE that points somewhere dear loses nothing else.
_OWN_FILES = (
    *("data", "logs", "secrets", "platform.json", "ports.json", "clock", "signing-key.json", "jwks.json"),
    *("supervisord.conf", "supervisord.pid", SERVICES_FILE),
)


@dataclass(frozen=True)
class ProgramStatus:
    """One line of `LocalPlatform.status`."""

    name: str
    kind: Literal["server", "service", "external"]
    state: str
    """supervisord's word for it (RUNNING, BACKOFF …), or EXTERNAL."""
    pid: int | None
    uptime: timedelta | None
    address: str
    ready: bool


@dataclass(frozen=True)
class UpResult:
    """What `LocalPlatform.up` found or made."""

    platform: Platform
    was_up: bool


class LocalPlatform:
    """Kafka, MongoDB, Zipkin and the services as processes of this machine, kept up by supervisord.

    ``state`` holds the data, the logs and the addresses in use; two state folders are two separate platforms.
    """

    def __init__(
        self,
        state: Path | None = None,
        *,
        cache: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.state = (state or default_state()).absolute()
        self._cache = cache or fetch.default_cache()
        self._environment = os.environ if environment is None else environment

    def up(
        self,
        progress: Progress = lambda message: None,
        prepare: Callable[[Platform], None] = lambda platform: None,
        *,
        services: bool = True,
        replicas: int = 1,
        clock_offset: int = 0,
    ) -> UpResult:
        """Start everything that is not up, and return when all of it is ready.

        ``prepare`` is called when the servers are ready and before any service starts, for topics and
        migrations. When something fails, what was started is stopped again.
        """
        with self._locked(progress):
            if self.is_up():
                return UpResult(Platform.load(self.state), was_up=True)
            # What a broken run may have left holds the ports and the data's locks.
            self._stop()
            try:
                platform = self._start(progress, prepare, services, replicas, clock_offset)
                return UpResult(platform, was_up=False)
            except BaseException:
                progress("Stopping what was started")
                self._stop()
                raise

    def down(self, progress: Progress = lambda message: None, *, wipe: bool = False) -> bool:
        """Stop everything in order and see that no process is left; return whether anything was running.

        ``wipe`` also removes the data, the logs and the keys.
        """
        if not self.state.exists():
            return False
        with self._locked(progress):
            was_running = self._stop()
            if wipe:
                for name in _OWN_FILES:
                    _remove(self.state / name)
            return was_running

    def is_up(self) -> bool:
        """Whether an `up` has come to its end and its supervisord still runs."""
        return Platform.path(self.state).exists() and self._supervisor.is_alive()

    def status(self) -> list[ProgramStatus]:
        """Every program and external server of the platform, asked just now."""
        platform = self._running()
        now = time.time()
        lines = [
            ProgramStatus(
                name, "external", "EXTERNAL", None, None, shown(address), self._answers(platform, name, address)
            )
            for name, address in _server_addresses(platform).items()
            if name not in platform.embedded
        ]
        addresses = _addresses(platform)
        for info in self._supervisor.processes():
            address = addresses[info.name]
            lines.append(
                ProgramStatus(
                    name=info.name,
                    kind="server" if info.name in platform.embedded else "service",
                    state=info.state,
                    pid=info.pid,
                    uptime=timedelta(seconds=int(now - info.started)) if info.pid else None,
                    address=address,
                    ready=info.pid is not None and self._answers(platform, info.name, address),
                )
            )
        order = list(addresses)
        return sorted(lines, key=lambda line: order.index(line.name))

    def logs(self, name: str) -> list[Path]:
        """The log files of a program, or of every instance of a service; they outlive `down`."""
        folder = self.state / "logs"
        exact = log_path(self.state, name)
        found = [exact] if exact.exists() else sorted(folder.glob(f"{name}-[0-9]*.log"))
        if not found:
            raise UnknownProgram(name, sorted(path.stem for path in folder.glob("*.log")))
        return found

    def restart(self, name: str) -> None:
        """Restart a program, or every instance of a service, and wait until it is ready."""
        platform = self._running()
        infos = [info for info in self._supervisor.processes() if name in (info.name, info.group)]
        if not infos:
            raise UnknownProgram(name, list(_addresses(platform)))
        for info in infos:
            self._supervisor.restart(info)
        addresses = _addresses(platform)
        self._wait(self._probes(platform, {info.name: addresses[info.name] for info in infos}), SERVICES_TIMEOUT)

    def set_clock(self, offset_seconds: int) -> Platform:
        """Shift the business clock, and return when every service goes by it: there is one clock, not several."""
        with self._locked(lambda message: None):
            platform = self._running().model_copy(update={"clock_offset": offset_seconds})
            platform.save(self.state)
            write_atomically(clock_path(self.state), str(offset_seconds))
            goes = {name: partial(goes_by, url, offset_seconds) for name, url in _service_addresses(platform).items()}
            self._wait(goes, SERVICES_TIMEOUT)
            return platform

    def kafka(self, platform: Platform) -> KafkaAccess:
        """Kafka, as whoever runs the platform reaches it: an embedded one as its administrator."""
        if "kafka" in platform.embedded:
            return embedded_access(platform.kafka, self._secrets)
        return External.from_environment(self._environment).kafka_login.access(platform.kafka)

    @property
    def _secrets(self) -> Secrets:
        return Secrets(self.state)

    @property
    def _supervisor(self) -> Supervisor:
        return Supervisor(socket_path(self.state))

    def _running(self) -> Platform:
        if not self.is_up():
            raise NotRunning
        return Platform.load(self.state)

    @contextmanager
    def _locked(self, progress: Progress) -> Iterator[None]:
        self.state.mkdir(parents=True, exist_ok=True)
        with (self.state / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("Waiting for another langhoc command to finish")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _start(
        self,
        progress: Progress,
        prepare: Callable[[Platform], None],
        services: bool,
        replicas: int,
        clock_offset: int,
    ) -> Platform:
        external = External.from_environment(self._environment)
        instances = {
            service: [instance_name(service, number) for number in range(1, replicas + 1)]
            for service in (SERVICES if services else ())
        }
        ports = choose_ports([*SERVER_PORTS, *chain(*instances.values())], self.state / "ports.json")
        servers = self._embedded(external, ports, progress)
        addresses = {server.name: server.address for server in servers}
        platform = Platform(
            kafka=external.kafka or addresses["kafka"],
            mongo=external.mongo or addresses["mongod"],
            zipkin=external.zipkin or addresses.get("zipkin"),
            embedded=tuple(server.name for server in servers),
            services={
                service: tuple(f"http://{LOOPBACK}:{ports[name]}" for name in names)
                for service, names in instances.items()
            },
            supervisor_socket=socket_path(self.state),
            clock_offset=clock_offset,
            started_at=datetime.now(UTC),
        )
        ensure_signing_key(self.state)
        make_socket_folder(self.state)
        for name in ("data", "logs"):  # Kafka writes its log, with all records and logins, for everybody to read
            private_folder(self.state / name)
        write_atomically(clock_path(self.state), str(clock_offset))
        for server in servers:
            server.prepare()
        write_atomically(config_path(self.state), render_main(self.state, servers))
        write_atomically(self.state / SERVICES_FILE, render_services(self.state, platform))
        progress("Starting the servers")
        self._start_supervisord(platform)
        # Embedded servers are asked by probes of their own, which also make the replica set and the administrator.
        probes = self._probes(platform, _server_addresses(platform)) | {
            server.name: server.is_ready for server in servers
        }
        # Nobody has to wait for traces.
        later = {name: probes.pop(name) for name in ("zipkin",) if name in probes}
        self._wait(probes, SERVERS_TIMEOUT, progress)
        progress("Preparing topics, rights and data")
        if "kafka" in platform.embedded:
            admit_services(self.kafka(platform), self._secrets)
        prepare(platform)
        if platform.services:
            progress("Starting the services")
        for service in platform.services:
            self._supervisor.start_group(service)
        self._wait(self._probes(platform, _service_addresses(platform)) | later, SERVICES_TIMEOUT, progress)
        # Written last: a platform with this file is one that came up whole.
        platform.save(self.state)
        return platform

    def _embedded(self, external: External, ports: Mapping[str, int], progress: Progress) -> list[Server]:
        """Fetch and configure the servers that the environment does not name."""
        data = self.state / "data"
        zipkin = external.zipkin is None and not external.tracing
        java = fetch.find_java() if external.kafka is None or zipkin else ""
        servers: list[Server] = []
        if external.kafka is None:
            home = fetch.KAFKA.fetch(self._cache, progress)
            servers.append(Kafka(home, data / "kafka", ports["kafka"], ports["kafka-controller"], self._secrets, java))
        if external.mongo is None:
            home = fetch.MONGOD.fetch(self._cache, progress)
            databases = databases_of(self._environment)
            servers.append(MongoDB(home, data / "mongod", ports["mongod"], self._secrets, databases))
        if zipkin:
            servers.append(Zipkin(fetch.ZIPKIN.fetch(self._cache, progress), ports["zipkin"], java))
        return servers

    def _start_supervisord(self, platform: Platform) -> None:
        environment = {
            **with_logins(self._environment, platform),
            **shared_environment(self.state, platform, self._environment),
            OWNER_VARIABLE: str(self.state),
            # Logs appear line by line, and files are UTF-8 in whatever locale the operator has.
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config_path(self.state))],
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StartFailed("supervisord", f"it exited with {done.returncode}", done.stdout.strip())

    def _wait(
        self,
        probes: Mapping[str, Callable[[], bool]],
        timeout: float,
        progress: Progress = lambda message: None,
    ) -> None:
        """Return when every probe has said yes; raise `StartFailed` as soon as one of the programs died."""
        pending = dict(probes)
        deadline = time.monotonic() + timeout
        while pending:
            for info in self._processes():
                if info.name in pending and info.failed:
                    raise StartFailed(info.name, info.detail, self._log_tail(info.name))
            for name, probe in list(pending.items()):
                if probe():
                    del pending[name]
                    progress(f"{name} is ready")
            if pending and time.monotonic() > deadline:
                name = next(iter(pending))
                raise StartFailed(name, f"it was not ready in {timeout:.0f} s", self._log_tail(name))
            time.sleep(0.1 if pending else 0)

    def _answers(self, platform: Platform, name: str, address: str) -> bool:
        """Whether the server or service of this name is ready at this address."""
        match name:
            case "kafka":
                return kafka_answers(self.kafka(platform))
            case "mongod":
                return mongo_answers(address)
            case "zipkin":
                return http_answers(f"{address}/health")
            case _:
                return http_answers(f"{address}/health/ready")

    def _probes(self, platform: Platform, addresses: Mapping[str, str]) -> dict[str, Callable[[], bool]]:
        return {name: partial(self._answers, platform, name, address) for name, address in addresses.items()}

    def _processes(self) -> list[ProcessInfo]:
        for _ in range(50):
            try:
                return self._supervisor.processes()
            except SupervisorUnavailable:
                # supervisord opens its socket a moment after it has gone to the background.
                time.sleep(0.1)
        raise StartFailed("supervisord", "it does not answer", self._log_tail("supervisord"))

    def _log_tail(self, program: str) -> str:
        path = log_path(self.state, program)
        return "\n".join(tail(path, 15))

    def _stop(self) -> bool:
        """Stop everything in order; return whether there was anything to stop."""
        was_running = bool(_owned_processes(self.state))
        try:
            # Nothing needs these in order to stop, so they may stop at once; supervisord alone would take one
            # after the other.
            for group in {info.group for info in self._supervisor.processes()} - {"kafka", "mongod"}:
                self._supervisor.stop_group(group, wait=False)
            self._supervisor.shutdown()
        except SupervisorUnavailable:
            _signal_all(self.state, signal.SIGTERM)
        # Services, Zipkin, mongod and Kafka stop one after the other, each in its own time.
        if not _wait_gone(self.state, 4 * STOP_SECONDS):
            _signal_all(self.state, signal.SIGKILL)
            if not _wait_gone(self.state, 10):
                left = ", ".join(map(str, _owned_processes(self.state)))
                raise LocalPlatformError(f"These processes could not be stopped: {left}")
        _remove(Platform.path(self.state))
        remove_socket(self.state)
        return was_running


def shown(address: str) -> str:
    """An address without the login that a URI may hold: a screen is seen by others, and is copied into reports."""
    return re.sub(r"(?<=://)[^/]*@", "", address)


def _server_addresses(platform: Platform) -> dict[str, str]:
    addresses = {"kafka": platform.kafka, "mongod": platform.mongo}
    return addresses | ({"zipkin": platform.zipkin} if platform.zipkin else {})


def _instances(platform: Platform, service: str) -> dict[str, str]:
    urls = platform.services[service]
    return {instance_name(service, number): url for number, url in enumerate(urls, start=1)}


def _service_addresses(platform: Platform) -> dict[str, str]:
    return {name: url for service in platform.services for name, url in _instances(platform, service).items()}


def _addresses(platform: Platform) -> dict[str, str]:
    """Each program's address, servers first."""
    return _server_addresses(platform) | _service_addresses(platform)


def _owned_processes(state: Path) -> list[int]:
    """The processes that carry this state folder's mark, which all get that supervisord starts."""
    mark = f"{OWNER_VARIABLE}={state}".encode()
    owned = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else
        if mark in environment.split(b"\0"):
            owned.append(int(folder.name))
    return owned


def _signal_all(state: Path, number: signal.Signals) -> None:
    for pid in _owned_processes(state):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait_gone(state: Path, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while _owned_processes(state):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
