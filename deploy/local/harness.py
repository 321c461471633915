"""The servers as plain children of a test run, to be killed, frozen and started again by tests.

with start_servers(tmp_path) as servers:
    producer = AIOKafkaProducer(**servers.kafka.options)
    servers["mongod"].kill()
    servers["mongod"].restart()
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from deploy.local import fetch
from deploy.local.errors import StartFailed
from deploy.local.logs import tail
from deploy.local.ports import choose_ports
from deploy.local.secrets import Secrets
from deploy.local.servers import (
    ADMIN,
    RELOGIN_SECONDS,
    SERVER_PORTS,
    Kafka,
    MongoDB,
    Server,
    Tls,
    Zipkin,
    admit_services,
)
from shared.messaging.access import KafkaAccess

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
# The kernel sends the "parent died" signal when the *thread* that started the child ends. All children are
# therefore started by this one thread, which lives as long as the interpreter, and never by a test's own.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-starter")


def start_child(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process that writes to the end of the log and ends with this one, in whatever way this one ends."""
    with log.open("ab") as output:
        return _starter.submit(
            subprocess.Popen,
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            preexec_fn=_die_with_parent,
            # Ctrl-C at the terminal is for the test run, which then stops its children in order.
            process_group=0,
        ).result()


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class ServerProcess:
    """A server that runs as a child of this process, or did."""

    def __init__(self, server: Server, log: Path) -> None:
        self.server = server
        self.log = log
        self.popen = self._start()

    @property
    def address(self) -> str:
        """What a client connects to; it stays the same over a restart."""
        return self.server.address

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL), and wait until it is gone."""
        self.popen.kill()
        self.popen.wait()

    def stop(self, timeout: float = 30) -> None:
        """End it in order (SIGTERM); after the timeout, by force."""
        self.resume()
        self.popen.terminate()
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): its port stays open, and nobody answers."""
        self.popen.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        self.popen.send_signal(signal.SIGCONT)

    def restart(self, timeout: float = 60) -> None:
        """Start it on the same data and port, killing it first if it still runs, and wait until it is ready.

        It blocks for seconds: inside an event loop use ``await asyncio.to_thread(server.restart)``.
        """
        self.kill()
        self.popen = self._start()
        self.wait_ready(timeout)

    def wait_ready(self, timeout: float = 60) -> None:
        """Return when clients can work with the server; raise `StartFailed` when it died or is too slow."""
        deadline = time.monotonic() + timeout
        while not self.server.is_ready():
            if (code := self.popen.poll()) is not None:
                raise StartFailed(self.server.name, f"it exited with {code}", self._log_tail())
            if time.monotonic() > deadline:
                raise StartFailed(self.server.name, f"it was not ready in {timeout:.0f} s", self._log_tail())
            time.sleep(0.1)

    def _start(self) -> subprocess.Popen[bytes]:
        self.server.prepare()
        return start_child(self.server.command, self.log, self.server.environment)

    def _log_tail(self) -> str:
        return "\n".join(tail(self.log, 15))


class Servers(dict[str, ServerProcess]):
    """The running servers by name: ``kafka``, ``mongod``, ``zipkin``; and the passwords that they know."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self.secrets = secrets

    @property
    def kafka(self) -> KafkaAccess:
        """Kafka, as its administrator reaches it."""
        return self.kafka_as(ADMIN)

    def kafka_as(self, principal: str) -> KafkaAccess:
        """Kafka, as one of its principals reaches it."""
        server = self["kafka"].server
        assert isinstance(server, Kafka)
        return server.access(principal)

    @property
    def mongo(self) -> str:
        """MongoDB's URI with its administrator's credentials; without any it is the address of ``mongod``."""
        server = self["mongod"].server
        assert isinstance(server, MongoDB)
        return server.administrators_uri

    @property
    def zipkin(self) -> str:
        """Zipkin's base URL."""
        return self["zipkin"].address


@contextmanager
def start_servers(
    state_dir: Path,
    kafka: bool = True,
    mongo: bool = True,
    zipkin: bool = False,
    *,
    test_commands: bool = True,
    relogin_seconds: int = RELOGIN_SECONDS,
    tls: Tls | None = None,
    full_size: bool = False,
) -> Iterator[Servers]:
    """Run the wanted servers on free ports with their data in the folder, and stop them at the end.

    They also end when this process dies in any other way. ``test_commands`` lets tests use MongoDB's fail
    points; after ``relogin_seconds`` Kafka cuts a connection, and with ``tls`` it encrypts. By default they are
    small and start quickly; ``full_size`` gives them the memory and the compilers that a platform has.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    cache = fetch.default_cache()
    ports = choose_ports(SERVER_PORTS, state_dir / "ports.json")
    secrets = Secrets(state_dir)
    java = fetch.find_java() if kafka or zipkin else ""
    wanted: list[Server] = []
    # mongod first: it comes up while Kafka's storage is being formatted.
    if mongo:
        home = fetch.MONGOD.fetch(cache, print)
        data = state_dir / "mongod"
        mongod = MongoDB(home, data, ports["mongod"], secrets, test_commands=test_commands)
        wanted.append(mongod if full_size else replace(mongod, cache_gb=0.5))
    if zipkin:
        collector = Zipkin(fetch.ZIPKIN.fetch(cache, print), ports["zipkin"], java)
        wanted.append(collector if full_size else replace(collector, heap_mb=256))
    if kafka:
        home = fetch.KAFKA.fetch(cache, print)
        data = state_dir / "kafka"
        node = (home, data, ports["kafka"], ports["kafka-controller"], secrets)
        broker = Kafka(*node, java=java, relogin_seconds=relogin_seconds, tls=tls)
        wanted.append(broker if full_size else replace(broker, heap_mb=384, short_lived=True))

    with ExitStack() as stack:
        running = Servers(secrets)
        for server in wanted:
            running[server.name] = ServerProcess(server, state_dir / f"{server.name}.log")
            stack.callback(running[server.name].stop)
        for process in running.values():
            process.wait_ready()
        if kafka:
            admit_services(running.kafka, secrets)
        yield running
