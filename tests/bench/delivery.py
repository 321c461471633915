"""Delivery on a real mongod: micro-batches against one transaction per record, and one driver against the other."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from itertools import islice

from cli.publishing import Message, headers_of
from demo.synthetic import ON_TIME, Demonstration
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
from tests.bench.ground import Ground
from tests.bench.table import Measured, Row, ratio
from tests.oracle import FakeRecord

BATCH = ServiceSettings.model_fields["batch_records"].default
FEW = 300


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


async def _measure(uri: str, many: int) -> Measured:
    records = records_of(list(islice(Demonstration().setup(), many)))
    await _rate("motor", uri, records[:BATCH], BATCH)  # what only the first run pays
    single = await _rate("motor", uri, records[:FEW], 1)
    motor = await _rate("motor", uri, records, BATCH)
    pymongo = await _rate("pymongo", uri, records, BATCH)
    return Measured(
        [
            Row("intake, one transaction per record", f"{single:,.0f} records/s", "baseline"),
            Row(f"intake, batches of {BATCH:,}", f"{motor:,.0f} records/s", ratio(motor, single)),
            Row("… on PyMongo's asynchronous client", f"{pymongo:,.0f} records/s", f"{ratio(pymongo, motor)} of Motor"),
        ],
        {"pipeline_single_per_s": single, "pipeline_motor_per_s": motor, "pipeline_pymongo_per_s": pymongo},
    )


def run(ground: Ground) -> Measured:
    """Measure on the ground's mongod, in this process: the broker takes no part."""
    return asyncio.run(_measure(ground.servers.mongo, ground.sizes.delivery))
