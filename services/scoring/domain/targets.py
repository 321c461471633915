"""Pass/fail rubrics (Circular 25/2023): every target of every criterion, two levels, no points."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from math import ceil
from typing import assert_never

from services.scoring.domain.judging import (
    Judgement,
    Recognition,
    chosen,
    incomplete,
    notes_on,
    step_on,
    weakest,
    without_evidence,
)
from services.scoring.domain.ranking import pass_fail_key
from shared.contracts.base import Step, Text
from shared.contracts.facts import CriterionResult, TargetResult
from shared.contracts.submissions import (
    LevelTarget,
    MetTarget,
    PartsTarget,
    Share,
    SharePairTarget,
    ShareTarget,
    TargetsContent,
    TargetValue,
)
from shared.rulebook import PassFailRubric, cut_off
from shared.rulebook.rubrics import (
    BooleanRule,
    LevelId,
    LevelRule,
    PartsRule,
    PassFailCriterion,
    SharePairRule,
    ShareRule,
    Target,
)
from shared.rulebook.source import Grounded

LEVELS: tuple[LevelId, LevelId] = ("L1", "L2")


@dataclass(frozen=True, slots=True)
class _Measured:
    """One target's value against both levels."""

    value: str | None
    """As submitted, exact; `None` when nothing was sent."""
    lack: Mapping[LevelId, Text] = field(default_factory=dict)
    """Per level not met, what was lacking."""
    ratios: tuple[Fraction, ...] = ()
    """For shares of people: value ÷ own area's level-1 threshold, for the ranking."""
    absent: tuple[str, ...] = ()
    """What was not sent, so that the target is neither met nor failed."""
    unproven: bool = False


def judge_targets(
    rubric: PassFailRubric, content: TargetsContent, period: int, recognitions: list[Recognition]
) -> Judgement:
    """Judge one commune's targets; level 2 also looks at the unit's recognitions. Content must fit the rubric."""
    difficult = content.difficult_area and content.difficult_area_basis is not None
    measured = {rule.id: _measure(rule, content.targets.get(rule.id), difficult) for rule in rubric.targets}
    criteria = [_criterion(rubric, one, measured, difficult) for one in rubric.criteria]
    missing = [id for id, one in measured.items() if one.absent]
    unproven = [id for id, one in measured.items() if one.unproven]

    steps = [chosen(rubric, period)]
    if content.difficult_area:
        steps.append(_area_step(rubric, content.difficult_area_basis))
    if unproven:
        steps.append(without_evidence(rubric, unproven))
    if missing:
        step, mend = incomplete(rubric, missing)
        return Judgement(criteria, missing, [*steps, step], notes_on(rubric, period), [mend])

    count = len(measured)
    met = {level: sum(level not in one.lack for one in measured.values()) for level in LEVELS}
    steps.append(
        step_on(
            rubric.all_targets,
            f"Đạt {met['L1']}/{count} chỉ tiêu ở mức độ 1 và {met['L2']}/{count} ở mức độ 2; mức độ chỉ đạt khi mọi "
            "chỉ tiêu của mọi tiêu chí đều đạt.",
            f"{met['L1']} of {count} targets are met at level 1 and {met['L2']} at level 2; a level is reached only if "
            "every target of every criterion is met.",
        )
    )
    level = (met["L1"] == count) + (met["L2"] == count)
    next_step: list[Text] = []
    if level == 2:
        recognised, step = _recognised(rubric, recognitions, period)
        steps.append(step)
        if not recognised:
            level = 1
            next_step.append(step.what)
    else:
        wanted = LEVELS[level]
        next_step += [one.lack[wanted] for one in measured.values() if wanted in one.lack]
    if level == 0:
        steps.append(step_on(rubric.all_targets, "Chưa đạt mức độ 1.", "Level 1 is not reached."))
    else:
        reached = rubric.levels[level - 1]
        steps.append(
            step_on(
                reached,
                f"Kết quả: {reached.name.vi} (kết quả tính, chưa phải quyết định công nhận).",
                f"Result: {reached.name.en} (computed; not yet a decision that recognises).",
            )
        )
    ratios = [ratio for one in measured.values() for ratio in one.ratios]
    return Judgement(
        criteria,
        [],
        steps,
        notes_on(rubric, period),
        next_step,
        level=level,
        rank_key=pass_fail_key(level, met["L1"], met["L2"], ratios),
    )


def _area_step(rubric: PassFailRubric, basis: str | None) -> Step:
    if basis is None:
        return step_on(
            rubric.difficult_area,
            "Khai vùng khó khăn nhưng không nêu căn cứ: áp dụng ngưỡng thông thường.",
            "A difficult area is claimed without its basis: the ordinary thresholds apply.",
        )
    return step_on(
        rubric.difficult_area,
        f"Áp dụng ngưỡng vùng khó khăn theo {basis}.",
        f"The thresholds for difficult areas apply, on the basis of {basis}.",
    )


