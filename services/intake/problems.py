"""What intake can say is wrong. Stable codes; the field; what was expected; how to mend it; in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args

from shared.contracts.base import Problem, Text, to_nfc
from shared.contracts.people import ACCOUNT_TEXT, PERSON_ID
from shared.contracts.submissions import TargetValue
from shared.contracts.topics import families
from shared.messaging.messages import Reason, Unreadable
from shared.refusals import problem
from shared.refusals.repairs import LONGEST, renamed, repairs
from shared.refusals.validation import expected_of, json_fault
from shared.registry import REORGANISATION, registry
from shared.registry.lookups import MOST_CANDIDATES
from shared.rulebook import cut_off
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
    reasons, errors = _of_reason(unreadable), unreadable.errors
    told = [*reasons, *of_errors(errors[:MOST], unreadable.body)]
    return [*told, *_more(len(errors) - MOST)]


def of_errors(errors: Sequence[Mapping[str, Any]], body: Any) -> list[Problem]:
    """The errors of a body in words, one per cause: a body that says nothing is one, a misspelt field is one."""
    found = [error for error in errors if "problem" not in error]
    if found and isinstance(body, dict) and _is_blank(body):
        return [*(error["problem"] for error in errors if "problem" in error), problem("intake.blank")]
    missing = {tuple(error["loc"]) for error in found if error["type"] == "missing"}
    meant: dict[tuple[int | str, ...], str] = {}
    for error in found:
        *place, name = error["loc"] or ("",)
        beside = [str(one[-1]) for one in missing if one[:-1] == tuple(place)]
        right = renamed(str(name), beside) if error["type"] == "extra_forbidden" else None
        if right is not None:
            meant[*place, name] = right
            missing.remove((*place, right))
    told = []
    for error in errors:
        location = tuple(error.get("loc", ()))
        if "problem" in error:
            told.append(error["problem"])
        elif location in meant:
            told.append(problem("intake.field_misspelt", _pointer(location), meant=meant[location]))
        elif error["type"] != "missing" or location in missing:
            told.append(of_validation(error, body))
    return told


def _is_blank(value: Any) -> bool:
    """Whether nothing is said in it."""
    match value:
        case dict():
            return all(map(_is_blank, value.values()))
        case list():
            return all(map(_is_blank, value))
        case str():
            return not value.strip()
        case _:
            return value is None


def _of_reason(unreadable: Unreadable) -> list[Problem]:
    """Why nothing was read, where its errors do not say so."""
    reason, detail, cut = unreadable.reason, unreadable.detail, unreadable.cut
    if reason is Reason.INVALID_BODY or (reason is Reason.BAD_HEADER and unreadable.errors):
        return []
    if reason is Reason.TOO_LARGE:
        assert cut is not None, "what is too large was cut"
        most = families()["submissions"].max_record_bytes
        return [problem("intake.record_too_large", size=cut.size, hash=cut.sha256, most=most)]
    if reason is Reason.DAMAGED:
        assert cut is not None, "and so was what is damaged"
        why = Text(vi="", en=f"{_printable(detail, LONG)}; ")
        return [problem("intake.record_damaged", first=cut.first, size=cut.size, hash=cut.sha256, why=why)]
    if reason is Reason.BAD_JSON:
        return [problem("intake.bad_json", detail=json_fault(detail))]
    if reason is Reason.NOT_UTF8:
        said = _printable(detail)
        return [problem("intake.not_utf8", detail=Text(vi=said.replace("unknown", "không rõ bảng mã"), en=said))]
    return [problem(f"intake.{reason}", detail=_printable(detail))]


def of_validation(error: Mapping[str, Any], body: Any = None) -> Problem:
    """One entry of Pydantic's list of errors, in words. `body`: in which it was found, for what stands beside it."""
    kind, context = str(error["type"]), error.get("ctx", {})
    location, given = tuple(error["loc"]), error.get("input")
    choices: list[str] = []
    if kind in ("union_tag_not_found", "union_tag_invalid"):  # reported for the object, but it is this field's fault
        location = (*location, context["discriminator"].strip("'"))
        given = context.get("tag")
    if kind in ("literal_error", "union_tag_invalid"):
        choices = re.findall("'([^']*)'", context.get("expected") or context.get("expected_tags", ""))
    if isinstance(given, Decimal):  # what was made of it: the bounds of a number are looked at last
        given = _as_sent(body, location) if body is not None else str(given)
    pointer, said, expected = _pointer(location), written(given), _expected(error)
    units = _units_meant(location, given, body)
    near = candidates(units)
    if kind in ("missing", "union_tag_not_found"):
        return problem("intake.field_missing", pointer)
    if kind == "extra_forbidden":
        return problem("intake.field_unknown", pointer)
    if kind == "json_invalid":
        return problem("intake.bad_json", pointer, detail=json_fault(str(context.get("error", ""))))
    meant = () if units else repairs(kind, given, pattern=context.get("pattern", ""), choices=choices)
    repair = proposal(meant) if meant else _besides(location, given)
    if kind == "decimal_ambiguous":
        return problem("intake.number_ambiguous", pointer, given=said, readings=alternatives(meant))
    if kind == "string_pattern_mismatch":
        return problem("intake.pattern", pointer, given=said, expected=expected, candidates=near, repair=repair)
    if kind.endswith("_type"):
        return problem("intake.wrong_type", pointer, given=said, expected=expected, candidates=near, repair=repair)
    if kind.startswith(("greater_than", "less_than", "too_", "string_too", "decimal_max", "decimal_whole")):
        return problem("intake.out_of_range", pointer, given=said, expected=expected)
    return problem("intake.invalid_value", pointer, given=said, expected=expected, repair=repair)


