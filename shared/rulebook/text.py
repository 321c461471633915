"""Reads the YAML of one rule: exact numbers, no traps, and nothing that a few bytes can make large.

Three steps, each over the whole file, so that all that is wrong of one kind is told at once: its size; its shape, which
costs nothing to see; then its values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from shared.contracts.base import MAX_DIGITS, Problem, Text, to_nfc
from shared.contracts.bounds import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES
from shared.refusals import problem
from shared.refusals.validation import no_day
from shared.rulebook.errors import Findings, RulebookError
from shared.texts import code_point, is_visible, stranger

MAX_BYTES = 200_000
"""Of one file; the largest shipped one has 19,000."""
SHOWN = 80
"""Characters of a key or value that are repeated in what is said about it."""


def load(raw: bytes, name: str, *, texts: bool = False) -> Any:
    """The content of the YAML file `name`. Its numbers are `int` and `Decimal`, its texts NFC.

    Args:
        raw: all of the file, or its first `MAX_BYTES` + 1 bytes.
        texts: `00004` stays a code and `2026-05-01` a text; only nothing, true and false are no text.

    Raises:
        RulebookError: too large, not UTF-8, no YAML, too deep, too many values, a number out of bounds, a repeated key,
            an explicit tag, or a text with a character that has no place in it; each with its line.
    """
    text = _bounded(raw, name)
    try:
        loader = (_Texts if texts else _Loader)(text)
        content = loader.get_single_data()
    except yaml.YAMLError as error:
        raise _no_yaml(error, name) from None
    except ValueError as error:
        raise RulebookError(name, problem("rulebook.no_calendar_day", reason=no_day(str(error)[:SHOWN]))) from None
    found = Findings()
    found.errors += [RulebookError(name, each) for each in loader.problems]
    found.settle()
    return content


def _bounded(raw: bytes, name: str) -> str:
    """The text of the YAML file `name` in NFC, which any loader can read without harm as far as its shape goes.

    Raises:
        RulebookError: too large, not UTF-8, no YAML, too deep, too many values, or an explicit tag.
    """
    if len(raw) > MAX_BYTES:
        raise RulebookError(name, problem("rulebook.file_too_large", limit=MAX_BYTES))
    try:
        text = to_nfc(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RulebookError(name, problem("rulebook.not_utf8", f"byte {error.start}")) from None
    found = Findings()
    try:
        found.errors += [RulebookError(name, each) for each in _of_shape(text)]
    except yaml.YAMLError as error:
        raise _no_yaml(error, name) from None
    found.settle()
    return text


def _no_yaml(error: yaml.YAMLError, name: str) -> RulebookError:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or str(error)
    return RulebookError(
        name, problem("rulebook.not_yaml", _line(mark), reason=Text(vi="sai cú pháp", en=reason[:SHOWN]))
    )


def _line(mark: Any) -> str:
    """Where PyYAML saw something, or nothing where it does not tell."""
    return f"line {mark.line + 1}" if mark else ""


# ------------------------------------------------------------------------------------------------------ shape


@dataclass(slots=True)
class _Shape:
    """How large a node is with everything in it, aliases written out."""

    anchor: str | None
    values: int = 1
    depth: int = 1

    def add(self, inner: _Shape) -> None:
        self.values += inner.values
        self.depth = max(self.depth, inner.depth + 1)


def _of_shape(text: str) -> Iterator[Problem]:
    """What shows to be wrong without making anything of the text.

    An alias counts as large as what it stands for: nine lines of aliases of aliases are a billion values. The events
    come one by one, however deep they are; the first that is too deep or too many is the last that is read.
    """
    known: dict[str, _Shape] = {}
    outer = [_Shape(None)]
    for event in yaml.parse(text, yaml.CSafeLoader):
        tag = getattr(event, "tag", None)
        if tag is not None:
            yield problem("rulebook.explicit_tag", _line(event.start_mark), tag=tag[:SHOWN])
        if isinstance(event, yaml.CollectionStartEvent):
            outer.append(_Shape(event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = outer.pop()
            outer[-1].add(done)
            if done.anchor:
                known[done.anchor] = done
        elif isinstance(event, yaml.AliasEvent):
            shape = known.get(event.anchor or "")
            if shape is None:
                yield problem("rulebook.alias_unknown", _line(event.start_mark), alias=str(event.anchor)[:SHOWN])
                return
            outer[-1].add(shape)
        elif isinstance(event, yaml.ScalarEvent):
            found = stranger(event.value, lines=True)
            if found is not None:
                yield problem("rulebook.text_unclean", _line(event.start_mark), found=code_point(found))
            elif event.value.strip() and not is_visible(event.value):
                yield problem("rulebook.text_not_visible", _line(event.start_mark))
            outer[-1].add(_Shape(None, depth=0))
            if event.anchor:
                known[event.anchor] = _Shape(event.anchor, depth=0)
        if len(outer) + outer[-1].depth - 2 > MAX_DEPTH:
            yield problem("rulebook.too_deep", _line(event.start_mark), limit=MAX_DEPTH)
            return
        if sum(shape.values for shape in outer) > MAX_VALUES:
            yield problem("rulebook.too_many_values", _line(event.start_mark), limit=MAX_VALUES)
            return


# ----------------------------------------------------------------------------------------------------- values


class _Loader(yaml.CSafeLoader):
    """YAML without its traps: binary floats, and a repeated key whose first value silently vanishes.

    What is wrong with a value is noted, and the rest is read.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.problems: list[Problem] = []

    def note(self, node: yaml.Node, entry: str, /, **values: object) -> None:
        """Note what is wrong with this node."""
        self.problems.append(problem(entry, _line(node.start_mark), **values))


def _number(make: Callable[[_Loader, yaml.ScalarNode], int | Decimal]) -> Callable[[_Loader, yaml.ScalarNode], Any]:
    """A constructor of numbers within bounds; 0 in the place of one that is not."""

    def construct(loader: _Loader, node: yaml.ScalarNode) -> int | Decimal:
        if len(node.value) > MAX_CHARACTERS:
            loader.note(node, "rulebook.number_too_long", text=node.value[:SHOWN], limit=MAX_DIGITS)
            return 0
        try:
            number = make(loader, node)
        except (ArithmeticError, ValueError):
            loader.note(node, "rulebook.inexact_number", text=node.value)
            return 0
        digits, exponent = Decimal(number).as_tuple()[1:]
        if not isinstance(exponent, int):
            loader.note(node, "rulebook.inexact_number", text=node.value)
        elif len(digits) > MAX_DIGITS or abs(exponent) > MAX_DIGITS:
            loader.note(node, "rulebook.number_too_long", text=node.value, limit=MAX_DIGITS)
        return number

    return construct


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            loader.note(key_node, "rulebook.key_no_text")
            return {}
        key = loader.construct_object(key_node)
        if key in seen:
            loader.note(node, "rulebook.repeated_key", key=key if not isinstance(key, str) else key[:SHOWN])
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor("tag:yaml.org,2002:float", _number(lambda loader, node: Decimal(node.value.replace("_", ""))))
_Loader.add_constructor("tag:yaml.org,2002:int", _number(lambda loader, node: loader.construct_yaml_int(node)))
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


class _Texts(_Loader):
    """Nothing but texts, true, false and nothing."""

    yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in rules if tag in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:bool")]
        for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }
