"""What a result lacks to the next grade or level: its verdicts and values, joined with the rule that they name."""

from __future__ import annotations

from decimal import Decimal

from shared.contracts.base import Text
from shared.contracts.facts import AssessmentScored, CentreScored, CommuneScored, Verdict
from shared.contracts.submissions import PointsContent
from shared.rulebook import PassFailRubric, PointsRubric, Rubric, rubric, rubric_for
from shared.wording import EN, VI

AnyScored = CommuneScored | CentreScored | AssessmentScored


def lacking(result: AnyScored) -> list[Text]:
    """In words, what to mend first; nothing where the rubric has no next grade or level.

    Raises:
        LookupError: the rulebook does not know the rubric.
    """
    rule = _rule(result)
    if isinstance(rule, PointsRubric) and result.grade is not None and result.total is not None:
        return _to_next_grade(rule, result, result.grade, result.total)
    if isinstance(rule, PassFailRubric) and result.level in (0, 1):
        return _to_next_level(rule, result, f"L{result.level + 1}")
    return []


def _rule(result: AnyScored) -> Rubric:
    """The rubric, with the point table of whoever is judged where that one was used."""
    own = rubric(result.rubric)
    if not isinstance(own, PointsRubric) or own.point_table.id == result.point_table:
        return own
    holder = result.province if isinstance(result, CentreScored) else result.holder
    applied = rubric_for(own.series, result.period, holder)
    return applied if applied.id == own.id else own


def _to_next_grade(rule: PointsRubric, result: AnyScored, grade: str, total: Decimal) -> list[Text]:
    grades = [one.id for one in rule.grades]
    if grade not in grades or grade == grades[-1]:
        return []
    wanted, sent = rule.grades[grades.index(grade) + 1], result.content
    awarded = sent.points if isinstance(sent, PointsContent) else {}
    names = {one.id: one.name for one in rule.criteria}
    steps = [
        Text(
            vi=f"Bổ sung minh chứng cho {id} ({names[id].vi}): hiện được tính 0 điểm.",
            en=f"Attach evidence for {id} ({names[id].en}): it counts 0 points now.",
        )
        for id, one in awarded.items()
        if id in names and not one.evidence
    ]
    minimum = rule.minimum_rule
    if minimum is not None:
        low = [id for id, one in result.criteria.items() if one.points is not None and not minimum.met(one.points)]
        steps += [
            Text(
                vi=f"{id} ({names[id].vi}) chưa đủ điểm tối thiểu để được xếp loại {wanted.name.vi}.",
                en=f"{id} ({names[id].en}) has less than the least that the grade {wanted.name.en} needs.",
            )
            for id in low
            if id in names and (id not in awarded or awarded[id].evidence)
        ]
    if total < wanted.min:
        lack = wanted.min - total
        steps.append(
            Text(
                vi=f"Thiếu {VI(lack)} điểm để đạt {wanted.name.vi} (từ {VI(wanted.min)} điểm).",
                en=f"{EN(lack)} points are missing for {wanted.name.en} (from {EN(wanted.min)}).",
            )
        )
    return steps


def _to_next_level(rule: PassFailRubric, result: AnyScored, level: str) -> list[Text]:
    names = {one.id: one.name for one in rule.targets}
    unmet = [id for each in result.criteria.values() for id in _unmet(each, level)]
    return [
        Text(vi=f"{id}: chưa đạt ({names[id].vi}).", en=f"{id}: not met ({names[id].en}).")
        for id in unmet
        if id in names
    ]


def _unmet(verdict: Verdict, level: str) -> list[str]:
    return [id for id, met in verdict.targets.items() if met.get(level) is False]
