"""Districts and provinces: results over a set, because target 4.1 counts what is recognised within them.

A district counts the decisions in force for its communes. A province counts districts: no decision on a district is
recorded by the platform, so their computed levels stand in, and the rubric says on which provisional ground. Since
there are no districts any more, a province's share cannot be computed; its communes are counted for information.
What lies within an area is what the register says of the cut-off date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.scoring.decisions.documents import Inputs, area_ref, area_scope, assessment_ref, recognitions_of
from services.scoring.decisions.results import Cause, Judging
from services.scoring.domain.measuring import RecognisedCounts
from services.scoring.domain.recognising import recognition_beside
from shared.contracts.facts import AssessmentAccepted
from shared.messaging.decide.handling import STALE, Document, Outcome, Recalculation, States
from shared.registry import Registry, Unit
from shared.rulebook import NoRuleInForce, Series, cut_off, rubric_for

UNCHANGED = "unchanged"


def file_area(accepted: AssessmentAccepted, states: States, traceparent: str | None) -> Outcome:
    """Keep the accepted assessment of an area, and ask for its result."""
    ref = area_ref(accepted.series, accepted.subject_id, accepted.period)
    stored = states[ref]
    if stored is not None and accepted.version <= stored["accepted"]["version"]:
        return Outcome(verdict=STALE)
    document = {
        "series": accepted.series,
        "period": accepted.period,
        "holder": accepted.holder,
        "accepted": accepted.model_dump(mode="json"),
        "traceparent": traceparent,
    }
    request = Recalculation(area_scope(accepted.series, accepted.subject_id), accepted.period)
    return Outcome(puts={ref: document}, requests=[request])


def areas_around(unit_id: str, periods: Iterable[int], register: Registry) -> list[Recalculation]:
    """Requests for the area that counts a commune on the cut-off dates, where such areas are judged at all."""
    requests = []
    for unit in map(register.by_id, register.lineage(unit_id)):
        for period in periods:
            if unit is not None and unit.valid(cut_off(period)):
                series: Series = "district" if unit.district_code else "province"
                if _judged(series, period):
                    code = unit.district_code or unit.province_code
                    requests.append(Recalculation(area_scope(series, code), period))
    return requests


def _judged(series: Series, period: int) -> bool:
    try:
        return bool(rubric_for(series, period))
    except NoRuleInForce:
        return False


def communes_of(series: str, code: str, period: int, register: Registry) -> list[Unit]:
    """The communes of a district or province on the cut-off date."""
    units = register.units(cut_off(period), code if series == "province" else None)
    return [unit for unit in units if series == "province" or unit.district_code == code]


def districts_of(province: str, period: int, register: Registry) -> list[str]:
    """Codes of the districts of a province on the cut-off date; none since July 2025."""
    return [each.code for each in register.districts(cut_off(period)) if each.province_code == province]


def communes_recognised(
    units: Sequence[Unit], period: int, kept: Mapping[str, Document], register: Registry
) -> RecognisedCounts:
    """How many communes are recognised at which level on the cut-off date.

    Args:
        units: all communes of the area.
        kept: documents of `recognitions` by unit id, also those of the units' predecessors.
    """
    rubric = rubric_for("commune", period)
    levels = {}
    for unit in units:
        decisions = recognitions_of(register.lineage(unit.unit_id), lambda ref: kept.get(ref.id))
        beside = recognition_beside(rubric, decisions, period)
        if beside is not None and beside.in_force and beside.level is not None:
            levels[unit.unit_id] = beside.level
    return RecognisedCounts("communes", len(units), levels)


def districts_reached(codes: Sequence[str], period: int, results: Mapping[str, Document]) -> RecognisedCounts:
    """How many districts reach which level by their computed results.

    Args:
        codes: all districts of the province.
        results: documents of `results` by id.
    """
    found = {code: results.get(assessment_ref("district", code, period).id) for code in codes}
    levels = {code: each["result"]["level"] for code, each in found.items() if each is not None}
    reached = {code: level for code, level in levels.items() if level}
    return RecognisedCounts("districts", len(codes), reached, computed=True)


def judge_area(states: States, filed: Document, counts: RecognisedCounts) -> Outcome:
    """Judge a district or province on what was counted within it."""
    accepted = AssessmentAccepted.model_validate(filed["accepted"])
    outcome = Outcome(verdict=UNCHANGED)
    cause: Cause = "recognition" if accepted.series == "district" else "reference"
    Judging(states, outcome, cause, filed["traceparent"], filed["traceparent"]).judge(Inputs(accepted, counts=counts))
    if outcome.events:
        outcome.verdict = "judged"
    return outcome
