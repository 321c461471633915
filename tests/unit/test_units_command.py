"""`langhoc register`, `held` and `compare` on intake's real HTTP side and a scoring service that has three results."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import yaml
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from tests.unit.intake_bench import Bench
from tests.unit.intake_samples import commune
from tests.unit.register_samples import gap_filled, split
from tests.unit.wire import answered_by


def result(unit_id: str, period: int, rubric: str, **outcome: Any) -> dict[str, Any]:
    """A commune's result as scoring answers it, without what nobody asks for here."""
    none = {"point_table": None, "total": None, "grade": None, "level": None, "rank_key": None}
    return {
        **none, **outcome, "unit_id": unit_id, "code": unit_id[:5], "name": "X", "holder": "01", "province": "01",
        "period": period, "rubric": rubric, "version": 1, "input_version": 1, "state": "scored", "criteria": [],
        "missing": [], "explanation": [], "provenance": "found", "received_at": "2026-01-10T03:00:00Z",
    }  # fmt: skip


RESULTS = [
    result("00004@2025-07", 2025, "lc_commune_25_2023", level=1),
    result("00004@pre-2025-07", 2022, "lc_44", grade="kha", total="71"),
    result("00004@pre-2025-07", 2021, "lc_44", grade="tot", total="90"),
]


def scoring() -> httpx.AsyncClient:
    """Scoring as the command meets it."""
    app = FastAPI()

    @app.get("/results/{subject:path}")
    async def results(subject: str, period: int | None = None) -> list[dict[str, Any]]:
        return [row for row in RESULTS if row["unit_id"] == subject and period in (None, row["period"])]

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://scoring")


class Terminal:
    """`langhoc` on these two services."""

    async def run(self, *arguments: str) -> Result:
        """What the command does."""
        with structlog.testing.capture_logs():
            return await asyncio.to_thread(CliRunner().invoke, langhoc, arguments)

    async def json(self, *arguments: str) -> Any:
        """What it answers to a program."""
        result = await self.run(*arguments, "--format", "json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
async def terminal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "240")
    answered_by(monkeypatch, intake=bench.http(), scoring=scoring())
    return Terminal()


BY_HAND = """
correction_id: GAP-00999
why: Dữ liệu nhập thiếu
source: Công báo (thử nghiệm)
decree: {number: Nghị quyết 1286/2023 (thử nghiệm), issued_on: 2023-11-14, effective_on: 2024-01-01}
added:
- {code: 00999, name: Xã Cũ, type: Xã, province_code: 01, valid_to: 2024-01-01, valid_from: null}
"""


async def test_a_correction_written_by_hand_is_rehearsed_and_then_taken_once(
    bench: Bench, terminal: Terminal, tmp_path: Path
) -> None:
    """B1: YAML makes numbers of bare codes (00999, 01); here they stay codes."""
    await bench.receive(
        EventType.COMMUNE_SUBMITTED,
        commune(
            unit_code="00999", period=2022, rubric="lc_commune_44_2014", content={"scoring": "points", "points": {}}
        ),
    )
    file = tmp_path / "decree.yaml"
    file.write_text(BY_HAND, encoding="utf-8")

    rehearsed = await terminal.run("register", "correct", str(file), "--dry-run")
    assert rehearsed.exit_code == 0, rehearsed.output
    assert "would become version 1" in rehearsed.output
    assert "Held submissions that would be decided again" in rehearsed.output
    assert "HN-1" in rehearsed.output
    assert not bench.mongo.rows("register")
    assert (await terminal.json("held", "list"))[0]["subject"] == "00999"

    taken = await terminal.run("register", "correct", str(file))
    assert "is now version 1" in taken.output
    await bench.settle()
    assert len(bench.receipts(Status.ACCEPTED_LATE)) == 1
    assert await terminal.json("held", "list") == []
    again = await terminal.run("register", "correct", str(file))
    assert "taken before, as version 1" in again.output
    (told,) = await terminal.json("register", "list")
    assert told["correction"] == gap_filled().model_dump(mode="json")


