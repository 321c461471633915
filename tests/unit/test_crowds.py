"""How many requests are in hand at once: of one account, and of all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from shared.web import crowds
from shared.web.auth import ACCOUNT
from shared.web.crowds import AT_ONCE, OF_ONE, Crowds
from shared.web.tokens import Account

Ask = Callable[[str, str], Coroutine[Any, Any, httpx.Response]]


class Slow:
    """Answers when it is let go, except for health; fails where a path says so."""

    def __init__(self) -> None:
        self.go, self.begun = asyncio.Event(), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/health"):
            self.begun += 1
            await self.go.wait()
        if scope["path"] == "/fails":
            raise RuntimeError("as ordered by the test")
        await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def ask(slow: Slow) -> Ask:
    inner = Crowds(slow)

    async def admitted(scope: Any, receive: Receive, send: Send) -> None:
        """As `Admission` hands a request on: the account is that of the token, whatever its header looks like."""
        name = httpx.Headers(scope["headers"])["Authorization"].lower().removeprefix("bearer ")
        if name:
            scope[ACCOUNT] = Account("test", name, None, None)
        await inner(scope, receive, send)

    client = httpx.AsyncClient(transport=httpx.ASGITransport(admitted), base_url="http://t")

    async def ask(who: str, path: str = "/") -> httpx.Response:
        return await client.get(path, headers={"Authorization": f"Bearer {who}"})

    return ask


async def begun(slow: Slow, count: int) -> None:
    while slow.begun < count:  # noqa: ASYNC110  each turn of the loop lets one more begin
        await asyncio.sleep(0)


async def test_whoever_asks_without_end_keeps_nobody_else_from_asking(slow: Slow, ask: Ask) -> None:
    waiting = [asyncio.create_task(ask("an", "/")) for _ in range(OF_ONE)]
    await begun(slow, OF_ONE)
    refused = await ask("an", "/")
    assert (refused.status_code, refused.json()["code"]) == (503, "crowded")
    assert refused.headers["Retry-After"]
    other = asyncio.create_task(ask("binh", "/"))
    await begun(slow, OF_ONE + 1)
    slow.go.set()
    assert {(await one).status_code for one in [*waiting, other]} == {200}
    assert (await ask("an", "/")).status_code == 200


async def test_one_account_is_one_however_its_header_is_written(slow: Slow, ask: Ask) -> None:
    waiting = [asyncio.create_task(ask("AN" if number % 2 else "an", "/")) for number in range(OF_ONE)]
    await begun(slow, OF_ONE)
    assert (await ask("an", "/")).json()["code"] == "crowded"
    slow.go.set()
    assert {(await one).status_code for one in waiting} == {200}


async def test_beyond_what_the_process_takes_only_health_is_answered(slow: Slow, ask: Ask) -> None:
    waiting = [asyncio.create_task(ask(str(number), "/")) for number in range(AT_ONCE)]
    await begun(slow, AT_ONCE)
    assert (await ask("one more", "/")).json()["code"] == "crowded"
    for path in crowds.NEVER_REFUSED:
        if path.startswith("/health"):
            assert (await ask("a supervisor", path)).status_code == 200
    slow.go.set()
    assert {(await one).status_code for one in waiting} == {200}


async def test_who_fails_or_leaves_gives_the_place_back(slow: Slow, ask: Ask) -> None:
    left = [asyncio.create_task(ask("an", "/")) for _ in range(OF_ONE)]
    await begun(slow, OF_ONE)
    for one in left:
        one.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    slow.go.set()
    for _ in range(OF_ONE + 1):
        with pytest.raises(RuntimeError):
            await ask("an", "/fails")
    assert (await ask("an", "/")).status_code == 200
