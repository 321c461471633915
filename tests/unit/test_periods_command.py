"""`langhoc periods` on intake's real HTTP side."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from shared.rulebook import closing
from tests.unit.intake_bench import Bench, Still
from tests.unit.wire import answered_by

AT = closing("commune", 2025).at + timedelta(days=5)
REOPEN = ("periods", "reopen", "commune", "2025", "--until", "2027-01-31", "--why", "Lũ quét", "--id", "MO-1")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, Still(AT))


@pytest.fixture(autouse=True)
async def wired(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    answered_by(monkeypatch, intake=bench.http())


async def run(*arguments: str) -> Result:
    """What the command does."""
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, arguments)


async def data(*arguments: str) -> Any:
    """What it answers to a program."""
    result = await run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def test_closings_of_a_year_are_listed_with_their_ground() -> None:
    shown = (await run("periods", "--year", "2025")).output
    assert "assessments of communes" in shown
    assert "2026-12-31" in shown
    assert "provisional" in shown
    vietnamese = (await run("periods", "--year", "2025", "--lang", "vi")).output
    assert "đánh giá cộng đồng học tập cấp xã" in vietnamese
    found = await data("periods", "--year", "2026")
    assert {one["what"]: one["closes_at"][:10] for one in found["closings"]}["support"] == "2031-01-01"


async def test_a_reopening_is_ordered_listed_and_ended() -> None:
    result = await run(*REOPEN, "-p", "04", "--decision", "7/QĐ")
    assert result.exit_code == 0, result.output
    assert "2027-02-01 00:00:00" in result.output, "the whole last day"
    (listed,) = (await data("periods", "--year", "2025"))["reopenings"]
    assert (listed["order_id"], listed["province"], listed["decision_number"]) == ("MO-1", "04", "7/QĐ")
    assert "Lũ quét" in (await run("periods", "--year", "2025")).output
    ended = await run("periods", "end", "MO-1", "--why", "Đã đủ")
    assert ended.exit_code == 0, ended.output
    assert "Đã đủ" in ended.output


async def test_what_makes_no_sense_is_said_plainly() -> None:
    result = await run(*REOPEN[:2], "commune", "2026", *REOPEN[4:])
    assert result.exit_code == 1
    assert "is open until the end of 2027-12-31 anyway" in result.output
    assert (await run("periods", "end", "NONE", "--why", "x")).exit_code == 1
