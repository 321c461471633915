"""A bare stage: aiokafka and Motor with nothing around them, which writes what a service of ours has written.

Per batch: parse each record, put its share of the documents and of the outbox into one transaction, send the events,
delete them from the outbox, commit the offsets, one step after the other. Nothing is validated, decided, recognised or
repeated: the ratio of ours to it is what all that costs.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import pickle
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from motor.motor_asyncio import AsyncIOMotorClient

from shared.messaging.access import KafkaAccess
from shared.messaging.collections import OUTBOX
from shared.messaging.consume.consuming import FETCH_BYTES, PARTITION_BYTES
from shared.messaging.send.producer import build_producer
from shared.mongo.driver import DATABASE, TRANSACTION, client_options
from tests.bench.written import Written
from tests.topics import Offsets

TIMEOUT_MS = 10_000
START_SECONDS, END_SECONDS = 120, 600


@dataclass(frozen=True, slots=True)
class Stage:
    """What one process does. Its servers are those of the service that it copies."""

    kafka: KafkaAccess
    mongo: str
    begin: Offsets
    batch: int
    total: int
    """Records to be handled; then it ends."""
    written: Path
    """A pickled `Written`."""


def run_stages(stages: Sequence[Stage]) -> None:
    """Run stages beside each other, each in a process of its own, the last ones first. Raises if one fails."""
    context = multiprocessing.get_context("spawn")
    running = []
    try:
        for stage in reversed(stages):
            ready = context.Event()
            process = context.Process(target=_main, args=(stage, ready), daemon=True)
            process.start()
            running.append(process)
            if not ready.wait(START_SECONDS):
                raise RuntimeError("a bare stage has not started")
        for process in running:
            process.join(END_SECONDS)
            if process.exitcode != 0:
                raise RuntimeError(f"a bare stage has not come to its end (exit code {process.exitcode})")
    finally:
        for process in running:
            process.kill()
            process.join()


def _main(stage: Stage, ready: Event) -> None:
    written: Written = pickle.loads(stage.written.read_bytes())
    gc.freeze()  # the copies are no work of the stage: they are not to be searched for garbage again and again
    asyncio.run(_stage(stage, written, ready))


async def _stage(stage: Stage, written: Written, ready: Event) -> None:
    name = f"bare_{uuid.uuid4().hex[:8]}"
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(stage.mongo, **client_options(name, TIMEOUT_MS))
    database = client.get_database(name, **DATABASE)
    await written.prepare(database)
    consumer = AIOKafkaConsumer(
        **stage.kafka.options,
        group_id=name,
        enable_auto_commit=False,
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=PARTITION_BYTES,
    )
    async with consumer, build_producer(stage.kafka, name) as producer:
        consumer.assign(list(stage.begin))
        for partition, offset in stage.begin.items():
            consumer.seek(partition, offset)
        ready.set()
        done = 0
        while done < stage.total:
            batches = await consumer.getmany(timeout_ms=50, max_records=stage.batch)
            records = [record for batch in batches.values() for record in batch]
            for record in records:
                with suppress(ValueError):
                    json.loads(record.value)
            part = written.part(done, min(done + len(records), stage.total), stage.total)
            if records:
                async with await client.start_session() as session, session.start_transaction(**TRANSACTION):
                    await part.insert(database, session)
                await asyncio.gather(*await part.send(producer))
                await database[OUTBOX].delete_many({"_id": {"$in": part.sent}})
                await consumer.commit({partition: batch[-1].offset + 1 for partition, batch in batches.items()})
            done += len(records)
    await client.drop_database(name)
    client.close()
