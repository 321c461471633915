"""Pass/fail rubrics (Circulars 24/2023 and 25/2023): every target of every criterion, two levels, no points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from services.scoring.domain.comparing import Measured, joined, thresholds
from services.scoring.domain.judging import (
    Judgement,
    incomplete,
    not_applicable,
    step_on,
    weakest,
    without_evidence,
)
from services.scoring.domain.measuring import Situation, computed_beside, measure
from services.scoring.domain.ranking import pass_fail_key
from services.scoring.domain.recognising import opens_level_2
from services.scoring.domain.shares import inapplicable
from shared.contracts.base import Step, Text
from shared.contracts.explained import CriterionResult, TargetResult
from shared.contracts.facts import RecognisedCounts, Recognition, Reference
from shared.contracts.submissions import TargetsContent
from shared.rulebook import PassFailRubric, cut_off, readings_on
from shared.rulebook import rubric as law_of
from shared.rulebook.ranking import ranking_order
from shared.rulebook.rubrics import PassFailCriterion
from shared.rulebook.source import Grounded
from shared.rulebook.targets import LEVELS, LevelId, LevelRule, RecognisedShareRule, SharePairRule, ShareRule, Target


def judge_targets(
    rubric: PassFailRubric,
    content: TargetsContent,
    period: int,
    recognitions: Sequence[Recognition] = (),
    references: Sequence[Reference] = (),
    counts: RecognisedCounts | None = None,
) -> Judgement:
    """Judge one subject's targets. Content must fit the rubric.

    Args:
        recognitions: decisions on the same subject; level 2 needs an earlier one.
        references: frozen results of the same subject under other rubrics; one that holds a target's value decides.
        counts: recognised communes or districts inside the subject, for targets that count them.
    """
    situation = Situation.of(rubric, content, period, references, counts)
    measured = {rule.id: measure(rule, content.targets.get(rule.id), situation) for rule in rubric.targets}
    criteria = [_criterion(situation, one, measured) for one in rubric.criteria]
    missing = [id for id, one in measured.items() if one.absent]
    used = [one.source for one in measured.values() if one.source]
    steps = _grounds(situation, content, measured)
    notes = [*_notes(rubric, measured, period), *_counts_beside(rubric, counts, period)]
    if missing:
        steps += _undecided(rubric, measured, period)
        return Judgement(criteria, missing, steps, notes, _mend(measured, period), references=used)

    held = {level: [one for one in measured.values() if level in one.levels] for level in LEVELS}
    counted = {level: [one for one in held[level] if one.applicable] for level in LEVELS}
    count = {level: len(counted[level]) for level in LEVELS}
    met = {level: sum(one.met(level) is True for one in counted[level]) for level in LEVELS}
    steps.append(
        step_on(
            rubric.all_targets,
            f"Đạt {met['L1']}/{count['L1']} chỉ tiêu ở mức độ 1 và {met['L2']}/{count['L2']} ở mức độ 2; mức độ chỉ "
            "đạt khi mọi chỉ tiêu của mọi tiêu chí đều đạt.",
            f"{met['L1']} of {count['L1']} targets are met at level 1 and {met['L2']} of {count['L2']} at level 2; a "
            "level is reached only if every target of every criterion is met.",
        )
    )
    reached = [all(one.met(level) for one in held[level]) for level in LEVELS]
    level = 0 if not reached[0] else 2 if reached[1] else 1
    next_step: list[Text] = []
    if level == 2:
        recognised, step = opens_level_2(rubric, recognitions, period)
        steps.append(step)
        if not recognised:
            level = 1
            next_step.append(step.what)
    else:
        wanted = LEVELS[level]
        next_step += [one.lack[wanted] for one in measured.values() if wanted in one.lack]
    steps.append(_outcome(rubric, level))
    ratios = [ratio for one in measured.values() for ratio in one.ratios]
    share = {level: Fraction(met[level], count[level]) if count[level] else Fraction(1) for level in LEVELS}
    rates = {level: len(held[level]) * share[level] for level in LEVELS}
    return Judgement(
        criteria,
        [],
        steps,
        notes,
        next_step,
        level=level,
        rank_key=None if rubric.ranking is None else _key(period, level, rates, ratios),
        references=used,
    )


def _key(period: int, level: int, met: Mapping[LevelId, Fraction], ratios: Sequence[Fraction]) -> str:
    """The result's place in the order of the ranking policy in force on the cut-off date."""
    order = ranking_order(cut_off(period)).pass_fail
    return pass_fail_key(level, met["L1"], met["L2"], ratios, order)


