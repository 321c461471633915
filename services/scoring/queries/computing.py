"""What is computed over sets, by scope: which documents it reads. The decisions are the handlers'."""

from __future__ import annotations

from datetime import datetime

from services.scoring.decisions import areas, recomputes
from services.scoring.decisions.documents import (
    AREAS,
    RECOGNITIONS,
    RESULTS,
    Inputs,
    area_ref,
    assessment_ref,
    commune_refs,
    recompute_ref,
)
from services.scoring.decisions.recomputes import CHECK, RESCORE
from services.scoring.decisions.results import Judging, reference_in, refs_of
from services.scoring.queries import rankings
from shared.messaging.collections import RECALCULATIONS
from shared.messaging.decide.handling import Outcome, Ref
from shared.messaging.decide.reader import Reader
from shared.messaging.decide.register import read_register

UNCHANGED = "unchanged"


async def compute(reader: Reader, scope: str, period: int, now: datetime) -> Outcome:
    """Compute one scope anew: `assessment-<series>-<code>`, `references-<unit id>`, `rescore/<result id>`,
    `recompute/<order id>`; every other is a ranking's."""
    if scope.startswith(RESCORE):
        return await _rescore(reader, scope.removeprefix(RESCORE), now)
    if scope.startswith(CHECK):
        return await _check(reader, scope.removeprefix(CHECK), period, now)
    name, _, rest = scope.partition("-")
    if name == "assessment":
        series, _, code = rest.partition("-")
        return await _area(reader, series, code, period)
    if name == "references":
        return await _references(reader, rest, period)
    return await rankings.compute(reader, scope, period, now)


async def _rescore(reader: Reader, result_id: str, now: datetime) -> Outcome:
    """Judge one kept result again, on the inputs that are kept with it."""
    stored = await reader.get(Ref(RESULTS, result_id))
    if stored is None:
        return Outcome(verdict=UNCHANGED)
    inputs = Inputs.of(stored)
    await reader.load(refs_of(inputs.accepted, await read_register(reader)))
    outcome = Outcome(verdict=UNCHANGED)
    Judging(reader, outcome, "recompute", stored["traceparent"], stored["traceparent"], now.isoformat()).judge(inputs)
    if outcome.events:
        outcome.verdict = "rescored"
    return outcome


async def _references(reader: Reader, unit_id: str, period: int) -> Outcome:
    """Collect what other results say of a commune from these results themselves."""
    await reader.load(commune_refs(unit_id, period, await read_register(reader)))
    found = await reader.look(RESULTS, {"feeds": unit_id, "period": period}, {"kind": 1, "result": 1})
    judging = Judging(reader, Outcome(), "reference", None)
    judging.refer(unit_id, period, filter(None, map(reference_in, found)))
    return judging.outcome


async def _area(reader: Reader, series: str, code: str, period: int) -> Outcome:
    """Judge a district or province on what is recognised within it now."""
    filed = await reader.get(area_ref(series, code, period))
    if filed is None:
        return Outcome(verdict=UNCHANGED)
    await reader.get(assessment_ref(series, code, period))
    register = await read_register(reader)
    districts = areas.districts_of(code, period, register) if series == "province" else []
    if districts:
        ids = [assessment_ref("district", each, period).id for each in districts]
        kept = await reader.look(RESULTS, {"_id": {"$in": ids}}, {"result.level": 1})
        counts = areas.districts_reached(districts, period, {row["_id"]: row for row in kept})
    else:
        units = areas.communes_of(series, code, period, register)
        ids = [id for unit in units for id in register.lineage(unit.unit_id)]
        kept = await reader.look(RECOGNITIONS, {"_id": {"$in": ids}}, {"items": 1})
        counts = areas.communes_recognised(units, period, {row["_id"]: row for row in kept}, register)
    return areas.judge_area(reader, filed, counts)


async def _check(reader: Reader, order_id: str, period: int, now: datetime) -> Outcome:
    """After the last result of an order: does everything still add up?"""
    order = await reader.get(recompute_ref(order_id))
    assert order is not None, "an order is written with the request for its check"
    open_requests = await reader.look(RECALCULATIONS, {"period": period}, {"scope": 1})
    if any(row["scope"].startswith((RESCORE, "assessment-")) for row in open_requests):
        return recomputes.later(order, period, now)
    audit = recomputes.Audit(order)
    provinces = [each.code for each in (await read_register(reader)).provinces(now.date())]
    for province in [order["province"]] if order["province"] else provinces:  # one after the other: flat memory
        query = {"period": period, "accepted.province": province}
        for row in await reader.look(RESULTS, query, recomputes.AUDITED):
            audit.result(row)
        for row in await reader.look(AREAS, query, {"series": 1}):
            audit.area(row)
    return audit.outcome(now)