def _criterion(
    rubric: PassFailRubric, rule: PassFailCriterion, measured: Mapping[str, _Measured], difficult: bool
) -> CriterionResult:
    targets = [_target(rubric, one, measured[one.id], difficult) for one in rule.targets]
    return CriterionResult(
        id=rule.id,
        name=rule.name,
        met={level: _all([one.met[level] for one in targets]) for level in LEVELS},
        targets=targets,
        citation=rule.citation,
        provenance=weakest([rule.provenance, *(one.provenance for one in targets)]),
    )


def _all(values: Sequence[bool | None]) -> bool | None:
    """One target not met decides; otherwise one that is missing leaves it open."""
    return False if False in values else None if None in values else True


def _target(rubric: PassFailRubric, rule: Target, measured: _Measured, difficult: bool) -> TargetResult:
    grounds: list[Grounded] = [rubric.difficult_area] if isinstance(rule, SharePairRule) and difficult else []
    if measured.unproven:
        grounds.append(rubric.no_evidence)
    step = step_on(rule, rule.name.vi, rule.name.en, *grounds)
    thresholds = _thresholds(rule, difficult)
    reason = next(iter(measured.lack.values()), None)
    if measured.absent:
        absent = ", ".join(measured.absent)
        reason = Text(vi=f"Chưa có dữ liệu: {absent}.", en=f"Not sent: {absent}.")
    return TargetResult(
        id=rule.id,
        name=rule.name,
        value=measured.value,
        met={level: None if measured.absent else level not in measured.lack for level in LEVELS},
        threshold={level: thresholds[level] for level in LEVELS},
        reason=reason,
        citation=step.citation,
        provenance=step.provenance,
    )


def _thresholds(rule: Target, difficult: bool) -> dict[LevelId, str]:
    """What each level asks for, in signs that need no translation."""
    match rule:
        case BooleanRule():
            return dict.fromkeys(LEVELS, "true")
        case PartsRule():
            return dict.fromkeys(LEVELS, ", ".join(rule.parts))
        case LevelRule():
            return {level: f"≥ {rule.min_level[level]}" for level in LEVELS}
        case ShareRule():
            return {level: f"≥ {percent(rule.thresholds[level])}" for level in LEVELS}
        case SharePairRule():
            pairs = {level: rule.required(level, difficult) for level in LEVELS}
            return {level: f"≥ {percent(pair.trained)}, ≥ {percent(pair.university)}" for level, pair in pairs.items()}
        case _:
            assert_never(rule)


def _measure(rule: Target, value: TargetValue | None, difficult: bool) -> _Measured:
    """Hold one value against both levels. Without evidence it meets none, and its share counts 0 in the ranking."""
    if value is None:
        return _Measured(None, absent=(rule.id,))
    measured = _compare(rule, value, difficult)
    if value.evidence or measured.absent:
        return measured
    unproven = Text(
        vi=f"{rule.id}: không có minh chứng, coi là không đạt; hãy bổ sung minh chứng.",
        en=f"{rule.id}: without evidence it counts as not met; attach the evidence.",
    )
    return replace(
        measured,
        lack={
            level: _joined([unproven, *([measured.lack[level]] if level in measured.lack else [])]) for level in LEVELS
        },
        ratios=tuple(Fraction(0) for _ in measured.ratios),
        unproven=True,
    )


def _joined(texts: Sequence[Text]) -> Text:
    return Text(vi=" ".join(one.vi for one in texts), en=" ".join(one.en for one in texts))


def _compare(rule: Target, value: TargetValue, difficult: bool) -> _Measured:
    """The value alone against the thresholds."""
    match rule, value:
        case BooleanRule(), MetTarget():
            lack = Text(vi=f"{rule.id}: chưa đạt ({rule.name.vi}).", en=f"{rule.id}: not met ({rule.name.en}).")
            return _Measured(str(value.met).lower(), {} if value.met else dict.fromkeys(LEVELS, lack))
        case PartsRule(), PartsTarget():
            return _compare_parts(rule, value)
        case LevelRule(), LevelTarget():
            levels = {
                level: Text(
                    vi=f"{rule.id}: đang ở mức độ {value.level}, cần mức độ {needed} ({rule.name.vi}).",
                    en=f"{rule.id}: is at level {value.level}, needs level {needed} ({rule.name.en}).",
                )
                for level, needed in rule.min_level.items()
                if value.level < needed
            }
            return _Measured(str(value.level), levels)
        case ShareRule(), ShareTarget():
            lacks = {
                level: short
                for level in LEVELS
                if (short := _short(rule.id, rule.name, value.share, rule.thresholds[level]))
            }
            return _Measured(_written(value.share), lacks, (_fraction(value.share) / rule.thresholds["L1"],))
        case SharePairRule(), SharePairTarget():
            return _compare_pair(rule, value, difficult)
        case _:
            raise ValueError(f"{rule.id} is of type {rule.type}, not {value.type}")


