"""`langhoc submit` where only HTTP is known: the published examples as they stand, dry runs, exit codes, 80 columns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, patch

import openpyxl
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from cli import sheets
from cli.client import Client, NoAnswer, Refused
from cli.main import app as langhoc
from cli.output import console
from deploy.local.errors import NotRunning
from shared.contracts.catalogue import EXAMPLES
from shared.contracts.topics import submission_key
from shared.registry import registry
from shared.sheets import BECAME, form_of, xlsx_template
from shared.sheets.template import DATA, HEAD_ROWS
from tests.sheet_makers import TODAY
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


def sheet(folder: Path, *centres: tuple[str, str]) -> Path:
    """The template for registrations of Cao Bằng (04), filled in: ids and communes."""
    path = folder / "centres.xlsx"
    form = form_of("registration", province="04")
    path.write_bytes(xlsx_template(form, "04", "7f3a09c1", register=registry(), today=TODAY))
    book = openpyxl.load_workbook(path)
    for centre, commune in centres:
        book[DATA].append([centre, f"TTHTCĐ {centre}", commune, "region_1", 3000, date(2010, 9, 5)])
    book.save(path)
    return path


def became(path: Path) -> list[tuple[Any, ...]]:
    """Status and reason of each row of the answered sheet; its words are those of its code."""
    page = openpyxl.load_workbook(path.with_name(f"{path.stem}.answered.xlsx"))[DATA]
    rows = [row[-4:] for row in page.iter_rows(min_row=HEAD_ROWS + 1, values_only=True)]
    assert all(words == BECAME[status].vi for status, words, _, _ in rows)
    return [(status, why) for status, _, why, _ in rows]


async def test_a_dry_run_of_a_sheet_tells_what_only_the_register_knows_and_writes_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    path = sheet(tmp_path, ("C-1", "01273"), ("C-2", "99999"))
    rehearsed = await run(str(path), "-p", "04", "--dry-run")
    assert (rehearsed.exit_code, bench.receipts(), bench.hand.log) == (1, [], [])
    (good, _), (bad, why) = became(path)
    assert (good, bad) == ("ready", "rejected")
    assert why.startswith("C5: ")
    assert "1 ready" in rehearsed.output
    assert "Dry run: nothing was written" in " ".join(rehearsed.output.split())

    sent = await run(str(path), "-p", "04")
    assert sent.exit_code == 1
    assert [status for status, _ in became(path)] == ["accepted", "rejected"]
    assert became(path)[1][1] == why, "in the same words"
    again = await run(str(path), "-p", "04", "--dry-run")
    assert "1 duplicate" in again.output


async def test_where_nobody_answers_a_dry_run_still_checks_the_sheet_and_says_that_it_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sheet(tmp_path, ("C-1", "01273"), ("C-2", "99999"), ("", "01273"))
    for away in (NotRunning(), NoAnswer("intake does not answer at http://intake")):
        monkeypatch.setattr(Client, "hand_in", Mock(side_effect=away))
        result = await run(str(path), "-p", "04", "--dry-run")
        assert "From row 4 on only the sheet itself could be checked" in " ".join(result.output.split())
        assert [status for status, _ in became(path)] == ["ready", "ready", "not_sent"]


@given(st.integers(0, 40), st.integers(0, 60), st.sets(st.integers(0, 30)), st.none() | st.integers(0, 60))
def test_receipts_of_a_sheet_are_found_among_the_newest_or_asked_for_one_by_one(
    sent: int, since: int, unlisted: set[int], refused_at: int | None
) -> None:
    """Whatever the province sent in the meantime, whatever a list does not show, and though a page is refused."""
    ours = [f"r-{number}" for number in range(sent)]
    listed = [f"s-{number}" for number in range(since)] + [id for id in ours if int(id[2:]) not in unlisted]

    def pages(*asked: str, **query: Any) -> Iterator[SimpleNamespace]:
        for place, id in enumerate(listed):
            if place == refused_at:
                raise Refused("A document was altered.")
            yield SimpleNamespace(receipt_id=id)

    client = Mock(
        pages=pages,
        get=lambda service, path, kind: SimpleNamespace(receipt_id=path.removeprefix("/receipts/")),
    )
    with patch.object(sheets, "MOST", 10):
        found = [receipt.receipt_id for receipt in sheets.answers_to(client, "04", ours)]
    assert sorted(found) == sorted(ours)


async def test_a_refused_dry_run_of_a_sheet_is_no_good_news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sheet(tmp_path, ("C-1", "01273"))
    monkeypatch.setattr(Client, "hand_in", Mock(side_effect=Refused("You may not.")))
    result = await run(str(path), "-p", "04", "--dry-run")
    assert (result.exit_code, "You may not." in result.output) == (1, True)


async def test_a_file_for_another_channel_is_not_sent(bench: Bench) -> None:
    result = await run(str(EXAMPLES / f"{TYPE}.json"), "-p", "01")
    assert (result.exit_code, bench.hand.log) == (1, [])
    assert "province 04" in result.output
