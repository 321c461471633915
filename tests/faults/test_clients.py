"""What `langhoc client` hands out works on a real broker as printed; what it takes back is out, connections too."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from aiokafka.protocol.metadata import MetadataRequest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from typer.testing import CliRunner

from cli.main import app
from cli.publishing import Message, Portal
from deploy.local import fetch
from deploy.local.harness import Servers, start_servers
from deploy.local.secrets import Secrets
from deploy.local.servers import Kafka
from deploy.principals import Principals, PrincipalsRefused, principals_of
from shared.contracts.catalogue import EventType
from shared.contracts.quotas import Quota, quota
from shared.contracts.rights import SERVICES, rights
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import apply_topics

pytestmark = [pytest.mark.integration, pytest.mark.faults]
RELOGIN_SECONDS = 3
Langhoc = Callable[..., str]


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A broker whose users this module makes and removes, where a login is good for a few seconds."""
    with start_servers(tmp_path_factory.mktemp("clients"), mongo=False, relogin_seconds=RELOGIN_SECONDS) as running:
        asyncio.run(apply_topics(running.kafka))
        yield running


def environment_of(servers: Servers) -> dict[str, str]:
    """That names this Kafka and its administrator."""
    return {f"LANGHOC_{name.upper()}": value for name, value in servers.kafka.settings.items()}


@pytest.fixture
def langhoc(own_servers: Servers) -> Langhoc:
    """The command of the administrator of a Kafka that the environment names."""
    environment = environment_of(own_servers)

    def run(*arguments: str, fails: bool = False) -> str:
        done = CliRunner(env={**environment, "COLUMNS": "80"}).invoke(app, list(arguments))
        assert (done.exit_code != 0) is fails, done.output
        return done.stderr if fails else done.stdout

    return run


@pytest.fixture
def province(langhoc: Langhoc, request: pytest.FixtureRequest) -> Iterator[str]:
    """A province that has no login yet, and none afterwards."""
    code = request.param
    yield code
    langhoc("client", "revoke", "--province", code)


def of_python(printed: str) -> dict[str, Any]:
    """What a developer's program has that the printed text was copied into."""
    namespace: dict[str, Any] = {}
    exec(printed, namespace)
    found: dict[str, Any] = namespace["kafka"]
    return found


