"""supervisord: its configuration as text, and its XML-RPC interface over a Unix socket."""

from __future__ import annotations

import hashlib
import http.client
import os
import shlex
import socket
import sys
import tempfile
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.local.errors import LocalPlatformError
from deploy.local.identity import jwks_path
from deploy.local.secrets import Secrets
from deploy.local.servers import EMBEDDED_SECURITY, LOOPBACK, Server
from deploy.local.state import KAFKA_LOGIN, PROJECT_ROOT, Platform, ServerName

SERVICES_FILE = "services.conf"
STOP_SECONDS = 30
LOGINS: Mapping[ServerName, Iterable[str]] = {
    "kafka": KAFKA_LOGIN,
    "mongod": ("LANGHOC_MONGO_USER", "LANGHOC_MONGO_PASSWORD"),
}
"""The variables that say as whom a service logs in."""

# A Unix socket's address has 107 bytes, of which supervisord needs a few for a temporary name.
_LONGEST_SOCKET_PATH = 90


def config_path(state: Path) -> Path:
    """The main configuration file."""
    return state / "supervisord.conf"


def log_path(state: Path, program: str) -> Path:
    """The log of a program; the supervisor rotates it."""
    return state / "logs" / f"{program}.log"


def clock_path(state: Path) -> Path:
    """By how many seconds the business clock of all services is ahead."""
    return state / "clock"


def socket_path(state: Path) -> Path:
    """Where supervisord listens: in the state folder, or in a private folder if that path is too long."""
    path = state / "supervisor.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"langhoc-{os.getuid()}-{digest}" / "supervisor.sock"


def make_socket_folder(state: Path) -> None:
    """Make the folder of `socket_path`, where nobody else may put a socket of theirs."""
    folder = socket_path(state).parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise LocalPlatformError(f"{folder} belongs to another user; choose a shorter LANGHOC_STATE.")


def remove_socket(state: Path) -> None:
    """Remove what `make_socket_folder` and supervisord made, if it is there."""
    path = socket_path(state)
    path.unlink(missing_ok=True)
    if path.parent != state and path.parent.exists():
        path.parent.rmdir()


def render_main(state: Path, servers: Iterable[Server]) -> str:
    """supervisord itself and the servers, which start with it."""
    sections = [
        _section(
            "supervisord",
            logfile=log_path(state, "supervisord"),
            logfile_maxbytes="5MB",
            logfile_backups=1,
            pidfile=state / "supervisord.pid",
            nocleanup="true",
        ),
        _section("unix_http_server", file=socket_path(state), chmod="0600"),
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n",
        # Relative to this file, because supervisord splits the value at spaces.
        _section("include", files=SERVICES_FILE),
    ]
    for server in servers:
        # Programs stop in the reverse order of their priorities: the services first, then what they stand on.
        sections.append(_program(state, server.name, server.command, server.environment, autostart=True, priority=10))
    return "\n".join(sections)


def render_services(state: Path, platform: Platform) -> str:
    """One program for each instance of each service, started by `up` when the servers are ready for them."""
    sections = []
    for service, urls in platform.services.items():
        names = [instance_name(service, number) for number in range(1, len(urls) + 1)]
        for number, (name, url) in enumerate(zip(names, urls, strict=True), start=1):
            environment = {
                "LANGHOC_INSTANCE": str(number),
                "LANGHOC_HTTP_PORT": str(urlsplit(url).port),
                "OTEL_SERVICE_NAME": f"langhoc-{service}",
            }
            if {"kafka", "mongod"} & {*platform.embedded}:
                environment["LANGHOC_SECRETS_DIR"] = str(Secrets(state).folder(service))
            command = (sys.executable, "-m", f"services.{service}")
            sections.append(_program(state, name, command, environment, autostart=False, priority=100))
        sections.append(_section(f"group:{service}", programs=",".join(names), priority=100))
    return "\n".join(sections)


def instance_name(service: str, number: int) -> str:
    """The program that runs this instance of the service; instances count from 1."""
    return f"{service}-{number}"


def shared_environment(state: Path, platform: Platform, operators: Mapping[str, str]) -> dict[str, str]:
    """What every service gets alike. Of an external database the operator may have the key: it stays when we go.

    It is handed over through supervisord's own environment, because the syntax of its file cannot hold every
    password.
    """
    own_key = None if "mongod" in platform.embedded else operators.get("LANGHOC_ACCOUNT_KEY")
    environment = {
        "LANGHOC_KAFKA": platform.kafka,
        "LANGHOC_MONGO": platform.mongo,
        "LANGHOC_HTTP_HOST": LOOPBACK,
        "LANGHOC_CLOCK_FILE": str(clock_path(state)),
        "LANGHOC_STAGE": "local",
        "LANGHOC_JWKS": str(jwks_path(state)),
        "LANGHOC_ACCOUNT_KEY": own_key or Secrets(state).account_key(),
    }
    if "mongod" in platform.embedded:  # with another database the key is its operator's: it must live as long as that
        environment["LANGHOC_SEAL_KEY"] = Secrets(state).seal_key()
    if "kafka" in platform.embedded:
        environment["LANGHOC_KAFKA_SECURITY"] = EMBEDDED_SECURITY
    if "zipkin" in platform.embedded:
        environment["OTEL_EXPORTER_ZIPKIN_ENDPOINT"] = f"{platform.zipkin}/api/v2/spans"
    return environment


