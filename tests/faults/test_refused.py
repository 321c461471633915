"""MongoDB lets a running service in no more, and then again: nothing is lost or set aside, and it heals by itself."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from cli.publishing import Message, Portal, Sent
from deploy.local.harness import Servers
from deploy.local.mongo_rights import ACTIONS, let_in_to
from deploy.local.secrets import Secrets
from shared.contracts.catalogue import EventType
from shared.messaging.access import KafkaAccess
from shared.messaging.operate.runtime import REFUSED
from shared.mongo.connect import DriverName
from tests.platform import ServiceProcesses

pytestmark = [pytest.mark.integration, pytest.mark.faults]
PROVINCE = "38"
PATIENCE_SECONDS = 3


class Intake:
    """Intake as a supervisor keeps it, with a login of its own."""

    def __init__(self, servers: Servers, folder: Path, driver: DriverName) -> None:
        servers.secrets.password("intake", "mongo")
        self.secrets = Secrets(folder)
        shutil.copytree(servers.secrets.folder("intake"), self.secrets.folder("intake"))
        self._log = folder / "intake-0.log"
        self.world = ServiceProcesses(
            servers,
            folder,
            LANGHOC_MONGO_DRIVER=driver,
            LANGHOC_REFUSED_AFTER=str(PATIENCE_SECONDS),
            LANGHOC_SECRETS_DIR=str(self.secrets.folder("intake")),
        )
        self.restarts = 0

    def give(self, actions: tuple[str, ...] = ACTIONS) -> None:
        """Make the user, or give it what its password and its rights are now."""
        name = self.world.database("intake").name
        let_in_to(self.world.client, name, self.secrets.password("intake", "mongo"), name, actions)

    def take(self) -> None:
        """Remove the user."""
        self.world.shut_out("intake")

    def ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.world.url('intake')}/health/ready", timeout=20).status_code == 200
        return False

    def ends(self) -> int:
        """How many processes ended because they were refused."""
        return self._log.read_text(errors="replace").count('"event": "service.refused_by_database"')

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Running, and started again whenever it ends."""

        async def keep() -> None:
            while True:
                for service, instance in self.world.ended():
                    self.restarts += 1
                    self.world.launch(service, instance=instance)
                await asyncio.sleep(0.2)

        await asyncio.to_thread(self.world.start, "intake")
        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
        assert self.restarts == self.ends(), self.world.log("intake")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what a process does."""
        give_up = time.monotonic() + 120
        while not await asyncio.to_thread(condition):
            assert time.monotonic() < give_up, self.world.log("intake")
            await asyncio.sleep(0.2)

    async def has_answered(self, sent: list[Sent]) -> None:
        """Wait until each has one receipt, which has left; none is set aside."""
        database = self.world.database("intake")
        mine = {"_id": {"$in": [each.receipt_id for each in sent]}}
        await self.until(lambda: database["receipts"].count_documents(mine) == len(sent))
        await self.until(lambda: database["outbox"].count_documents({}) == 0)
        assert database["dead_letters"].count_documents({"topic": f"submissions.{PROVINCE}"}) == 0


@pytest.fixture
def driver() -> DriverName:
    return "motor"


@pytest.fixture
def intake(servers: Servers, topics: KafkaAccess, tmp_path: Path, driver: DriverName) -> Iterator[Intake]:
    found = Intake(servers, tmp_path, driver)
    with found.world:
        yield found


async def publish(portal: Portal, number: int = 20) -> list[Sent]:
    """So many records that are refused, each with a receipt."""
    kind = EventType.ENVELOPE_SUBMITTED
    return await portal.publish([Message(PROVINCE, "k", kind, b'{"n": %d}' % each) for each in range(number)])


async def made_again_at_once(intake: Intake) -> None:
    """Whoever was connected stays logged out, though the user is there."""
    intake.take()
    intake.give()


async def away_beyond_the_next_start(intake: Intake) -> None:
    intake.take()
    await intake.until(lambda: intake.ends() >= 2)
    intake.give()


async def another_password(intake: Intake) -> None:
    """The service is told first, and connected still; then MongoDB, where it is logged out."""
    intake.secrets.renew("intake", "mongo")
    intake.take()
    intake.give()


@pytest.mark.parametrize(
    ("driver", "trouble"),
    [
        ("motor", made_again_at_once),
        ("pymongo", made_again_at_once),
        ("motor", away_beyond_the_next_start),
        ("motor", another_password),
    ],
)
async def test_who_is_let_in_no_more_is_started_anew(
    topics: KafkaAccess, intake: Intake, trouble: Callable[[Intake], Awaitable[None]]
) -> None:
    async with Portal(topics) as portal, intake.supervised():
        sent = await publish(portal)
        await trouble(intake)
        sent += await publish(portal)
        await intake.has_answered(sent)
        await intake.until(lambda: intake.ends() >= 1 and intake.ready())
        await intake.has_answered(await publish(portal))


@pytest.mark.parametrize("lacking", [ACTIONS[:-1], ("find",), ("insert",)], ids="-".join)
async def test_a_right_that_is_taken_and_given_back_ends_nobody(
    topics: KafkaAccess, intake: Intake, lacking: tuple[str, ...]
) -> None:
    """Another login would not mend it, and the one that is there sees at once that it has its right again."""
    async with Portal(topics) as portal, intake.supervised():
        intake.give(tuple(action for action in ACTIONS if action not in lacking))
        await intake.until(lambda: not intake.ready())
        sent = await publish(portal)
        await asyncio.sleep(2 * PATIENCE_SECONDS)
        intake.give()
        await intake.has_answered(sent)
        await intake.until(intake.ready)
    assert intake.restarts == 0


async def test_a_start_with_a_wrong_password_ends_with_a_code_of_its_own(intake: Intake) -> None:
    right = intake.secrets.password("intake", "mongo")
    intake.secrets.renew("intake", "mongo")
    intake.world.launch("intake")
    assert await asyncio.to_thread(intake.world.end_of, "intake") == REFUSED, intake.world.log("intake")
    assert right not in intake.world.whole_log("intake")
    assert intake.secrets.password("intake", "mongo") not in intake.world.whole_log("intake")
    intake.give()
    await asyncio.to_thread(intake.world.start, "intake")
