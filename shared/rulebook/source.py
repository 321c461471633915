"""Reads one YAML file of the rulebook into one model. All that is wrong becomes a `RulebookError`, file and place."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from shared.contracts.base import Nfc, Provenance, Text, content_hash
from shared.contracts.bounds import MAX_CHARACTERS
from shared.refusals import problem
from shared.rulebook.errors import Findings, NoRuleInForce, RulebookError, of_validation
from shared.rulebook.text import MAX_BYTES, load

DATA = Path(__file__).parent / "data"
"""The rules that are shipped."""
M = TypeVar("M", bound=BaseModel)


class Rule(BaseModel):
    """Base of everything in the rulebook: immutable, and a key that nobody reads is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


WORDING = "wording"
"""Marks a field that says something and computes nothing. `Text` and `Provenance` need no mark: they never compute."""


class Grounded(Rule):
    """A rule with its ground: how well it is supported, and where it stands in the law."""

    provenance: Annotated[Provenance, Field(strict=False)]
    citation: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), WORDING]


def _to_fraction(value: Any) -> Any:
    """`"1/3"`, `1.25` (read as an exact decimal) or `1`; anything else is left for Pydantic to refuse.

    How large a number can be is held where the file is read (`shared.rulebook.text`), for a text here.
    """
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and len(value) <= MAX_CHARACTERS and re.fullmatch(r"\d+(/[1-9]\d*|\.\d+)?", value):
        return Fraction(value)
    return value


Exact = Annotated[Fraction, BeforeValidator(_to_fraction)]
"""A factor or share: an exact fraction, never a float."""


def read(file: Path, model: type[M], name: str | None = None) -> M:
    """Read and check one file, called `name` (else by its own name) in what is said about it.

    Raises:
        RulebookError: missing, empty, not UTF-8, not YAML, or not of the shape of `model`; with all that is wrong.
    """
    name = file.name if name is None else name
    try:
        with file.open("rb") as opened:
            content = load(opened.read(MAX_BYTES + 1), name)
    except FileNotFoundError:
        raise RulebookError(name, problem("rulebook.file_missing")) from None
    if not content:
        raise RulebookError(name, problem("rulebook.file_empty"))
    found = Findings()
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for one in error.errors():
            found.errors.append(RulebookError(name, of_validation(one, _place(content, one["loc"], one["type"]))))
    found.settle()
    raise AssertionError("a validation error without errors")


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

    @property
    def identity(self) -> str:
        """SHA-256 of all that computes, but not of when it ends and what follows: ending a rule is no change of it.
        Two versions with the same identity judge alike."""
        computing = _computing(self)
        return content_hash(to_jsonable_python({name: computing[name] for name in computing.keys() - _END}))

    @property
    def revision(self) -> str:
        """SHA-256 of what computes and of the words: of two versions with one identity, whether they read alike."""
        return content_hash(self.model_dump(mode="json", exclude_defaults=True, exclude=_END))


_END = {"effective_to", "successor"}


def is_wording(field: FieldInfo) -> bool:
    """Whether a field of a rule says something and computes nothing; every other one computes."""
    types = get_args(field.annotation) or (field.annotation,)
    return WORDING in field.metadata or set(types) <= {Text, Provenance, NoneType}


def _computing(value: Any) -> Any:
    """What of a rule computes. Of named things (`{"a": Text(…)}`) the keys do."""
    match value:
        case Rule():
            return {
                name: _computing(each)
                for name, field in type(value).model_fields.items()
                if not (field.exclude or is_wording(field)) and (each := getattr(value, name)) != field.default
            }
        case dict():
            return {key: _computing(each) for key, each in value.items()}
        case list():
            return [_computing(each) for each in value]
        case Text():
            return None
        case _:
            return value


NOT_FOUND: Literal["not_found"] = "not_found"
V = TypeVar("V", bound=Dated)


def prove_succession(versions: Sequence[Dated], file: Callable[[Any], str]) -> None:
    """Prove that the versions of one series follow one another.

    Args:
        versions: of one series, in any order.
        file: tells in which file a version stands, for error messages.

    Raises:
        RulebookError: an id is used twice, dates are reversed or overlap, or a version has ended and neither names the
            version that takes over on that day nor declares `successor: not_found`. With everything found.
    """
    ordered = sorted(versions, key=lambda version: version.effective_from)
    by_id = {version.id: version for version in ordered}
    found = Findings()

    def wrong(version: Dated, path: str, code: str, **values: object) -> None:
        found.add(file(version), path, code, **values)

    for nth, version in enumerate(ordered):
        if version.id in {earlier.id for earlier in ordered[:nth]}:
            wrong(version, "id", "rulebook.id_used_twice", id=version.id)
        end = version.effective_to
        if end is not None and end <= version.effective_from:
            wrong(version, "effective_to", "rulebook.dates_reversed", end=end, start=version.effective_from)
    for before, after in pairwise(ordered):
        if before.effective_to is None or after.effective_from < before.effective_to:
            start = after.effective_from
            wrong(after, "effective_from", "rulebook.dates_overlap", start=start, before=before.id, after=after.id)
    for version in ordered:
        if version.effective_to is None:
            if version.successor is not None:
                wrong(version, "successor", "rulebook.successor_without_end", id=version.id)
        elif version.successor != NOT_FOUND:
            follower = by_id.get(version.successor or "")
            if follower is None or follower.effective_from != version.effective_to:
                wrong(version, "successor", "rulebook.no_successor", id=version.id, end=version.effective_to)
    found.settle()


def in_force(versions: Sequence[V], on: date, file: str) -> V:
    """The version in force on that day.

    Raises:
        NoRuleInForce: there was none.
    """
    for version in versions:
        if version.in_force(on):
            return version
    raise NoRuleInForce(file, problem("rulebook.none_in_force", on=on))
