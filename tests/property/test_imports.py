"""An import is a function of its records: whatever files, order or repeats they came in, the digest is the same; what a
trial told of each is what becomes of it; and what is accepted is what the provinces' own sending would have led to, but
for the mark."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli import importing
from cli.importing import Import, Record, in_order, named, parts_of, trials_of
from services.intake.api.history import read_one
from services.intake.decisions import history, imports
from shared.contracts.base import Status
from shared.contracts.catalogue import CONTRACTS, EventType
from shared.contracts.imports import HistorySigning
from shared.contracts.orders import HistoricSubmission
from shared.rulebook import HANOI
from tests.unit.intake_bench import Bench, Still
from tests.unit.intake_samples import registration

NOW = Still(datetime(2026, 2, 20, 10, tzinfo=HANOI))
"""Nothing of these years is closed to their senders yet: so both ways are open."""
CENTRES = ("C-1", "C-2", "C-3", "C-4")
UNTOLD = ("receipt_id", "received_at", "under", "late")
"""What tells two ways apart that led to the same."""


def _registered(centre: str, predecessors: list[str], **changes: Any) -> HistoricSubmission:
    data = registration(**{"submission_id": f"R-{centre}", "centre_id": centre, "predecessors": predecessors} | changes)
    return HistoricSubmission(type=EventType.CENTRE_REGISTERED, province="01", data=data.model_dump(mode="json"))


@st.composite
def _records(draw: st.DrawFn) -> list[HistoricSubmission]:
    """Centres that came from others, money of them and of one that nobody registers, decisions; some corrected."""
    found = []
    for place, centre in enumerate(CENTRES):
        if draw(st.booleans()):
            found.append(
                _registered(centre, draw(st.lists(st.sampled_from(CENTRES[:place]), unique=True)) if place else [])
            )
    for centre, year in draw(st.lists(st.tuples(st.sampled_from(CENTRES), st.integers(2023, 2025)), max_size=6)):
        data: dict[str, Any] = {"centre_id": centre, "year": year, "amount": draw(st.integers(1, 3)) * 10_000_000}
        if draw(st.booleans()):
            data |= {"corrects_version": draw(st.integers(1, 2)), "reason": "nhập sai"}
        found.append(HistoricSubmission(type=EventType.SUPPORT_SUBMITTED, province="01", data=data))
    for code in draw(st.lists(st.sampled_from(("00004", "00008", "99999")), max_size=3)):
        data = {"unit_code": code, "period": 2024, "level": draw(st.integers(1, 2)), "decision_number": "1/QĐ"}
        data |= {"decided_on": "2025-02-01", "decided_by": "UBND"}
        found.append(HistoricSubmission(type=EventType.RECOGNITION_SUBMITTED, province="01", data=data))
    return found


def _as_found(submissions: list[HistoricSubmission]) -> list[Record]:
    return [Record(named(one), "file", f"record {place}") for place, one in enumerate(submissions, start=1)]


@given(_records(), st.randoms(use_true_random=False))
def test_of_the_same_records_the_digest_is_the_same(found: list[HistoricSubmission], chance: random.Random) -> None:
    mixed = [*found, *chance.choices(found, k=2)] if found else []
    chance.shuffle(mixed)
    mixed = [one.model_copy(update={"data": dict(reversed(one.data.items()))}) for one in mixed]
    one, other = (Import.of(in_order(_as_found(each))[0]) for each in (found, mixed))
    assert one == other
    assert sum(map(len, one.parts)) == sum(each.records for each in one.tally)


@given(_records(), st.integers(1, 4))
def test_parts_hold_everything_once_in_order_and_trials_what_decides_it(
    found: list[HistoricSubmission], most: int
) -> None:
    taken, refused = in_order(_as_found(found))
    assert {one.canonical for one in (*taken, *refused)} == {one.canonical for one in _as_found(found)}
    with mock.patch.object(importing, "MOST_SUBMISSIONS", most):
        parts, trials = parts_of(taken), list(trials_of(taken))
    assert [one for part in parts for one in part] == [one for _, some in trials for one in some] == taken
    assert all(0 < len(part) <= most for part in parts)
    registered = {one.registers for one in taken} - {None}
    for ground, some in trials:
        there = {one.registers for one in (*ground, *some)}
        assert {name for one in (*ground, *some) for name in one.names} & registered <= there


def test_centres_in_a_circle_or_in_an_endless_line_are_put_in_order_too() -> None:
    line = [_registered(f"C-{n}", [f"C-{n - 1}"]) for n in range(2_000)]
    taken, _ = in_order(_as_found([*line, _registered("A", ["B"]), _registered("B", ["A"])]))
    assert len(taken) == 2_002
    assert [one.registers for one in taken[:40] if one.registers not in ("A", "B")] == [f"C-{n}" for n in range(40)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_records(), st.integers(1, 4))
def test_a_trial_tells_what_comes_and_an_import_ends_as_the_provinces_own_sending(
    found: list[HistoricSubmission], most: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(importing, "MOST_SUBMISSIONS", most):
        asyncio.run(_both_ways(found, Path(folder)))


async def _both_ways(found: list[HistoricSubmission], folder: Path) -> None:
    bench, own = Bench(folder / "import", NOW), Bench(folder / "own", NOW)
    everything, _ = in_order(_as_found(found))
    told: list[tuple[Record, Status]] = []
    for ground, some in trials_of(everything):
        tried = imports.Trying(_read(one.submission for one in (*ground, *some)), 0)
        receipts = history.receipts_in(await bench.commands.rehearse("", tried, imports.attempt))
        told += [(one, receipt.status) for one, receipt in zip(some, receipts[len(ground) :], strict=True)]
    kept = [(one, status) for one, status in told if status not in (Status.REJECTED, Status.CONFLICT)]
    if not kept:
        return
    whole = Import.of([one for one, _ in kept])
    parts, tally = [*whole.hashes], [*whole.tally]
    order = HistorySigning(digest=whole.digest, parts=parts, tally=tally, why="năm đầu", decision_number="1")
    signing = imports.Signing(order, "an")
    statuses = []
    await bench.commands.order(signing.id, signing, imports.sign)
    for number, submissions in enumerate(whole.parts, start=1):
        part = imports.Part(order.import_id, number, _read(submissions), parts[number - 1], "an", 0)
        outcome = await bench.commands.order(part.id, part, imports.take_part)
        assert outcome is not None
        statuses += [receipt.status for receipt in history.receipts_in(outcome)]
        assert await bench.commands.order(part.id, part, imports.take_part) is None
    assert statuses == [status for _, status in kept]
    for one in everything:  # what the import left out is sent too, and refused
        claim: Any = CONTRACTS[EventType(one.submission.type)].model
        await own.receive(one.submission.type, claim.model_validate(one.submission.data))
    assert _state(bench) == _state(own)


def _read(submissions: Iterable[HistoricSubmission]) -> list[history.Read]:
    read = [read_one(one) for one in submissions]
    return [one for one in read if isinstance(one, history.Read)]


def _state(bench: Bench) -> dict[str, Any]:
    """What is accepted, by its aggregate."""
    return {
        id: {name: said for name, said in row["accepted"].items() if name not in UNTOLD}
        for id, row in bench.mongo.rows("aggregates").items()
    }
