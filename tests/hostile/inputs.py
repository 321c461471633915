"""Reads the hostile inputs of an area: `tests/hostile/<area>.yaml`."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parent
Input = dict[str, Any]
"""`name`; often `kind`, of which there are ten or more; what is done, and what must come of it."""


def areas() -> list[str]:
    """The areas that have inputs."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def inputs(area: str) -> list[Input]:
    """All inputs of an area, in their order."""
    found: list[Input] = yaml.load((FOLDER / f"{area}.yaml").read_bytes(), yaml.CSafeLoader)
    return found


def kinds(area: str) -> Counter[str]:
    """How many inputs there are of each kind; the area is the kind of those that name none."""
    return Counter(f"{area}: {one.get('kind', area)}" for one in inputs(area))


def each(area: str) -> pytest.MarkDecorator:
    """Plays a test (of the argument `given`) with every input of an area."""
    found = inputs(area)
    ids = [f"{one.get('kind', area)}: {one['name']}" for one in found]
    return pytest.mark.parametrize("given", found, ids=ids)


def written(text: Any) -> str:
    """A text as an input has it: whole, or in pieces of which `[piece, times]` is repeated."""
    if isinstance(text, str):
        return text
    return "".join(one if isinstance(one, str) else one[0] * one[1] for one in text)


def raw(value: Any) -> bytes:
    """Bytes as an input has them: a text, `{hex: …}`, or `{times: [piece, times]}`."""
    match value:
        case {"hex": str(digits)}:
            return bytes.fromhex(digits)
        case {"times": [str(piece), int(times)]}:
            return (piece * times).encode()
        case _:
            return written(value).encode()
