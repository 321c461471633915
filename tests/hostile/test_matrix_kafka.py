"""Who may do what on Kafka: every principal tries every act on a real broker, by bare requests.

What was found stands in `docs/matrix-kafka.md`, which is compared; where it differs, the message has the text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import (
    AlterConfigsRequest,
    CreateAclsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteGroupsRequest,
    DeleteRecordsRequest,
    DeleteTopicsRequest,
    DescribeAclsRequest,
    DescribeConfigsRequest,
)
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import JoinGroupRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.struct import Struct
from aiokafka.protocol.types import Array, Schema
from kafka.errors import KafkaError as RefusedByKafka

from cli.clients import surely_in
from deploy.local.harness import Servers, start_servers
from deploy.local.servers import ADMIN
from deploy.local.state import PROJECT_ROOT
from deploy.principals import PrincipalsRefused, principals_of
from shared.contracts.quotas import Quota
from shared.contracts.rights import SERVICES, Right
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.topics import apply_topics

pytestmark = pytest.mark.integration
EXPECTED = yaml.safe_load((Path(__file__).parent / "rights" / "kafka.yaml").read_text(encoding="utf-8"))
TOPICS, GROUPS = EXPECTED["topics"], EXPECTED["groups"]
TABLE = PROJECT_ROOT / "docs" / "matrix-kafka.md"
CLIENTS = ("province-01", "treasury")
STRANGER = "stranger"
"""Somebody who may log in and was given nothing."""
PRINCIPALS = (*CLIENTS, *SERVICES, STRANGER)
FORBIDDEN = {29, 30, 31, 53}
"""Kafka's codes for: not this topic, not this group, not the cluster, not this transaction."""
Act = Callable[[str], Any]

