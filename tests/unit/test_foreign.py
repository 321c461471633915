"""Whether another province has something is not to be found out: what is there is answered like what is not."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from deploy.local.identity import ensure_signing_key, issue_token
from shared.registry import registry
from tests.casework.case import load
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import plays_of
from tests.fakes.apps import SERVICES, app_of, requests_of
from tests.fakes.small_country import country_of

OWN, OTHER = "56", "66"
ORDER = {"why": "thử xem sao", "version": 1, "hash": "guessed", "id": "B-1"}
RELEASE = {"id": "R-1", "decision_number": "1/QĐ", "decided_on": "2026-03-01", "signed_by": "Lan"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    ensure_signing_key(folder)
    return folder


@pytest.fixture(scope="module")
async def world(state: Path) -> MemoryWorld:
    """Khánh Hòa has a budget, decided and published, with a journal, receipts, results and a ranking."""
    world = await MemoryWorld(state).begin()
    (case,) = [case for case in load() if case.case == "correction-after-the-approval"]
    with country_of(lambda unit: registry().speaker_of(unit) == case.province):
        await perform(world, plays_of(case)[:1])
    return world


def clients(world: MemoryWorld, state: Path, province: str) -> dict[str, httpx.AsyncClient]:
    bearer = {"Authorization": f"Bearer {issue_token(state, 'son', 'province', province)}"}
    return {
        name: httpx.AsyncClient(
            transport=httpx.ASGITransport(app_of(name, world.mongo(name), state)),
            base_url=f"http://{name}",
            headers=bearer,
        )
        for name in SERVICES
    }
