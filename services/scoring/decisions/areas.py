"""Districts and provinces: results over a set, because target 4.1 counts what is recognised within them.

A district counts the decisions in force for its communes. A province counts districts: no decision on a district is
recorded by the platform, so their computed levels stand in, and the rubric says on which provisional ground. Since
there are no districts any more, a province's share cannot be computed; its communes are counted for information.
What lies within an area is what the register says of the cut-off date.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import AliasPath, Field, TypeAdapter

from services.scoring.decisions.documents import (
    AREAS,
    RECOGNITIONS,
    RESULTS,
    Inputs,
    Recognitions,
    Result,
    area_ref,
    assessment_ref,
    in_time,
)
from services.scoring.decisions.results import UNCHANGED, Cause, Judging
from services.scoring.domain import RecognisedCounts, recognition_beside
from shared.contracts.base import Contract
from shared.messaging.decide.asking import Ask, Due, Look, Outcome
from shared.messaging.decide.register import REGISTERS, register_now
from shared.messaging.decide.sets import SetOf, Source, each
from shared.registry import Registry, Unit
from shared.rulebook import cut_off, rubric_for

AREA_SERIES = ("district", "province")
"""Assessments that count what lies within an area, so that they are results over sets."""


class AreaYear(NamedTuple):
    """A district or province in one period."""

    series: str
    code: str
    period: int


def areas_around(unit_id: str, register: Registry) -> tuple[tuple[str, str], ...]:
    """The areas that count a commune, or a unit that is the same one, by series and code."""
    units = filter(None, map(register.by_id, register.lineage(unit_id)))
    found = (("district", u.district_code) if u.district_code else ("province", u.province_code) for u in units)
    return tuple(dict.fromkeys(found))


def communes_of(series: str, code: str, period: int, register: Registry) -> list[Unit]:
    """The communes of a district or province on the cut-off date."""
    units = register.units(cut_off(period), code if series == "province" else None)
    return [unit for unit in units if series == "province" or unit.district_code == code]


def districts_of(province: str, period: int, register: Registry) -> list[str]:
    """Codes of the districts of a province on the cut-off date; none since July 2025."""
    return [each.code for each in register.districts(cut_off(period)) if each.province_code == province]


async def _communes_recognised(units: Sequence[Unit], period: int, ask: Ask) -> RecognisedCounts:
    """How many communes are recognised at which level on the cut-off date."""
    rubric, register, levels = rubric_for("commune", period), await register_now(ask), {}
    lineages = {unit.unit_id: register.lineage(unit.unit_id) for unit in units}
    ids = [id for lineage in lineages.values() for id in lineage]
    kept = {row.id: row for row in await ask.look(Look(RECOGNITIONS, _DECISIONS, {"_id": {"$in": ids}}, ("items",)))}
    for unit_id, lineage in lineages.items():
        beside = recognition_beside(rubric, in_time(map(kept.get, lineage)), period)
        if beside is not None and beside.in_force and beside.level is not None:
            levels[unit_id] = beside.level
    return RecognisedCounts("communes", len(units), levels)


async def _districts_reached(codes: Sequence[str], period: int, ask: Ask) -> RecognisedCounts:
    """How many districts reach which level by their computed results."""
    ids = {assessment_ref("district", code, period).id: code for code in codes}
    found = await ask.look(Look(RESULTS, _LEVELS, {"_id": {"$in": [*ids]}}, ("result.level",)))
    reached = {ids[each.id]: each.level for each in found if each.level}
    return RecognisedCounts("districts", len(codes), reached, computed=True)


class _Decisions(Recognitions):
    id: str = Field(alias="_id")


class _Level(Contract):
    id: str = Field(alias="_id")
    level: int | None = Field(validation_alias=AliasPath("result", "level"))


_DECISIONS, _LEVELS = TypeAdapter(_Decisions), TypeAdapter(_Level)


async def judge_area(due: Due[AreaYear], ask: Ask) -> Outcome:
    """Judge a district or province on what is recognised within it now."""
    series, code, period = due.key
    filed = await ask.one(area_ref(series, code, period))
    if filed is None:
        return Outcome(verdict=UNCHANGED)
    await ask.one(assessment_ref(series, code, period))  # before what is counted, which may only be newer
    register = await register_now(ask)
    districts = districts_of(code, period, register) if series == "province" else []
    if districts:
        counts = await _districts_reached(districts, period, ask)
    else:
        counts = await _communes_recognised(communes_of(series, code, period, register), period, ask)
    outcome = Outcome(verdict=UNCHANGED)
    cause: Cause = "recognition" if series == "district" else "reference"
    judging = Judging(ask, outcome, cause, filed.traceparent, filed.traceparent)
    await judging.judge(filed.accepted, Inputs(counts=counts))
    if outcome.events:
        outcome.verdict = "judged"
    return outcome


def _province_of(district: Result) -> list[AreaYear]:
    is_district = district.kind == "district"
    return [AreaYear("province", district.holder, district.period)] if is_district else []


def _around(kept: Recognitions) -> list[tuple[str, str, None]]:
    """Those of every period; of which an assessment was accepted, is known."""
    return [(*area, None) for area in kept.areas]


AREA = SetOf(
    "area",
    AreaYear,
    judge_area,
    (
        Source(AREAS, each(lambda filed: [AreaYear(filed.series, filed.accepted.subject_id, filed.period)])),
        Source(RECOGNITIONS, each(_around, by=lambda kept: (kept.items, kept.areas))),
        Source(RESULTS, each(_province_of, by=lambda result: result.version)),
        Source(REGISTERS, each(lambda corrections: [(None, None, None)])),
    ),
)
