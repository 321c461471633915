"""Two processes under one instance number: the second waits one lease, and never throws the first out."""

from __future__ import annotations

import asyncio
import signal
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
    assert "Another process runs as instance 0 of intake" in twin.log("intake")
    assert "LANGHOC_INSTANCE" in twin.log("intake")
    assert "assigned to partitions" not in twin.log("intake"), "it never joined the group"

    sent = await publish(topics, 0)
    await asyncio.to_thread(processes.wait_settled, "intake")
    assert receipts(processes, sent) == len(sent)
    assert processes.ended() == []


async def test_the_successor_of_a_dead_process_waits_one_lease(
    processes: ServiceProcesses, twin: ServiceProcesses, topics: KafkaAccess
) -> None:
    longer_than_a_start = "15"
    await asyncio.to_thread(processes.start, "intake", LANGHOC_LEASE_SECONDS=longer_than_a_start)
    processes.kill("intake")
    await asyncio.to_thread(twin.start, "intake", LANGHOC_LEASE_SECONDS=longer_than_a_start)
    assert HELD in twin.log("intake")

    sent = await publish(topics, 100)
    await asyncio.to_thread(twin.wait_settled, "intake")
    assert receipts(processes, sent) == len(sent)


async def test_after_an_ordered_stop_nobody_waits(processes: ServiceProcesses, twin: ServiceProcesses) -> None:
    await asyncio.to_thread(processes.start, "intake")
    processes.stop("intake")
    await asyncio.to_thread(twin.start, "intake")
    assert HELD not in twin.log("intake")


async def test_who_was_frozen_while_another_took_its_place_ends_itself(
    processes: ServiceProcesses, twin: ServiceProcesses, topics: KafkaAccess
) -> None:
    await asyncio.to_thread(processes.start, "intake")
    processes.signal("intake", 0, signal.SIGSTOP)
    await asyncio.to_thread(twin.start, "intake")
    sent = await publish(topics, 200)
    processes.signal("intake", 0, signal.SIGCONT)
    assert await asyncio.to_thread(processes.end_of, "intake") == TAKEN, processes.log("intake")
    assert '"event": "instance.lost"' in processes.log("intake")

    sent += await publish(topics, 300)
    await asyncio.to_thread(twin.wait_settled, "intake")
    assert receipts(processes, sent) == len(sent)
    assert twin.ended() == [], "the successor was not thrown out"
