"""The life of a unit in words: what it is on a day, what it came from, and what that means for its assessments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

from shared.contracts.base import Text
from shared.contracts.register import Decree
from shared.registry import REORGANISATION, Registry, Succession, Unit
from shared.wording import EN, VI

REORGANISED_BY = Decree(number="Quyết định 19/2025/QĐ-TTg", issued_on=date(2025, 6, 30), effective_on=date(2025, 7, 1))
"""The decision whose codes the imported data hold."""


def life_of(register: Registry, unit: Unit) -> list[Text]:
    """What is known of a unit, line by line: when it existed and why, whose results are its own, which day counts."""
    return [*_existence(unit), *_decrees(register, unit), *_same_code(register, unit), *_origin(register, unit), _DAY]


_DAY = Text(
    vi="Mỗi kỳ được đánh giá theo tình trạng của đơn vị vào ngày chốt (31/12), kể cả khi thay đổi giữa năm; kết quả "
    "không chia theo số tháng. Ngày ban hành và ngày hiệu lực được ghi riêng; chỉ ngày hiệu lực có tác dụng.",
    en="A period is assessed by what the unit is on its cut-off date (31 December), also when it changed within the "
    "year; nothing is shared out by months. The days of issue and of effect are both kept; the day of effect counts.",
)


def _existence(unit: Unit) -> Iterator[Text]:
    since = Text(vi="ngày bắt đầu không có trong dữ liệu", en="its first day is not in the data")
    if unit.valid_from:
        since = Text(vi=f"từ ngày {VI.day(unit.valid_from)}", en=f"since {EN.day(unit.valid_from)}")
    until = Text(vi="còn hiệu lực", en="still in force")
    if unit.valid_to:
        until = Text(vi=f"kết thúc ngày {VI.day(unit.valid_to)}", en=f"ended on {EN.day(unit.valid_to)}")
    yield Text(
        vi=f"{unit.name} (mã {unit.code}, tỉnh {unit.province_code}): {since.vi}, {until.vi}.",
        en=f"{unit.name} (code {unit.code}, province {unit.province_code}): {since.en}, {until.en}.",
    )


def _decrees(register: Registry, unit: Unit) -> Iterator[Text]:
    if unit.valid_from == REORGANISATION or unit.valid_to == REORGANISATION:
        yield _by(REORGANISED_BY, Text(vi="sắp xếp đơn vị hành chính cấp xã", en="reorganisation of the communes"))
    for one in register.corrections_of(unit.unit_id):
        yield _by(one.decree, Text(vi=f"{one.why} (nguồn: {one.source})", en=f"{one.why} (source: {one.source})"))


def _by(decree: Decree, why: Text) -> Text:
    issued, effective = decree.issued_on, decree.effective_on
    return Text(
        vi=f"{decree.number}, ban hành ngày {VI.day(issued)}, hiệu lực từ ngày {VI.day(effective)}: {why.vi}.",
        en=f"{decree.number}, issued on {EN.day(issued)}, in effect from {EN.day(effective)}: {why.en}.",
    )


def _same_code(register: Registry, unit: Unit) -> Iterator[Text]:
    for other in register.bearers(unit.code):
        if other.unit_id not in register.lineage(unit.unit_id):
            yield Text(
                vi=f"Cùng mã {unit.code}, vào thời gian khác, là một đơn vị khác: {other.name} ({other.unit_id}).",
                en=f"Another unit bore code {unit.code} at another time: {other.name} ({other.unit_id}).",
            )


def _origin(register: Registry, unit: Unit) -> Iterator[Text]:
    same = register.continues(unit)
    rows = register.predecessors(unit.unit_id)
    if same is not None:
        yield Text(
            vi=f"Tiếp nối {same.name} ({same.unit_id}): đơn vị đó nhập toàn bộ vào đây và không có đơn vị nào khác, "
            "nên đây là cùng một đơn vị; kết quả, mức độ và thời hạn công nhận được giữ.",
            en=f"Continues {same.name} ({same.unit_id}): that unit went here whole, and no other did, so both are the "
            "same unit; results, level and the term of its recognition go on.",
        )
    elif rows:
        names_vi = "; ".join(_named(register, row, "vi") for row in rows)
        names_en = "; ".join(_named(register, row, "en") for row in rows)
        yield Text(
            vi=f"Bắt đầu chưa được đánh giá: hình thành từ {names_vi}. Kết quả của các đơn vị đó vẫn là của chúng; "
            "không giá trị nào được chuyển sang.",
            en=f"Starts unassessed: it was formed from {names_en}. Their results stay their own; no value is copied.",
        )


_SHARES: Mapping[Literal["whole", "part"], Text] = {
    "whole": Text(vi="toàn bộ", en="whole"),
    "part": Text(vi="một phần", en="part"),
}


def _named(register: Registry, row: Succession, language: str) -> str:
    unit = register.by_id(row.predecessor)
    share = _SHARES[row.share]
    return f"{unit.name if unit else ''} ({row.predecessor}, {share.vi if language == 'vi' else share.en})"
