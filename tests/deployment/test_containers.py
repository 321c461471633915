"""What the compose file says, played without containers: its Kafka and MongoDB, the job, and a service in production.

Their settings, arguments and environments are those of `deploy/compose`; only addresses, ports and folders are this
machine's, and MongoDB is the embedded version. The images themselves are not tried here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.compose.prepare import prepare
from deploy.local import fetch
from deploy.local.harness import start_child
from deploy.local.ports import choose_ports
from deploy.local.servers import kafka_answers
from shared.contracts.topics import all_topics
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import province_codes
from tests.compose import COMPOSE, HERE, ROOT, environment_of

pytestmark = pytest.mark.integration
PATIENCE_SECONDS = 120


class Machine:
    """The servers of the compose file as processes of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = choose_ports(["9092", "9093", "9094", "9095", "27017", "8080"], folder / "ports.json")
        prepare(folder, "localhost")

    def here(self, text: str) -> str:
        """A text of the compose file, with what is another here."""
        text = text.replace("/run/secrets", f"{self.folder}/secrets").replace("/run/mongod", str(self.folder))
        for name in ("kafka", "mongo"):
            text = text.replace(f"//{name}:", "//localhost:").replace(f"{name}:9", "localhost:9")
        for port, other in self.ports.items():
            text = text.replace(f":{port}", f":{other}")
        return text

    def environment(self, container: str) -> dict[str, str]:
        """What the compose file gives a container, here."""
        given = {name: self.here(value) for name, value in environment_of(container, LANGHOC_HOST="localhost").items()}
        mounts = (str(each).split(":")[:2] for each in COMPOSE["services"][container]["volumes"])
        inside = {self.here(place): str(self.folder / origin.removeprefix("./")) for origin, place in mounts}
        if "LANGHOC_SERVICES_SECRETS" in given:  # every folder lies where it is mounted from
            given["LANGHOC_SERVICES_SECRETS"] = str(self.folder / "secrets")
        return given | {"LANGHOC_SECRETS_DIR": inside[given["LANGHOC_SECRETS_DIR"]]}

    def run(self, container: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a container's command to its end."""
        command = [sys.executable, *COMPOSE["services"][container]["command"][1:]]
        environment = plain() | self.environment(container) | more
        return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=400, check=False)


def plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("LANGHOC_", "OTEL_"))}


