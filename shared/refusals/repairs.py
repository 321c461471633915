"""The obvious repair of a value that was refused: proposed to its sender, never applied. Pure.

repairs("int_type", "75.000.000") == ["75000000"]; repairs("decimal_ambiguous", "1.000") == ["1", "1000"]
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from shared.contracts.base import DECIMAL
from shared.wording import plain

LONGEST = 100
"""Characters of a text that anybody looks at: what is longer is no slip of the pen."""
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:([., ])[0-9]{3})(?:\1[0-9]{3})*", re.ASCII)
_CURRENCY = re.compile(r"\s*(?:đồng|đ|vnđ|vnd)$", re.IGNORECASE)
_MAGNITUDE = {"nghìn": 10**3, "ngàn": 10**3, "triệu": 10**6, "tỷ": 10**9, "tỉ": 10**9}
_TRUE = frozenset({"true", "1", "yes", "on", "x", "có", "đạt", "đúng"})
_FALSE = frozenset({"false", "0", "no", "off", "không", "chưa", "chưa đạt", "sai"})
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", re.ASCII)
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.-]?([0-9]{1,2})[/.-]?([0-9]{1,2})(?:[T ].*)?", re.ASCII)


def repairs(kind: str, given: object, *, pattern: str = "", choices: Iterable[str] = ()) -> list[str]:
    """What the sender probably meant, as JSON has it: nothing, or two values where it has two readings.

    Args:
        kind: Pydantic's kind of error.
        given: the value that was refused.
        pattern: that it must fit, of a `string_pattern_mismatch`.
        choices: one of which it must be.
    """
    if isinstance(given, str) and len(given) > LONGEST:
        return []
    if choices:
        return list(_choice(given, list(choices)))
    find = _BY_KIND.get(kind)
    if find is not None:
        return list(dict.fromkeys(find(given)))
    if pattern and isinstance(given, str):
        return list(_fitting(given, pattern))
    return []


def renamed(unknown: str, missing: Iterable[str]) -> str | None:
    """The field that a misspelt name means: `Unit_Code`, `unitCode`, `unit_cod`."""
    plain_names = {_letters(name): name for name in missing}
    found = get_close_matches(_letters(unknown[:LONGEST]), plain_names, n=1, cutoff=0.85)
    return plain_names[found[0]] if found else None


def _letters(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", plain_letters(name).lower())


def plain_letters(text: str) -> str:
    """Without diacritics, and with D for Đ: for a proposal, never for identity."""
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
    return bare.replace("Đ", "D").replace("đ", "d")


def _whole(given: object) -> Iterator[str]:
    """`75.000.000`, `75 000 000 đồng`, `75 triệu`, `75000000.0`, `"2025"`."""
    if isinstance(given, float) and given.is_integer():
        yield str(int(given))
    if not isinstance(given, str):
        return
    text = _CURRENCY.sub("", " ".join(given.split())).strip()
    number, _, word = text.partition(" ")
    times = _MAGNITUDE.get(word.lower())
    text = number if times else text
    if grouped := _GROUPED.fullmatch(text):
        text = text.replace(grouped[1], "")
    if re.fullmatch(r"[0-9]{1,18}(?:[.,]0{1,2})?", text, re.ASCII):
        yield str(int(re.split("[.,]", text)[0]) * (times or 1))


def _decimal(given: object) -> Iterator[str]:
    """`8,5`, `1.234,5`, `08.5`, `2e1`; of `1.000` both readings."""
    if not isinstance(given, str):
        return
    text = re.sub(r"\s", "", given)
    if _GROUPED.fullmatch(text):
        if re.fullmatch(r"[0-9]+[.,][0-9]{3}", text, re.ASCII):
            yield plain(Decimal(text.replace(",", ".")))
        yield re.sub("[.,]", "", text)
        return
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point:
        text = text.replace(".", "").replace(",", ".") if text.count(",") == 1 else ""
    elif comma >= 0:
        text = text.replace(",", "") if text.count(".") == 1 else ""
    try:
        number = Decimal(text) if text.isascii() else None
    except InvalidOperation:
        return
    if number is not None and number.is_finite() and abs(number.adjusted()) < 18:
        written = plain(number)
        if DECIMAL.fullmatch(written):
            yield written


def _boolean(given: object) -> Iterator[str]:
    said = str(given).strip().lower()
    if said in _TRUE:
        yield "true"
    if said in _FALSE:
        yield "false"


def _day(given: object) -> Iterator[str]:
    """Day first, as Vietnamese is written; the other reading too where there is one."""
    text = str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else ""
    if found := _DAY_FIRST.fullmatch(text):
        first, second, year = map(int, found.groups())
        yield from _calendar((year, second, first), (year, first, second))
    elif found := _YEAR_FIRST.fullmatch(text):
        year, month, day = map(int, found.groups())
        yield from _calendar((year, month, day))


def _calendar(*days: tuple[int, int, int]) -> Iterator[str]:
    for one in days:
        try:
            yield date(*one).isoformat()
        except ValueError:
            continue


def _fitting(given: str, pattern: str) -> Iterator[str]:
    """The text without spaces, with plain letters, in capitals, with a point: the first of these that fits."""
    joined = re.sub(r"\s", "", given)
    letters = plain_letters(given.strip())
    meant = [joined if joined.isdigit() or len(joined) < 8 else given.strip(), letters, plain_letters(joined).upper()]
    if given.strip().isdigit() and len(given.strip()) == 1:
        meant.append(given.strip().zfill(2))
    meant.append(plain_letters(joined).upper().replace(",", "."))
    for one in meant:
        if one != given and re.fullmatch(pattern, one, re.ASCII):
            yield one
            return


def _choice(given: object, choices: list[str]) -> Iterator[str]:
    if isinstance(given, str | int) and not isinstance(given, bool):
        known = {_letters(one): one for one in choices}
        found = get_close_matches(_letters(str(given)), known, n=1, cutoff=0.8)
        if found:
            yield known[found[0]]


_BY_KIND: dict[str, Callable[[object], Iterator[str]]] = {
    "int_type": _whole,
    "int_parsing": _whole,
    "decimal_parsing": _decimal,
    "decimal_ambiguous": _decimal,
    "bool_type": _boolean,
    "date_parsing": _day,
    "date_type": _day,
}
