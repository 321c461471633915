"""One target of a pass/fail rubric: its value, where it comes from, and what it lacks to each level."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from services.scoring.domain.comparing import Measured, compare, joined, not_sent
from services.scoring.domain.judging import frozen, named
from services.scoring.domain.shares import asked_of, fraction, short, written
from shared.contracts.base import Text
from shared.contracts.facts import RecognisedCounts, Reference
from shared.contracts.submissions import (
    LevelTarget,
    Share,
    SharePairTarget,
    ShareTarget,
    TargetsContent,
    TargetValue,
)
from shared.rulebook import EmptyCohort, PassFailRubric, cut_off, readings_on
from shared.rulebook.targets import LEVELS, Counted, LevelId, LevelRule, RecognisedShareRule, ShareRule, Target
from shared.wording import EN, VI

_NUMBER: Mapping[LevelId, int] = {"L1": 1, "L2": 2}


def recognised_at(counts: RecognisedCounts, level: LevelId) -> Share:
    """Those recognised at this level or above, of all."""
    return _share(counts.total, counts.recognised, level)


def computed_at(counts: RecognisedCounts, level: LevelId) -> Share:
    """The same by our own results."""
    return _share(counts.total, counts.computed, level)


def _share(total: int, levels: Mapping[str, int], level: LevelId) -> Share:
    reached = sum(each >= _NUMBER[level] for each in levels.values())
    return Share(numerator=reached, denominator=total)


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a target's judgement may depend on besides its own value."""

    rubric: PassFailRubric
    period: int
    empty: EmptyCohort
    difficult: bool
    traits: Collection[str]
    references: Sequence[Reference]
    counts: RecognisedCounts | None

    @classmethod
    def of(
        cls,
        rubric: PassFailRubric,
        content: TargetsContent,
        period: int,
        references: Sequence[Reference],
        counts: RecognisedCounts | None,
    ) -> Situation:
        """The situation of one submission. A difficult area counts only with its basis."""
        difficult = content.difficult_area and content.difficult_area_basis is not None
        empty = readings_on(cut_off(period)).empty_cohort
        return cls(rubric, period, empty, difficult, content.traits, references, counts)


def measure(rule: Target, value: TargetValue | None, situation: Situation) -> Measured:
    """Hold one value against both levels. Without evidence it meets none, and its share counts 0 in the ranking."""
    levels = tuple(level for level in LEVELS if rule.holds(level, situation.traits))
    scope = None if levels == LEVELS else _scope(rule, situation.rubric)
    if not levels:
        return Measured(None, levels=(), scope=scope)
    if isinstance(rule, RecognisedShareRule):
        measured = _counted(rule, situation)
    else:
        measured = _referred(rule, value, situation) or _submitted(rule, value, situation)
    lack = {level: text for level, text in measured.lack.items() if level in levels}
    return replace(measured, lack=lack, levels=levels, scope=scope)


def _scope(rule: Target, rubric: PassFailRubric) -> Text:
    """For whom a target holds, in words."""
    known = rubric.traits.names if rubric.traits else {}

    def names(traits: Sequence[str]) -> Text:
        return Text(vi=", ".join(known[one].vi for one in traits), en=", ".join(known[one].en for one in traits))

    parts: list[Text] = []
    if rule.only_for:
        only = names(rule.only_for)
        parts.append(Text(vi=f"Chỉ áp dụng cho: {only.vi}.", en=f"Holds only for: {only.en}."))
    if rule.not_for:
        never = names(rule.not_for)
        parts.append(Text(vi=f"Không áp dụng cho: {never.vi}.", en=f"Does not hold for: {never.en}."))
    for level, exempt in rule.exempt.items():
        having, lacking = names(exempt.having), names(exempt.lacking)
        but = Text(vi=f", trừ {lacking.vi}", en=f", except: {lacking.en}") if exempt.lacking else Text(vi="", en="")
        parts.append(
            Text(
                vi=f"Mức độ {_NUMBER[level]} không áp dụng cho: {having.vi}{but.vi}.",
                en=f"At level {_NUMBER[level]} it does not hold for: {having.en}{but.en}.",
            )
        )
    return joined(parts)


# ------------------------------------------------------------------------------------------ where the value comes from


def _submitted(rule: Target, value: TargetValue | None, situation: Situation) -> Measured:
    if value is None:
        return not_sent(rule.id)
    measured = replace(_compared(rule, value, situation), evidence=tuple(value.evidence))
    if value.evidence or measured.absent:
        return measured
    unproven = Text(
        vi=f"{rule.id}: không có minh chứng, coi là không đạt; hãy bổ sung minh chứng.",
        en=f"{rule.id}: without evidence it counts as not met; attach the evidence.",
    )
    return replace(
        measured,
        lack={
            level: joined([unproven, *([measured.lack[level]] if level in measured.lack else [])]) for level in LEVELS
        },
        ratios=(Fraction(0),) * _shares_in(value),
        unproven=True,
        nobody=None,  # nobody has shown that nobody is there
        applicable=True,
    )


