"""Districts and provinces: results over a set, because target 4.1 counts what is recognised within them.

A district counts the decisions that count for its communes in the period, a province those for its districts. Computed
levels stand beside, for information. Since there are no districts any more, a province's share cannot be computed; its
communes are counted for information.
What lies within an area is what the register says of the cut-off date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal, NamedTuple

from pydantic import AliasPath, Field, TypeAdapter

from services.scoring.decisions.documents import (
    AREAS,
    RECOGNITIONS,
    RESULTS,
    WITHDRAWALS,
    Recognitions,
    Result,
    area_ref,
    areas_around,
    assessment_ref,
    decisions_of,
    recognitions_ref,
)
from services.scoring.decisions.results import UNCHANGED, Judging
from services.scoring.domain import beside
from shared.contracts.base import Contract
from shared.contracts.facts import Cause, Inputs, NotCarried, RecognisedCounts, Recognition, Withdrawn
from shared.contracts.submissions import RecognisedSeries
from shared.messaging.decide.asking import Ask, Due, Look, Outcome
from shared.messaging.decide.documents import Ref
from shared.messaging.decide.register import REGISTERS, register_now
from shared.messaging.decide.sets import SetOf, Source, each
from shared.registry import REORGANISATION, Registry, Unit
from shared.rulebook import cut_off, rubric_for
from shared.rulebook.targets import Counted

AREA_SERIES = ("district", "province")
"""Assessments that count what lies within an area, so that they are results over sets."""


class AreaYear(NamedTuple):
    """A district or province in one period."""

    series: str
    code: str
    period: int


def areas_counting(
    series: RecognisedSeries, subject: str, period: int, register: Registry
) -> tuple[tuple[str, str], ...]:
    """The areas whose results a decision touches, by series and code: the one it is about, and those that count it."""
    match series:
        case "commune":
            return (*areas_around(subject, register), *_provinces_of(subject, register))
        case "district":
            district = register.district(subject, cut_off(period))
            around = (("province", district.province_code),) if district else ()
            return (("district", subject), *around)
        case "province":
            return (("province", subject), ("province", register.speaker(subject, cut_off(period))))
        case "universal_education" if register.province(subject, cut_off(period)) is not None:
            return (("province", subject), ("province", register.speaker(subject, cut_off(period))))
        case _:
            return ()


def _provinces_of(unit_id: str, register: Registry) -> tuple[tuple[str, str], ...]:
    """The provinces whose communes it has ever been one of: they count it towards the goals of the state."""
    units = filter(None, map(register.by_id, register.lineage(unit_id)))
    return tuple(dict.fromkeys(("province", unit.province_code) for unit in units))


def communes_of(series: str, code: str, period: int, register: Registry) -> list[Unit]:
    """The communes of a district or province on the cut-off date."""
    units = register.units(cut_off(period), code if series == "province" else None)
    return [unit for unit in units if series == "province" or unit.district_code == code]


def districts_of(province: str, period: int, register: Registry) -> list[str]:
    """Codes of the districts of a province on the cut-off date; none since July 2025."""
    return [each.code for each in register.districts(cut_off(period)) if each.province_code == province]


async def counted_in(what: Counted, subjects: Mapping[str, Sequence[str]], period: int, ask: Ask) -> RecognisedCounts:
    """How many of these are recognised at which level by decisions that count in the period, and what we computed.

    Args:
        subjects: unit id or code of each → all ids under which there may be decisions on it.
    """
    series: Literal["commune", "district"] = "commune" if what == "communes" else "district"
    rubric, ids = rubric_for(series, period), {one: [*names] for one, names in subjects.items()}
    refs = {name: recognitions_ref(series, name).id for names in ids.values() for name in names}
    wanted = {"_id": {"$in": [*refs.values()]}}
    kept = {row.id: row for row in await ask.look(Look(RECOGNITIONS, _DECISIONS, wanted))}
    recognised = {}
    for one, names in ids.items():
        stands = beside(rubric, decisions_of((name, kept.get(refs[name])) for name in names), period)
        if stands is not None and stands.in_force and stands.decision.level is not None:
            recognised[one] = stands.decision.level
    results = {_result_of(series, one, period).id: one for one in ids}
    found = await ask.look(Look(RESULTS, _LEVELS, {"_id": {"$in": [*results]}}, without=("accepted", "inputs")))
    computed = {results[each.id]: each.level for each in found if each.level}
    return RecognisedCounts(what, len(ids), recognised, computed)


def _result_of(series: Literal["commune", "district"], subject: str, period: int) -> Ref[Result]:
    return RESULTS.ref(subject, period) if series == "commune" else assessment_ref(series, subject, period)


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
    stored = await ask.one(assessment_ref(series, code, period))  # before what is counted, which may only be newer
    register = await register_now(ask)
    districts = districts_of(code, period, register) if series == "province" else []
    if districts:
        counts = await counted_in("districts", {each: [each] for each in districts}, period, ask)
    else:
        within = communes_of(series, code, period, register)
        counts = await counted_in("communes", {u.unit_id: register.lineage(u.unit_id) for u in within}, period, ask)
    outcome = Outcome(verdict=UNCHANGED)
    own, not_carried = await own_decisions(series, code, period, ask, register)
    cause = _cause(stored.inputs, counts, own) if stored else "recognition"
    judging = Judging(ask, outcome, cause, filed.traceparent, due.at, filed.traceparent)
    beside_it = await judging.beside(filed.accepted)
    inputs = beside_it.model_copy(update={"counts": counts, "recognitions": own, "not_carried": not_carried})
    await judging.judge(filed.accepted, inputs)
    if outcome.events:
        outcome.verdict = "judged"
    return outcome


def _cause(before: Inputs, counts: RecognisedCounts, own: tuple[Recognition, ...]) -> Cause:
    """What an area is judged again for: what lies within it, decisions, or computed results that stand beside."""
    was = before.counts
    if was is None or was.total != counts.total:
        return "register"
    return "reference" if (was.recognised, before.recognitions) == (counts.recognised, own) else "recognition"


async def own_decisions(
    series: str,
    code: str,
    period: int,
    ask: Ask,
    register: Registry,
    decided: RecognisedSeries | None = None,
) -> tuple[tuple[Recognition, ...], tuple[NotCarried, ...]]:
    """The decisions on an area itself, and those on the former provinces that were merged into it.

    Args:
        decided: series of the decisions; `None` = that of the area, `universal_education` = on its standards.
    """
    kind: Literal["district", "province"] = "district" if series == "district" else "province"
    before = REORGANISATION - timedelta(days=1)
    former = [code]
    if kind == "province" and cut_off(period) >= REORGANISATION:
        former = [each.code for each in register.provinces(before) if register.speaker(each.code, before) == code]
    names = sorted({code, *former})
    refs = [recognitions_ref(decided or kind, each) for each in names]
    found = decisions_of(zip(names, await ask.many(refs), strict=True))
    own, merged = [], []
    for one in found:
        is_former = cut_off(one.period) < REORGANISATION <= cut_off(period)
        if (one.unit_id == code and not is_former) or [one.unit_id] == former:
            own.append(one)
        elif is_former and (province := register.province(one.unit_id, before)) is not None:
            merged.append(NotCarried(unit_id=province.code, code=province.code, name=province.name, decision=one))
    return tuple(own), tuple(merged)


def _computed_around(result: Result) -> list[AreaYear]:
    """The areas beside whose counts a level stands."""
    if result.result.level is None:
        return []
    if result.kind == "district":
        return [AreaYear("province", result.holder, result.period)]
    return [AreaYear(*area, result.period) for area in result.areas]


def _taken_back(withdrawn: Withdrawn) -> list[AreaYear]:
    series, _, code = withdrawn.subject.partition("/")
    is_area = withdrawn.kind == "assessment" and series in AREA_SERIES and withdrawn.period is not None
    return [AreaYear(series, code, withdrawn.period)] if is_area and withdrawn.period is not None else []


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
        Source(RESULTS, each(_computed_around, by=lambda result: (result.result.level, result.areas))),
        Source(WITHDRAWALS, each(_taken_back)),
        Source(REGISTERS, each(lambda corrections: [(None, None, None)])),
    ),
)
