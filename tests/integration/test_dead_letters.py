"""Dead letters on real Kafka and MongoDB, through the HTTP side of a service that is broken and later mended."""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from opentelemetry.sdk.trace import TracerProvider
from pymongo import MongoClient

from deploy.local.harness import Servers
from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from shared.contracts.catalogue import EventType
from shared.messaging.access import KafkaAccess
from shared.messaging.messages import derived_id
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.mongo.connect import connect
from shared.web import build_app
from tests.probe import POISON, Probe
from tests.unit.delivery_samples import Stored
from tests.unit.test_waiting_letters import Older

pytestmark = pytest.mark.integration
BINARY = b"\xff\xfe binary"


class Service:
    """The probe as a whole service in this process: consumer, relay, database and HTTP side, topics of its own."""

    def __init__(self, probe: Probe, new: Callable[[], Runtime], token: str, producer: AIOKafkaProducer) -> None:
        self.probe = probe
        self._new = new
        self._headers = {"Authorization": f"Bearer {token}"}
        self._producer = producer

    async def start(self) -> None:
        """Start, or start again: a new runtime on the same topics and database."""
        self.runtime = self._new()
        transport = httpx.ASGITransport(build_app(self.runtime, [], title="probe", provider=TracerProvider()))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://probe", headers=self._headers)
        await self.runtime.start()

    async def stop(self) -> None:
        await self.http.aclose()
        await self.runtime.stop()

    async def publish(self, *records: Stored) -> None:
        """Append to the topic and wait until all of it was read and sent on."""
        for each in records:
            await self._producer.send_and_wait(each.topic, each.value, key=each.key, headers=list(each.headers))
        await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is on its way, seen twice: a record may lie between fetch and handler."""
        give_up = time.monotonic() + 60
        quiet = 0
        while quiet < 2:
            flow = await self.runtime.flow()
            assert time.monotonic() < give_up, flow
            quiet = 0 if flow.lag or flow.outbox or flow.busy else quiet + 1
            await asyncio.sleep(0.1)

    async def get(self, path: str = "", **query: Any) -> Any:
        response = await self.http.get(f"/dead-letters{path}", params=query)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, letter_id: str, action: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/dead-letters/{letter_id}/{action}", json=body)

    async def kept(self) -> dict[str, int]:
        """Version of each province's envelope."""
        return {row["_id"]: row["version"] for row in await self.runtime.mongo.find("envelopes", {})}


@pytest.fixture
async def service(
    servers: Servers, topics: KafkaAccess, producer: AIOKafkaProducer, tmp_path: Path
) -> AsyncIterator[Service]:
    world = uuid.uuid4().hex[:8]
    probe = Probe(f"{world}.in", f"{world}.out")
    admin = AIOKafkaAdminClient(**topics.options)
    await admin.start()
    timestamps = {"message.timestamp.type": "LogAppendTime"}
    names = [f"{world}.in", f"{world}.out"]
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=timestamps) for name in names])
    ensure_signing_key(tmp_path)
    settings = ServiceSettings(
        **topics.settings,
        stage="local",
        mongo=servers.mongo,
        jwks=str(jwks_path(tmp_path)),
        group_prefix=f"{world}-",
        lease_seconds=14,
    )

    def new() -> Runtime:
        mongo = connect("motor", servers.mongo, world)
        return Runtime("probe", settings, mongo, probe.consumer, migrate=_nothing_to_migrate)

    service = Service(probe, new, issue_token(tmp_path, "an", "ministry"), producer)
    await service.start()
    yield service
    await service.stop()
    await admin.delete_topics(names)
    await admin.close()
    with MongoClient[dict[str, Any]](servers.mongo) as client:
        client.drop_database(world)


async def _nothing_to_migrate(mongo: Mongo) -> None:
    pass


async def published(servers: Servers, topic: str) -> list[str]:
    """The event ids on a topic."""
    consumer = AIOKafkaConsumer(topic, **servers.kafka.options, auto_offset_reset="earliest")
    await consumer.start()
    try:
        (partition,) = consumer.assignment()
        end = (await consumer.end_offsets([partition]))[partition]
        found = []
        while await consumer.position(partition) < end:
            record = await consumer.getone()
            found.append(dict(record.headers)["ce_id"].decode())
        return found
    finally:
        await consumer.stop()


