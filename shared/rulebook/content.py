"""Does the content of a submission fit its rubric? Pure; finds all problems at once, so that a sender mends once.

What is missing is no problem here: it makes the result `incomplete`, never a low score.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction

from shared.contracts.base import Problem, Text
from shared.contracts.submissions import (
    AwardedPoints,
    Content,
    LevelTarget,
    PartsTarget,
    PointsContent,
    Share,
    SharePairTarget,
    ShareTarget,
    TargetsContent,
    TargetValue,
)
from shared.rulebook.rubrics import LevelRule, PartsRule, PassFailRubric, PointsRubric, Rubric, Target


def check_content(rubric: Rubric, content: Content) -> tuple[list[Problem], list[Problem]]:
    """Check a submission's content against its rubric.

    Returns:
        (problems, warnings): with a problem the submission cannot be accepted, a warning only informs. `field` is a
        JSON pointer into the submission (`/content/points/TC3/points`). Codes are stable:
        `wrong_rubric_kind`, `unknown_criterion`, `points_above_maximum`, `points_not_half`, `unknown_target`,
        `wrong_target_type`, `unknown_part`, `level_above_scale`, `numerator_above_denominator`,
        `university_above_trained`; warnings: `difficult_area_without_basis`.
    """
    match rubric, content:
        case PointsRubric(), PointsContent():
            return list(_points(rubric, content)), []
        case PassFailRubric(), TargetsContent():
            return list(_targets(rubric, content)), list(_doubts(content))
        case _:
            return [_wrong_kind(rubric)], []


def _wrong_kind(rubric: Rubric) -> Problem:
    needed = Text(vi="điểm theo tiêu chí (`points`)", en="points per criterion (`points`)")
    if isinstance(rubric, PassFailRubric):
        needed = Text(vi="giá trị theo chỉ tiêu (`pass_fail`)", en="values per target (`pass_fail`)")
    return Problem(
        code="wrong_rubric_kind",
        field="/content/scoring",
        message=Text(
            vi=f"Nội dung không đúng cách chấm của {rubric.legal_reference}.",
            en=f"The content does not have the kind of scoring of {rubric.legal_reference}.",
        ),
        expected=needed,
        mend=Text(
            vi="Gửi lại theo biểu mẫu của quy định áp dụng cho kỳ đánh giá này.",
            en="Send it again in the form of the rule that applies to this period.",
        ),
    )


# --------------------------------------------------------------------------------------------------- points


def _points(rubric: PointsRubric, content: PointsContent) -> Iterator[Problem]:
    known = [criterion.id for criterion in rubric.criteria]
    for id, awarded in content.points.items():
        if id not in known:
            yield _unknown("criterion", "tiêu chí", f"/content/points/{id}", id, rubric, known)
        else:
            yield from _awarded(rubric, id, awarded)


def _awarded(rubric: PointsRubric, id: str, awarded: AwardedPoints) -> Iterator[Problem]:
    field = f"/content/points/{id}/points"
    maximum, step = rubric.maximum(id), rubric.point_table.step
    if awarded.points > maximum:
        yield Problem(
            code="points_above_maximum",
            field=field,
            message=Text(
                vi=f"{id} có {plain(awarded.points)} điểm, vượt mức tối đa.",
                en=f"{id} has {plain(awarded.points)} points, more than its maximum.",
            ),
            expected=Text(
                vi=f"từ 0 đến {plain(maximum)} điểm (bảng điểm {rubric.point_table.id})",
                en=f"0 to {plain(maximum)} points (point table {rubric.point_table.id})",
            ),
            mend=Text(vi=f"Sửa điểm của {id}.", en=f"Correct the points of {id}."),
        )
    if awarded.points % step:
        yield Problem(
            code="points_not_half",
            field=field,
            message=Text(
                vi=f"{id} có {plain(awarded.points)} điểm, không phải bội số của {plain(step)}.",
                en=f"{id} has {plain(awarded.points)} points, not a multiple of {plain(step)}.",
            ),
            expected=Text(vi="điểm nguyên hoặc nửa điểm", en="whole or half points"),
            mend=Text(vi=f"Làm tròn điểm của {id} theo biên bản.", en=f"Give {id} the points of the signed record."),
        )


def plain(number: Decimal) -> str:
    """A decimal as people write it: without exponent or trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# ------------------------------------------------------------------------------------------------ pass/fail


def _targets(rubric: PassFailRubric, content: TargetsContent) -> Iterator[Problem]:
    rules = {target.id: target for target in rubric.targets}
    for id, value in content.targets.items():
        field = f"/content/targets/{id}"
        rule = rules.get(id)
        if rule is None:
            yield _unknown("target", "chỉ tiêu", field, id, rubric, rules)
        elif value.type != rule.type:
            yield _wrong_type(field, rule, value)
        else:
            yield from _value(field, rule, value)


def _wrong_type(field: str, rule: Target, value: TargetValue) -> Problem:
    return Problem(
        code="wrong_target_type",
        field=f"{field}/type",
        message=Text(
            vi=f"{rule.id} được gửi với kiểu `{value.type}`.",
            en=f"{rule.id} was sent with the type `{value.type}`.",
        ),
        expected=Text(vi=f"kiểu `{rule.type}`", en=f"the type `{rule.type}`"),
        mend=Text(
            vi=f"Gửi {rule.id} ({rule.name.vi}) theo kiểu `{rule.type}`.",
            en=f"Send {rule.id} ({rule.name.en}) as `{rule.type}`.",
        ),
    )


def _value(field: str, rule: Target, value: TargetValue) -> Iterator[Problem]:
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
            yield from _share(f"{field}/share", rule.id, value.share)
        case _, SharePairTarget():
            whole = [
                *_share(f"{field}/trained", rule.id, value.trained),
                *_share(f"{field}/university", rule.id, value.university),
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


def _share(field: str, id: str, share: Share) -> Iterator[Problem]:
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


def _doubts(content: TargetsContent) -> Iterator[Problem]:
    if content.difficult_area and content.difficult_area_basis is None:
        yield Problem(
            code="difficult_area_without_basis",
            field="/content/difficult_area_basis",
            message=Text(
                vi="Khai là vùng khó khăn nhưng không nêu căn cứ; các ngưỡng thông thường được áp dụng.",
                en="A difficult area is claimed without its basis; the ordinary thresholds apply.",
            ),
            expected=Text(
                vi="số và ngày của quyết định xác định vùng khó khăn",
                en="number and date of the decision that says so",
            ),
            mend=Text(vi="Gửi bản sửa có nêu căn cứ.", en="Send a correction that names the basis."),
        )


# --------------------------------------------------------------------------------------------------- common


def _unknown(en: str, vi: str, field: str, id: str, rubric: Rubric, known: Iterable[str]) -> Problem:
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
