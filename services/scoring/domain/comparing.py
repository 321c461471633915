"""The value of one target against what each level asks for; nothing else is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import assert_never

from services.scoring.domain.shares import asked_of, fraction, nobody, short, written
from shared.contracts.base import Text
from shared.contracts.facts import Reference
from shared.contracts.submissions import (
    ChangeTarget,
    CountTarget,
    LevelTarget,
    MetTarget,
    PartsTarget,
    Share,
    SharePairTarget,
    ShareTarget,
    TargetValue,
)
from shared.rulebook import EmptyCohort
from shared.rulebook.targets import (
    LEVELS,
    BooleanRule,
    ChangeRule,
    CountRule,
    LevelId,
    LevelRule,
    PartsRule,
    RecognisedShareRule,
    SharePairRule,
    ShareRule,
    Target,
)
from shared.wording import EN, VI, plain, reached


@dataclass(frozen=True, slots=True)
class Measured:
    """One target's value against the levels at which it holds for the subject."""

    value: str | None
    """Exact and readable; `None` when there is none."""
    lack: Mapping[LevelId, Text] = field(default_factory=dict)
    """Per level not met, what was lacking."""
    ratios: tuple[Fraction, ...] = ()
    """For shares of people, but not of nobody: value ÷ own area's level-1 threshold, for the ranking."""
    evidence: tuple[str, ...] = ()
    unproven: bool = False
    """A value was sent without evidence."""
    absent: Text | None = None
    """Why there is no value, so that the target is neither met nor failed."""
    not_sent: bool = False
    """The sender can mend the absence."""
    nobody: Text | None = None
    """The target, where nobody is there to be counted; with the names of the shares if not in all of them."""
    applicable: bool = True
    """`False`: in none of its shares."""
    levels: tuple[LevelId, ...] = LEVELS
    """Levels that ask this target of the subject; at the others it is left out of the count."""
    scope: Text | None = None
    """Why not at all levels."""
    source: Reference | None = None
    """The frozen result under another rubric that gave the value."""
    claimed: str | None = None
    """What was submitted where a frozen result decided instead."""

    def met(self, level: LevelId) -> bool | None:
        """Whether a level at which the target holds is met; `None` = cannot be computed."""
        return None if self.absent else level not in self.lack


def not_sent(*ids: str) -> Measured:
    """Values that the sender left out: missing, not failed."""
    names = ", ".join(ids)
    return Measured(None, absent=Text(vi=f"Chưa có dữ liệu: {names}.", en=f"Not sent: {names}."), not_sent=True)


def compare(rule: Target, value: TargetValue, difficult: bool, empty: EmptyCohort) -> Measured:
    """The value alone against the thresholds."""
    match rule, value:
        case BooleanRule(), MetTarget():
            lack = Text(vi=f"{rule.id}: chưa đạt ({rule.name.vi}).", en=f"{rule.id}: not met ({rule.name.en}).")
            return Measured(str(value.met).lower(), {} if value.met else dict.fromkeys(LEVELS, lack))
        case PartsRule(), PartsTarget():
            return _compare_parts(rule, value)
        case LevelRule(), LevelTarget():
            has = reached(value.level)
            at = Text(vi=f"đang ở {has.vi}", en=f"is at {has.en}") if value.level else has
            levels = {
                level: Text(
                    vi=f"{rule.id}: {at.vi}, cần mức độ {_named(rule, needed).vi} ({rule.name.vi}).",
                    en=f"{rule.id}: {at.en}, needs level {_named(rule, needed).en} ({rule.name.en}).",
                )
                for level, needed in rule.min_level.items()
                if value.level < needed
            }
            return Measured(str(value.level), levels)
        case ShareRule(), ShareTarget():
            lacks = {
                level: text
                for level in LEVELS
                if (text := short(rule.id, rule.name, value.share, rule.thresholds[level], empty))
            }
            gone = asked_of(rule.id) if nobody(value.share) else None
            ratios = _ratios((value.share, rule.thresholds["L1"]))
            return Measured(written(value.share), lacks, ratios, nobody=gone, applicable=gone is None)
        case SharePairRule(), SharePairTarget():
            return _compare_pair(rule, value, difficult, empty)
        case CountRule(), CountTarget():
            counts = {
                level: Text(
                    vi=f"{rule.id}: có {VI(value.count)}, cần ít nhất {VI(least)} ({rule.name.vi}).",
                    en=f"{rule.id}: has {EN(value.count)}, needs at least {EN(least)} ({rule.name.en}).",
                )
                for level, least in rule.minimum.items()
                if value.count < least
            }
            return Measured(str(value.count), counts)
        case ChangeRule(), ChangeTarget():
            return _compare_change(rule, value)
        case _:
            raise ValueError(f"{rule.id} is of type {rule.type}, not {value.type}")