def eventually(what: Callable[[], bool], why: Callable[[], str]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < until, why()
        time.sleep(0.2)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    made = Machine(tmp_path_factory.mktemp("containers"))
    with ExitStack() as stack:
        for start in (start_mongod, start_kafka):
            process = start(made)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        yield made


def start_kafka(machine: Machine) -> subprocess.Popen[bytes]:
    home = fetch.KAFKA.fetch(fetch.default_cache(), print)
    properties = machine.folder / "server.properties"
    said = machine.here((HERE / "kafka" / "server.properties").read_text(encoding="utf-8"))
    properties.write_text(said.replace("/var/lib/kafka/data", str(machine.folder / "kafka")), encoding="utf-8")
    java = [
        fetch.find_java(),
        "-Xmx384m",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        f"-Dlog4j2.configurationFile={ROOT}/deploy/local/kafka/log4j2.properties",
        "-cp",
        f"{home}/*",
    ]
    environment = {"LANGHOC_HOST": "localhost"}
    (script,) = COMPOSE["services"]["kafka"]["command"][2:]
    shell = machine.here(str(script)).replace("$$", "$").replace("/etc/langhoc/server.properties", str(properties))
    shell = shell.replace(
        f"{machine.folder}/secrets/admin_password", f"{machine.folder}/secrets/admin/langhoc_kafka_password"
    )
    for tool, main in (("kafka-storage.sh", "kafka.tools.StorageTool"), ("kafka-server-start.sh", "kafka.Kafka")):
        shell = shell.replace(f"/opt/kafka/bin/{tool}", " ".join(f"'{word}'" for word in (*java, main)))
    return start_child(["bash", "-c", shell], machine.folder / "kafka.log", environment)


def start_mongod(machine: Machine) -> subprocess.Popen[bytes]:
    """First as its image does: the administrator is made on new data, without logins."""
    mongod = str(fetch.MONGOD.fetch(fetch.default_cache(), print) / "mongod")
    data, log = machine.folder / "mongod", machine.folder / "mongod.log"
    data.mkdir()
    port = str(machine.ports["27017"])
    password = (machine.folder / "secrets/admin/langhoc_mongo_password").read_text()
    first = start_child([mongod, "--dbpath", str(data), "--port", port, "--bind_ip", "127.0.0.1"], log, {})
    client: MongoClient[dict[str, Any]]
    with MongoClient("127.0.0.1", int(port), directConnection=True, serverSelectionTimeoutMS=60_000) as client:
        client.admin.command("createUser", "admin", pwd=password, roles=["root"])
    first.terminate()
    first.wait()
    key = machine.folder / "key"
    shutil.copy(machine.folder / "secrets/mongod.key", key)
    key.chmod(0o400)
    arguments = [machine.here(each) for each in COMPOSE["services"]["mongo"]["command"][1:]]
    arguments = [each for each in arguments if each != "--bind_ip_all"]
    return start_child([mongod, *arguments, "--bind_ip=127.0.0.1", "--dbpath", str(data), "--port", port], log, {})


def access(machine: Machine, principal: str, *, port: str = "9092", ca: str = "ca.pem") -> KafkaAccess:
    password = (machine.folder / f"secrets/{principal}/langhoc_kafka_password").read_text()
    authority = machine.folder / "secrets" / "tls" / ca
    return KafkaAccess(f"localhost:{machine.ports[port]}", principal, password, "sasl_ssl", authority)


def test_the_job_makes_topics_logins_and_rights_and_a_service_starts_in_production(machine: Machine) -> None:
    done = machine.run("admitting")
    assert done.returncode == 0, done.stdout + done.stderr + (machine.folder / "kafka.log").read_text()[-3_000:]
    told = {line["event"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert told["admitting.kafka"]["topics_made"] == len(all_topics(province_codes()))
    assert told["admitting.set_formed"]["name"] == "rs0"

    again = machine.run("admitting")
    assert again.returncode == 0, again.stdout
    assert '"topics_made": 0' in again.stdout
    assert "set_formed" not in again.stdout

    assert kafka_answers(access(machine, "scoring"))
    assert kafka_answers(access(machine, "scoring", port="9095")), "the listener of portals"
    wrong = access(machine, "scoring", ca="kafka.crt")
    assert not kafka_answers(KafkaAccess(wrong.bootstrap, "scoring", wrong.password, "sasl_plaintext"))
    node = (machine.folder / "secrets/kafka/node_password").read_text()
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        from_outside = KafkaAccess(wrong.bootstrap, "node", node, "sasl_ssl", wrong.ca, mechanism)
        assert not kafka_answers(from_outside), "the node's own login is good on its loopback alone"

    started = ready(machine, "intake")
    assert {name for name, check in started["checks"].items() if not check["ok"]} == {"tokens"}, "no issuer runs here"
    assert started["instance"] == 1


def ready(machine: Machine, service: str) -> Mapping[str, Any]:
    """Start a service as the compose file does, and return what `/health/ready` says when it has started."""
    environment = plain() | machine.environment(service)
    # The embedded MongoDB is past its maker's support, which production refuses; all else is as in production.
    environment |= {"LANGHOC_MONGO_SUPPORTED_UNTIL": "2999-12-31", "LANGHOC_HTTP_PORT": str(machine.ports["8080"])}
    assert "LANGHOC_STAGE" not in environment
    log = machine.folder / f"{service}.log"
    command = [sys.executable, *COMPOSE["services"][service]["command"][1:]]
    process = start_child(command, log, environment)
    url = f"http://127.0.0.1:{machine.ports['8080']}/health"
    found: dict[str, Any] = {}

    def is_ready() -> bool:
        assert process.poll() is None, log.read_text()[-3_000:]
        try:
            assert httpx.get(f"{url}/live").status_code == 200
            found.update(httpx.get(f"{url}/ready", timeout=20).json())
        except httpx.HTTPError:
            return False
        return all(found["checks"][name]["ok"] for name in ("started", "assignment", "database"))

    try:
        eventually(is_ready, lambda: str(found) + log.read_text()[-3_000:])
    finally:
        process.terminate()
        assert process.wait(40) in (0, -signal.SIGTERM)
    return found


def test_mongodb_lets_in_nobody_without_tls_or_a_password(machine: Machine) -> None:
    port, ca = machine.ports["27017"], str(machine.folder / "secrets/tls/ca.pem")
    client: MongoClient[dict[str, Any]]
    with (
        MongoClient("localhost", port, directConnection=True, serverSelectionTimeoutMS=3_000) as client,
        pytest.raises(PyMongoError),
    ):
        client.admin.command("ping")
    with (
        MongoClient("localhost", port, directConnection=True, tls=True, tlsCAFile=ca) as client,
        pytest.raises(OperationFailure),
    ):
        client["langhoc_intake"]["receipts"].find_one()