async def test_poison_is_kept_its_neighbours_pass_and_people_decide(service: Service, servers: Servers) -> None:
    probe = service.probe
    binary = probe.record(1, province="02", more={"traceparent": BINARY})
    poison = probe.record(2, POISON, province="03")
    await service.publish(
        probe.record(0, province="01"), binary, poison, probe.record(3, province="04"), probe.record(4, province="05")
    )

    # The neighbours passed; both records are there, with every byte and the reason.
    assert await service.kept() == {"01": 1, "04": 1, "05": 1}
    unreadable, failed = (await service.get())["items"]
    assert [(letter["position"], letter["reason"], letter["attempts"]) for letter in (unreadable, failed)] == [
        (f"{probe.topic}/0@1", "bad_header", 1),
        (f"{probe.topic}/0@2", "handler_failed", 1),
    ]
    shown = await service.get(f"/{unreadable['id']}")
    assert base64.b64decode(shown["value"]["base64"]) == binary.value
    assert base64.b64decode(dict(shown["headers"])["traceparent"]["base64"]) == BINARY
    assert (await service.http.get("/flow")).json()["dead_letters"] == 2

    # Before the program is mended a replay fails again, and the attempt is counted.
    again = await service.post(failed["id"], "replay", why="was it the network?")
    assert (again.status_code, again.json()["verdict"], again.json()["attempts"]) == (200, "failed", 2)
    assert "ZeroDivisionError" in again.json()["detail"]

    # Mended: rehearsed without effect, then by several operators at the same moment with one effect.
    probe.mended = True
    told = (await service.post(failed["id"], "replay", dry_run=True)).json()
    assert (told["verdict"], told["writes"][0]["id"]) == ("handled", "03")
    assert "03" not in await service.kept()
    answers = await asyncio.gather(*(service.post(failed["id"], "replay", why=f"fix {n}") for n in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    await service.settle()
    event_id = derived_id("/langhoc/intake#2", 0)
    assert (await published(servers, f"{probe.topic.removesuffix('in')}out")).count(event_id) == 1
    assert (await service.kept())["03"] == 1

    # What came once does not come twice: not the same event again, not another replay.
    await service.publish(poison)
    assert (await service.post(failed["id"], "replay")).json()["code"] == "not_open"
    assert len(await published(servers, f"{probe.topic.removesuffix('in')}out")) == 4

    # The other one is nobody's fault of ours: discarded, with a reason or not at all.
    assert (await service.post(unreadable["id"], "discard")).json()["code"] == "reason_missing"
    discarded = await service.post(unreadable["id"], "discard", why="the sender published it again as 9")
    assert (discarded.status_code, discarded.json()["state"]) == (200, "discarded")
    assert (await service.get())["items"] == []
    assert (await service.http.get("/flow")).json()["dead_letters"] == 0
    assert (await service.get(f"/{unreadable['id']}"))["value"] == shown["value"]

    # All of it is on record.
    entries = (await service.get("/actions"))["items"]
    results = [entry["result"] for entry in entries if entry["letter"] == failed["id"]]
    assert results[0] == "failed"
    assert results.count("handled") == 1
    assert len([result for result in results if result.startswith("refused: ")]) == 5
    assert [entry["result"] for entry in entries if entry["letter"] == unreadable["id"]] == [
        "refused: reason_missing",
        "discarded",
    ]
    (effective,) = [entry for entry in entries if entry["result"] == "handled"]
    assert (effective["who"], effective["why"][:4]) == ("local:an", "fix ")
    before, after = effective["before"], effective["after"]
    assert (before["state"], before["attempts"], after["state"], after["attempts"]) == ("open", 2, "replayed", 3)


async def test_an_old_event_replayed_after_a_newer_one_changes_nothing(service: Service) -> None:
    probe = service.probe
    await service.publish(probe.record(0, POISON, version=1), probe.record(1, version=2))
    (letter,) = (await service.get())["items"]
    probe.mended = True

    answer = (await service.post(letter["id"], "replay")).json()

    assert (answer["verdict"], answer["state"], answer["writes"], answer["events"]) == ("stale", "replayed", [], [])
    assert await service.kept() == {"04": 2}


async def test_what_an_older_release_does_not_know_is_read_by_the_next_one(service: Service) -> None:
    """The producer was upgraded first; nobody has to do anything, and what came after it stands."""
    probe, older = service.probe, Older(EventType.ENVELOPE_ACCEPTED)
    try:
        await service.publish(probe.record(0, version=1), probe.record(1, province="05"))
        flow = (await service.http.get("/flow")).json()
        assert (flow["dead_letters"], flow["dead_letters_waiting"], await service.kept()) == (0, 2, {})
    finally:
        older.upgraded()
    await service.publish(probe.record(2, version=2))

    await service.stop()
    await service.start()
    await service.settle()

    assert await service.kept() == {"04": 2, "05": 1}
    flow = (await service.http.get("/flow")).json()
    assert (flow["dead_letters"], flow["dead_letters_waiting"]) == (0, 0)
    entries = (await service.get("/actions"))["items"]
    assert [(each["who"], each["result"]) for each in entries] == [("service", "stale"), ("service", "handled")]


async def test_replays_and_deliveries_of_the_same_aggregate_at_the_same_time(service: Service) -> None:
    """Write conflicts between operators and the consumer end in one order or another, never in a lost version."""
    probe = service.probe
    await service.publish(*(probe.record(n, POISON, version=n + 1) for n in range(8)))
    letters = (await service.get())["items"]
    assert len(letters) == 8
    probe.mended = True

    answers, _ = await asyncio.gather(
        asyncio.gather(*(service.post(letter["id"], "replay") for letter in letters)),
        service.publish(*(probe.record(n, version=n + 1) for n in range(8, 40))),
    )

    assert [answer.status_code for answer in answers] == [200] * 8
    assert {answer.json()["verdict"] for answer in answers} <= {"handled", "stale"}
    assert await service.kept() == {"04": 40}
    assert (await service.get())["items"] == []
