"""`make chaos`: load over the whole platform while a seeded schedule kills and freezes services, broker and database.

Rights are taken away and given back, senders do their worst (`hostile.py`), hosts' clocks are ten minutes off, batches
arrive garbled, broker and database are away at the start, and a channel is made anew under way. Afterwards an
independent checker recomputes from what lies on the channels what must exist, and compares everything. The last line:
`submitted=… receipts=… lost=0 doubled=0 wrong=0 dead=…`; any lost, doubled or wrong is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import httpx

from cli.publishing import Message, Portal, Sent
from demo.synthetic import ON_TIME
from deploy.local.harness import Servers, start_servers
from shared.messaging.clock import BusinessClock
from shared.messaging.ending import end
from shared.messaging.operate.topics import apply_topics
from tests.chaos.hostile import Hostile, make_anew
from tests.chaos.load import Load
from tests.chaos.trouble import COPIES, SERVICES, Trouble
from tests.checker import check
from tests.oracle import Oracle
from tests.platform import Ended, ServiceProcesses

PROVINCES = ("12", "44", "96")
PORTION = 25
SETTLE_SECONDS = 600.0
AWAY_SECONDS = 3.0


def say(text: str) -> None:
    """One line, at once."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


async def publish_for(portal: Portal, load: Load, seconds: float, per_second: float) -> list[Sent]:
    """Publish at a steady pace until the time is over."""
    sent: list[Sent] = []
    messages = load.endless()
    started = time.monotonic()
    while (now := time.monotonic()) - started < seconds:
        portion: list[Message] = list(islice(messages, PORTION))
        sent += await portal.publish(portion)
        await asyncio.sleep(max(PORTION / per_second - (time.monotonic() - now), 0))
    return sent


async def run(servers: Servers, folder: Path, seed: int, minutes: float, per_second: float) -> int:
    """One run; returns the exit code."""
    clock = BusinessClock(int((ON_TIME - datetime.now(UTC)).total_seconds()))
    load = Load(PROVINCES, seed)
    await apply_topics(servers.kafka)
    environment = {"LANGHOC_CLOCK_OFFSET": str(clock.offset_seconds), "LANGHOC_LEASE_SECONDS": "8"}
    with ServiceProcesses(servers, folder, **environment) as world:
        trouble = Trouble(world, servers, seed)
        await trouble.away_at_start(AWAY_SECONDS)
        for copy in range(COPIES):
            for service in SERVICES:
                await asyncio.to_thread(world.wait_ready, service, copy)
        say(f"{COPIES} copies of each service are ready; seed {seed}, {minutes:g} min, {per_second:g} records/s")
        hostile = Hostile(servers.kafka, PROVINCES, seed)
        async with Portal(servers.kafka, clock=clock) as portal:
            sent = await portal.publish(load.setup())
            await asyncio.to_thread(world.wait_settled, "intake", seconds=120)
            supervising = asyncio.create_task(trouble.supervise())
            renewing = asyncio.create_task(make_anew(servers.kafka, world))
            causing = [asyncio.create_task(trouble.inject()), asyncio.create_task(hostile.run())]
            sent += await publish_for(portal, load, minutes * 60, per_second)
            for task in causing:
                task.cancel()
            await asyncio.gather(*causing, return_exceptions=True)
        injected = trouble.injected + hostile.sent
        say("injected: " + ", ".join(f"{name} ×{count}" for name, count in sorted(injected.items())))
        missing = await renewing
        say("a topic was made anew under way" if not missing else "; ".join(missing))
        await settle(world, trouble)
        await end([supervising])
        say("restarts: " + ", ".join(f"{name} ×{count}" for name, count in sorted(trouble.restarts.items())))

        oracle = Oracle(clock)
        findings = await check(servers.kafka, world, oracle, sent, PROVINCES)
        findings.lost += missing
        for text in findings.all[:50]:
            say(text)
        receipts = world.database("intake")["receipts"].count_documents({"province": {"$in": PROVINCES}})
        dead = sum(world.database(service)["dead_letters"].count_documents({}) for service in SERVICES)
        print(
            f"submitted={findings.submitted} receipts={receipts} lost={len(findings.lost)} "
            f"doubled={len(findings.doubled)} wrong={len(findings.wrong)} dead={dead}",
            flush=True,
        )
        return 1 if findings.all or dead or receipts != findings.submitted else 0


async def settle(world: ServiceProcesses, trouble: Trouble) -> None:
    """After the last trouble: everything runs again and comes to rest."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            for copy in range(COPIES):
                for service in SERVICES:
                    await asyncio.to_thread(world.wait_ready, service, copy, 120)
            await asyncio.to_thread(world.wait_settled, *SERVICES, seconds=max(deadline - time.monotonic(), 1))
            return
        except (OSError, KeyError, Ended, httpx.HTTPError) as error:  # a process ended by itself, and is started again
            if time.monotonic() > deadline:
                raise TimeoutError("the platform did not come to rest") from error
            await asyncio.sleep(1)


def main() -> int:
    """Parse, run, and leave nothing behind."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--per-second", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="langhoc-chaos-") as name:
        folder = Path(name)
        with start_servers(folder / "servers") as servers:
            return asyncio.run(run(servers, folder, arguments.seed, arguments.minutes, arguments.per_second))


if __name__ == "__main__":
    sys.exit(main())
