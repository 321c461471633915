"""A token is checked before a byte of the body, on every route; who sends bad ones waits, and nobody else does."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from fastapi.routing import APIRoute
from joserfc import jwt
from joserfc.jwk import ECKey
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from shared.messaging.clock import BusinessClock
from shared.messaging.decide.asking import Consumer
from shared.messaging.decide.people import PEOPLE
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Unavailable
from shared.web import admission, build_app
from shared.web.admission import (
    FORGET_SECONDS,
    FREE,
    MOST_HELD,
    MOST_HELD_OF_ONE,
    MOST_SECONDS,
    MOST_SOURCES,
    Refusals,
    is_open,
    source_of,
)
from shared.web.crowds import AT_ONCE, OF_ONE
from shared.web.tokens import Account
from tests.architecture.test_completeness import routes
from tests.fakes.memory import MemoryMongo
from tests.fakes.stored import store
from tests.fakes.trust import local_operator, signed, verifier_of

SERVICES = ("intake", "scoring", "funding", "notifications")


async def nothing(mongo: Any) -> None:
    pass


def service(name: str, folder: Path) -> FastAPI:
    ensure_signing_key(folder)
    settings = ServiceSettings(
        kafka="127.0.0.1:1", mongo="unused", stage="local", jwks=str(jwks_path(folder)), clock_offset=60
    )
    runtime = Runtime(name, settings, MemoryMongo(), Consumer(name, ("submissions.01",), {}), migrate=nothing)
    router = importlib.import_module(f"services.{name}.api").router
    return build_app(runtime, [router], title=name, provider=TracerProvider())


class Asked:
    """A request whose body never ends, as a server hands it to the application: what was read and answered."""

    def __init__(
        self,
        app: FastAPI,
        method: str,
        path: str,
        headers: dict[str, str],
        client: str = "192.0.2.1",
        *,
        endless: bool = True,
    ) -> None:
        self._app = app
        self._endless = endless
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "root_path": "",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "server": ("test", 80),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": (client, 1),
        }
        self.read = 0
        self.status = 0
        self.body = b""

    async def answer(self) -> dict[str, Any]:
        await self._app(self._scope, self._receive, self._send)
        found: dict[str, Any] = json.loads(self.body)
        return found

    async def _receive(self) -> dict[str, Any]:
        self.read += 1
        assert self.read < 1_000, "it reads without end"
        return {"type": "http.request", "body": b"x" * 65_536 if self._endless else b"", "more_body": self._endless}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


def protected(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in routes(app.router):
        assert isinstance(route, APIRoute)
        for method in sorted(route.methods or ()):
            if not is_open({"method": method, "path": route.path}):
                yield method, route.path.replace("{", "").replace("}", "").replace(":path", "")


@pytest.fixture
def unslowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.web.admission.MOST_SECONDS", 0.0)


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer garbage"},
        {"Authorization": "Bearer {expired}"},
        {"Content-Length": "999999999999"},
        {"Transfer-Encoding": "chunked", "Expect": "100-continue"},
    ],
    ids=["nothing", "garbage", "expired", "a huge length", "chunked"],
)
async def test_no_byte_of_a_body_is_read_before_the_token_is_good(
    name: str, headers: dict[str, str], tmp_path: Path, unslowed: None
) -> None:
    app, asked = service(name, tmp_path), 0
    late = expired(tmp_path)
    for method, path in protected(app):
        request = Asked(app, method, path, {key: value.format(expired=late) for key, value in headers.items()})
        answer = await request.answer()
        assert (request.status, request.read) == (401, 0), (method, path)
        assert answer["code"].startswith("token_")
        asked += 1
    assert asked > 6


def expired(folder: Path) -> str:
    """A token of this folder's platform that is over."""
    now = int(time.time())
    claims = {
        "iss": "langhoc-local",
        "aud": "langhoc",
        "sub": "an",
        "role": "ministry",
        "iat": now - 900,
        "exp": now - 300,
    }
    key = ECKey.import_key(json.loads((folder / "signing-key.json").read_text()))
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key)


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/openapi.json/", "/static/swaggerx", "/contractsx", "//docs", "/metrics/x", "/DOCS"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE", "PROPFIND"])
async def test_what_nobody_knows_is_not_open(method: str, path: str, tmp_path: Path, unslowed: None) -> None:
    request = Asked(service("intake", tmp_path), method, path, {})
    await request.answer()
    assert (request.status, request.read) == (401, 0)


