"""`langhoc import` on intake's real HTTP side: a first year as its operator takes it in, from sheets and JSON files."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.client import Client
from cli.main import app as langhoc
from cli.output import CommandError
from shared.contracts.base import Status
from shared.rulebook import closing
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import registration
from tests.unit.wire import answered_by

AT = closing("commune", 2025).at + timedelta(days=5)
SIGNED = ("--why", "Năm đầu của hệ thống", "--decision", "12/QĐ-BGDĐT")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "bench", Still(AT))


@pytest.fixture(autouse=True)
async def wired(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.chdir(tmp_path)
    answered_by(monkeypatch, intake=bench.http())


async def run(*arguments: str) -> Result:
    """What the command does."""
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, arguments)


async def data(*arguments: str, code: int = 0) -> Any:
    """What it answers to a program."""
    result = await run(*arguments, "--format", "json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def centre(number: int, **changes: Any) -> dict[str, Any]:
    data = registration(submission_id=f"R-{number}", centre_id=f"C-{number}", **changes).model_dump(mode="json")
    return {"type": "langhoc.centre.registered.v1", "data": data}


def support(number: int, amount: Any = 90_000_000, **changes: Any) -> dict[str, Any]:
    data = {"centre_id": f"C-{number}", "year": 2025, "amount": amount, **changes}
    return {"type": "langhoc.support.submitted.v1", "data": data}


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)


def written(name: str, text: str) -> None:
    """A file in the folder in which the operator works."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


def read(name: str) -> str:
    return Path(name).read_text(encoding="utf-8")


CENTRES = (1, 2, 3)


async def first_year() -> str:
    """What province 01 has: centres in JSON; support paid last year in a sheet, one of a centre that it never named,
    one whose amount is a word."""
    written("first-year/01/centres.jsonl", lines(*map(centre, CENTRES)))
    sheet = "first-year/01/support.csv"
    made = await run("template", "support", "-p", "01", "-o", sheet)
    assert made.exit_code == 0, made.output
    rows = [("C-1", "90.000.000"), ("C-2", "80.000.000"), ("C-9", "70.000.000"), ("C-3", "nhiều")]
    written(sheet, read(sheet) + "".join(f"{centre_id};2025;;{amount};;\n" for centre_id, amount in rows))
    return "first-year"


def rows(told: dict[str, Any]) -> dict[str, tuple[int, int, int, int]]:
    """Per type of record: new, known, refused, đồng."""
    return {
        one["type"].split(".")[1]: (one["new"], one["known"], one["refused"], one["amount"]) for one in told["rows"]
    }


async def test_a_first_year_is_tried_signed_taken_in_and_goes_on_where_it_stopped(bench: Bench) -> None:
    tried = await data("import", "history", await first_year(), "--dry-run", code=1)
    assert rows(tried) == {"centre": (3, 0, 0, 0), "support": (2, 0, 2, 170_000_000)}
    assert bench.receipts() == [], "nothing is written"
    digest, (whole, rest) = tried["digest"], tried["files"]
    assert whole == f"history-{digest[:12]}.jsonl"
    refused = [json.loads(line) for line in read(rest).splitlines()]
    assert {(one["file"], one["place"], one["problems"][0]["code"]) for one in refused} == {
        ("first-year/01/support.csv", "row 6", "centre_unknown"),
        ("first-year/01/support.csv", "row 7", "no_number"),
    }
    taken = await data("import", "history", whole, "--sign", digest, *SIGNED)
    assert (rows(taken), taken["taken_before"]) == ({"centre": (3, 0, 0, 0), "support": (2, 0, 0, 170_000_000)}, 0)
    facts = bench.events("intake.accepted")
    assert {fact["under"]["import_id"] for fact in facts} == {taken["import_id"]}
    assert [fact["amount"] for fact in facts if "amount" in fact] == [90_000_000, 80_000_000]
    again = await data("import", "history", whole, "--sign", digest, *SIGNED)
    assert (again["rows"], again["taken_before"]) == ([], again["parts"])
    assert len(bench.receipts()) == 5
    known = await data("import", "history", "first-year", "--dry-run", code=1)
    assert rows(known) == {"centre": (0, 3, 0, 0), "support": (0, 2, 2, 170_000_000)}
    assert known["digest"] == digest, "of the same records it is the same"
    (listed,) = await data("import", "list")
    assert (listed["taken"], listed["why"], listed["signed_by"]) == ([1], SIGNED[1], "local:an")


