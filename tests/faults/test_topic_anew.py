"""A province's channel is deleted and made anew under a running service. The broker is this module's own."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from cli.publishing import Message, Portal, Sent
from deploy.local.harness import Servers, start_servers
from shared.contracts.catalogue import EventType
from shared.contracts.topics import all_topics
from shared.messaging.consume.topics_seen import topics_seen
from shared.messaging.operate.topics import apply_topics, province_codes
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.integration, pytest.mark.faults]
PROVINCE = "12"
TOPIC = f"submissions.{PROVINCE}"
BEFORE = 20


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with start_servers(tmp_path_factory.mktemp("anew")) as servers:
        yield servers


@pytest.fixture
async def intake(own_servers: Servers, tmp_path: Path) -> AsyncIterator[ServiceProcesses]:
    await apply_topics(own_servers.kafka)
    await make_anew(own_servers)  # what the test before left there
    with ServiceProcesses(own_servers, tmp_path) as processes:
        await asyncio.to_thread(processes.start, "intake")
        yield processes


@asynccontextmanager
async def admin_of(servers: Servers) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**servers.kafka.options)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_anew(servers: Servers) -> None:
    """Delete the channel and make it again, as an operator would by mistake."""
    before = await topics_seen(servers.kafka, [TOPIC])
    async with admin_of(servers) as admin:
        await admin.delete_topics([TOPIC])
        (topic,) = [each for each in all_topics(province_codes()) if each.name == TOPIC]
        configs = {"message.timestamp.type": "LogAppendTime", "retention.ms": str(topic.retention_ms)}
        async with asyncio.timeout(60):
            while (await topics_seen(servers.kafka, [TOPIC]) or before) == before:
                await admin.create_topics([NewTopic(TOPIC, topic.partitions, 1, topic_configs=configs)])
                await asyncio.sleep(0.1)


async def publish(servers: Servers, number: int) -> list[Sent]:
    """So many records that are refused, each with a receipt: the same bytes under the same keys every time."""
    async with Portal(servers.kafka) as portal:
        messages = [
            Message(PROVINCE, f"{each}", EventType.ENVELOPE_SUBMITTED, b'{"number": %d}' % each)
            for each in range(number)
        ]
        return await portal.publish(messages)


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "running"])
@pytest.mark.parametrize("number", [BEFORE // 4, BEFORE, 4 * BEFORE])
async def test_every_record_of_a_channel_made_anew_gets_its_receipt(
    own_servers: Servers, intake: ServiceProcesses, number: int, frozen: bool
) -> None:
    """Fewer, as many and more records than before, while intake reads on, and while it misses the moment itself."""
    sent = await publish(own_servers, BEFORE)
    await asyncio.to_thread(intake.wait_settled, "intake")
    if frozen:
        intake.signal("intake", 0, signal.SIGSTOP)
    await make_anew(own_servers)
    sent += await publish(own_servers, number)
    if frozen:
        intake.signal("intake", 0, signal.SIGCONT)

    receipts = intake.database("intake")["receipts"]
    give_up = time.monotonic() + 60
    while receipts.count_documents({}) < len(sent):
        assert time.monotonic() < give_up, f"{receipts.count_documents({})} of {len(sent)}\n{intake.log('intake')}"
        await asyncio.sleep(0.2)
    await asyncio.to_thread(intake.wait_settled, "intake")
    assert {row["_id"] for row in receipts.find()} == {item.receipt_id for item in sent}
