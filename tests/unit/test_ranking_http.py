"""Rankings over HTTP: any version as it was published, one unit's place, changes, cut-offs, and what is released."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from deploy.local import Role
from deploy.local.identity import ensure_signing_key, issue_token, jwks_path
from services.scoring import api
from shared.messaging.decide.asking import Consumer
from shared.messaging.operate.runtime import Runtime
from shared.messaging.settings import ServiceSettings
from shared.mongo import Mongo
from shared.registry import registry
from shared.rulebook import HANOI
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


Ask = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def asked(tmp_path: Path, world: Results) -> AsyncIterator[Ask]:
    """Scoring's API, to be asked by anybody."""
    ensure_signing_key(tmp_path)
    settings = ServiceSettings(stage="local", kafka="127.0.0.1:1", mongo="unused", jwks=str(jwks_path(tmp_path)))
    consumer = Consumer("scoring", ("intake.accepted",), {})
    runtime = Runtime("scoring", settings, world.mongo, consumer, migrate=nothing)
    app = build_app(runtime, [api.router], title="Langhoc: scoring", provider=TracerProvider())
    async with AsyncExitStack() as clients:

        def by(role: Role = "province", province: str | None = "04") -> httpx.AsyncClient:
            bearer = {"Authorization": f"Bearer {issue_token(tmp_path, 'an', role, province)}"}
            made = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=bearer)
            clients.push_async_callback(made.aclose)
            return made

        yield by


@pytest.fixture
def client(asked: Ask) -> httpx.AsyncClient:
    """An officer of the province whose ranking it is."""
    return asked()


@pytest.fixture
def neighbour(asked: Ask) -> httpx.AsyncClient:
    """An officer of another province, who sees what the public sees."""
    return asked("province", "01")


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
    (place,) = found["ranks"]
    assert (place["scope"], place["rank"], place["ranked"], place["version"]) == ("province-04", 2, 3, 2)
    assert [row["code"] for row in place["above"]] == [B.code]
    assert [row["code"] for row in place["below"]][:1] == [C.code]
    assert len(place["below"]) == 2
    assert place["released"] is None


# ------------------------------------------------------------------------------------------------- releases

TODAY = datetime.now(HANOI).date()


async def release(client: httpx.AsyncClient, id: str, **changed: Any) -> httpx.Response:
    """Release what stands now; `changed` fields of the order."""
    head = await get(client, f"{PATH}/head")
    body = {
        "id": id,
        "version": head["version"],
        "hash": head["hash"],
        "decision_number": "318/QĐ-SGDĐT",
        "decided_on": str(TODAY),
        "signed_by": "Giám đốc Sở",
    }
    return await client.post(f"{PATH}/releases", json=body | changed)


async def withdraw(client: httpx.AsyncClient, id: str, number: int, **changed: Any) -> httpx.Response:
    """Take a release back."""
    body = {"id": id, "decision_number": "320/QĐ", "decided_on": str(TODAY), "signed_by": "Giám đốc Sở"}
    reason = {"reason": "Có khiếu nại chưa được giải quyết"}
    return await client.post(f"{PATH}/releases/{number}/withdraw", json=body | reason | changed)


def codes(answer: httpx.Response) -> list[str]:
    """Everything that an order was refused for."""
    return sorted(each["code"] for each in answer.json().get("problems") or [answer.json()])


async def test_what_is_released_stays_while_the_ranking_moves_on(
    world: Results, client: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    for unit, key in ((A, "c"), (B, "b")):
        await world.put(unit, key)
    await world.compute("province-04")
    done = (await release(client, "first")).json()
    assert (done["version"], done["state"], done["changes"], done["reason"]) == (1, "released", 0, None)
    assert (done["released_by"], done["role"], done["ranking"]["provenance"]) == ("local:an", "province", "provisional")
    await world.put(B, "d")
    await world.compute("province-04")
    assert top(await get(client, f"{PATH}/releases/1"))[:2] == [(1, A.code), (2, B.code)]
    assert top(await get(client, PATH))[:2] == [(1, B.code), (2, A.code)]
    assert top(await get(neighbour, PATH))[:2] == [(1, A.code), (2, B.code)]
    state = await get(client, f"{PATH}/release")
    assert (state["act"]["version"], state["changes"], state["shifted"]) == (1, 1, 1)
    assert (await get(neighbour, f"{PATH}/release"))["changes"] is None, "what was not released is not told either"
    found = await get(client, f"/explanations/{A.unit_id}", period=2025)
    assert (found["ranks"][0]["rank"], found["ranks"][0]["released"]["rank"]) == (2, 1)


@pytest.mark.usefixtures("corrected")
async def test_another_province_sees_what_was_released_and_nothing_else(
    client: httpx.AsyncClient, neighbour: httpx.AsyncClient, asked: Ask
) -> None:
    for path in (PATH, f"{PATH}/head", f"{PATH}/units/{A.unit_id}"):
        hidden = await neighbour.get(path)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "not_released"), path
    assert await get(neighbour, "/rankings", period=2025) == []
    assert (await get(neighbour, f"/explanations/{A.unit_id}", period=2025))["ranks"] == []
    await release(client, "first")
    assert [head["version"] for head in await get(neighbour, "/rankings", period=2025)] == [2]
    assert (await get(neighbour, f"{PATH}/head"))["version"] == 2
    assert (await neighbour.get(PATH, params={"version": 1})).json()["code"] == "not_released"
    assert (await neighbour.get(PATH, params={"on": str(TODAY - timedelta(days=1))})).json()["code"] == "not_released"
    for path in (f"{PATH}/versions", f"{PATH}/changes"):
        assert (await neighbour.get(path)).status_code == 403
    order = {"id": "R-9", "decision_number": "9/QĐ", "decided_on": "2026-03-01", "signed_by": "Lan", "hash": "guessed"}
    answers = [
        await neighbour.post(f"{each}/releases", json={"version": 1, **order})
        for each in (PATH, "/rankings/province-04/2031")
    ]
    assert [each.json()["code"] for each in answers] == ["release_by_others"] * 2, "whether there is one is not told"
    for role in ("ministry", "finance", "auditor"):
        assert len(await get(asked(role, None), f"{PATH}/versions")) == 2


