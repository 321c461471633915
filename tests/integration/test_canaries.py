"""Canaries: traps of Kafka's Python stack that we rely on being closed, each on a real broker (`platform-traps.md`).

A canary that dies after an upgrade names the row to read again.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.record.util import calc_crc32c
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.contracts.catalogue import EventType
from shared.messaging.clock import BusinessClock
from shared.messaging.consume import envelope
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline, Progress
from shared.messaging.decide.asking import Ask, Consumer, Outcome
from shared.messaging.messages import Reason, Received, Unreadable
from shared.mongo import Unavailable
from tests.fakes.memory import MemoryMongo
from tests.integration.members import Records, World, collected, done
from tests.unit.delivery_samples import AT, TRACE, head

pytestmark = pytest.mark.integration


# ------------------------------------------------------------------------------------------------- row 0


@pytest.mark.parametrize("error", [ZeroDivisionError("a fault of ours"), Unavailable("the database is gone")])
async def test_row_0_a_batch_that_failed_comes_again_and_no_commit_passes_it(world: World, error: Exception) -> None:
    """Under manual acknowledgement the framework swallows a handler's exception and goes on behind the batch."""
    await world.create()
    await world.send("a", "b")
    handled: list[str] = []
    failures = [error]

    async def process(records: Records) -> Progress:
        if failures:
            await world.send("c")  # something to go on to
            raise failures.pop()
        handled.extend(record.value.decode() for record in records)
        return done(records)

    async with world.member(process):
        await collected(handled, 3)
        assert handled == ["a", "b", "c"]

    assert await world.committed() == {0: 3}


# ------------------------------------------------------------------------------------------------- row 4


async def test_row_4_a_binary_header_neither_loses_nor_stops_anything(world: World) -> None:
    """The framework's parser raises before any acknowledgement: the record, or its whole batch, is lost."""
    await world.create()
    good = [(name, text.encode()) for name, text in head().items()]
    await world.send("1", headers=good)
    await world.send("2", headers=[*good, ("traceparent", b"\xff\xfe")])
    await world.send("3", headers=good)
    read: list[str] = []
    reasons: list[Reason] = []

    async def process(records: Records) -> Progress:
        for record in records:
            data = envelope.read(record, received_at=AT, trusted=False).data
            assert isinstance(data, Unreadable)
            reasons.append(data.reason)
            read.append(record.value.decode())
        return done(records)

    async with world.member(process):
        await collected(read, 3)

    assert read == ["1", "2", "3"]
    assert reasons == [Reason.UNKNOWN_TYPE, Reason.BAD_HEADER, Reason.UNKNOWN_TYPE]
    assert await world.committed() == {0: 3}


async def with_a_binary_header_name(world: World, *values: bytes) -> None:
    """Send a batch whose last record has a header name that is no UTF-8, as clients in other languages can."""
    batch = world.producer.create_batch()
    for value in values:
        name = "BADNAME" if value == values[-1] else "good"
        assert batch.append(key=b"k", value=value, timestamp=None, headers=[(name, b"v")])
    batch.close()
    batch._build()
    raw = bytearray(batch._buffer)
    at = raw.index(b"BADNAME")
    raw[at : at + 2] = b"\xff\xfe"
    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))
    batch._buffer = bytes(raw)
    await (await world.producer.send_batch(batch, world.topic, partition=0))


async def test_row_4_a_binary_header_name_neither_loses_nor_stops_anything(world: World) -> None:
    """The client raises on it for ever, before any parser, and with it stops every partition of the consumer."""
    await world.create(partitions=2)
    await world.send("1")
    await with_a_binary_header_name(world, b"2", b"3")
    await world.send("4")
    await world.send("elsewhere", partition=1)
    read: list[str] = []
    names: dict[str, list[str]] = {}

    async def process(records: Records) -> Progress:
        for record in records:
            read.append(record.value.decode())
            names[read[-1]] = [name for name, _ in record.headers]
        return done(records)

    async with world.member(process):
        await collected(read, 5)

    assert sorted(read) == ["1", "2", "3", "4", "elsewhere"]
    assert (names["2"], names["3"]) == (["good"], [r"\xff\xfeDNAME"])
    assert await world.committed() == {0: 4, 1: 1}


# ------------------------------------------------------------------------------------------------- rows 5 and 6


async def test_rows_5_and_6_only_what_is_finished_is_committed(world: World) -> None:
    """The framework's `ack` commits the position of all partitions, finished or not."""
    await world.create(partitions=2)
    await world.send("a0", "a1", "a2", "a3")
    await world.send("b0", "b1", partition=1)
    first: list[str] = []

    async def half(records: Records) -> Progress:
        """The brake stops partition 0 at offset 2."""
        progress = done(records)
        first.extend(record.value.decode() for record in records)
        if (world.topic, 0) in progress.next_offsets:
            progress.next_offsets[world.topic, 0] = 2
            progress.stopped.add((world.topic, 0))
        return progress

    async with world.member(half):
        await collected(first, 6)
        await asyncio.sleep(0.3)  # whatever else would commit has its chance
        assert sorted(first) == ["a0", "a1", "a2", "a3", "b0", "b1"], "a stopped partition rests"

    assert await world.committed() == {0: 2, 1: 2}
    rest: list[str] = []

    async def all_of_it(records: Records) -> Progress:
        rest.extend(record.value.decode() for record in records)
        return done(records)

    async with world.member(all_of_it):
        await collected(rest, 2)

    assert rest == ["a2", "a3"]
    assert await world.committed() == {0: 4, 1: 2}


