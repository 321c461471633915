"""A mistaken upload on real Kafka and MongoDB: found in every service, erased by two persons, gone everywhere."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.identity import issue_token
from shared.contracts.catalogue import EventType
from tests.integration.test_intake_delivery import headers
from tests.platform import ServiceProcesses

pytestmark = pytest.mark.integration
NAME = "Nguyễn Thị Ánh"
SERVICES = ("intake", "notifications", "scoring")


async def test_a_mistaken_upload_is_found_and_erased_everywhere(
    processes: ServiceProcesses, producer: AIOKafkaProducer
) -> None:
    processes.start(*SERVICES)
    await asyncio.to_thread(settle, processes)
    others = rejected(processes)  # by what other tests have left on the channel
    mistaken = {"submission_id": "HN-9", "unit_code": NAME, "learners": [NAME, "Trần Văn Bình"]}
    raw = json.dumps(mistaken).encode()  # its letters as escapes
    await producer.send_and_wait("submissions.01", raw, headers=headers(EventType.COMMUNE_SUBMITTED))
    await asyncio.to_thread(settle, processes)
    before = {(service, found["collection"]) for service in SERVICES for found in holdings(processes, service)}
    assert {("intake", "receipts"), ("notifications", "alerts")} <= before

    (receipt,) = processes.get("intake", "/receipts", submission_id="HN-9")["items"]
    order = {"order_id": "X-1", "receipts": [receipt["receipt_id"]], "why": "gửi nhầm"}
    assert post(processes, "intake", "/erasures", order).status_code == 200
    assert post(processes, "intake", "/erasures/X-1/confirm", {"why": "đã xem"}).status_code == 422, "one alone"
    assert post(processes, "intake", "/erasures/X-1/confirm", {"why": "đã xem"}, who="binh").status_code == 200
    await asyncio.to_thread(settle, processes)

    assert [found for service in SERVICES for found in holdings(processes, service)] == []
    alerts = processes.get("notifications", "/alerts", province="01", limit=5_000)["items"]
    (alert,) = [told for told in alerts if told["alert_id"].endswith(receipt["receipt_id"])]
    assert (alert["version"], alert["text"]["en"]) == (2, "The content was erased.")
    assert rejected(processes) == others + 1
    assert len(processes.get("intake", "/privacy/reads", role="auditor")["items"]) == 2


def settle(processes: ServiceProcesses) -> None:
    processes.wait_settled(*SERVICES)


def rejected(processes: ServiceProcesses) -> int:
    number: int = processes.get("intake", "/tally", province="01")["rejected"]
    return number


def holdings(processes: ServiceProcesses, service: str) -> list[dict[str, Any]]:
    answer = post(processes, service, "/privacy/holdings", {"text": NAME, "why": "12/2026"})
    assert answer.status_code == 200, answer.text
    *found, whole = [json.loads(line) for line in answer.text.split("\n") if line]
    assert whole == {"whole": True}
    return found


def post(processes: ServiceProcesses, service: str, path: str, body: Any, who: str = "an") -> httpx.Response:
    token = issue_token(processes.folder, who, "ministry")
    bearer = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{processes.url(service)}{path}", json=body, headers=bearer, timeout=60)
