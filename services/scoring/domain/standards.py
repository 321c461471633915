"""Standards in levels (Decree 20/2014): every level of every standard, each after those it requires.

A value that was not sent leaves open only the standards whose level depends on it; the others are computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.scoring.domain.judging import Judgement, not_applicable, step_on, weakest, without_evidence
from services.scoring.domain.shares import asked_of, inapplicable, nobody, reaches, short, written
from shared.contracts.base import Provenance, Step, Text
from shared.contracts.explained import CriterionResult, TargetResult
from shared.contracts.submissions import ShareTarget, TargetsContent
from shared.rulebook import cut_off, readings_on
from shared.rulebook.source import Grounded
from shared.rulebook.standards import Condition, Measure, Minimum, Requirement, Standard, StandardLevel, StandardsRubric
from shared.wording import EN


def judge_standards(rubric: StandardsRubric, content: TargetsContent, period: int) -> Judgement:
    """Judge one commune by all standards. Content must fit the rubric.

    `Judgement.standards` holds the level of every standard that can be computed (0 = not reached); `missing` names the
    shares that leave another one open.
    """
    case = _Case(rubric, content, cut_off(period))
    used = {minimum.share for standard in rubric.standards for minimum in case.needed(standard)}
    sent = [(measure.id, case.values[measure.id]) for measure in rubric.measures if measure.id in case.values]
    unproven = [id for id, value in sent if id in used and not value.evidence]
    reached = {standard.id: case.level(standard) for standard in rubric.standards}
    absent = {
        condition.required(case.special).share
        for level, met in case.met.items()
        if met is None
        for condition in case.conditions(level)
    } - case.values.keys()
    missing = [measure.id for measure in rubric.measures if measure.id in absent]

    steps: list[Step] = []
    if content.specially_difficult:
        steps.append(_area_step(rubric, content.specially_difficult_basis, case.on))
    if unproven:
        steps.append(without_evidence(rubric, unproven))
    empty = [asked_of(id) for id, _ in sent if id in used and case.inapplicable(id)]
    if empty:
        alone = [
            one.name for one in rubric.standards if all(case.inapplicable(each.share) for each in case.needed(one))
        ]
        steps.append(not_applicable(case.empty, empty, *alone))
    decided = {standard.id: _steps(case, standard, reached[standard.id]) for standard in rubric.standards}
    steps += [step for each in decided.values() for step in each]
    next_step = [text for standard in rubric.standards for text in _next_level(case, standard, reached[standard.id])]
    if missing:
        ids = ", ".join(missing)
        next_step.append(Text(vi=f"Nộp bản bổ sung có {ids}.", en=f"Send a correction that has {ids}."))
    return Judgement(
        [_criterion(case, standard, decided[standard.id]) for standard in rubric.standards],
        missing,
        steps,
        next_step=next_step,
        standards={id: level for id, level in reached.items() if level is not None},
    )


class _Case:
    """One commune's shares held against every condition: met, not met, or open (`None`)."""

    def __init__(self, rubric: StandardsRubric, content: TargetsContent, on: date) -> None:
        self.rubric = rubric
        self.on = on
        self.empty = readings_on(on).empty_cohort
        self.special = content.specially_difficult and content.specially_difficult_basis is not None
        self.values = {id: value for id, value in content.targets.items() if isinstance(value, ShareTarget)}
        self.measures: Mapping[str, Measure] = {measure.id: measure for measure in rubric.measures}
        self.met: dict[StandardLevel, bool | None] = {}
        for level in rubric.order:
            required = [self.met[one.of] for one in rubric.level(level).requires]
            self.met[level] = _all([self.own(level), *required])

    def conditions(self, level: StandardLevel) -> list[Condition]:
        """The conditions of a level that are in force."""
        return self.rubric.standard(level.standard).conditions(level.level, self.on)

    def needed(self, standard: Standard) -> list[Minimum]:
        """All minima of a standard's levels, in the commune's own kind."""
        return [condition.required(self.special) for level in _levels(standard) for condition in self.conditions(level)]

    def own(self, level: StandardLevel) -> bool | None:
        """Whether a level's own conditions are all met, whatever else it requires."""
        return _all(self.holds(condition.required(self.special)) for condition in self.conditions(level))

    def holds(self, minimum: Minimum) -> bool | None:
        """Whether a share reaches its minimum; a share without evidence does not."""
        value = self.values.get(minimum.share)
        return None if value is None else bool(value.evidence) and reaches(value.share, minimum.min, self.empty)

    def inapplicable(self, share: str) -> bool:
        """Whether it is shown that nobody is there to be counted."""
        value = self.values.get(share)
        return value is not None and bool(value.evidence) and nobody(value.share)

    def level(self, standard: Standard) -> int | None:
        """The level a standard reaches; `None` while a missing share leaves it open."""
        reached = 0
        for level in _levels(standard):
            if not self.met[level]:
                return reached if self.met[level] is False else None
            reached = level.level
        return reached

    def unreached(self, level: StandardLevel) -> list[Requirement]:
        """What a level requires and is not reached."""
        return [one for one in self.rubric.level(level).requires if self.met[one.of] is False]

    def name(self, of: StandardLevel) -> Text:
        """A level in words."""
        name = self.rubric.standard(of.standard).name
        return Text(vi=f"{name.vi} mức độ {of.level}", en=f"{name.en} level {of.level}")


