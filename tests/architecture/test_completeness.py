"""Whatever is added is whole: an endpoint with its caller and its summary, an alert with its texts and its case.

Event types: `tests/contract`. Rules: `tests/golden/test_both_sides.py`. How each is added: `CONTRIBUTING.md`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from opentelemetry.sdk.trace import TracerProvider

from cli.data import ALERT_KINDS
from shared.contracts.facts import AlertKind
from shared.contracts.people import Role
from shared.messaging.operate.runtime import Runtime
from shared.web import build_app
from shared.web.admission import OPEN
from shared.web.auth import caller, require_role
from tests.casework.case import load
from tests.fakes.memory import MemoryMongo

SERVICES = ("intake", "scoring", "funding", "notifications")

# --------------------------------------------------------------------------------------------------- endpoints


@pytest.fixture(params=SERVICES)
def endpoints(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[APIRoute]:
    """Every endpoint of a service, as it is wired."""
    service = importlib.import_module(f"services.{request.param}.app")
    wired: list[Any] = []
    monkeypatch.setattr(service, "run_service", lambda *given, **_: wired.append(given))
    for name in ("KAFKA", "MONGO", "JWKS"):
        monkeypatch.setenv(f"LANGHOC_{name}", "127.0.0.1:1")
    service.main()
    ((settings, consumer, routers),) = wired
    runtime = Runtime(request.param, settings, MemoryMongo(), consumer, migrate=_nothing)
    return list(routes(build_app(runtime, routers, title=request.param, provider=TracerProvider()).router))


async def _nothing(mongo: Any) -> None:
    pass


def routes(router: APIRouter) -> Iterator[APIRoute]:
    """Its own endpoints, and those of the routers in it."""
    for each in router.routes:
        if isinstance(each, APIRoute):
            yield each
        elif (inner := getattr(each, "original_router", None)) is not None:
            yield from routes(inner)


def who_asks(dependant: Dependant) -> bool:
    """Whether an endpoint, or something that it depends on, asks who is calling."""
    return any(each.call is caller or who_asks(each) for each in dependant.dependencies)


def faults(endpoint: APIRoute) -> list[str]:
    """What an endpoint lacks."""
    lacks = [] if endpoint.summary else ["a summary"]
    return lacks if who_asks(endpoint.dependant) or endpoint.path in OPEN else [*lacks, "a caller"]


def test_every_endpoint_asks_who_is_calling_and_says_what_it_is(endpoints: list[APIRoute]) -> None:
    shown = {
        f"{endpoint.path}: {fault}"
        for endpoint in endpoints
        if endpoint.include_in_schema
        for fault in faults(endpoint)
    }
    assert shown == set()
    assert len(endpoints) > len(OPEN) + 4


def test_an_endpoint_that_lacks_either_is_found() -> None:
    router = APIRouter()
    for path, summary, needs in (
        ("/whole", "All there is", [Depends(require_role(Role.MINISTRY))]),
        ("/silent", None, [Depends(caller)]),
        ("/open", "All there is", []),
    ):
        router.add_api_route(path, _nothing, summary=summary, dependencies=needs)
    assert [faults(endpoint) for endpoint in routes(router)] == [[], ["a summary"], ["a caller"]]


# ------------------------------------------------------------------------------------------------------ alerts


@pytest.mark.parametrize("kind", get_args(AlertKind))
def test_every_kind_of_alert_is_raised_in_a_case(kind: AlertKind) -> None:
    """There its texts are looked at too, in both languages (`tests/casework/expecting.py`)."""
    assert kind in ALERT_KINDS, "what lists call it"
    told = [
        case.case
        for case in load()
        for expected in case.expectations
        for kinds in (*expected.alerts.values(), *expected.open_alerts.values())
        if (kinds or {}).get(kind)
    ]
    assert told
