"""The HTTP side that all services share: documentation without the outside world, problem details, the shown clock."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from services.funding import api as funding
from services.intake import api
from services.notifications import api as notifications
from services.scoring import api as scoring
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.web import build_app, dead_letters
from shared.web.app import CONTRACTS
from shared.web.bodies import MAX_BYTES
from tests.fakes.memory import MemoryMongo
from tests.unit.hostile_values import unbounded

OFFSET = -3_600


async def nothing(mongo: Mongo) -> None:
    """No migrations."""


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Intake's API over an empty database in memory; broker and consumer are built but not started."""
    ensure_signing_key(tmp_path)
    settings = ServiceSettings(
        stage="local", kafka="127.0.0.1:1", mongo="unused", jwks=str(jwks_path(tmp_path)), clock_offset=OFFSET
    )
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
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/static/swagger/{asset}" in page
        assert (await client.get(f"/static/swagger/{asset}")).status_code == 200
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/receipts", "/tally", "/health/live", "/health/ready", "/metrics", "/flow"} <= paths.keys()


async def test_the_contracts_are_served_as_they_are_committed(client: httpx.AsyncClient) -> None:
    page = await client.get("/contracts")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.text == (CONTRACTS / "published" / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(/contracts/[^"]+)"', page.text)
    assert len(links) > 100
    for link in links:
        answer = await client.get(link)
        assert answer.headers["content-type"] == "application/json"
        folder = CONTRACTS if "/examples/" in link else CONTRACTS / "published"
        assert answer.content == (folder / link.removeprefix("/contracts/")).read_bytes()
    assert "(/contracts)" in (await client.get("/openapi.json")).json()["info"]["description"]
    for path in ("schemas", "schemas/none.json", "%2e%2e/base.py", "schemas/..%2f..%2fbase.py", "examples/../base.py"):
        assert (await client.get(f"/contracts/{path}")).status_code == 404


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


@pytest.mark.parametrize(
    ("body", "status", "codes"),
    [
        ("[" * 600 + "]" * 600, 422, ["too_deep"]),
        ('{"keys": [' + "1, " * 30_000 + "1]}", 422, ["too_many_values"]),
        ('{"a": 1.00000000000000001, "b": [' + "1" * 5_000 + "]}", 422, ["number_not_exact", "number_too_long"]),
        ('{"why": "' + "x" * MAX_BYTES + '"}', 413, ["body_too_large"]),
    ],
)
async def test_a_body_out_of_bounds_is_refused_before_anything_reads_it(
    client: httpx.AsyncClient, body: str, status: int, codes: list[str]
) -> None:
    answer = await client.post("/register/corrections", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, "body_out_of_bounds")
    assert answer.headers["content-type"] == "application/problem+json"
    assert [problem["code"] for problem in answer.json()["problems"]] == codes
    for problem in answer.json()["problems"]:
        assert all(problem[part][language] for part in ("message", "expected", "mend") for language in ("vi", "en"))


async def test_a_body_within_bounds_and_one_that_is_no_json_reach_the_application(client: httpx.AsyncClient) -> None:
    answer = await client.post("/register/corrections", json={"correction_id": "c"})
    assert answer.json()["code"] == "correction_unsound"
    answer = await client.post("/register/corrections", content=b"\xff{", headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("path", ["/receipts", "/held", "/tally", "/subjects/00004"])
async def test_a_year_that_the_database_cannot_take_is_refused(client: httpx.AsyncClient, path: str) -> None:
    for period in ("9" * 30, "1" * 5_000, "-1"):
        assert (await client.get(path, params={"period": period})).status_code == 422
    assert (await client.get(path, params={"period": 0})).status_code == 200


ROUTERS = {"intake": api, "scoring": scoring, "funding": funding, "notifications": notifications, "all": dead_letters}


@pytest.mark.parametrize("service", ROUTERS)
def test_every_parameter_and_body_is_bounded(service: str) -> None:
    """The length of an address is held by the server, that of a body by `BoundedBodies`; numbers are not."""
    app = FastAPI()
    app.include_router(ROUTERS[service].router)
    api = app.openapi()
    asked = [
        f"{path} {parameter['name']}: {place}"
        for path, operations in api["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        for place in unbounded(parameter["schema"])
        if "maxLength" not in place
    ]
    bodies = {
        media["schema"].get("$ref", "").rpartition("/")[2]
        for operations in api["paths"].values()
        for operation in operations.values()
        for media in operation.get("requestBody", {}).get("content", {}).values()
    }
    sent = [f"{name}: {place}" for name in bodies - {""} for place in unbounded(api["components"]["schemas"][name])]
    assert asked + sent == []


async def test_a_simulated_clock_is_shown_on_every_answer(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/tally", "/docs"):
        assert (await client.get(path)).headers["Langhoc-Clock-Offset-Seconds"] == str(OFFSET)


async def test_not_started_means_not_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["started"]["ok"] is False
    assert answer.json()["checks"]["assignment"]["ok"] is False
