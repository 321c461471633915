"""One trace from the portal's publish to the alert it caused, parent and child in order."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.publishing import Message, Portal
from deploy.local.harness import Servers, start_servers
from shared.contracts.catalogue import EventType
from shared.messaging.access import KafkaAccess
from tests.platform import ServiceProcesses

pytestmark = pytest.mark.e2e
PROVINCE, COMMUNE, CENTRE = "46", "19753", "TT-hue-1"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
"""After every deadline of 2025, before the period closes."""
SERVICES = ("intake", "scoring", "funding", "notifications")

# (parent service, parent's operation) → (child service, child's operation): every hop of a submission that moves money.
EDGES = {
    ("langhoc-portal", "publish submissions.46", "langhoc-intake", "process langhoc.centre.submitted.v1"),
    ("langhoc-intake", "process langhoc.centre.submitted.v1", "langhoc-intake", "publish intake.accepted"),
    ("langhoc-intake", "publish intake.accepted", "langhoc-scoring", "process langhoc.centre.accepted.v1"),
    ("langhoc-scoring", "process langhoc.centre.accepted.v1", "langhoc-scoring", "publish scores"),
    ("langhoc-scoring", "publish scores", "langhoc-funding", "process langhoc.centre.scored.v2"),
    ("langhoc-scoring", "publish scores", "langhoc-notifications", "process langhoc.centre.scored.v2"),
    ("langhoc-scoring", "publish scores", "langhoc-funding", "publish budgets"),
    ("langhoc-funding", "publish budgets", "langhoc-notifications", "process langhoc.budget.proposed.v2"),
    ("langhoc-funding", "publish budgets", "langhoc-notifications", "publish alerts.46"),
}


@pytest.fixture
def zipkin(tmp_path: Path) -> Iterator[str]:
    """A trace collector."""
    with start_servers(tmp_path / "zipkin", kafka=False, mongo=False, zipkin=True) as running:
        yield running.zipkin


def message(type_: str, key: str, **data: Any) -> Message:
    """One submission of the province."""
    return Message(PROVINCE, key, type_, json.dumps(data).encode())


def setting() -> list[Message]:
    """A registered centre, last year's support far below what performance will bring, and an envelope."""
    return [
        message(EventType.ENVELOPE_SUBMITTED, PROVINCE, submission_id="E", year=2026, amount=80_000_000),
        message(
            EventType.CENTRE_REGISTERED,
            CENTRE,
            submission_id="R",
            centre_id=CENTRE,
            name="Trung tâm học tập cộng đồng",
            commune_code=COMMUNE,
            area_class="region_1",
            population_served=9_000,
            opened_on="2011-05-01",
        ),
        message(EventType.SUPPORT_SUBMITTED, CENTRE, submission_id="S", centre_id=CENTRE, year=2025, amount=30_000_000),
    ]


ASSESSMENT = message(
    EventType.CENTRE_SUBMITTED,
    CENTRE,
    submission_id="A",
    centre_id=CENTRE,
    period=2025,
    rubric="clc_2553_2013",
    content={
        "scoring": "points",
        "points": {name: {"points": "18", "evidence": ["BB-01"]} for name in ("N1", "N2", "N3", "N4")},
    },
)


def edges(spans: list[dict[str, Any]]) -> set[tuple[str, str, str, str]]:
    """Parent and child operations of a trace."""
    by_id = {span["id"]: span for span in spans}
    return {
        (
            by_id[span["parentId"]]["localEndpoint"]["serviceName"],
            by_id[span["parentId"]]["name"],
            span["localEndpoint"]["serviceName"],
            span["name"],
        )
        for span in spans
        if span.get("parentId") in by_id
    }


def spans_of(zipkin: str, trace_id: str | None) -> list[dict[str, Any]]:
    """The spans of a trace, as far as they have arrived."""
    answer = httpx.get(f"{zipkin}/api/v2/trace/{trace_id}")
    spans: list[dict[str, Any]] = answer.json() if answer.status_code == 200 else []
    return spans


async def test_one_trace_runs_through_all_services(
    servers: Servers, topics: KafkaAccess, tmp_path: Path, zipkin: str
) -> None:
    endpoint = f"{zipkin}/api/v2/spans"
    offset = round((NOW - datetime.now(UTC)).total_seconds())
    environment = {"OTEL_EXPORTER_ZIPKIN_ENDPOINT": endpoint, "LANGHOC_CLOCK_OFFSET": str(offset)}
    with ServiceProcesses(servers, tmp_path, **environment) as processes:
        await asyncio.to_thread(processes.start, *SERVICES)
        async with Portal(topics, zipkin=endpoint) as portal:
            await portal.publish(setting())
            await asyncio.to_thread(processes.wait_settled, *SERVICES)
            sent = await portal.publish([ASSESSMENT], sampled=lambda message: True)
        await asyncio.to_thread(processes.wait_settled, *SERVICES)
        # Said again: without an assessment only the floor was proposed, with it more than last year.
        assert processes.get("notifications", "/alerts/tally", province=PROVINCE) == {"support_proposed": 1}

        spans: list[dict[str, Any]] = []
        found: set[tuple[str, str, str, str]] = set()
        deadline = time.monotonic() + 60
        while not found >= EDGES and time.monotonic() < deadline:
            spans = await asyncio.to_thread(spans_of, zipkin, sent[0].trace_id)
            found = edges(spans)
            await asyncio.sleep(0.5)
        assert found >= EDGES, sorted(EDGES - found)
        roots = [span for span in spans if "parentId" not in span]
        assert [root["localEndpoint"]["serviceName"] for root in roots] == ["langhoc-portal"]
