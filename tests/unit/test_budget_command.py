"""`langhoc budget` and `langhoc adjustments`: officers decide from the shell, each in their own name."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from tests.unit.funding_bench import Bench, Officer, proposed, registration, score
from tests.unit.wire import answered_by

NAMED = ("--province", "04", "--year", "2026")


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A proposed budget, and the commands on it in whatever name they are given."""
    bench = await proposed(tmp_path)

    def connect(account: str | None, role: str, province: str | None) -> httpx.AsyncClient:
        return bench.http(Officer(account or "an", role, province if role == "province" else None))

    answered_by(monkeypatch, funding=connect)
    return bench


async def run(*arguments: str) -> Result:
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner(env={"COLUMNS": "160"}).invoke, langhoc, list(arguments))


async def step(name: str, by: str, *more: str) -> Result:
    return await run("budget", "step", name, *NAMED, "--by", by, "--why", "đã kiểm tra", *more)


async def test_who_submits_early_names_whom_he_accepts(bench: Bench) -> None:
    await bench.tell(registration("c"))
    await bench.settle()
    assert (await step("simulate", "lan")).exit_code == 0
    refused = await step("submit", "lan")
    assert (refused.exit_code, "unknown, of: c" in refused.stderr) == (1, True)
    assert (await step("submit", "lan", "--accept", "c")).exit_code == 0
    shown = json.loads((await run("budget", "show", *NAMED, "--format", "json")).stdout)
    assert [one["accepts"] for one in shown["history"]] == [[], ["c"]]


async def test_one_prepares_another_approves_and_everything_is_on_record(bench: Bench) -> None:
    assert "proposed" in (await run("budget", "show", *NAMED)).stdout
    for name, by in (("simulate", "lan"), ("submit", "lan")):
        assert (await step(name, by)).exit_code == 0
    refused = await step("approve", "lan")
    assert refused.exit_code == 1
    assert "took part in preparing" in refused.stderr
    assert (await step("approve", "hoa")).exit_code == 0
    assert (await step("publish", "hoa")).exit_code == 0
    shown = json.loads((await run("budget", "show", *NAMED, "--format", "json")).stdout)
    assert shown["state"] == "published"
    assert [(one["who"], one["role"], one["action"], one["result"]) for one in shown["history"]] == [
        ("local:lan", "province", "simulate", "done"),
        ("local:lan", "province", "submit", "done"),
        ("local:hoa", "finance", "approve", "done"),
        ("local:hoa", "finance", "publish", "done"),
    ]


async def test_a_role_may_be_named_and_is_held_to_its_rights(bench: Bench) -> None:
    await step("simulate", "lan")
    await step("submit", "lan")
    refused = await step("approve", "minh", "--role", "province")
    assert refused.exit_code == 1
    assert "finance" in refused.stderr


async def test_the_proof_is_told_to_people_and_to_programs(bench: Bench) -> None:
    shown = await run("budget", "proof", *NAMED, "--lang", "en")
    assert shown.exit_code == 0, shown.output
    assert "43.500.000" in shown.stdout
    rows = (await run("budget", "proof", *NAMED, "--format", "csv")).stdout
    assert "43500000,yes" in rows


async def test_a_correction_after_the_approval_is_decided_on_by_two_people(bench: Bench) -> None:
    for name, by in (("simulate", "lan"), ("submit", "lan"), ("approve", "hoa"), ("publish", "hoa")):
        assert (await step(name, by)).exit_code == 0
    await bench.settle()
    await bench.tell(score("a", "yeu", version=2))
    await bench.settle()
    shown = await run("adjustments", "list", "--province", "04")
    assert "04/2026/a/1" in shown.stdout
    (row,) = json.loads((await run("adjustments", "list", "--format", "json")).stdout)
    assert row["delta"] < 0
    csv = (await run("adjustments", "list", "--format", "csv")).stdout
    assert f",{row['amount']},{row['corrected']},{row['delta']}," in csv

    named = ("04/2026/a/1", "--why", "đồng ý", "--by")
    assert "submitted" in (await run("adjustments", "decide", "submit", *named, "lan")).stdout
    same = await run("adjustments", "decide", "approve", *named, "lan", "--role", "finance")
    assert same.exit_code == 1
    done = await run("adjustments", "decide", "approve", *named, "hoa")
    assert done.exit_code == 0, done.output
    assert "approved" in done.stdout
    unknown = await run("adjustments", "decide", "approve", "04/2026/nobody/1", "--why", "x", "--by", "hoa")
    assert unknown.exit_code == 1
    assert "There is no" in unknown.stderr
