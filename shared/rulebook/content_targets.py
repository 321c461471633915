"""The values of targets, and the kind of subject they are of: what a submission may say under a rubric of targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from shared.contracts.base import Problem, Text
from shared.contracts.submissions import (
    ChangeTarget,
    Content,
    CountedByDecision,
    CountTarget,
    LevelTarget,
    MoneyTarget,
    PartsTarget,
    Share,
    SharePairTarget,
    ShareTarget,
    TargetsContent,
    TargetValue,
)
from shared.refusals import problem
from shared.rulebook.mergers import MergerRules
from shared.rulebook.models import ModelShare, ModelsRubric
from shared.rulebook.reports import PartsField, ReportField, ReportRubric
from shared.rulebook.rubrics import PassFailRubric, Rubric
from shared.rulebook.standards import Measure, StandardsRubric
from shared.rulebook.targets import LEVELS, LevelRule, PartsRule, RecognisedShareRule, Target, Traits
from shared.rulebook.titles import titles_policy

Asked = Target | Measure | ModelShare | ReportField
"""Whatever a value is sent for."""
TargetsRubric = PassFailRubric | StandardsRubric | ModelsRubric | ReportRubric


def target_problems(rubric: TargetsRubric, content: TargetsContent) -> Iterator[Problem]:
    """All that makes the content unusable."""
    rules: Mapping[str, Asked] = {target.id: target for target in rubric.targets}
    for id, value in content.targets.items():
        field = f"/content/targets/{id}"
        rule = rules.get(id)
        if rule is None:
            yield unknown("target", field, id, rubric, rules)
        elif isinstance(rule, RecognisedShareRule):
            yield problem("content.computed_target", field, id=rule.id)
        elif value.type != rule.type:
            yield wrong_type(field, rule.id, rule.name, rule.type, value)
        else:
            yield from _value(field, rule, value)
    yield from _traits(rubric, content)
    if isinstance(rubric, ReportRubric):
        yield from _contained(rubric, content)
        if rubric.merger is not None:
            yield from _merged(rubric.merger, content)


def check_by_decision(rubric: Rubric, models: Mapping[str, CountedByDecision], content: Content) -> list[Problem]:
    """All that is wrong with models of which a file says only how many there are: one source for each.

    Codes: `not_by_decision`, `two_sources`, `numerator_above_denominator`, `numerator_of_nobody`.
    """
    found: list[Problem] = []
    known = titles_policy(rubric.effective_from).titles(rubric) if models and isinstance(rubric, ModelsRubric) else {}
    for id, value in models.items():
        field = f"/by_decision/{id}"
        if id not in known:
            ids = ", ".join(known)
            found.append(problem("content.not_by_decision", field, id=id, rule=rubric.legal_reference, known=ids))
        elif isinstance(content, TargetsContent) and id in content.targets:
            found.append(problem("content.two_sources", field, id=id))
        elif value.recognised is not None:
            share = Share(numerator=value.recognised, denominator=value.existing)
            place = f"{field}/recognised"
            found += (one.model_copy(update={"field": place}) for one in share_problems(field, id, share))
    return found


def doubts(rubric: TargetsRubric, content: TargetsContent) -> Iterator[Problem]:
    """What is accepted, but hardly meant."""
    if content.difficult_area and getattr(rubric, "difficult_area", None) is None:
        yield problem("content.difficult_area_not_used", "/content/difficult_area", rule=rubric.legal_reference)
    elif content.difficult_area and content.difficult_area_basis is None:
        yield problem("content.difficult_area_without_basis", "/content/difficult_area_basis")
    if content.specially_difficult and not isinstance(rubric, StandardsRubric):
        yield problem(
            "content.specially_difficult_not_used", "/content/specially_difficult", rule=rubric.legal_reference
        )
    elif content.specially_difficult and content.specially_difficult_basis is None:
        yield problem("content.specially_difficult_without_basis", "/content/specially_difficult_basis")
    if isinstance(rubric, PassFailRubric) and rubric.traits is not None:
        for target in rubric.targets:
            if target.id in content.targets and not any(target.holds(level, content.traits) for level in LEVELS):
                yield _does_not_hold(target, rubric.traits, content)


# ---------------------------------------------------------------------------------------------------------- kinds


def _traits(rubric: TargetsRubric, content: TargetsContent) -> Iterator[Problem]:
    rule = rubric.traits if isinstance(rubric, PassFailRubric) else None
    known = rule.names if rule else {}
    for place, trait in enumerate(content.traits):
        if trait not in known:
            yield _unknown_trait(f"/content/traits/{place}", trait, rubric, known)
    for group in rule.groups if rule else []:
        named = [trait for trait in group if trait in content.traits]
        if len(named) != 1:
            yield _one_of(group, named)


def _unknown_trait(field: str, trait: str, rubric: Rubric, known: Mapping[str, Text]) -> Problem:
    expected = Text(vi="không có loại nào: quy định này không phân biệt", en="none: this rule makes no difference")
    if known:
        expected = Text(vi=f"một trong: {_listed(known).vi}", en=f"one of: {_listed(known).en}")
    return problem("content.unknown_trait", field, rule=rubric.legal_reference, trait=trait, known=expected)


def _one_of(group: Mapping[str, Text], named: list[str]) -> Problem:
    if not named:
        return problem("content.trait_missing", "/content/traits", group=_listed(group))
    ids = ", ".join(f"`{trait}`" for trait in named)
    return problem("content.traits_contradict", "/content/traits", named=ids, group=_listed(group))


def _listed(names: Mapping[str, Text]) -> Text:
    return Text(
        vi=", ".join(f"`{trait}` ({name.vi})" for trait, name in names.items()),
        en=", ".join(f"`{trait}` ({name.en})" for trait, name in names.items()),
    )


def _does_not_hold(target: Target, traits: Traits, content: TargetsContent) -> Problem:
    kinds = _listed({trait: name for trait, name in traits.names.items() if trait in content.traits})
    return problem("content.target_does_not_hold", f"/content/targets/{target.id}", id=target.id, kinds=kinds)


# --------------------------------------------------------------------------------------------------------- values


def wrong_type(field: str, id: str, name: Text, type: str, value: TargetValue) -> Problem:
    """A value of another type than the target's."""
    return problem("content.wrong_target_type", f"{field}/type", id=id, name=name, type=type, given=value.type)


