"""What the HTTP side is asked by whoever means no good: on a real socket (`http.yaml`), and of every route
(`parameters.yaml`)."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from deploy.local.identity import ensure_signing_key, issue_token
from shared.web import bodies, connections
from shared.web.app import served
from tests.fakes.apps import SERVICES, app_of, requests_of
from tests.fakes.memory import MemoryMongo
from tests.hostile.inputs import Input, each, inputs

GUARDING = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "deny",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
"""What every answer says, lower case."""


def spelt(text: str) -> str:
    """A text with its repetitions written out."""
    return re.sub(r"\{([^{}]+)\*([0-9]+)\}", lambda found: found[1] * int(found[2]), text)


# ------------------------------------------------------------------------------------------------ connections


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    ensure_signing_key(folder)
    return folder


@pytest.fixture
async def port(state: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Intake on a real socket, as it is served, with less patience."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(bodies, "SECONDS", 0.3)
    async for port in serving(app_of("intake", MemoryMongo(), state)):
        yield port


async def serving(app: ASGIApp) -> AsyncIterator[int]:
    config = served(app, "127.0.0.1", 0)
    config.lifespan = "off"  # no servers are started here
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells it in no other way
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def answer_to(port: int, first: bytes, slowly: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        writer.write(first)
        while slowly:
            await asyncio.sleep(0.02)
            writer.write(slowly)

    sending = asyncio.create_task(send())
    answer = b""
    with suppress(ConnectionError):
        while part := await reader.read(65_536):
            answer += part
    sending.cancel()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("first", "slowly", "status", "code"),
    [
        (b"\x00\x01\r\n\r\n", b"", 400, "no_request"),
        (b"GET /hea", b"", 408, "request_too_slow"),
        (b"GET /receipts HTTP/1.1\r\nHost: a\r\n", b"X-A: a\r\n" * 500, 431, "headers_too_large"),
        (b"GET /health/live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"", 400, "no_request"),
    ],
    ids=["no request", "too slow", "too large, in parts", "two hosts"],
)
async def test_what_nobody_could_read_has_its_line_in_the_access_log(
    port: int, first: bytes, slowly: bytes, status: int, code: str
) -> None:
    """By it a scan or a flood shows; it has nothing of what was sent."""
    with structlog.testing.capture_logs() as logs:
        await answer_to(port, first, slowly)
    (line,) = [line for line in logs if line["event"] == "http.request"]
    assert (line["status"], line["refused"], line["log_level"]) == (status, code, "warning")
    assert {line[name] for name in ("method", "route", "actor", "role", "trace")} == {None}
    assert line["ms"] >= 0


@each("http")
async def test_a_hostile_connection_is_answered_in_words_and_ended(port: int, state: Path, given: Input) -> None:
    """That it is ended is the end of this test: it reads until then."""
    sent = spelt(given["send"].replace("{token}", issue_token(state, "an", "ministry")))
    with structlog.testing.capture_logs() as logs:
        answer = await answer_to(port, sent.encode("latin-1"), given.get("slowly", "").encode())
    if given["answer"] == "closed":
        assert answer == b""
        return
    *_, last = answer.split(b"HTTP/1.1 ")
    head, _, body = last.partition(b"\r\n\r\n")
    assert int(head[:3]) == given["answer"], answer[:500]
    assert b"application/problem+json" in head
    assert b'"vi"' in body
    headers = dict(line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
    assert {name: headers[name] for name in GUARDING} == GUARDING
    assert given["answer"] in [line["status"] for line in logs if line["event"] == "http.request"]
    assert await ready(port)


async def ready(port: int) -> bool:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        return (await client.get("/health/live")).status_code == 200


async def test_a_flood_of_half_open_connections_displaces_itself(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """400 of 400 once lived."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 600)
    monkeypatch.setattr(connections, "MOST_WAITING", 50)
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(400)]
    for _, writer in opened:
        writer.write(b"GET /health/live HTTP/1.1\r\nX-")
    assert await ready(port)
    for reader, _ in opened[:350]:
        with suppress(ConnectionError):
            assert await reader.read() == b""
    assert await ready(port)
    for _, writer in opened:
        writer.close()