# ------------------------------------------------------------------------------------------------- row 7


async def test_row_7_a_rebalance_waits_for_the_batch_in_flight_and_its_commit(world: World) -> None:
    """Without the gate another member starts the same records while the first still works on them."""
    await world.create(partitions=2)
    for partition in (0, 1):
        await world.send(*(f"{partition}-{number}" for number in range(10)), partition=partition)
    handled: list[str] = []
    started, release = asyncio.Event(), asyncio.Event()
    seen_by_second: list[str] = []

    async def slow(records: Records) -> Progress:
        started.set()
        await release.wait()
        handled.extend(record.value.decode() for record in records)
        return done(records)

    async def quick(records: Records) -> Progress:
        seen_by_second.extend(record.value.decode() for record in records)
        handled.extend(record.value.decode() for record in records)
        return done(records)

    first, second = world.member(slow, 0), world.member(quick, 1)
    async with first:
        await started.wait()
        joining = asyncio.create_task(second.__aenter__())
        await asyncio.sleep(4.5)  # longer than a heartbeat, by which the first learns of the rebalance
        assert (seen_by_second, handled) == ([], []), "the second got records that the first is working on"
        release.set()
        await joining
        await collected(handled, 20)
        for partition in (0, 1):
            await world.send("late", partition=partition)
        await collected(handled, 22)
        assert [len(member.consuming.assigned or ()) for member in (first, second)] == [1, 1]
        await second.__aexit__()

    assert len(handled) == len(set(handled)) + 1, "every record was handled once (`late` is there twice)"
    assert seen_by_second == ["late"], "the second began behind what the first had committed"
    assert await world.committed() == {0: 11, 1: 11}


# ------------------------------------------------------------------------------------------------- rows 12 and 13


async def test_row_12_no_client_of_ours_creates_a_topic(world: World) -> None:
    """The framework creates missing topics by itself, with one partition."""

    async def nothing(records: Records) -> Progress:
        raise AssertionError("there is nothing to read")

    broker = world.member(nothing).broker
    with pytest.raises((KafkaError, TimeoutError)):
        await asyncio.wait_for(broker.start(), 2)
    with pytest.raises((KafkaError, TimeoutError)):
        await asyncio.wait_for(broker.publish(b"x", world.topic), 2)
    await broker.stop()

    assert world.topic not in await world.admin.list_topics()


async def test_row_13_the_factory_replaces_the_defaults_that_lose_records(world: World) -> None:
    """Unconfirmed sends, `latest`, and a commit before the work is done are the library's defaults."""
    await world.create()
    await world.send("before the group existed")
    read: list[str] = []

    async def process(records: Records) -> Progress:
        read.extend(record.value.decode() for record in records)
        return Progress({(world.topic, 0): records[0].offset})  # nothing is finished

    async with world.member(process) as member:
        await collected(read, 1)
        client: AIOKafkaConsumer = member.consuming._client
        assert client._enable_auto_commit is False
        assert client._isolation_level == "read_committed"
        producer: Any = member.broker.config.broker_config.producer
        sender = producer._producer.producer._current._sender
        assert sender._acks == -1
        assert sender._txn_manager is not None, "idempotence"

    assert read[0] == "before the group existed"
    assert await world.committed() == {0: 0}


async def test_row_13_what_a_sender_took_back_is_not_read(world: World) -> None:
    """By default the records of an aborted transaction are delivered like any other."""
    await world.create()
    async with AIOKafkaProducer(**world.kafka.options, transactional_id=world.topic) as sender:
        for value, keep in [(b"aborted", False), (b"kept", True), (b"aborted too", False)]:
            await sender.begin_transaction()
            await sender.send_and_wait(world.topic, value)
            await (sender.commit_transaction() if keep else sender.abort_transaction())
    await world.send("plain")
    read: list[str] = []

    async def process(records: Records) -> Progress:
        read.extend(record.value.decode() for record in records)
        return done(records)

    async with world.member(process):
        await collected(read, 2)

    assert read == ["kept", "plain"]


# ------------------------------------------------------------------------------------------------- row 22


async def test_row_22_each_record_of_a_batch_keeps_its_own_headers_and_trace(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The framework takes headers and correlation id of the first record for the whole batch."""
    await world.create()
    traces = [TRACE, "00-" + "c" * 32 + "-" + "d" * 16 + "-01"]
    for number, traceparent in enumerate(traces):
        values = head(EventType.RECEIPT_ISSUED, f"e-{number}", traceparent=traceparent)
        await world.send("{}", headers=[(name, text.encode()) for name, text in values.items()])
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    seen: list[str] = []

    async def refuse(received: Received[Unreadable], ask: Ask) -> Outcome:
        seen.append(received.type)
        return Outcome()

    consumer = Consumer("canary", (world.topic,), {}, refuse)
    pipeline = Pipeline("canary", consumer, MemoryMongo(), clock=BusinessClock(), brake=Brake(3))
    sizes: list[int] = []

    async def process(records: Records) -> Progress:
        sizes.append(len(records))
        return await pipeline.process(records)

    async with world.member(process):
        await collected(seen, 2)

    assert sizes == [2], "both came in one batch"
    spans = exporter.get_finished_spans()
    parents = [f"00-{span.parent.trace_id:032x}-{span.parent.span_id:016x}-01" for span in spans if span.parent]
    assert parents == traces
    provider.shutdown()
