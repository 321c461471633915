"""What Pydantic says was expected, in both languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.contracts.base import Text

_OTHER = "giá trị theo quy định của trường này"
"""Of a kind that has no words of its own; better than another language's."""
_EXPECTED: Mapping[str, str] = {
    "bool_parsing": "true hoặc false",
    "bool_type": "true hoặc false",
    "assertion_error": _OTHER,
    "date_from_datetime_inexact": "ngày dạng NNNN-TT-NN",
    "date_from_datetime_parsing": "ngày dạng NNNN-TT-NN",
    "date_parsing": "ngày có trong lịch, dạng NNNN-TT-NN",
    "datetime_parsing": "thời điểm theo RFC 3339, ví dụ 2026-02-20T10:00:00+07:00",
    "datetime_from_date_parsing": "thời điểm theo RFC 3339, ví dụ 2026-02-20T10:00:00+07:00",
    "datetime_type": "thời điểm theo RFC 3339, ví dụ 2026-02-20T10:00:00+07:00",
    "timezone_aware": "thời điểm có múi giờ",
    "finite_number": "một số hữu hạn",
    "int_from_float": "số nguyên",
    "int_parsing_size": "số nguyên ngắn hơn",
    "date_type": "ngày dạng NNNN-TT-NN",
    "decimal_ambiguous": "một số chỉ có một cách đọc",
    "decimal_max_digits": "số có tối đa {max_digits} chữ số",
    "decimal_max_exponent": "số mũ từ -{limit} đến {limit}",
    "decimal_max_places": "số có tối đa {decimal_places} chữ số thập phân",
    "decimal_parsing": "một số: chữ số, dấu chấm trước phần thập phân",
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
    "text_unclean": "văn bản một dòng, không có ký tự {found}",
    "too_long": "tối đa {max_length} mục",
    "too_short": "ít nhất {min_length} mục",
    "union_tag_invalid": "một trong: {expected_tags}",
    "union_tag_not_found": "mục {discriminator}",
    "value_error": _OTHER,
}
"""In Vietnamese, by Pydantic's kind of error; it says the same in English itself."""


def expected_of(error: Mapping[str, Any]) -> Text:
    """What one of Pydantic's own kinds of error says was expected, in words."""
    kind, english = error["type"], error["msg"]
    context = {name: _listed(value) for name, value in error.get("ctx", {}).items()}
    return Text(vi=_EXPECTED.get(kind, _OTHER).format(**context), en=english)


def _listed(value: object) -> object:
    """Pydantic lists choices in English."""
    return value.replace("' or '", "' hoặc '") if isinstance(value, str) else value


def no_day(said: object) -> Text:
    """Why Python's calendar has no such day."""
    return Text(vi="không có ngày này trong lịch", en=str(said))


_JSON_FAULTS: Mapping[str, str] = {
    "Expecting value": "thiếu một giá trị",
    "Expecting ',' delimiter": "thiếu dấu phẩy",
    "Expecting ':' delimiter": "thiếu dấu hai chấm",
    "Expecting property name enclosed in double quotes": "thiếu tên trường trong dấu ngoặc kép",
    "Extra data": "thừa nội dung ở cuối",
    "Illegal trailing comma": "thừa dấu phẩy",
    "Invalid control character": "có ký tự điều khiển trong văn bản",
    "Invalid \\": "dấu \\ không đúng",
    "Unexpected UTF-8 BOM": "có BOM ở đầu",
    "Unterminated string": "văn bản không có dấu ngoặc kép đóng",
}
"""What Python says of text that is no JSON, by its beginning."""
_PLACE = re.compile(r"line (\d+) column (\d+)")


def json_fault(said: str) -> Text:
    """What is wrong with text that is no JSON, as `json` says it, in both languages."""
    words = next((words for begin, words in _JSON_FAULTS.items() if said.startswith(begin)), "sai cú pháp")
    place = _PLACE.search(said)
    return Text(vi=f"{words}, dòng {place[1]} cột {place[2]}" if place else words, en=said[:200] or "wrong syntax")