def _compare_parts(rule: PartsRule, value: PartsTarget) -> _Measured:
    said = {part: value.parts[part] for part in rule.parts if part in value.parts}
    lacking = [rule.parts[part] for part, there in said.items() if not there]
    lack = Text(
        vi=f"{rule.id}: còn thiếu {', '.join(part.vi for part in lacking)}.",
        en=f"{rule.id}: lacks {', '.join(part.en for part in lacking)}.",
    )
    measured = _Measured(
        ", ".join(f"{part}={str(there).lower()}" for part, there in said.items()),
        dict.fromkeys(LEVELS, lack) if lacking else {},
    )
    return replace(measured, absent=tuple(f"{rule.id}/{part}" for part in rule.parts if part not in said))


def _compare_pair(rule: SharePairRule, value: SharePairTarget, difficult: bool) -> _Measured:
    trained = Text(vi="được đào tạo chuyên môn kỹ thuật", en="technical or professional training")
    university = Text(vi="đại học trở lên", en="university or higher")
    lack: dict[LevelId, Text] = {}
    for level in LEVELS:
        needed = rule.required(level, difficult)
        short = [
            text
            for text in (
                _short(rule.id, trained, value.trained, needed.trained),
                _short(rule.id, university, value.university, needed.university),
            )
            if text
        ]
        if short:
            lack[level] = _joined(short)
    first = rule.required("L1", difficult)
    ratios = (_fraction(value.trained) / first.trained, _fraction(value.university) / first.university)
    return _Measured(f"{_written(value.trained)}, {_written(value.university)}", lack, ratios)


def _short(id: str, what: Text, share: Share, threshold: Fraction) -> Text | None:
    """What a share lacks to its threshold ("at least"), in people; `None` if it lacks nothing."""
    if _fraction(share) >= threshold:
        return None
    people = ceil(threshold * share.denominator) - share.numerator
    has, needs = percent(_fraction(share)), percent(threshold)
    return Text(
        vi=f"{id}: {what.vi} {has} ({_written(share)}), cần {needs}: thiếu {people} người.",
        en=f"{id}: {what.en} {has} ({_written(share)}), needs {needs}: {people} people are missing.",
    )


def _fraction(share: Share) -> Fraction:
    return Fraction(share.numerator, share.denominator)


def _written(share: Share) -> str:
    return f"{share.numerator}/{share.denominator}"


def percent(share: Fraction) -> str:
    """A share for reading: percent cut, never rounded, after three digits, so that 59.9999 % does not read as 60 %."""
    whole, rest = divmod(share.numerator * 100_000 // share.denominator, 1000)
    return f"{whole}{f'.{rest:03d}'.rstrip('0') if rest else ''} %"


def _recognised(rubric: PassFailRubric, recognitions: list[Recognition], period: int) -> tuple[bool, Step]:
    """Whether a recognition of level 1 or higher, old enough and still valid on the cut-off date, opens level 2."""
    day = cut_off(period)
    latest = _months_before(day, rubric.recognised.months)
    years = rubric.validity.months // 12
    decisions = sorted(recognitions, key=lambda one: (one.decided_on, one.decision_number))
    for one in decisions:
        if one.decided_on <= latest and day.year <= one.decided_on.year + years:
            return True, step_on(
                rubric.recognised,
                f"Đã được công nhận mức độ {one.level} theo quyết định {one.decision_number} ngày "
                f"{one.decided_on:%d/%m/%Y}, đủ {rubric.recognised.months} tháng và còn hiệu lực.",
                f"Recognised at level {one.level} by decision {one.decision_number} of {one.decided_on.isoformat()}, "
                f"at least {rubric.recognised.months} months before and still valid.",
                rubric.validity,
            )
    return False, step_on(
        rubric.recognised,
        f"Mọi chỉ tiêu đạt mức độ 2, nhưng mức độ 2 cần quyết định công nhận mức độ 1 từ ngày {latest:%d/%m/%Y} trở về "
        f"trước, còn hiệu lực vào {day:%d/%m/%Y}: kết quả dừng ở mức độ 1.",
        f"All targets are met at level 2, but level 2 needs a recognition of level 1 decided on or before "
        f"{latest.isoformat()} and still valid on {day.isoformat()}: the result stays at level 1.",
        rubric.validity,
    )


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
