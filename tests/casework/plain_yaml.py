"""YAML as an official writes it: codes, days and times stay text, nothing is read twice, every place has a line.

YAML 1.1 makes the number 699 of the commune code 01273, a date of 2025-07-01 and seconds of 23:59. Here only `true`,
`false`, `null` and plain decimal numbers without leading zeros are more than text; keys are always text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_SCALARS = {
    "tag:yaml.org,2002:null": (r"null|~|", "n~\0"),
    "tag:yaml.org,2002:bool": (r"true|false", "tf"),
    "tag:yaml.org,2002:int": (r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    "tag:yaml.org,2002:float": (r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
}
Place = Sequence[str | int]
"""Keys and positions that lead to a value."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in found:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands here twice", key.start_mark
                )
            found[key.value] = self.construct_object(value, deep=deep)
        return found


for _tag, (_form, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(_tag, re.compile(f"^(?:{_form})$"), [char.strip("\0") for char in _first])


@dataclass(frozen=True)
class Document:
    """One document of a file, with the way back to its lines."""

    path: Path
    content: Any
    node: yaml.Node

    def line(self, place: Place) -> int:
        """The line of a value, or of the nearest one around it that exists."""
        node, mark = self.node, self.node.start_mark
        for step in place:
            found = _inside(node, step)
            if found:
                node, mark = found
        return int(mark.line) + 1


def _inside(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Mark] | None:
    """The value of a key or at a position, and where its line begins."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark
    if isinstance(node, yaml.MappingNode):
        return next(((value, key.start_mark) for key, value in node.value if key.value == str(step)), None)
    return None


def documents(path: Path) -> Iterator[Document]:
    """The documents of a file (`---` parts them). Raises `yaml.YAMLError`, `OSError` and `UnicodeDecodeError`."""
    loader = _Loader(path.read_text(encoding="utf-8"))
    loader.name = str(path)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                yield Document(path, loader.construct_document(node), node)
    finally:
        loader.dispose()
