"""`make cases`: every case on the real platform. Prints each difference, closes with `N passed, M failed`.

    python -m tests.casework [FILE or FOLDER …]

Ends with 1 where a case failed, with 2 where a file cannot be read.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.local.harness import Servers, start_servers
from shared.messaging.operate.topics import apply_topics
from tests.casework.case import SHIPPED, Case, UnreadableCases, load
from tests.casework.on_platform import PlatformWorld
from tests.casework.playing import perform
from tests.casework.plays import Play, plays_of, side_by_side, verdict


def main(paths: Sequence[str]) -> int:
    """Play the cases of these files, or those of the repository."""
    try:
        cases = load([Path(path) for path in paths] or [SHIPPED])
    except UnreadableCases as unreadable:
        print(unreadable)
        return 2
    plays = {case.case: plays_of(case, on_platform=True) for case in cases}
    with (
        tempfile.TemporaryDirectory(prefix="langhoc-cases-") as folder,
        start_servers(Path(folder) / "servers") as servers,
    ):
        broken = asyncio.run(_play(servers, Path(folder), [play for ways in plays.values() for play in ways]))
    return _report(cases, plays, broken)


async def _play(servers: Servers, folder: Path, plays: Sequence[Play]) -> dict[str, str]:
    """Play all; returns what kept cases from being played, by case."""
    await apply_topics(servers.kafka)
    broken: dict[str, str] = {}
    groups = side_by_side(plays)
    for number, group in enumerate(groups, start=1):
        began = time.monotonic()
        own = folder / f"world-{number}"
        own.mkdir()
        try:
            async with PlatformWorld(servers, own).running() as world:
                await perform(world, group)
        except Exception as error:  # whatever it is, the other groups are played
            print(f"group {number} could not be played: {error}")
            broken |= dict.fromkeys((play.case.case for play in group), f"could not be played, as group {number}")
        print(f"· group {number} of {len(groups)}: {len(group)} ways, {time.monotonic() - began:.0f} s", flush=True)
    return broken


def _report(cases: Sequence[Case], plays: dict[str, list[Play]], broken: dict[str, str]) -> int:
    failed = 0
    for case in cases:
        wrong = [broken[case.case]] if case.case in broken else verdict(case, plays[case.case])
        failed += bool(wrong)
        for each in wrong:
            print(f"✗ {case.case} ({case.file}): {each}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
