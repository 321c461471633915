"""What Pydantic says was expected, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.contracts.base import Text

_EXPECTED: Mapping[str, str] = {
    "bool_parsing": "true hoặc false",
    "bool_type": "true hoặc false",
    "date_from_datetime_parsing": "ngày dạng NNNN-TT-NN",
    "date_type": "ngày dạng NNNN-TT-NN",
    "decimal_max_digits": "số có tối đa {max_digits} chữ số",
    "decimal_max_exponent": "số mũ từ -{limit} đến {limit}",
    "decimal_max_places": "số có tối đa {decimal_places} chữ số thập phân",
    "decimal_parsing": "một số",
    "decimal_type": "một số",
    "decimal_whole_digits": "số có tối đa {whole_digits} chữ số trước dấu thập phân",
    "dict_type": "các mục dạng `khóa: giá trị`",
    "enum": "một trong: {expected}",
    "greater_than": "lớn hơn {gt}",
    "greater_than_equal": "từ {ge} trở lên",
    "int_parsing": "số nguyên, viết bằng chữ số",
    "int_type": "số nguyên",
    "is_instance_of": "số chính xác: số nguyên, số thập phân hoặc phân số `p/q`",
    "less_than": "nhỏ hơn {lt}",
    "less_than_equal": "tối đa {le}",
    "list_type": "danh sách",
    "literal_error": "một trong: {expected}",
    "model_attributes_type": "các mục dạng `khóa: giá trị`",
    "model_type": "các mục dạng `khóa: giá trị`",
    "period_unknown": "năm từ {first} đến {last}",
    "province_unknown": "mã của một tỉnh, có thể là {near}",
    "scope_unknown": "phạm vi của một bảng xếp hạng, ví dụ {near}",
    "string_pattern_mismatch": "văn bản theo mẫu {pattern}",
    "string_too_long": "văn bản tối đa {max_length} ký tự",
    "string_too_short": "văn bản ít nhất {min_length} ký tự",
    "string_type": "văn bản",
    "too_long": "tối đa {max_length} mục",
    "too_short": "ít nhất {min_length} mục",
    "union_tag_invalid": "một trong: {expected_tags}",
    "union_tag_not_found": "mục {discriminator}",
}
"""In Vietnamese, by Pydantic's kind of error; it says the same in English itself."""


def expected_of(error: Mapping[str, Any]) -> Text:
    """What one of Pydantic's own kinds of error says was expected, in words."""
    kind, english = error["type"], error["msg"]
    vietnamese = _EXPECTED[kind].format(**error.get("ctx", {})) if kind in _EXPECTED else english
    return Text(vi=vietnamese, en=english)
