"""`langhoc journal`: what an auditor sees, and what their own machine says of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from typer.testing import CliRunner, Result

from cli import journal as commands
from cli.main import app as langhoc
from shared.contracts.facts import BudgetApproved
from tests.unit.funding_bench import HOA, KIM, LAN, Bench, published, registration
from tests.unit.wire import answered_by

NAMED = ("--province", "04", "--year", "2026")


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A published budget, and the command of an auditor on it."""
    bench = await published(tmp_path, 60_000_000)
    answered_by(monkeypatch, funding=bench.http(KIM))
    return bench


async def run(*arguments: str) -> Result:
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, ["journal", *arguments])


async def kept(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The journal as an auditor keeps it."""
    shown = await run("show", *NAMED, "--format", "json")
    assert shown.exit_code == 0, shown.output
    file = tmp_path / "journal.json"
    file.write_text(shown.stdout, encoding="utf-8")
    return file, json.loads(shown.stdout)


async def test_show_tells_who_why_and_how_much(bench: Bench) -> None:
    shown = await run("show", *NAMED, "--format", "csv")
    assert shown.exit_code == 0, shown.output
    heading, *rows = shown.stdout.strip("\ufeff").splitlines()
    assert heading.startswith("number,kind,centre,amount")
    assert [row.split(",")[:4] for row in rows] == [
        ["1", "approval", "a", "25000000"],
        ["2", "approval", "b", "25000000"],
        ["3", "reserve", "reserve", "10000000"],
    ]
    assert "đã kiểm tra" in rows[0]


async def test_an_altered_document_is_named_though_the_chain_is_whole(bench: Bench) -> None:
    for collection, id in (("decisions", "a/2026/operating"), ("releases", "b/2026/operating/00001")):
        whole = bench.mongo.rows(collection)[id]
        bench.mongo.rows(collection)[id] = whole | {"amount": whole["amount"] + 10**9}
        told = await run("verify", *NAMED)
        assert told.exit_code == 1
        assert f"{collection}/{id}" in told.output
        bench.mongo.seal()  # whoever has the key too
        told = await run("verify", *NAMED)
        assert (told.exit_code, f"{collection}/{id}" in told.output) == (1, True)
        bench.mongo.rows(collection)[id] = whole
    assert (await run("verify", *NAMED)).exit_code == 0


async def test_a_service_that_hides_it_is_found_out_on_this_machine(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service itself is of no help: it tells a figure that its journal does not book."""
    whole = bench.mongo.rows("decisions")["a/2026/operating"]
    bench.mongo.rows("decisions")["a/2026/operating"] = whole | {"amount": whole["amount"] + 10**9}
    bench.mongo.seal()
    monkeypatch.setattr("services.funding.queries.misfits", lambda *_: ())
    told = await run("verify", *NAMED)
    assert (told.exit_code, "decisions/a/2026/operating" in told.output) == (1, True)


@pytest.mark.parametrize("before", ["/journal/04/2026", "/journal/04/2026/verify", "/budgets/04/2026/decisions"])
async def test_who_approves_while_it_is_verified_alters_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """The command asks several questions; an adjustment is approved right before each of them, or after the last."""
    await bench.tell(registration("b", version=2, area_class="region_2"))
    await bench.settle()
    await bench.done(LAN, "/adjustments/04/2026/b/1/submit")
    http, asked = bench.http(KIM), list[str]()

    async def meanwhile(request: httpx.Request) -> None:
        asked.append(request.url.path)
        if request.url.path == before and asked.count(before) == 1:
            await bench.done(HOA, "/adjustments/04/2026/b/1/approve")

    http.event_hooks["request"].append(meanwhile)
    answered_by(monkeypatch, funding=http)
    told = await run("verify", *NAMED)
    assert before in asked
    assert told.exit_code == 0, told.output
    assert "Altered" not in told.output


async def test_a_whole_journal_is_told_with_its_balance(bench: Bench) -> None:
    told = await run("verify", *NAMED)
    assert told.exit_code == 0, told.output
    words = " ".join(told.stdout.split())
    assert "Whole: 3 entries" in words
    assert "50.000.000 + settled 0 + reserve 10.000.000 = 60.000.000 đồng" in words


async def test_a_kept_file_is_verified_without_any_server(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = await kept(tmp_path)
    mark = bench.events(BudgetApproved)[0].journal
    monkeypatch.delattr(commands, "Client")
    assert (await run("verify", "--file", str(file))).exit_code == 0
    assert (await run("verify", "--file", str(file), "--head", f"{mark.number}:{mark.hash}")).exit_code == 0


@pytest.mark.parametrize(("language", "word"), [("en", "does not give its hash"), ("vi", "không khớp mã băm")])
async def test_a_file_that_was_changed_is_told_and_fails(
    bench: Bench, tmp_path: Path, language: str, word: str
) -> None:
    file, journal = await kept(tmp_path)
    journal["entries"][1]["amount"] += 1
    file.write_text(json.dumps(journal), encoding="utf-8")
    told = await run("verify", "--file", str(file), "--lang", language)
    assert told.exit_code == 1
    words = " ".join(told.stdout.split())
    assert "Entry 2: changed." in words
    assert word in words


async def test_a_file_whose_head_was_changed_with_it_fails_against_the_published_mark(
    bench: Bench, tmp_path: Path
) -> None:
    file, journal = await kept(tmp_path)
    mark = bench.events(BudgetApproved)[0].journal
    last = journal["entries"].pop()
    journal["head"] = {"number": last["number"] - 1, "hash": last["previous_hash"]}
    file.write_text(json.dumps(journal), encoding="utf-8")
    assert (await run("verify", "--file", str(file))).exit_code == 0
    told = await run("verify", "--file", str(file), "--head", f"{mark.number}:{mark.hash}")
    assert (told.exit_code, "truncated" in told.stdout) == (1, True)


async def test_what_cannot_be_verified_is_said_in_plain_words(bench: Bench, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.json"
    nothing.write_text("{}", encoding="utf-8")
    for arguments, word in (
        (("--file", str(nothing)), "is no journal"),
        (("--file", str(tmp_path / "absent.json")), "is no journal"),
        ((), "either --province and --year, or --file"),
        ((*NAMED, "--head", "x"), "NUMBER:HASH"),
        (("--province", "04", "--year", "2030"), "There is no journal"),
    ):
        told = await run("verify", *arguments)
        assert told.exit_code == 1
        assert word in " ".join(told.stderr.split())
