"""Two provinces' whole year on real servers while every service is killed once: exactly what the oracle computes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from cli.publishing import Portal, Sent
from cli.synthetic import BUDGET_YEAR, ON_TIME, PERIOD, Demonstration, expected_tally
from deploy.local.harness import Servers, start_servers
from shared.messaging.clock import BusinessClock
from shared.messaging.topics import apply_topics
from tests.oracle import Oracle
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.e2e, pytest.mark.faults, pytest.mark.timeout(400)]
PROVINCES = ("12", "44")  # an envelope below the legal minima; and the successor of the legacy province
SERVICES = ("intake", "scoring", "funding", "notifications")
CLOCK = BusinessClock(int((ON_TIME - datetime.now(UTC)).total_seconds()))


@pytest.fixture
async def own_servers(tmp_path: Path) -> AsyncIterator[Servers]:
    """Servers of this test alone, because it compares everything that is on them."""
    with start_servers(tmp_path / "servers") as running:
        await apply_topics(running.kafka)
        yield running


@pytest.fixture
def world(own_servers: Servers, tmp_path: Path) -> Iterator[ServiceProcesses]:
    """The services, at the simulated date."""
    with ServiceProcesses(own_servers, tmp_path, LANGHOC_CLOCK_OFFSET=str(CLOCK.offset_seconds)) as running:
        yield running


async def kill_at(world: ServiceProcesses, service: str, collection: str, count: int) -> tuple[str, str, int]:
    """SIGKILL a service as soon as its collection holds so many documents, and start it again.

    Returns service, collection and how much there was then, so that the test can show that it was in the middle.
    """
    documents = world.database(service)[collection]
    while await asyncio.to_thread(documents.count_documents, {}) < count:  # noqa: ASYNC110  another process's progress
        await asyncio.sleep(0.005)
    world.kill(service)
    reached = documents.count_documents({})
    await asyncio.to_thread(world.start, service, LANGHOC_BATCH_RECORDS="100")
    return service, collection, reached


async def test_a_year_with_every_service_killed_is_what_the_oracle_says(
    world: ServiceProcesses, own_servers: Servers
) -> None:
    await asyncio.to_thread(world.start, *SERVICES, LANGHOC_BATCH_RECORDS="100")
    demonstration = Demonstration(PROVINCES)
    setup = list(demonstration.setup())
    messages = [*setup, *demonstration.assessments(), *demonstration.legacy()]

    async with Portal(own_servers.kafka, clock=CLOCK) as portal:
        # What one province says of another's centre is judged by what is registered then: registrations come first.
        sent, *kills = await asyncio.gather(
            portal.publish(setup),
            kill_at(world, "intake", "receipts", 150),
            kill_at(world, "funding", "centres", 40),
        )
        await asyncio.to_thread(world.wait_settled, "intake", seconds=120)
        rest, *more_kills = await asyncio.gather(
            portal.publish(messages[len(setup) :]),
            kill_at(world, "intake", "receipts", len(setup) + 100),
            kill_at(world, "scoring", "results", 60),
            kill_at(world, "notifications", "alerts", 10),
        )
        sent += rest
    await asyncio.to_thread(world.wait_settled, *SERVICES, seconds=120)

    for service, collection, reached in [*kills, *more_kills]:
        assert reached < world.database(service)[collection].count_documents({}), f"{service} was killed at its end"
    for service in SERVICES:
        assert world.database(service)["dead_letters"].count_documents({}) == 0, service
        assert world.database(service)["outbox"].count_documents({}) == 0, service
    receipts = {row["receipt"]["channel"]: row["receipt"] for row in world.database("intake")["receipts"].find()}
    assert len(receipts) == world.database("intake")["receipts"].count_documents({}) == len(sent)
    assert receipts.keys() == {str(item.position) for item in sent}
    tally = world.get("intake", "/tally")
    assert tally == {"received": len(messages)} | {s.value: n for s, n in expected_tally(messages).items()}

    oracle = Oracle(CLOCK)
    oracle.run(sent, {channel: datetime.fromisoformat(row["received_at"]) for channel, row in receipts.items()})
    compare(world, oracle)
    await compare_events(own_servers, world, oracle, sent)


def stored(world: ServiceProcesses, service: str, collection: str) -> dict[str, dict[str, Any]]:
    """All documents of a collection by id."""
    return {str(row["_id"]): row for row in world.database(service)[collection].find()}


def without(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A document without what legitimately depends on timing (versions of recomputed sets, traces)."""
    return lambda document: {key: value for key, value in document.items() if key not in ("_id", "_rev", *names)}


