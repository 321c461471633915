"""Members of one group on real servers: rebalances, simultaneous deliveries, a database in doubt, faults of our own."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.local.harness import Servers
from shared.messaging.clock import BusinessClock
from shared.messaging.consume.brake import Brake
from shared.messaging.consume.pipeline import Pipeline, Progress
from shared.messaging.faults import NO_FAULTS, FaultPlan, Faults, Step
from shared.messaging.messages import derived_id
from shared.messaging.send import outbox
from shared.mongo.port import Document
from tests.conformance.service import NAME, SOURCE, Conduct, fact, occurrence
from tests.faults.group import Group, counted
from tests.unit.delivery_samples import Stored

pytestmark = [pytest.mark.integration, pytest.mark.faults]
MANY = 120


def occurrences(number: int, first: int = 0) -> list[Any]:
    """Occurrences of six provinces, spread over the partitions."""
    return [occurrence(f"o{each}", f"{each % 6:02d}") for each in range(first, first + number)]


async def assert_once(group: Group, number: int) -> None:
    """So many records had their effects, each once."""
    await group.settled()
    assert sum(row["n"] for row in await group.rows("tallies")) == number
    assert len(await group.rows("inbox")) == number
    subjects = {event.id: event.subject for event in await group.events()}
    assert sorted(subjects.values()) == sorted(f"{SOURCE}#o{each}" for each in range(number))
    assert await group.rows("dead_letters") == []


# ------------------------------------------------------------------------------------------------- SIGKILL


@contextmanager
def forgetting_transactions(servers: Servers) -> Iterator[None]:
    """The server ends a dead client's open transaction after a minute; here at once, so that the test need not wait."""
    with MongoClient[Document](servers.mongo) as client:
        before = client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=3)["was"]
        try:
            yield
        finally:
            client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=before)


@pytest.mark.parametrize("step", Step)
async def test_a_process_killed_between_two_steps_loses_and_doubles_nothing(
    group: Group, servers: Servers, step: Step
) -> None:
    poison = occurrence("bad", conduct=Conduct.POISON)
    await group.send(*occurrences(20), poison, fact("fact", amount=5))
    with forgetting_transactions(servers):
        assert await group.killed_at(step) == -signal.SIGKILL
        await group.start()
        await group.settled()
    assert sum(row["n"] for row in await group.rows("tallies")) == 20
    assert await group.rows("envelopes") == [{"_id": "04", "_rev": 1, "version": 1, "amount": 5}]
    assert [row["_id"] for row in await group.rows("sums")] == ["nation"]
    (letter,) = await group.rows("dead_letters")
    assert letter["event_id"] == f"{SOURCE}#bad"
    subjects = Counter({event.id: event.subject for event in await group.events()}.values())
    assert subjects == {f"{SOURCE}#{id}": 1 for id in [*(f"o{n}" for n in range(20)), "fact"]} | {"nation": 1}


# ------------------------------------------------------------------------------------------------- rebalances


async def test_members_come_and_go_during_long_batches_and_no_record_is_delivered_twice(group: Group) -> None:
    absorbed = counted("langhoc_records_total", consumer=NAME, verdict="absorbed")
    slow = {"batch_records": 20, "session_timeout_ms": 8_000, "faults": FaultPlan(delay=1.0, delay_seconds=0.7)}
    await group.send(*occurrences(MANY))
    async with group.member(0, **slow) as first:
        await group.sees(lambda: len(group.started) > 0)
        async with group.member(1, **slow) as second:
            await group.sees(lambda: len(second.consuming.assigned or ()) == 1)
            await group.send(*occurrences(MANY, first=MANY))
            await group.sees(lambda: second.consuming.busy)
        await assert_once(group, 2 * MANY)
        assert len(first.consuming.assigned or ()) == 2, "the second's partition came back"

    assert set(group.started.values()) == {1}
    assert counted("langhoc_records_total", consumer=NAME, verdict="absorbed") == absorbed


async def test_a_batch_that_outlasts_the_gates_patience_has_its_effects_once(group: Group) -> None:
    """The gate waits one second here, the batch lasts longer: another member gets the same records."""
    await group.send(*occurrences(20))
    absorbed = counted("langhoc_records_total", consumer=NAME, verdict="absorbed")
    slow = FaultPlan(delay=1.0, delay_seconds=3.0)
    async with group.member(0, session_timeout_ms=6_000, faults=slow):
        await group.sees(lambda: len(group.started) > 0)
        async with group.member(1, session_timeout_ms=6_000):
            await assert_once(group, 20)

    again = counted("langhoc_records_total", consumer=NAME, verdict="absorbed") - absorbed
    assert again > 0, "no record was delivered twice, so nothing was shown"


