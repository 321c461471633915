"""Reads JSON from outside, within `shared.contracts.bounds`: what it says is what is written, and every text is one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from string import ascii_letters, digits
from typing import Any, Literal

from shared.contracts.base import MAX_DIGITS, Problem
from shared.contracts.bounds import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, MOST
from shared.errors import LanghocError
from shared.refusals import problem
from shared.texts import EDGES, code_point, is_visible, stranger


class OutOfBounds(LanghocError, ValueError):
    """JSON that is not used, with everything that is out of bounds.

    `body` is what was read of it, `None` where nothing was; it serves to tell whose it is, never as content.
    """

    def __init__(self, problems: Sequence[Problem], body: Any = None) -> None:
        super().__init__(*problems[:MOST])
        self.body = body


_Why = Literal["too_long", "not_exact", "exponent", "no_number", "twice"]


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands in the place of a value that is not kept."""

    why: _Why
    text: str

    def at(self, place: str) -> Problem:
        shown = self.text[:MAX_CHARACTERS]
        match self.why:
            case "too_long":
                return problem(
                    "bounds.number_too_long", place, text=shown, digits=MAX_DIGITS, characters=MAX_CHARACTERS
                )
            case "not_exact":
                return problem("bounds.number_not_exact", place, text=shown)
            case "exponent":
                return problem("bounds.number_with_exponent", place, text=shown)
            case "no_number":
                return problem("bounds.no_number", place, text=shown)
            case "twice":
                return problem("bounds.key_twice", place, text=shown)


def read_json(text: str, *, lines: bool = False, most: int | None = MAX_VALUES) -> Any:
    """The value of JSON from outside.

    Args:
        text: decoded; who has bytes decodes them as UTF-8, since `json` itself would guess.
        lines: its texts may have several lines, as files have that are sent in a body.
        most: how many values it may have; `None` for a file with many documents in it.

    Raises:
        OutOfBounds: it is too deep or has too many values; a key stands twice in an object; a whole number has too many
            digits, a fraction an exponent, or a machine number does not keep it as it is written; a text has a
            character without a place in it, or nothing to see.
        ValueError: it is no JSON.
    """
    refused: list[_Refused] = []

    def noted(why: _Why, text: str) -> _Refused:
        refused.append(_Refused(why, text))
        return refused[-1]

    def whole(text: str) -> int | _Refused:
        return int(text) if len(text.lstrip("-")) <= MAX_DIGITS else noted("too_long", text)

    def fraction(text: str) -> float | _Refused:
        if "e" in text or "E" in text:
            return noted("exponent", text)
        if len(text) > MAX_CHARACTERS:
            return noted("too_long", text)
        return float(text) if _is_kept(text) else noted("not_exact", text)

    def whole_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """The last of two values would win without a word."""
        made = dict(pairs)
        if len(made) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    made[key] = noted("twice", key)
                seen.add(key)
        return made

    try:
        value = json.loads(
            text,
            parse_int=whole,
            parse_float=fraction,
            parse_constant=partial(noted, "no_number"),
            object_pairs_hook=whole_object,
        )
    except RecursionError:
        raise OutOfBounds([_too_deep()]) from None
    problems, suspect = _of_shape(value, most, clean=_is_clean(text))
    if not problems and (refused or suspect):
        problems = _told(_in_places(value, lines=lines))
    if problems:
        raise OutOfBounds(problems, value)
    return value


def read_kept(text: str) -> Any:
    """The value of JSON that we wrote ourselves once, in a file: of any size, with texts and numbers of any age.

    Raises:
        ValueError: it is no JSON, or a key stands twice: a reader would see one value, and a program take the other.
    """

    def whole_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise ValueError("a key stands twice in one object")
        return made

    return json.loads(text, object_pairs_hook=whole_object)


def _is_kept(text: str) -> bool:
    try:
        return Decimal(text) == Decimal(repr(float(text)))
    except InvalidOperation:  # an exponent that not even a decimal has
        return False


def _is_clean(text: str) -> bool:
    """Whether surely no text in this JSON holds a stranger: it costs a fraction of looking at each of them."""
    return "\\" not in text and text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable()


def _of_shape(value: Any, most: int | None, *, clean: bool) -> tuple[list[Problem], bool]:
    """What is wrong with the shape, and whether a text may be none.

    It goes level by level, so that no depth exhausts the stack.
    """
    level, depth, count, suspect = [value], 0, 0, False
    while level:
        count += len(level)
        below: list[Any] = []
        deeper = False
        for one in level:
            if type(one) is str:
                suspect = suspect or one[:1] not in _SEEN or not (clean or one.isprintable())
            elif type(one) is dict:
                deeper = True
                suspect = suspect or not (clean or all(map(str.isprintable, one)))
                below += one.values()
            elif type(one) is list:
                deeper = True
                below += one
        depth += deeper
        level = below
    problems = [_too_deep()] if depth > MAX_DEPTH else []
    if most is not None and count > most:
        problems.append(problem("bounds.too_many_values", count=count, limit=most))
    return problems, suspect


_SEEN = frozenset(ascii_letters + digits + "ĐÂĂÊÔƠƯđâăêôơư")
"""What most texts begin with, and everybody sees."""


def _too_deep() -> Problem:
    return problem("bounds.too_deep", limit=MAX_DEPTH)


def text_problems(value: Any) -> list[Problem]:
    """What is wrong with the texts of a value that was read with `lines`, where each must have one line."""
    return _told(_in_places(value, lines=False))


def _told(faults: Iterator[Callable[[], Problem]]) -> list[Problem]:
    """The problems in words; of very many the first, and how many more there are."""
    told: list[Problem] = []
    more = 0
    for fault in faults:
        if len(told) < MOST:
            told.append(fault())
        else:
            more += 1
    return [*told[:-1], problem("bounds.more_problems", more=more + 1)] if more else told


def _in_places(value: Any, pointer: str = "", *, lines: bool) -> Iterator[Callable[[], Problem]]:
    """What is wrong with keys, texts and numbers, by JSON pointers (RFC 6901), in a value of bounded depth.

    A text without any character is empty, which is for its field to allow.
    """
    if isinstance(value, _Refused):
        yield lambda: value.at(pointer)
    elif isinstance(value, str):
        found = stranger(value, lines=lines)
        if found is not None:
            yield lambda: _unclean(pointer, value, found)
        elif value.strip() and not is_visible(value):
            yield lambda: problem("bounds.text_not_visible", pointer)
    elif isinstance(value, dict):
        for key, inner in value.items():
            place = f"{pointer}/{key[:MOST].replace('~', '~0').replace('/', '~1')}"
            strange = stranger(key)
            if strange is not None:
                yield partial(_unclean, place, key, strange)
            yield from _in_places(inner, place, lines=lines)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _in_places(inner, f"{pointer}/{index}", lines=lines)


def _unclean(place: str, text: str, found: str) -> Problem:
    return problem("bounds.text_unclean", place, text=text.strip(EDGES)[:MOST], found=code_point(found))
