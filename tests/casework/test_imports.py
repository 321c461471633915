"""What was imported ends, on all four services, as the same records sent by their provinces: the same results, hashes,
ranks, amounts and alerts. Only the mark differs, and it is all that differs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from deploy.local.identity import ensure_signing_key
from tests.casework.case import SHIPPED, Case, Step, load
from tests.casework.end_state import end_state, unlike
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import plays_of

CASES = [case for case in load([SHIPPED / "history.yaml"]) if case.case != "import-after-closing"]
"""What is closed only the ministry can hand in."""
MARK = re.compile(r" \((Bộ nhập, đợt|imported by the ministry,) [0-9a-f]{16}\)")
STEPS = ("Do Bộ nhập từ hồ sơ lịch sử", "Imported by the ministry from history")


@pytest.mark.parametrize("case", CASES, ids=[case.case for case in CASES])
async def test_an_import_ends_as_the_provinces_own_sending(case: Case, tmp_path: Path) -> None:
    ensure_signing_key(tmp_path)
    imported, sent = await _ending(case, tmp_path), await _ending(_sent(case), tmp_path)
    assert unlike(_unmarked(imported), _unmarked(sent)) == []
    assert _unmarked(sent) == _unmarked(sent, marks=False), "what was sent bears no mark"


async def test_the_mark_is_there_and_on_nothing_else(tmp_path: Path) -> None:
    ensure_signing_key(tmp_path)
    told = await _ending(next(case for case in CASES if case.case == "first-year-of-a-province"), tmp_path)
    marked = {about for about, value in told.items() if _unmarked(value) != _unmarked(value, marks=False)}
    assert {about.split(" ", 1)[1] for about in marked} == {
        "('24184@2025-07', 2025)", "('NHAP-A', 2026)", "('66', 2026)",
    }  # fmt: skip


def _sent(case: Case) -> Case:
    """The same, each import sent by its provinces: registrations first, as a province would."""
    return case.model_copy(update={"given": [_as_sent(step) for step in case.given if not step.refused]})


def _as_sent(step: Step) -> Step:
    records = sorted(step.imported, key=lambda record: record.kind != "registration")
    return step.model_copy(update={"imported": [], "send": [*step.send, *records]})


async def _ending(case: Case, folder: Path) -> dict[str, Any]:
    world = await MemoryWorld(folder).begin()
    await perform(world, plays_of(case)[:1])
    return end_state(await world.events())


def _unmarked(value: Any, *, marks: bool = True) -> Any:
    """Without the mark, and without when its records came. `marks=False`: without the latter alone."""
    match value:
        case dict():
            left_out = {"received_at", "imported"} if marks else {"received_at"}
            return {name: _unmarked(each, marks=marks) for name, each in value.items() if name not in left_out}
        case list():
            return [_unmarked(each, marks=marks) for each in value if not (marks and _is_mark(each))]
        case str() if marks:
            return MARK.sub("", value)
        case _:
            return value


def _is_mark(value: Any) -> bool:
    return value == "imported" or (isinstance(value, dict) and str(value.get("what", "")).startswith(STEPS))