def _levels(standard: Standard) -> list[StandardLevel]:
    return [StandardLevel(standard.id, number) for number in range(1, len(standard.levels) + 1)]


def _all(values: Iterable[bool | None]) -> bool | None:
    """One thing not met decides; otherwise one that is missing leaves it open."""
    found = list(values)
    return False if False in found else None if None in found else True


def _area_step(rubric: StandardsRubric, basis: str | None, on: date) -> Step:
    if basis is None:
        return step_on(
            readings_on(on).basis,
            "Khai xã đặc biệt khó khăn nhưng không nêu căn cứ: áp dụng tiêu chuẩn thông thường.",
            "A specially difficult commune is claimed without its basis: the ordinary thresholds apply.",
        )
    return step_on(
        rubric.specially_difficult,
        f"Áp dụng tiêu chuẩn của xã đặc biệt khó khăn theo {basis}.",
        f"The thresholds of specially difficult communes apply, on the basis of {basis}.",
    )


def _steps(case: _Case, standard: Standard, reached: int | None) -> list[Step]:
    """What a standard comes to, on the conditions that decided it."""
    levels = _levels(standard)
    if reached is None:
        open_level = next(level for level in levels if case.met[level] is None)
        rule = case.rubric.level(open_level)
        why = _open(case, open_level)
        waits = [one for one in rule.requires if case.met[one.of] is None]
        vi, en = f"{standard.name.vi}: chưa tính được. {why.vi}", f"{standard.name.en}: open. {why.en}"
        return [step_on(rule, vi, en, *waits)]
    decided = levels[max(reached - 1, 0)]
    rule = case.rubric.level(decided)
    # A working default that held nobody back made nothing: the level is reached with and without it.
    requires = [one for one in rule.requires if one.provenance is not Provenance.PROVISIONAL]
    conditions = case.conditions(decided)
    grounds: list[Grounded] = [*conditions, *requires]
    if any(case.inapplicable(one.required(case.special).share) for one in conditions):
        grounds.append(case.empty)
    if reached == 0:
        vi, en = f"{standard.name.vi}: chưa đạt.", f"{standard.name.en}: not reached."
    elif len(levels) == 1:
        vi, en = f"{standard.name.vi}: đạt.", f"{standard.name.en}: reached."
    else:
        vi, en = f"{standard.name.vi}: đạt mức độ {reached}.", f"{standard.name.en}: level {reached}."
    steps = [step_on(rule, vi, en, *grounds)]
    for level in levels[reached:]:
        if case.own(level):
            name = case.name(level)
            for one in case.unreached(level):
                needed = case.name(one.of)
                steps.append(
                    step_on(
                        one,
                        f"Điều kiện riêng của {name.vi} đều đạt, nhưng mức độ này cần {needed.vi}.",
                        f"The own conditions of {name.en} are all met, but it requires {needed.en}.",
                    )
                )
    return steps


