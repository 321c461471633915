"""The three servers: how each is configured, started, and asked whether it is ready.

Every command is the server process itself, with no shell between, so that a signal reaches it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import string
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import ProxyHandler, build_opener

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import LocalPlatformError
from deploy.local.files import write_atomically
from deploy.local.mongo_rights import let_in, let_in_to
from deploy.local.secrets import Secrets
from deploy.local.state import SERVICES, ServerName
from shared.messaging.access import KafkaAccess, Security

LOOPBACK = "127.0.0.1"
SERVER_PORTS = ("kafka", "kafka-controller", "mongod", "zipkin")
"""The names under which the servers' ports are chosen and kept."""
REPLICA_SET = "rs0"
ADMIN = "admin"
"""The principal that may do everything on the servers, and is nobody's who works with them."""
NODE = "node"
"""Kafka's own principal, as which the node reaches itself."""
EMBEDDED_SECURITY: Security = "sasl_plaintext"
"""Of an embedded Kafka: nobody but this machine hears what is said on its loopback."""
RELOGIN_SECONDS = 45
"""Kafka cuts a connection whose login is older than this, so whoever was removed is out within a minute."""

_TEMPLATES = Path(__file__).parent / "kafka"
# Kafka wants 16 bytes in base64; these say "langhoc-local-00".
_CLUSTER_ID = "bGFuZ2hvYy1sb2NhbC0wMA"
_NOT_YET_INITIALIZED = 94
# Without a handler, what the Kafka client says of a broker that is not up yet would go to the terminal.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())
# Loopback addresses never go through the proxy that a ministry's network may demand.
_opener = build_opener(ProxyHandler({}))


class Server(ABC):
    """A server that the local platform can run on a loopback port, with its data in a folder."""

    name: ClassVar[ServerName]

    @property
    @abstractmethod
    def command(self) -> tuple[str, ...]:
        """The process to start; it needs no shell and does not fork."""

    @property
    @abstractmethod
    def address(self) -> str:
        """What a client connects to."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the process needs in its environment beyond the caller's own."""
        # Java takes file names in the locale's encoding, and a state folder may bear a Vietnamese name.
        return {"LC_ALL": "C.UTF-8"}

    @abstractmethod
    def prepare(self) -> None:
        """Write the configuration and whatever must exist on disk before the process starts."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether clients can work with the server now; never raises, answers within a few seconds."""


@dataclass(frozen=True)
class Tls:
    """What a server shows its clients; files in PEM."""

    identity: Path
    """Private key (PKCS 8, without a password), then the certificate and those between it and the authority's."""
    ca: Path
    """The authority's certificate, by which clients know it."""


