"""`langhoc template`: rows of the province's own subjects, last year's figures beside, and what it says is missing."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import openpyxl
import pytest
import structlog
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner, Result

from cli.client import Client, NoAnswer, Refused
from cli.deployments import NoLogin
from cli.main import app as langhoc
from deploy.local.errors import NotRunning
from shared.contracts.base import Status
from shared.contracts.submissions import CentreSubmitted, RegistrationWithdrawn
from shared.registry import registry
from shared.rulebook import cut_off, rubric
from shared.sheets.template import DATA, HEAD_ROWS
from tests.sheet_makers import read
from tests.unit.intake_bench import Bench
from tests.unit.intake_samples import assessment, commune, registration
from tests.unit.test_door import Now
from tests.unit.wire import answered_by

SHARE = {"type": "share", "share": {"numerator": 512, "denominator": 600}}


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(tmp_path / "keys", Now())
    answered_by(monkeypatch, intake=lambda who, role, province: bench.http("province", "01"))
    return bench


async def made(*arguments: str) -> Result:
    """What the command does."""
    with structlog.testing.capture_logs():
        result = await asyncio.to_thread(CliRunner().invoke, langhoc, ("template", *arguments))
    assert result.exit_code == 0, result.output
    return result


async def filed(bench: Bench, kind: str, data: Any, province: str = "01") -> None:
    type_ = {"registration": "centre.registered", "withdrawn": "registration.withdrawn"}.get(kind, f"{kind}.submitted")
    receipt = await bench.receive(f"langhoc.{type_}.v1", data, province)
    assert receipt.status in (Status.ACCEPTED, Status.ACCEPTED_LATE), receipt.problems


async def centres(bench: Bench) -> None:
    """One that works, one that opens later, one closed, one registered by mistake, and a neighbour's."""
    lives = {"C-1": {}, "C-2": {"opened_on": "2026-01-05"}, "C-3": {"closed_on": "2025-06-01"}, "C-4": {}}
    for id, life in lives.items():
        sent = registration(submission_id=f"R-{id}", centre_id=id, name=f"TTHTCĐ {id}", **life)
        await filed(bench, "registration", sent)
    taken_back = {"submission_id": "W-4", "centre_id": "C-4", "corrects_version": 1, "reason": "ghi nhầm"}
    await filed(bench, "withdrawn", RegistrationWithdrawn.model_validate(taken_back))
    other = registration(submission_id="R-5", centre_id="C-5", commune_code="01273")
    await filed(bench, "registration", other, "04")


def page(file: Path) -> tuple[Worksheet, dict[str, int]]:
    """The sheet to fill in, and the places of its columns."""
    found = openpyxl.load_workbook(file)[DATA]
    return found, {str(cell.value): cell.column for cell in found[2]}


def column(file: Path, id: str) -> list[Any]:
    found, places = page(file)
    return [row[places[id] - 1] for row in found.iter_rows(min_row=HEAD_ROWS + 1, values_only=True)]


