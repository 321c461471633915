"""Two processes under one instance number: the second waits one lease, and never throws the first out."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.publishing import Message, Portal, Sent
from deploy.local.harness import Servers
from shared.contracts.catalogue import EventType
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.runtime import TAKEN
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.integration, pytest.mark.faults]
HELD = '"event": "instance.held"'
STARTED = '"event": "service.started"'


@pytest.fixture
def twin(servers: Servers, processes: ServiceProcesses, tmp_path: Path) -> Iterator[ServiceProcesses]:
    """Another machine's processes of the same services: same databases, same groups, same numbers."""
    (tmp_path / "twin").mkdir()
    same = {
        "LANGHOC_DATABASE_PREFIX": processes.database("").name,
        "LANGHOC_MONGO_USER": processes.database("intake").name,
        "LANGHOC_GROUP_PREFIX": processes.group(""),
    }
    with ServiceProcesses(servers, tmp_path / "twin", **same) as running:
        yield running


async def publish(topics: KafkaAccess, first: int, number: int = 10) -> list[Sent]:
    """Records that are refused, each with a receipt."""
    async with Portal(topics) as portal:
        return await portal.publish(
            Message("15", f"{each}", EventType.ENVELOPE_SUBMITTED, b'{"number": %d}' % each)
            for each in range(first, first + number)
        )


def receipts(processes: ServiceProcesses, sent: list[Sent]) -> int:
    """How many of these records were answered."""
    wanted = {"_id": {"$in": [item.receipt_id for item in sent]}}
    return processes.database("intake")["receipts"].count_documents(wanted)


async def test_a_second_process_ends_with_a_clear_word_and_the_first_goes_on(
    processes: ServiceProcesses, twin: ServiceProcesses, topics: KafkaAccess
) -> None:
    await asyncio.to_thread(processes.start, "intake")
    twin.launch("intake")
    assert await asyncio.to_thread(twin.end_of, "intake") == TAKEN, twin.log("intake")
    assert "Another process runs as instance 0 of intake" in twin.whole_log("intake")
    assert "LANGHOC_INSTANCE" in twin.whole_log("intake")
    assert "assigned to partitions" not in twin.whole_log("intake"), "it never joined the group"

    sent = await publish(topics, 0)
    await asyncio.to_thread(processes.wait_settled, "intake")
    assert receipts(processes, sent) == len(sent)
    assert processes.ended() == []


async def said(processes: ServiceProcesses, words: str, seconds: float = 180) -> None:
    """Wait until intake has said it."""
    give_up = time.monotonic() + seconds
    while words not in processes.whole_log("intake"):
        assert processes.ended() == [], processes.log("intake")
        assert time.monotonic() < give_up, processes.log("intake")
        await asyncio.sleep(0.1)


async def test_the_successor_of_a_dead_process_waits_one_lease(
    processes: ServiceProcesses, twin: ServiceProcesses, topics: KafkaAccess
) -> None:
    """The first dies once the second is seen to wait, however long that took to start; its lease ends by itself."""
    await asyncio.to_thread(processes.start, "intake", LANGHOC_LEASE_SECONDS="10")
    twin.launch("intake", LANGHOC_LEASE_SECONDS="120")
    await said(twin, HELD)
    assert STARTED not in twin.whole_log("intake")
    processes.kill("intake")
    await asyncio.to_thread(twin.wait_ready, "intake")

    sent = await publish(topics, 100)
    await asyncio.to_thread(twin.wait_settled, "intake")
    assert receipts(processes, sent) == len(sent)


async def test_after_an_ordered_stop_nobody_waits(processes: ServiceProcesses, twin: ServiceProcesses) -> None:
    await asyncio.to_thread(processes.start, "intake")
    processes.stop("intake")
    await asyncio.to_thread(twin.start, "intake")
    assert HELD not in twin.whole_log("intake")


async def test_who_was_frozen_while_another_took_its_place_ends_itself(
    processes: ServiceProcesses, twin: ServiceProcesses, topics: KafkaAccess
) -> None:
    await asyncio.to_thread(processes.start, "intake")
    processes.signal("intake", 0, signal.SIGSTOP)
    await asyncio.to_thread(twin.start, "intake")
    sent = await publish(topics, 200)
    processes.signal("intake", 0, signal.SIGCONT)
    assert await asyncio.to_thread(processes.end_of, "intake") == TAKEN, processes.log("intake")
    assert '"event": "instance.lost"' in processes.whole_log("intake")

    sent += await publish(topics, 300)
    await asyncio.to_thread(twin.wait_settled, "intake")
    assert receipts(processes, sent) == len(sent)
    assert twin.ended() == [], "the successor was not thrown out"
