"""Learning models (Decisions 281 and 448, 387 and 677): exact shares, set beside the goals of the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from services.scoring.domain.judging import Judgement, not_applicable, step_on, weakest
from services.scoring.domain.shares import asked_of, fraction, inapplicable, nobody, reaches, short, written
from services.scoring.domain.titled import by_decisions
from shared.contracts.base import Step, Text
from shared.contracts.explained import CriterionResult, TargetResult
from shared.contracts.facts import TitleCounts
from shared.contracts.submissions import CountedByDecision, Share, ShareTarget, TargetsContent
from shared.rulebook import EmptyCohort, cut_off, readings_on
from shared.rulebook.basis import NoEvidence
from shared.rulebook.goals import Goal, goals_for
from shared.rulebook.models import ModelShare, ModelsRubric
from shared.rulebook.source import Grounded
from shared.wording import EN, VI


def judge_models(
    rubric: ModelsRubric,
    content: TargetsContent,
    period: int,
    province: str | None = None,
    titles: TitleCounts | None = None,
    by_decision: Mapping[str, CountedByDecision] = MappingProxyType({}),
) -> Judgement:
    """Roll up one commune's models. Content must fit the rubric.

    Args:
        province: holder of the commune on the cut-off date; adds the goals of its own plan.
        titles: what single decisions come to: a check, and the numerator of models in `by_decision`.
        by_decision: models of which the file says only how many there are.

    `Judgement.shares` holds each share that was sent (`learning_citizens: "3123/5021"`) under its metric: recognised
    without evidence counts as none recognised, and that there is none to recognise (`0/0`) needs evidence as well. A
    goal judges nobody: none is a grade or a level.
    """
    empty = readings_on(cut_off(period)).empty_cohort
    by_title = by_decisions(rubric, content, by_decision, titles, period)
    sent = {**content.targets, **by_title.values}
    values = {one.id: value for one in rubric.models if isinstance(value := sent.get(one.id), ShareTarget)}
    missing = [one.id for one in rubric.models if one.id not in values]
    unproven = [id for id, value in values.items() if not value.evidence]
    shares = {id: _counted(value) for id, value in values.items() if value.evidence or not nobody(value.share)}
    difficult = content.difficult_area and content.difficult_area_basis is not None
    goals = goals_for(period, province)

    steps: list[Step] = [*by_title.steps]
    if content.difficult_area:
        steps.append(_area_step(rubric, content.difficult_area_basis, period))
    if unproven:
        ids = ", ".join(unproven)
        steps.append(
            step_on(
                rubric.no_evidence,
                f"Không có quyết định làm minh chứng, tính là chưa công nhận: {ids}.",
                f"Without a decision as evidence none counts as recognised: {ids}.",
            )
        )
    criteria, next_step, notes = [], [], []
    for one in rubric.models:
        aims = [goal for goal in goals if goal.metric == one.metric]
        share = shares.get(one.id)
        counted_by = [by_title.policy.one_source] if by_title.policy and one.id in by_title.values else []
        value = values.get(one.id)
        criteria.append(share_criterion(one, value, share, aims, difficult, empty, rubric.no_evidence, counted_by))
        if share is None:
            continue
        if nobody(share):
            steps.append(not_applicable(empty, [asked_of(one.id)]))
            continue
        steps.append(share_step(one, share))
        notes += [goal_step(one, share, goal, difficult) for goal in aims]
        lacks = [
            short(one.id, one.name, share, goal.share(difficult_area=difficult), empty, one.counted) for goal in aims
        ]
        next_step += [lack for lack in lacks if lack]
    if missing:
        ids = ", ".join(missing)
        steps.append(
            step_on(
                readings_on(cut_off(period)).missing,
                f"Chưa có dữ liệu ({ids}): thiếu không phải là 0; các tỷ lệ khác vẫn được tính.",
                f"Not sent ({ids}): missing is not zero; the other shares are computed.",
            )
        )
        next_step.append(Text(vi=f"Nộp bản bổ sung có {ids}.", en=f"Send a correction that has {ids}."))
    return Judgement(
        criteria,
        missing,
        steps,
        notes,
        next_step,
        shares={one.metric: written(shares[one.id]) for one in rubric.models if one.id in shares},
    )


def _counted(value: ShareTarget) -> Share:
    """The share as it counts: what no decision proves is not recognised."""
    return value.share if value.evidence else Share(numerator=0, denominator=value.share.denominator)


def _area_step(rubric: ModelsRubric, basis: str | None, period: int) -> Step:
    if basis is None:
        return step_on(
            readings_on(cut_off(period)).basis,
            "Khai vùng khó khăn nhưng không nêu căn cứ: so với mục tiêu chung.",
            "A difficult area is claimed without its basis: compared with the goals for all.",
        )
    return step_on(
        rubric.difficult_area,
        f"So với mục tiêu của vùng khó khăn theo {basis}.",
        f"Compared with the goals of difficult areas, on the basis of {basis}.",
    )


def share_step(one: ModelShare, share: Share) -> Step:
    """What a share comes to."""
    counts, exact = written(share), fraction(share)
    return step_on(
        one,
        f"{one.name.vi}: {counts} = {VI.percent(exact)}.",
        f"{one.name.en}: {counts} = {EN.percent(exact)}.",
    )


def goal_step(one: ModelShare, share: Share, goal: Goal, difficult: bool) -> Step:
    """A goal beside it, and whether it is reached."""
    wanted = goal.share(difficult_area=difficult)
    met = fraction(share) >= wanted
    vi, en = ("của tỉnh ", "the province's own") if goal.province else ("", "the")
    return step_on(
        goal,
        f"{one.name.vi}: mục tiêu {vi}đến năm {goal.year} là {VI.percent(wanted)}, {'đã đạt' if met else 'chưa đạt'}.",
        f"{one.name.en}: {en} goal for {goal.year} is {EN.percent(wanted)}, {'reached' if met else 'not reached'}.",
    )


def share_criterion(
    one: ModelShare,
    value: ShareTarget | None,
    share: Share | None,
    aims: Sequence[Goal],
    difficult: bool,
    empty: EmptyCohort,
    no_evidence: NoEvidence | None,
    counted_by: Sequence[Grounded] = (),
) -> CriterionResult:
    """One share as a criterion of its own, with the goals that it reaches.

    Args:
        value: as it was sent, if it was.
        share: as it counts; `None`: it does not.
        no_evidence: what takes from a value without evidence; `None`: nothing does.
        counted_by: what else it rests on.
    """
    reason = None
    applicable = share is None or not nobody(share)
    if value is None:
        reason = Text(vi=f"Chưa có dữ liệu: {one.id}.", en=f"Not sent: {one.id}.")
    elif no_evidence and not value.evidence:
        reason = Text(
            vi=f"Không có quyết định công nhận làm minh chứng: {written(value.share)} không được tính.",
            en=f"No decision proves it: {written(value.share)} does not count.",
        )
    elif not applicable:
        reason = inapplicable(asked_of(one.id))
    wanted: dict[str, Fraction] = {goal.id: goal.share(difficult_area=difficult) for goal in aims}
    grounds: list[Grounded] = [one] if no_evidence is None or value is None or value.evidence else [one, no_evidence]
    grounds += counted_by
    if not applicable:
        grounds.append(empty)
    target = TargetResult(
        id=one.id,
        name=one.name,
        value=None if share is None else written(share),
        met={
            goal: None if value is None else share is not None and reaches(share, least, empty)
            for goal, least in wanted.items()
        },
        applicable=applicable,
        threshold={goal: f"≥ {EN.percent(least)}" for goal, least in wanted.items()},
        reason=reason,
        evidence=[] if value is None else value.evidence,
        citation="; ".join(dict.fromkeys(ground.citation for ground in (*grounds, *aims))),
        provenance=weakest(ground.provenance for ground in grounds),
    )
    return CriterionResult(
        id=one.id,
        name=one.name,
        met=target.met,
        targets=[target],
        reason=reason,
        citation=one.citation,
        provenance=target.provenance,
    )
