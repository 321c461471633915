"""A province, period or purpose that is none is told as a mistake: never an empty list, never an empty file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from deploy.local.identity import issue_token
from tests.fakes.apps import app_of
from tests.fakes.memory import MemoryMongo
from tests.unit.wire import answered_by


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """All services over empty databases; the command speaks with them."""
    clients = {}
    for name in ("intake", "scoring", "funding", "notifications"):
        transport = httpx.ASGITransport(app_of(name, MemoryMongo(), tmp_path))
        bearer = {"Authorization": f"Bearer {issue_token(tmp_path, 'an', 'ministry')}"}
        clients[name] = httpx.AsyncClient(transport=transport, base_url=f"http://{name}", headers=bearer)
    answered_by(monkeypatch, **clients)
    yield clients
    for client in clients.values():
        await client.aclose()


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner(env={"COLUMNS": "80"}).invoke, langhoc, list(arguments))


@pytest.mark.parametrize(
    ("service", "path", "code", "meant"),
    [
        ("funding", "/budgets?province=99", "value_invalid", "96"),
        ("funding", "/budgets?province=1", "value_invalid", "01"),
        ("funding", "/budgets?province=02&year=2026", "province_ended", "08"),
        ("funding", "/allocations?province=02&year=2026", "province_ended", "08"),
        ("funding", "/adjustments?province=00", "value_invalid", "80"),
        ("funding", "/sustainability/02?last=2026", "province_ended", "08"),
        ("funding", "/exports/02/2026", "province_ended", "08"),
        ("funding", "/journal/01/2026?purpose=opperating", "value_invalid", "operating"),
        ("funding", "/budgets?year=2012", "value_invalid", "2013"),
        ("intake", "/receipts?province=99", "value_invalid", "96"),
        ("intake", "/tally?province=99", "value_invalid", "96"),
        ("intake", "/held?period=1999", "value_invalid", "2008"),
        ("intake", "/history?province=0", "value_invalid", "80"),
        ("notifications", "/alerts?province=02&period=2026", "province_ended", "08"),
        ("notifications", "/alerts/tally?province=99", "value_invalid", "96"),
        ("scoring", "/rankings?period=1999", "value_invalid", "2013"),
        ("scoring", "/rankings/provnce-01/2025/versions", "value_invalid", "province-01"),
        ("scoring", "/rankings/province-99/2025/cut-offs", "value_invalid", "province-96"),
    ],
)
async def test_what_does_not_exist_is_a_problem_that_names_what_may_be_meant(
    services: dict[str, httpx.AsyncClient], service: str, path: str, code: str, meant: str
) -> None:
    answer = await services[service].get(path)
    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["problems"]
    assert problem["code"] == code
    assert meant in problem["expected"]["en"]
    assert meant in problem["expected"]["vi"]


async def test_a_ranking_of_a_province_that_was_none_then_is_not_there(services: dict[str, httpx.AsyncClient]) -> None:
    for part in ("", "/head", "/versions", "/cut-offs", "/releases", "/release"):
        assert (await services["scoring"].get(f"/rankings/province-02/2025{part}")).status_code == 404
    assert (await services["scoring"].get("/rankings/province-02/2022/versions")).json() == []


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ("export --province 02 --year 2026 --out {out}", 1, "perhaps 08"),
        ("export --province 99 --year 2026 --out {out}", 2, "perhaps"),
        ("export --province 01 --year 2031 --out {out}", 1, "no budget 01/2031"),
        ("export --province 01 --year 1999 --out {out}", 1, "2013"),
        ("budgets --province 99 --year 2026", 2, "perhaps"),
        ("alerts --province 1", 2, "perhaps 01"),
        ("sustainability --province 02 --last 2026", 1, "perhaps 08"),
        ("rankings --period 1999", 1, "2013"),
        ("rankings --period 2025 --province 99", 2, "perhaps"),
        ("journal show --province 98 --year 2026", 2, "perhaps"),
        ("rulebook show lc_commune_25_2023 --province 99", 2, "perhaps"),
    ],
)
async def test_the_command_says_so_and_writes_nothing(tmp_path: Path, arguments: str, status: int, told: str) -> None:
    out = tmp_path / "out.xlsx"
    result = await run(*arguments.format(out=out).split())
    assert result.exit_code == status, result.output
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert not out.exists()