def _named(rule: LevelRule, level: int) -> Text:
    name = rule.level_names.get(level)
    return Text(vi=f"{level} “{name.vi}”", en=f"{level} “{name.en}”") if name else Text(vi=str(level), en=str(level))


def _compare_parts(rule: PartsRule, value: PartsTarget) -> Measured:
    said = {part: value.parts[part] for part in rule.parts if part in value.parts}
    unsaid = [f"{rule.id}/{part}" for part in rule.parts if part not in said]
    lacking = [rule.parts[part] for part, there in said.items() if not there]
    lack = Text(
        vi=f"{rule.id}: còn thiếu {', '.join(part.vi for part in lacking)}.",
        en=f"{rule.id}: lacks {', '.join(part.en for part in lacking)}.",
    )
    written_parts = ", ".join(f"{part}={str(there).lower()}" for part, there in said.items())
    measured = not_sent(*unsaid) if unsaid else Measured(None)
    return replace(measured, value=written_parts, lack=dict.fromkeys(LEVELS, lack) if lacking else {})


def _ratios(*shares: tuple[Share, Fraction]) -> tuple[Fraction, ...]:
    """Value ÷ threshold of every share that somebody is in."""
    return tuple(fraction(share) / threshold for share, threshold in shares if not nobody(share))


def _compare_pair(rule: SharePairRule, value: SharePairTarget, difficult: bool, empty: EmptyCohort) -> Measured:
    trained = Text(vi="được đào tạo chuyên môn kỹ thuật", en="technical or professional training")
    university = Text(vi="đại học trở lên", en="university or higher")
    lack: dict[LevelId, Text] = {}
    for level in LEVELS:
        needed = rule.required(level, difficult)
        texts = [
            text
            for text in (
                short(rule.id, trained, value.trained, needed.trained, empty),
                short(rule.id, university, value.university, needed.university, empty),
            )
            if text
        ]
        if texts:
            lack[level] = joined(texts)
    first = rule.required("L1", difficult)
    ratios = _ratios((value.trained, first.trained), (value.university, first.university))
    gone = [name for name, share in ((trained, value.trained), (university, value.university)) if nobody(share)]
    return Measured(
        f"{written(value.trained)}, {written(value.university)}",
        lack,
        ratios,
        nobody=asked_of(rule.id, *(gone if ratios else [])) if gone else None,
        applicable=bool(ratios),
    )


def _compare_change(rule: ChangeRule, value: ChangeTarget) -> Measured:
    before, now = value.previous, value.current
    rising = rule.direction == "increase"
    done = now > before if rising else now < before
    wanted = Text(vi="tăng", en="rise") if rising else Text(vi="giảm", en="fall")
    lack = Text(
        vi=f"{rule.id}: năm trước {VI(before)}, năm nay {VI(now)}; phải {wanted.vi} so với năm trước ({rule.name.vi}).",
        en=f"{rule.id}: {EN(before)} in the previous year, {EN(now)} now; it must {wanted.en} ({rule.name.en}).",
    )
    return Measured(f"{plain(before)} → {plain(now)}", {} if done else dict.fromkeys(LEVELS, lack))


def thresholds(rule: Target, difficult: bool) -> dict[LevelId, str]:
    """What each level asks for, in signs that need no translation."""
    match rule:
        case BooleanRule():
            return dict.fromkeys(LEVELS, "true")
        case PartsRule():
            return dict.fromkeys(LEVELS, ", ".join(rule.parts))
        case LevelRule():
            return {level: f"≥ {rule.min_level[level]}" for level in LEVELS}
        case ShareRule() | RecognisedShareRule():
            return {level: f"≥ {EN.percent(rule.thresholds[level])}" for level in LEVELS}
        case SharePairRule():
            pairs = {level: rule.required(level, difficult) for level in LEVELS}
            return {
                level: f"≥ {EN.percent(pair.trained)}, ≥ {EN.percent(pair.university)}" for level, pair in pairs.items()
            }
        case CountRule():
            return {level: f"≥ {rule.minimum[level]}" for level in LEVELS}
        case ChangeRule():
            return dict.fromkeys(LEVELS, "↑" if rule.direction == "increase" else "↓")
        case _:
            assert_never(rule)


def joined(texts: Sequence[Text]) -> Text:
    """Several sentences in a row."""
    return Text(vi=" ".join(one.vi for one in texts), en=" ".join(one.en for one in texts))
