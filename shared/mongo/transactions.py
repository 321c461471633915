"""The one transaction runner. The driver's `with_transaction` is not used: it retries for 120 s without back-off."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.mongo.port import CommitUnknown, Mongo, MongoError, Session, Transient, Unavailable

T = TypeVar("T")
OnRepeat = Callable[[MongoError], None]


async def in_transaction(
    mongo: Mongo,
    body: Callable[[Session], Awaitable[T]],
    *,
    deadline_seconds: float = 20.0,
    on_repeat: OnRepeat = lambda error: None,
) -> T:
    """Run `body` in one transaction and commit it, repeating what the server says may be repeated.

    `body` may run several times and must do nothing but database work through its session.
    `on_repeat` is told of every repeat and its cause, so that an operator can see them counted.
    `DuplicateKey`, `Conflict` and `Permanent` leave at once: the caller must decide again, repeating is useless.
    Raises `Unavailable` after the deadline. The outcome is then unknown; inbox and revisions make a repeat harmless.
    """
    give_up = time.monotonic() + deadline_seconds
    attempt = 0
    while True:
        try:
            async with mongo.transaction() as session:
                result = await body(session)
                await _commit(session, give_up, on_repeat)
                return result
        except Transient as error:
            attempt += 1
            pause = random.uniform(0, min(0.005 * 2**attempt, 1.0))  # full jitter: no herd after a conflict
            if time.monotonic() + pause > give_up:
                raise Unavailable(f"gave up after {attempt} attempts: {error}") from error
            on_repeat(error)
            await asyncio.sleep(pause)


async def _commit(session: Session, give_up: float, on_repeat: OnRepeat) -> None:
    while True:
        try:
            await session.commit()
            return
        except CommitUnknown as error:
            if time.monotonic() > give_up:
                raise Unavailable(f"commit result unknown: {error}") from error
            on_repeat(error)
            await asyncio.sleep(0.05)
