"""Rankings over HTTP: any version as it was published, one unit's place, changes, and cut-offs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from services.scoring import api
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.registry import registry
from shared.web import build_app
from tests.unit.ranking_samples import Results

A, B, C, D = registry().units(date(2025, 12, 31), "04")[:4]
PATH = "/rankings/province-04/2025"


async def nothing(mongo: Mongo) -> None:
    """No migrations."""


@pytest.fixture
def world() -> Results:
    """Results of Cao Bằng."""
    return Results()


@pytest.fixture
async def client(tmp_path: Path, world: Results) -> AsyncIterator[httpx.AsyncClient]:
    """Scoring's API, asked by another province's officer: rankings are public."""
    ensure_signing_key(tmp_path)
    settings = ServiceSettings(kafka="127.0.0.1:1", mongo="unused", jwks=str(jwks_path(tmp_path)))
    consumer = Consumer("scoring", ("intake.accepted",), {})
    runtime = Runtime("scoring", settings, world.mongo, consumer, migrate=nothing)
    app = build_app(runtime, [api.router], title="Langhoc: scoring", provider=TracerProvider())
    token = issue_token(tmp_path, "an", "province", "01")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers={"Authorization": f"Bearer {token}"}
    ) as http:
        yield http


@pytest.fixture
async def corrected(world: Results) -> Results:
    """Version 1: A before B and C, who are equal. On the next day in Viet Nam, version 2: B is first."""
    for unit, key in ((A, "c"), (B, "b"), (C, "b")):
        await world.put(unit, key)
    await world.compute("province-04")  # 1 March 2026, 10:00 in Hà Nội
    world.now = world.now.replace(hour=16)
    await world.put(B, "d")
    await world.compute("province-04")  # 1 March, 17:00 UTC = 2 March, 00:00 in Hà Nội
    return world


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    """The JSON answer."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def top(page: Any) -> list[tuple[int | None, str]]:
    """Rank and code of the first rows."""
    return [(row["rank"], row["code"]) for row in page["items"][:3]]


@pytest.mark.usefixtures("corrected")
async def test_a_ranking_is_shown_as_it_stood_on_any_day(client: httpx.AsyncClient) -> None:
    first, second = [(1, A.code), (2, B.code), (2, C.code)], [(1, B.code), (2, A.code), (3, C.code)]
    assert top(await get(client, PATH)) == second
    assert top(await get(client, PATH, version=1)) == first
    assert top(await get(client, PATH, on="2026-03-01")) == first
    assert top(await get(client, PATH, on="2026-03-02")) == second
    assert (await client.get(PATH, params={"on": "2026-02-28"})).status_code == 404
    both = await client.get(PATH, params={"on": "2026-03-02", "version": 1})
    assert (both.status_code, both.json()["code"]) == (422, "version_or_day")
    assert [head["version"] for head in await get(client, f"{PATH}/versions")] == [2, 1]
    head = await get(client, f"{PATH}/head", version=2)
    assert (head["supersedes"], head["changes"], head["shifted"], head["provenance"]) == (1, 1, 2, "provisional")
    assert [each["scope"] for each in await get(client, "/rankings", period=2025)] == ["province-04"]


@pytest.mark.usefixtures("corrected")
async def test_a_units_place_and_every_change_with_its_reason(client: httpx.AsyncClient) -> None:
    row = await get(client, f"{PATH}/units/{A.unit_id}")
    assert (row["rank"], row["version"], row["ranked"], row["scope"], row["period"]) == (2, 2, 3, "province-04", 2025)
    assert (await get(client, f"{PATH}/units/{A.unit_id}", version=1))["rank"] == 1
    assert (await client.get(f"{PATH}/units/00000@2025-07")).status_code == 404
    changes = await get(client, f"{PATH}/changes")
    assert changes["next"] is None
    (change,) = changes["items"]
    assert (change["code"], change["before"]["rank"], change["after"]["rank"]) == (B.code, 2, 1)
    assert change["cause"] == "correction"
    assert (await get(client, f"{PATH}/changes", version=1))["items"] == []


@pytest.mark.usefixtures("corrected")
async def test_a_cut_off_takes_or_leaves_equals_together(client: httpx.AsyncClient) -> None:
    for ties, codes in (("include", [A.code, B.code, C.code]), ("exclude", [A.code])):
        cut = await get(client, f"{PATH}/cut-off", places=2, ties=ties, version=1)
        assert [row["code"] for row in cut["rows"]] == codes
        assert (cut["taken"], cut["tied_rank"], cut["tied_units"]) == (len(codes), 2, 2)
    unnamed = await client.get(f"{PATH}/cut-off")
    assert (unnamed.status_code, unnamed.json()["code"]) == (422, "no_cut_off")
    assert unnamed.json()["mend"]["vi"]


POLICY = """
versions:
- id: ranking_policy/04/{year}
  name: {{vi: "Thưởng của tỉnh", en: "The province's award"}}
  effective_from: {year}-01-01
  provenance: found
  citation: "Quyết định thử nghiệm"
  {more}
"""
CUT_OFF = """cut_offs:
  - id: award
    scope: {scope}
    purpose: {{vi: "Khen thưởng", en: "Award"}}
    places: 2
    ties: include
    provenance: found
    citation: "Quyết định thử nghiệm"
"""


def decided(folder: Path, more: str) -> None:
    """A province's own ranking policy."""
    file = folder / "provinces" / "04" / "ranking_policy.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(POLICY.format(year=2025, more=more), encoding="utf-8")


@pytest.mark.usefixtures("corrected")
async def test_nothing_is_cut_off_until_a_province_says_so(
    client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await get(client, f"{PATH}/cut-offs") == []
    assert (await client.get(f"{PATH}/cut-off", params={"id": "award"})).status_code == 404
    decided(tmp_path / "rules", CUT_OFF.format(scope="province-04"))
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(tmp_path / "rules"))
    (known,) = await get(client, f"{PATH}/cut-offs")
    assert (known["id"], known["places"], known["citation"]) == ("award", 2, "Quyết định thử nghiệm")
    cut = await get(client, f"{PATH}/cut-off", id="award", version=1)
    assert [row["code"] for row in cut["rows"]] == [A.code, B.code, C.code]
    assert await get(client, "/rankings/province-01/2025/cut-offs") == []


@pytest.mark.usefixtures("corrected")
async def test_a_place_is_explained_between_its_neighbours(client: httpx.AsyncClient) -> None:
    found = await get(client, f"/explanations/{A.unit_id}", period=2025)
    assert found["result"] is None, "another province's"
    (place,) = found["ranks"]
    assert (place["scope"], place["rank"], place["ranked"], place["version"]) == ("province-04", 2, 3, 2)
    assert [row["code"] for row in place["above"]] == [B.code]
    assert [row["code"] for row in place["below"]][:1] == [C.code]
    assert len(place["below"]) == 2
