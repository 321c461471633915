"""How long a province waits for its receipt, alone, and while another one sends thousands of bad records."""

from __future__ import annotations

import asyncio
import time
from itertools import islice
from statistics import median

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from cli.publishing import Message, Portal
from demo.synthetic import Demonstration
from tests.bench.ground import Ground
from tests.bench.table import Measured, Row, ratio
from tests.topics import partitions_of

FLOOD, MINE = "12", "44"


async def _waited(portal: Portal, receipts: AIOKafkaConsumer, message: Message) -> float:
    """Seconds from publishing until the receipt lies on the channel."""
    started = time.perf_counter()
    await portal.publish([message])
    await receipts.getone()
    return time.perf_counter() - started


async def _measure(ground: Ground) -> Measured:
    kafka, samples, bad = ground.servers.kafka, ground.sizes.samples, ground.sizes.flood
    messages = islice(Demonstration((MINE,)).setup(), 2 * samples)
    async with (
        ground.world() as processes,
        Portal(kafka) as portal,
        AIOKafkaConsumer(**kafka.options) as receipts,
        AIOKafkaProducer(**kafka.options, acks="all", linger_ms=20) as other,
    ):
        await asyncio.to_thread(processes.start, "intake")
        receipts.assign(partitions_of([f"receipts.{MINE}"]))
        await receipts.seek_to_end()
        alone = [await _waited(portal, receipts, message) for message in islice(messages, samples)]
        for number in range(bad):
            await other.send(f"submissions.{FLOOD}", b"{%d" % number + b" " * 500, key=b"%d" % number)
        await other.flush()
        answers, flooded = processes.database("intake")["receipts"], []
        for message in islice(messages, samples):
            flooded.append(await _waited(portal, receipts, message))
            if await asyncio.to_thread(answers.count_documents, {"province": FLOOD}) == bad:
                break
    return Measured(
        [
            Row("a province's receipt, alone", f"{median(alone):.2f} s", "baseline"),
            Row(
                f"… while another sends {bad:,} bad records",
                f"{median(flooded):.2f} s, at most {max(flooded):.2f} s",
                f"{ratio(median(flooded), median(alone))} ({len(flooded)} measured)",
            ),
        ],
        {
            "receipt_alone_s": median(alone),
            "receipt_beside_flood_s": median(flooded),
            "neighbour_delay_ratio": median(flooded) / median(alone),
        },
    )


def run(ground: Ground) -> Measured:
    """Measure on the ground's servers."""
    ground.servers  # noqa: B018 - they are started outside of the event loop
    return asyncio.run(_measure(ground))