# ------------------------------------------------------------------------------------------------- two at once


class Holding(Faults):
    """Keeps a transaction open, all written but not committed, until it is told to go on."""

    def __init__(self) -> None:
        self.holds, self.go_on = asyncio.Event(), asyncio.Event()

    async def reach(self, step: Step) -> None:
        if step is Step.COMMITTING:
            self.holds.set()
            await self.go_on.wait()


def stored(number: int) -> Stored:
    """A record as a consumer gets it."""
    message = occurrence(f"o{number}")
    return Stored("in", 0, number, message.value, message.wire_headers, message.key.encode())


async def test_the_same_record_at_two_processes_at_the_same_instant_counts_once(group: Group) -> None:
    """The second meets an inbox entry that is written and not committed: it must neither wait for minutes nor count."""
    holding = Holding()
    first, second = (
        Pipeline(NAME, group.consumer(), mongo, clock=BusinessClock(), brake=Brake(3), faults=faults)
        for mongo, faults in [(group.mongo, holding), (group.another_connection(), NO_FAULTS)]
    )
    absorbed = counted("langhoc_records_total", consumer=NAME, verdict="absorbed")
    one = asyncio.create_task(first.process([stored(0), stored(1)]))
    await holding.holds.wait()
    other = asyncio.create_task(second.process([stored(1), stored(2)]))
    await asyncio.sleep(0.5)
    assert not other.done(), "the second waits for the first"
    holding.go_on.set()
    async with asyncio.timeout(30):
        assert await one == Progress({("in", 0): 2}, set(), written=True)
        assert await other == Progress({("in", 0): 3}, set(), written=True)

    assert [(row["_id"], row["n"]) for row in await group.rows("tallies")] == [("04", 3)]
    assert {row["_id"] for row in await group.rows("outbox")} == {derived_id(f"{SOURCE}#o{n}", 0) for n in range(3)}
    assert counted("langhoc_records_total", consumer=NAME, verdict="absorbed") - absorbed == 1


async def test_two_processes_with_different_records_of_one_document_lose_neither(group: Group) -> None:
    """Both have loaded the same revision; the slower one decides again on what the faster one wrote."""
    holding = Holding()
    pipelines = [
        Pipeline(NAME, group.consumer(), mongo, clock=BusinessClock(), brake=Brake(3), faults=faults)
        for mongo, faults in [(group.mongo, holding), (group.another_connection(), NO_FAULTS)]
    ]
    await pipelines[1].process([stored(0)])
    slow = asyncio.create_task(pipelines[0].process([stored(1)]))
    await holding.holds.wait()
    quick = asyncio.create_task(pipelines[1].process([stored(2)]))
    await asyncio.sleep(0.3)
    holding.go_on.set()
    async with asyncio.timeout(30):
        await asyncio.gather(slow, quick)

    assert [(row["_id"], row["n"]) for row in await group.rows("tallies")] == [("04", 3)]


# ------------------------------------------------------------------------------------------------- the relay


async def test_a_transaction_that_commits_behind_the_relay_is_published_nevertheless(group: Group) -> None:
    """A relay that remembers how far it came passes the row of a transaction that was begun earlier and ends later."""

    clock = BusinessClock()

    def row(id: str) -> Document:
        headers = {"ce_id": id, "ce_subject": "/langhoc/elsewhere#o0"}
        order, at = clock.stamp(), clock.real()
        return outbox.row(
            event_id=id, topic=group.topics.output, key="04", value=b"{}", headers=headers, order=order, at=at
        )

    async def published() -> list[str]:
        return [event.id for event in await group.events()]

    async def has_gone(id: str) -> bool:
        return id in await published()

    async with group.member():
        async with group.mongo.transaction() as session:
            await group.mongo.insert("outbox", [row("early")], session)
            await group.mongo.insert("outbox", [row("late")])
            await group.until(lambda: has_gone("late"))
            assert await published() == ["late"]
            await session.commit()
        await group.until(lambda: has_gone("early"))
        await group.settled()

    assert await published() == ["late", "early"]


# ------------------------------------------------------------------------------------------------- the database


