"""The servers, really started: up, up again, a crash, a frozen and a killed server, down."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local import (
    SERVICES,
    LocalPlatform,
    Platform,
    ProgramStatus,
    ServerProcess,
    fetch,
    start_servers,
    supervisor,
)
from deploy.local.errors import StartFailed
from deploy.local.harness import start_child
from deploy.local.platform import OWNER_VARIABLE
from deploy.local.ports import choose_ports
from deploy.local.secrets import Secrets
from deploy.local.servers import ADMIN, LOOPBACK, SERVER_PORTS, Kafka, MongoDB, goes_by, kafka_answers, mongo_answers
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import apply_topics

pytestmark = pytest.mark.integration


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalPlatform]:
    # A folder as an officer may name it: with a space, and with letters that Java's defaults cannot spell.
    local = LocalPlatform(tmp_path / "trạng thái", environment=embedded_only())
    yield local
    local.down()


def embedded_only() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("LANGHOC_", "OTEL_"))}


def processes_of(state: Path) -> list[str]:
    """The command lines of the processes that carry the state folder's mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{OWNER_VARIABLE}={state}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], bool], timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def status_of(local: LocalPlatform, name: str) -> ProgramStatus:
    return next(line for line in local.status() if line.name == name)


def administrators(local: LocalPlatform, platform: Platform) -> MongoClient[dict[str, object]]:
    """A client that may look at everything in the embedded database."""
    return MongoClient(platform.mongo, username=ADMIN, password=Secrets(local.state).password(ADMIN, "mongo"))


def test_up_crash_down(local: LocalPlatform) -> None:
    prepared: list[Platform] = []

    def prepare(platform: Platform) -> None:
        assert kafka_answers(local.kafka(platform))
        with administrators(local, platform) as client:
            client["lifecycle"]["kept"].insert_one({"_id": 1})
        prepared.append(platform)

    first = local.up(prepare=prepare, services=False)
    assert not first.was_up
    assert [platform.kafka for platform in prepared] == [first.platform.kafka]
    # Another user of the machine needs no login to a server whose files he may read.
    assert [(local.state / name).stat().st_mode & 0o077 for name in ("data", "logs", "secrets")] == [0, 0, 0]
    assert [(line.name, line.kind, line.ready) for line in local.status()] == [
        ("kafka", "server", True),
        ("mongod", "server", True),
        ("zipkin", "server", True),
    ]

    again = local.up(prepare=prepare, services=False)
    assert again.was_up
    assert again.platform == first.platform
    assert len(prepared) == 1

    crashed = status_of(local, "kafka").pid
    assert crashed is not None
    os.kill(crashed, signal.SIGKILL)
    wait_for(lambda: status_of(local, "kafka").pid not in (crashed, None) and status_of(local, "kafka").ready)

    assert local.down() is True
    assert processes_of(local.state) == []
    assert not local.is_up()
    assert local.down() is False

    # On the same data and, since nobody took them meanwhile, the same ports.
    second = local.up(services=False)
    assert (second.platform.kafka, second.platform.mongo) == (first.platform.kafka, first.platform.mongo)
    with administrators(local, second.platform) as client:
        assert client["lifecycle"]["kept"].count_documents({}) == 1

    # The supervisor itself is lost, and its children go on without it.
    os.kill(int((local.state / "supervisord.pid").read_text()), signal.SIGKILL)
    wait_for(lambda: not local.is_up())
    assert any("kafka.Kafka" in command for command in processes_of(local.state))
    local.down(wipe=True)
    assert processes_of(local.state) == []
    assert [path.name for path in local.state.iterdir()] == ["lock"]


STAND_IN = """
import http.server, json, os, sys
print("kafka", os.environ["LANGHOC_KAFKA"], "as", os.environ["LANGHOC_KAFKA_USER"])
if os.path.exists("broken"):
    sys.exit("the setting is wrong")
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path.startswith("/health/") else 404)
        self.end_headers()
        with open(os.environ["LANGHOC_CLOCK_FILE"]) as clock:
            self.wfile.write(json.dumps({"clock_offset_seconds": int(clock.read())}).encode())
http.server.HTTPServer((os.environ["LANGHOC_HTTP_HOST"], int(os.environ["LANGHOC_HTTP_PORT"])), Health).serve_forever()
"""


