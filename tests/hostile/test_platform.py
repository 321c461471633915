"""On the real platform: every record on a real broker is answered once by a real intake, every body by its API."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.harness import Servers, start_servers
from deploy.local.identity import issue_token
from shared.contracts.facts import Receipt
from shared.messaging.messages import Position
from shared.messaging.operate.topics import apply_topics
from tests.hostile.inputs import inputs
from tests.hostile.records import CHANNEL, PROVINCE, Sent, of_json, records
from tests.platform import ServiceProcesses

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Nobody else is to count what is left on them."""
    with start_servers(tmp_path_factory.mktemp("hostile")) as running:
        yield running


@pytest.fixture
async def processes(own_servers: Servers, tmp_path: Path) -> AsyncIterator[ServiceProcesses]:
    await apply_topics(own_servers.kafka)
    with ServiceProcesses(own_servers, tmp_path) as running:
        yield running


@pytest.fixture
async def producer(own_servers: Servers) -> AsyncIterator[AIOKafkaProducer]:
    client = AIOKafkaProducer(**own_servers.kafka.options, acks="all")
    await client.start()
    yield client
    await client.stop()


async def on_channel(producer: AIOKafkaProducer, sent: list[Sent]) -> dict[str, Sent]:
    """Publishes them; returns each by its place, as receipts call it."""
    confirmed = [await producer.send(CHANNEL, one.value, one.key, headers=one.headers) for one in sent]
    placed = zip(await asyncio.gather(*confirmed), sent, strict=True)
    return {str(Position(at.topic, at.partition, at.offset)): one for at, one in placed}


async def test_received_is_answered(processes: ServiceProcesses, producer: AIOKafkaProducer) -> None:
    processes.start("intake")
    sent = await on_channel(producer, list(records()))
    await asyncio.to_thread(processes.wait_settled, "intake", seconds=120)

    rows = processes.database("intake")["receipts"].find({"province": PROVINCE})
    answers = [Receipt.model_validate(row["receipt"]) for row in rows]
    by_place = {one.channel: one for one in answers}
    assert len(by_place) == len(answers), "no record is answered twice"
    assert by_place.keys() == set(_up_to_the_last(by_place)), "none before the last is left out"
    tally = processes.get("intake", "/tally", province=PROVINCE)
    assert tally["received"] == len(answers)
    assert sum(count for status, count in tally.items() if status != "received") == tally["received"]
    assert sent.keys() <= by_place.keys()
    wrong = {f"{one.area}: {one.name}": fault for at, one in sent.items() if (fault := one.faults(by_place[at]))}
    assert wrong == {}
    assert processes.database("intake")["dead_letters"].count_documents({}) == 0


def _up_to_the_last(places: Iterable[str]) -> Iterator[str]:
    """Every place of these partitions from the first to the last that is named, whoever has sent what lies there."""
    last: Counter[str] = Counter()
    for place in places:
        partition, _, offset = place.rpartition("@")
        last[partition] = max(last[partition], int(offset))
    for partition, end in last.items():
        yield from (f"{partition}@{number}" for number in range(end + 1))


async def test_every_body_is_answered_and_none_by_a_fault(processes: ServiceProcesses, tmp_path: Path) -> None:
    processes.start("intake")
    status: dict[str, int] = {}
    bearer = {"Authorization": f"Bearer {issue_token(tmp_path, 'test', 'ministry')}"}
    async with httpx.AsyncClient(base_url=processes.url("intake"), headers=bearer, timeout=30) as http:
        for given in inputs("json"):
            content = of_json(given).value or b""
            answer = await http.post(
                "/register/corrections", content=content, headers={"Content-Type": "application/json"}
            )
            status[given["name"]] = answer.status_code
    assert {name: code for name, code in status.items() if code != 422} == {}
