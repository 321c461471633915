"""Titles by single decisions: in any order, with withdrawals between, the shares end alike, as a walk by day has it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.decisions import RESULTS
from shared.contracts.facts import AssessmentAccepted, TitleAccepted, Withdrawn
from shared.contracts.submissions import CountedByDecision, TargetsContent
from tests.unit.scoring_bench import NOW, Bench

UNITS = ("00004@2025-07", "00008@2025-07", "00025@2025-07")
HOLDERS = ("HO-1", "HO-2", "HO-3")
EXISTING = 9
DAYS = (date(2025, 8, 1), date(2025, 9, 1), date(2025, 12, 31), date(2026, 1, 1))
CUT_OFF = date(2025, 12, 31)
_BASE: dict[str, Any] = {"submission_id": "x", "receipt_id": "r", "province": "01", "received_at": NOW}


def title(unit: str, holder: str, version: int, day: date, number: int, ends: date | None) -> TitleAccepted:
    """A decision as intake tells it."""
    return TitleAccepted(
        **_BASE,
        version=version,
        model="family",
        holder_id=holder,
        unit_id=unit,
        code=unit[:5],
        decision_number=f"{number}/QĐ",
        decided_on=day,
        decided_by="Chủ tịch UBND",
        ends_on=ends if ends and ends > day else None,
    )


def gone(fact: TitleAccepted) -> Withdrawn:
    """That its sender takes it back."""
    return Withdrawn(
        **_BASE | {"version": fact.version + 1, "reason": "gửi nhầm"},
        kind="title",
        subject=f"title/01/family/{fact.holder_id}/{fact.unit_id}",
        period=fact.decided_on.year,
        withdraws=fact.version,
    )


def file(unit: str) -> AssessmentAccepted:
    """A commune's file that says how many families there are."""
    return AssessmentAccepted(
        **_BASE,
        version=1,
        series="learning_models",
        subject_id=unit,
        name="Phường",
        holder="01",
        period=2025,
        rubric="learning_models_387_2022",
        content=TargetsContent(targets={}),
        by_decision={"GD1": CountedByDecision(existing=EXISTING)},
    )


@st.composite
def facts(draw: st.DrawFn) -> list[TitleAccepted | Withdrawn]:
    """Decisions on a few households, some corrected, some withdrawn."""
    found: list[TitleAccepted | Withdrawn] = []
    places = st.tuples(st.sampled_from(UNITS), st.sampled_from(HOLDERS), st.sampled_from((2025, 2026)))
    for unit, holder, year in draw(st.lists(places, unique=True, max_size=8)):
        days = [day for day in DAYS if day.year == year]
        for version in range(1, draw(st.integers(1, 2)) + 1):
            ends = draw(st.sampled_from((None, date(2025, 12, 1), date(2025, 12, 31), date(2026, 2, 1))))
            last = title(unit, holder, version, draw(st.sampled_from(days)), draw(st.integers(1, 3)), ends)
            found.append(last)
        if draw(st.booleans()):
            found.append(gone(last))
    return found


def expected(told: Sequence[TitleAccepted | Withdrawn]) -> dict[str, str | None]:
    """Each commune's share: every household stands, at each day on which something is decided, where that says."""
    last: dict[tuple[str, str, int], TitleAccepted | Withdrawn] = {}
    sent = set()
    for one in told:
        if isinstance(one, TitleAccepted):
            place = (one.holder_id, one.unit_id, one.decided_on.year)
        else:
            _, _, _, holder, unit = one.subject.split("/")
            assert one.period is not None
            place = (holder, unit, one.period)
        if place not in last or one.version > last[place].version:
            last[place] = one
    where: dict[str, TitleAccepted] = {}
    standing = [one for one in last.values() if isinstance(one, TitleAccepted) and one.decided_on <= CUT_OFF]
    for one in sorted(standing, key=lambda each: (each.decided_on, each.decision_number, each.unit_id)):
        where[one.holder_id] = one
        sent.add(one.unit_id)
    held = dict.fromkeys(sent, 0)
    for one in where.values():
        held[one.unit_id] += one.ends_on is None or one.ends_on > CUT_OFF
    return {unit: f"{held[unit]}/{EXISTING}" if unit in held else None for unit in UNITS}


async def shares(order: Sequence[Any], settled: Sequence[bool]) -> dict[str, str | None]:
    """What came of the facts in this order; sets are computed after some of them, and at the end."""
    bench = await Bench().start()
    for fact, now in zip(order, settled, strict=True):
        await bench.accept(fact)
        if now:
            await bench.settle()
    await bench.settle()
    found = {unit: RESULTS.read(bench.mongo.rows("results")[f"learning_models@{unit}/2025"]) for unit in UNITS}
    return {unit: getattr(row.result, "shares", {}).get("learning_families") for unit, row in found.items()}


@given(st.data())
def test_any_order_ends_in_the_same_shares(data: st.DataObject) -> None:
    told = data.draw(facts())
    everything = [*map(file, UNITS), *told]
    order = data.draw(st.permutations(everything))
    settled = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    assert asyncio.run(shares(order, settled)) == expected(told)
