"""Intake on real Kafka and MongoDB: one answer to every record, whatever it is, through kills."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.topics import largest_record
from shared.messaging.access import KafkaAccess
from shared.messaging.consume.batches import SAMPLE_BYTES
from tests import odd_batches
from tests.platform import ServiceProcesses

pytestmark = pytest.mark.integration
LIMIT = largest_record("submissions.01")
CAO_BANG = "01273"  # a commune of province 04


def registration(number: int, commune: str = "00004", **changes: Any) -> dict[str, Any]:
    """A valid registration of a centre."""
    return {
        "submission_id": f"R-{number}",
        "centre_id": f"C-{number}",
        "name": "Trung tâm học tập cộng đồng Ba Đình",
        "commune_code": commune,
        "area_class": "other",
        "population_served": 12_000,
        "opened_on": "2010-09-05",
        **changes,
    }


def headers(type_: str = EventType.CENTRE_REGISTERED, **more: bytes) -> list[tuple[str, bytes]]:
    """CloudEvents headers of a submission."""
    values = {
        "ce_specversion": b"1.0",
        "ce_id": uuid.uuid4().hex.encode(),
        "ce_source": b"/portal/01",
        "ce_type": type_.encode(),
        **more,
    }
    return list(values.items())


async def test_bad_records_are_answered_and_their_neighbours_pass(
    processes: ServiceProcesses, producer: AIOKafkaProducer
) -> None:
    processes.start("intake")
    await asyncio.to_thread(processes.wait_settled, "intake")
    before = processes.get("intake", "/tally", province="01")  # what other tests have left on the channel
    known = processes.database("intake")["receipts"].distinct("_id")
    good = json.dumps(registration(1)).encode()
    records: list[tuple[bytes | None, list[tuple[str, bytes]]]] = [
        (good, headers()),
        (b"{not json", headers()),
        (good, headers(traceparent=b"\xff\xfe binary")),
        (good, headers("somebody.elses.type.v1")),
        (good, headers(EventType.RECEIPT_ISSUED)),
        (None, headers()),
        ("{\"name\": \"Hà Nội\"}".encode("utf-16"), headers()),
        (good, []),
        (json.dumps(registration(2, super_admin=1, commune_code="4")).encode(), headers()),
        (json.dumps(registration(3, commune_code="99999", opened_on="2999-01-01")).encode(), headers()),
        (json.dumps(registration(4, commune_code="00097")).encode(), headers()),
        (json.dumps(registration(6, CAO_BANG)).encode(), headers()),
        (json.dumps(registration(5)).encode(), headers()),
    ]  # fmt: skip
    for value, head in records:
        await producer.send_and_wait("submissions.01", value, key=b"same-key", headers=head)
    await asyncio.to_thread(processes.wait_settled, "intake")

    kept = processes.database("intake")["receipts"].find({"province": "01", "_id": {"$nin": known}})
    receipts = [row["receipt"] for row in kept]
    tally = processes.get("intake", "/tally", province="01")
    assert tally["received"] - before["received"] == len(records) == len(receipts)
    assert tally[Status.ACCEPTED] - before[Status.ACCEPTED] >= 2
    assert processes.database("intake")["dead_letters"].count_documents({}) == 0
    codes = {(receipt["status"], *(problem["code"] for problem in receipt["problems"])) for receipt in receipts}
    assert {
        ("rejected", "bad_json"),
        ("rejected", "bad_header"),
        ("rejected", "unknown_type"),
        ("rejected", "not_utf8"),
        ("rejected", "missing_header"),
        ("rejected", "pattern", "field_unknown"),
        ("rejected", "unit_unknown", "date_in_future"),
        ("rejected", "not_entitled"),
    } <= codes
    odd = processes.database("intake")["receipts"].find_one(
        {"receipt.problems.code": "not_utf8", "_id": {"$nin": known}}
    )
    assert odd is not None
    assert bytes(odd["raw"]).decode("utf-16") == '{"name": "Hà Nội"}'


@pytest.mark.faults
async def test_sigkill_in_mid_batch_loses_and_doubles_nothing(
    processes: ServiceProcesses, producer: AIOKafkaProducer
) -> None:
    processes.start("intake", LANGHOC_BATCH_RECORDS="40")
    await asyncio.to_thread(processes.wait_settled, "intake")
    receipts, aggregates = (processes.database("intake")[name] for name in ("receipts", "aggregates"))
    before = processes.get("intake", "/tally", province="04")  # what other tests have left on the channel
    mine = {"province": "04", "_id": {"$nin": receipts.distinct("_id")}}
    made = {"province": "04", "_id": {"$nin": aggregates.distinct("_id")}}
    total = 600
    for number in range(total):
        await producer.send(
            "submissions.04",
            json.dumps(registration(1_000 + number, CAO_BANG)).encode(),
            key=f"C-{number}".encode(),
            headers=headers(),
        )
    await producer.flush()
    for threshold in (40, 200):
        while await asyncio.to_thread(receipts.count_documents, mine) < threshold:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        processes.kill("intake")
        assert receipts.count_documents(mine) < total, "the kill must come before the end"
        processes.start("intake", LANGHOC_BATCH_RECORDS="40")
    await asyncio.to_thread(processes.wait_settled, "intake")

    tally = processes.get("intake", "/tally", province="04")

    assert tally["received"] - before["received"] == tally["accepted"] - before["accepted"] == total
    assert receipts.count_documents(mine) == total
    assert aggregates.count_documents({**made, "version": 1}) == aggregates.count_documents(made) == total
    assert processes.database("intake")["outbox"].count_documents({}) == 0


async def test_what_grows_when_it_is_unpacked_is_answered_and_stops_nobody(
    processes: ServiceProcesses, producer: AIOKafkaProducer
) -> None:
    """The broker counts packed bytes. 20 KB that became 20 MB stopped the nation's intake, and nobody was answered."""
    processes.start("intake")
    edge = LIMIT - len(json.dumps(registration(6_001))) - sum(len(name) + len(value) for name, value in headers()) - 1
    sent = [
        *[odd_batches.bomb(20, headers(), codec=codec) for codec in ("gzip", "lz4", "zstd")],
        odd_batches.bomb(3, headers(), codec="snappy"),
        odd_batches.bomb(200, headers(), codec="zstd"),
        odd_batches.batch([json.dumps(registration(6_001, name="x" * 1_300_000)).encode()], headers(), codec="gzip"),
        odd_batches.batch(
            [json.dumps(registration(6_001)).encode()], [*headers(), ("pad", b"x" * 300_000)], codec="lz4"
        ),
        odd_batches.batch([b"{" + b"[" * 260_000], headers(), codec="zstd"),
        odd_batches.nameless([json.dumps(registration(6_002)).encode()], headers()),
        odd_batches.batch([json.dumps(registration(6_003)).encode()] * 2, headers(), codec="snappy"),
        odd_batches.batch([json.dumps(registration(6_004)).encode() + b" " * edge], headers(), codec="gzip"),
        odd_batches.batch([json.dumps(registration(6_005)).encode() + b" " * (edge + 100)], headers(), codec="gzip"),
    ]
    before = processes.database("intake")["receipts"].distinct("_id")
    for number, raw in enumerate(sent):
        await odd_batches.put(producer, "submissions.01", number % 2, raw)
        neighbour = json.dumps(registration(5_000 + number, CAO_BANG)).encode()
        await producer.send_and_wait("submissions.04", neighbour, key=b"k", headers=headers())
    await asyncio.to_thread(processes.wait_settled, "intake")

    database = processes.database("intake")
    assert database["dead_letters"].count_documents({}) == 0
    neighbours = {"subject": {"$regex": "^C-50"}, "province": "04"}
    assert database["aggregates"].count_documents(neighbours) == len(sent), "the neighbours"
    kept = list(database["receipts"].find({"province": "01", "_id": {"$nin": before}}))
    assert len(kept) == len(sent) + 1, "one answer to each record"
    said = Counter((row["status"], *(problem["code"] for problem in row["receipt"]["problems"])) for row in kept)
    assert said["rejected", "record_too_large"] == 8
    assert said["accepted",] + said["unchanged",] + said["duplicate",] == 4
    codes = {row["_id"]: [problem["code"] for problem in row["receipt"]["problems"]] for row in kept}
    large = [row for row in kept if codes[row["_id"]] == ["record_too_large"]]
    assert max(len(row["raw"]) for row in large) <= SAMPLE_BYTES
    assert all(len(row["receipt"]["body_hash"]) == 64 for row in large)


async def test_the_broker_refuses_what_is_too_large_at_the_sender(producer: AIOKafkaProducer) -> None:
    """Else the facts made of it would not fit into a record, and nobody would have told the sender."""
    body = json.dumps(registration(1, name="x" * 300_000)).encode()
    with pytest.raises(MessageSizeTooLargeError):
        await producer.send_and_wait("submissions.01", body, key=b"C-1", headers=headers())


async def test_a_province_that_does_not_exist_has_no_channel(topics: KafkaAccess) -> None:
    """The broker refuses the record at its sender, and no client makes the topic by asking for it."""
    client = AIOKafkaProducer(**topics.options, request_timeout_ms=2_000)
    await client.start()
    try:
        with pytest.raises(KafkaError):
            await client.send_and_wait("submissions.99", b"{}", headers=headers())
    finally:
        await client.stop()
    admin = AIOKafkaAdminClient(**topics.options)
    await admin.start()
    try:
        assert "submissions.99" not in await admin.list_topics()
    finally:
        await admin.close()
