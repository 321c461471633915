"""Every route of every service while the database, or the broker, does not answer: 503 with Retry-After, never 500."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cli import client as command
from cli.client import Client, describe
from cli.deployments import Deployment
from cli.output import CommandError
from deploy.local.identity import ensure_signing_key, issue_token
from shared.answers.operations import Flow
from shared.mongo.port import CommitUnknown, MongoError, Transient, Unavailable
from shared.web.streams import begun
from tests.fakes.apps import SERVICES, app_of, requests_of
from tests.fakes.memory import MemoryMongo

WITHOUT_DATABASE = {"/health/live", "/health/ready", "/metrics", "/periods", "/rankings/{scope}/{period}/cut-offs"}
Build = Callable[[str], FastAPI]


@pytest.fixture
def mongo() -> MemoryMongo:
    return MemoryMongo()


@pytest.fixture
def build(tmp_path: Path, mongo: MemoryMongo) -> Build:
    """A service's app over this database; broker and consumer are built but not started."""
    ensure_signing_key(tmp_path)

    return partial(app_of, mongo=mongo, state=tmp_path)


def client(app: FastAPI, folder: Path) -> httpx.AsyncClient:
    token = issue_token(folder, "an", "ministry")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://t", headers={"Authorization": f"Bearer {token}"})


async def answers(http: httpx.AsyncClient, app: FastAPI) -> AsyncIterator[tuple[str, str, httpx.Response]]:
    for method, path, request in requests_of(app):
        request.headers["Authorization"] = http.headers["Authorization"]
        yield method, path, await http.send(request)


def assert_told_to_wait(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.json().get("code")) == (503, code), (str(answer.request.url), answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    for words in (answer.json()["message"], answer.json()["mend"]):
        assert words["vi"] != words["en"]


@pytest.mark.parametrize("error", [Unavailable, Transient, CommitUnknown])
@pytest.mark.parametrize("service", SERVICES)
async def test_a_database_that_is_away_is_told_by_every_route(
    build: Build, mongo: MemoryMongo, tmp_path: Path, service: str, error: type[MongoError]
) -> None:
    app = build(service)
    mongo.down = error
    reached = 0
    async with client(app, tmp_path) as http:
        async for _, path, answer in answers(http, app):
            if path not in WITHOUT_DATABASE | {"/flow"}:
                assert_told_to_wait(answer, "database_unavailable")
                reached += 1
    assert reached >= 7, "the dead letters' five and its own"


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_that_still_starts_refuses_all_but_health_and_documentation(
    build: Build, tmp_path: Path, service: str
) -> None:
    """Nothing may be decided in a database that is not prepared yet."""
    app = build(service)
    app.state.runtime.waiting_for = "Kafka"
    async with client(app, tmp_path) as http:
        async for _, path, answer in answers(http, app):
            if path.startswith("/health/") or path == "/metrics":
                assert "starting" not in answer.text.replace("starting or stopping", "")
            else:
                assert_told_to_wait(answer, "starting")
                assert "Kafka" in answer.json()["message"]["vi"]
        assert (await http.get("/docs")).status_code == 200
        live, ready = await http.get("/health/live"), await http.get("/health/ready")
    assert (live.status_code, live.json()["checks"]["start"]["detail"]) == (200, "waiting for Kafka")
    assert (ready.status_code, ready.json()["checks"]["started"]["detail"]) == (503, "waiting for Kafka")


async def test_a_flow_that_nobody_can_tell_is_not_settled(build: Build, tmp_path: Path) -> None:
    async with client(build("intake"), tmp_path) as http:
        assert_told_to_wait(await http.get("/flow"), "broker_unavailable")


async def test_what_fails_before_the_first_part_of_a_stream_fails_the_answer() -> None:
    async def torn() -> AsyncIterator[int]:
        raise Unavailable("at once")
        yield 1

    async def numbers(count: int) -> AsyncIterator[int]:
        for number in range(count):
            yield number

    with pytest.raises(Unavailable):
        await begun(torn())
    assert [[each async for each in await begun(numbers(count))] for count in (0, 1, 3)] == [[], [0], [0, 1, 2]]


def test_the_command_waits_on_where_a_service_cannot_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """`langhoc wait` neither ends with an error nor takes an unknown flow for a settled one."""
    problem = {
        "message": {"vi": "Kafka chưa trả lời.", "en": "Kafka does not answer yet."},
        "mend": {"vi": "Gửi lại sau.", "en": "Ask again."},
    }
    flow = Flow(
        service="intake", lag=0, outbox=0, requests=0, busy=False, settled=True, dead_letters=0, dead_letters_waiting=0
    )
    away = httpx.Response(503, json=problem, headers={"content-type": "application/problem+json"})
    coming = [away, away]

    def answer(request: httpx.Request) -> httpx.Response:
        return coming.pop(0) if coming else httpx.Response(200, json=flow.model_dump())

    class Here(Deployment):
        def connect(self, *who: Any) -> httpx.Client:
            return httpx.Client(transport=httpx.MockTransport(answer))

    monkeypatch.setattr(command, "chosen", lambda: Here("here", {"intake": ("http://intake",)}))
    told: list[str] = []
    Client().wait(30, lambda flows: told.append(describe(flows)))
    assert told[:2] == ["intake: Kafka chưa trả lời. / Kafka does not answer yet. → Gửi lại sau. / Ask again."] * 2
    assert told[2] == ""

    coming[:] = [away] * 2
    with pytest.raises(CommandError, match="Kafka does not answer yet"):
        Client().wait(0)


def test_who_waits_for_answers_of_one_service_is_held_up_by_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """`langhoc submit` has its receipts while another service computes for an hour."""
    busy = {"lag": 7, "outbox": 0, "requests": 1, "busy": True, "dead_letters": 0, "dead_letters_waiting": 0}

    def answer(request: httpx.Request) -> httpx.Response:
        service = request.url.host
        quiet = {"lag": 0, "requests": 0, "busy": False, "settled": True} if service == "intake" else {"settled": False}
        return httpx.Response(200, json=Flow.model_validate({"service": service} | busy | quiet).model_dump())

    class Here(Deployment):
        def connect(self, *who: Any) -> httpx.Client:
            return httpx.Client(transport=httpx.MockTransport(answer))

    both = {each: (f"http://{each}",) for each in ("intake", "funding")}
    monkeypatch.setattr(command, "chosen", lambda: Here("here", both))
    Client().wait(30, of={"intake"})
    with pytest.raises(CommandError, match="funding 7 to read"):
        Client().wait(0)
