"""The one catalogue of what the product refuses: per area a file of codes with their words in both languages.

`problem("intake.unit_unknown", "/unit_code", code=…, on=…)` is the only way to word a refusal. In a text `{name}` is a
value, or the half of a bilingual one; `{name:n}` is a number and `{name:d}` a day as the language writes it. Values may
come from outside: each is shown `neutral`.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from shared.contracts.base import Problem, Text
from shared.texts import neutral
from shared.wording import EN, VI, Language

FOLDER = Path(__file__).parent


class Refusal(BaseModel):
    """One entry of the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str | None = None
    """The stable code, where it is not the entry's name: two entries may word one code."""
    status: int = 422
    """Of HTTP, where it is answered by itself."""
    message: Text
    expected: Text
    mend: Text

    @property
    def texts(self) -> tuple[Text, Text, Text]:
        """What is wrong, what was expected, how to mend it."""
        return self.message, self.expected, self.mend


def areas() -> list[str]:
    """The areas of the catalogue."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def catalogue(area: str) -> dict[str, Refusal]:
    """All entries of an area by name."""
    content = yaml.load((FOLDER / f"{area}.yaml").read_bytes(), yaml.CSafeLoader)
    return TypeAdapter(dict[str, Refusal]).validate_python(content)


def refusal(key: str) -> Refusal:
    """The entry `area.name`. Raises `KeyError` where there is none: a mistake of ours, found by a test."""
    area, _, name = key.partition(".")
    return catalogue(area)[name]


def problem(key: str, field: str = "", /, **values: object) -> Problem:
    """The problem `area.name` in its place, its texts filled in."""
    entry = refusal(key)
    vi, en = ({name: _Value(language, value) for name, value in values.items()} for language in (VI, EN))
    message, expected, mend = (Text(vi=one.vi.format(**vi), en=one.en.format(**en)) for one in entry.texts)
    code = entry.code or key.partition(".")[2]
    return Problem(code=code, field=neutral(field), message=message, expected=expected, mend=mend)


class _Value:
    """A value that a text of one language shows."""

    def __init__(self, language: Language, value: object) -> None:
        self._language = language
        self._value = language.of(value) if isinstance(value, Text) else value

    def __format__(self, spec: str) -> str:
        value = self._value
        if spec == "n" and isinstance(value, int | Decimal | Fraction):
            return self._language(value)
        if spec == "d" and isinstance(value, date):
            return self._language.day(value)
        return neutral(format(value, spec))

    def __repr__(self) -> str:
        return repr(self._value)
