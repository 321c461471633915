"""The services' HTTP sides as they are served, over a database in memory, and a request that each route takes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.identity import ensure_signing_key, jwks_path
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.web import build_app
from tests.fakes.memory import MemoryMongo
from tests.unit.register_samples import gap_filled

SERVICES = ("intake", "scoring", "funding", "notifications")
PLACES = {
    "province": "01",
    "year": "2026",
    "period": "2025",
    "code": "00004",
    "scope": "nation",
    "series": "commune",
    "action": "submit",
    "letter_id": "0" * 24,
}
BODIES: dict[str, Any] = {
    "/register/corrections": gap_filled().model_dump(mode="json"),
    "/recompute/dry-run": {"period": 2025},
    "/recompute": {"id": "R-1", "period": 2025, "why": "a new rule"},
    "/simulations/{province}": {"year": 2026},
    "/periods/reopenings": {
        "order_id": "O-1", "what": "commune", "period": 2020, "reason": "as agreed", "until": "2027-06-30T00:00:00Z"
    },
    "/periods/reopenings/{order_id}/end": {"reason": "as agreed"},
    "/late-requests/{province}": {"request_id": "L-1", "receipt_id": "R-1", "reason": "as agreed"},
    "/late-requests/{province}/{request_id}/answer": {"granted": False, "reason": "as agreed"},
    "/late-requests/{province}/{request_id}/withdraw": {"reason": "as agreed"},
    "/appeals/{province}": {
        "appeal_id": "A-1", "series": "commune", "subject": "x", "period": 2025, "result_version": 1,
        "result_hash": "x", "reason": "as agreed",
    },
    "/appeals/{province}/{appeal_id}/answer": {"upheld": False, "reason": "as agreed"},
    "/appeals/{province}/{appeal_id}/withdraw": {"reason": "as agreed"},
    "/history": {
        "order_id": "O-2", "why": "as agreed", "decision_number": "1/QĐ",
        "submissions": [{
            "type": "langhoc.envelope.submitted.v1",
            "province": "01",
            "data": {"submission_id": "H-1", "year": 2020, "amount": 1},
        }],
    },
}  # fmt: skip
DECISION = {"why": "as agreed", "version": 1, "hash": "h", "id": "B-1"}


async def nothing(mongo: Mongo) -> None:
    """No migrations."""


def app_of(service: str, mongo: MemoryMongo, state: Path) -> FastAPI:
    """A service's app over this database; broker and consumer are built but not started. `state` has the signing key,
    which is made where there is none."""
    ensure_signing_key(state)
    settings = ServiceSettings(stage="local", kafka="127.0.0.1:1", mongo="unused", jwks=str(jwks_path(state)))
    runtime = Runtime(service, settings, mongo, Consumer(service, ("submissions.01",), {}), migrate=nothing)
    router = importlib.import_module(f"services.{service}.api").router
    return build_app(runtime, [router], title=service, provider=TracerProvider())


def requests_of(app: FastAPI) -> list[tuple[str, str, httpx.Request]]:
    """Method and path of each route, and a request that it takes, as far as its form goes."""
    found = []
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            url, query = path, {}
            for parameter in operation.get("parameters", ()):
                value = PLACES.get(parameter["name"], "2026" if parameter["name"] in ("first", "last") else "x")
                if parameter["in"] == "path":
                    url = url.replace(f"{{{parameter['name']}}}", value)
                elif parameter.get("required"):
                    query[parameter["name"]] = value
            body = BODIES.get(path, {} if path.startswith("/dead-letters") else DECISION)
            content = {"json": body} if "requestBody" in operation else {}
            found.append((method, path, httpx.Request(method.upper(), f"http://t{url}", params=query, **content)))
    return found