def _value(field: str, rule: Asked, value: TargetValue) -> Iterator[Problem]:
    match rule, value:
        case PartsRule() | PartsField(), PartsTarget():
            yield from _parts(field, rule, value)
        case LevelRule(), LevelTarget() if value.level > rule.max_level:
            place, most = f"{field}/level", rule.max_level
            yield problem("content.level_above_scale", place, id=rule.id, level=value.level, most=most)
        case _, ShareTarget():
            yield from share_problems(f"{field}/share", rule.id, value.share)
        case _, SharePairTarget():
            whole = [
                *share_problems(f"{field}/trained", rule.id, value.trained),
                *share_problems(f"{field}/university", rule.id, value.university),
            ]
            yield from whole
            if not whole and _more(value.university, value.trained):
                yield problem("content.university_above_trained", f"{field}/university", id=rule.id)


def _parts(field: str, rule: PartsRule | PartsField, value: PartsTarget) -> Iterator[Problem]:
    names = ", ".join(f"`{known}`" for known in rule.parts)
    for part in value.parts:
        if part not in rule.parts:
            place = f"{field}/parts/{_escape(part)}"
            yield problem("content.unknown_part", place, id=rule.id, part=part, parts=names)


def share_problems(field: str, id: str, share: Share) -> Iterator[Problem]:
    """A share that is more than the whole, or of nobody."""
    part, whole, place = share.numerator, share.denominator, f"{field}/numerator"
    if part and not whole:
        yield problem("content.numerator_of_nobody", place, id=id, numerator=part)
    elif part > whole:
        yield problem("content.numerator_above_denominator", place, id=id, numerator=part, denominator=whole)


def _contained(rubric: ReportRubric, content: TargetsContent) -> Iterator[Problem]:
    """A part that is more than its whole: of two shares each of the two counts."""
    for rule in rubric.fields:
        whole = getattr(rule, "at_most", None)
        part, other = content.targets.get(rule.id), content.targets.get(whole or "")
        if part is None or other is None:
            continue
        for place, own, most in _compared(part, other):
            if own > most:
                at = f"/content/targets/{rule.id}/{place}"
                yield problem("content.part_above_whole", at, id=rule.id, part=own, other=whole, most=most)


def _compared(part: TargetValue, whole: TargetValue) -> Iterator[tuple[str, int, int]]:
    """Where, what is there, and the most that may be there. Values of other types are told of by themselves."""
    match part, whole:
        case ShareTarget(), ShareTarget():
            yield "share/numerator", part.share.numerator, whole.share.numerator
            yield "share/denominator", part.share.denominator, whole.share.denominator
        case ShareTarget(), CountTarget():
            yield "share/denominator", part.share.denominator, whole.count
        case CountTarget(), CountTarget():
            yield "count", part.count, whole.count
        case CountTarget(), ShareTarget():
            yield "count", part.count, whole.share.denominator
        case MoneyTarget(), MoneyTarget():
            yield "amount", part.amount, whole.amount


def _merged(rules: MergerRules, content: TargetsContent) -> Iterator[Problem]:
    """A merger of less than two, and what is compared before and after in anything but whole numbers."""
    parts = [value.count for id in rules.parts if isinstance(value := content.targets.get(id), CountTarget)]
    if len(parts) == len(rules.parts) and sum(parts) < 2:
        named = ", ".join(rules.parts)
        yield problem("content.merger_of_less_than_two", "/content/targets", parts=sum(parts), named=named)
    for id in rules.review:
        value = content.targets.get(id)
        if isinstance(value, ChangeTarget):
            for place, figure in (("previous", value.previous), ("current", value.current)):
                if figure % 1:
                    yield problem("content.not_whole", f"/content/targets/{id}/{place}", id=id, figure=figure)


def _more(one: Share, other: Share) -> bool:
    """Whether a share is larger than another; a share of nobody is not compared."""
    return one.numerator * other.denominator > other.numerator * one.denominator


# --------------------------------------------------------------------------------------------------- common


def unknown(
    what: Literal["criterion", "indicator", "target"], field: str, id: str, rubric: Rubric, known: Iterable[str]
) -> Problem:
    """Something that the rubric does not have, with what it has."""
    return problem(f"content.unknown_{what}", field, rule=rubric.legal_reference, id=id, known=", ".join(known))


def _escape(key: str) -> str:
    """A key inside a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
