"""Reads one YAML file of the rulebook into one model. Every fault becomes a `RulebookError` with file and place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from shared.contracts.base import Nfc, Provenance, Text, to_nfc
from shared.rulebook.errors import NoRuleInForce, RulebookError

DATA = Path(__file__).parent / "data"
M = TypeVar("M", bound=BaseModel)


class Rule(BaseModel):
    """Base of everything in the rulebook: immutable, and a key that nobody reads is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Grounded(Rule):
    """A rule with its ground: how well it is supported, and where it stands in the law."""

    provenance: Annotated[Provenance, Field(strict=False)]
    citation: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def _to_fraction(value: Any) -> Any:
    """`"1/3"`, `1.25` (read as an exact decimal) or `1`; anything else is left for Pydantic to refuse."""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and re.fullmatch(r"\d+(/[1-9]\d*|\.\d+)?", value):
        return Fraction(value)
    return value


Exact = Annotated[Fraction, BeforeValidator(_to_fraction)]
"""A factor or share: an exact fraction, never a float."""


class _Loader(yaml.SafeLoader):
    """YAML without its two traps: binary floats, and a repeated key whose first value silently vanishes."""


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal:
    text = loader.construct_scalar(node)
    try:
        return Decimal(text.replace("_", ""))
    except ArithmeticError:
        raise yaml.constructor.ConstructorError(None, None, f"{text} is no exact number", node.start_mark) from None


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice; keep one of them", node.start_mark
            )
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read(file: Path, model: type[M]) -> M:
    """Read and check one file.

    Raises:
        RulebookError: missing, empty, not UTF-8, not YAML, or not of the shape of `model` (the first fault is named).
    """
    name = file.name
    try:
        content = yaml.load(to_nfc(file.read_text(encoding="utf-8")), _Loader)  # a SafeLoader
    except FileNotFoundError:
        raise RulebookError(name, "", "the file is missing; restore it from the repository") from None
    except UnicodeDecodeError as error:
        raise RulebookError(name, f"byte {error.start}", "is not UTF-8; save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise RulebookError(name, line, f"cannot be read as YAML: {error.problem}") from None
    except ValueError as error:  # a date that no calendar has
        raise RulebookError(name, "", f"cannot be read: {error}") from None
    if not content:
        raise RulebookError(name, "", "the file is empty; a rule needs at least its values and their citation")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        path = _place(content, first["loc"], first["type"])
        raise RulebookError(name, path, _gently(first["type"], first["msg"])) from None


def _place(content: Any, location: Sequence[str | int], kind: str) -> str:
    """Pydantic's location without the names of union members in it, which stand nowhere in the file."""
    kept: list[str] = []
    for part in location:
        held = part in content if isinstance(content, dict) else isinstance(content, list) and isinstance(part, int)
        if held:
            content = content[part]
            kept.append(str(part))
    if kind == "missing":
        kept.append(str(location[-1]))
    return "/".join(kept)


def _gently(kind: str, message: str) -> str:
    if kind == "missing":
        return "this entry is missing; every rule must state it"
    if kind == "extra_forbidden":
        return "this key is not known here; remove it or correct its spelling"
    if kind == "string_too_short":
        return "this entry is empty; state it, a rule without its ground cannot be used"
    return message.removeprefix("Value error, ")


class Dated(Grounded):
    """One version of a rule. In force from `effective_from` until the day before `effective_to`."""

    id: Nfc
    name: Text
    effective_from: date
    effective_to: date | None = None
    successor: Nfc | None = None
    """Id of the version that follows, or `not_found`: a declared gap. Required where the rule has ended."""

    def in_force(self, on: date) -> bool:
        """Whether the version was in force on that day."""
        return self.effective_from <= on and (self.effective_to is None or on < self.effective_to)


NOT_FOUND: Literal["not_found"] = "not_found"
V = TypeVar("V", bound=Dated)


Placed = Callable[[Any], str]
"""Tells in which file a version stands, for error messages."""


def prove_succession(versions: Sequence[Dated], file: Placed) -> None:
    """Prove that the versions of one series follow one another.

    Raises:
        RulebookError: an id is used twice, dates are reversed or overlap, or a version has ended and neither names the
            version that takes over on that day nor declares `successor: not_found`.
    """
    ordered = sorted(versions, key=lambda version: version.effective_from)
    by_id = {version.id: version for version in ordered}
    if len(by_id) != len(ordered):
        twice = next(v for i, v in enumerate(ordered) if v.id in {w.id for w in ordered[:i]})
        raise RulebookError(file(twice), "id", f"{twice.id} is used twice; give every version its own id")
    for version in ordered:
        end = version.effective_to
        if end is not None and end <= version.effective_from:
            raise RulebookError(file(version), "effective_to", f"{end} is not after {version.effective_from}")
    for before, after in pairwise(ordered):
        if before.effective_to is None or after.effective_from < before.effective_to:
            raise RulebookError(
                file(after),
                "effective_from",
                f"{after.id} starts on {after.effective_from} while {before.id} is still in force; "
                f"end {before.id} on that day or start {after.id} later",
            )
    for version in ordered:
        _prove_successor(version, by_id, file)


def _prove_successor(version: Dated, by_id: dict[str, Any], file: Placed) -> None:
    if version.effective_to is None:
        if version.successor is not None:
            raise RulebookError(
                file(version),
                "successor",
                f"{version.id} has not ended, so it has no successor; remove the entry",
            )
        return
    if version.successor == NOT_FOUND:
        return
    follower = by_id.get(version.successor or "")
    if follower is None or follower.effective_from != version.effective_to:
        raise RulebookError(
            file(version),
            "successor",
            f"{version.id} ended on {version.effective_to} and no rule takes over on that day; name the version that "
            f"does, or write `successor: {NOT_FOUND}` to declare the gap",
        )


def in_force(versions: Sequence[V], on: date, file: str) -> V:
    """The version in force on that day.

    Raises:
        NoRuleInForce: there was none.
    """
    for version in versions:
        if version.in_force(on):
            return version
    raise NoRuleInForce(file, "", f"no version was in force on {on}; add one with its citation")