ON_TOPICS: dict[str, Act] = {
    "describe": lambda topic: MetadataRequest([topic]),
    # Bytes that are no batch: who may write is told so, and nothing is written.
    "write": lambda topic: ProduceRequest(None, -1, 5_000, [(topic, [(0, b"no batch")])]),
    "read": lambda topic: FetchRequest(0, 0, 1_000, 0, [(topic, [(0, 0, 1_000)])]),
}
ADMINISTRATION: dict[str, Act] = {
    "look at its settings": lambda topic: DescribeConfigsRequest([(2, topic, None)]),
    "change its settings": lambda topic: AlterConfigsRequest([(2, topic, [("retention.ms", "1")])]),
    "add partitions": lambda topic: CreatePartitionsRequest([(topic, (99, None))], 5_000, False),
    "delete its records": lambda topic: DeleteRecordsRequest([(topic, [(0, -1)])], 5_000),
    "delete it": lambda topic: DeleteTopicsRequest([topic], 5_000),
}
ON_GROUPS: dict[str, Act] = {
    "look for": lambda group: FindCoordinatorRequest(group, 0),
    # With a session that is too short: who may join is told so, and nobody joins.
    "join": lambda group: JoinGroupRequest(group, 1, 1, "", "", "consumer", [("range", b"")]),
}
ON_GROUPS_NOBODY: dict[str, Act] = {"delete": lambda group: DeleteGroupsRequest([group])}
ON_THE_CLUSTER: dict[str, Act] = {
    "make a topic": lambda me: CreateTopicsRequest([(f"of-{me}", 1, 1, [], [])], 5_000, False),
    "make a topic in a family": lambda me: CreateTopicsRequest([("submissions.97", 1, 1, [], [])], 5_000, False),
    "give itself a right": lambda me: CreateAclsRequest(2, "scores", 3, f"User:{me}", "*", 4, 3),
    "see who has rights": lambda me: DescribeAclsRequest(1, None, 1, None, None, 1, 1),
    "change the broker's settings": lambda me: AlterConfigsRequest([(4, "1", [("log.retention.ms", "1")])]),
    "look at the broker's settings": lambda me: DescribeConfigsRequest([(4, "1", None)]),
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """As `langhoc up` leaves it, with two provinces' portals, the treasury, and a stranger."""
    with start_servers(tmp_path_factory.mktemp("matrix"), mongo=False) as running:
        asyncio.run(apply_topics(running.kafka))
        with principals_of(running.kafka) as principals:
            clients = {*CLIENTS, "province-04"}
            principals.apply(clients)
            everybody = {*clients, STRANGER}
            principals.admit({each: running.secrets.password(each, "kafka") for each in everybody})
        for each in sorted(everybody | {*SERVICES}):
            surely_in(running.kafka_as(each))
        yield running


async def ask(client: AIOKafkaClient, request: Any) -> bool:
    """Whether it is not forbidden; that it is wrong in another way is no refusal."""
    try:
        answer = await client.send(client.get_random_node(), request)
    except KafkaError as error:
        codes = {error.errno}
    else:
        codes = set(codes_in(answer.SCHEMA, answer))
    assert codes, f"{request}: no verdict"
    return not codes & FORBIDDEN


def codes_in(schema: Schema, answer: Any) -> Iterator[int]:
    """All error codes of an answer, or of a part of one."""
    for number, (name, kind) in enumerate(zip(schema.names, schema.fields, strict=True)):
        value = answer.get_item(name) if isinstance(answer, Struct) else answer[number]
        if isinstance(kind, Array) and isinstance(kind.array_of, Schema):
            for each in value or ():
                yield from codes_in(kind.array_of, each)
        elif name == "error_code":
            yield value


Found = dict[tuple[str, str], set[str]]
"""Who may, by act and what it is done to."""


@pytest.fixture(scope="module")
def found(broker: Servers) -> Found:
    async def run() -> Found:
        may: Found = {}
        for principal in (*PRINCIPALS, ADMIN):
            client = AIOKafkaClient(**broker.kafka_as(principal).options, request_timeout_ms=15_000)
            await client.bootstrap()
            acts = [(act, make, name) for name in TOPICS for act, make in ON_TOPICS.items()]
            acts += [(act, make, name) for name in GROUPS for act, make in ON_GROUPS.items()]
            if principal != ADMIN:  # who could really do it
                acts += [(act, make, name) for name in TOPICS for act, make in ADMINISTRATION.items()]
                acts += [(act, make, name) for name in GROUPS for act, make in ON_GROUPS_NOBODY.items()]
                acts += [(act, make, "") for act, make in ON_THE_CLUSTER.items()]
            try:
                for act, make, name in acts:
                    allowed = may.setdefault((act, name), set())
                    if await ask(client, make(name or principal)):
                        allowed.add(principal)
            finally:
                await client.close()
        return may

    return asyncio.run(run())


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_are_written_and_read_by_whom_the_contracts_name(found: Found, topic: str) -> None:
    agreed = {act: set(TOPICS[topic][act]) for act in ("write", "read")}
    for act in ("write", "read"):
        assert found[act, topic] - {ADMIN} == agreed[act], act
    assert found["describe", topic] - {ADMIN} == agreed["write"] | agreed["read"]
    assert ADMIN in found["write", topic] & found["read", topic]


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_is_joined_by_whose_it_is(found: Found, group: str) -> None:
    assert found["join", group] - {ADMIN} == found["look for", group] - {ADMIN} == set(GROUPS[group])
    assert found["delete", group] == set()


@pytest.mark.parametrize("act", ADMINISTRATION)
def test_topics_are_administered_by_the_administrator_alone(found: Found, act: str) -> None:
    assert {topic: who for topic in TOPICS if (who := found[act, topic])} == {}


@pytest.mark.parametrize("act", ON_THE_CLUSTER)
def test_the_cluster_is_administered_by_the_administrator_alone(found: Found, act: str) -> None:
    assert found[act, ""] == set()


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_nobody_makes_logins_or_lifts_quotas(broker: Servers, principal: str) -> None:
    with principals_of(broker.kafka) as principals:
        logins, quotas, rights = principals.logins(), principals.quotas(), principals.rights_of(principal)
        with principals_of(broker.kafka_as(principal)) as own:
            attempts: tuple[Callable[[], object], ...] = (
                lambda: own.admit({ADMIN: "mine"}),
                lambda: own.admit({"another-me": "mine"}),
                lambda: own.limit({principal: None}),
                lambda: own.limit({"province-04": Quota(written_bytes=1_024, read_bytes=1_024, request_percent=1)}),
                lambda: own.grant(principal, {Right("topic", "", True, "write")}),
            )
            for attempt in attempts:
                with pytest.raises((PrincipalsRefused, RefusedByKafka), match=r"(?i)authoriz|permission"):
                    attempt()
        assert (principals.logins(), principals.quotas(), principals.rights_of(principal)) == (logins, quotas, rights)


@pytest.mark.parametrize("login", EXPECTED["logins"], ids=lambda login: str(login["name"]))
async def test_who_is_let_in(broker: Servers, login: dict[str, Any]) -> None:
    password = (
        broker.secrets.password(login["password_of"], "kafka") if "password_of" in login else login.get("password")
    )
    security = login.get("security", broker.kafka.security)
    mechanism = login.get("mechanism", "SCRAM-SHA-512")
    access = KafkaAccess(broker.kafka.bootstrap, login.get("user"), password, security, mechanism=mechanism)
    client = AIOKafkaClient(**access.options, request_timeout_ms=5_000)
    try:
        await client.bootstrap()
        let_in = True
    except (KafkaError, OSError, ValueError):
        let_in = False
    finally:
        await client.close()
    assert let_in is login.get("let_in", False)


def test_the_table_is_what_was_found(found: Found) -> None:
    text = written(found)
    assert TABLE.read_text(encoding="utf-8") == text, f"{TABLE} must be:\n{text}"


def written(found: Found) -> str:
    """The tables as Markdown."""
    columns = (*PRINCIPALS, ADMIN)

    def row(name: str, cells: list[str]) -> str:
        return f"| {name} | {' | '.join(cells)} |"

    head = [row("", list(columns)), "|---" * (len(columns) + 1) + "|"]
    lines = [
        "# Who may do what on Kafka",
        "",
        "Found by `tests/hostile/test_matrix_kafka.py`, which tries every act in everybody's name on a real broker,",
        "as `langhoc up` leaves it; what ought to come of it stands, by hand, in `tests/hostile/rights/kafka.yaml`.",
        "The *stranger* may log in and was given nothing; 04 is another province.",
        "",
        "Topics: **w** writes, **r** reads; who does neither is not even told whether it exists.",
        "",
        *head,
    ]
    for topic in TOPICS:
        letters = ["".join(act[0] for act in ("write", "read") if who in found[act, topic]) or "–" for who in columns]
        lines.append(row(f"`{topic}`", letters))
    lines += ["", "Consumer groups that are joined, and may be looked for:", "", *head]
    for group in GROUPS:
        lines.append(row(f"`{group}`", ["yes" if who in found["join", group] else "–" for who in columns]))
    lines += [
        "",
        "What the administrator alone does, and was not tried in its name; on every topic and group above:",
        "",
        *head,
    ]
    for acts, names, kind in (
        (ADMINISTRATION, TOPICS, "a topic: "),
        (ON_GROUPS_NOBODY, GROUPS, "a group: "),
        (ON_THE_CLUSTER, [""], ""),
    ):
        for act in acts:
            who_may = set().union(*(found[act, name] for name in names))
            lines.append(row(f"{kind}{act}", ["yes" if who in who_may else "–" for who in PRINCIPALS] + ["(yes)"]))
    lines += ["", "Who is let in:", "", "| login | let in |", "|---|---|"]
    lines += [f"| {login['name']} | {'yes' if login.get('let_in') else '–'} |" for login in EXPECTED["logins"]]
    return "\n".join(lines) + "\n"
