"""One commune of the nation corrects its file: how long until the new national ranking is published."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from itertools import count, islice
from statistics import median
from typing import Any

from aiokafka import AIOKafkaConsumer

from cli.publishing import Message, Portal
from demo.synthetic import CITIZENS, PERIOD, Demonstration
from deploy.local.state import SERVICES
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from tests.bench.ground import PATIENCE_SECONDS, Ground, publish
from tests.bench.table import Measured, Row
from tests.topics import partitions_of

NATION = "nation"
MOST_SECONDS = 120.0


def files(made: Demonstration) -> Iterator[Message]:
    """One accepted file of each commune."""
    seen: set[str] = set()
    for message in made.assessments():
        fresh = message.type == EventType.COMMUNE_SUBMITTED and message.expected is Status.ACCEPTED
        if fresh and message.key not in seen and "corrects_version" not in json.loads(message.body):
            seen.add(message.key)
            yield message


def corrections(file: Message) -> Iterator[Message]:
    """One after the other, each with another result: the share of Learning Citizens falls below the threshold, …"""
    for version in count(1):
        data = json.loads(file.body)
        share = data["content"]["targets"][CITIZENS]["share"]
        if version % 2:
            share["numerator"] = share["denominator"] // 2
        data |= {"submission_id": f"{data['submission_id']}-{version}", "corrects_version": version}
        yield Message(file.province, file.key, file.type, json.dumps(data, ensure_ascii=False).encode())


async def _ranked(rankings: AIOKafkaConsumer) -> None:
    """The next head of the nation's ranking."""
    while True:
        record: Any = await rankings.getone()
        if dict(record.headers)["ce_type"] == EventType.RANKING_PUBLISHED.encode():
            head = json.loads(record.value)
            if (head["scope"], head["period"]) == (NATION, PERIOD):
                return


async def _measure(ground: Ground) -> Measured:
    kafka, waited = ground.servers.kafka, []
    communes = list(files(Demonstration(ground.sizes.provinces)))
    changed = next(message for message in communes if message.note == "good")
    async with (
        ground.world() as processes,
        AIOKafkaConsumer(**kafka.options, fetch_max_wait_ms=50) as rankings,
        Portal(kafka) as portal,
    ):
        await asyncio.to_thread(processes.start, *SERVICES)
        await publish(kafka, communes)
        await asyncio.to_thread(processes.wait_settled, *SERVICES, seconds=PATIENCE_SECONDS)
        rankings.assign(partitions_of(["rankings"]))
        for correction in islice(corrections(changed), ground.sizes.changes):
            await rankings.seek_to_end()
            began = time.perf_counter()
            await portal.publish([correction])
            await asyncio.wait_for(_ranked(rankings), MOST_SECONDS)
            waited.append(time.perf_counter() - began)
            await asyncio.to_thread(processes.wait_settled, *SERVICES, seconds=PATIENCE_SECONDS)
    return Measured(
        [
            Row(
                f"one changed commune of {len(communes):,} to the new national ranking",
                f"{median(waited):.2f} s",
                f"at most {max(waited):.2f} s ({len(waited)} measured)",
            )
        ],
        {
            "rank_after_change_s": median(waited),
            "rank_after_change_max_s": max(waited),
            "ranked_communes": len(communes),
        },
    )


def run(ground: Ground) -> Measured:
    """Measure on the ground's servers."""
    ground.servers  # noqa: B018 - they are started outside of the event loop
    return asyncio.run(_measure(ground))
