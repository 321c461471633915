"""Tasks end even if what they await swallows a cancellation."""

from __future__ import annotations

import asyncio

from shared.messaging import ending


async def test_a_swallowed_cancellation_is_repeated() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if swallowed == 2:
                    raise
                swallowed += 1

    async def failing() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise RuntimeError("at the end")

    tasks = [asyncio.create_task(stubborn()), asyncio.create_task(failing())]
    await asyncio.sleep(0)
    await ending.end(tasks)
    assert swallowed == 2
    assert all(task.done() for task in tasks)
    await ending.end([])
