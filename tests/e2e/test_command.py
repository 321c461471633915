"""The `langhoc` command as people and programs use it, on a platform of its own: what a small demonstration shows."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.output import UTF8_BOM
from tests.command import Langhoc, langhoc_on

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def langhoc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Langhoc]:
    """Runs the command on this module's platform."""
    with langhoc_on(tmp_path_factory.mktemp("platform") / "state") as run:
        yield run


@pytest.fixture(scope="module")
def demonstrated(langhoc: Langhoc) -> str:
    """Output of the demonstration for two provinces."""
    return langhoc("demo", "--provinces", "12,44")


def test_the_demonstration_shows_everything(demonstrated: str) -> None:
    for part in (
        "Simulated date: 2026-02-25",
        "Simulated date: 2026-03-04",
        "Simulated date: 2026-04-11",
        "Received ",
        "Ranking 2025 of 3,321 communes",
    ):
        assert part in demonstrated
    for part in ("below_legal_minimum", "support_proposed", "/zipkin/traces/", "langhoc explain", "old province 45"):
        assert part in demonstrated


@pytest.mark.usefixtures("demonstrated")
def test_rankings_list_every_commune_with_rank_or_reason(langhoc: Langhoc) -> None:
    rows = json.loads(langhoc("rankings", "--period", "2025", "--format", "json"))
    assert len(rows) == len({row["unit_id"] for row in rows}) == 3_321
    assert all((row["rank"] is None) == bool(row["reason"]) for row in rows)
    assert sum(row["rank"] is not None for row in rows) > 90
    text = langhoc("rankings", "--period", "2022", "--province", "45", "--format", "csv")
    assert text.startswith(UTF8_BOM)
    table = list(csv.DictReader(io.StringIO(text.removeprefix(UTF8_BOM))))
    assert len(table) == 120
    assert all(re.fullmatch(r"[0-9]{5}|D[0-9]{3}", row["code"]) for row in table)  # codes keep their zeros


@pytest.mark.usefixtures("demonstrated")
def test_budgets_add_up(langhoc: Langhoc) -> None:
    runs = json.loads(langhoc("budgets", "--year", "2026", "--format", "json"))
    assert [run["province"] for run in runs] == ["12", "44"]
    for run in runs:
        assert sum(run["allocations"].values()) + run["equipment"] + run["carried"] + run["reserve"] == run["envelope"]
        assert len(run["allocations"]) == run["centres"]
    assert "Proposed ₫" in langhoc("budgets", "--year", "2026", "--province", "12")


@pytest.mark.usefixtures("demonstrated")
def test_explain_shows_the_way_from_submission_to_rank_and_money(langhoc: Langhoc) -> None:
    first = json.loads(langhoc("rankings", "--period", "2025", "--format", "json"))[0]
    for language, words in {
        "en": ("Submission", "Result", "Rank", "Community learning centre", "Money", "đồng", "provisional"),
        "vi": ("Hồ sơ", "Kết quả", "Xếp hạng", "Trung tâm học tập cộng đồng", "Kinh phí", "tạm thời"),
    }.items():
        text = langhoc("explain", first["code"], "--lang", language)
        for word in (*words, "Thông tư 25/2023/TT-BGDĐT", "Thông tư 96/2008/TT-BTC", "SYN-"):
            assert word in text
    story: dict[str, Any] = json.loads(langhoc("explain", first["code"], "--format", "json"))
    assert {row["scope"]: row["rank"] for row in story["scoring"]["ranks"]}["nation"] == 1
    assert story["scoring"]["centres"]
    assert story["funding"]["lines"][0]["allocation"]["steps"]
    old = json.loads(langhoc("explain", "19441", "--on", "2022-12-31", "--format", "json"))
    assert old["intake"]["unit"]["unit_id"] == "19441@pre-2025-07"
    assert old["intake"]["unit"]["successors"]


@pytest.mark.usefixtures("demonstrated")
def test_a_submission_by_hand_gets_its_receipt(langhoc: Langhoc, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    body = {"submission_id": "HAND-1", "unit_code": "4", "period": "2025", "content": {"scoring": "grades"}}
    file.write_text(json.dumps({"type": "langhoc.commune.submitted.v1", "data": body}))
    rehearsed = json.loads(langhoc("submit", str(file), "-p", "12", "--dry-run", "--format", "json", fails=True))
    (receipt,) = json.loads(langhoc("submit", str(file), "--province", "12", "--format", "json", fails=True))
    assert receipt["status"] == "rejected"
    assert [{name: receipt[name] for name in one} for one in rehearsed] == rehearsed
    assert {problem["field"] for problem in receipt["problems"]} >= {"/unit_code", "/period", "/rubric"}
    assert all(
        problem[text][lang] for problem in receipt["problems"] for text in ("message", "mend") for lang in ["vi", "en"]
    )
    file.write_text('{"type": "nonsense"}')
    assert "one.json:1" in langhoc("submit", str(file), "--province", "12", fails=True)


@pytest.mark.usefixtures("demonstrated")
def test_looking_around(langhoc: Langhoc) -> None:
    status = json.loads(langhoc("status", "--format", "json"))
    assert {row["name"] for row in status} >= {"kafka", "mongod", "zipkin", "intake-1", "notifications-1"}
    assert all(row["ready"] for row in status)
    assert "Simulated date: 2026-04-11" in langhoc("status")
    assert json.loads(langhoc("dead-letters", "list", "--format", "json")) == []
    assert "settled" in langhoc("wait")
    assert "service.started" in langhoc("logs", "funding", "-n", "2000")
    alerts = json.loads(langhoc("alerts", "--province", "12", "--format", "json"))
    assert all(alert["province"] == "12" and alert["action"]["vi"] for alert in alerts)
    assert "Nothing is known of 99999" in langhoc("explain", "99999", fails=True)
    assert langhoc("token", "--role", "auditor").count(".") == 2