@pytest.mark.parametrize("province", ["46"], indirect=True)
async def test_what_is_printed_for_python_sends_and_reads_and_no_more(langhoc: Langhoc, province: str) -> None:
    kafka = of_python(await asyncio.to_thread(langhoc, "client", "create", "--province", province, "--form", "python"))
    producer = AIOKafkaProducer(**kafka, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        sent = await producer.send_and_wait(f"submissions.{province}", b"{}", b"k")
        assert sent.topic == "submissions.46"
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait("submissions.01", b"{}", b"k")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(f"receipts.{province}", **kafka, group_id=f"province-{province}.portal")
    await consumer.start()
    try:
        await consumer.commit({TopicPartition(f"receipts.{province}", 0): 0})
    finally:
        await consumer.stop()


@pytest.mark.parametrize("province", ["48"], indirect=True)
def test_what_is_printed_for_java_is_read_by_kafkas_own_client(
    own_servers: Servers, langhoc: Langhoc, province: str, tmp_path: Path
) -> None:
    """It logs in, and is told what it may not do."""
    file = tmp_path / "client.properties"

    def asked() -> str:
        return subprocess.run(
            [
                fetch.find_java(),
                *("-cp", f"{fetch.KAFKA.fetch(fetch.default_cache(), print)}/*", "kafka.admin.ConfigCommand"),
                *("--bootstrap-server", own_servers.kafka.bootstrap, "--command-config", str(file)),
                *("--describe", "--entity-type", "topics", "--entity-name", "submissions.48"),
            ],
            capture_output=True,
            text=True,
        ).stderr

    file.write_text(langhoc("client", "create", "--province", province, "--form", "java"))
    assert "TopicAuthorizationException" in asked()
    langhoc("client", "rotate", "--province", province)
    assert "SaslAuthenticationException" in asked()


async def connected(kafka: KafkaAccess) -> AIOKafkaConnection:
    """A bare connection, logged in, by a library that does not log in again on it."""
    host, port = kafka.bootstrap.split(":")
    options = {key: value for key, value in kafka.options.items() if key != "bootstrap_servers"}
    return await create_conn(host, int(port), client_id="bare", request_timeout_ms=5_000, **options)


async def answered_for(connection: AIOKafkaConnection, seconds: float) -> bool:
    """Whether it is answered on, over and over, for this long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            await connection.send(MetadataRequest([]))
        except (KafkaError, OSError):
            return False
        await asyncio.sleep(0.1)
    return True


async def test_a_revoked_client_is_out_and_the_others_go_on(own_servers: Servers, langhoc: Langhoc) -> None:
    """It may do nothing at once, its open connection is cut though it is in use, and no new one comes about."""
    accesses = {}
    for code in ("51", "52"):
        kafka = of_python(await asyncio.to_thread(langhoc, "client", "create", "--province", code, "--form", "python"))
        accesses[code] = KafkaAccess(
            own_servers.kafka.bootstrap, f"province-{code}", kafka["sasl_plain_password"], own_servers.kafka.security
        )
    bare = await connected(accesses["51"])
    messages = {code: Message(code, "k", EventType.ENVELOPE_SUBMITTED, b"{}") for code in accesses}
    async with Portal(accesses["51"]) as revoked, Portal(accesses["52"]) as kept:
        for code, portal in (("51", revoked), ("52", kept)):
            assert len(await portal.publish([messages[code]])) == 1
        said = await asyncio.to_thread(langhoc, "client", "revoke", "--province", "51")
        assert "no login and no rights any more" in said
        with pytest.raises(TopicAuthorizationFailedError):
            await revoked.publish([messages["51"]])
        assert not await answered_for(bare, 60)
        assert not bare.connected()
        with pytest.raises(KafkaError):
            await connected(accesses["51"])
        # The one who stays has been cut off as well meanwhile, for its login was as old; it logs in again.
        assert len(await kept.publish([messages["52"]])) == 1
        (await connected(accesses["52"])).close()
    await asyncio.to_thread(langhoc, "client", "revoke", "--province", "52")


async def test_nobody_has_memory_set_aside_by_announcing_much(own_servers: Servers) -> None:
    """A broker sets aside what a request announces: by default 100 MB for four bytes, and eight connections stop it."""
    connection = await connected(own_servers.kafka_as("funding"))
    try:
        connection._writer.write((100_000_000).to_bytes(4))
        async with asyncio.timeout(RELOGIN_SECONDS - 1):
            await asyncio.wait([connection._read_task])  # ends with the connection
    finally:
        connection.close()


def test_a_connection_is_good_for_less_than_a_minute_by_default(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "meta.properties").touch()  # formatted already, so no Java is needed here
    Kafka(tmp_path, tmp_path, 9092, 9093, Secrets(tmp_path)).prepare()
    assert "connections.max.reauth.ms=45000" in (tmp_path / "server.properties").read_text().splitlines()


@pytest.mark.parametrize("province", ["56"], indirect=True)
def test_a_client_has_the_quota_of_its_kind_and_the_broker_holds_it(
    own_servers: Servers, langhoc: Langhoc, province: str
) -> None:
    today = datetime.now(UTC).date()
    langhoc("client", "create", "--province", province)
    langhoc("client", "create", "--treasury")
    with principals_of(own_servers.kafka) as principals:
        found = principals.quotas()
        assert found[f"province-{province}"] == quota(f"province-{province}", today)
        assert found["treasury"] == quota("treasury", today)
        assert not found.keys() & set(SERVICES)
        # Changed by hand it is mended by whoever applies the contracts, as are rights.
        principals.limit({"treasury": Quota(written_bytes=2_048, read_bytes=2_048, request_percent=1)})
        principals.withdraw("treasury", rights("treasury"))
        principals.grant("treasury", rights("province-01"))
        everything = ResourcePattern(ResourceType.TOPIC, "people", ACLResourcePatternType.LITERAL)
        principals._create({ACL("User:treasury", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, everything)})
        shown = langhoc("client", "list")
        assert "2 / 2 KiB" in shown
        assert "lacking: budgets" in " ".join(shown.split())
        told = {each["principal"]: each["rights"] for each in json.loads(langhoc("client", "list", "--format", "json"))}
        assert told["treasury"].startswith(
            "lacking: budgets, treasury.; more: alerts.01, all topic people, province-01."
        )
        langhoc("topics", "apply", "--replication", "1")
        assert principals.quotas() == found
        assert principals.rights_of("treasury") == rights("treasury")
    assert langhoc("client", "list").count("as agreed") == 2
    langhoc("client", "revoke", "--treasury")
    assert "treasury" not in langhoc("client", "list", "--format", "json")


def followed(holds: Callable[[], bool]) -> None:
    """Brokers follow the controller within moments."""
    while not holds():
        time.sleep(0.05)


def test_what_somebody_gave_to_everybody_is_shown_named_and_taken_away(own_servers: Servers, langhoc: Langhoc) -> None:
    literal, prefixed = ACLResourcePatternType.LITERAL, ACLResourcePatternType.PREFIXED
    given = {
        "read topic *": ResourcePattern(ResourceType.TOPIC, "*", literal),
        "all topic submissions.*": ResourcePattern(ResourceType.TOPIC, "submissions.", prefixed),
        "read group langhoc-scoring": ResourcePattern(ResourceType.GROUP, "langhoc-scoring", literal),
        "alter cluster kafka-cluster": ResourcePattern(ResourceType.CLUSTER, "kafka-cluster", literal),
        "read topic of.others": ResourcePattern(ResourceType.TOPIC, "of.others", literal),
    }
    everybodys = {
        ACL("User:*", "*", ACLOperation[name.split(" ")[0].upper()], ACLPermissionType.ALLOW, of)
        for name, of in given.items()
    }
    ours = given.keys() - {"read topic of.others"}
    with principals_of(own_servers.kafka) as principals:
        before = {service: principals.rights_of(service) for service in SERVICES}
        principals._create(everybodys)
        followed(lambda: principals.rights_of_everybody() == ours)
        shown = CliRunner(env=environment_of(own_servers)).invoke(app, ["client", "list"])
        assert "Everybody who can log in has the right: read topic *" in shown.stderr
        said = langhoc("topics", "apply", "--replication", "1")
        assert [name for name in ours if name not in " ".join(said.split())] == []
        followed(lambda: not principals.rights_of_everybody())
        assert {service: principals.rights_of(service) for service in SERVICES} == before
        (left,) = principals._acls("User:*")
        assert left.resource_pattern.resource_name == "of.others", "what is not ours is nobody's concern here"
        principals._delete({left})
    assert "everybody" not in langhoc("topics", "apply", "--replication", "1")


def test_a_login_is_never_given_twice_nor_to_a_stranger(own_servers: Servers, langhoc: Langhoc) -> None:
    langhoc("client", "create", "--province", "66")
    with principals_of(own_servers.kafka) as principals:
        before = principals.logins()
        assert "has a login already" in langhoc("client", "create", "--province", "66", fails=True)
        assert "has no login yet" in langhoc("client", "rotate", "--province", "68", fails=True)
        # A service's login is made as a client's is, on a Kafka that is not this machine's own.
        assert "has a login already" in langhoc("client", "create", "--service", "intake", fails=True)
        assert principals.logins() == before
        assert "no rights any more" in langhoc("client", "revoke", "--province", "66")
        assert "has no login and no rights." in langhoc("client", "revoke", "--province", "66")
        assert principals.logins() == before - {"province-66"}
        assert principals.rights_of("province-66") == set()


def test_no_password_outlives_a_rotation_or_a_revocation(own_servers: Servers, langhoc: Langhoc) -> None:
    """A broker lets in by SCRAM-SHA-256 too, where somebody set such a password beside ours."""
    with principals_of(own_servers.kafka) as principals:

        def kinds() -> list[int]:
            told = principals._client.describe_user_scram_credentials().get("province-38")
            return [int(each["mechanism"]) for each in told["credential_infos"]] if told else []

        langhoc("client", "create", "--province", "38")
        weaker = UserScramCredentialUpsertion("province-38", ScramMechanism.SCRAM_SHA_256, "known to many")
        for order, left in (("rotate", [int(ScramMechanism.SCRAM_SHA_512)]), ("revoke", [])):
            principals._client.alter_user_scram_credentials([weaker])
            followed(lambda: len(kinds()) == 2)
            langhoc("client", order, "--province", "38")
            assert kinds() == left


def test_a_revocation_that_breaks_off_is_not_undone_by_who_applies_the_contracts(
    own_servers: Servers, langhoc: Langhoc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise PrincipalsRefused("the controller is away")

    langhoc("client", "create", "--province", "42")
    with monkeypatch.context() as broken:
        broken.setattr(Principals, "settle", cut)
        assert "is away" in langhoc("client", "revoke", "--province", "42", fails=True)
    langhoc("topics", "apply", "--replication", "1")
    langhoc("client", "revoke", "--province", "42")
    with principals_of(own_servers.kafka) as principals:
        assert "province-42" not in principals.logins()
        assert principals.rights_of("province-42") == set()


@pytest.mark.parametrize(
    "order", [("client", "create", "--province", "82"), ("client", "revoke", "--province", "01"), ("client", "list")]
)
def test_who_is_no_administrator_is_told_so(own_servers: Servers, order: tuple[str, ...]) -> None:
    with principals_of(own_servers.kafka) as principals:
        before = principals.logins()
        login = own_servers.kafka_as("funding").settings
        environment = {f"LANGHOC_{name.upper()}": value for name, value in login.items()}
        done = CliRunner(env=environment).invoke(app, list(order))
        assert (done.exit_code, "funding is no administrator" in done.stderr) == (1, True), done.output
        assert principals.logins() == before
