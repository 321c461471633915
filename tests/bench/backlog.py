"""Intake before a long backlog: what it holds in memory, and whether a record costs more when many lie behind it."""

from __future__ import annotations

import asyncio
import time
from itertools import islice, pairwise
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer

from shared.contracts.topics import topic_names
from shared.messaging.operate.topics import province_codes
from tests.bench.ground import PATIENCE_SECONDS, Ground, publish
from tests.bench.messages import many
from tests.bench.processor import resident_mb, seconds_of
from tests.bench.table import Measured, Row
from tests.topics import partitions_of

LOOK_SECONDS = 0.5
WARM = 10
"""Memory is compared with what was held when the first of so many parts of the backlog was worked off."""
FLAT_MB = 32.0
"""What may come and go: a fetch of 8 MiB and a page of the outbox of 8 MiB, each as bytes and as objects."""
LETTERS = {1_000: "k", 1_000_000: "m"}


class Look(NamedTuple):
    """What was seen at one moment."""

    done: int
    seconds: float
    """Of the processor: intake's, mongod's and Kafka's."""
    mb: float


def cost(looks: list[Look], at: int, width: int) -> float:
    """Processor seconds for one record, among the `width` records around the `at`-th."""
    return (_spent(looks, at + width // 2) - _spent(looks, at - width // 2)) / width


def _spent(looks: list[Look], records: int) -> float:
    """Processor seconds when so many records were done, between the two looks nearest to it."""
    for before, after in pairwise(looks):
        if before.done <= records <= after.done and before.done < after.done:
            share = (records - before.done) / (after.done - before.done)
            return before.seconds + share * (after.seconds - before.seconds)
    raise ValueError(f"{records} records were never done")


def short(records: int) -> str:
    """`10k`, `1m`."""
    for size, letter in sorted(LETTERS.items(), reverse=True):
        if records % size == 0:
            return f"{records // size}{letter}"
    return str(records)


async def _measure(ground: Ground) -> Measured:
    sizes, servers = ground.sizes, ground.servers
    receipts = partitions_of(topic_names("receipts", province_codes()))
    looks: list[Look] = []
    async with ground.world() as processes, AIOKafkaConsumer(**servers.kafka.options) as log:
        before = sum((await log.end_offsets(receipts)).values())
        await publish(servers.kafka, islice(many(sizes.provinces), sizes.backlog))
        await asyncio.to_thread(processes.start, "intake")
        pids = [processes.pid("intake"), *(servers[name].popen.pid for name in ("mongod", "kafka"))]
        began = time.monotonic()
        while not looks or looks[-1].done < sizes.backlog:
            if time.monotonic() > began + PATIENCE_SECONDS:
                raise TimeoutError(f"{looks[-1].done} of {sizes.backlog} records: {processes.log('intake')}")
            done = sum((await log.end_offsets(receipts)).values()) - before
            looks.append(Look(done, sum(map(seconds_of, pids)), resident_mb(pids[0])))
            await asyncio.sleep(LOOK_SECONDS)
    early, late = sizes.costs_at
    costs = {records: cost(looks, records, early) for records in sizes.costs_at}
    warm = next(look.mb for look in looks if look.done >= sizes.backlog // WARM)
    most = max(look.mb for look in looks)
    name = f"cost_{short(late)}_over_{short(early)}"
    return Measured(
        [
            Row(
                f"memory of intake under a backlog of {sizes.backlog:,}",
                f"{most:.0f} MB at most",
                f"{most - warm:+.0f} MB since a tenth of it was done",
            ),
            *(
                Row(f"a record after {records:,} others, servers included", f"{seconds * 1e6:,.0f} µs of processor")
                for records, seconds in costs.items()
            ),
        ],
        {
            "backlog_records": sizes.backlog,
            "memory_peak_mb": most,
            "memory_growth_mb": most - warm,
            **{f"cost_{short(records)}_us": seconds * 1e6 for records, seconds in costs.items()},
            name: costs[late] / costs[early],
        },
    )


def run(ground: Ground) -> Measured:
    """Measure on the ground's servers."""
    ground.servers  # noqa: B018 - they are started outside of the event loop
    return asyncio.run(_measure(ground))