def _open(case: _Case, level: StandardLevel) -> Text:
    """Why a level can be neither met nor refused."""
    minima = [condition.required(case.special) for condition in case.conditions(level)]
    absent = [minimum.share for minimum in minima if minimum.share not in case.values]
    waits = [case.name(one.of) for one in case.rubric.level(level).requires if case.met[one.of] is None]
    vi = [f"Chưa có {', '.join(absent)}."] if absent else []
    en = [f"Not sent: {', '.join(absent)}."] if absent else []
    vi += [f"Còn chờ {one.vi}." for one in waits]
    en += [f"It waits for {one.en}." for one in waits]
    return Text(vi=" ".join(vi), en=" ".join(en))


def _next_level(case: _Case, standard: Standard, reached: int | None) -> list[Text]:
    """In words, what the next level asks for; nothing where it is the highest, or cannot be told yet."""
    if reached is None or reached == len(standard.levels):
        return []
    level = StandardLevel(standard.id, reached + 1)
    wanted = case.name(level)
    found = []
    for minimum in (condition.required(case.special) for condition in case.conditions(level)):
        value = case.values.get(minimum.share)
        if value is None:
            found.append(Text(vi=f"Gửi {minimum.share}.", en=f"Send {minimum.share}."))
            continue
        if not value.evidence:
            found.append(
                Text(vi=f"Bổ sung minh chứng cho {minimum.share}.", en=f"Attach evidence for {minimum.share}.")
            )
        lack = short(minimum.share, case.measures[minimum.share].name, value.share, minimum.min, case.empty)
        found += [lack] if lack else []
    for one in case.unreached(level):
        needed = case.name(one.of)
        found.append(Text(vi=f"Cần đạt {needed.vi}.", en=f"{needed.en} must be reached."))
    return [Text(vi=f"{wanted.vi}: {one.vi}", en=f"{wanted.en}: {one.en}") for one in found]


def _criterion(case: _Case, standard: Standard, steps: list[Step]) -> CriterionResult:
    levels = _levels(standard)
    waiting = next((level for level in levels if case.met[level] is None), None)
    return CriterionResult(
        id=standard.id,
        name=standard.name,
        met={f"L{level.level}": case.met[level] for level in levels},
        targets=_targets(case, standard),
        reason=None if waiting is None else _open(case, waiting),
        citation=standard.citation,
        provenance=weakest([standard.provenance, *(step.provenance for step in steps)]),
    )


@dataclass(slots=True)
class _Asked:
    """What the levels of a standard ask of one share."""

    thresholds: dict[str, str]
    met: dict[str, bool | None]
    grounds: list[Condition]


def _targets(case: _Case, standard: Standard) -> list[TargetResult]:
    asked: dict[str, _Asked] = {}
    for level in _levels(standard):
        for condition in case.conditions(level):
            minimum = condition.required(case.special)
            one = asked.setdefault(minimum.share, _Asked({}, {}, []))
            one.thresholds[f"L{level.level}"] = f"≥ {EN.percent(minimum.min)}"
            one.met[f"L{level.level}"] = case.holds(minimum)
            one.grounds.append(condition)
    return [_target(case, case.measures[share], one) for share, one in asked.items()]


def _target(case: _Case, measure: Measure, asked: _Asked) -> TargetResult:
    value = case.values.get(measure.id)
    reason = None
    grounds: list[Grounded] = [*asked.grounds]
    applicable = not case.inapplicable(measure.id)
    if not applicable:
        grounds.append(case.empty)
        reason = inapplicable(asked_of(measure.id))
    step = step_on(measure, measure.name.vi, measure.name.en, *grounds)
    if value is None:
        reason = Text(vi=f"Chưa có dữ liệu: {measure.id}.", en=f"Not sent: {measure.id}.")
    elif not value.evidence:
        step = step_on(measure, measure.name.vi, measure.name.en, *grounds, case.rubric.no_evidence)
        reason = Text(vi="Không có minh chứng, coi là không đạt.", en="Without evidence it counts as not met.")
    return TargetResult(
        id=measure.id,
        name=measure.name,
        value=None if value is None else written(value.share),
        met=asked.met,
        applicable=applicable,
        threshold=asked.thresholds,
        reason=reason,
        evidence=[] if value is None else value.evidence,
        citation=step.citation,
        provenance=step.provenance,
    )