@pytest.mark.usefixtures("corrected")
async def test_after_a_withdrawal_the_public_sees_that_and_why(
    world: Results, client: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    await release(client, "first")
    await world.put(A, "e")
    await world.compute("province-04")
    await release(client, "second", reason="Phường đã đính chính hồ sơ")
    done = (await withdraw(client, "back", 2)).json()
    assert (done["version"], done["state"], done["supersedes"]) == (3, "withdrawn", 2)
    for path in (PATH, f"{PATH}/releases/2", f"{PATH}/releases/3"):
        gone = await neighbour.get(path)
        assert (gone.status_code, gone.json()["code"]) == (410, "release_withdrawn")
        assert "320/QĐ" in gone.json()["message"]["vi"]
        assert "Có khiếu nại chưa được giải quyết" in gone.json()["message"]["vi"]
    assert (await neighbour.get(f"{PATH}/releases/1")).status_code == 200, "what was public on a day is not hidden"
    assert (await client.get(f"{PATH}/releases/2")).status_code == 200
    acts = await get(neighbour, f"{PATH}/releases")
    assert [(act["version"], act["state"]) for act in acts] == [(3, "withdrawn"), (2, "released"), (1, "released")]
    assert (await get(client, f"/explanations/{A.unit_id}", period=2025))["ranks"][0]["released"]["rank"] is None
    assert codes(await withdraw(client, "again", 2)) == ["release_not_in_force"]
    assert (await release(client, "third", reason="Khiếu nại đã được giải quyết")).json()["version"] == 4


@pytest.mark.usefixtures("corrected")
async def test_what_was_not_looked_at_is_not_released(world: Results, client: httpx.AsyncClient, asked: Ask) -> None:
    first = await get(client, f"{PATH}/head", version=1)
    for stale in ({"version": 1, "hash": first["hash"]}, {"hash": first["hash"]}, {"version": 9}):
        refused = await release(client, "stale", **stale)
        assert (refused.status_code, codes(refused)) == (409, ["ranking_moved_on"])
    tomorrow = str(TODAY + timedelta(days=1))
    assert codes(await release(client, "early", decided_on=tomorrow)) == ["release_decided_later"]
    for role, province in (("province", "01"), ("finance", None), ("auditor", None)):
        answer = await asked(role, province).post(f"{PATH}/releases", json=(await release_body(client)))
        assert (answer.status_code, codes(answer)) == (403, ["release_by_others"])
    nothing_there = await asked("ministry", None).post(
        "/rankings/nation/2025/releases", json=await release_body(client)
    )
    assert nothing_there.status_code == 404
    world.mongo.rows("recalculations")["1"] = {"_id": "1", "set": "ranking", "key": '["province-04", 2025]'}
    assert codes(await release(client, "moving")) == ["ranking_moving"]
    world.mongo.rows("recalculations")["1"] = {"_id": "1", "set": "rescored", "key": '["00004@2025-07/2024", 2024]'}
    assert (await release(client, "at-rest")).status_code == 200


async def release_body(client: httpx.AsyncClient) -> dict[str, Any]:
    """An order that would be carried out."""
    head = await get(client, f"{PATH}/head")
    decision = {"decision_number": "1/QĐ", "decided_on": str(TODAY), "signed_by": "Giám đốc Sở"}
    return {"id": "x", "version": head["version"], "hash": head["hash"]} | decision


@pytest.mark.usefixtures("corrected")
async def test_the_same_order_again_is_answered_alike_and_another_under_its_id_is_not(
    world: Results, client: httpx.AsyncClient
) -> None:
    once = await release(client, "one")
    again = await release(client, "one")
    assert (again.status_code, again.json()) == (200, once.json())
    assert len(world.mongo.all("ranking_release_acts")) == 1
    for another in ({"decision_number": "319/QĐ-SGDĐT"}, {"signed_by": "Phó Giám đốc Sở"}, {"reason": "Lý do khác"}):
        other = await release(client, "one", **another)
        assert (other.status_code, codes(other)) == (409, ["release_id_reused"]), another
    assert codes(await release(client, "two")) == ["release_reason_missing", "release_unchanged"]