async def test_everything_that_is_wrong_is_said(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "decree.yaml"
    file.write_text(BY_HAND.replace("province_code: 01", "province_code: 99") + "ended: [99999@2025-07]\n", "utf-8")
    refused = await terminal.run("register", "correct", str(file))
    assert refused.exit_code == 1
    said = " ".join(refused.output.split())
    for place, message in (
        ("/added/0/province_code", "There is no province with code 99"),
        ("/ended/0", "The register has no unit 99999@2025-07"),
    ):
        assert f" / {message}" in said.partition(f"{place}: ")[2]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"a: [", None, b"[" * 600 + b"]" * 600, b"a: &a [*a]", b"#" * 300_000]
)
async def test_a_file_that_cannot_be_read_is_said_in_plain_words(
    terminal: Terminal, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "decree.yaml"
    if content is not None:
        file.write_bytes(content)
    refused = await terminal.run("register", "correct", str(file))
    assert (refused.exit_code, refused.exception.__class__) == (1, SystemExit)
    assert "decree.yaml" in refused.output


async def test_a_rehearsal_lists_the_results_that_it_touches(bench: Bench, terminal: Terminal, tmp_path: Path) -> None:
    await bench.receive(EventType.COMMUNE_SUBMITTED, commune())
    file = tmp_path / "split.yaml"
    file.write_text(yaml.safe_dump(split().model_dump(mode="json"), allow_unicode=True), encoding="utf-8")
    answer = await terminal.json("register", "correct", str(file), "--dry-run")
    (row,) = answer["touched"]
    assert (row["subject"], row["period"], row["means_now"], row["result"]) == (
        "00004",
        2025,
        "00004@2025-07",
        "level 1",
    )


async def test_a_comparison_across_the_reform_shows_each_result_under_its_own_unit(terminal: Terminal) -> None:
    """D1, D2: Ba Đình starts unassessed beside Trúc Bạch and the others, whose results stay theirs."""
    story = await terminal.json("compare", "00004", "--on", "2025-12-31")
    assert (story["unit"]["unit_id"], story["unit"]["continues"]) == ("00004@2025-07", None)
    assert [result["period"] for result in story["results"]] == [2025]
    shares = {row["unit_id"]: row["share"] for row in story["predecessors"]}
    assert (shares["00004@pre-2025-07"], shares["00022@pre-2025-07"]) == ("whole", "part")
    own = {row["unit_id"]: [result["period"] for result in row["results"]] for row in story["predecessors"]}
    assert own.pop("00004@pre-2025-07") == [2022, 2021]
    assert set(map(len, own.values())) == {0}

    shown = (await terminal.run("compare", "00004", "--on", "2025-12-31")).output
    assert "Starts unassessed: it was formed from Phường Trúc Bạch (00004@pre-2025-07, whole)" in " ".join(
        shown.split()
    )
    assert "71 kha" in shown
    assert "90 tot" not in shown, "of a predecessor the last result"
    vietnamese = " ".join((await terminal.run("compare", "00004", "--lang", "vi")).output.split())
    assert "Bắt đầu chưa được đánh giá" in vietnamese
    assert "tiền thân, toàn bộ" in vietnamese


async def test_a_continuing_unit_is_told_so(terminal: Terminal) -> None:
    same = await terminal.json("register", "show", "D755", "--on", "2022-12-31")
    (island,) = same["successors"]
    assert (await terminal.json("register", "show", island["unit_id"]))["continues"] == same["unit_id"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "99999"], "There is no unit 99999"),
        (["register", "show", "00004", "--on", "31/12/2025"], "'31/12/2025' is not a date"),
    ],
)
async def test_a_wrong_question_is_answered_in_plain_words(terminal: Terminal, arguments: list[str], said: str) -> None:
    refused = await terminal.run(*arguments)
    assert (refused.exit_code, said in refused.output) == (1, True)


async def test_without_anything_it_says_so(terminal: Terminal) -> None:
    assert "Nothing is held" in (await terminal.run("held", "list")).output
    assert "it is the imported one" in (await terminal.run("register", "list")).output
