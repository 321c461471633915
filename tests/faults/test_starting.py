"""Services that start, or are asked, while Kafka or MongoDB is away. The servers are this module's own."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from cli.publishing import Message, Portal
from deploy.local.harness import Servers, start_servers
from shared.contracts.catalogue import EventType
from shared.messaging.operate.topics import apply_topics
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.integration, pytest.mark.faults]
AWAY = {"kafka": "Kafka", "mongod": "MongoDB"}


@pytest.fixture(scope="module")
async def own_servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    with start_servers(tmp_path_factory.mktemp("starting")) as servers:
        await apply_topics(servers.kafka)
        yield servers


@pytest.fixture
def intake(own_servers: Servers, tmp_path: Path) -> Iterator[ServiceProcesses]:
    """Not started yet."""
    with ServiceProcesses(own_servers, tmp_path) as processes:
        yield processes


async def until(condition: Callable[[], bool], processes: ServiceProcesses) -> None:
    """Wait for what a process does."""
    give_up = time.monotonic() + 60
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < give_up, processes.log("intake")
        await asyncio.sleep(0.1)


def health(processes: ServiceProcesses, kind: str) -> tuple[int, dict[str, Any]]:
    """Status and checks; 0 while nobody listens yet."""
    try:
        answer = httpx.get(f"{processes.url('intake')}/health/{kind}", timeout=20)
    except httpx.HTTPError:
        return 0, {}
    return answer.status_code, answer.json()["checks"]


def assert_told_to_wait(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["mend"]["vi"] != answer.json()["mend"]["en"]


@pytest.mark.parametrize("server", AWAY)
async def test_a_server_that_is_away_at_the_start_is_waited_for(
    own_servers: Servers, intake: ServiceProcesses, server: str
) -> None:
    await asyncio.to_thread(own_servers[server].stop)
    try:
        intake.launch("intake")
        waiting = f"waiting for {AWAY[server]}"
        await until(lambda: health(intake, "ready")[1].get("started", {}).get("detail") == waiting, intake)
        await until(lambda: '"event": "service.waiting"' in intake.whole_log("intake"), intake)
        assert health(intake, "live")[0] == 200
        assert health(intake, "ready")[0] == 503
        for path in ("/flow", "/tally", "/dead-letters"):
            assert_told_to_wait(intake.ask("intake", path), "starting")
    finally:
        await asyncio.to_thread(own_servers[server].restart)
    await asyncio.to_thread(intake.wait_ready, "intake")
    async with Portal(own_servers.kafka) as portal:
        sent = await portal.publish([Message("12", "12", EventType.ENVELOPE_SUBMITTED, b"{}")])
    await asyncio.to_thread(intake.wait_settled, "intake")
    assert intake.database("intake")["receipts"].find_one({"_id": sent[0].receipt_id}) is not None


@pytest.mark.parametrize("server", AWAY)
async def test_who_waits_ends_when_it_is_told_to(own_servers: Servers, intake: ServiceProcesses, server: str) -> None:
    await asyncio.to_thread(own_servers[server].stop)
    try:
        intake.launch("intake")
        await until(lambda: '"event": "service.waiting"' in intake.whole_log("intake"), intake)
        intake.signal("intake", 0, signal.SIGTERM)
        code = await asyncio.to_thread(intake.end_of, "intake", seconds=10)
        assert code in (0, -signal.SIGTERM), intake.log("intake")
        assert "stop_timed_out" not in intake.whole_log("intake")
    finally:
        await asyncio.to_thread(own_servers[server].restart)


async def test_a_topic_that_is_not_its_contracts_still_stops_the_start(
    own_servers: Servers, intake: ServiceProcesses
) -> None:
    """Waiting would mend nothing: somebody has to look."""
    admin = AIOKafkaAdminClient(**own_servers.kafka.options)
    await admin.start()
    try:
        await admin.delete_topics(["receipts.96"])
        intake.launch("intake")
        assert await asyncio.to_thread(intake.end_of, "intake") == 3, intake.log("intake")
        assert "receipts.96: missing instead of" in intake.whole_log("intake")
    finally:
        await admin.close()
        await apply_topics(own_servers.kafka)


@pytest.mark.parametrize(("server", "code"), [("kafka", "broker_unavailable"), ("mongod", "database_unavailable")])
async def test_the_flow_is_unknown_while_a_server_is_away_and_known_again_afterwards(
    own_servers: Servers, intake: ServiceProcesses, server: str, code: str
) -> None:
    await asyncio.to_thread(intake.start, "intake")
    await asyncio.to_thread(intake.wait_settled, "intake")
    await asyncio.to_thread(own_servers[server].kill)
    try:
        assert_told_to_wait(await asyncio.to_thread(intake.ask, "intake", "/flow"), code)
        if server == "mongod":
            assert_told_to_wait(await asyncio.to_thread(intake.ask, "intake", "/tally"), code)
        assert health(intake, "live")[0] == 200
    finally:
        await asyncio.to_thread(own_servers[server].restart)
    await asyncio.to_thread(intake.wait_settled, "intake")
