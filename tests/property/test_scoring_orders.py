"""The same accepted facts end in the same results, whatever came first: files and corrections, decisions, revocations,
withdrawals, corrections of the register. Recalculations fall anywhere in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.decisions.areas import communes_of
from shared.registry import registry
from tests.unit.register_samples import fact, split, ward_made
from tests.unit.scoring_assessments import area_targets, assessment, standards
from tests.unit.scoring_bench import Bench
from tests.unit.scoring_samples import centre, commune, points, recognition, revocation, targets, withdrawn

OLD, WARD, EAST = "00454@2025-07", "00454@2026-05-01", "00004@2026-05-01"
DISTRICT, INSIDE = "001", communes_of("district", "001", 2024, registry())


def _recognised(series: str, id: str, **changed: Any) -> Any:
    return recognition(**{"series": series, "unit_id": id, "code": id[:5], "period": 2024} | changed)


def _of(series: str, id: str, rubric: str, content: Any, **changed: Any) -> Any:
    return assessment(series, id, rubric, content, **{"period": 2024, "name": id} | changed)


FIRST = {
    "ward": commune(targets(), unit_id=WARD, code="00454", period=2026),
    "east": commune(targets(), unit_id=EAST, period=2026),
    "inside": commune(targets(1), unit_id=INSIDE[0].unit_id, code=INSIDE[0].code, period=2024),
    "education": _of("universal_education", INSIDE[0].unit_id, "pcgd_xmc_20_2014", standards()),
    "centre": centre(points("clc_2553_2013"), unit_id=INSIDE[0].unit_id, commune_code=INSIDE[0].code, period=2024),
    "district": _of("district", DISTRICT, "lc_district_25_2023", area_targets("lc_district_25_2023")),
    "province": _of("province", "01", "lc_province_25_2023", area_targets("lc_province_25_2023")),
    "of old": _recognised("commune", OLD, period=2025),
    "of whole": _recognised("commune", "00004@2025-07", period=2025),
    "of inside": _recognised("commune", INSIDE[0].unit_id, level=2),
    "of standard": _recognised("universal_education", INSIDE[0].unit_id, standard="primary", level=1),
    "of district": _recognised("district", DISTRICT),
    "of the year before": _recognised("district", DISTRICT, period=2023),
    "of province": _recognised("province", "01", period=2023),
    "of centre": _recognised("centre", "TT/1", level=None, grade="tot"),
}
REGISTER = [fact(1, ward_made()), fact(2, split())]


@st.composite
def lives(draw: st.DrawFn) -> list[Any]:
    """Some facts, each with what may become of it: corrected, revoked, withdrawn, filed anew."""
    known = draw(st.lists(st.sampled_from(sorted(FIRST)), min_size=1, max_size=7, unique=True))
    facts: list[Any] = list(REGISTER) if draw(st.booleans()) else []
    for name in known:
        last = FIRST[name]
        facts.append(last)
        for _ in range(draw(st.integers(0, 2))):
            is_decision = name.startswith("of ")
            became = draw(st.sampled_from(["corrected", "withdrawn", *(["revoked"] if is_decision else [])]))
            version = facts[-1].version + 1
            match became:
                case "withdrawn":
                    facts.append(withdrawn(last, version=version, withdraws=version - 1))
                case "revoked":
                    day = draw(st.sampled_from([date(2024, 12, 31), date(2025, 1, 1), date(2026, 12, 31)]))
                    facts.append(last.model_copy(update={"version": version, "revocation": revocation(day)}))
                case _:
                    facts.append(last.model_copy(update={"version": version}))
    return facts


async def _end(facts: Sequence[Any], settled: Sequence[bool]) -> dict[str, Any]:
    """What every result says at the end, and what it was made from."""
    bench = await Bench().start()
    for each, rest in zip(facts, settled, strict=True):
        await bench.accept(each)
        if rest:
            await bench.settle()
    await bench.settle()
    rows = bench.documents("results")
    told = ("state", "level", "hash", "input_version", "received_at", "explanation", "recognition", "next_step")
    explained = {id: bench.result(id) for id in rows}
    said = {id: {name: result[name] for name in told} for id, result in explained.items()}
    return {id: one | {"inputs": _unversioned(rows[id]["inputs"])} for id, one in said.items()}


def _unversioned(inputs: dict[str, Any]) -> dict[str, Any]:
    """How often a result was judged depends on the order; what it came to does not."""
    return inputs | {"references": [{**each, "version": 0} for each in inputs["references"]]}


@settings(max_examples=60)
@given(lives(), st.data())
def test_the_end_is_the_same_in_any_order(facts: list[Any], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(facts))
    rests = data.draw(st.lists(st.booleans(), min_size=len(facts), max_size=len(facts)))
    as_they_came = asyncio.run(_end(facts, [False] * len(facts)))
    assert asyncio.run(_end(shuffled, rests)) == as_they_came