@pytest.mark.parametrize("path", ["/health/live", "/metrics", "/docs", "/openapi.json", "/contracts"])
async def test_what_is_open_is_open_to_look_at_alone(path: str, tmp_path: Path, unslowed: None) -> None:
    app = service("intake", tmp_path)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.get(path)).status_code == 200
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        request = Asked(app, method, path, {})
        await request.answer()
        assert (request.status, request.read) == (401, 0)


@pytest.mark.parametrize("path", ["/health/live", "/metrics", "/docs", "/openapi.json", "/contracts"])
async def test_of_what_is_open_no_body_is_read(path: str, tmp_path: Path) -> None:
    request = Asked(service("intake", tmp_path), "GET", path, {"Authorization": "whatever", "Content-Length": "65536"})
    await request._app(request._scope, request._receive, request._send)
    assert (request.status, request.read) == (200, 0)


async def test_whoever_needs_no_token_takes_no_place_of_those_who_have_one(tmp_path: Path) -> None:
    """Each of them with another header, and reading its answer as slowly as it can."""
    app, never = service("intake", tmp_path), asyncio.Event()

    async def stalled(message: Any) -> None:
        await never.wait()

    async def look(number: int) -> None:
        request = Asked(app, "GET", "/docs", {"Authorization": f"x{number}"}, endless=False)
        await app(request._scope, request._receive, stalled)

    crowd = [asyncio.create_task(look(number)) for number in range(AT_ONCE)]
    await asyncio.sleep(0.05)
    good = {"Authorization": f"Bearer {issue_token(tmp_path, 'an', 'ministry')}"}
    request = Asked(app, "GET", "/nothing", good, endless=False)
    assert (await request.answer())["code"] == "http_404"
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


async def test_one_token_is_one_account_however_its_header_is_written(tmp_path: Path) -> None:
    app, never, read = service("intake", tmp_path), asyncio.Event(), [0]
    token = issue_token(tmp_path, "an", "province", "01")

    async def slow() -> dict[str, Any]:
        read[0] += 1
        await never.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    crowd = []
    for scheme in ("Bearer", "bearer", "BEARER", "bEARER"):
        for _ in range(OF_ONE):
            request = Asked(app, "POST", "/receipts", {"Authorization": f"{scheme} {token}"})
            crowd.append(asyncio.create_task(app(request._scope, slow, send)))
    await asyncio.sleep(0.3)
    assert read == [OF_ONE]
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)


# ------------------------------------------------------------------------------------------------------------ slowed


def test_each_further_refusal_is_answered_later_and_all_is_forgotten_in_a_minute() -> None:
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    pauses = [refusals.pause("a") for _ in range(FREE + 100)]
    assert pauses[:FREE] == [0.0] * FREE
    assert pauses == sorted(pauses)
    assert pauses[FREE] > 0
    assert pauses[-1] == MOST_SECONDS
    assert refusals.pause("b") == 0, "of others nothing is counted"
    now[0] += 60
    assert refusals.pause("a") == 0
    assert FORGET_SECONDS * FREE < 60