def _besides(location: Sequence[int | str], given: object) -> Text:
    """What is sent instead of a percentage, or of the total of a district or province."""
    field = location[-1] if location else ""
    if field in ("unit_code", "commune_code") and re.fullmatch("[0-9]{2,3}", str(given), re.ASCII):
        return Text(
            vi=" Mã có 3 chữ số là của huyện, 2 chữ số là của tỉnh: gửi từng xã; cả huyện, cả tỉnh được đánh giá bằng "
            "langhoc.assessment.submitted.v1, quyết định phổ cập gửi bằng langhoc.recognition.submitted.v1.",
            en=" A code of 3 digits is a district's, of 2 a province's: file each commune. Districts and provinces are "
            "assessed by `langhoc.assessment.submitted.v1`; decisions on universal education go by "
            "`langhoc.recognition.submitted.v1`.",
        )
    if field in ("share", "trained", "university") and given is not None and not isinstance(given, dict | list):
        return Text(
            vi=" Tỷ lệ được gửi bằng hai số đếm, numerator và denominator; từ phần trăm không tính ngược lại được.",
            en=" A share is sent as two counts, numerator and denominator; they cannot be told from a percentage.",
        )
    return Text(vi="", en="")


def alternatives(meant: Sequence[str]) -> Text:
    """Several values, of which one is meant."""
    return Text(vi=" hoặc ".join(meant), en=" or ".join(meant))


def proposal(meant: Sequence[str]) -> Text:
    """The obvious repair behind a mend; nothing where there is none."""
    named = alternatives(meant)
    return Text(vi=f" Có phải là: {named.vi}?", en=f" Perhaps: {named.en}?") if meant else Text(vi="", en="")


def _units_meant(location: Sequence[int | str], given: object, body: Any) -> tuple[str, ...]:
    """A spreadsheet eats leading zeros, or sends a number, and lists carry names: name the code, for the sender to
    confirm. It is a code of the day of which the submission speaks."""
    if location[-1:] not in (("unit_code",), ("commune_code",)) or isinstance(given, bool):
        return ()
    beside = body if isinstance(body, dict) else {}
    period = beside.get("period")
    on = cut_off(period) if type(period) is int and FIRST_PERIOD <= period <= LAST_PERIOD else REORGANISATION
    name = beside.get("unit_name")
    code = str(given) if isinstance(given, str | int) else ""
    if len(code) <= 8:
        return registry().candidates(code, on, name if isinstance(name, str) and len(name) <= LONGEST else None)
    return tuple(unit.code for unit in registry().named(code, on))[:MOST_CANDIDATES] if len(code) <= LONGEST else ()


FIRST_PERIOD, LAST_PERIOD = 2013, 2100
"""Between which a period is one."""


def _expected(error: Mapping[str, Any]) -> Text:
    """What a field must look like: in words of ours for the forms of the contract, else in those of its validator."""
    said = expected_of(error)
    known = Text(vi=_printable(said.vi), en=_printable(said.en))
    return FORMS.get(error.get("ctx", {}).get("pattern", ""), known)


# Tags that Pydantic puts into a location for a discriminated union; they are no fields of the body.
_VALUES = get_args(get_args(TargetValue)[0])
_TAGS = frozenset({"points", "pass_fail", *(value.model_fields["type"].default for value in _VALUES)})


def _pointer(location: Sequence[int | str]) -> str:
    """JSON pointer (RFC 6901) of a Pydantic location. A bad key is pointed at like its value."""
    if len(location) > 1 and location[-1] == "[key]":
        location = location[:-1]
    parts: list[str] = []
    for index, part in enumerate(location):
        after_content = index > 0 and location[index - 1] == "content"
        after_target = index > 1 and location[index - 2] in ("targets", "indicators")
        if part in _TAGS and (after_content or after_target):
            continue
        parts.append(_printable(part).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in parts)


def _as_sent(body: Any, location: Sequence[int | str]) -> Any:
    """The value at a Pydantic location, whose tags are no keys of the body."""
    for part in location:
        if part in (body if isinstance(body, dict) else range(len(body)) if isinstance(body, list) else ()):
            body = body[part]
    return body


def written(value: object) -> str:
    """A value as its sender wrote it, in JSON: `"2025"` is a text, 2025 a number."""
    try:
        return _printable(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError):  # no value of JSON: of an order that was made in Python
        return _printable(repr(value))


def _printable(value: object, most: int = SHORT) -> str:
    """A short, safe rendering of what was sent."""
    text = neutral(to_nfc(str(value)))
    return text if len(text) <= most else text[: most - 3] + "…"