async def test_a_crash_between_two_parts_is_mended_by_the_same_command(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.importing.MOST_SUBMISSIONS", 2)
    written("all.jsonl", lines(*map(centre, CENTRES), *map(support, CENTRES)))
    tried = await data("import", "history", "all.jsonl", "-p", "01", "--dry-run")
    command = ("import", "history", *tried["files"], "--sign", tried["digest"], *SIGNED)
    post, sent = Client.post, []

    def dies(self: Any, service: str, path: str, kind: Any, body: Any) -> Any:
        sent.append(path)
        if path.endswith("/parts/3"):
            raise CommandError("the line is cut")
        return post(self, service, path, kind, body)

    monkeypatch.setattr(Client, "post", dies)
    assert (await run(*command)).exit_code == 1
    assert len(bench.receipts(Status.ACCEPTED)) == 4
    monkeypatch.setattr(Client, "post", post)
    rest = await data(*command)
    assert (rest["taken_before"], rest["parts"]) == (2, 3)
    assert len(bench.receipts(Status.ACCEPTED)) == len(bench.receipts()) == 6


async def test_nothing_is_taken_in_that_was_not_signed(bench: Bench) -> None:
    written("all.jsonl", lines(centre(1), support(1)))
    digest = (await data("import", "history", "all.jsonl", "-p", "01", "--dry-run"))["digest"]
    written("all.jsonl", lines(centre(1), support(1, 900_000_000)))
    for arguments, said in (
        (("--sign", digest, *SIGNED), "the digest of something else"),
        (("--sign", digest), "says --why"),
        ((), "First --dry-run"),
        (("--dry-run", "--sign", digest, *SIGNED), "First --dry-run"),
    ):
        result = await run("import", "history", "all.jsonl", "-p", "01", *arguments)
        assert (result.exit_code, said in result.output) == (1, True), result.output
    assert (bench.receipts(), bench.mongo.rows("imports")) == ([], {})


async def test_what_is_refused_is_named_all_at_once_and_nothing_is_signed_of_nothing() -> None:
    written("all.jsonl", lines(support(1), support(2, "nhiều")))
    result = await run("import", "history", "all.jsonl", "-p", "01", "--dry-run")
    assert result.exit_code == 1
    assert "all.jsonl record 1 /centre_id" in result.output
    assert "all.jsonl record 2 /data/amount" in result.output
    assert "There is nothing to sign." in result.output
    vietnamese = (await run("import", "history", "all.jsonl", "-p", "01", "--dry-run", "--lang", "vi")).output
    assert "Từ chối" in vietnamese
    written("sheet.csv", "a;b\n1;2\n")
    assert "of which province is it?" in (await run("import", "history", "sheet.csv", "--dry-run")).output
    assert (await run("import", "history", "sheet.csv", "-p", "01", "--dry-run")).exit_code == 1


async def test_a_revoked_import_is_listed_as_such_and_goes_no_further(bench: Bench) -> None:
    written("all.jsonl", lines(centre(1), support(1)))
    tried = await data("import", "history", "all.jsonl", "-p", "01", "--dry-run")
    command = ("import", "history", *tried["files"], "--sign", tried["digest"], *SIGNED)
    taken = await data(*command)
    shown = (await run("import", "revoke", taken["import_id"], "--why", "nhầm năm")).output
    assert "nhầm năm" in shown
    assert "1 of 1 parts were taken before, and stand." in shown
    assert "was revoked: nhầm năm" in (await run(*command)).output
    assert "nhầm năm" in (await run("import", "list", "--lang", "vi")).output
    assert len(bench.receipts()) == 2


async def test_what_an_import_led_to_is_taken_back_by_an_import_of_its_withdrawals(bench: Bench) -> None:
    decision = {
        "unit_code": "00004", "period": 2024, "level": 1, "decision_number": "1/QĐ", "decided_on": "2025-02-01",
        "decided_by": "UBND",
    }  # fmt: skip
    corrected = support(1, 80_000_000, corrects_version=1, reason="nhập sai")
    found = [centre(1), support(1), corrected, {"type": "langhoc.recognition.submitted.v1", "data": decision}]
    written("all.jsonl", lines(*found))
    tried = await data("import", "history", "all.jsonl", "-p", "01", "--dry-run")
    (whole,) = tried["files"]
    taken = await data("import", "history", whole, "--sign", tried["digest"], *SIGNED)
    back = f"withdrawals-{taken['import_id']}.jsonl"
    said = (await run("import", "withdrawals", taken["import_id"], whole, "--why", "nhầm tệp")).output
    assert f"3 withdrawals → {back}" in said
    undoing = await data("import", "history", back, "--dry-run")
    assert all(row["refused"] == 0 for row in undoing["rows"])
    await data("import", "history", *undoing["files"], "--sign", undoing["digest"], *SIGNED)
    acts = [(row["kind"], row["act"], row["version"]) for row in bench.mongo.rows("aggregates").values()]
    assert sorted(acts) == [
        ("recognition", "withdrawal", 2),
        ("registration", "withdrawal", 2),
        ("support", "withdrawal", 3),
    ]
    refused = await run("import", "withdrawals", taken["import_id"], back, "--why", "x")
    assert "is not what was signed" in refused.output
