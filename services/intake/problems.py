"""What intake can say is wrong. Stable codes; the field; what was expected; how to mend it; in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts.base import Problem, Text, to_nfc
from shared.messaging.handling import Reason, Unreadable
from shared.registry import registry

_CATALOGUE: dict[str, tuple[str, str, str, str, str, str]] = {
    # code: (message vi, message en, expected vi, expected en, mend vi, mend en)
    "submission_id_reused": (
        "Mã hồ sơ {id} đã được dùng cho một hồ sơ có nội dung khác.",
        "Submission id {id} was already used for a submission with other content.",
        "một mã hồ sơ chưa dùng", "a submission id that was not used yet",
        "Hồ sơ đầu vẫn giữ nguyên. Nếu muốn sửa, gửi hồ sơ mới với mã mới{naming_vi}.",
        "The first one is kept. To change it, send a new submission with a new id{naming_en}.",
    ),
    "already_accepted": (
        "Đã có phiên bản {version} được chấp nhận với nội dung khác.",
        "Version {version} is already accepted with other content.",
        "corrects_version = {version}", "corrects_version = {version}",
        "Gửi lại như bản sửa của phiên bản {version}.", "Send it again as a correction of version {version}.",
    ),
    "not_current_version": (
        "Bản sửa nêu phiên bản {named}, phiên bản hiện hành là {version}.",
        "The correction names version {named}; the current version is {version}.",
        "corrects_version = {version}", "corrects_version = {version}",
        "Xem lại phiên bản {version}, rồi gửi bản sửa của phiên bản đó.",
        "Look at version {version}, then send a correction of that version.",
    ),
    "nothing_to_correct": (
        "Bản sửa nêu phiên bản {named}, nhưng chưa có phiên bản nào được chấp nhận.",
        "The correction names version {named}, but nothing is accepted yet.",
        "không có corrects_version", "no corrects_version",
        "Gửi lại như hồ sơ đầu tiên, không có corrects_version.", "Send it again as a first submission.",
    ),
    "unit_unknown": (
        "Không có đơn vị cấp xã mang mã {code} vào ngày {on}.",
        "There is no commune with code {code} on {on}.",
        "mã 5 chữ số trong danh mục ngày {on}{candidates_vi}", "a 5-digit code of the register on {on}{candidates_en}",
        "Sửa mã đơn vị; giữ các chữ số 0 ở đầu.", "Correct the code; keep its leading zeros.",
    ),
    "register_gap": (
        "Mã {code} không có trong danh mục trước 01/07/2025; đơn vị có thể đã bị bãi bỏ sớm hơn.",
        "Code {code} is not in the last register before 1 July 2025; the unit may have been abolished earlier.",
        "một mã trong danh mục", "a code of the register",
        "Hồ sơ được giữ lại, không mất. Bộ sẽ bổ sung danh mục; hoặc gửi lại với mã đúng.",
        "The submission is kept, not lost. The ministry will complete the register; or send it with the right code.",
    ),
    "not_entitled": (
        "Đơn vị {code} thuộc trách nhiệm báo cáo của tỉnh {entitled}, không phải tỉnh {province}.",
        "Unit {code} is reported by province {entitled}, not by province {province}.",
        "hồ sơ từ tỉnh {entitled}", "a submission from province {entitled}",
        "Tỉnh {entitled} gửi hồ sơ này trên kênh của mình.", "Province {entitled} sends it on its own channel.",
    ),
    "wrong_rubric": (
        "Kỳ {period} được đánh giá theo {expected}, không theo {rubric}.",
        "Period {period} is assessed under {expected}, not under {rubric}.",
        "rubric = {expected}", "rubric = {expected}",
        "Đánh giá lại theo quy định có hiệu lực ngày 31/12/{period}.",
        "Assess by the rule in force on 31 December {period}.",
    ),
    "no_rubric": (
        "Không có quy định nào có hiệu lực cho kỳ {period}.", "No rule was in force for period {period}.",
        "một kỳ đánh giá có quy định", "a period with a rule in force",
        "Sửa kỳ đánh giá.", "Correct the period.",
    ),
    "period_not_open": (
        "Kỳ {period} mở nhận hồ sơ từ ngày 01/12/{period}.", "Period {period} opens on 1 December {period}.",
        "ngày nhận từ 01/12/{period}", "reception on or after 1 December {period}",
        "Gửi lại sau ngày 01/12/{period}, hoặc sửa kỳ đánh giá.",
        "Send it again after 1 December {period}, or correct the period.",
    ),
    "centre_unknown": (
        "Trung tâm {centre} chưa được đăng ký.", "Centre {centre} is not registered.",
        "mã của một trung tâm đã đăng ký", "the id of a registered centre",
        "Gửi centre.registered cho trung tâm trước, rồi gửi lại hồ sơ này.",
        "Send centre.registered for it first, then send this again.",
    ),
    "centre_of_other_province": (
        "Trung tâm {centre} do tỉnh {entitled} đăng ký.", "Centre {centre} is registered by province {entitled}.",
        "một trung tâm của tỉnh {province}", "a centre of province {province}",
        "Kiểm tra mã trung tâm.", "Check the centre's id.",
    ),
    "date_in_future": (
        "Ngày {date} sau ngày nhận hồ sơ {received}.", "The date {date} lies after the day of reception {received}.",
        "một ngày không sau {received}", "a day not after {received}",
        "Sửa ngày.", "Correct the date.",
    ),
    "year_out_of_range": (
        "Năm {year} nằm ngoài phạm vi cho phép.", "Year {year} is out of range.",
        "từ {low} đến {high}", "from {low} to {high}",
        "Sửa năm.", "Correct the year.",
    ),
    "name_differs": (
        "Tên gửi lên “{given}” khác danh mục “{registered}”.",
        "The name sent, “{given}”, differs from the register's “{registered}”.",
        "{registered}", "{registered}",
        "Không ảnh hưởng kết quả: mã quyết định. Kiểm tra xem mã có đúng đơn vị không.",
        "No effect: the code decides. Check that the code is the right unit's.",
    ),
    "bad_header": (
        "Tiêu đề {detail} của bản ghi không phải văn bản UTF-8.", "Header {detail} of the record is not UTF-8 text.",
        "tiêu đề UTF-8", "UTF-8 headers", "Sửa phần mềm gửi.", "Mend the sending software.",
    ),
    "missing_header": (
        "Bản ghi thiếu tiêu đề CloudEvents: {detail}.", "The record lacks CloudEvents headers: {detail}.",
        "ce_specversion, ce_id, ce_source, ce_type", "ce_specversion, ce_id, ce_source, ce_type",
        "Gửi ở chế độ CloudEvents nhị phân.", "Send in CloudEvents binary mode.",
    ),
    "unknown_type": (
        "Loại sự kiện “{detail}” không được nhận ở kênh này.", "Event type “{detail}” is not accepted on this channel.",
        "một loại hồ sơ của hợp đồng sự kiện", "one of the submission types of the event contract",
        "Sửa tiêu đề ce_type.", "Correct the header ce_type.",
    ),
    "not_utf8": (
        "Nội dung không phải UTF-8 ({detail}).", "The body is not UTF-8 ({detail}).",
        "JSON mã hoá UTF-8", "JSON encoded in UTF-8",
        "Chuyển mã nội dung sang UTF-8 rồi gửi lại.", "Convert the body to UTF-8 and send it again.",
    ),
    "bad_json": (
        "Nội dung không phải JSON: {detail}.", "The body is not JSON: {detail}.",
        "một đối tượng JSON", "a JSON object", "Sửa phần mềm gửi.", "Mend the sending software.",
    ),
    "field_missing": (
        "Thiếu trường này.", "This field is missing.", "một giá trị", "a value",
        "Thêm trường này.", "Add the field.",
    ),
    "field_unknown": (
        "Trường này không có trong hợp đồng sự kiện.", "This field is not part of the contract.",
        "không có trường này", "no such field", "Bỏ hoặc sửa tên trường.", "Remove it or correct its name.",
    ),
    "pattern": (
        "Giá trị {given} không đúng dạng.", "The value {given} does not have the right form.",
        "{expected_vi}{candidates_vi}", "{expected_en}{candidates_en}",
        "Sửa giá trị; mã là văn bản và giữ các chữ số 0 ở đầu.", "Correct it; codes are text and keep leading zeros.",
    ),
    "wrong_type": (
        "Giá trị {given} sai kiểu.", "The value {given} has the wrong type.",
        "{expected_vi}{candidates_vi}", "{expected_en}{candidates_en}",
        "Sửa kiểu của giá trị.", "Correct the type of the value.",
    ),
    "out_of_range": (
        "Giá trị {given} nằm ngoài giới hạn.", "The value {given} is out of range.",
        "{expected_vi}", "{expected_en}", "Sửa giá trị.", "Correct the value.",
    ),
    "more_problems": (
        "Còn {more} lỗi khác trong hồ sơ này.", "There are {more} more problems in this submission.",
        "hồ sơ không có lỗi", "a submission without problems",
        "Sửa các lỗi đã nêu trước, rồi gửi lại.", "Mend the ones named here first, then send it again.",
    ),
    "invalid_value": (
        "Giá trị {given} không hợp lệ.", "The value {given} is not valid.",
        "{expected_vi}", "{expected_en}", "Sửa giá trị theo yêu cầu.", "Correct the value as expected.",
    ),
}  # fmt: skip

CODES = frozenset(_CATALOGUE)
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
}
"""The patterns of the contract, in words."""
MOST = 100
"""Problems named in one receipt: it must fit into a record, whatever was sent."""


def problem(name: str, field: str, **values: object) -> Problem:
    """The problem `name` of the catalogue, its texts filled in."""
    texts = [text.format_map(values) for text in _CATALOGUE[name]]
    return Problem(
        code=name,
        field=field,
        message=Text(vi=texts[0], en=texts[1]),
        expected=Text(vi=texts[2], en=texts[3]),
        mend=Text(vi=texts[4], en=texts[5]),
    )


def candidates(codes: Sequence[str]) -> dict[str, str]:
    """Units that the sender may have meant, for an expectation in both languages; nothing when there are none."""
    near = ", ".join(codes)
    return {
        "candidates_vi": f"; có thể là {near}" if near else "",
        "candidates_en": f"; perhaps {near}" if near else "",
    }


def at_most(problems: Sequence[Problem]) -> list[Problem]:
    """The problems; of very many the first, and how many more there are."""
    more = len(problems) - MOST
    return [*problems[:MOST], problem("more_problems", "", more=more)] if more > 0 else list(problems)


def of_unreadable(unreadable: Unreadable) -> list[Problem]:
    """All problems of a record that could not be read, at once."""
    if unreadable.reason is Reason.INVALID_BODY:
        return [_of_validation(error) for error in unreadable.errors]
    return [problem(unreadable.reason.value, "", detail=_printable(unreadable.detail))]


def _of_validation(error: Mapping[str, Any]) -> Problem:
    kind = str(error["type"])
    location, given = tuple(error["loc"]), error.get("input")
    if kind in ("union_tag_not_found", "union_tag_invalid"):  # reported for the object, but it is this field's fault
        location = (*location, error["ctx"]["discriminator"].strip("'"))
        given = error["ctx"].get("tag")
    expected = _expected(error)
    return problem(
        _code(kind),
        _pointer(location),
        given=_printable(given),
        detail=_printable(error["msg"]),
        expected_vi=expected.vi,
        expected_en=expected.en,
        **candidates(_units_meant(location, given)),
    )


def _units_meant(location: Sequence[int | str], given: object) -> tuple[str, ...]:
    """A spreadsheet eats leading zeros, or sends a number: name the code, for the sender to confirm."""
    if location[-1:] not in (("unit_code",), ("commune_code",)) or not isinstance(given, str | int):
        return ()
    code = str(given)
    return registry().candidates(code) if len(code) <= 8 else ()


def _code(kind: str) -> str:
    if kind == "missing" or kind == "union_tag_not_found":
        return "field_missing"
    if kind == "extra_forbidden":
        return "field_unknown"
    if kind == "json_invalid":
        return "bad_json"
    if kind == "string_pattern_mismatch":
        return "pattern"
    if kind.endswith("_type"):
        return "wrong_type"
    if kind.startswith(("greater_than", "less_than", "too_", "string_too", "decimal_max", "decimal_whole")):
        return "out_of_range"
    return "invalid_value"


def _expected(error: Mapping[str, Any]) -> Text:
    """What a field must look like: in words for the forms of the contract, else in the validator's own."""
    said = _printable(error["msg"])
    return FORMS.get(error.get("ctx", {}).get("pattern", ""), Text(vi=said, en=said))


# Tags that Pydantic puts into a location for a discriminated union; they are no fields of the body.
_TAGS = frozenset({"points", "pass_fail", "boolean", "parts", "level", "share", "share_pair"})


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


def _printable(value: object) -> str:
    """A short, safe rendering of what was sent."""
    text = value if isinstance(value, str) else repr(value)
    text = to_nfc(text.encode("utf-8", "replace").decode("utf-8")).replace("\x00", "�")
    return text if len(text) <= 80 else text[:77] + "…"
