"""Rules as text for people: a tree of values, each with its ground; and what differs between two rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple

from pydantic import BaseModel

from cli.output import Language
from shared.contracts.base import Text
from shared.rulebook.source import Dated
from shared.wording import VI, plain

HEAD = {"id", "name", "effective_from", "effective_to", "successor", "citation", "provenance"}
"""What `heading` says; the tree below it leaves it out."""

LABELS = {
    "after_approval": ("Sau khi phê duyệt", "After approval"),
    "all_targets": ("Mọi chỉ tiêu", "All targets"),
    "amount": ("mức (đồng)", "amount (đồng)"),
    "at_most": ("không quá", "at most"),
    "classes": ("Khu vực", "Classes"),
    "closes": ("Khóa sổ", "Closes"),
    "conditions": ("Điều kiện", "Conditions"),
    "counted": ("đếm", "counted in"),
    "counts_as": ("tính là", "counts as"),
    "criteria": ("Tiêu chí", "Criteria"),
    "cut_offs": ("Điểm cắt", "Cut-offs"),
    "day": ("ngày", "day"),
    "carried_out": ("Đã sáp nhập", "Carried out"),
    "deadline": ("Hạn nộp", "Deadline"),
    "decided_by": ("Cơ quan quyết định", "Who decides"),
    "decision": ("Quyết định", "Decision"),
    "difficult_area": ("Vùng khó khăn", "Difficult area"),
    "difficult_area_of": ("trong vùng khó khăn của", "in difficult areas of"),
    "falls": ("thường rơi vào", "usually falls"),
    "each_of": ("có đơn vị trong mỗi nhóm", "of each of these takes part"),
    "fields": ("Mục báo cáo", "Fields"),
    "fractional_totals": ("Tổng điểm lẻ", "Fractional totals"),
    "gap_free_bands": ("Khung liền nhau", "Gap-free bands"),
    "gaps": ("Khoảng trống (chưa tìm thấy)", "Gaps (not found)"),
    "grades": ("Xếp loại", "Grades"),
    "indicators": ("Chỉ số", "Indicators"),
    "initial_equipment": ("Trang bị ban đầu", "Initial equipment"),
    "last_day": ("hết ngày", "at the end of"),
    "legal_reference": ("Văn bản", "Legal reference"),
    "levels": ("Mức độ", "Levels"),
    "max": ("dưới", "below"),
    "max_inclusive": ("gồm cả mức cao nhất", "its maximum included"),
    "max_level": ("mức cao nhất", "highest level"),
    "maxima": ("Điểm tối đa", "Maximum points"),
    "metric": ("tỷ lệ", "share"),
    "min": ("từ", "from"),
    "min_level": ("mức độ cần đạt", "level needed"),
    "merger": ("Sáp nhập", "Merger"),
    "minimum_rule": ("Điểm tối thiểu", "Minimum rule"),
    "models": ("Mô hình", "Models"),
    "month": ("tháng", "month"),
    "months": ("số tháng", "months"),
    "needs": ("điều kiện", "on the conditions"),
    "needs_basis": ("cần căn cứ", "needs its basis"),
    "no_evidence": ("Không có minh chứng", "Without evidence"),
    "note": ("Ghi chú", "Note"),
    "out_of": ("trên tổng", "out of"),
    "no_rule": ("Không có quy định", "Where no rule is found"),
    "only": ("chỉ gồm", "nothing but"),
    "outcome": ("kết luận", "outcome"),
    "parts": ("gồm", "parts"),
    "plan": ("Kế hoạch để so", "Plan that it stands beside"),
    "planned": ("chỉ tiêu kế hoạch", "planned"),
    "point_table": ("Bảng điểm", "Point table"),
    "policy": ("cách tính", "policy"),
    "ranking": ("Xếp hạng", "Ranking"),
    "recognised": ("Công nhận", "Recognition"),
    "reference": ("theo kết quả của", "by the result of"),
    "required": ("bắt buộc", "required"),
    "review": ("Trước và sau", "Before and after"),
    "rubric": ("Bộ tiêu chí", "Rubric"),
    "rule": ("quy tắc", "rule"),
    "rules": ("Quy định", "Rules"),
    "scoring": ("Cách chấm", "Scoring"),
    "series": ("Loạt", "Series"),
    "since": ("từ", "from"),
    "standards": ("Tiêu chuẩn", "Standards"),
    "step": ("bước điểm", "step"),
    "targets": ("Chỉ tiêu", "Targets"),
    "thresholds": ("Ngưỡng", "Thresholds"),
    "thresholds_difficult_area": ("Ngưỡng vùng khó khăn", "Thresholds in difficult areas"),
    "total": ("Tổng điểm", "Total"),
    "until": ("đến trước", "until before"),
    "validity": ("Hiệu lực công nhận", "Validity"),
    "yearly": ("Mức tối thiểu hằng năm", "Yearly minimum"),
    "years_after": ("số năm sau kỳ", "years after the period"),
}
"""Vietnamese and English names of the entries that officials look for; others keep the name that the file has."""


def label(key: str, language: Language) -> str:
    """An entry's name for people."""
    vi, en = LABELS.get(key, (key, key))
    return vi if language is Language.VI else en


def heading(rule: Dated, language: Language) -> list[str]:
    """What the rule is, from when to when it holds, and on what ground."""
    vi = language is Language.VI
    end = rule.effective_to
    until = ("còn hiệu lực" if vi else "no end") if end is None else f"{'đến trước' if vi else 'until before'} {end}"
    lines = [f"{rule.id}: {said(rule.name, language)}", f"  {'từ' if vi else 'from'} {rule.effective_from}, {until}"]
    if rule.successor:
        lines.append(f"  {'tiếp nối' if vi else 'followed by'}: {rule.successor}")
    return [*lines, f"  {ground(rule)}"]


