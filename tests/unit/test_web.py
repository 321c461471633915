"""The HTTP side that all services share: documentation without the outside world, problem details, the shown clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from services.intake import api
from shared.messaging.handling import Consumer
from shared.messaging.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.testing.memory import MemoryMongo
from shared.web import build_app

OFFSET = -3_600


async def nothing(mongo: Mongo) -> None:
    """No migrations."""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Intake's API over an empty database in memory; broker and consumer are built but not started."""
    ensure_signing_key(tmp_path)
    settings = ServiceSettings(kafka="127.0.0.1:1", mongo="unused", jwks=str(jwks_path(tmp_path)), clock_offset=OFFSET)
    consumer = Consumer("intake", ("submissions.01",), {})
    runtime = Runtime("intake", settings, MemoryMongo(), consumer, migrate=nothing)
    app = build_app(runtime, [api.router], title="Langhoc: intake", provider=TracerProvider())
    token = issue_token(tmp_path, "test", "ministry")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers={"Authorization": f"Bearer {token}"}
    ) as http:
        yield http


async def test_the_documentation_needs_nothing_from_outside(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        assert f"/static/swagger/{asset}" in page
        assert (await client.get(f"/static/swagger/{asset}")).status_code == 200
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/receipts", "/tally", "/health/live", "/health/ready", "/metrics", "/flow"} <= paths.keys()


async def test_a_refusal_says_what_and_how_to_mend_it_in_both_languages(client: httpx.AsyncClient) -> None:
    answer = await client.get("/receipts/none")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "not_found"
    assert body["message"]["vi"].startswith("Không tìm thấy")
    assert body["mend"]["en"]
    invalid = (await client.get("/receipts", params={"limit": 0, "period": "x"})).json()
    assert {problem["field"] for problem in invalid["problems"]} == {"/query/limit", "/query/period"}


async def test_a_simulated_clock_is_shown_on_every_answer(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/tally", "/docs"):
        assert (await client.get(path)).headers["Langhoc-Clock-Offset-Seconds"] == str(OFFSET)


async def test_not_started_means_not_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["started"]["ok"] is False
    assert answer.json()["checks"]["assignment"]["ok"] is False
