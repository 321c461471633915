"""What a province owes for a period: each subject counted once, by what came of it; missing is not zero, and neither is
what nobody expects."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from cli.main import app as langhoc
from deploy.local.identity import Role
from shared.contracts.base import Status
from shared.contracts.catalogue import EventType
from shared.contracts.series import kind_of
from shared.contracts.submissions import CentreSubmitted, CommuneWithdrawn
from shared.registry import REORGANISATION, registry
from shared.rulebook import closing, cut_off, deadline, rubric_for
from shared.rulebook.rubrics import ruled
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import assessment, commune, registration
from tests.unit.test_receipts import send
from tests.unit.wire import answered_by

DAY = timedelta(days=1)
DUE = deadline(rubric_for("commune", 2025), 2025)
IN_TIME, LATE, SOON = DUE - DAY, DUE + DAY, DUE - 20 * DAY
HERE = [unit.code for unit in registry().units(cut_off(2025), "01")]
OTHER: dict[str, Any] = {"content": {"scoring": "pass_fail", "targets": {"C1.1": {"type": "boolean", "met": False}}}}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Still(LATE + DAY))


async def file(bench: Bench, code: str, at: datetime = IN_TIME, province: str = "01", **changes: Any) -> Status:
    """A commune's file arrives."""
    sent = commune(**{"submission_id": f"{code}/{at:%m-%d}", "unit_code": code} | changes)
    return (await send(bench, EventType.COMMUNE_SUBMITTED, sent, at=at, province=province)).status


async def withdraw(bench: Bench, code: str, version: int, at: datetime) -> Status:
    said = {"submission_id": f"W/{code}/{at:%m-%d}", "unit_code": code, "period": 2025, "reason": "nhầm"}
    data = CommuneWithdrawn(**said, corrects_version=version)
    return (await send(bench, EventType.COMMUNE_WITHDRAWN, data, at=at)).status


