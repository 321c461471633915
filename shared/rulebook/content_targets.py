"""The values of targets, and the kind of subject they are of: what a submission may say under a rubric of targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from shared.contracts.base import Problem, Text
from shared.contracts.submissions import (
    LevelTarget,
    PartsTarget,
    Share,
    SharePairTarget,
    ShareTarget,
    TargetsContent,
    TargetValue,
)
from shared.rulebook.models import ModelShare, ModelsRubric
from shared.rulebook.rubrics import PassFailRubric, Rubric
from shared.rulebook.standards import Measure, StandardsRubric
from shared.rulebook.targets import LEVELS, LevelRule, PartsRule, RecognisedShareRule, Target, Traits

Asked = Target | Measure | ModelShare
"""Whatever a value is sent for."""
TargetsRubric = PassFailRubric | StandardsRubric | ModelsRubric


def target_problems(rubric: TargetsRubric, content: TargetsContent) -> Iterator[Problem]:
    """All that makes the content unusable."""
    rules: Mapping[str, Asked] = {target.id: target for target in rubric.targets}
    for id, value in content.targets.items():
        field = f"/content/targets/{id}"
        rule = rules.get(id)
        if rule is None:
            yield unknown("target", "chỉ tiêu", field, id, rubric, rules)
        elif isinstance(rule, RecognisedShareRule):
            yield _computed(field, rule)
        elif value.type != rule.type:
            yield wrong_type(field, rule.id, rule.name, rule.type, value)
        else:
            yield from _value(field, rule, value)
    yield from _traits(rubric, content)


def doubts(rubric: TargetsRubric, content: TargetsContent) -> Iterator[Problem]:
    """What is accepted, but hardly meant."""
    if content.difficult_area and content.difficult_area_basis is None:
        yield _without_basis("difficult_area", Text(vi="vùng khó khăn", en="a difficult area"))
    if content.specially_difficult and content.specially_difficult_basis is None:
        area = Text(vi="xã đặc biệt khó khăn", en="a specially difficult commune")
        yield _without_basis("specially_difficult", area)
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
    return Problem(
        code="unknown_trait",
        field=field,
        message=Text(
            vi=f"{rubric.legal_reference} không có loại đơn vị `{trait}`.",
            en=f"{rubric.legal_reference} has no kind `{trait}`.",
        ),
        expected=expected,
        mend=Text(vi="Sửa mã loại hoặc bỏ mục này.", en="Correct the kind's id or remove the entry."),
    )


def _one_of(group: Mapping[str, Text], named: list[str]) -> Problem:
    listed = _listed(group)
    message = Text(vi="Chưa nêu đơn vị thuộc loại nào.", en="It is not said of which kind the unit is.")
    if named:
        ids = ", ".join(f"`{trait}`" for trait in named)
        message = Text(vi=f"Nêu nhiều loại trái nhau: {ids}.", en=f"Kinds that exclude each other are named: {ids}.")
    return Problem(
        code="traits_contradict" if named else "trait_missing",
        field="/content/traits",
        message=message,
        expected=Text(vi=f"đúng một trong: {listed.vi}", en=f"exactly one of: {listed.en}"),
        mend=Text(vi="Ghi đúng một loại trong nhóm này.", en="Name exactly one kind of this group."),
    )


def _listed(names: Mapping[str, Text]) -> Text:
    return Text(
        vi=", ".join(f"`{trait}` ({name.vi})" for trait, name in names.items()),
        en=", ".join(f"`{trait}` ({name.en})" for trait, name in names.items()),
    )


def _does_not_hold(target: Target, traits: Traits, content: TargetsContent) -> Problem:
    kinds = _listed({trait: name for trait, name in traits.names.items() if trait in content.traits})
    return Problem(
        code="target_does_not_hold",
        field=f"/content/targets/{target.id}",
        message=Text(
            vi=f"{target.id} không áp dụng cho loại đơn vị này; giá trị không được dùng.",
            en=f"{target.id} does not hold for a unit of this kind; its value is not used.",
        ),
        expected=Text(vi=f"không có {target.id} với {kinds.vi}", en=f"no {target.id} with {kinds.en}"),
        mend=Text(vi="Kiểm tra loại đơn vị; bỏ chỉ tiêu này nếu đúng loại.", en="Check the kinds; else leave it out."),
    )


# --------------------------------------------------------------------------------------------------------- values


def _computed(field: str, rule: RecognisedShareRule) -> Problem:
    return Problem(
        code="computed_target",
        field=field,
        message=Text(
            vi=f"{rule.id} được tính từ các quyết định công nhận, không nhận số tự khai.",
            en=f"{rule.id} is counted from the decisions that recognise; a figure of one's own is not taken.",
        ),
        expected=Text(vi=f"không có {rule.id}", en=f"no {rule.id}"),
        mend=Text(
            vi="Bỏ mục này; gửi các quyết định công nhận còn thiếu.",
            en="Remove the entry; send the decisions that are missing.",
        ),
    )


def wrong_type(field: str, id: str, name: Text, type: str, value: TargetValue) -> Problem:
    """A value of another type than the target's."""
    return Problem(
        code="wrong_target_type",
        field=f"{field}/type",
        message=Text(
            vi=f"{id} được gửi với kiểu `{value.type}`.",
            en=f"{id} was sent with the type `{value.type}`.",
        ),
        expected=Text(vi=f"kiểu `{type}`", en=f"the type `{type}`"),
        mend=Text(
            vi=f"Gửi {id} ({name.vi}) theo kiểu `{type}`.",
            en=f"Send {id} ({name.en}) as `{type}`.",
        ),
    )


