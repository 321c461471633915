"""Norms and policies for tests: those that are shipped, with single entries changed as a file would change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)


def changed(rule: M, changes: Mapping[str, Any]) -> M:
    """The rule with some entries replaced, at any depth; read and checked like a file's content."""
    return type(rule).model_validate(_merged(rule.model_dump(), changes))


def _merged(content: Any, changes: Mapping[str, Any]) -> Any:
    merged = dict(content)
    for key, value in changes.items():
        deeper = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if deeper else value
    return merged