async def rows(bench: Bench, role: Role = "ministry", of: str | None = None, **asked: Any) -> list[dict[str, Any]]:
    """What is answered."""
    async with bench.http(role, of) as http:
        answer = await http.get("/completeness", params={"period": 2025} | asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def row(bench: Bench, series: str = "commune", province: str = "01", period: int = 2025) -> dict[str, Any]:
    """What one province owes of a series, without what is 0."""
    (found,) = await rows(bench, province=province, series=series, period=period)
    return {name: value for name, value in found.items() if value or value is None}


async def subjects(bench: Bench, state: str, series: str = "commune") -> list[str]:
    async with bench.http() as http:
        answer = await http.get(f"/completeness/{series}/2025/01", params={"state": state})
    assert answer.status_code == 200, answer.text
    return [one["code"] for one in answer.json()]


# ------------------------------------------------------------------------------------------------- counted


async def test_each_subject_counts_once_by_what_came_of_it(bench: Bench) -> None:
    in_time, late, corrected, refused, withdrawn, anew = HERE[:6]
    assert await file(bench, in_time) is Status.ACCEPTED
    assert await file(bench, late, LATE) is Status.ACCEPTED_LATE
    await file(bench, corrected)
    correction = {"submission_id": "C", "corrects_version": 1, **OTHER}
    assert await file(bench, corrected, LATE, **correction) is Status.ACCEPTED_LATE
    for at in (SOON, IN_TIME, LATE):
        assert await file(bench, refused, at, rubric="lc_commune_44_2014") is Status.REJECTED
    await file(bench, withdrawn)
    await withdraw(bench, withdrawn, 1, LATE)
    await file(bench, anew)
    await withdraw(bench, anew, 1, IN_TIME)
    await file(bench, anew, LATE, corrects_version=2)

    found = await row(bench)
    counted = {"expected", "received", "on_time", "late", "held", "refused", "withdrawn", "awaited", "missing"}
    assert {name: found[name] for name in counted & found.keys()} == {
        "expected": len(HERE), "on_time": 2, "late": 2, "refused": 1, "withdrawn": 1, "missing": len(HERE) - 6,
    }  # fmt: skip
    assert await subjects(bench, "on_time") == [in_time, corrected]
    assert await subjects(bench, "late") == [late, anew], "what was taken back did not come in time any more"
    assert await subjects(bench, "refused") == [refused]
    assert await subjects(bench, "withdrawn") == [withdrawn]
    assert set(await subjects(bench, "missing")) == set(HERE[6:])


async def test_what_is_due_and_what_closes_are_two_days(tmp_path: Path) -> None:
    """Users elsewhere took "closed" for "not on time"."""
    for at, name in ((DUE - DAY, "awaited"), (DUE, "missing"), (closing("commune", 2025).at, "missing")):
        found = await row(Bench(tmp_path, Still(at)))
        assert found[name] == found["expected"] == len(HERE)
        assert datetime.fromisoformat(found["due_at"]) == DUE
        assert datetime.fromisoformat(found["closes_at"]) == closing("commune", 2025).at


async def test_all_that_is_expected_makes_it_complete_and_nothing_else(bench: Bench) -> None:
    for code in HERE[:-1]:
        await file(bench, code)
    assert "complete" not in await row(bench)
    assert await file(bench, HERE[-1], rubric="lc_commune_44_2014") is Status.REJECTED
    assert "complete" not in await row(bench)
    assert await file(bench, HERE[-1], LATE) is Status.ACCEPTED_LATE
    assert (await row(bench))["complete"] is True


async def test_another_provinces_attempt_is_nobodys_file(bench: Bench) -> None:
    assert await file(bench, HERE[0], province="04") is Status.REJECTED
    assert (await row(bench))["missing"] == len(HERE)


async def test_a_file_that_waits_for_the_register_is_of_nobody_who_is_expected(tmp_path: Path) -> None:
    """A code of before July 2025 that the register lacks."""
    bench = Bench(tmp_path, Still(LATE + DAY))
    at = deadline(rubric_for("commune", 2024), 2024) - DAY
    before = (await row(bench, period=2024))["expected"]
    assert await file(bench, "99998", at, period=2024) is Status.HELD
    found = await row(bench, period=2024)
    assert (found["expected"], found["missing"], found.get("held")) == (before, before, None)
    assert found["held_unknown"] == 1, "whether it is expected is known when the register has it"


async def test_before_the_reform_todays_province_owes_for_those_that_became_it(bench: Bench) -> None:
    register, on = registry(), cut_off(2024)
    former = [one for one in register.units(on) if register.speaker(one.province_code, on) == "24"]
    assert {one.province_code for one in former} > {"24"}
    assert (await row(bench, province="24", period=2024))["expected"] == len(former)
    assert (await row(bench, "district", "24", 2024))["expected"] > 0
    assert await rows(bench, series="district") == [], "a level that does not exist owes nothing"
    assert await rows(bench, province="27") == [], "neither does a province that is no more"


async def test_centres_are_those_that_work_on_the_cut_off_date(bench: Bench) -> None:
    lives: dict[str, dict[str, str]] = {
        "works": {},
        "closed": {"closed_on": "2025-12-31"},
        "closes-later": {"closed_on": "2026-01-01"},
        "suspended": {"suspended_on": "2025-11-01"},
        "resumed": {"suspended_on": "2025-03-01", "resumed_on": "2025-12-31"},
        "opens-later": {"opened_on": "2026-01-02"},
    }
    for id, life in lives.items():
        sent = registration(submission_id=f"R/{id}", centre_id=id, **life)
        receipt = await send(bench, EventType.CENTRE_REGISTERED, sent, at=SOON)
        assert receipt.status is Status.ACCEPTED, receipt.problems
    assert await subjects(bench, "awaited", "centre") == ["closes-later", "resumed", "works"]
    for id in ("works", "suspended"):
        content = {"scoring": "points", "points": {"N1": {"points": "1"}}}
        said = {"submission_id": id, "centre_id": id, "period": 2025, "rubric": "clc_2553_2013", "content": content}
        receipt = await send(bench, EventType.CENTRE_SUBMITTED, CentreSubmitted.model_validate(said), at=SOON)
        assert receipt.status is Status.ACCEPTED, receipt.problems
    found = await row(bench, "centre")
    assert (found["expected"], found["on_time"], found["awaited"], found["unexpected"]) == (3, 1, 2, 1)


async def test_nobody_knows_how_many_learning_units_there_are(bench: Bench) -> None:
    assert await rows(bench, series="learning_unit") == []
    for subject, rule in (("TH-1", "lu_unit_24_2023"), ("TH-2", "lu_unit_22_2020")):
        sent = assessment("learning_unit", subject, 2025, rubric=rule)
        await send(bench, EventType.ASSESSMENT_SUBMITTED, sent, at=SOON)
    found = await row(bench, "learning_unit")
    assert (found["late"], found["refused"]) == (1, 1)
    assert [found[name] for name in ("expected", "awaited", "missing", "complete")] == [None] * 4
    assert await subjects(bench, "refused", "learning_unit") == ["TH-2"]


# --------------------------------------------------------------------------------------------- who may see it


async def test_a_province_sees_its_own_and_the_ministry_all(bench: Bench) -> None:
    own = await rows(bench, "province", "01")
    assert {one["province"] for one in own} == {"01"}
    assert {one["series"] for one in own} == {one for one in ruled() if kind_of(one) in ("commune", "province")}
    all_of_them = await rows(bench, "auditor", series="commune")
    assert [one["province"] for one in all_of_them] == [one.code for one in registry().provinces(REORGANISATION)]
    assert sum(one["expected"] for one in all_of_them) == len(registry().units(cut_off(2025))) == 3_321
    async with bench.http("province", "04") as http:
        for path in ("/completeness?period=2025&province=01", "/completeness/commune/2025/01"):
            assert (await http.get(path)).status_code == 403


async def test_a_nation_is_asked_for_in_a_bounded_number_of_queries(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some per series, not one per commune, and no content of a file is read."""
    asked: list[Any] = []
    find, aggregate = bench.mongo.find, bench.mongo.aggregate

    async def noted_find(collection: str, query: Any, **how: Any) -> Any:
        asked.append((collection, how.get("projection")))
        return await find(collection, query, **how)

    async def noted_aggregate(collection: str, pipeline: Any) -> Any:
        asked.append((collection, None))
        return await aggregate(collection, pipeline)

    monkeypatch.setattr(bench.mongo, "find", noted_find)
    monkeypatch.setattr(bench.mongo, "aggregate", noted_aggregate)
    await rows(bench)
    assert len(asked) < 4 * len(ruled())
    assert all(projection and "accepted" not in projection for name, projection in asked if name == "aggregates")


# ------------------------------------------------------------------------------------------------ the command


async def run(bench: Bench, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    """What the command does."""
    monkeypatch.setenv("COLUMNS", "120")
    answered_by(monkeypatch, intake=bench.http())
    with structlog.testing.capture_logs():
        return await asyncio.to_thread(CliRunner().invoke, langhoc, ["completeness", "--period", "2025", *arguments])


async def test_the_command_shows_it_in_both_languages(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await file(bench, HERE[0])
    shown = (await run(bench, monkeypatch, "--province", "01", "--series", "commune")).output
    assert "Đánh giá cộng đồng học tập cấp xã 2025 · hạn nộp 28/02/2026, khóa sổ 31/12/2026" in shown, shown
    assert all(word in shown for word in ("Phải nộp", "Đúng hạn", "Thiếu", f" {len(HERE)} ", f" {len(HERE) - 1} "))
    english = (await run(bench, monkeypatch, "--province", "01", "--lang", "en")).output
    assert "Assessments of communes 2025 · due 2026-02-28, closes 2026-12-31" in english
    listed = (await run(bench, monkeypatch, "-p", "01", "--series", "commune", "--state", "on_time")).output
    assert HERE[0] in listed
    assert HERE[1] not in listed
    assert "Đúng hạn" in listed
    assert "name both" in (await run(bench, monkeypatch, "--state", "missing")).output
    assert "Không có hồ sơ nào phải nộp." in (await run(bench, monkeypatch, "--series", "district")).output


async def test_programs_read_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads((await run(bench, monkeypatch, "--series", "commune", "--format", "json")).output)
    lines = (await run(bench, monkeypatch, "--series", "commune", "--format", "csv")).output.lstrip("\ufeff")
    read = list(csv.DictReader(io.StringIO(lines)))
    assert len(read) == len(told) == 34
    assert [int(one["missing"]) for one in read] == [one["missing"] for one in told]
    assert read[0]["due_at"].startswith("2026-03-01T00:00")