def tree(rule: BaseModel, language: Language, depth: int = 1, skip: frozenset[str] = frozenset(HEAD)) -> Iterator[str]:
    """All values of a rule in the order of its kind, one line each; entries that are not set are left out."""
    for key in type(rule).model_fields:
        value = getattr(rule, key)
        if key not in skip and not _is_unset(value):
            yield from _entry(label(key, language), value, language, depth)


def _entry(name: str, value: Any, language: Language, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, BaseModel) and not isinstance(value, Text):
        yield f"{indent}{name}: {_inline(value, language)}"
        yield from _below(value, language, depth + 1)
    elif isinstance(value, list) and any(isinstance(one, BaseModel) for one in value):
        yield f"{indent}{name}:"
        for one in value:
            yield f"{indent}  {_inline(one, language)}"
            yield from _below(one, language, depth + 2)
    elif isinstance(value, Mapping) and any(_is_grounded(one) for one in value.values()):
        yield f"{indent}{name}:"
        for key, one in value.items():
            yield f"{indent}  {key}: {_inline(one, language)}"
            yield from _below(one, language, depth + 2)
    else:
        yield f"{indent}{name}: {said(value, language)}"


def _is_unset(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, list | dict) and not value)


def _is_grounded(value: Any) -> bool:
    return isinstance(value, BaseModel) and hasattr(value, "citation")


def _is_small(value: Any) -> bool:
    if isinstance(value, BaseModel) and not isinstance(value, Text):
        return not hasattr(value, "citation") and all(
            _is_small(getattr(value, key)) for key in type(value).model_fields
        )
    if isinstance(value, list | tuple):
        return all(_is_small(one) and not (isinstance(one, BaseModel) and hasattr(one, "id")) for one in value)
    return all(_is_small(one) for one in value.values()) if isinstance(value, Mapping) else True


def _inline(value: Any, language: Language) -> str:
    """One entry on one line: id and name, its small values, its ground."""
    if not isinstance(value, BaseModel):
        return said(value, language)
    held = {key: getattr(value, key) for key in type(value).model_fields}
    first = [said(held[key], language) for key in ("id", "name", "text") if held.get(key) is not None]
    small = [
        label(key, language) if one is True else f"{label(key, language)} {said(one, language)}"
        for key, one in held.items()
        if key not in {"id", "name", "text", "citation", "provenance", "type", "state"}
        and _is_small(one)
        and not _is_unset(one)
    ]
    text = ", ".join([" ".join(first), *small] if first else small)
    return f"{text}  {ground(value)}".strip() if _is_grounded(value) else text


def _below(value: Any, language: Language, depth: int) -> Iterator[str]:
    """The entries of a value that are too large for its line."""
    if isinstance(value, BaseModel) and not isinstance(value, Text):
        small = {key for key in type(value).model_fields if _is_small(getattr(value, key))}
        yield from tree(value, language, depth, frozenset(small | {"citation", "provenance"}))


def ground(rule: Any) -> str:
    """How well a value is supported and where it stands in the law."""
    return f"[{rule.provenance.value}: {rule.citation}]"


def said(value: Any, language: Language = Language.EN) -> str:
    """A value as people write it: shares that are whole per cent as such, texts in the language."""
    match value:
        case Text():
            return value.vi if language is Language.VI else value.en
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case Decimal():
            return plain(value)
        case Fraction():
            return exact(value)
        case BaseModel():
            held = {key: getattr(value, key) for key in type(value).model_fields}
            return ", ".join(f"{key} {said(one, language)}" for key, one in held.items() if not _is_unset(one))
        case Mapping():
            return ", ".join(f"{said(key)}: {said(one, language)}" for key, one in value.items())
        case list() | tuple():
            return ", ".join(f"({said(one)})" if isinstance(one, list) else said(one, language) for one in value)
        case int():
            return VI(value) if value >= 10_000 else str(value)
        case None:
            return "–"
        case _:
            return str(value)


def exact(value: Fraction) -> str:
    """A fraction without loss: `60 %`, `1.25` or `1/3`."""
    if 0 < value < 1 and (value * 100).denominator == 1:
        return f"{value * 100} %"
    if 10**6 % value.denominator == 0:
        return plain(Decimal(value.numerator) / Decimal(value.denominator))
    return f"{value.numerator}/{value.denominator}"


# ------------------------------------------------------------------------------------------------ what differs


class Change(NamedTuple):
    """One value that differs; `None` on the side that does not have it."""

    place: str
    before: str | None
    after: str | None


def changes(before: Any, after: Any) -> list[Change]:
    """Every value that differs, by its place; entries of a list that have an id are compared by it, not by position."""
    left, right = dict(_flat(before)), dict(_flat(after))
    return [
        Change(place, left.get(place), right.get(place))
        for place in dict.fromkeys([*left, *right])
        if left.get(place) != right.get(place)
    ]


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _flat(one, f"{place}/{key}" if place else str(key))
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) and "id" in one for one in value):
        for one in value:
            yield from _flat({key: each for key, each in one.items() if key != "id"}, f"{place}/{one['id']}")
    elif isinstance(value, list):
        for nth, one in enumerate(value):
            yield from _flat(one, f"{place}/{nth}")
    elif isinstance(value, Decimal | Fraction) or type(value) is int or _is_number(value):
        yield place, exact(Fraction(value))
    elif value is not None:
        yield place, value.isoformat() if isinstance(value, date) else said(value)


def _is_number(value: Any) -> bool:
    """Whether a text of a file is a number that a model would read as one (`"60/100"`)."""
    return type(value) is str and re.fullmatch(r"\d+(/[1-9]\d*|\.\d+)", value) is not None