def with_logins(operators: Mapping[str, str], platform: Platform) -> dict[str, str]:
    """The operator's environment, with as whom services log in: to the operator's servers as it says, or as nobody.

    To an embedded one each service logs in as itself, with what lies in its own folder.
    """
    environment = dict(operators)
    for server, names in LOGINS.items():
        for name in names:
            if server in platform.embedded:
                environment.pop(name, None)
            else:
                environment.setdefault(name, "")
    return environment


def _program(
    state: Path,
    name: str,
    command: Iterable[str],
    environment: Mapping[str, str],
    *,
    autostart: bool,
    priority: int,
) -> str:
    return _section(
        f"program:{name}",
        command=shlex.join(command),
        directory=PROJECT_ROOT,
        environment=",".join(f'{key}="{value}"' for key, value in environment.items()),
        autostart=str(autostart).lower(),
        autorestart="true",
        # A process that ends sooner than this is started again after 1 s, 2 s, 3 s … for eight minutes.
        startsecs=3,
        startretries=30,
        stopsignal="TERM",
        stopwaitsecs=STOP_SECONDS,
        stopasgroup="true",
        killasgroup="true",
        priority=priority,
        redirect_stderr="true",
        stdout_logfile=log_path(state, name),
        stdout_logfile_maxbytes="20MB",
        stdout_logfile_backups=2,
    )


def _section(title: str, **options: object) -> str:
    lines = [f"[{title}]", *(f"{key} = {_literal(str(value))}" for key, value in options.items())]
    return "\n".join(lines) + "\n"


def _literal(value: str) -> str:
    # Escaping does not help: some options are expanded twice, and comments are cut off before quotes count.
    if any(mark in value for mark in ("%", " #", " ;", "\n")):
        raise LocalPlatformError(f"supervisord cannot take '%', ' #' or ' ;'; choose another path than {value}")
    return value


class SupervisorUnavailable(Exception):
    """No supervisord answers on the socket."""


@dataclass(frozen=True)
class ProcessInfo:
    """A program as supervisord sees it."""

    name: str
    group: str
    state: str
    pid: int | None
    started: int
    """Seconds since 1970; 0 if it never started."""
    detail: str

    @property
    def failed(self) -> bool:
        """Whether it has ended without being told to."""
        return self.state in {"BACKOFF", "FATAL", "EXITED", "UNKNOWN"}


class Supervisor:
    """The commands of supervisord that the platform needs."""

    def __init__(self, socket_file: Path) -> None:
        self._socket_file = socket_file

    def processes(self) -> list[ProcessInfo]:
        """Every program with its state."""
        return [
            ProcessInfo(
                name=info["name"],
                group=info["group"],
                state=info["statename"],
                pid=info["pid"] or None,
                started=info["start"],
                detail=info["spawnerr"] or info["description"],
            )
            for info in self._call("supervisor.getAllProcessInfo")
        ]

    def is_alive(self) -> bool:
        """Whether supervisord answers."""
        try:
            self._call("supervisor.getState")
        except SupervisorUnavailable:
            return False
        return True

    def start_group(self, group: str) -> None:
        """Start a group's programs; returns at once."""
        self._call("supervisor.startProcessGroup", group, False)

    def stop_group(self, group: str, *, wait: bool = True) -> None:
        """Stop a group's programs, all at the same time."""
        self._call("supervisor.stopProcessGroup", group, wait)

    def restart(self, info: ProcessInfo) -> None:
        """Stop one program and start it again."""
        name = f"{info.group}:{info.name}"
        if info.pid is not None:
            self._call("supervisor.stopProcess", name, True)
        self._call("supervisor.startProcess", name, False)

    def shutdown(self) -> None:
        """Tell supervisord to stop everything in order and end; returns at once."""
        self._call("supervisor.shutdown")

    def _call(self, method: str, *arguments: object) -> Any:
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(self._socket_file))
        try:
            with proxy:
                return getattr(proxy, method)(*arguments)
        except (OSError, http.client.HTTPException) as error:
            raise SupervisorUnavailable from error


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, socket_file: Path) -> None:
        # Longer than supervisord waits for a program to stop.
        super().__init__("localhost", timeout=2 * STOP_SECONDS)
        self._socket_file = socket_file

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.fspath(self._socket_file))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, socket_file: Path) -> None:
        super().__init__()
        self._socket_file = socket_file

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _UnixConnection(self._socket_file)
