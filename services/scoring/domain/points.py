"""Points rubrics (Circulars 44/2014 and 22/2020, Letter 2553/2013, …): evidence, sum, minimum per criterion, bands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import ceil

from services.scoring.domain.judging import Judgement, incomplete, step_on, without_evidence
from services.scoring.domain.ranking import points_key
from shared.contracts.base import Text
from shared.contracts.explained import CriterionResult
from shared.contracts.submissions import AwardedPoints, PointsContent
from shared.rulebook import PointsRubric
from shared.rulebook.points import MinimumRule, PointsCriterion
from shared.rulebook.source import Grounded
from shared.wording import EN, VI


def judge_points(rubric: PointsRubric, content: PointsContent, period: int) -> Judgement:
    """Judge one subject's points. Content must fit the rubric."""
    awarded = content.points
    criteria = [_criterion(rubric, one, awarded.get(one.id)) for one in rubric.criteria]
    missing = [one.id for one in criteria if one.points is None]
    unproven = [one.id for one in criteria if one.id in awarded and not awarded[one.id].evidence]
    table = rubric.point_table
    steps = [
        step_on(table, f"Điểm tối đa theo bảng điểm {table.id}.", f"Maximum points by the point table {table.id}."),
    ]
    if unproven:
        steps.append(without_evidence(rubric, unproven))
    if missing:
        step, mend = incomplete(missing, period)
        return Judgement(criteria, missing, [*steps, step], next_step=[mend], point_table=table.id)

    total = sum((one.points for one in criteria if one.points is not None), Decimal(0))
    minimum = rubric.minimum_rule
    low = [one.id for one in criteria if one.points is not None and minimum is not None and not minimum.met(one.points)]
    steps.append(step_on(table, f"Tổng điểm: {VI(total)}.", f"Total: {EN(total)} points."))
    grade = rubric.grade(total)
    if minimum is not None and low:
        grade = next(one for one in rubric.grades if one.id == minimum.grade)
        needed, ids = _needed(minimum), ", ".join(low)
        steps.append(
            step_on(
                minimum,
                f"Mỗi tiêu chí phải có {needed.vi}; {ids} không đạt: xếp loại {grade.name.vi}, dù tổng điểm bao nhiêu.",
                f"Each criterion needs {needed.en}; {ids} has less: graded {grade.name.en}, whatever the total.",
            )
        )
    else:
        vi = f"{VI(total)} điểm: xếp loại {grade.name.vi}."
        en = f"{EN(total)} points: graded {grade.name.en}."
        # 84.5 lies between the whole numbers of two bands; that it belongs to the lower one is a reading, not the text.
        # Below the lowest band's end nothing is open: that grade is "every other case".
        between = grade != rubric.grades[0] and total % 1 != 0 and ceil(total) == grade.max
        reading = rubric.fractional_totals if between else None
        steps.append(step_on(grade, vi, en, *([] if reading is None else [reading])))
    return Judgement(
        criteria,
        [],
        steps,
        next_step=_next_grade(rubric, grade.id, total, low, unproven),
        point_table=table.id,
        total=total,
        grade=grade.id,
        rank_key=None if rubric.ranking is None else points_key(total),
    )


def _criterion(rubric: PointsRubric, rule: PointsCriterion, awarded: AwardedPoints | None) -> CriterionResult:
    grounds: list[Grounded] = [rubric.point_table]
    points, reason = None, None
    if awarded is None:
        reason = Text(vi="Chưa có điểm.", en="No points were sent.")
    elif awarded.evidence:
        points = awarded.points
    else:
        grounds.append(rubric.no_evidence)
        points = Decimal(0)
        reason = Text(
            vi=f"Không có minh chứng: {VI(awarded.points)} điểm không được tính.",
            en=f"No evidence: {EN(awarded.points)} points do not count.",
        )
    step = step_on(rule, rule.name.vi, rule.name.en, *grounds)
    return CriterionResult(
        id=rule.id,
        name=rule.name,
        points=points,
        max_points=rubric.maximum(rule.id),
        reason=reason,
        evidence=[] if awarded is None else awarded.evidence,
        citation=step.citation,
        provenance=step.provenance,
    )


def _needed(rule: MinimumRule) -> Text:
    """The minimum of one criterion in words."""
    if rule.more_than is not None:
        return Text(vi=f"trên {VI(rule.more_than)} điểm", en=f"more than {EN(rule.more_than)} points")
    least = rule.at_least or Decimal(0)
    return Text(vi=f"ít nhất {VI(least)} điểm", en=f"at least {EN(least)} points")


def _next_grade(
    rubric: PointsRubric, grade: str, total: Decimal, low: Sequence[str], unproven: Sequence[str]
) -> list[Text]:
    """In words, what the grade above asks for; nothing for the highest."""
    above = [one.id for one in rubric.grades].index(grade) + 1
    if above == len(rubric.grades):
        return []
    wanted = rubric.grades[above]
    steps = [
        Text(
            vi=f"Bổ sung minh chứng cho {id}: hiện được tính 0 điểm.",
            en=f"Attach evidence for {id}: it counts 0 points now.",
        )
        for id in unproven
    ]
    if rubric.minimum_rule is not None:
        needed = _needed(rubric.minimum_rule)
        steps += [
            Text(
                vi=f"{id} phải có {needed.vi} mới được xếp loại {wanted.name.vi}.",
                en=f"{id} needs {needed.en} for the grade {wanted.name.en}.",
            )
            for id in low
            if id not in unproven
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
