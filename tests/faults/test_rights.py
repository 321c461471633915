"""Logins and rights that are taken away under a running service, and given back: nothing is lost, nobody dies of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from cli.publishing import Message, Portal, Sent
from deploy.local.harness import Servers, start_servers
from deploy.principals import principals_of
from shared.contracts.catalogue import EventType
from shared.contracts.rights import Right, rights
from shared.messaging.operate.topics import apply_topics
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.integration, pytest.mark.faults]
PROVINCE = "46"
RELOGIN_SECONDS = 3


@pytest.fixture(scope="module")
async def own_servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    """Servers whose users this module removes, where a connection is cut every few seconds."""
    with start_servers(tmp_path_factory.mktemp("rights"), relogin_seconds=RELOGIN_SECONDS) as running:
        await apply_topics(running.kafka)
        yield running


@pytest.fixture(scope="module")
def intake(own_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcesses]:
    with ServiceProcesses(own_servers, tmp_path_factory.mktemp("intake")) as processes:
        processes.start("intake")
        yield processes


async def publish(portal: Portal, name: str, number: int) -> list[Sent]:
    """So many records that are refused, each with a receipt."""
    bodies = [b'{"%s": %d}' % (name.encode(), each) for each in range(number)]
    return await portal.publish([Message(PROVINCE, "k", EventType.ENVELOPE_SUBMITTED, body) for body in bodies])


async def wait_for(condition: Callable[[], bool], intake: ServiceProcesses) -> None:
    give_up = time.monotonic() + 120
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < give_up, intake.log("intake")
        await asyncio.sleep(0.2)


async def all_answered(intake: ServiceProcesses, sent: list[Sent]) -> None:
    """Each by one receipt, which has left; by the same process as before, and without a dead letter."""
    database = intake.database("intake")
    wanted = {"_id": {"$in": [each.receipt_id for each in sent]}}
    await wait_for(lambda: database["receipts"].count_documents(wanted) == len(sent), intake)
    await wait_for(lambda: database["outbox"].count_documents({}) == 0, intake)
    assert database["dead"].count_documents({}) == 0
    assert intake.ended() == []


def says(intake: ServiceProcesses, check: str) -> tuple[bool, str]:
    found = intake.ask("intake", "/health/ready").json()["checks"][check]
    return found["ok"], found["detail"]


async def test_connections_that_are_cut_lose_nothing(own_servers: Servers, intake: ServiceProcesses) -> None:
    """The library does not log in again on an open connection, so the broker cuts it: of who sends and of who reads."""
    sent: list[Sent] = []
    until = time.monotonic() + 6 * RELOGIN_SECONDS
    async with Portal(own_servers.kafka) as portal:
        while time.monotonic() < until:
            sent += await publish(portal, f"cut-{len(sent)}", 5)
            await asyncio.sleep(0.2)
    await all_answered(intake, sent)


READS = Right("topic", "submissions.", True, "read")
WRITES = Right("topic", "receipts.", True, "write")


@pytest.mark.parametrize("what", ["reading", "writing", "the group", "everything"])
async def test_a_right_that_is_taken_away_is_named_and_given_back_is_used_again(
    own_servers: Servers, intake: ServiceProcesses, what: str
) -> None:
    group = Right("group", intake.group("intake"), False, "read")
    taken = {"reading": {READS}, "writing": {WRITES}, "the group": {group}, "everything": {READS, WRITES, group}}[what]

    def named() -> bool:
        """All that is gone, and nothing else: the broker forgets one right after the other."""
        ok, detail = says(intake, "rights")
        missing = ("no right to read" in detail, "no right to write" in detail)
        return not ok and missing == (what != "writing", what in ("writing", "everything"))

    with principals_of(own_servers.kafka) as principals:
        principals.withdraw("intake", taken)
        try:
            async with Portal(own_servers.kafka) as portal:
                sent = await publish(portal, what, 20)
            await wait_for(named, intake)
        finally:
            principals.grant("intake", taken)
    await wait_for(lambda: says(intake, "rights")[0], intake)
    await all_answered(intake, sent)


async def test_a_login_that_is_taken_away_and_given_back(own_servers: Servers, intake: ServiceProcesses) -> None:
    """As when a password is changed on the broker first: connections are cut, and none comes about until it fits."""
    kept = {**own_servers.kafka_as("intake").settings}["kafka_password"]
    with principals_of(own_servers.kafka) as principals:
        before = principals.rights_of("intake")
        principals.dismiss({"intake"})
        async with Portal(own_servers.kafka) as portal:
            sent = await publish(portal, "login", 20)
            await asyncio.sleep(2 * RELOGIN_SECONDS)
            sent += await publish(portal, "later", 20)
        assert principals.rights_of("intake") == set()
        principals.admit({"intake": kept})
        principals.grant("intake", before)
    await all_answered(intake, sent)


@pytest.mark.parametrize("service", ["intake", "scoring"])
async def test_a_service_without_rights_waits_and_says_for_what(
    own_servers: Servers, tmp_path: Path, service: str
) -> None:
    """It would start, be called ready, and hear nothing."""
    with ServiceProcesses(own_servers, tmp_path) as world, principals_of(own_servers.kafka) as principals:
        needed = {right for right in rights(service) if right.operation == "read" and right.resource == "topic"}
        principals.withdraw(service, needed)
        try:
            world.launch(service)
            await wait_for(lambda: "no right to read" in world.whole_log(service), world)
            assert world.ended() == []
        finally:
            principals.grant(service, needed)
        await asyncio.to_thread(world.wait_ready, service)
