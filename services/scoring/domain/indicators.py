"""Indicators of a points criterion that a machine can check: awarded points cannot contradict what is known.

An indicator that is shown not to be met caps its criterion at its maximum without that indicator's points. One that
cannot be checked changes nothing, and the explanation says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.scoring.domain.judging import Judgement, frozen, named, not_applicable, step_on, weakest
from services.scoring.domain.points import judge_points
from services.scoring.domain.shares import asked_of, inapplicable, nobody, reaches, written
from shared.contracts.base import Step, Text
from shared.contracts.explained import CriterionResult, TargetResult
from shared.contracts.facts import Reference
from shared.contracts.submissions import PointsContent, ShareTarget
from shared.rulebook import EmptyCohort, PointsRubric, cut_off, readings_on, rubric
from shared.rulebook.indicators import GradeOf, Indicator, IndicatorPolicy, LevelOf, ShareAtLeast
from shared.rulebook.points import PointsCriterion
from shared.wording import EN, VI

MOST_SHOWN = 50
"""Centres that one result names; all of them are looked at."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """One indicator, what was found about it, and from where."""

    indicator: Indicator
    threshold: str = ""
    value: str | None = None
    met: bool | None = None
    """`None`: not checked."""
    why_not: Text | None = None
    """Why it was not checked."""
    empty: EmptyCohort | None = None
    """The ground of `met` where nobody is there to be counted."""
    evidence: Sequence[str] = ()
    sources: Sequence[Reference] = ()


@dataclass(frozen=True, slots=True)
class _Cap:
    """A criterion whose points are limited by indicators that are not met."""

    criterion: str
    awarded: Decimal
    allowed: Decimal
    unmet: Sequence[_Checked]
    worth: dict[str, Decimal]


def judge_with_indicators(
    rubric: PointsRubric, content: PointsContent, period: int, references: Sequence[Reference] = ()
) -> Judgement:
    """Judge one subject's points, within what its indicators allow. Content must fit the rubric.

    Args:
        references: frozen results of the same subject (for a commune: also of its centres) under other rubrics.
    """
    policy = rubric.indicator_policy
    if policy is None:
        return judge_points(rubric, content, period)
    checked = {
        criterion.id: [_check(indicator, content, references, period) for indicator in criterion.indicators]
        for criterion in rubric.criteria
    }
    caps = {
        criterion.id: cap
        for criterion in rubric.criteria
        if (cap := _cap(rubric, criterion, content, checked[criterion.id])) is not None
    }
    limited = {
        id: awarded.model_copy(update={"points": caps[id].allowed}) if id in caps else awarded
        for id, awarded in content.points.items()
    }
    judgement = judge_points(rubric, content.model_copy(update={"points": limited}), period)
    every = [one for each in checked.values() for one in each]
    return replace(
        judgement,
        criteria=[_criterion(one, checked[one.id], caps.get(one.id), policy) for one in judgement.criteria],
        steps=[*(_cap_step(policy, cap) for cap in caps.values()), *judgement.steps],
        notes=[*_empty(every), *_unchecked(policy, every), *judgement.notes],
        next_step=judgement.next_step and [*_mend(list(caps.values())), *judgement.next_step],
        references=[source for one in every for source in one.sources],
    )


# ---------------------------------------------------------------------------------------------------------- checking


def _check(indicator: Indicator, content: PointsContent, references: Sequence[Reference], period: int) -> _Checked:
    match indicator.rule:
        case GradeOf() as rule:
            return _check_grade(indicator, rule, frozen(references, rule.series, period))
        case LevelOf() as rule:
            return _check_level(indicator, rule, frozen(references, rule.reference.series, period))
        case ShareAtLeast() as rule:
            return _check_share(indicator, rule, content, readings_on(cut_off(period)).empty_cohort)
        case _:
            people = Text(vi="chỉ người đánh giá xét được", en="only people can judge it")
            return _Checked(indicator, why_not=people)


def _check_grade(indicator: Indicator, rule: GradeOf, found: Sequence[Reference]) -> _Checked:
    graded = [one for one in found if "grade" in one.outcome]
    if not graded:
        none = Text(vi="chưa có kết quả xếp loại", en="there is no graded result yet")
        return _Checked(indicator, rule.grade, why_not=none)
    met = any(one.outcome["grade"] == rule.grade for one in graded)
    shown = _shown(graded, rule.grade)
    value = ", ".join(f"{one.subject}: {one.outcome['grade']}" for one in shown)
    return _Checked(
        indicator,
        rule.grade,
        value if len(shown) == len(graded) else f"{value}, … (+{len(graded) - len(shown)})",
        met,
        evidence=[named(one) for one in shown],
        sources=shown,
    )


def _shown(graded: Sequence[Reference], wanted: str) -> list[Reference]:
    """Those that a result names, in their order; of very many first those that decide."""
    places = sorted(range(len(graded)), key=lambda place: graded[place].outcome["grade"] != wanted)
    return [graded[place] for place in sorted(places[:MOST_SHOWN])]


def _check_level(indicator: Indicator, rule: LevelOf, found: Sequence[Reference]) -> _Checked:
    threshold, standard = f"≥ {rule.min_level}", rule.reference.standard
    levels = [one for one in found if standard in one.outcome]
    if not levels:
        none = Text(vi="chưa có kết quả của chuẩn này", en="there is no result under this standard yet")
        return _Checked(indicator, threshold, why_not=none)
    last = levels[-1]
    level = last.outcome[standard]
    return _Checked(indicator, threshold, level, int(level) >= rule.min_level, evidence=[named(last)], sources=[last])


def _check_share(indicator: Indicator, rule: ShareAtLeast, content: PointsContent, empty: EmptyCohort) -> _Checked:
    threshold, value = f"≥ {EN.percent(rule.min)}", content.indicators.get(indicator.id)
    if not isinstance(value, ShareTarget):
        none = Text(vi="hồ sơ không nêu tử số và mẫu số", en="no numerator and denominator were sent")
        return _Checked(indicator, threshold, why_not=none)
    return _Checked(
        indicator,
        threshold,
        written(value.share),
        reaches(value.share, rule.min, empty),
        evidence=value.evidence,
        empty=empty if nobody(value.share) else None,
    )


def _cap(
    rubric: PointsRubric, criterion: PointsCriterion, content: PointsContent, checked: Sequence[_Checked]
) -> _Cap | None:
    """The limit of a criterion's points, if they go beyond it. Points without evidence do not count anyway."""
    awarded, worth = content.points.get(criterion.id), rubric.indicator_points(criterion)
    unmet = [one for one in checked if one.met is False]
    allowed = rubric.maximum(criterion.id) - sum((worth[one.indicator.id] for one in unmet), Decimal(0))
    if awarded is None or not awarded.evidence or awarded.points <= allowed:
        return None
    return _Cap(criterion.id, awarded.points, allowed, unmet, worth)


