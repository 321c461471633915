"""The door of spreadsheets: a record that is filled into a form gets the receipt that it gets as a record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.local.identity import ensure_signing_key
from shared.cloudevents import BATCH
from shared.contracts.base import Status
from shared.sheets import kinds
from tests.sheet_makers import by_sheet, without_nothing
from tests.unit.intake_bench import Bench
from tests.unit.test_door import EXAMPLE_FILES, Now

AMONG = {
    str: ("00004", "99999", "04", "Xã Không Có", "TT-1", "x", "2025-02-30", "2025-12-31"),
    int: (0, 1, 2, 2013, 2025, 2026, 10**10),
    bool: (True, False),
}
"""What may stand instead of a value, where its cell has room for it."""
NUMBERS = ("0", "7.25", "9.5", "1000000")
"""Instead of a number that contracts have as a text."""


def leaves(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where values stand in a body."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    else:
        yield path


def changed(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put a value there, or take out what stands there."""
    *outer, last = path
    for key in outer:
        data = data[key]
    if value is None:
        del data[last]
    else:
        data[last] = value


def at(data: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


@st.composite
def records(draw: st.DrawFn, type_: str) -> dict[str, Any]:
    """The example of a type, with some values otherwise or left out."""
    data: dict[str, Any] = json.loads(json.dumps(EXAMPLE_FILES[type_]["data"]))
    places = [path for path in leaves(data) if path != ("submission_id",) and path[-1] not in ("type", "scoring")]
    for path in draw(st.lists(st.sampled_from(places), max_size=2, unique=True)):
        value = at(data, path)
        instead = NUMBERS if path[-1] in ("points", "previous", "current") else AMONG.get(type(value), ())
        changed(data, path, draw(st.sampled_from((None, *instead))))
    return data


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("keys")
    ensure_signing_key(folder)
    return Bench(folder, Now())


async def verdict(bench: Bench, type_: str, data: Any) -> dict[str, Any]:
    """What the receipt would say, but for the hash of its bytes; nothing is written."""
    event = {"specversion": "1.0", "id": "e", "source": "/portal/04", "type": type_, "data": data}
    async with bench.http("province", "04") as client:
        headers = {"Content-Type": BATCH}
        answer = await client.post("/v1/batches?dry_run=true", content=json.dumps([event]), headers=headers)
    return {**answer.json()["items"][0]["verdict"], "body_hash": ""}


@pytest.mark.parametrize("kind", kinds())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.data(), suffix=st.sampled_from([".xlsx", ".csv"]))
async def test_a_record_has_the_same_receipt_by_a_sheet(
    bench: Bench, tmp_path: Path, kind: str, suffix: str, drawn: st.DataObject
) -> None:
    type_, _ = kinds()[kind]
    data = drawn.draw(records(type_))
    row = by_sheet(type_, data, tmp_path / f"one{suffix}", "04", bench.runtime.clock.now().date())
    if row is None:
        return
    if row.data is None:
        judged = await verdict(bench, type_, data)
        assert judged["status"] == Status.REJECTED, (row.problems, "what a sheet refuses, the judge refuses")
        return
    read = {**row.data, "submission_id": data["submission_id"]}
    if row.warnings:  # a name is its code: on a sheet, and only there
        return
    assert without_nothing(read) == without_nothing(data)
    assert await verdict(bench, type_, read) == await verdict(bench, type_, data)


@pytest.mark.parametrize("kind", kinds())
async def test_the_example_of_each_kind_can_be_handed_in_as_a_sheet(bench: Bench, tmp_path: Path, kind: str) -> None:
    type_, _ = kinds()[kind]
    data = EXAMPLE_FILES[type_]["data"]
    row = by_sheet(type_, data, tmp_path / "one.xlsx", "04", bench.runtime.clock.now().date())
    assert row is not None
    assert row.data is not None, row.problems
    said = {**row.data, "submission_id": data["submission_id"]}
    assert await verdict(bench, type_, said) == await verdict(bench, type_, data)