def _compared(rule: Target, value: TargetValue, situation: Situation) -> Measured:
    return compare(rule, value, situation.difficult, situation.empty)


def _shares_in(value: TargetValue) -> int:
    return 2 if isinstance(value, SharePairTarget) else int(isinstance(value, ShareTarget))


def _referred(rule: Target, value: TargetValue | None, situation: Situation) -> Measured | None:
    """The value as a frozen result under another rubric has it; `None` if there is no such result."""
    match rule:
        case LevelRule(reference=source) if source is not None:
            key = source.standard
        case ShareRule(reference=source) if source is not None:
            key = source.share
        case _:
            return None
    found = [one for one in frozen(situation.references, source.series, situation.period) if key in one.outcome]
    if not found:
        return None
    reference = found[-1]
    outcome = reference.outcome[key]
    if isinstance(rule, LevelRule):
        measured = _compared(rule, LevelTarget(level=int(outcome)), situation)
    else:
        numerator, _, denominator = outcome.partition("/")
        share = Share(numerator=int(numerator), denominator=int(denominator or 1))
        measured = _compared(rule, ShareTarget(share=share), situation)
    claimed = None if value is None else _compared(rule, value, situation).value
    return replace(measured, source=reference, claimed=claimed, evidence=(named(reference),))


def _counted(rule: RecognisedShareRule, situation: Situation) -> Measured:
    counts, what = situation.counts, _units(rule.counts)
    stop = rule.not_computable
    if stop is not None and cut_off(situation.period) >= stop.since:
        gap = next(one for one in situation.rubric.gaps if one.id == stop.gap)
        return Measured(None, absent=joined([gap.text, *_information(counts)]))
    if counts is None or counts.counted != rule.counts:
        none = Text(
            vi=f"{rule.id}: chưa có số liệu công nhận các {what.vi}.",
            en=f"{rule.id}: it is not known which {what.en} are recognised.",
        )
        return Measured(None, absent=joined([none, *_information(counts)]))
    shares = {level: recognised_at(counts, level) for level in LEVELS}
    recognised = Text(vi=f"{what.vi} được công nhận ở mức độ tương ứng", en=f"{what.en} recognised at the same level")
    lack = {
        level: text
        for level, share in shares.items()
        if (text := short(rule.id, recognised, share, rule.thresholds[level], situation.empty, what))
    }
    evidence = tuple(f"{id}: L{level}" for id, level in sorted(counts.recognised.items()))
    value = ", ".join(f"{level} {written(share)}" for level, share in shares.items())
    gone = None if counts.total else asked_of(rule.id)
    return Measured(value, lack, evidence=evidence, nobody=gone, applicable=gone is None)


def _information(counts: RecognisedCounts | None) -> list[Text]:
    """The share that is recognised, where it decides nothing."""
    if counts is None or counts.total == 0:
        return []
    what, said = _units(counts.counted), _shares(partial(recognised_at, counts))
    return [
        Text(
            vi=f"Để tham khảo, {what.vi} được công nhận: {said.vi}.",
            en=f"For information, {what.en} recognised: {said.en}.",
        )
    ]


def computed_beside(counts: RecognisedCounts | None) -> Text | None:
    """What our own results of the units inside come to, which counts nowhere; `None`: there is none of them."""
    if counts is None or not counts.computed or counts.total == 0:
        return None
    what, said = _units(counts.counted), _shares(partial(computed_at, counts))
    return Text(
        vi=f"Chỉ tính {what.vi} được công nhận bằng quyết định. Để tham khảo, theo kết quả do Langhoc chấm: {said.vi}.",
        en=f"Only {what.en} recognised by a decision count. For information, by computed results: {said.en}.",
    )


def _shares(at: Callable[[LevelId], Share]) -> Text:
    """Both levels' shares in words."""
    shares = {level: at(level) for level in LEVELS}
    vi = "; ".join(
        f"mức độ {_NUMBER[level]}: {written(share)} ({VI.percent(fraction(share))})" for level, share in shares.items()
    )
    en = "; ".join(
        f"level {_NUMBER[level]}: {written(share)} ({EN.percent(fraction(share))})" for level, share in shares.items()
    )
    return Text(vi=vi, en=en)


def _units(counted: Counted) -> Text:
    return Text(vi="xã", en="communes") if counted == "communes" else Text(vi="huyện", en="districts")