# ------------------------------------------------------------------------------------------------------- explanation


def _criterion(
    result: CriterionResult, checked: Sequence[_Checked], cap: _Cap | None, policy: IndicatorPolicy
) -> CriterionResult:
    changed: dict[str, object] = {"targets": [_target(one) for one in checked]}
    if cap is not None:
        step = _cap_step(policy, cap)
        changed |= {
            "reason": step.what,
            "citation": f"{result.citation}; {step.citation}",
            "provenance": weakest([result.provenance, step.provenance]),
        }
    return result.model_copy(update=changed)


def _target(one: _Checked) -> TargetResult:
    reason = one.why_not
    if reason is not None:
        reason = Text(vi=f"Không đối chiếu bằng máy: {reason.vi}.", en=f"Not checked by machine: {reason.en}.")
    indicator = one.indicator
    if one.empty is not None:
        reason = inapplicable(asked_of(indicator.id))
    step = step_on(indicator, indicator.name.vi, indicator.name.en, *([one.empty] if one.empty else []))
    return TargetResult(
        id=indicator.id,
        name=indicator.name,
        value=one.value,
        met={"met": one.met},
        applicable=one.empty is None,
        threshold={"met": one.threshold} if one.threshold else {},
        reason=reason,
        evidence=list(one.evidence),
        citation=step.citation,
        provenance=step.provenance,
    )


