"""Reads JSON from outside, within `shared.contracts.bounds`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.contracts.base import MAX_DIGITS, Problem
from shared.contracts.bounds import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, MOST
from shared.errors import LanghocError
from shared.refusals import problem


class OutOfBounds(LanghocError, ValueError):
    """JSON that is not used, with everything that is out of bounds.

    `body` is what was read of it, `None` where nothing was; it serves to tell whose it is, never as content.
    """

    def __init__(self, problems: Sequence[Problem], body: Any = None) -> None:
        super().__init__(*problems[:MOST])
        self.body = body


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands in the place of a number that is not kept."""

    text: str
    too_long: bool


def read_json(text: str | bytes) -> Any:
    """The value of JSON from outside.

    Raises:
        OutOfBounds: it is too deep or has too many values; a whole number has too many digits, or a fraction is not
            kept as it is written by a machine number (`1e-400` would become 0).
        ValueError: it is no JSON.
    """
    refused: list[_Refused] = []

    def whole(text: str) -> int | _Refused:
        return int(text) if len(text.lstrip("-")) <= MAX_DIGITS else noted(text, too_long=True)

    def fraction(text: str) -> float | _Refused:
        if len(text) > MAX_CHARACTERS:
            return noted(text, too_long=True)
        return float(text) if _is_kept(text) else noted(text, too_long=False)

    def noted(text: str, *, too_long: bool) -> _Refused:
        refused.append(_Refused(text, too_long))
        return refused[-1]

    try:
        value = json.loads(text, parse_int=whole, parse_float=fraction)
    except RecursionError:
        raise OutOfBounds([_too_deep()]) from None
    problems = list(_of_shape(value))
    if refused and not problems:
        problems = [_of_number(place, one) for place, one in _places(value)]
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
        yield _too_deep()
    if count > MAX_VALUES:
        yield problem("bounds.too_many_values", count=count, limit=MAX_VALUES)


def _too_deep() -> Problem:
    return problem("bounds.too_deep", limit=MAX_DEPTH)


def _of_number(place: str, refused: _Refused) -> Problem:
    shown = refused.text[:MAX_CHARACTERS]
    if not refused.too_long:
        return problem("bounds.number_not_exact", place, number=shown)
    return problem("bounds.number_too_long", place, number=shown, digits=MAX_DIGITS, characters=MAX_CHARACTERS)


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