@contextmanager
def failing(servers: Servers, database: str, mode: Any, **fault: Any) -> Iterator[Callable[[], int]]:
    """A fail point for one database's clients only; yields how to ask how often it struck."""
    with MongoClient[Document](servers.mongo) as client:

        def set_mode(mode: Any, **data: Any) -> int:
            return int(client.admin.command("configureFailPoint", "failCommand", mode=mode, **data)["count"])

        before = set_mode(mode, data={"appName": database, **fault})
        try:
            yield lambda: set_mode("off") - before
        finally:
            set_mode("off")


COMMITS: Mapping[str, Mapping[str, Any]] = {
    "connection lost": {"closeConnection": True},
    "no primary": {"errorCode": 10107},
    "result unknown": {"errorCode": 50, "errorLabels": ["UnknownTransactionCommitResult"]},
    "result unknown and connection lost": {"closeConnection": True, "errorLabels": ["UnknownTransactionCommitResult"]},
    "committed, but not confirmed": {"writeConcernError": {"code": 64, "errmsg": "no majority in time"}},
    "transaction gone": {"errorCode": 251, "errorLabels": ["TransientTransactionError"]},
}


@pytest.mark.parametrize("fault", COMMITS.values(), ids=COMMITS.keys())
async def test_a_commit_that_fails_or_is_in_doubt_has_its_effects_once(
    group: Group, servers: Servers, fault: Mapping[str, Any]
) -> None:
    """The server is made to say so without having ended the transaction: its locks stay until it is forgotten."""
    commits = {"failCommands": ["commitTransaction"], **fault}
    with forgetting_transactions(servers), failing(servers, group.database, {"times": 5}, **commits) as strikes:
        async with group.member():
            await group.send(*occurrences(20))
            await assert_once(group, 20)
        assert strikes() == 5


INVALID = 121
"""What the server says of a document that its collection does not take: no loss of the connection or of a right."""


async def test_a_dead_letter_that_cannot_be_written_stops_its_partition_and_is_told(
    group: Group, servers: Servers
) -> None:
    group.broken = True
    put_off = counted("langhoc_retries_total", consumer=NAME, cause="Unavailable")
    refused = {"failCommands": ["insert"], "namespace": f"{group.database}.dead_letters", "errorCode": INVALID}
    async with group.member() as member:
        with failing(servers, group.database, "alwaysOn", **refused):
            await group.send(occurrence("o0"), occurrence("o1"))
            await group.sees(lambda: group.started[f"{SOURCE}#o0"] >= 3)
            assert await group.unfinished() == 2
            assert await group.rows("inbox") == []
            assert counted("langhoc_retries_total", consumer=NAME, cause="Unavailable") - put_off >= 2
            (said,) = [check.detail for check in await member.ready() if check.name == "partitions"]
            assert said.startswith(f"wait alone: {group.topics.input}/")
            await member.flow()
            assert counted("langhoc_partitions_put_off", consumer=NAME) >= 1
        group.broken = False
        await assert_once(group, 2)
        assert member.consuming.waiting() == []
        assert all((await group.ready(member)).values())


# ------------------------------------------------------------------------------------------------- our own fault


async def test_a_bad_release_stops_at_the_brake_and_goes_on_when_it_is_mended(group: Group) -> None:
    """Three failures in a row are allowed here; the rest waits, probed by a record at a time, and nothing is lost."""
    group.broken = True
    total = 40
    await group.send(*(occurrence(f"o{number}") for number in range(total)))
    async with group.member(brake_after=3) as member:
        await group.sees(lambda: bool(member.consuming.braked))
        calls = group.started.total()
        await group.sees(lambda: group.started.total() >= calls + 3)  # it is probed
        assert await member.dead_letters() == {"dead_letters": 3, "dead_letters_waiting": 0}
        assert counted("langhoc_dead_letters_open", consumer=NAME) == 3
        assert await group.unfinished() == total - 3
        await member.flow()
        assert counted("langhoc_brakes", consumer=NAME) == 1
        assert (await group.ready(member))["brake"] is False
        assert member.consuming.braked == {group.topics.input}

        group.broken = False
        await group.settled()
        assert all((await group.ready(member)).values())

    assert [(row["_id"], row["n"]) for row in await group.rows("tallies")] == [("04", total - 3)]
    assert [row["offset"] for row in await group.rows("dead_letters")] == [0, 1, 2]
