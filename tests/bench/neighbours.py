"""How long a province waits for its receipt, alone, and while another one sends thousands of bad records."""

from __future__ import annotations

import asyncio
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from cli.publishing import Message, Portal
from demo.synthetic import Demonstration
from deploy.local.harness import start_servers
from shared.messaging.operate.topics import apply_topics
from tests.bench.table import Row, ratio
from tests.platform import ServiceProcesses

FLOOD, MINE, SAMPLES = "12", "44", 20
BAD = 6_000


async def _waited(portal: Portal, receipts: AIOKafkaConsumer, message: Message) -> float:
    """Seconds from publishing until the receipt lies on the channel."""
    started = time.perf_counter()
    await portal.publish([message])
    await receipts.getone()
    return time.perf_counter() - started


async def _rows(folder: Path) -> list[Row]:
    with start_servers(folder / "servers") as servers, ServiceProcesses(servers, folder) as processes:
        await apply_topics(servers.kafka)
        await asyncio.to_thread(processes.start, "intake")
        messages = islice(Demonstration((MINE,)).setup(), 2 * SAMPLES)
        topic = f"receipts.{MINE}"
        async with (
            Portal(servers.kafka) as portal,
            AIOKafkaConsumer(topic, **servers.kafka.options, auto_offset_reset="earliest") as receipts,
            AIOKafkaProducer(**servers.kafka.options, acks="all", linger_ms=20) as other,
        ):
            alone = [await _waited(portal, receipts, message) for message in islice(messages, SAMPLES)]
            for number in range(BAD):
                await other.send(f"submissions.{FLOOD}", b"{%d" % number + b" " * 500, key=b"%d" % number)
            await other.flush()
            answers, flooded = processes.database("intake")["receipts"], []
            for message in islice(messages, SAMPLES):
                flooded.append(await _waited(portal, receipts, message))
                if await asyncio.to_thread(answers.count_documents, {"province": FLOOD}) == BAD:
                    break
    return [
        Row("a province's receipt, alone", f"{median(alone):.2f} s", "baseline"),
        Row(
            f"… while another sends {BAD:,} bad records",
            f"{median(flooded):.2f} s, at most {max(flooded):.2f} s",
            f"{ratio(median(flooded), median(alone))} ({len(flooded)} measured)",
        ),
    ]


def run() -> list[Row]:
    """Start servers and intake of its own, measure, stop them."""
    with tempfile.TemporaryDirectory() as name:
        return asyncio.run(_rows(Path(name)))
