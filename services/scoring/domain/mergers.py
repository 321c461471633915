"""Mergers of public district centres: what the rule of the day of the proposal says, and what came of a merger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.scoring.domain.judging import step_on
from shared.contracts.base import Provenance, Step, Text
from shared.contracts.facts import MergerFinding
from shared.contracts.submissions import ChangeTarget, CountTarget, DayTarget, MetTarget, PartsTarget, TargetsContent
from shared.rulebook import cut_off
from shared.rulebook.mergers import MergerRule, MergerRules
from shared.rulebook.reports import PartsField, ReportField, ReportRubric
from shared.wording import EN, VI

SAID: Mapping[MergerFinding, Text] = {
    "allowed": Text(vi="Được phép sáp nhập", en="The merger is allowed"),
    "not_allowed": Text(vi="Không được sáp nhập", en="The merger is not allowed"),
    "review_only": Text(vi="Chỉ được rà soát, chưa được sáp nhập", en="It may be reviewed, and not be merged yet"),
    "no_rule_found": Text(vi="Không tìm thấy quy định, nên không kết luận", en="No rule was found, so none is applied"),
}


@dataclass(frozen=True, slots=True)
class Merged:
    """What is said of a merger."""

    finding: MergerFinding | None = None
    wanted: Sequence[str] = ()
    """Fields that must be there because of what others say."""
    unusable: Sequence[str] = ()
    """Fields that were sent, and by which nothing can be judged."""
    too_early: Sequence[str] = ()
    """Fields that nobody can fill in yet."""
    steps: Sequence[Step] = ()
    notes: Sequence[Step] = ()
    next_step: Sequence[Text] = ()


def judge_merger(rubric: ReportRubric, content: TargetsContent, period: int) -> Merged:
    """Judge one merger; of any other report nothing is said.

    The day of the proposal picks the rules, whatever the period: what was allowed when it was proposed stays so.
    Nothing is found where that day or a kind of part is missing. Where no rule speaks of the merger that is said, and
    it is neither allowed nor forbidden.
    """
    rules = rubric.merger
    if rules is None:
        return Merged()
    fields = {one.id: one for one in rubric.fields}
    done = content.targets.get(rules.carried_out)
    carried_out = isinstance(done, MetTarget) and done.met
    after = [*rules.decision, *rules.review]
    found = _found(rubric, rules, fields, content, period, carried_out)
    return Merged(
        finding=found.finding,
        wanted=[*found.wanted, *(after if carried_out else ())],
        unusable=found.unusable,
        too_early=() if carried_out else after,
        steps=found.steps,
        notes=[*found.notes, *(_differences(rules, fields, content) if carried_out else ())],
        next_step=found.next_step,
    )


def _found(
    rubric: ReportRubric,
    rules: MergerRules,
    fields: Mapping[str, ReportField],
    content: TargetsContent,
    period: int,
    carried_out: bool,
) -> Merged:
    """What the rules say, before what came of it."""
    day = content.targets.get(rules.day)
    counts = {id: value.count for id in rules.parts if isinstance(value := content.targets.get(id), CountTarget)}
    if not isinstance(day, DayTarget) or len(counts) < len(rules.parts):
        return Merged()
    on = day.day
    if on > cut_off(period):
        return Merged(unusable=[rules.day], steps=[_too_late(fields[rules.day], on, period)])
    speaking = [one for one in rules.rules if one.speaks_of(on, frozenset(id for id in counts if counts[id]))]
    remarks = [step_on(one, one.text.vi, one.text.en) for one in speaking if one.outcome is None]
    deciding = [one for one in speaking if one.outcome is not None]
    steps = [_proposed(fields, rules, counts, on)]
    if not deciding:
        gap = next(gap for gap in rubric.gaps if gap.id == rules.no_rule)
        said = _sentence("no_rule_found", gap.text)
        steps.append(Step(what=said, citation=rubric.citation, provenance=Provenance.NOT_FOUND))
        return Merged(finding="no_rule_found", steps=steps, notes=remarks)
    first, *others = deciding
    lacking = _lacking(first, fields, content)
    if lacking is None:
        return Merged(wanted=[first.needs] if first.needs else [], steps=steps, notes=remarks)
    finding = "not_allowed" if lacking else first.outcome
    assert finding is not None
    next_step: list[Text] = []
    if lacking:
        names = Text(vi="; ".join(one.vi for one in lacking), en="; ".join(one.en for one in lacking))
        missing = Text(vi=f"chưa có {names.vi}.", en=f"there is no {names.en}.")
        steps.append(_step(first, finding, missing))
        next_step.append(Text(vi=f"Bổ sung: {names.vi}.", en=f"Prepare: {names.en}."))
    else:
        steps.append(_step(first, finding, first.text))
    notes = [_beside(one, finding) for one in others] + remarks
    if carried_out and finding != "allowed":
        notes.append(
            step_on(
                first,
                "Việc sáp nhập đã được thực hiện, dù quy định vào ngày đề nghị không cho phép.",
                "The merger was carried out, though the rule of the day of its proposal did not allow it.",
            )
        )
    return Merged(finding=finding, steps=steps, notes=notes, next_step=next_step)


# --------------------------------------------------------------------------------------------------- in words


def _sentence(finding: MergerFinding, text: Text) -> Text:
    return Text(vi=f"{SAID[finding].vi}: {text.vi}", en=f"{SAID[finding].en}: {text.en}")


def _step(rule: MergerRule, finding: MergerFinding, text: Text) -> Step:
    said = _sentence(finding, text)
    return step_on(rule, said.vi, said.en)


def _beside(rule: MergerRule, finding: MergerFinding) -> Step:
    """Another rule that speaks of the same merger; that it says otherwise is told."""
    assert rule.outcome is not None
    said = _sentence(rule.outcome, rule.text)
    if rule.outcome == finding:
        return step_on(rule, f"Ngoài ra: {said.vi}", f"Besides: {said.en}")
    return step_on(rule, f"Văn bản khác nói khác: {said.vi}", f"Another text says otherwise: {said.en}")


def _too_late(field: ReportField, on: date, period: int) -> Step:
    return step_on(
        field,
        f"{field.id}: đề nghị ngày {VI.day(on)} thuộc kỳ sau, nên không xét trong kỳ {period}.",
        f"{field.id}: what was proposed on {EN.day(on)} belongs to a later period, so {period} does not judge it.",
    )


def _proposed(fields: Mapping[str, ReportField], rules: MergerRules, counts: Mapping[str, int], on: date) -> Step:
    """Of what the merger is."""
    named = [(fields[id], number) for id, number in counts.items() if number]
    vi = "; ".join(f"{field.name.vi}: {VI(number)}" for field, number in named)
    en = "; ".join(f"{field.name.en}: {EN(number)}" for field, number in named)
    return step_on(fields[rules.day], f"Đề nghị ngày {VI.day(on)}, gồm: {vi}.", f"Proposed on {EN.day(on)}, of: {en}.")


def _lacking(rule: MergerRule, fields: Mapping[str, ReportField], content: TargetsContent) -> list[Text] | None:
    """The conditions of a rule that are not there; `None`: not all are told."""
    field = fields[rule.needs] if rule.needs is not None else None
    if not isinstance(field, PartsField):
        return []
    value = content.targets.get(field.id)
    if not isinstance(value, PartsTarget) or field.parts.keys() - value.parts.keys():
        return None
    return [name for part, name in field.parts.items() if not value.parts[part]]


# --------------------------------------------------------------------------------------------- before and after


def difference(before: int, after: int) -> Text:
    """By how much something rose or fell, and by what share of what it was."""
    if before == after:
        return Text(vi="không đổi", en="unchanged")
    moved = abs(after - before)
    vi, en = ("tăng", "up by") if after > before else ("giảm", "down by")
    if not before:
        return Text(vi=f"{vi} {VI(moved)}", en=f"{en} {EN(moved)}")
    share = Fraction(moved, before)
    return Text(vi=f"{vi} {VI(moved)} ({VI.percent(share)})", en=f"{en} {EN(moved)} ({EN.percent(share)})")


def _differences(rules: MergerRules, fields: Mapping[str, ReportField], content: TargetsContent) -> list[Step]:
    """What became of each figure that was sent."""
    steps = []
    for id, unit in rules.review.items():
        field, value = fields[id], content.targets.get(id)
        if isinstance(value, ChangeTarget):
            before, after = int(value.previous), int(value.current)
            moved = difference(before, after)
            steps.append(
                step_on(
                    field,
                    f"{field.name.vi}: từ {VI(before)} thành {VI(after)} {unit.vi}, {moved.vi}.",
                    f"{field.name.en}: from {EN(before)} to {EN(after)} {unit.en}, {moved.en}.",
                )
            )
    return steps