# ------------------------------------------------------------------------------------------------------ explanation


def _grounds(situation: Situation, content: TargetsContent, measured: Mapping[str, Measured]) -> list[Step]:
    """What decided which thresholds and values hold: kind of area and subject, frozen results, gaps, no evidence,
    nobody to count."""
    rubric, period = situation.rubric, situation.period
    steps: list[Step] = []
    if content.difficult_area and rubric.difficult_area is not None:
        steps.append(_area_step(rubric.difficult_area, content.difficult_area_basis, period))
    left_out = [id for id, one in measured.items() if not one.levels]
    if rubric.traits is not None and left_out:
        kinds = [name for trait, name in rubric.traits.names.items() if trait in content.traits]
        kind = Text(vi="Hồ sơ không nêu loại đơn vị nào trong các loại riêng", en="None of the special kinds is named")
        if kinds:
            kind = Text(vi=", ".join(one.vi for one in kinds), en=", ".join(one.en for one in kinds))
        ids = ", ".join(left_out)
        steps.append(
            step_on(
                rubric.traits,
                f"{kind.vi}: không áp dụng {ids}, không tính vào số chỉ tiêu.",
                f"{kind.en}: {ids} do not hold and are left out of the count.",
            )
        )
    for rule in rubric.targets:
        one = measured[rule.id]
        if one.source is not None:
            steps.append(_source_step(rule, one, one.source, period))
        if one.absent is not None and not one.not_sent:
            steps.append(step_on(rule, one.absent.vi, one.absent.en))
    unproven = [id for id, one in measured.items() if one.unproven]
    if unproven:
        steps.append(without_evidence(rubric, unproven))
    empty = [one.nobody for one in measured.values() if one.nobody]
    if empty:
        steps.append(not_applicable(situation.empty, empty))
    return steps


def _area_step(ground: Grounded, basis: str | None, period: int) -> Step:
    if basis is None:
        return step_on(
            readings_on(cut_off(period)).basis,
            "Khai vùng khó khăn nhưng không nêu căn cứ: áp dụng ngưỡng thông thường.",
            "A difficult area is claimed without its basis: the ordinary thresholds apply.",
        )
    return step_on(
        ground,
        f"Áp dụng ngưỡng vùng khó khăn theo {basis}.",
        f"The thresholds for difficult areas apply, on the basis of {basis}.",
    )


def _source_step(rule: Target, measured: Measured, source: Reference, period: int) -> Step:
    law, made = law_of(source.rubric).legal_reference, Text(vi="kết quả", en="result")
    if source.decision_number is not None:
        number = source.decision_number
        made = Text(vi=f"quyết định công nhận {number}", en=f"recognising decision {number}")
    differs = measured.claimed is not None and measured.claimed != measured.value
    said = Text(vi="", en="")
    if differs:
        said = Text(
            vi=f"; hồ sơ khai {measured.claimed}, không được dùng",
            en=f"; the submission says {measured.claimed}, not used",
        )
    return step_on(
        rule,
        f"{rule.id}: lấy {measured.value} từ {made.vi} kỳ {source.period} theo {law}{said.vi}.",
        f"{rule.id}: {measured.value} is taken from the {made.en} for {source.period} under {law}{said.en}.",
        *_deciding(source, period),
    )


def _notes(rubric: PassFailRubric, measured: Mapping[str, Measured], period: int) -> list[Step]:
    """Values that another rubric's result would decide, but that rest on the submission as long as there is none."""
    claimed = [
        rule
        for rule in rubric.targets
        if isinstance(rule, LevelRule | ShareRule) and rule.reference is not None and _rests_on_claim(measured[rule.id])
    ]
    if not claimed:
        return []
    ids = ", ".join(rule.id for rule in claimed)
    return [
        step_on(
            readings_on(cut_off(period)).declared,
            f"{ids}: theo khai báo và minh chứng của hồ sơ, vì chưa có kết quả của chuẩn được dẫn chiếu.",
            f"{ids}: as submitted with its evidence, since there is no result yet under the rule referred to.",
        )
    ]


def _counts_beside(rubric: PassFailRubric, counts: RecognisedCounts | None, period: int) -> list[Step]:
    """What the units inside would come to by our own results."""
    said = computed_beside(counts)
    rules = [rule for rule in rubric.targets if isinstance(rule, RecognisedShareRule)]
    if said is None:
        return []
    return [
        step_on(rule, f"{rule.id}: {said.vi}", f"{rule.id}: {said.en}", _counting(rule, period))
        for rule in rules
        if counts is not None and rule.counts == counts.counted
    ]