def same(found: dict[str, Any], expected: dict[str, Any], view: Callable[[Any], Any]) -> None:
    """Same keys, same contents."""
    assert found.keys() == expected.keys()
    for key, document in expected.items():
        assert view(found[key]) == view(document), key


def compare(world: ServiceProcesses, oracle: Oracle) -> None:
    """Every document that the services keep against the oracle's."""
    same(
        stored(world, "intake", "aggregates"),
        oracle.intake.documents("aggregates"),
        without(),
    )
    same(
        {key: row["receipt"] for key, row in stored(world, "intake", "receipts").items()},
        {key: row["receipt"] for key, row in oracle.intake.documents("receipts").items()},
        without(),
    )

    def result(document: dict[str, Any]) -> Any:
        return without("version")(document["result"]), document["input_version"]

    same(stored(world, "scoring", "results"), oracle.scoring.documents("results"), result)

    for scope, period in ((f"province-{PROVINCES[0]}", PERIOD), ("province-45", 2022), ("nation", PERIOD)):
        rows = list_rows(stored(world, "scoring", "ranking_pages"), scope, period)
        expected = list_rows(oracle.scoring.documents("ranking_pages"), scope, period)
        assert rows == expected, (scope, period)

    def line(document: dict[str, Any]) -> Any:
        return without("result_version")(document["allocation"])

    same(stored(world, "funding", "allocations"), oracle.funding.documents("allocations"), line)
    same(stored(world, "funding", "runs"), oracle.funding.documents("runs"), without("version", "proposed_at"))
    for province in PROVINCES:
        run = stored(world, "funding", "runs")[f"{province}/{BUDGET_YEAR}"]
        amounts = [
            document["allocation"]["amount"]
            for document in stored(world, "funding", "allocations").values()
            if document["province"] == province
        ]
        assert sum(amounts) + run["reserve"] == run["envelope"]

    def told(alerts: dict[str, Any]) -> set[str]:
        return {key for key in alerts if not key.startswith("support_changed/")}

    alerts = stored(world, "notifications", "alerts")
    assert told(alerts) == told(oracle.notifications.documents("alerts"))
    numbers: dict[str, list[int]] = {}
    for key in alerts.keys() - told(alerts):
        subject, _, number = key.rpartition("/")
        numbers.setdefault(subject, []).append(int(number))
    assert all(sorted(each) == list(range(1, len(each) + 1)) for each in numbers.values())


def list_rows(pages: dict[str, Any], scope: str, period: int) -> list[dict[str, Any]]:
    """Rows of the latest version of one ranking."""
    mine = [page for page in pages.values() if (page["scope"], page["period"]) == (scope, period)]
    last = max(page["version"] for page in mine)
    ordered = sorted((page for page in mine if page["version"] == last), key=lambda page: page["page"])
    return [without("result_version")(row) for page in ordered for row in page["rows"]]


async def compare_events(servers: Servers, world: ServiceProcesses, oracle: Oracle, sent: list[Sent]) -> None:
    """What lies on the topics: each fact that must be there is there, and one id never means two contents."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers.kafka, auto_offset_reset="earliest")
    names = [f"receipts.{province}" for province in PROVINCES] + ["intake.accepted", "scores", "budgets"]
    names += [f"alerts.{province}" for province in PROVINCES] + ["alerts.ministry"]
    consumer.subscribe(names)
    await consumer.start()
    bodies: dict[tuple[str, str], set[bytes]] = {}
    try:
        while batch := await consumer.getmany(timeout_ms=2_000):
            for records in batch.values():
                for record in records:
                    identity = dict(record.headers)["ce_id"].decode()
                    bodies.setdefault((record.topic.split(".")[0], identity), set()).add(record.value)
    finally:
        await consumer.stop()
    assert all(len(contents) == 1 for contents in bodies.values())
    families = {family: sum(1 for name, _ in bodies if name == family) for family in ("receipts", "intake", "alerts")}
    assert families["receipts"] == len(sent)
    versions = sum(row["version"] for row in stored(world, "intake", "aggregates").values())
    assert families["intake"] == versions
    assert families["alerts"] == len(stored(world, "notifications", "alerts"))
