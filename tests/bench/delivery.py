"""Delivery on a real mongod: micro-batches against one transaction per record, and one driver against the other."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from cli.publishing import Message, headers_of
from demo.synthetic import ON_TIME, Demonstration
from deploy.local.harness import start_servers
from services.intake import decisions, queries
from shared.contracts.topics import topic_names
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline
from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.sets import Sets
from shared.messaging.operate.preparing import prepare
from shared.messaging.operate.topics import province_codes
from shared.messaging.settings import ServiceSettings
from shared.mongo.connect import DriverName, connect
from tests.bench.table import Row, ratio
from tests.oracle import FakeRecord

BATCH = ServiceSettings.model_fields["batch_records"].default
MANY, FEW = 6_000, 300


def records_of(messages: Sequence[Message]) -> list[FakeRecord]:
    """Messages as the broker would hand them over."""
    stamp = int(ON_TIME.timestamp() * 1000)
    return [
        FakeRecord(
            f"submissions.{message.province}",
            0,
            offset,
            stamp,
            message.key.encode(),
            message.body,
            headers_of(message, ON_TIME, ""),
        )
        for offset, message in enumerate(messages)
    ]


async def _rate(driver: DriverName, uri: str, records: Sequence[FakeRecord], size: int) -> float:
    """Records per second of intake: read, validated, answered, kept, with their events in the outbox."""
    mongo = connect(driver, uri, f"bench_{uuid.uuid4().hex[:8]}")
    await prepare(mongo, inbox_days=1)
    await queries.migrate(mongo)
    topics = tuple(topic_names("submissions", province_codes()))
    consumer = Consumer("bench", topics, decisions.routes, decisions.refusals)
    pipeline = Pipeline("bench", consumer, mongo, clock=BusinessClock(), brake=Brake(50), sets=Sets(decisions.SETS))
    started = time.perf_counter()
    for start in range(0, len(records), size):
        await pipeline.process(records[start : start + size])
    return len(records) / (time.perf_counter() - started)


async def _rates(uri: str) -> list[Row]:
    records = records_of(list(islice(Demonstration().setup(), MANY)))
    await _rate("motor", uri, records[:BATCH], BATCH)  # what only the first run pays
    single = await _rate("motor", uri, records[:FEW], 1)
    motor = await _rate("motor", uri, records, BATCH)
    pymongo = await _rate("pymongo", uri, records, BATCH)
    return [
        Row("intake, one transaction per record", f"{single:,.0f} records/s", "baseline"),
        Row(f"intake, batches of {BATCH:,}", f"{motor:,.0f} records/s", ratio(motor, single)),
        Row("… on PyMongo's asynchronous client", f"{pymongo:,.0f} records/s", f"{ratio(pymongo, motor)} of Motor"),
    ]


def run() -> list[Row]:
    """Start a mongod of its own, measure, stop it."""
    with tempfile.TemporaryDirectory() as folder, start_servers(Path(folder), kafka=False) as servers:
        return asyncio.run(_rates(servers.mongo))