def _deciding(source: Reference | None, period: int) -> list[Grounded]:
    """The reading by which an authority's decision gave a value."""
    decided = source is not None and source.decision_number is not None
    return [readings_on(cut_off(period)).recognised_standard] if decided else []


def _counting(rule: RecognisedShareRule, period: int) -> Grounded:
    """The reading by which units inside count: by decisions, whatever was computed for them."""
    return rule.without_decisions or readings_on(cut_off(period)).recognised


def _rests_on_claim(measured: Measured) -> bool:
    return measured.source is None and measured.value is not None and not measured.unproven


def _undecided(rubric: PassFailRubric, measured: Mapping[str, Measured], period: int) -> list[Step]:
    """That nothing is graded: the sender left values out, or the rules give none."""
    unsent = [id for id, one in measured.items() if one.not_sent]
    open_ones = ", ".join(id for id, one in measured.items() if one.absent and not one.not_sent)
    steps = [incomplete(unsent, period)[0]] if unsent else []
    if open_ones:
        vi = f"Không tính được {open_ones} vì lý do đã nêu, không phải do hồ sơ thiếu: chưa xếp loại."
        en = f"{open_ones} cannot be computed for the reason given, not for want of data: nothing is graded yet."
        steps.append(step_on(rubric.all_targets, vi, en))
    return steps


def _mend(measured: Mapping[str, Measured], period: int) -> list[Text]:
    """What to send or wait for where values are missing, and what is lacking for level 1 besides."""
    unsent = [id for id, one in measured.items() if one.not_sent]
    mend = [incomplete(unsent, period)[1]] if unsent else []
    mend += [one.absent for one in measured.values() if one.absent and not one.not_sent]
    return mend + [one.lack["L1"] for one in measured.values() if "L1" in one.lack and not one.absent]


def _outcome(rubric: PassFailRubric, level: int) -> Step:
    if level == 0:
        return step_on(rubric.all_targets, "Chưa đạt mức độ 1.", "Level 1 is not reached.")
    reached = rubric.levels[level - 1]
    return step_on(
        reached,
        f"Kết quả: {reached.name.vi} (kết quả tính, chưa phải quyết định công nhận).",
        f"Result: {reached.name.en} (computed; not yet a decision that recognises).",
    )


# ----------------------------------------------------------------------------------------------------------- results


def _criterion(situation: Situation, rule: PassFailCriterion, measured: Mapping[str, Measured]) -> CriterionResult:
    targets = [_target(situation, one, measured[one.id]) for one in rule.targets]
    return CriterionResult(
        id=rule.id,
        name=rule.name,
        met={level: _all([one.met[level] for one in targets if level in one.met]) for level in LEVELS},
        targets=targets,
        citation=rule.citation,
        provenance=weakest([rule.provenance, *(one.provenance for one in targets)]),
    )


def _all(values: Sequence[bool | None]) -> bool | None:
    """One target not met decides; otherwise one that is missing leaves it open."""
    return False if False in values else None if None in values else True


def _target(situation: Situation, rule: Target, measured: Measured) -> TargetResult:
    rubric, difficult = situation.rubric, situation.difficult
    grounds: list[Grounded] = []
    if isinstance(rule, SharePairRule) and difficult and rubric.difficult_area is not None:
        grounds.append(rubric.difficult_area)
    if measured.scope is not None and rubric.traits is not None:
        grounds.append(rubric.traits)
    if measured.unproven:
        grounds.append(rubric.no_evidence)
    if isinstance(rule, RecognisedShareRule) and not measured.absent:
        grounds.append(_counting(rule, situation.period))
    if measured.nobody is not None:
        grounds.append(situation.empty)
    grounds += _deciding(measured.source, situation.period)
    step = step_on(rule, rule.name.vi, rule.name.en, *grounds)
    asked = thresholds(rule, difficult)
    gone = inapplicable(measured.nobody) if measured.nobody else None
    reasons = [measured.absent or next(iter(measured.lack.values()), None), gone, measured.scope]
    said = [reason for reason in reasons if reason is not None]
    return TargetResult(
        id=rule.id,
        name=rule.name,
        value=measured.value,
        met={level: measured.met(level) for level in measured.levels},
        applicable=measured.applicable,
        threshold={level: asked[level] for level in measured.levels},
        reason=joined(said) if said else None,
        evidence=list(measured.evidence),
        citation=step.citation,
        provenance=step.provenance,
    )
