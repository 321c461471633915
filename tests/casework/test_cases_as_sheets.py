"""The field cases once more, their files handed in as sheets: what must come of them is the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from deploy.local.identity import ensure_signing_key
from shared.contracts.catalogue import CONTRACTS, EventType
from tests.casework.case import SHIPPED, USUAL, Case, Step, load
from tests.casework.in_memory import MemoryWorld
from tests.casework.playing import perform
from tests.casework.plays import plays_of, verdict
from tests.casework.records import Record
from tests.sheet_makers import by_sheet, without_nothing

CASES = load([SHIPPED / "field"])
LEAST = 80
"""Records of the field cases that sheets can say, at the least; the others have unknown fields, or no form."""


def handed_in(case: Case, step: Step, record: Record, folder: Path, came: Counter[str], refused: set[str]) -> Record:
    """The record with the body that its sheet makes of it, under its own id; as it was where no sheet says the same."""
    known = record.type_ in CONTRACTS and CONTRACTS[record.type_].family == "submissions"
    if record.text is not None or not known:
        came["no sheet"] += 1
        return record
    body, sender = record.body(), case.sender(step, record) or ""
    today = (step.at or USUAL).date()
    row = by_sheet(record.type_, body, folder / "one.xlsx", sender, today)
    if row is None:
        came["no sheet"] += 1
        return record
    if row.data is None:
        came["refused"] += 1
        refused.add(str(body.get("submission_id")))
        return record
    read = {**row.data, "submission_id": body.get("submission_id")}
    if row.warnings or without_nothing(read) != without_nothing(body):
        came["read as something else"] += 1  # a name is its code, 75.000.000 is a number: on a sheet, and only there
        return record
    came["as a sheet"] += 1
    said = {"type": record.type_, "data": read}
    kept = {"id": record.label, "province": record.province, "key": record.key, "headers": record.headers}
    return Record.model_validate({**said, **kept})


def as_sheets(case: Case, folder: Path, came: Counter[str], refused: set[str]) -> Case:
    """The case with all its records as sheets."""
    steps = [
        step.model_copy(update={"send": [handed_in(case, step, record, folder, came, refused) for record in step.send]})
        for step in case.given
    ]
    return case.model_copy(update={"given": steps})


@pytest.mark.parametrize("case", CASES, ids=[case.case for case in CASES])
async def test_a_field_case_comes_to_the_same_by_sheets(case: Case, tmp_path: Path) -> None:
    ensure_signing_key(tmp_path)
    refused: set[str] = set()
    same = as_sheets(case, tmp_path, Counter(), refused)
    plays = plays_of(same)[:1]
    world = await MemoryWorld(tmp_path).begin()
    await perform(world, plays)
    assert verdict(same, plays) == []
    receipts = [event.data for event in await world.events() if event.type == EventType.RECEIPT_ISSUED]
    became = {(one["submission_id"], one["status"]) for one in receipts if one["submission_id"] in refused}
    assert became == {(id, "rejected") for id in refused}, "what a sheet refuses, the judge would refuse"


def test_most_of_their_files_can_be_handed_in_as_sheets(tmp_path: Path) -> None:
    came: Counter[str] = Counter()
    for case in CASES:
        as_sheets(case, tmp_path, came, set())
    assert came["as a sheet"] >= LEAST, came