async def test_a_body_goes_on_after_its_refusal_only_for_a_while(
    port: int, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LINGER_BYTES", 100_000)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    token = f"Authorization: Bearer {issue_token(state, 'an', 'ministry')}".encode()
    writer.write(b"POST /history HTTP/1.1\r\nHost: a\r\n" + token + b"\r\nContent-Length: 150000000\r\n\r\n")
    assert b" 413 " in await reader.readuntil(b"\r\n")
    for _ in range(150):
        writer.write(b"x" * 1_000_000)
        try:
            await writer.drain()
        except ConnectionError:
            return
    pytest.fail("all of it was read")


async def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.1)
    ended = asyncio.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        gone = asyncio.create_task(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            await asyncio.sleep(0)
        ended.set()

    async for port in serving(endless):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await ended.wait()


# ----------------------------------------------------------------------------------------------------- routes


@pytest.fixture(scope="module", params=SERVICES)
def app(request: pytest.FixtureRequest, state: Path) -> FastAPI:
    return app_of(request.param, MemoryMongo(), state)


@pytest.fixture
async def client(app: FastAPI, state: Path) -> AsyncIterator[httpx.AsyncClient]:
    bearer = {"Authorization": f"Bearer {issue_token(state, 'an', 'ministry')}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", headers=bearer) as client:
        yield client


def kind_of(schema: dict[str, Any]) -> str:
    """Which of the lists a parameter's values belong to."""
    one = next((each for each in schema.get("anyOf", ()) if each.get("type") != "null"), schema)
    if one.get("type") == "integer":
        return "whole numbers"
    if one.get("format") == "date":
        return "days"
    return "choices" if "enum" in one or "$ref" in one or one.get("type") == "boolean" or "anyOf" in one else "texts"


def asked(app: FastAPI) -> Iterator[tuple[str, str, str, str, httpx.URL | str]]:
    """Every hostile value in the place of every parameter: kind, method, name, value, address."""
    operations = app.openapi()["paths"]
    for method, path, request in requests_of(app):
        for parameter in operations[path][method].get("parameters", ()):
            if parameter["in"] == "header":
                continue
            name, kind = parameter["name"], kind_of(parameter["schema"])
            kinds = {kind, "years"} if name in ("year", "period", "first", "last") else {kind}
            for value in [spelt(one["value"]) for one in inputs("parameters") if one["kind"] in kinds]:
                url = str(request.url)
                if parameter["in"] == "path":
                    parts, places = url.split("/"), ["", "", "", *path.removeprefix("/").split("/")]
                    at = [place.split(":")[0].strip("{}") for place in places].index(name)
                    url = "/".join([*parts[:at], value, *parts[at + 1 :]])
                else:
                    url = f"{url.partition('?')[0]}?{name}={value}"
                yield kind, method, name, value, url


async def test_no_value_of_any_parameter_makes_a_service_fail(app: FastAPI, client: httpx.AsyncClient) -> None:
    """Of 43 that were tried, each once did."""
    tried: Counter[str] = Counter()
    for kind, method, name, value, url in asked(app):
        answer = await client.request(method, url, json={} if method == "post" else None)
        told = (name, value[:40], answer.status_code, answer.text[:300])
        assert answer.status_code < 500, told
        if kind != "texts" and "/" not in value and value:
            # 403: only a province hands in submissions, whatever they say.
            assert answer.status_code in ((404, 422) if method == "get" else (403, 422)), told
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", told
        tried[kind] += 1
    assert tried["texts"] >= 10
    assert tried["whole numbers"] >= 10


async def test_a_parameter_that_is_not_there_or_given_twice_is_refused(app: FastAPI, client: httpx.AsyncClient) -> None:
    """16 of 18 routes ignored `provnce=01`, and answered for the whole nation."""
    operations, routes = app.openapi()["paths"], 0
    for method, path, request in requests_of(app):
        names = [each["name"] for each in operations[path][method].get("parameters", ()) if each["in"] == "query"]
        for name in [*names, "province"]:
            misspelt = name[:-2] + name[-1]
            url = str(request.url.copy_merge_params({misspelt: "01"}))
            answer = await client.request(method, url, json={} if method == "post" else None)
            assert answer.status_code == 422, (path, misspelt, answer.text)
            (problem,) = answer.json()["problems"]
            assert (problem["code"], problem["field"]) == ("parameter_unknown", f"/query/{misspelt}")
            assert name not in names or name in problem["expected"]["en"]
        for name in names:
            url = f"{str(request.url).partition('?')[0]}?{name}=1&{name}=2"
            answer = await client.request(method, url, json={} if method == "post" else None)
            assert [each["code"] for each in answer.json()["problems"]] == ["parameter_repeated"], (path, name)
        routes += 1
    assert routes == sum(map(len, operations.values()))


LONG = f"/receipts/{'x' * 20_000}"


async def test_every_answer_is_guarded(app: FastAPI, client: httpx.AsyncClient) -> None:
    asked = [str(request.url) for method, _, request in requests_of(app) if method == "get"]
    for path in [*asked, "/nowhere", "/docs", "/openapi.json", "/static/swagger/swagger-ui.css", "/receipts/", LONG]:
        answer = await client.get(path, headers={"Host": "evil.example"})
        assert (answer.status_code == 431) == (path == LONG)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == ("max-age=3600" if "/static/" in path else "no-store")
        assert "evil.example" not in str(answer.headers) + answer.text