def _cap_step(policy: IndicatorPolicy, cap: _Cap) -> Step:
    found = [_found(one) for one in cap.unmet]
    vi, en = ", ".join(one.vi for one in found), ", ".join(one.en for one in found)
    return step_on(
        policy,
        f"{cap.criterion}: chỉ số {vi} không đạt, nên được nhiều nhất {VI(cap.allowed)} điểm, thay cho "
        f"{VI(cap.awarded)}.",
        f"{cap.criterion}: the indicator {en} is not met, so it gets at most {EN(cap.allowed)} points instead of "
        f"{EN(cap.awarded)}.",
        *(one.indicator for one in cap.unmet),
        *(one.empty for one in cap.unmet if one.empty is not None),
    )


def _found(one: _Checked) -> Text:
    """An unmet indicator: what was found and what it needs, grades by their names."""
    id = one.indicator.id
    if not isinstance(one.indicator.rule, GradeOf):
        return Text(vi=f"{id} ({one.value}; cần {one.threshold})", en=f"{id} ({one.value}; needs {one.threshold})")
    pairs = [(each, _grade(each.rubric, each.outcome["grade"])) for each in one.sources]
    vi = ", ".join(f"{each.subject}: {grade.vi}" for each, grade in pairs)
    en = ", ".join(f"{each.subject}: {grade.en}" for each, grade in pairs)
    needed = _grade(one.sources[0].rubric, one.threshold)
    return Text(vi=f"{id} ({vi}; cần {needed.vi})", en=f"{id} ({en}; needs {needed.en})")


def _grade(rubric_id: str, id: str) -> Text:
    rule = rubric(rubric_id)
    names = {one.id: one.name for one in rule.grades} if isinstance(rule, PointsRubric) else {}
    return names.get(id, Text(vi=id, en=id))


def _empty(checked: Sequence[_Checked]) -> list[Step]:
    grounds = [one.empty for one in checked if one.empty is not None]
    ids = [asked_of(one.indicator.id) for one in checked if one.empty is not None]
    return [not_applicable(grounds[0], ids)] if grounds else []


def _unchecked(policy: IndicatorPolicy, checked: Sequence[_Checked]) -> list[Step]:
    open_ones = [(one.indicator.id, one.why_not) for one in checked if one.why_not is not None]
    if not open_ones:
        return []
    vi = "; ".join(f"{id} ({why.vi})" for id, why in open_ones)
    en = "; ".join(f"{id} ({why.en})" for id, why in open_ones)
    return [
        step_on(
            policy,
            f"Chỉ số không đối chiếu được bằng máy, điểm đã cho giữ nguyên: {vi}.",
            f"Indicators that were not checked by machine; the awarded points stand: {en}.",
        )
    ]


def _mend(caps: Sequence[_Cap]) -> list[Text]:
    """What the unmet indicators would bring back, one by one."""
    return [
        Text(
            vi=f"{one.indicator.id}: chưa đạt ({one.indicator.name.vi}); đang trừ {VI(cap.worth[one.indicator.id])} "
            f"điểm khỏi mức tối đa của {cap.criterion}.",
            en=f"{one.indicator.id}: not met ({one.indicator.name.en}); it takes {EN(cap.worth[one.indicator.id])} "
            f"points off the maximum of {cap.criterion}.",
        )
        for cap in caps
        for one in cap.unmet
    ]
