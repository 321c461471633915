"""`langhoc rankings`: released, changed since, withdrawn; on scoring's real HTTP side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from shared.registry import registry
from tests.unit.ranking_samples import Results
from tests.unit.scoring_samples import targets
from tests.unit.wire import answered_by, http_of

A, B = registry().units(date(2025, 12, 31), "04")[:2]
HERE = ("--period", "2025", "--province", "04")
SIGNED = ("--number", "318/QĐ-SGDĐT", "--decided-on", "2026-05-04", "--signed-by", "Giám đốc Sở")

Command = Callable[..., Awaitable[Result]]


@pytest.fixture
async def world() -> Results:
    """A before B."""
    world = Results()
    for unit, key in ((A, "c"), (B, "b")):
        await world.put(unit, key)
    await world.compute("province-04")
    return world


@pytest.fixture
async def rankings(world: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in the ministry's name."""
    answered_by(monkeypatch, scoring=http_of("scoring", world.mongo, tmp_path))

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner(env={"COLUMNS": "200"}).invoke, langhoc, ["rankings", *arguments])

    return run


async def test_a_ranking_says_how_it_stands_to_what_was_released(world: Results, rankings: Command) -> None:
    assert "Not released: computed, without a decision." in (await rankings(*HERE)).output
    done = await rankings("release", *HERE, *SIGNED)
    said = "released as number 1 by 318/QĐ-SGDĐT of 2026-05-04, Giám đốc Sở (order of the ranking: provisional)."
    assert f"Version 1 of ranking 2025, province-04: {said}" in done.output, done.output
    assert f"Version 1 was {said}\n" in (await rankings(*HERE)).output
    await world.put(B, "d")
    world.now += timedelta(hours=1)
    await world.compute("province-04")
    assert f"{said} Changed since: 1 results, 1 more ranks." in (await rankings(*HERE)).output
    assert "gives no reason" in (await rankings("release", *HERE, *SIGNED)).output
    again = await rankings("release", *HERE, *SIGNED, "--reason", "Xã đã đính chính hồ sơ")
    assert "Against the act before: 1 results, 1 more ranks." in again.output, again.output


async def test_a_release_is_taken_back_with_its_reason(rankings: Command) -> None:
    await rankings("release", *HERE, *SIGNED)
    back = await rankings("withdraw", *HERE, *SIGNED, "--release", "1", "--reason", "Có khiếu nại")
    assert "withdrawn by 318/QĐ-SGDĐT of 2026-05-04, Giám đốc Sở: Có khiếu nại." in back.output, back.output
    assert "withdrawn by" in (await rankings(*HERE)).output
    listed = (await rankings("releases", *HERE, "--format", "csv")).output.splitlines()
    assert [line.split(",")[1] for line in listed[1:]] == ["withdrawn", "released"]


async def test_what_holds_a_release_is_listed_and_accepted_by_name(world: Results, rankings: Command) -> None:
    people = {"type": "share", "share": {"numerator": 60, "denominator": 99}}
    await world.put(B, "b", content=targets(1, C5_1=people))
    await world.compute("province-04")
    refused = await rankings("release", *HERE, *SIGNED)
    assert f"not accepted yet: {B.code}/population_differs." in refused.output, refused.output
    (row,) = (await rankings("held", *HERE, "--format", "csv")).output.splitlines()[1:]
    assert row == f"{B.code}/population_differs"
    done = await rankings("release", *HERE, *SIGNED, "--accepts", row, "--reason", "Đã đối chiếu sổ hộ khẩu")
    assert "1 warnings accepted, because: Đã đối chiếu sổ hộ khẩu" in done.output, done.output
    await rankings("withdraw", *HERE, *SIGNED, "--release", "1", "--reason", "Có khiếu nại")
    listed = (await rankings("releases", *HERE, "--format", "csv")).output.splitlines()
    assert [line.rsplit(",", 1)[1] for line in listed[1:]] == ["", row], "what was accepted stays with its release"


async def test_what_the_command_needs_is_told_in_plain_words(rankings: Command) -> None:
    assert "Which period? Add --period YEAR." in (await rankings()).output
    both = await rankings("release", *HERE, "--area", "region_1", *SIGNED)
    assert "Leave out --province or --area." in both.output
    wrong = await rankings("release", *HERE, "--number", "1", "--decided-on", "4/5/2026", "--signed-by", "x")
    assert "'4/5/2026' is not a date" in wrong.output
