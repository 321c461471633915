"""What centres report of their activity stands beside their support; no amount and no finding depends on it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from services.funding import queries
from services.funding.domain import View
from shared.contracts.facts import AssessmentScored
from shared.contracts.submissions import TargetsContent
from tests.unit.funding_bench import NOW, Bench, registration, score, support

MONTHS = {f"T{number:02}": number > 2 for number in range(1, 13)}
SENT: dict[str, Any] = {"LH1": {"type": "count", "count": 68}, "HV1": {"type": "count", "count": 6_850}}
WHOLE = SENT | {"HD1": {"type": "parts", "parts": MONTHS}}


def report(version: int, period: int = 2025, rubric: str = "centre_activity_2013", **targets: Any) -> AssessmentScored:
    """A result of a report on the year of c-1; without targets, of one that was withdrawn."""
    about: dict[str, Any] = {"version": version, "input_version": version, "period": period, "criteria": {}}
    head: dict[str, Any] = {"rubric": rubric, "state": "scored", "level": None, "missing": [], "provenance": "found"}
    who = {"series": "centre_activity", "subject_id": "c-1", "name": "c-1", "holder": "04", "province": "04"}
    content = TargetsContent.model_validate({"targets": targets}) if targets else None
    return AssessmentScored(**about, **head, **who, received_at=NOW, content=content)


async def viewed(bench: Bench) -> View:
    (view,) = await queries.sustainability(bench.mongo, "04", 2024, 2025)
    return view


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))], ids=str)
async def test_the_newest_report_of_each_year_stands_beside_support(tmp_path: Path, order: tuple[int, ...]) -> None:
    bench = Bench(tmp_path)
    await bench.tell(registration("c-1"), support("c-1", 22_000_000), score("c-1", "kha", period=2024))
    before = await viewed(bench)
    assert before.worked == {}
    reports = [report(1, LH1={"type": "count", "count": 1}), report(2, **WHOLE), report(1, 2024, **SENT)]
    for one in order:
        await bench.tell(reports[one])
    after = await viewed(bench)
    assert {year: one.model_dump() for year, one in after.worked.items()} == {
        2024: {"classes": 68, "attendances": 6_850, "active_months": None},
        2025: {"classes": 68, "attendances": 6_850, "active_months": 10},
    }
    assert (after.years, after.finding, after.median) == (before.years, before.finding, before.median)


async def test_what_was_withdrawn_is_unknown_and_other_reports_are_no_activity(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.tell(registration("c-1"), report(1, **WHOLE), report(2))
    assert (await viewed(bench)).worked[2025].model_dump() == {
        "classes": None,
        "attendances": None,
        "active_months": None,
    }
    await bench.tell(report(3, rubric="officials_learning_163_2016", **SENT))
    assert (await viewed(bench)).worked[2025].classes is None
