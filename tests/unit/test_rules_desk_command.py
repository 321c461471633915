"""`langhoc rulebook propose | rehearse | release | package`, on the real HTTP sides of scoring and funding."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import output
from cli.main import app as langhoc
from shared.rulebook.checking import read_all
from shared.rulebook.overlays import folders
from tests.casework.case import Officer
from tests.casework.in_memory import MemoryWorld
from tests.unit.rulebook_samples import put
from tests.unit.test_rules_desk import FILES, WHY, world
from tests.unit.wire import Connect, answered_by

__all__ = ["world"]
Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def desk(world: MemoryWorld, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command on scoring and funding, in whose name it says."""

    def reach(name: str) -> Connect:
        return lambda account, role, province: world.client(
            Officer(name=account or "an", role=role, province=province),
            name,
        )

    answered_by(monkeypatch, scoring=reach("scoring"), funding=reach("funding"))
    monkeypatch.setattr(output.console, "width", 80)

    async def run(*arguments: str) -> Result:
        command = CliRunner(env={"LANGHOC_RULEBOOK": ""}).invoke
        return await asyncio.to_thread(command, langhoc, ["rulebook", *arguments])

    return run


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    for place, text in FILES["bands"].items():
        put(folder, place, text)
    return folder


async def test_two_officers_bring_rules_from_a_file_into_a_package(
    desk: Command, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed = await desk("propose", str(files), "--id", "QD-12", "--why", WHY, "--by", "an")
    assert proposed.exit_code == 0, proposed.output
    assert "QD-12: waits" in proposed.output
    assert "new: clc_2553_2013/31-2025, clc_2553_2013/40-2025" in proposed.output
    (digest,) = [line.split()[1] for line in proposed.output.splitlines() if line.startswith("  Digest")]

    seen = await desk("rehearse", "QD-12", "--period", "2025")
    assert seen.exit_code == 0, seen.output
    assert "Results that change: 2 / 6" in seen.output
    assert "Digest of the proposal" in seen.output
    assert max(len(line) for line in seen.output.splitlines() if "Digest" not in line) <= 80
    assert digest in seen.output.replace("\n", "")
    for row in ("HP-A", "89 tot", "89 kha", "NA-A", "adjustment", "support"):
        assert row in seen.output, seen.output
    spoken = await desk("rehearse", "QD-12", "--period", "2025", "--lang", "vi", "--top", "1")
    assert "Kết quả thay đổi: 2 / 6" in spoken.output
    assert "NA-A" not in spoken.output, "all are counted, the first are listed"

    mine = await desk("release", "QD-12", "--digest", digest, "--why", WHY, "--by", "an")
    assert mine.exit_code == 1
    assert "Whoever proposed rules cannot release them." in " ".join(mine.output.split())
    done = await desk("release", "QD-12", "--digest", digest, "--why", WHY, "--by", "binh")
    assert done.exit_code == 0, done.output
    assert "QD-12: released" in done.output
    listed = await desk("proposals", "--state", "released", "--format", "csv")
    assert "QD-12" in listed.output
    assert "local:binh" in listed.output

    own = tmp_path / "own"
    folder = own / "packages" / "2026-05-04-qd-12"
    written = await desk("package", "QD-12", str(folder))
    assert written.exit_code == 0, written.output
    assert read_all((*folders(), folder)).errors == ()
    assert "clc_2553_2013/31-2025: " in (folder / "released.yaml").read_text(encoding="utf-8")
    assert f"rules in langhoc, {own}, {folder}: no problem." in " ".join((await desk("check", str(own))).output.split())
    put(folder, "ministry/periods.yaml", "versions: []")
    assert "(decided_file_differs)" in (await desk("check", str(own))).output
    monkeypatch.setenv("LANGHOC_RULEBOOK", str(own))
    assert folders()[1:] == (own, folder)
    again = await desk("package", "QD-12", str(folder))
    assert "is not empty" in again.output


async def test_a_rehearsal_as_data_is_the_same_each_time(desk: Command, files: Path) -> None:
    await desk("propose", str(files), "--id", "QD-12", "--why", WHY)
    first, second = [(await desk("rehearse", "QD-12", "--period", "2025", "--format", "json")).stdout for _ in range(2)]
    assert first == second
    told = json.loads(first)
    assert told["scoring"]["moved"] == 2
    assert {code for code, one in told["funding"].items() if one["amounts_moved"]} == {"31", "40"}


async def test_a_broken_file_is_refused_with_every_problem(desk: Command, files: Path) -> None:
    put(files, "ministry/ranking_policy.yaml", "versions: []")
    put(files, "ministry/rules.yaml", "a: 1")
    refused = await desk("propose", str(files), "--id", "QD-12", "--why", WHY)
    assert refused.exit_code == 1
    said = " ".join(refused.output.split())
    assert "ministry/ranking_policy.yaml" in said, said
    assert "ministry/rules.yaml" in said, said
    assert "QD-12" not in (await desk("proposals")).output


async def test_a_single_file_is_known_by_where_it_lies_or_by_its_name(desk: Command, files: Path) -> None:
    one = files / "provinces/31/point_tables/clc.yaml"
    proposed = await desk("propose", str(one), "--id", "QD-12", "--why", WHY)
    assert "    provinces/31/point_tables/clc.yaml" in proposed.output.splitlines()
    goals = put(files / "loose", "goals.yaml", "goals: 1") / "goals.yaml"
    refused = await desk("propose", str(goals), "--why", WHY)
    assert "goals.yaml" in refused.output
    unknown = put(files / "loose", "x.yaml", "a: 1") / "x.yaml"
    assert "cannot be told" in (await desk("propose", str(unknown), "--why", WHY)).output
