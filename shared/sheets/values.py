"""What a cell says in its column: a value of the contract, or a problem in words. Pure; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from shared.contracts.base import Problem, Text, to_nfc
from shared.contracts.series import SubjectKind, kind_of
from shared.refusals import problem
from shared.registry import District, Province, Registry
from shared.rulebook import NoRuleInForce, rubric_for
from shared.sheets.cells import Cell
from shared.sheets.columns import Column, SheetRefused
from shared.sheets.numbers import UNITS, Style, days, iso_day, readings, shown_by, stored, zeros
from shared.sheets.numbers import Unit as MoneyUnit
from shared.sheets.units import COMMUNES, meant
from shared.sheets.words import TOTALS, YES, Holds
from shared.texts import code_point, stranger
from shared.wording import plain

_NOTHING = Text(vi="", en="")
Repair = Literal["codes", "encoding"]
"""What a sender may ask to have mended, each time told: `codes` that lost their zeros, an old `encoding`."""
SHOWN = 80
"""Characters shown of what stands in a cell."""
_DIGITS: Mapping[SubjectKind | None, int] = {"district": 3, "province": 2}
"""Of the codes of a kind of subject, where they are not those of communes."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the cells of a sheet are read."""

    province: str
    """Today's code of the sender."""
    today: date
    """Day on which codes are meant that speak of no period."""
    register: Registry
    numbers: Style | None = None
    """How numbers are written; `None`: not declared, so what can be read in two ways is refused."""
    unit: MoneyUnit = "đồng"
    repair: frozenset[Repair] = frozenset()


@dataclass(slots=True)
class Told:
    """What is said about a row while it is read."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def value_of(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> Any:
    """The value of a cell that is not blank, as JSON has it; `None` where it is refused, and why in `told`.

    Args:
        at: the cell's address.
    """
    try:
        if cell.trouble is not None:
            raise SheetRefused(_troubled(cell, at))
        return _READERS[column.holds](cell, at, column, terms, told)
    except SheetRefused as refused:
        told.problems += refused.problems
        return None


def shown(cell: Cell) -> str:
    """What stands in a cell, short enough to be told."""
    value = cell.value
    text = plain(stored(value)) if isinstance(value, float) else "" if value is None else str(value)
    text = text.strip()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _troubled(cell: Cell, at: str) -> Problem:
    match cell.trouble:
        case "error":
            return problem("sheets.cell_error", at, given=shown(cell))
        case "uncalculated":
            return problem("sheets.formula_uncalculated", at)
        case _:
            return problem("sheets.cell_merged", at)


# ------------------------------------------------------------------------------------------------------- numbers


def _number(cell: Cell, at: str, column: Column, terms: Terms) -> Decimal:
    """An exact number. Raises `SheetRefused`."""
    value = cell.value
    if isinstance(value, bool):
        raise SheetRefused(problem("sheets.no_number", at, given="TRUE" if value else "FALSE"))
    if isinstance(value, date | datetime | time | timedelta):
        raise SheetRefused(problem("sheets.date_in_number", at, given=shown(cell)))
    if isinstance(value, int | float):
        number, way = stored(value), shown_by(cell.format)
        if way.percent:
            counts = _counts(column)
            shares = plain(number * 100)
            raise SheetRefused(problem("sheets.percent", at, held=plain(number), shown=shares, counts=counts))
        if way.scaled or way.words:
            raise SheetRefused(problem("sheets.number_scaled", at, held=plain(number), format=cell.format))
        return number
    text = str(value).strip()
    if text.endswith("%"):
        raise SheetRefused(problem("sheets.percent_text", at, given=shown(cell), counts=_counts(column)))
    found = readings(text)
    if terms.numbers in found:
        return found[terms.numbers]
    if not found:
        raise SheetRefused(problem("sheets.no_number", at, given=shown(cell)))
    if terms.numbers is not None:
        (other,) = found.values()
        raise SheetRefused(problem("sheets.number_other_way", at, given=text, way=terms.numbers, other=plain(other)))
    if len(set(found.values())) > 1:
        both = {style: plain(number) for style, number in found.items()}
        raise SheetRefused(problem("sheets.number_ambiguous", at, given=text, vi=both["vi"], en=both["en"]))
    return next(iter(found.values()))


def _whole(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> int:
    number = _number(cell, at, column, terms)
    if number != number.to_integral_value():
        raise SheetRefused(problem("sheets.not_whole", at, given=shown(cell), grouped=_thousands(cell, number)))
    return int(number)


def _counts(column: Column) -> Text:
    """The two columns that a share needs; nothing where the column is none of a share."""
    of, _, count = column.id.rpartition(".")
    if count not in ("numerator", "denominator"):
        return _NOTHING
    vi = f" Tỷ lệ cần hai số đếm, ở cột {of}.numerator và {of}.denominator."
    return Text(vi=vi, en=f" A share needs two counts, in the columns {of}.numerator and {of}.denominator.")


def _thousands(cell: Cell, number: Decimal) -> Text:
    """`2.98` is stored of 2.980 where a program took the point that parts thousands for one before decimals."""
    meant = number * 1000
    if isinstance(cell.value, str) or meant != meant.to_integral_value():
        return _NOTHING
    vi = f" Nếu dấu chấm là dấu phân cách hàng nghìn thì số là {plain(meant)}."
    return Text(vi=vi, en=f" If the point parts thousands, the number is {plain(meant)}.")


def _money(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> int:
    amount = _number(cell, at, column, terms) * UNITS[terms.unit]
    if amount != amount.to_integral_value():
        raise SheetRefused(
            problem("sheets.not_whole_dong", at, given=shown(cell), unit=terms.unit, amount=plain(amount))
        )
    return int(amount)


def _decimal(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> str:
    return plain(_number(cell, at, column, terms))


# ---------------------------------------------------------------------------------------------------------- days


def _date(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> str:
    value = cell.value
    if isinstance(value, datetime):
        if value.time() != time():
            raise SheetRefused(problem("sheets.day_with_time", at, given=value.isoformat(sep=" ")))
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise SheetRefused(problem("sheets.no_day", at, given=shown(cell), candidates=_serial_days(value)))
    day = iso_day(value)
    first, swapped = days(value)
    if (day is None and terms.numbers == "vi") or (day is None and first is not None and first == swapped):
        day = first
    elif day is None and first is not None:
        other = swapped.isoformat() if swapped else "–"
        raise SheetRefused(problem("sheets.day_ambiguous", at, given=value.strip(), first=first, other=other))
    if day is None:
        raise SheetRefused(problem("sheets.no_day", at, given=shown(cell), candidates=_NOTHING))
    return day.isoformat()


def _serial_days(value: object) -> Text:
    """The days that a bare number may be: spreadsheets count from 1900, or from 1904."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 366 <= value < 100_000:
        return _NOTHING
    since_1900 = date(1899, 12, 30) + timedelta(days=int(value))
    since_1904 = date(1904, 1, 1) + timedelta(days=int(value))
    return Text(
        vi=f" Nếu đó là số thứ tự ngày: {since_1900} (tính từ 1900) hoặc {since_1904} (tính từ 1904).",
        en=f" If it counts days: {since_1900} (from 1900) or {since_1904} (from 1904).",
    )


