"""What intake can say is wrong. Stable codes; the field; what was expected; how to mend it; in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts.base import Problem, Text, to_nfc
from shared.contracts.people import ACCOUNT_TEXT, PERSON_ID
from shared.contracts.topics import families
from shared.messaging.messages import Reason, Unreadable
from shared.refusals import problem
from shared.refusals.validation import expected_of
from shared.registry import registry
from shared.texts import neutral

FORMS: Mapping[str, Text] = {
    r"^([0-9]{5}|D[0-9]{3})$": Text(
        vi="mã đơn vị: 5 chữ số, hoặc D và 3 chữ số", en="a unit code: 5 digits, or D and 3 digits"
    ),
    r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$": Text(
        vi="mã: 1 đến 100 chữ cái không dấu, chữ số và . _ : / -, bắt đầu bằng chữ cái hoặc chữ số",
        en="an identifier: 1 to 100 plain letters, digits and . _ : / -, beginning with a letter or digit",
    ),
    r"^[A-Z]{1,3}[0-9]{1,2}(\.[0-9a-z]{1,2})?$": Text(
        vi="mã tiêu chí hoặc chỉ tiêu của quy định, ví dụ N1 hoặc C5.2",
        en="the id of a criterion or target of the rule, for example N1 or C5.2",
    ),
    r"^[a-z][a-z0-9_]{0,49}$": Text(
        vi="loại của đối tượng theo quy định, ví dụ school", en="a kind of subject of the rule, for example school"
    ),
    r"^([0-9]{5}|D[0-9]{3})@[0-9a-z-]{1,20}$": Text(
        vi="mã định danh đơn vị, ví dụ 00004@2025-07", en="the id of a unit, for example 00004@2025-07"
    ),
    PERSON_ID: Text(
        vi="mã người: 1 đến 64 chữ thường không dấu, chữ số và . _ -, bắt đầu bằng chữ cái",
        en="the id of a person: 1 to 64 small plain letters, digits and . _ -, beginning with a letter",
    ),
    ACCOUNT_TEXT: Text(
        vi="1 đến 255 ký tự ASCII nhìn thấy được, không có khoảng trắng",
        en="1 to 255 visible ASCII characters without a space",
    ),
    r"^[0-9]{2}$": Text(vi="mã tỉnh: 2 chữ số", en="a province code: 2 digits"),
    r"^[0-9]{3}$": Text(vi="mã huyện: 3 chữ số", en="a district code: 3 digits"),
}
"""The patterns of the contract, in words."""
MOST = 100
"""Problems named in one receipt: it must fit into a record, whatever was sent."""
SHORT, LONG = 80, 300
"""Characters shown of a value that was sent, and of what we say ourselves about a record."""


def candidates(codes: Sequence[str]) -> Text:
    """Units that the sender may have meant, behind an expectation; nothing when there are none."""
    near = ", ".join(codes)
    return Text(vi=f"; có thể là {near}", en=f"; perhaps {near}") if near else Text(vi="", en="")


def at_most(problems: Sequence[Problem]) -> list[Problem]:
    """The problems; of very many the first, and how many more there are."""
    return [*problems[:MOST], *_more(len(problems) - MOST)]


def _more(count: int) -> list[Problem]:
    return [problem("intake.more_problems", more=count)] if count > 0 else []


def of_unreadable(unreadable: Unreadable) -> list[Problem]:
    """All problems of a record that could not be read, at once; of very many the first, and how many more there are."""
    if unreadable.reason is Reason.INVALID_BODY:
        errors = unreadable.errors
        named = [error["problem"] if "problem" in error else of_validation(error) for error in errors[:MOST]]
        return [*named, *_more(len(errors) - MOST)]
    said = _printable(unreadable.detail, LONG) + (f" (SHA-256 {unreadable.cut.sha256})" if unreadable.cut else "")
    if unreadable.reason is Reason.TOO_LARGE:
        most = families()["submissions"].max_record_bytes
        return [problem("intake.record_too_large", detail=said, most=most)]
    if unreadable.reason is Reason.DAMAGED:
        return [problem("intake.record_damaged", detail=said)]
    return [problem(f"intake.{unreadable.reason}", detail=_printable(unreadable.detail))]


def of_validation(error: Mapping[str, Any]) -> Problem:
    """One entry of Pydantic's list of errors, in words."""
    kind = str(error["type"])
    location, given = tuple(error["loc"]), error.get("input")
    if kind in ("union_tag_not_found", "union_tag_invalid"):  # reported for the object, but it is this field's fault
        location = (*location, error["ctx"]["discriminator"].strip("'"))
        given = error["ctx"].get("tag")
    pointer, said, expected = _pointer(location), _printable(given), _expected(error)
    near = candidates(_units_meant(location, given))
    if kind in ("missing", "union_tag_not_found"):
        return problem("intake.field_missing", pointer)
    if kind == "extra_forbidden":
        return problem("intake.field_unknown", pointer)
    if kind == "json_invalid":
        return problem("intake.bad_json", pointer, detail=_printable(error["msg"]))
    if kind == "string_pattern_mismatch":
        return problem("intake.pattern", pointer, given=said, expected=expected, candidates=near)
    if kind.endswith("_type"):
        return problem("intake.wrong_type", pointer, given=said, expected=expected, candidates=near)
    if kind.startswith(("greater_than", "less_than", "too_", "string_too", "decimal_max", "decimal_whole")):
        return problem("intake.out_of_range", pointer, given=said, expected=expected)
    return problem("intake.invalid_value", pointer, given=said, expected=expected)


def _units_meant(location: Sequence[int | str], given: object) -> tuple[str, ...]:
    """A spreadsheet eats leading zeros, or sends a number: name the code, for the sender to confirm."""
    if location[-1:] not in (("unit_code",), ("commune_code",)) or not isinstance(given, str | int):
        return ()
    code = str(given)
    return registry().candidates(code) if len(code) <= 8 else ()


def _expected(error: Mapping[str, Any]) -> Text:
    """What a field must look like: in words of ours for the forms of the contract, else in those of its validator."""
    said = expected_of(error)
    known = Text(vi=_printable(said.vi), en=_printable(said.en))
    return FORMS.get(error.get("ctx", {}).get("pattern", ""), known)


# Tags that Pydantic puts into a location for a discriminated union; they are no fields of the body.
_TAGS = frozenset({"points", "pass_fail", "boolean", "parts", "level", "share", "share_pair", "count", "change"})


def _pointer(location: Sequence[int | str]) -> str:
    """JSON pointer (RFC 6901) of a Pydantic location. A bad key is pointed at like its value."""
    if len(location) > 1 and location[-1] == "[key]":
        location = location[:-1]
    parts: list[str] = []
    for index, part in enumerate(location):
        after_content = index > 0 and location[index - 1] == "content"
        after_target = index > 1 and location[index - 2] == "targets"
        if part in _TAGS and (after_content or after_target):
            continue
        parts.append(_printable(part).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in parts)


def _printable(value: object, most: int = SHORT) -> str:
    """A short, safe rendering of what was sent."""
    text = value if isinstance(value, str) else repr(value)
    text = neutral(to_nfc(text))
    return text if len(text) <= most else text[: most - 3] + "…"