@dataclass(frozen=True)
class Kafka(Server):
    """One Kafka node in KRaft mode, where nobody does anything without a login and a right."""

    name: ClassVar[ServerName] = "kafka"

    home: Path
    data: Path
    port: int
    controller_port: int
    secrets: Secrets
    java: str = "java"
    heap_mb: int = 768
    relogin_seconds: int = RELOGIN_SECONDS
    tls: Tls | None = None
    """With it nobody is heard unencrypted."""
    short_lived: bool = False
    """Start in half the time, at the price of the peak speed that a test never reaches."""

    @property
    def _properties(self) -> Path:
        return self.data / "server.properties"

    def _run(self, main_class: str, *arguments: str, short_lived: bool) -> tuple[str, ...]:
        return (
            self.java,
            f"-Xmx{self.heap_mb}m",
            *(("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC") if short_lived else ()),
            f"-Dlog4j2.configurationFile={_TEMPLATES / 'log4j2.properties'}",
            "-cp",
            f"{self.home}/*",
            main_class,
            *arguments,
        )

    @property
    def command(self) -> tuple[str, ...]:
        return self._run("kafka.Kafka", str(self._properties), short_lived=self.short_lived)

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Write ``server.properties``, and format the storage when it is new."""
        log_dir = self.data / "log"
        log_dir.mkdir(parents=True, exist_ok=True)
        write_atomically(self._properties, self._configuration())
        # Kafka writes this file last, so a format that was interrupted is simply done again.
        if (log_dir / "meta.properties").exists():
            return
        done = subprocess.run(
            self._run(
                "kafka.tools.StorageTool",
                *("format", "--ignore-formatted"),
                *("--cluster-id", _CLUSTER_ID, "--config", str(self._properties)),
                short_lived=True,
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**os.environ, **self.environment},
        )
        if done.returncode != 0:
            said = done.stdout.strip()
            raise LocalPlatformError(f"Kafka's storage in {log_dir} could not be formatted:\n{said}")

    def is_ready(self) -> bool:
        """Whether the administrator can work with it; takes the administrator in on the way."""
        node = replace(self.access(NODE), mechanism="PLAIN")
        if not kafka_answers(node):
            return False
        # Imported here, so that whoever only looks at a platform does not load a client for administrators.
        from deploy.principals import PrincipalsRefused, principals_of

        try:
            with principals_of(node) as principals:
                principals.admit({ADMIN: self.secrets.password(ADMIN, "kafka")})
        except PrincipalsRefused:
            return False
        return kafka_answers(self.access(ADMIN))

    def _configuration(self) -> str:
        template = string.Template((_TEMPLATES / "server.properties").read_text(encoding="utf-8"))
        return template.substitute(
            port=self.port,
            controller_port=self.controller_port,
            log_dir=_property_value(str(self.data / "log")),
            protocol=self.access(ADMIN).security.upper(),
            tls=self._tls(),
            node_login=self._node_login(),
            relogin_ms=self.relogin_seconds * 1000,
        )

    def access(self, principal: str) -> KafkaAccess:
        """This node, as one of its principals reaches it."""
        found = embedded_access(self.address, self.secrets, principal)
        return replace(found, security="sasl_ssl", ca=self.tls.ca) if self.tls else found

    def _tls(self) -> str:
        if self.tls is None:
            return ""
        files = {"keystore": self.tls.identity, "truststore": self.tls.ca}
        return "\n".join(
            f"ssl.{store}.type=PEM\nssl.{store}.location={_property_value(str(file))}" for store, file in files.items()
        )

    def _node_login(self) -> str:
        # The password is made of letters that mean nothing in this syntax.
        password = self.secrets.password(NODE, "kafka")
        return (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="{NODE}" password="{password}" user_{NODE}="{password}";'
        )


@dataclass(frozen=True)
class MongoDB(Server):
    """One mongod as a replica set of one member, because transactions need a replica set.

    It lets in who has a password. Its key file is also what the platform administers it with, as `__system`, from the
    first moment on: mongod's usual exception, by which anybody on the machine may make the first user, is closed. So
    data that an earlier version left open, or whose passwords were lost, are served like new ones.
    """

    name: ClassVar[ServerName] = "mongod"

    home: Path
    data: Path
    port: int
    secrets: Secrets
    databases: Mapping[str, str] = field(default_factory=dict)
    """The database of each principal that has one of its own."""
    cache_gb: float = 1.0
    test_commands: bool = False

    @property
    def command(self) -> tuple[str, ...]:
        parameters = [
            # By default a stopping primary waits 15 s for its clients to find another one; here there is none.
            "shutdownTimeoutMillisForSignaledShutdown=100",
            "diagnosticDataCollectionEnabled=false",
            # The locks of a process that died in a transaction; a living one gives up after 20 s itself.
            "transactionLifetimeLimitSeconds=30",
            "enableLocalhostAuthBypass=false",
        ]
        if self.test_commands:
            parameters.append("enableTestCommands=1")
        return (
            str(self.home / "mongod"),
            *("--dbpath", str(self.data)),
            *("--bind_ip", LOOPBACK, "--port", str(self.port), "--nounixsocket"),
            *("--replSet", REPLICA_SET, "--oplogSize", "512"),
            "--noscripting",  # whoever may read could have a program run there
            *("--auth", "--keyFile", str(self.secrets.mongod_key())),
            *("--wiredTigerCacheSizeGB", str(self.cache_gb)),
            *(word for parameter in parameters for word in ("--setParameter", parameter)),
            "--quiet",
        )

    @property
    def address(self) -> str:
        return f"mongodb://{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    @property
    def administrators_uri(self) -> str:
        """The address with the administrator's credentials in it."""
        password = self.secrets.password(ADMIN, "mongo")  # of letters that need no quoting
        return f"mongodb://{ADMIN}:{password}@{LOOPBACK}:{self.port}/?replicaSet={REPLICA_SET}"

    def prepare(self) -> None:
        """Make the data folder; replica set and users are made by the `is_ready` that reaches the server."""
        self.data.mkdir(parents=True, exist_ok=True)

    def is_ready(self) -> bool:
        """Whether this member is primary and lets in its users; on the way makes or moves the set, and the users."""
        if not _listens(LOOPBACK, self.port):
            return False
        member = f"{LOOPBACK}:{self.port}"
        client: MongoClient[dict[str, Any]] = MongoClient(
            *(LOOPBACK, self.port),
            directConnection=True,
            username="__system",
            password=self.secrets.mongod_key().read_text(encoding="ascii"),
            authSource="local",
            serverSelectionTimeoutMS=2000,
            socketTimeoutMS=5000,
        )
        with client:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    self._let_in(client)
                    return True
                self._form_set(client, member)
            except PyMongoError:
                return False
        return False

    def _let_in(self, client: MongoClient[dict[str, Any]]) -> None:
        let_in(client, ADMIN, self.secrets.password(ADMIN, "mongo"), ["root"])
        for principal, database in self.databases.items():
            let_in_to(client, principal, self.secrets.password(principal, "mongo"), database)

    @staticmethod
    def _form_set(client: MongoClient[dict[str, Any]], member: str) -> None:
        """Initiate the set on new data; on data that was last served on another port, move the set here."""
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as failure:
            if failure.code == _NOT_YET_INITIALIZED:
                members = [{"_id": 0, "host": member}]
                client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            return
        if config["members"][0]["host"] != member:
            config["members"][0]["host"] = member
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)