# --------------------------------------------------------------------------------------------------------- texts


def _text(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> str:
    """What a text cell says; a number in it is written out, a day is not: nobody knows how it was written."""
    value = cell.value
    if isinstance(value, bool | date | datetime | time | timedelta):
        raise SheetRefused(problem("sheets.no_text", at, given=shown(cell)))
    if isinstance(value, int | float):
        number = stored(value)
        digits = plain(number)
        return digits.zfill(zeros(cell.format)) if digits.isdigit() else digits
    text = to_nfc(str(value).strip())
    found = stranger(text)
    if found is not None:
        raise SheetRefused(problem("sheets.text_unclean", at, found=code_point(found)))
    return text


def _id(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> str:
    """An id, or `id – name` as drop-downs write it. A number may have lost zeros."""
    text = _no_total(_text(cell, at, column, terms, told), at)
    if isinstance(cell.value, int | float) and not zeros(cell.format):
        if "codes" not in terms.repair:
            raise SheetRefused(problem("sheets.id_is_number", at, given=text))
        told.warnings.append(problem("sheets.id_taken", at, given=text))
    return re.split(r"\s+–\s+", text)[0]


def _choice(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> str:
    text = _text(cell, at, column, terms, told)
    for value, name in column.choices.items():
        if text.casefold() in (value.casefold(), name.vi.casefold(), name.en.casefold()):
            return value
    raise SheetRefused(problem("sheets.no_choice", at, given=shown(cell), known=", ".join(column.choices)))


def _flag(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> bool:
    if isinstance(cell.value, bool):
        return cell.value
    text = cell.value if isinstance(cell.value, str) else ""
    found = YES.get(to_nfc(text.strip()).casefold())
    if found is None:
        raise SheetRefused(problem("sheets.no_flag", at, given=shown(cell)))
    return found


def _list(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> list[str]:
    if not isinstance(cell.value, str):
        return [_text(cell, at, column, terms, told)]
    parts = [part.strip() for part in re.split(r"[\r\n;]+", cell.value)]
    return [_text(Cell(part), at, column, terms, told) for part in parts if part]


# --------------------------------------------------------------------------------------------------------- units


def _unit(cell: Cell, at: str, column: Column, terms: Terms, told: Told) -> str:
    """As text; which unit it names is asked when the whole row is read: `unit_of`."""
    return _no_total(_text(cell, at, column, terms, told), at)


def _no_total(text: str, at: str) -> str:
    if text.casefold().strip(" :") in TOTALS:
        raise SheetRefused(problem("sheets.row_of_totals", at, given=text))
    return text


def unit_of(text: str, at: str, series: str, on: date, terms: Terms, told: Told) -> str | None:
    """The code that a cell of units names, `None` where it is refused.

    Args:
        series: what the row is about; districts, provinces and learning units have ids of their own.
        on: the day of which the row speaks.
    """
    digits = _DIGITS.get(kind_of(series), 0)
    if text.isascii() and text.isdigit() and len(text) < digits:
        whole = text.zfill(digits)
        if "codes" in terms.repair:
            told.warnings.append(problem("sheets.code_repaired", at, given=text, code=whole))
            return whole
        told.problems.append(problem("sheets.code_zeros_lost", at, given=text, candidates=_candidates([whole])))
        return None
    if series not in COMMUNES or (series == "universal_education" and text.isdigit() and len(text) in (2, 3)):
        return re.split(r"\s+–\s+", text)[0]
    found = meant(text, terms.register, on, terms.province)
    if found.code is not None:
        if found.by_name:
            told.warnings.append(problem("sheets.unit_by_name", at, given=text, code=found.code, on=on))
        return found.code
    above = _level(found.above)
    near = _candidates([f"{unit.code} {unit.name}" for unit in found.near], above)
    match found.why:
        case "zeros" if found.near and "codes" in terms.repair:
            (unit,) = found.near
            told.warnings.append(problem("sheets.code_repaired", at, given=text, code=f"{unit.code} {unit.name}"))
            return unit.code
        case "zeros":
            told.problems.append(problem("sheets.code_zeros_lost", at, given=text, candidates=near))
        case "above":
            instead = _instead(found.above, series, on, terms.province)
            told.problems.append(problem("sheets.unit_above_communes", at, given=text, unit=above, instead=instead))
        case "differs":
            told.problems.append(problem("sheets.code_and_name_differ", at, given=text, candidates=near))
        case "several":
            told.problems.append(problem("sheets.name_of_several", at, given=text, on=on, candidates=near))
        case _:
            told.problems.append(problem("sheets.name_unknown", at, given=text, on=on, candidates=near))
    return None


def _candidates(near: list[str], above: Text = _NOTHING) -> Text:
    vi, en = ("; ".join([*near, *filter(None, [one])]) for one in (above.vi, above.en))
    return Text(vi=f" Có thể là: {vi}.", en=f" Perhaps: {en}.") if vi else _NOTHING


def _level(above: District | Province | None) -> Text:
    if above is None:
        return _NOTHING
    vi, en = ("cấp huyện", "a district") if isinstance(above, District) else ("cấp tỉnh", "a province")
    return Text(vi=f"{above.code} {above.name} ({vi})", en=f"{above.code} {above.name} ({en})")


def _instead(above: District | Province | None, series: str, on: date, province: str) -> Text:
    """Where what is known of a district or province as a whole can be filed."""
    if series == "universal_education":
        return Text(
            vi=" Quyết định công nhận phổ cập của huyện, tỉnh: mẫu `recognition`.",
            en=" A decision that recognises universal education of it: the form `recognition`.",
        )
    own: Literal["district", "province"] = "district" if isinstance(above, District) else "province"
    vi, year = "huyện" if own == "district" else "tỉnh", on.year
    try:
        rubric_for(own, year, province)
    except NoRuleInForce:
        return Text(vi=f" Năm {year} không có quy định đánh giá cấp {vi}.", en=f" No rule assesses a {own} of {year}.")
    return Text(
        vi=f" Đánh giá cả {vi}: mẫu `assessment --series {own} --period {year}`.",
        en=f" The {own} is assessed by the form `assessment --series {own} --period {year}`.",
    )


_READERS: Mapping[Holds, Callable[[Cell, str, Column, Terms, Told], Any]] = {
    Holds.TEXT: _text,
    Holds.ID: _id,
    Holds.UNIT: _unit,
    Holds.WHOLE: _whole,
    Holds.MONEY: _money,
    Holds.DECIMAL: _decimal,
    Holds.DATE: _date,
    Holds.FLAG: _flag,
    Holds.CHOICE: _choice,
    Holds.LIST: _list,
}
