"""`langhoc people` on intake's real HTTP side, and names beside ids where other commands show who did what."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli import people
from cli.client import Client
from cli.main import app as langhoc
from shared.contracts.people import PERSON_ID
from tests.unit.intake_bench import Bench, Still
from tests.unit.wire import answered_by

ACCOUNT = ("--issuer", "https://id.moet.example", "--subject", "7d1f")
ADD = (
    "add",
    "Nguyễn Thị Lan",
    "--role",
    "province",
    "-p",
    "04",
    "--from",
    "2026-01-05",
    "--why",
    "Công văn 7",
    *ACCOUNT,
)
LAN = (*ADD, "--as", "p-lan", "--id", "o-1")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Still(datetime(2026, 3, 2, 3, 0, tzinfo=UTC)))


@pytest.fixture(autouse=True)
async def wired(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answered_by(monkeypatch, intake=lambda who, role, province: bench.http("ministry", province, account=who or "an"))


async def run(*arguments: str) -> Result:
    """What the command does."""
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, ("people", *arguments))


async def data(*arguments: str) -> Any:
    """What it answers to a program."""
    result = await run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def done(*arguments: str) -> Any:
    """The person after an order that another person has confirmed."""
    waits = await data(*arguments, "--by", "an")
    return await data("confirm", waits["order_id"], "--why", "đã đối chiếu", "--by", "binh")


async def test_a_person_from_the_first_day_to_the_last() -> None:
    first = await done(*LAN)
    assert await done(*LAN) == first, "the same order again"
    why = ("--why", "QĐ 12/QĐ-UBND")
    moved = await done("change", "p-lan", "--role", "province", "-p", "08", "--from", "2026-07-01", *why)
    assert [(one["province"], one["last_day"]) for one in moved["assignments"]] == [("04", "2026-06-30"), ("08", None)]
    await done("account", "add", "p-lan", *ACCOUNT[:3], "9a0c", *why)
    await data("account", "end", "p-lan", *ACCOUNT, *why)
    await done("end", "p-lan", "--to", "2026-12-31", *why)
    shown = await data("show", "p-lan")
    assert [one["deed"] for one in shown["changes"]] == ["added", "changed", "account_added", "account_ended", "ended"]
    assert [bool(one["ended_at"]) for one in shown["accounts"]] == [False, True]


async def test_an_id_that_was_not_chosen_tells_nothing() -> None:
    id = (await done(*ADD))["person_id"]
    assert re.fullmatch(PERSON_ID[1:-1], id)
    assert "lan" not in id


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_everything_stands_within_eighty_columns(language: str) -> None:
    """The whole life of a person, in a terminal as wide as terminals are."""
    await done(*LAN)
    await done("change", "p-lan", "--role", "province", "-p", "08", "--from", "2026-07-01", "--why", "QĐ 12/QĐ-UBND")
    for asked in (("list",), ("show", "p-lan")):
        shown = (await run(*asked, "--lang", language)).output
        assert max(map(len, shown.splitlines())) <= 80
        assert "2026-06-30" in shown
        assert "Nguyễn Thị Lan" in shown
    assert "7d1f" in shown
    assert "Công văn 7" in shown


@pytest.mark.parametrize("language", ["en", "vi"])
async def test_whoever_confirms_sees_all_that_is_ordered_and_is_told_how(language: str) -> None:
    asked = await run(*LAN, "--by", "an", "--lang", language)
    assert "langhoc people confirm o-1" in asked.output
    shown = (await run("orders", "--lang", language)).output
    assert max(map(len, shown.splitlines())) <= 80
    for said in ("o-1", "p-lan", "local:an", "Nguyễn Thị Lan", "province", "04", "2026-01-05", "7d1f", "Công văn 7"):
        assert said in shown
    alone = await run("confirm", "o-1", "--why", "x", "--by", "an")
    assert (alone.exit_code, "cannot confirm it" in alone.output) == (1, True)
    assert (await run("decline", "o-1", "--by", "binh")).exit_code == 0
    assert await data("orders") == []
    assert await data("list") == []


async def test_a_list_is_narrowed_by_role_and_province() -> None:
    await done(*LAN)
    await done("add", "Lê Hoa", "--role", "finance", "--from", "2026-01-05", "--why", "x", "--as", "p-hoa")
    assert [one["person_id"] for one in await data("list")] == ["p-hoa", "p-lan"]
    assert [one["person_id"] for one in await data("list", "--role", "finance")] == ["p-hoa"]
    assert [one["person_id"] for one in await data("list", "-p", "04")] == ["p-lan"]
    assert await data("list", "-p", "08") == []


async def test_what_is_refused_is_said_in_words_and_ends_with_1() -> None:
    await done(*LAN)
    again = await run(*ADD)
    assert again.exit_code == 1
    assert "p-lan" in again.stderr
    assert "distinct_from" in again.stderr
    for half in (
        ("add", "Lê Hoa", "--role", "finance", "--from", "2026-01-05", "--why", "x", "--issuer", "y"),
        ("change", "p-lan", "--role", "finance", "--why", "x"),
        ("change", "p-lan", "--role", "finance", "--from", "morgen", "--why", "x"),
        ("show", "p-none"),
    ):
        assert (await run(*half)).exit_code == 1


async def test_names_stand_where_the_asker_may_see_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await done(*LAN)

    async def names(role: Any, of: str | None) -> list[str]:
        answered_by(monkeypatch, intake=bench.http(role, of, account="son"))
        known = people.Names(Client())
        asked = ("p-lan", "p-none", "local:an", "nguyễn.an", "langhoc")
        return [await asyncio.to_thread(known, one) for one in asked]

    rest = ["p-none", "local:an", "nguyễn.an", "langhoc"]
    assert await names("finance", None) == ["Nguyễn Thị Lan (p-lan)", *rest]
    assert await names("province", "04") == ["Nguyễn Thị Lan (p-lan)", *rest]
    assert await names("province", "08") == ["p-lan", *rest]


async def test_without_a_directory_ids_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    answered_by(monkeypatch)
    assert await asyncio.to_thread(people.Names(Client()), "p-lan") == "p-lan"