async def test_a_form_of_communes_has_a_row_for_each_and_last_years_figures_beside(
    bench: Bench, tmp_path: Path
) -> None:
    targets = {"C5.1": SHARE, "C1.1": {"type": "boolean", "met": True}}
    await filed(bench, "commune", commune(content={"scoring": "pass_fail", "targets": targets}))
    file = tmp_path / "xa.xlsx"
    result = await made("commune", "-p", "01", "--period", "2026", "-o", str(file))
    units = registry().units(cut_off(2026), "01")
    assert column(file, "unit_code") == [f"{unit.code} – {unit.name}" for unit in units]
    assert f"{len(units)} rows wait for figures, 1 with those of 2025 beside" in " ".join(result.output.split())

    _, places = page(file)
    assert places["before.C5.1.share.numerator"] == places["C5.1.share.numerator"] + 1
    assert column(file, "before.C5.1.share.numerator")[0] == 512
    assert column(file, "before.C1.1.met")[:2] == ["có", None]
    assert not any(column(file, "C5.1.share.numerator"))
    assert "before.difficult_area" not in places, "what nobody claimed is no figure"


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
async def test_a_row_that_nobody_wrote_in_is_blank_and_last_years_figures_are_never_sent(
    bench: Bench, tmp_path: Path, suffix: str
) -> None:
    await filed(bench, "commune", commune(content={"scoring": "pass_fail", "targets": {"C5.1": SHARE}}))
    file = tmp_path / f"xa{suffix}"
    await made("commune", "-p", "01", "--period", "2026", "-o", str(file))
    sheet, _ = read(file)
    count = len(registry().units(cut_off(2026), "01"))
    assert sheet.counts == {"header": 3, "blank": count}

    if suffix == ".xlsx":
        book = openpyxl.load_workbook(file)
        places = {cell.value: cell.column for cell in book[DATA][2]}
        book[DATA].cell(HEAD_ROWS + 1, places["C1.1.met"]).value = "có"
        book.save(file)
    else:
        rows = list(csv.reader(file.read_text("utf-8-sig").splitlines(), delimiter=";"))
        assert rows[HEAD_ROWS][rows[1].index("before.C5.1.share.numerator")] == "512"
        rows[HEAD_ROWS][rows[1].index("C1.1.met")] = "có"
        with file.open("w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out, delimiter=";").writerows(rows)
    sheet, found = read(file)
    assert sheet.counts == {"header": 3, "blank": count - 1, "ready": 1}
    (data,) = [row.data for row in found if row.data]
    assert data["content"]["targets"] == {"C1.1": {"type": "boolean", "met": True}}
    assert (data["unit_code"], data["unit_name"]) == ("00004", "Phường Ba Đình")


async def test_a_unit_has_no_figures_of_another_that_had_its_code(bench: Bench, tmp_path: Path) -> None:
    """00004 was Phường Trúc Bạch until July 2025, and is Phường Ba Đình."""
    rule = {"period": 2024, "submission_id": "old"}
    await filed(bench, "commune", commune(unit_code="00004", **rule))
    file = tmp_path / "xa.xlsx"
    result = await made("commune", "-p", "01", "--period", "2025", "-o", str(file))
    assert "0 with those of 2024 beside" in " ".join(result.output.split())


async def test_centres_are_those_of_the_day_of_which_the_form_speaks(bench: Bench, tmp_path: Path) -> None:
    await centres(bench)
    criteria = rubric("clc_2553_2013").criteria  # type: ignore[union-attr]
    points = {one.id: {"points": "9.5"} for one in criteria}
    said = {"submission_id": "A-1", "centre_id": "C-1", "period": 2025, "rubric": "clc_2553_2013"}
    content = {"scoring": "points", "points": points}
    await filed(bench, "centre", CentreSubmitted.model_validate({**said, "content": content}))

    file = tmp_path / "tt.xlsx"
    await made("centre", "-p", "01", "--period", "2025", "-o", str(file))
    assert column(file, "centre_id") == ["C-1 – TTHTCĐ C-1"]
    later = tmp_path / "tt-2026.xlsx"
    await made("centre", "-p", "01", "--period", "2026", "-o", str(later))
    assert column(later, "centre_id") == ["C-1 – TTHTCĐ C-1", "C-2 – TTHTCĐ C-2"]
    assert column(later, f"before.{criteria[0].id}.points") == [9.5, None]

    support = tmp_path / "support.xlsx"
    await made("support", "-p", "01", "-o", str(support))
    listed = [cell.value for cell in openpyxl.load_workbook(support)["Danh mục"]["A"][1:]]
    assert listed == [f"{id} – TTHTCĐ {id}" for id in ("C-1", "C-2", "C-3")], "a closed one may have had support"
    assert column(support, "centre_id") == []


@pytest.mark.parametrize(
    ("series", "first"),
    [
        ("universal_education", "00004 – Phường Ba Đình"),
        ("learning_models", "00004 – Phường Ba Đình"),
        ("province", "01 – Thành phố Hà Nội"),
        ("learning_unit", "TRUONG-1"),
        ("workers_learning", "01 – Thành phố Hà Nội"),
        ("reading_culture", "01 – Thành phố Hà Nội"),
        ("lifelong_week", "01 – Thành phố Hà Nội"),
        ("streaming", "01 – Thành phố Hà Nội"),
        ("vocational_centre", "GDTX-1"),
        ("centre_merger", "SN-1"),
    ],
)
async def test_every_series_has_its_own_subjects(bench: Bench, tmp_path: Path, series: str, first: str) -> None:
    await filed(bench, "assessment", assessment("learning_unit", "TRUONG-1", 2025))
    await filed(bench, "assessment", assessment("vocational_centre", "GDTX-1", 2025))
    await filed(bench, "assessment", assessment("centre_merger", "SN-1", 2025))
    file = tmp_path / "one.xlsx"
    await made("assessment", "--series", series, "-p", "01", "--period", "2026", "-o", str(file))
    assert column(file, "subject")[0] == first
    sheet, _ = read(file)
    assert sheet.counts["blank"] == len(column(file, "subject"))


async def test_districts_are_those_of_the_day(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "one.xlsx"
    await made("assessment", "--series", "district", "-p", "01", "--period", "2024", "-o", str(file))
    assert "001 – Quận Ba Đình" in column(file, "subject")


@pytest.mark.parametrize(
    "error", [NotRunning(), NoLogin("No token."), NoAnswer("intake does not answer"), Refused("You may not.")]
)
async def test_where_nobody_can_be_asked_the_form_is_made_and_says_what_is_missing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(Client, "get", Mock(side_effect=error))
    file = tmp_path / "xa.xlsx"
    result = await made("commune", "-p", "01", "--period", "2026", "-o", str(file))
    assert len(column(file, "unit_code")) == len(registry().units(cut_off(2026), "01"))
    said = " ".join(result.output.split())
    assert "Thiếu số liệu năm 2025" in said
    assert str(error).split("\n")[0][:20] in said

    result = await made("centre", "-p", "01", "-o", str(tmp_path / "tt.xlsx"))
    assert "Without the province's centres" in " ".join(result.output.split())
    by_hand = tmp_path / "centres.csv"
    by_hand.write_text("id,name\nTT-9,Trung tâm 9\n", encoding="utf-8")
    await made("centre", "-p", "01", "--centres", str(by_hand), "-o", str(tmp_path / "hand.xlsx"))
    assert column(tmp_path / "hand.xlsx", "centre_id") == ["TT-9 – Trung tâm 9"]
    assert "Without" not in (await made("envelope", "-p", "01", "-o", str(tmp_path / "e.xlsx"))).output


async def test_what_is_empty_and_what_is_under_another_rule_is_said(bench: Bench, tmp_path: Path) -> None:
    result = await made("centre", "-p", "01", "--period", "2026", "-o", str(tmp_path / "a.xlsx"))
    said = " ".join(result.output.split())
    assert "The province has registered no centre" in said
    assert "Nothing is accepted of 2025" in said

    old = {"scoring": "points", "points": {"TC1": {"points": "1"}}}
    await filed(bench, "commune", commune(period=2023, rubric="lc_commune_44_2014", content=old))
    result = await made("commune", "-p", "01", "--period", "2024", "-o", str(tmp_path / "b.xlsx"))
    assert "Figures of 2023 under lc_commune_44_2014 cannot stand beside" in " ".join(result.output.split())
    _, places = page(tmp_path / "b.xlsx")
    assert not any(id.startswith("before.") for id in places)


# ------------------------------------------------------------------------------------------------------ the list


async def test_the_list_of_facts_is_of_one_kind_and_province_without_what_was_taken_back(bench: Bench) -> None:
    await centres(bench)

    async def ids(role: Any, own: str | None, **query: Any) -> list[str]:
        async with bench.http(role, own) as client:
            found, after = [], None
            while True:
                query |= {"kind": "registration", "limit": 2} | ({"after": after} if after else {})
                answer = await client.get("/accepted", params=query)
                assert answer.status_code == 200, answer.text
                found += [one["centre_id"] for one in answer.json()["items"]]
                if (after := answer.json()["next"]) is None:
                    return found

    assert await ids("province", "01") == ["C-1", "C-2", "C-3"]
    assert await ids("ministry", None) == ["C-1", "C-2", "C-3", "C-5"]
    assert await ids("ministry", None, province="04") == ["C-5"]
    async with bench.http("province", "04") as client:
        answer = await client.get("/accepted", params={"kind": "registration", "province": "01"})
    assert answer.status_code == 403


@pytest.mark.parametrize("query", [{"province": "04"}, {"from": "2026-02-01", "until": "2026-01-01"}])
async def test_a_refusal_of_the_service_is_told_in_both_languages(bench: Bench, query: dict[str, str]) -> None:
    def ask() -> str:
        with pytest.raises(Refused) as refused:
            Client().get("intake", "/receipts", dict[str, Any], **query)
        return str(refused.value)

    *said, mend = (await asyncio.to_thread(ask)).split("\n")
    assert all(" / " in line for line in (*said, mend))
    assert mend.startswith("  → ")
    assert ("from" in query) == ("Cần: " in said[-1] and "Expected: " in said[-1])