def test_services_on_servers_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the services, since what is tested here is how they are kept."""
    project = tmp_path / "project"
    for service in SERVICES:
        (project / "services" / service).mkdir(parents=True)
        (project / "services" / service / "__main__.py").write_text(STAND_IN)
    (project / "services" / "__init__.py").touch()
    monkeypatch.setattr(supervisor, "PROJECT_ROOT", project)

    with start_servers(tmp_path / "servers") as servers:
        login = {f"LANGHOC_{name.upper()}": value for name, value in servers.kafka.settings.items()}
        external = login | {"LANGHOC_MONGO": servers.mongo, "OTEL_SDK_DISABLED": "true"}
        local = LocalPlatform(tmp_path / "state", environment=embedded_only() | external)
        try:
            platform = local.up(replicas=2, clock_offset=60).platform
            assert platform.embedded == ()
            assert platform.zipkin is None
            lines = {line.name: line for line in local.status()}
            assert all(line.ready for line in lines.values())
            assert [lines["kafka"].kind, lines["kafka"].address] == ["external", servers.kafka.bootstrap]
            assert len(lines) == 2 + 2 * len(SERVICES)
            log = local.logs("intake")[1].read_text()
            assert f"kafka {servers.kafka.bootstrap} as admin" in log
            intake, scoring = platform.services["intake"][1], platform.services["scoring"][0]
            assert goes_by(intake, 60)

            local.set_clock(-120)
            assert Platform.load(local.state).clock_offset == -120
            assert goes_by(intake, -120), "one clock, not several"
            assert goes_by(scoring, -120)
            now = {line.name: line for line in local.status()}
            assert {name: line.pid for name, line in now.items()} == {name: line.pid for name, line in lines.items()}

            local.restart("scoring-1")
            assert status_of(local, "scoring-1").pid != now["scoring-1"].pid
            assert status_of(local, "scoring-2").pid == now["scoring-2"].pid

            assert local.down()
            assert processes_of(local.state) == []
            assert kafka_answers(servers.kafka)

            (project / "broken").touch()
            with pytest.raises(StartFailed, match="the setting is wrong"):
                local.up()
            assert processes_of(local.state) == []
        finally:
            local.down()


def test_an_up_that_fails_says_where_and_leaves_nothing(local: LocalPlatform) -> None:
    (local.state / "data" / "mongod").mkdir(parents=True)
    (local.state / "data" / "mongod" / "storage.bson").write_text("not a database")
    with pytest.raises(StartFailed, match="mongod did not start") as caught:
        local.up(services=False)
    assert "fassert() failure" in caught.value.log_tail
    assert processes_of(local.state) == []
    assert not local.is_up()


def test_servers_for_tests_can_be_killed_frozen_and_restarted(tmp_path: Path) -> None:
    with start_servers(tmp_path) as servers:
        kafka, mongod = servers["kafka"], servers["mongod"]
        pids = [process.popen.pid for process in servers.values()]
        with MongoClient[dict[str, object]](servers.mongo) as client:
            client["harness"]["kept"].insert_one({"_id": 1})
            mongod.kill()
            assert not mongod.server.is_ready()
            mongod.restart()
            assert client["harness"]["kept"].count_documents({}) == 1
            # A fail point, as the fault tests set them.
            client.admin.command("configureFailPoint", "failCommand", mode="off")
        kafka.pause()
        assert not kafka_answers(servers.kafka)
        kafka.resume()
        wait_for(lambda: kafka_answers(servers.kafka))
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_data_are_served_on_another_port_and_though_every_password_was_lost(tmp_path: Path) -> None:
    with start_servers(tmp_path, kafka=False) as servers:
        before = servers.mongo
        with MongoClient[dict[str, object]](before) as client:
            client["harness"]["kept"].insert_one({"_id": 1})
    (tmp_path / "ports.json").unlink()
    shutil.rmtree(tmp_path / "secrets")
    with start_servers(tmp_path, kafka=False) as servers:
        assert servers.mongo != before
        assert mongo_answers(servers.mongo)
        with MongoClient[dict[str, object]](servers.mongo) as client:
            assert client["harness"]["kept"].count_documents({}) == 1


def test_data_that_were_left_open_are_served_to_who_has_a_password_alone(tmp_path: Path) -> None:
    """As an earlier version left them: no users, no key file, and moved to another port on the way."""
    port = choose_ports(["earlier"], tmp_path / "earlier.json")["earlier"]
    server = MongoDB(fetch.MONGOD.fetch(fetch.default_cache(), print), tmp_path / "mongod", port, Secrets(tmp_path))
    server.prepare()
    without = list(server.command)
    del without[without.index("--auth") : without.index("--auth") + 3]
    (tmp_path / "secrets" / "mongod.key").unlink()
    process = start_child(without, tmp_path / "earlier.log", {})
    try:
        with MongoClient[dict[str, object]](LOOPBACK, port, directConnection=True) as client:
            client.admin.command(
                "replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"{LOOPBACK}:{port}"}]}
            )
            wait_for(lambda: bool(client.admin.command("hello")["isWritablePrimary"]))
            client["harness"]["kept"].insert_one({"_id": 1})
    finally:
        process.terminate()
        process.wait()
    with start_servers(tmp_path, kafka=False) as servers:
        with MongoClient[dict[str, object]](servers.mongo) as client:
            assert client["harness"]["kept"].count_documents({}) == 1
        with (
            MongoClient[dict[str, object]](servers["mongod"].address) as nobody,
            pytest.raises(OperationFailure, match="requires authentication"),
        ):
            nobody["harness"]["kept"].find_one()


class OpenKafka(Kafka):
    """The node of a release that knew no logins."""

    def _configuration(self) -> str:
        logins = ("sasl.", "listener.name.", "connections.max", "authorizer.", "allow.everyone", "super.users")
        lines = super()._configuration().replace("SASL_PLAINTEXT", "PLAINTEXT").splitlines()
        return "\n".join(line for line in lines if not line.startswith(logins))

    def is_ready(self) -> bool:
        return kafka_answers(KafkaAccess(self.address))


async def test_data_of_a_release_without_logins_are_served_to_whoever_logs_in(tmp_path: Path) -> None:
    """Kafka takes nobody in on data that are formatted; and the folder of secrets may have been lost, too."""
    home = fetch.KAFKA.fetch(fetch.default_cache(), print)
    ports = choose_ports(SERVER_PORTS, tmp_path / "ports.json")
    open_node = OpenKafka(
        home, tmp_path / "kafka", ports["kafka"], ports["kafka-controller"], Secrets(tmp_path), fetch.find_java()
    )
    running = ServerProcess(open_node, tmp_path / "open.log")
    try:
        running.wait_ready()
        await apply_topics(KafkaAccess(open_node.address))
        async with AIOKafkaProducer(**KafkaAccess(open_node.address).options) as producer:
            await producer.send_and_wait("scores", b"kept")
    finally:
        running.stop()

    passwords = set()
    for _ in range(2):
        with start_servers(tmp_path, mongo=False) as servers:
            passwords.add(servers.kafka.password)
            for access in (servers.kafka, servers.kafka_as("funding")):
                async with AIOKafkaConsumer("scores", **access.options, auto_offset_reset="earliest") as consumer:
                    assert (await asyncio.wait_for(consumer.getone(), 60)).value == b"kept"
            nobody = AIOKafkaProducer(bootstrap_servers=servers.kafka.bootstrap, request_timeout_ms=2_000)
            with pytest.raises(KafkaConnectionError):
                await asyncio.wait_for(nobody.start(), 60)
            await nobody.stop()
        shutil.rmtree(tmp_path / "secrets")
    assert len(passwords) == 2
