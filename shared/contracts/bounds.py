"""Limits on what comes from outside, held before anything costly is made of it.

Twenty characters can ask for a number of a billion digits, and some kilobytes for a structure that no stack holds.
Whatever reads outside JSON (`shared.outside`) or YAML (`shared.rulebook.text`) holds these limits first, and a refusal
names every place at once. All of them lie far above what a real file needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.contracts.base import MAX_DIGITS, Problem, Text

MAX_CHARACTERS = 40
"""Of a number as it is written: a fraction `p/q` of two such numbers."""
MAX_DEPTH = 32
"""Of lists and objects within each other. The deepest contract, and the deepest rule, have fewer than ten."""
MAX_VALUES = 20_000
"""Of one document; each list, object and entry counts."""
MOST = 100
"""Problems that are named at once."""


class OutOfBounds(ValueError):
    """JSON that is not used, with everything that is out of bounds.

    `body` is what was read of it, `None` where nothing was; it serves to tell whose it is, never as content.
    """

    def __init__(self, problems: list[Problem], body: Any = None) -> None:
        super().__init__(", ".join(dict.fromkeys(one.code for one in problems)))
        self.problems = problems[:MOST]
        self.body = body


_Words = tuple[Text, Text, Text]
"""What is wrong, what was expected, how to mend it."""
_WORDS: Mapping[str, _Words] = {
    "too_deep": (
        Text(vi="Nội dung lồng nhau quá sâu.", en="The content is nested too deeply."),
        Text(vi=f"tối đa {MAX_DEPTH} cấp lồng nhau", en=f"at most {MAX_DEPTH} levels"),
        Text(
            vi="Sửa phần mềm gửi: hợp đồng không cần độ sâu này.", en="Mend the sender: no contract needs such depth."
        ),
    ),
    "too_many_values": (
        Text(vi="Nội dung có {given} giá trị.", en="The content has {given} values."),
        Text(vi=f"tối đa {MAX_VALUES} giá trị", en=f"at most {MAX_VALUES} values"),
        Text(vi="Bỏ phần thừa hoặc chia nhỏ.", en="Leave out what does not belong, or send it in parts."),
    ),
    "number_too_long": (
        Text(vi="Số {given} quá dài.", en="The number {given} is too long."),
        Text(
            vi=f"số nguyên tối đa {MAX_DIGITS} chữ số, số thập phân tối đa {MAX_CHARACTERS} ký tự",
            en=f"a whole number of at most {MAX_DIGITS} digits, a decimal of at most {MAX_CHARACTERS} characters",
        ),
        Text(vi="Sửa giá trị.", en="Correct the value."),
    ),
    "number_not_exact": (
        Text(
            vi="Số {given} không giữ được nguyên giá trị khi đọc từ JSON.",
            en="JSON does not keep the number {given} as it is written.",
        ),
        Text(vi="tối đa 15 chữ số có nghĩa, hoặc số dưới dạng văn bản", en="at most 15 significant digits, or text"),
        Text(vi="Sửa giá trị, hoặc gửi dưới dạng văn bản.", en="Correct the value, or send it as text."),
    ),
    "body_too_large": (
        Text(vi="Nội dung yêu cầu quá lớn.", en="The body of the request is too large."),
        Text(vi="tối đa {given} byte", en="at most {given} bytes"),
        Text(vi="Bỏ phần thừa hoặc chia nhỏ.", en="Leave out what does not belong, or send it in parts."),
    ),
}


def out_of_bounds(code: str, field: str = "", *, given: object = "") -> Problem:
    """One thing that is out of bounds, in words. `field`: JSON pointer; `given`: what was found."""
    message, expected, mend = (
        Text(vi=text.vi.format(given=given), en=text.en.format(given=given)) for text in _WORDS[code]
    )
    return Problem(code=code, field=field, message=message, expected=expected, mend=mend)
