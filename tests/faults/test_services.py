"""Real services on unharmed servers: rows of a dead process, versions out of order, a collector that is down."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from pydantic import BaseModel

from cli.publishing import Portal
from demo.synthetic import Demonstration
from deploy.local.harness import Servers
from shared.contracts.base import Status
from shared.contracts.facts import EnvelopeAccepted, Receipt
from shared.messaging.access import KafkaAccess
from shared.messaging.send import events
from shared.telemetry import shut_down_traces
from tests.faults.metrics import metric
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.integration, pytest.mark.faults]
NOW = datetime(2026, 1, 10, 2, 30, tzinfo=UTC)


async def everything_on(kafka: KafkaAccess, topic: str) -> dict[str, list[bytes]]:
    """Contents by event id of all records of a topic with one partition."""
    found: dict[str, list[bytes]] = defaultdict(list)
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(**kafka.options) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        while await consumer.position(partition) < end:
            for record in (await consumer.getmany(timeout_ms=500)).get(partition, []):
                found[dict(record.headers)["ce_id"].decode()].append(record.value)
    return found


async def test_rows_of_a_dead_process_are_published_by_another_under_the_same_ids(
    processes: ServiceProcesses, topics: KafkaAccess
) -> None:
    """No acknowledgement reaches the first process: its rows are sent and stay, its offsets stay where they were."""
    settings = {"LANGHOC_SESSION_TIMEOUT_MS": "6000"}
    processes.start("intake", instance=0, LANGHOC_FAULTS="drop_ack=1", **settings)
    async with Portal(topics) as portal:
        sent = await portal.publish(islice(Demonstration(("08",)).setup(), 60))
    database = processes.database("intake")
    mine = {"province": "08"}
    async with asyncio.timeout(60):
        while database["receipts"].count_documents(mine) < len(sent):  # noqa: ASYNC110  another process's progress
            await asyncio.sleep(0.05)
        while len(await everything_on(topics, "receipts.08")) < len(sent):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    processes.kill("intake", 0)
    left = {row["_id"] for row in database["outbox"].find({"topic": "receipts.08"})}
    assert len(left) == len(sent)

    processes.start("intake", instance=1, **settings)
    await asyncio.to_thread(processes.wait_settled, "intake")

    assert database["outbox"].count_documents({}) == 0
    assert database["receipts"].count_documents(mine) == len(sent)
    published = await everything_on(topics, "receipts.08")
    assert published.keys() == left
    assert all(len(contents) >= 2 and len(set(contents)) == 1 for contents in published.values())
    assert metric(processes, "langhoc_records_total", instance=1, verdict="absorbed") >= len(sent)


async def test_old_versions_of_a_state_are_ignored_and_counted_and_occurrences_are_all_kept(
    processes: ServiceProcesses, producer: AIOKafkaProducer
) -> None:
    processes.start("funding", "notifications")
    await asyncio.to_thread(processes.wait_settled, "funding", "notifications")
    before = metric(processes, "langhoc_records_total", service="funding", verdict="stale")

    async def publish(topic: str, data: BaseModel) -> None:
        headers = events.headers_for(
            event_id=uuid.uuid4().hex, source="/langhoc/intake", subject="68", data=data, time=NOW, traceparent=None
        )
        raw = [(name, value.encode()) for name, value in headers.items()]
        await producer.send_and_wait(topic, events.body_of(data), key=b"68", headers=raw)

    for version in (2, 5, 1, 5, 3):
        accepted = EnvelopeAccepted(
            version=version, submission_id=f"E-{version}", receipt_id="r", province="68", received_at=NOW, year=2026,
            amount=version * 1_000_000,
        )  # fmt: skip
        await publish("intake.accepted", accepted)
    receipts = [uuid.uuid4().hex for _ in range(3)]
    for version, receipt_id in zip((3, 1, 2), receipts, strict=True):
        rejected = Receipt(
            receipt_id=receipt_id, status=Status.REJECTED, province="68", received_at=NOW, channel="c", body_hash="",
            version=version,
        )  # fmt: skip
        await publish("receipts.68", rejected)
    await asyncio.to_thread(processes.wait_settled, "funding", "notifications")

    kept = processes.database("funding")["envelopes"].find_one({"_id": "68/2026"})
    assert kept is not None
    assert (kept["version"], kept["amount"]) == (5, 5_000_000)
    assert metric(processes, "langhoc_records_total", service="funding", verdict="stale") - before == 3
    told = " ".join(str(alert) for alert in processes.database("notifications")["alerts"].find())
    assert [receipt_id for receipt_id in receipts if receipt_id not in told] == []


@pytest.fixture
def deaf_collector() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api/v2/spans"


async def test_a_collector_that_does_not_answer_harms_neither_the_flow_nor_the_end(
    servers: Servers, topics: KafkaAccess, tmp_path: Path, deaf_collector: str
) -> None:
    traced = {"OTEL_EXPORTER_ZIPKIN_ENDPOINT": deaf_collector, "LANGHOC_TRACE_RATIO": "1"}
    with ServiceProcesses(servers, tmp_path, **traced) as processes:
        processes.start("intake")
        async with Portal(topics) as portal:
            # More spans than a batch of the exporter holds: several exports would wait in vain, one after the other.
            messages = islice(Demonstration(("15",)).setup(), 200)
            sent = await portal.publish(list(messages) * 15, sampled=lambda message: True)
        await asyncio.to_thread(processes.wait_settled, "intake")
        answers = processes.database("intake")["receipts"]  # to what other tests have sent as well
        assert answers.count_documents({"_id": {"$in": [each.receipt_id for each in sent]}}) == len(sent)

        started = time.monotonic()
        assert processes.stop("intake") in (0, -signal.SIGTERM), processes.log("intake")
        assert time.monotonic() - started < 30


def test_the_end_waits_for_the_last_spans_only_so_long() -> None:
    class Deaf(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            exporting.set()
            answered.wait()
            return SpanExportResult.FAILURE

    exporting, answered = threading.Event(), threading.Event()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Deaf(), schedule_delay_millis=10))
    provider.get_tracer("test").start_span("last").end()
    assert exporting.wait(10)
    leaving = threading.Thread(target=shut_down_traces, args=(provider, 0.2))
    leaving.start()
    leaving.join(10)
    assert not leaving.is_alive()
    answered.set()
