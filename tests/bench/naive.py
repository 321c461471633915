"""Handlers as FastStream's own pages show them, made safe in the plainest way: one transaction for each record."""

from __future__ import annotations

import asyncio
import gc
import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.security import SASLScram512
from motor.motor_asyncio import AsyncIOMotorClient

from shared.messaging.access import KafkaAccess
from shared.messaging.collections import OUTBOX
from shared.mongo.driver import DATABASE, TRANSACTION, client_options
from tests.bench.bare import TIMEOUT_MS
from tests.bench.written import Written
from tests.topics import Offsets, begin_at

SECONDS = 600


async def run_naive(
    kafka: KafkaAccess, mongo: str, begin: Offsets, written: Written, *, total: int, handled: int
) -> None:
    """Handle the first records of `total`, each with its share of what was written. Raises if it takes too long."""
    assert kafka.user is not None
    assert kafka.password is not None
    name = f"naive_{uuid.uuid4().hex[:8]}"
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo, **client_options(name, TIMEOUT_MS))
    database = client.get_database(name, **DATABASE)
    await written.prepare(database)
    await begin_at(kafka, name, begin)
    gc.freeze()

    login = SASLScram512(kafka.user, kafka.password)
    broker = KafkaBroker(kafka.options["bootstrap_servers"], security=login, logger=None)
    done, enough = 0, asyncio.Event()

    @broker.subscriber(
        *sorted({partition.topic for partition in begin}),
        group_id=name,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        decoder=_undecoded,  # the year has bodies that are no JSON
    )
    async def handle(body: bytes) -> None:
        nonlocal done
        if done >= handled:
            return
        with suppress(ValueError):
            json.loads(body)
        part = written.part(done, done + 1, total)
        async with await client.start_session() as session, session.start_transaction(**TRANSACTION):
            await part.insert(database, session)
        await _publish(broker, part.outbox)
        await database[OUTBOX].delete_many({"_id": {"$in": part.sent}})
        done += 1
        if done == handled:
            enough.set()

    async with broker:
        await broker.start()
        await asyncio.wait_for(enough.wait(), SECONDS)
    gc.unfreeze()
    await client.drop_database(name)
    client.close()


async def _undecoded(message: KafkaMessage) -> Any:
    return message.body


async def _publish(broker: KafkaBroker, rows: Sequence[dict[str, Any]]) -> None:
    for each in rows:
        await broker.publish(each["value"], each["topic"], key=each["key"].encode(), headers=each["headers"])
