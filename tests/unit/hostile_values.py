"""Values that a few bytes ask for and no machine can hold, and the places of a document where they can be put."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]
NUMBERS = {
    "large exponent": "1e999999999",
    "small exponent": "1e-999999999",
    "zero with a large exponent": "0e999999999",
    "exponent that no decimal has": "1e99999999999999999999",
    "5,000 digits": "1" * 5_000,
    "30 digits": "-" + "9" * 30,
    "5,000 decimal places": "0." + "1" * 5_000,
}
"""As they are written in JSON and YAML; in quotes, also texts."""
STRUCTURES = {
    "600 lists": "[" * 600 + "]" * 600,
    "600 objects": '{"a": ' * 600 + "1" + "}" * 600,
    "100,000 lists": "[" * 100_000 + "]" * 100_000,
    "25,000 keys": "{" + ",".join(f'"{number:x}":1' for number in range(25_000)) + "}",
    "30,000 items": "[" + ", ".join(["1"] * 30_000) + "]",
}
TEXTS = {f"{name}, as text": json.dumps(text) for name, text in NUMBERS.items()}
VALUES = NUMBERS | TEXTS | STRUCTURES


def places(document: Any, path: Path = ()) -> Iterator[Path]:
    """Where a document of JSON has a value."""
    yield path
    if isinstance(document, dict | list):
        for key, inner in document.items() if isinstance(document, dict) else enumerate(document):
            yield from places(inner, (*path, key))


def with_value(document: Any, path: Path, text: str, dump: Callable[[Any], str] = json.dumps) -> str:
    """The document as JSON, or as `dump` writes it, with this text as the value in that place."""
    mark = 987_654_321_987
    return dump(_put(document, path, mark)).replace(str(mark), text)


def _put(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    key, *rest = path
    inner = _put(document[key], tuple(rest), value)
    if isinstance(document, dict):
        return {**document, key: inner}
    return [inner if index == key else each for index, each in enumerate(document)]


def unbounded(schema: Any, place: str = "") -> Iterator[str]:
    """Where a JSON schema lets a number, text, list or object be as large as it likes."""
    if isinstance(schema, list):
        for each in schema:
            yield from unbounded(each, place)
    if not isinstance(schema, dict):
        return
    needed: dict[str, list[tuple[str, ...]]] = {
        "integer": [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")],
        "number": [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")],
        "array": [("maxItems",)],
        "string": [("maxLength", "pattern", "enum", "const", "format")],
        "object": [("maxProperties", "properties")],
    }
    for names in needed.get(str(schema.get("type")), []):
        if not any(name in schema for name in names):
            yield f"{place}: no {names[0]}"
    for key, inner in schema.items():
        if key == "anyOf" and any(each.get("type") == "number" for each in inner):
            inner = [each for each in inner if each.get("type") != "string"]  # the same exact number, as text
        yield from unbounded(inner, f"{place}/{key}")
