"""Reports: complete or not, their shares exact and set beside the goals of the state. No grade, no level, no rank."""

from __future__ import annotations

from collections.abc import Sequence

from services.scoring.domain.judging import Judgement, not_applicable, step_on
from services.scoring.domain.mergers import judge_merger
from services.scoring.domain.models import goal_step, share_criterion, share_step
from services.scoring.domain.report_notes import aimed, filled, held_against, own_goals, planned_by, unplanned
from services.scoring.domain.shares import asked_of, nobody, short, written
from shared.contracts.base import Text
from shared.contracts.explained import CriterionResult, TargetResult
from shared.contracts.facts import Reference
from shared.contracts.submissions import (
    ChangeTarget,
    CountTarget,
    DayTarget,
    MetTarget,
    MoneyTarget,
    PartsTarget,
    ShareTarget,
    TargetsContent,
    TargetValue,
    TextTarget,
)
from shared.rulebook import cut_off, readings_on
from shared.rulebook.goals import goals_for
from shared.rulebook.reports import PartsField, PlainField, ReportField, ReportRubric, ShareField
from shared.wording import plain


def judge_report(
    rubric: ReportRubric,
    content: TargetsContent,
    period: int,
    province: str | None = None,
    references: Sequence[Reference] = (),
) -> Judgement:
    """Judge one report. Content must fit the rubric.

    Args:
        province: holder of the subject on the cut-off date; adds the goals of its own plan.
        references: frozen results, among them that of the plan beside which the report stands.

    `Judgement.missing` holds the required fields that were not sent whole; `shares` each share that was, under its
    metric, as `p/q`; `finding` what the rules say of a merger. A goal judges nobody.
    """
    empty = readings_on(cut_off(period)).empty_cohort
    plans = planned_by(rubric, references, period)
    goals = [*goals_for(period, province), *own_goals(rubric, plans, period)]
    merged = judge_merger(rubric, content, period)
    lacking = {one.id for one in rubric.fields if not _is_whole(one, content.targets.get(one.id))}
    missing = [one.id for one in rubric.fields if one.id in lacking and (one.required or one.id in merged.wanted)]
    missing += [id for id in merged.unusable if id not in missing]
    untold = {*missing, *merged.too_early, *content.targets}
    left_out = [one.id for one in rubric.fields if not one.required and one.id not in untold]
    criteria, shares = [], dict[str, str]()
    steps, notes, next_step = [*merged.steps], [*merged.notes], [*merged.next_step]
    for one in rubric.fields:
        value = content.targets.get(one.id)
        if value is None and one.id in merged.too_early:
            continue
        if not isinstance(one, ShareField):
            criteria.append(_criterion(one, value))
            if isinstance(one, PlainField) and one.metric is not None and isinstance(value, MetTarget):
                shares[one.metric] = f"{int(value.met)}/1"
            notes += held_against(rubric, one, content)
            absent, wanting = filled(one, value)
            notes += absent
            next_step += wanting
            continue
        aims, lower = [goal for goal in goals if one.faces(goal)], one.difficult_area_of is not None
        sent = value if isinstance(value, ShareTarget) else None
        share = sent.share if sent else None
        criteria.append(share_criterion(one, sent, share, [] if one.planned else aims, lower, empty, None))
        if share is None:
            continue
        shares[one.told_as] = written(share)
        if nobody(share):
            steps.append(not_applicable(empty, [asked_of(one.id)]))
            continue
        steps.append(share_step(one, share))
        if one.planned:
            notes += [aimed(one, share, goal, period) for goal in aims if goal.province is None]
            continue
        notes += [goal_step(one, share, goal, lower) for goal in aims]
        lacks = [short(one.id, one.name, share, goal.share(difficult_area=lower), empty, one.counted) for goal in aims]
        next_step += [lack for lack in lacks if lack]
    if missing:
        ids = ", ".join(missing)
        steps.append(
            step_on(
                readings_on(cut_off(period)).missing,
                f"Báo cáo chưa đủ ({ids}): thiếu không phải là 0; các tỷ lệ đã gửi vẫn được tính.",
                f"The report is incomplete ({ids}): missing is not zero; the shares that were sent are computed.",
            )
        )
        next_step.append(Text(vi=f"Nộp bản bổ sung có {ids}.", en=f"Send a correction that has {ids}."))
    else:
        steps.append(
            step_on(rubric, "Báo cáo đủ các mục bắt buộc.", "The report has everything that is required of it.")
        )
    notes += unplanned(rubric, plans)
    if left_out:
        ids = ", ".join(left_out)
        notes.append(
            step_on(
                rubric,
                f"Không bắt buộc và không được gửi ({ids}): chưa biết, không phải là 0.",
                f"Not required and not sent ({ids}): unknown, which is not zero.",
            )
        )
    finding = merged.finding
    return Judgement(criteria, missing, steps, notes, next_step, shares=shares, references=plans, finding=finding)


def _is_whole(rule: ReportField, value: TargetValue | None) -> bool:
    """Whether all of it was sent: of named parts each one."""
    if isinstance(rule, PartsField):
        return isinstance(value, PartsTarget) and not rule.parts.keys() - value.parts.keys()
    return value is not None


def _criterion(rule: ReportField, value: TargetValue | None) -> CriterionResult:
    """What is no share: shown as it was sent."""
    reason = None if _is_whole(rule, value) else Text(vi=f"Chưa có dữ liệu: {rule.id}.", en=f"Not sent: {rule.id}.")
    target = TargetResult(
        id=rule.id,
        name=rule.name,
        value=None if value is None else _written(value),
        met={},
        applicable=True,
        threshold={},
        reason=reason,
        evidence=[] if value is None else value.evidence,
        citation=rule.citation,
        provenance=rule.provenance,
    )
    return CriterionResult(
        id=rule.id,
        name=rule.name,
        met={},
        targets=[target],
        reason=reason,
        citation=rule.citation,
        provenance=rule.provenance,
    )


def _written(value: TargetValue) -> str:
    match value:
        case MetTarget(met=met):
            return str(met).lower()
        case CountTarget(count=number) | MoneyTarget(amount=number):
            return str(number)
        case DayTarget(day=day):
            return day.isoformat()
        case TextTarget(text=text):
            return text
        case PartsTarget(parts=parts):
            return ", ".join(f"{part}={str(there).lower()}" for part, there in parts.items())
        case ChangeTarget(previous=previous, current=current):
            return f"{plain(previous)} → {plain(current)}"
        case _:
            raise ValueError(f"a report has no value of type {value.type}")
