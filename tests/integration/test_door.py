"""The door over HTTP on real servers: one judge for all doors, and nothing written twice, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.identity import issue_token
from services.intake.api.submissions import WAIT_SECONDS
from services.intake.claims import CLAIMS, IN_HAND
from shared.answers.submissions import Judged
from shared.cloudevents import BATCH, STRUCTURED
from shared.contracts.facts import Receipt
from shared.messaging.access import KafkaAccess
from shared.messaging.send.handing import Handed, KafkaHand
from tests.platform import ServiceProcesses
from tests.topics import ends

pytestmark = pytest.mark.integration
TYPE = "langhoc.centre.registered.v1"
ATTRIBUTES = {"specversion": "1.0", "id": "e", "source": "/portal/01", "type": TYPE}
BINARY = {"Content-Type": "application/json", **{f"ce-{name}": value for name, value in ATTRIBUTES.items()}}
SLOW = "delay=1:4000ms"
"""A judge who takes seconds for each step."""
SLOWER = f"delay=1:{WAIT_SECONDS * 2_000:.0f}ms"
"""One who takes longer than anybody waits for the answer."""


def registration(name: str, **changes: Any) -> bytes:
    """A centre of Ba Đình under an id of its own."""
    body = {
        "submission_id": f"R-{name}",
        "centre_id": f"C-{name}",
        "name": "Trung tâm học tập cộng đồng Ba Đình",
        "commune_code": "00004",
        "area_class": "other",
        "population_served": 12_000,
        "opened_on": "2010-09-05",
    }
    return json.dumps(body | changes, ensure_ascii=False).encode()


def structured(body: bytes) -> bytes:
    return json.dumps(ATTRIBUTES).encode()[:-1] + b', "data": ' + body + b"}"


def post(
    processes: ServiceProcesses, content: bytes, path: str = "/v1/submissions", instance: int = 0, **headers: str
) -> httpx.Response:
    """Hand something in for Hà Nội, as a portal does: again where nothing was written, for Kafka was slow."""
    token = issue_token(processes.folder, "lan", "province", "01")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    while True:
        answer = httpx.post(
            f"{processes.url('intake', instance)}{path}",
            content=content,
            headers={**BINARY, **named, "Authorization": f"Bearer {token}"},
            timeout=60,
        )
        if answer.status_code != 503 or answer.json()["code"] != "not_written":
            return answer
        time.sleep(int(answer.headers["Retry-After"]))


def answers_to(processes: ServiceProcesses, submission_id: str) -> list[dict[str, Any]]:
    return list(processes.database("intake")["receipts"].find({"submission_id": submission_id}))


@pytest.fixture
def processes(undisturbed: ServiceProcesses) -> ServiceProcesses:
    """A judge who takes seconds for each step would not come to an end with what others have left."""
    return undisturbed


async def test_a_marked_record_is_found_where_it_was_written(topics: KafkaAccess) -> None:
    hand, mark = KafkaHand(topics, "test"), uuid.uuid4().hex
    since = round(time.time() * 1_000) - 60_000
    records = [
        Handed("submissions.01", f"k{number}".encode(), b"{}", []).marked(f"{mark}/{number}") for number in range(4)
    ]
    try:
        written = await hand.write(records)
        found = await hand.find("submissions.01", [f"{mark}/{number}" for number in range(5)], since)
        later = await hand.find("submissions.01", [f"{mark}/0"], since + 3_600_000)
    finally:
        await hand.stop()
    assert found == {f"{mark}/{number}": one for number, one in enumerate(written)}
    assert later == {}


async def test_the_same_content_has_the_same_receipt_at_every_door(
    processes: ServiceProcesses, producer: AIOKafkaProducer
) -> None:
    processes.start("intake")
    name = uuid.uuid4().hex[:8]
    wrong = registration(name, commune_code="99999", population_served=-1)  # refused, so its id stays free
    headers = [(f"ce_{key}", value.encode()) for key, value in ATTRIBUTES.items()]
    one, other, many = (
        post(processes, wrong),
        post(processes, structured(wrong), Content_Type=STRUCTURED),
        post(processes, b"[" + structured(wrong) + b"]", "/v1/batches", Content_Type=BATCH),
    )
    assert (one.status_code, other.status_code, many.status_code) == (422, 422, 200)
    await producer.send_and_wait("submissions.01", wrong, key=b"k", headers=headers)
    whole = [("content-type", STRUCTURED.encode())]
    await producer.send_and_wait("submissions.01", structured(wrong), key=b"k", headers=whole)
    await asyncio.to_thread(processes.wait_settled, "intake")
    receipts = [Receipt.model_validate(row["receipt"]) for row in answers_to(processes, f"R-{name}")]
    assert len(receipts) == 5
    assert len({Judged.of(receipt).model_dump_json() for receipt in receipts}) == 1
    told = {one.json()["filed"]["receipt_id"], other.json()["filed"]["receipt_id"]}
    told.add(many.json()["items"][0]["receipt_id"])
    assert told < {receipt.receipt_id for receipt in receipts}

    rehearsed = post(processes, registration(name), "/v1/submissions?dry_run=true")
    good, again = post(processes, registration(name)), post(processes, registration(name))
    assert (rehearsed.status_code, good.status_code, again.status_code) == (200, 201, 200)
    assert rehearsed.json()["verdict"]["status"] == "accepted"
    assert (again.json()["status"], again.json()["receipt"]["original"]["receipt_id"]) == (
        "duplicate",
        good.json()["receipt_id"],
    )
    assert len(answers_to(processes, f"R-{name}")) == 7


async def test_a_kill_between_the_record_and_the_answer_writes_nothing_twice(
    processes: ServiceProcesses, topics: KafkaAccess
) -> None:
    processes.start("intake", LANGHOC_FAULTS=SLOW)
    name = uuid.uuid4().hex[:8]
    body, key = registration(name), f"key-{name}"
    before = await ends(topics, ["submissions.01"])
    asking = asyncio.create_task(asyncio.to_thread(post, processes, body, Idempotency_Key=key))
    give_up = time.monotonic() + 60
    while await ends(topics, ["submissions.01"]) == before:
        assert time.monotonic() < give_up, "never written"
        await asyncio.sleep(0.05)
    processes.kill("intake")
    with pytest.raises(httpx.HTTPError):
        await asking
    assert answers_to(processes, f"R-{name}") == []

    processes.start("intake", instance=1)
    claims = processes.database("intake")[CLAIMS]
    (claim,) = claims.find()
    # As if it had died before it could note where the record lies, and the time of whoever had it in hand were over.
    claims.update_one({"_id": claim["_id"]}, {"$set": {"receipts": None, "until": claim["at"]}})
    first = await asyncio.to_thread(post, processes, body, instance=1, Idempotency_Key=key)
    again = await asyncio.to_thread(post, processes, body, instance=1, Idempotency_Key=key)
    await asyncio.to_thread(processes.wait_settled, "intake")
    assert {first.status_code, again.status_code} <= {201, 202}, (first.text, again.text)
    (answer,) = answers_to(processes, f"R-{name}")
    assert first.json()["receipt_id"] == again.json()["receipt_id"] == answer["_id"]
    assert answer["receipt"]["status"] == "accepted"
    lies = await ends(topics, ["submissions.01"])
    assert sum(lies.values()) == sum(before.values()) + 1
    assert timedelta(seconds=10) < IN_HAND


async def test_what_is_not_answered_in_time_is_answered_where_the_answer_says(processes: ServiceProcesses) -> None:
    processes.start("intake", LANGHOC_FAULTS=SLOWER)
    name = uuid.uuid4().hex[:8]
    late = await asyncio.to_thread(post, processes, registration(name))
    assert (late.status_code, late.json()["status"]) == (202, None), late.text
    await asyncio.to_thread(processes.wait_settled, "intake")
    assert processes.get("intake", late.headers["Location"])["status"] == "accepted"