@dataclass(frozen=True)
class Zipkin(Server):
    """Zipkin with its spans in memory: traces are for looking at, and are gone when it stops."""

    name: ClassVar[ServerName] = "zipkin"

    home: Path
    port: int
    java: str = "java"
    heap_mb: int = 512

    @property
    def command(self) -> tuple[str, ...]:
        (jar,) = self.home.glob("zipkin-server-*.jar")
        return (
            self.java,
            f"-Xmx{self.heap_mb}m",
            "-jar",
            str(jar),
            # `server.address` is not heeded: the HTTP server is Armeria, which has its own list of ports.
            f"--armeria.ports[0].ip={LOOPBACK}",
            f"--armeria.ports[0].port={self.port}",
            "--armeria.ports[0].protocols[0]=http",
            # Only Zipkin's own page may read the traces from a browser.
            f"--zipkin.query.allowed-origins={self.address}",
            "--zipkin.storage.type=mem",
            "--zipkin.storage.mem.max-spans=200000",
            "--logging.level.root=WARN",
            "--spring.main.banner-mode=off",
        )

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def prepare(self) -> None:
        """Nothing: Zipkin keeps no files."""

    def is_ready(self) -> bool:
        return http_answers(f"{self.address}/health")


def _property_value(text: str) -> str:
    """Escape a value for a Java properties file, which is Latin-1."""
    units = text.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2))
    return "".join(chr(code) if code < 128 else f"\\u{code:04x}" for code in codes)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def http_answers(url: str) -> bool:
    """Whether a GET of this address is answered with success."""
    try:
        with _opener.open(url, timeout=2):
            return True
    except OSError:  # URLError and HTTPError are OSErrors
        return False


def goes_by(service: str, offset: int) -> bool:
    """Whether the business clock of the service at this address is ahead by so many seconds."""
    try:
        with _opener.open(f"{service}/health/live", timeout=2) as answer:
            return bool(json.load(answer)["clock_offset_seconds"] == offset)
    except (OSError, ValueError):
        return False


def embedded_access(bootstrap: str, secrets: Secrets, principal: str = ADMIN) -> KafkaAccess:
    """An embedded Kafka, as one of its principals reaches it."""
    return KafkaAccess(bootstrap, principal, secrets.password(principal, "kafka"), EMBEDDED_SECURITY)


def admit_services(kafka: KafkaAccess, secrets: Secrets) -> None:
    """Let each service in with its password; services and clients may do what the contracts say, and nothing else.

    Raises `PrincipalsRefused`.
    """
    from deploy.principals import principals_of

    with principals_of(kafka) as principals:
        principals.admit({service: secrets.password(service, "kafka") for service in SERVICES})
        principals.apply({*SERVICES} | principals.clients())
        principals.take_from_everybody()


def kafka_answers(kafka: KafkaAccess) -> bool:
    """Whether the cluster has a broker that serves this client."""
    # Asked first because the Kafka client logs an error for each address that does not listen yet.
    if not any(_listens(*_host_port(address)) for address in kafka.bootstrap.split(",")):
        return False

    async def ask() -> bool:
        admin = AIOKafkaAdminClient(**kafka.options, request_timeout_ms=3000)
        try:
            await admin.start()
            # A broker is listed when the controller has let it serve, which is later than its port opens.
            return bool((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await admin.close()

    # In a thread of its own, since the caller may already be inside an event loop.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(asyncio.wait_for(ask(), timeout=10))).result()


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.strip().rpartition(":")
    return host.strip("[]"), int(port)


def mongo_answers(uri: str) -> bool:
    """Whether the deployment behind this URI has a primary that takes writes."""
    client: MongoClient[dict[str, Any]]
    try:
        with MongoClient(uri, serverSelectionTimeoutMS=3000) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False