def test_sources_without_end_take_no_memory_without_end() -> None:
    refusals = Refusals()
    for number in range(MOST_SOURCES * 3):
        refusals.pause(str(number))
    assert len(refusals) == MOST_SOURCES


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
        ("192.0.2.1; x", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_source_is_an_address_or_the_network_of_one(host: str | None, source: str) -> None:
    assert source_of({"client": None if host is None else (host, 1)}) == source


async def test_a_flood_of_bad_tokens_holds_up_nobody_with_a_good_one(tmp_path: Path, monkeypatch: Any) -> None:
    never = asyncio.Event()
    held: list[float] = []

    async def hold(seconds: float) -> None:
        held.append(seconds)
        await never.wait()

    monkeypatch.setattr(admission, "asyncio", SimpleNamespace(sleep=hold))
    app = service("intake", tmp_path)
    flood = [
        asyncio.create_task(Asked(app, "GET", "/receipts", {}, f"192.0.2.{number % 20}").answer())
        for number in range(600)
    ]
    for _ in range(20):
        await asyncio.sleep(0)
    answered = [(await one)["code"] for one in flood if one.done()]
    assert len(held) == MOST_HELD
    assert answered.count("token_missing") == 20 * FREE
    assert answered.count("tokens_refused_too_often") == 600 - 20 * FREE - MOST_HELD
    assert MOST_HELD_OF_ONE * 2 < MOST_HELD, "one source never takes all of the waiting"

    good = {"Authorization": f"Bearer {issue_token(tmp_path, 'an', 'ministry')}"}
    for path, status in (("/health/live", 200), ("/nothing", 404)):
        request = Asked(app, "GET", path, good, "192.0.2.1", endless=False)
        await request.answer()
        assert request.status == status, "from the very address of the flood"
    never.set()
    assert {(await one)["status"] for one in flood} == {401, 429}


# -------------------------------------------------------------------------------------------------------- access log


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as found:
        yield found


async def test_one_line_tells_who_did_what_and_nothing_that_was_said(tmp_path: Path, lines: list[Any]) -> None:
    app = service("intake", tmp_path)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {
        "Authorization": f"Bearer {issue_token(tmp_path, 'an', 'province', '01')}",
        "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client:
        await client.get("/receipts/NGUYEN-VAN-A", params={"name": "Trần Thị B"})
        await client.get("/receipts/NGUYEN-VAN-A")
        await client.get("/nowhere/NGUYEN-VAN-A")
        await client.get("/receipts/x", headers={"Authorization": "Bearer secret.of.somebody", "traceparent": "odd"})
        await client.get("/health/live")
        await client.get("/metrics")
    found = [line for line in lines if line["event"] == "http.request"]
    assert [
        (line["log_level"], line["method"], line["route"], line["status"], line["actor"], line["refused"])
        for line in found
    ] == [
        ("info", "GET", "/receipts/{receipt_id}", 422, "local:an", None),
        ("info", "GET", "/receipts/{receipt_id}", 404, "local:an", None),
        ("info", "GET", None, 404, None, None),
        ("warning", "GET", None, 401, None, "token_malformed"),
    ]
    assert [line["trace"] for line in found][:3] == [trace, trace, trace]
    assert len(found[3]["trace"]) == 32
    said = json.dumps(lines, ensure_ascii=False, default=str)
    assert not any(secret in said for secret in ("NGUYEN", "Trần", "secret", headers["Authorization"][7:]))


def stranger(folder: Path, **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {signed(folder, iss='langhoc-local', **claims)}"}


async def test_an_account_that_is_nobodys_is_named_in_the_line(tmp_path: Path, lines: list[Any]) -> None:
    """Else nobody could tell whose try it was: an account that was never entered, or one that has ended."""
    app = service("intake", tmp_path)
    app.state.verifier = verifier_of(tmp_path, app.state.mongo, BusinessClock(), "langhoc-local")
    former = local_operator("p-lan", "lan")
    await store(app.state.mongo, {PEOPLE.ref("p-lan"): former.model_copy(update={"ended": former.accounts})})
    longest, hostile = "x" * 255, "son\x1b[8m\u202e"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for subject in ("lan", "son", longest, hostile):
            await client.get("/receipts", headers=stranger(tmp_path, sub=subject))
        await client.get("/nowhere", headers=stranger(tmp_path, sub="hoa"))
    found = [line for line in lines if line["event"] == "http.request"]
    assert [(line["status"], line["actor"], line.get("issuer"), line.get("subject")) for line in found] == [
        (403, None, "langhoc-local", "lan"),
        (403, None, "langhoc-local", "son"),
        (403, None, "langhoc-local", longest),
        (401, None, None, None),
        (404, None, None, None),
    ]


async def test_whatever_an_account_is_called_a_line_shows_text(
    tmp_path: Path, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a token ever less strictly read than now."""
    app = service("intake", tmp_path)
    app.state.verifier = verifier_of(tmp_path, app.state.mongo, BusinessClock())

    async def lax(token: str) -> Account:
        return Account("https://id\n", "son\x1b[8m\u202e\u200b", None, None)

    monkeypatch.setattr(app.state.verifier.tokens, "verify", lax)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/receipts", headers={"Authorization": "Bearer x"})
    (line,) = [line for line in lines if line["event"] == "http.request"]
    assert (line["status"], line["subject"][:4]) == (403, "son␛")
    assert (line["issuer"] + line["subject"]).isprintable()


@pytest.mark.parametrize("failure", [Unavailable, RuntimeError])
async def test_nor_is_anything_that_was_said_in_the_line_of_a_fault(
    failure: type[Exception], tmp_path: Path, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = service("intake", tmp_path)
    find = app.state.mongo.find

    async def fails(collection: str, *given: Any, **more: Any) -> Any:
        if collection == "receipts":
            raise failure("as ordered by the test")
        return await find(collection, *given, **more)

    monkeypatch.setattr(app.state.mongo, "find", fails)
    good = {"Authorization": f"Bearer {issue_token(tmp_path, 'an', 'ministry')}"}
    await Asked(app, "GET", "/receipts/NGUYEN-VAN-A", good, endless=False).answer()
    assert {line["event"] for line in lines} >= {"http.request"}
    assert len(lines) == 2
    assert all(line["route"] == "/receipts/{receipt_id}" and "NGUYEN" not in str(line) for line in lines)
