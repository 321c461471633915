"""`langhoc submit` where only HTTP is known: the published examples as they stand, dry runs, exit codes, 80 columns."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from cli.output import console
from shared.contracts.catalogue import EXAMPLES
from shared.contracts.topics import submission_key
from tests.unit.intake_bench import Bench
from tests.unit.test_door import EXAMPLE_FILES, Now
from tests.unit.wire import answered_by

TYPE = "langhoc.envelope.submitted.v1"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Now())


@pytest.fixture(autouse=True)
async def wired(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_width", 80)
    answered_by(monkeypatch, intake=lambda who, role, province: bench.http("province", "04"))


async def run(*arguments: str) -> Result:
    """What the command does."""
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, ("submit", *arguments))


def file(folder: Path, *envelopes: dict[str, Any]) -> str:
    path = folder / "file.json"
    entries = [{"type": TYPE, "data": {"submission_id": "E-1", "year": 2026, "amount": 5} | one} for one in envelopes]
    path.write_text(json.dumps(entries), encoding="utf-8")
    return str(path)


async def test_what_is_accepted_ends_with_0_also_when_it_is_sent_again(bench: Bench, tmp_path: Path) -> None:
    path = file(tmp_path, {}, {"submission_id": "E-2", "year": 2027})
    first, again = await run(path, "--province", "04"), await run(path, "-p", "04")
    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert "2: 2 accepted" in first.output
    assert "2: 2 duplicate" in again.output
    assert len(bench.receipts()) == 4


async def test_anything_that_is_not_accepted_ends_with_1_and_says_why_in_80_columns(
    bench: Bench, tmp_path: Path
) -> None:
    result = await run(file(tmp_path, {}, {"submission_id": "E-2", "amount": -1}), "-p", "04")
    assert result.exit_code == 1
    assert max(map(len, result.output.splitlines())) <= 80
    assert "E-2 /amount" in result.output
    assert bench.receipts()[0].receipt_id in result.output, "no id is broken"


async def test_a_dry_run_says_so_and_writes_nothing(bench: Bench, tmp_path: Path) -> None:
    path = file(tmp_path, {})
    rehearsed = await run(path, "-p", "04", "--dry-run")
    assert (rehearsed.exit_code, bench.receipts(), bench.hand.log) == (0, [], [])
    assert "Dry run: nothing was written" in " ".join(rehearsed.output.split())
    bad = await run(file(tmp_path, {"amount": -1}), "-p", "04", "--dry-run", "--format", "json")
    assert (bad.exit_code, json.loads(bad.output)[0]["status"]) == (1, "rejected")


async def test_an_empty_list_says_so(tmp_path: Path) -> None:
    result = await run(file(tmp_path), "-p", "04")
    assert (result.exit_code, "empty" in result.output) == (1, True)


@pytest.mark.parametrize("type_", EXAMPLE_FILES)
async def test_a_published_example_is_submitted_as_it_stands(bench: Bench, type_: str) -> None:
    result = await run(str(EXAMPLES / f"{type_}.json"), "--format", "json")
    (said,) = json.loads(result.output)
    assert said == bench.receipts()[0].model_dump(mode="json")
    (record,) = bench.hand.log
    assert (record.topic, record.key) == ("submissions.04", submission_key(EXAMPLE_FILES[type_]["data"], "04").encode())
    sent = dict(record.headers)
    assert all(
        sent[name] == value.encode() for name, value in EXAMPLE_FILES[type_]["headers"].items() if name[:3] == "ce_"
    )


async def test_a_file_for_another_channel_is_not_sent(bench: Bench) -> None:
    result = await run(str(EXAMPLES / f"{TYPE}.json"), "-p", "01")
    assert (result.exit_code, bench.hand.log) == (1, [])
    assert "province 04" in result.output
