"""Reads JSON from outside, within `shared.contracts.bounds`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.contracts.base import MAX_DIGITS, Problem
from shared.contracts.bounds import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, MOST, OutOfBounds, out_of_bounds


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands in the place of a number that is not kept."""

    code: str
    text: str


def read_json(text: str | bytes) -> Any:
    """The value of JSON from outside.

    Raises:
        OutOfBounds: it is too deep or has too many values; a whole number has too many digits, or a fraction is not
            kept as it is written by a machine number (`1e-400` would become 0).
        ValueError: it is no JSON.
    """
    refused: list[_Refused] = []

    def whole(text: str) -> int | _Refused:
        return int(text) if len(text.lstrip("-")) <= MAX_DIGITS else noted("number_too_long", text)

    def fraction(text: str) -> float | _Refused:
        if len(text) > MAX_CHARACTERS:
            return noted("number_too_long", text)
        return float(text) if _is_kept(text) else noted("number_not_exact", text)

    def noted(code: str, text: str) -> _Refused:
        refused.append(_Refused(code, text))
        return refused[-1]

    try:
        value = json.loads(text, parse_int=whole, parse_float=fraction)
    except RecursionError:
        raise OutOfBounds([out_of_bounds("too_deep")]) from None
    problems = list(_of_shape(value))
    if refused and not problems:
        problems = [out_of_bounds(one.code, place, given=one.text[:MAX_CHARACTERS]) for place, one in _places(value)]
    if problems:
        raise OutOfBounds(problems, value)
    return value


def _is_kept(text: str) -> bool:
    try:
        return Decimal(text) == Decimal(repr(float(text)))
    except InvalidOperation:  # an exponent that not even a decimal has
        return False


def _of_shape(value: Any) -> Iterator[Problem]:
    """Goes level by level, so that no depth exhausts the stack."""
    level, depth, count = [value], 0, 0
    while level:
        count += len(level)
        outer = [one for one in level if isinstance(one, dict | list)]
        depth += bool(outer)
        level = [inner for one in outer for inner in (one.values() if isinstance(one, dict) else one)]
    if depth > MAX_DEPTH:
        yield out_of_bounds("too_deep")
    if count > MAX_VALUES:
        yield out_of_bounds("too_many_values", given=count)


def _places(value: Any, pointer: str = "") -> Iterator[tuple[str, _Refused]]:
    """JSON pointers (RFC 6901) of the numbers that are refused, in a value of bounded depth."""
    if isinstance(value, _Refused):
        yield pointer, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, f"{pointer}/{key[:MOST].replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, f"{pointer}/{index}")
