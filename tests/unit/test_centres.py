"""One centre in each commune: told by the register as it stands, of any day, and of nobody else's province."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from deploy.local.identity import Role
from shared.contracts.catalogue import EventType
from shared.registry import REORGANISATION, registry
from shared.rulebook import HANOI
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import registration
from tests.unit.wire import answered_by

BAC_KAN, THAI_NGUYEN = "06", "19"
SUSPENSION = {
    "act": "suspended",
    "decision_number": "5/QĐ",
    "decided_on": "2026-01-02",
    "decided_by": "Chủ tịch UBND xã",
}


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, Still(datetime(2026, 2, 20, 10, tzinfo=HANOI)))
    for id, commune, more in (
        ("TT-1", "01840", {}),
        ("TT-2", "01843", {}),
        ("TT-3", "01843", {"suspended_on": "2026-01-05"} | SUSPENSION),
        ("TT-4", "01840", {"closed_on": "2026-01-10"}),
        ("TT-5", "01840", {"opened_on": "2027-01-01"}),
    ):
        sent = registration(**{"submission_id": id, "centre_id": id, "commune_code": commune} | more)
        await made.receive(EventType.CENTRE_REGISTERED, sent, THAI_NGUYEN)
    return made


async def asked(bench: Bench, role: Role = "ministry", of: str | None = None, **query: Any) -> list[dict[str, Any]]:
    async with bench.http(role, of) as http:
        answer = await http.get("/centres", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_every_commune_is_counted_once(bench: Bench) -> None:
    found = await asked(bench)
    assert [one["province"] for one in found] == [one.code for one in registry().provinces(REORGANISATION)]
    for one in found:
        assert one["communes"] == one["with_one"] + one["with_none"] + one["with_several"]
        assert len(one["others"]) == one["communes"] - one["with_one"]
    assert sum(one["communes"] for one in found) == len(registry().units(date(2026, 2, 20)))


async def test_a_suspended_centre_is_there_and_one_that_was_closed_is_not(bench: Bench) -> None:
    (of,) = await asked(bench, "province", THAI_NGUYEN)
    assert (of["with_one"], of["with_several"]) == (1, 1)
    (several,) = [one for one in of["others"] if one["centres"]]
    assert (several["code"], several["name"]) == ("01843", "Phường Bắc Kạn")
    assert [(one["centre_id"], one["suspended"]) for one in several["centres"]] == [("TT-2", False), ("TT-3", True)]
    (before,) = await asked(bench, province=THAI_NGUYEN, on="2026-01-04")
    named = {one["code"]: [each["centre_id"] for each in one["centres"]] for one in before["others"] if one["centres"]}
    assert named == {"01840": ["TT-1", "TT-4"], "01843": ["TT-2", "TT-3"]}


async def test_of_a_day_before_the_reform_by_whoever_speaks_for_it_today(bench: Bench) -> None:
    (of,) = await asked(bench, province=THAI_NGUYEN, on="2024-12-31")
    here = [unit for unit in registry().units(date(2024, 12, 31)) if unit.province_code in (BAC_KAN, THAI_NGUYEN)]
    assert of["communes"] == len(here)
    assert [one["centre_id"] for one in of["unplaced"]] == ["TT-1", "TT-2", "TT-3", "TT-4"]


async def test_nobody_sees_another_province(bench: Bench) -> None:
    async with bench.http("province", "04") as http:
        assert (await http.get("/centres", params={"province": THAI_NGUYEN})).status_code == 403
        assert [one["province"] for one in (await http.get("/centres")).json()] == ["04"]


async def run(bench: Bench, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("COLUMNS", "80")
    answered_by(monkeypatch, intake=bench.http())
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, ["centres", *arguments])


async def test_the_command_shows_it_in_both_languages(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = (await run(bench, monkeypatch, "--province", THAI_NGUYEN)).output
    assert "Mỗi xã một trung tâm · 20/02/2026" in shown
    assert "TT-2, TT-3 (đang đình chỉ)" in shown
    assert max(map(len, shown.splitlines())) <= 80
    english = (await run(bench, monkeypatch, "--province", THAI_NGUYEN, "--lang", "en")).output
    assert "One centre in each commune · 2026-02-20" in english
    assert "TT-2, TT-3 (suspended)" in english
    told = json.loads((await run(bench, monkeypatch, "--province", THAI_NGUYEN, "--format", "json")).output)
    assert told == await asked(bench, province=THAI_NGUYEN)
    lines = (await run(bench, monkeypatch, "--province", THAI_NGUYEN, "--format", "csv")).output.splitlines()
    assert len(lines) == len(told[0]["others"]) + 1