def _value(field: str, rule: Asked, value: TargetValue) -> Iterator[Problem]:
    match rule, value:
        case PartsRule(), PartsTarget():
            yield from _parts(field, rule, value)
        case LevelRule(), LevelTarget() if value.level > rule.max_level:
            yield Problem(
                code="level_above_scale",
                field=f"{field}/level",
                message=Text(
                    vi=f"{rule.id} có mức độ {value.level}, chuẩn này không có mức độ đó.",
                    en=f"{rule.id} has level {value.level}, which this standard does not have.",
                ),
                expected=Text(vi=f"từ 0 (chưa đạt) đến {rule.max_level}", en=f"0 (not reached) to {rule.max_level}"),
                mend=Text(vi="Ghi mức độ đã được công nhận.", en="Give the level that was recognised."),
            )
        case _, ShareTarget():
            yield from share_problems(f"{field}/share", rule.id, value.share)
        case _, SharePairTarget():
            whole = [
                *share_problems(f"{field}/trained", rule.id, value.trained),
                *share_problems(f"{field}/university", rule.id, value.university),
            ]
            yield from whole
            if not whole and _fraction(value.university) > _fraction(value.trained):
                yield Problem(
                    code="university_above_trained",
                    field=f"{field}/university",
                    message=Text(
                        vi=f"{rule.id}: tỷ lệ đại học trở lên lớn hơn tỷ lệ được đào tạo.",
                        en=f"{rule.id}: the university share is larger than the share of trained people.",
                    ),
                    expected=Text(
                        vi="người có trình độ đại học là một phần của người được đào tạo",
                        en="people with a university degree are part of the trained people",
                    ),
                    mend=Text(vi="Kiểm tra lại hai tỷ lệ.", en="Check both shares."),
                )


def _parts(field: str, rule: PartsRule, value: PartsTarget) -> Iterator[Problem]:
    for part in value.parts:
        if part not in rule.parts:
            names = ", ".join(f"`{known}`" for known in rule.parts)
            yield Problem(
                code="unknown_part",
                field=f"{field}/parts/{_escape(part)}",
                message=Text(vi=f"{rule.id} không có phần `{part}`.", en=f"{rule.id} has no part `{part}`."),
                expected=Text(vi=f"một trong: {names}", en=f"one of: {names}"),
                mend=Text(vi="Sửa tên hoặc bỏ phần này.", en="Correct the name or remove the part."),
            )


def share_problems(field: str, id: str, share: Share) -> Iterator[Problem]:
    """A share that is more than the whole."""
    if share.numerator > share.denominator:
        yield Problem(
            code="numerator_above_denominator",
            field=f"{field}/numerator",
            message=Text(
                vi=f"{id}: {share.numerator} người trên tổng {share.denominator} người.",
                en=f"{id}: {share.numerator} of {share.denominator} people.",
            ),
            expected=Text(vi=f"từ 0 đến {share.denominator}", en=f"0 to {share.denominator}"),
            mend=Text(vi="Kiểm tra lại tử số và mẫu số.", en="Check numerator and denominator."),
        )


def _fraction(share: Share) -> Fraction:
    return Fraction(share.numerator, share.denominator)


def _without_basis(claim: str, area: Text) -> Problem:
    return Problem(
        code=f"{claim}_without_basis",
        field=f"/content/{claim}_basis",
        message=Text(
            vi=f"Khai là {area.vi} nhưng không nêu căn cứ; các ngưỡng thông thường được áp dụng.",
            en=f"It is claimed to be {area.en} without its basis; the ordinary thresholds apply.",
        ),
        expected=Text(
            vi=f"số và ngày của quyết định xác định {area.vi}",
            en="number and date of the decision that says so",
        ),
        mend=Text(vi="Gửi bản sửa có nêu căn cứ.", en="Send a correction that names the basis."),
    )


# --------------------------------------------------------------------------------------------------- common


def unknown(en: str, vi: str, field: str, id: str, rubric: Rubric, known: Iterable[str]) -> Problem:
    """Something that the rubric does not have, with what it has."""
    names = ", ".join(known)
    return Problem(
        code=f"unknown_{en}",
        field=field,
        message=Text(
            vi=f"{rubric.legal_reference} không có {vi} {id}.",
            en=f"{rubric.legal_reference} has no {en} {id}.",
        ),
        expected=Text(vi=f"một trong: {names}", en=f"one of: {names}"),
        mend=Text(vi=f"Sửa mã {vi} hoặc bỏ mục này.", en=f"Correct the {en}'s id or remove the entry."),
    )


def _escape(key: str) -> str:
    """A key inside a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")
