"""Every service's OpenAPI document holds: whatever is asked by it or against it, nothing fails, no answer breaks it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error, positive_data_acceptance
from schemathesis.core.result import Ok

from deploy.local.identity import ensure_signing_key, issue_token
from shared.registry import registry
from tests.casework.case import load
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import plays_of
from tests.fakes.apps import SERVICES, app_of
from tests.fakes.small_country import country_of

PLAYED = ("from-proposal-to-decision", "a-release-is-withdrawn")
URL = "http://service"
AWAY = ("/health/ready", "/flow")
"""What may be answered 503: no broker is connected here."""
CONFIG = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": ["4XX"]}}})
OTHERWISE = [
    not_a_server_error,  # looked at here, since 503 has its places
    positive_data_acceptance,  # what has the right form can still be a province that never was
]
BOUNDED = settings(
    max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
"""Of each operation and kind: by the document, and against it."""


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, runner: asyncio.Runner) -> MemoryWorld:
    """A small country with results, rankings, budgets, decisions and alerts."""
    folder = tmp_path_factory.mktemp("keys")
    ensure_signing_key(folder)
    world = MemoryWorld(folder)

    async def play() -> None:
        await world.begin()
        for case in [case for case in load() if case.case in PLAYED]:
            senders = {case.sender(step, record) for step in case.given for record in step.send}
            with country_of(lambda unit: registry().speaker_of(unit) in senders):  # noqa: B023
                await perform(world, plays_of(case)[:1])

    runner.run(play())
    return world


@pytest.mark.parametrize("service", SERVICES)
def test_no_request_makes_a_service_fail_or_break_its_document(
    world: MemoryWorld, runner: asyncio.Runner, service: str, tmp_path: Path
) -> None:
    """What the document allows, and what it forbids, is asked of every route: forbidden things are refused, and every
    answer has a status, a type and a form that the document names."""
    app = app_of(service, world.mongo(service), tmp_path)
    bearer = {"Authorization": f"Bearer {issue_token(tmp_path, 'an', 'ministry')}"}
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)
    statuses: set[int] = set()

    def ask(case: Case[Any]) -> None:
        request = case.as_transport_kwargs(base_url=URL, headers=bearer)
        request["content"] = request.pop("data", None)
        answer = runner.run(client.request(**{name: value for name, value in request.items() if value}))
        statuses.add(answer.status_code)
        assert answer.status_code < 500 or case.path in AWAY, answer.text
        case.validate_response(answer, excluded_checks=OTHERWISE)

    described = copy.deepcopy(app.openapi())
    for operation in (each for operations in described["paths"].values() for each in operations.values()):
        operation.pop("security", None)  # every request here has its token; without one: tests/hostile
    document = schemathesis.openapi.from_dict(described, config=CONFIG)
    operations = [found.ok() for found in document.get_all_operations() if isinstance(found, Ok)]
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            asked = given(operation.as_strategy(generation_mode=mode))(ask)
            with suppress(Unsatisfiable):  # who takes nothing can be asked nothing wrong
                BOUNDED(asked)()
    assert len(operations) == sum(map(len, app.openapi()["paths"].values())) > 10
    assert {200, 404, 422} <= statuses
