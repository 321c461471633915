"""Whom a search means: a name is a label, and what is looked for by it is filed under codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple, get_args

from shared.contracts.base import to_nfc
from shared.contracts.submissions import AssessmentSeries, Standard
from shared.registry import REORGANISATION, District, Province, Registry, Unit

MOST_MEANT = 1_000
"""Codes that one search may mean; above all communes, districts and provinces that one province ever had."""


class Meant(NamedTuple):
    """A code, and the periods in which it means who is sought."""

    code: str
    first: int | None = None
    end: int | None = None
    """The first period in which it means somebody else."""


def meant(register: Registry, asked: str, province: str | None, others: Sequence[str] = ()) -> frozenset[Meant]:
    """Whom a code, a unit's id or a part of a name means; `others`: ids that the register does not hold.

    Where very many have such a name, those alone are meant for which `province` speaks.
    """
    code = to_nfc(asked).strip()
    unit, found = register.by_id(code), register.called(asked)
    besides = [Meant(code), *map(Meant, others), *([_meant(register, unit)] if unit else [])]
    if len(found) + len(besides) > MOST_MEANT and province is not None:
        found = tuple(one for one in found if _speaker(register, one) == province)
    return frozenset([*besides, *(_meant(register, one) for one in found)])


def _speaker(register: Registry, one: Province | District | Unit) -> str:
    if not isinstance(one, Province):
        return register.speaker_of(one)
    return register.speaker(one.code, one.valid_from or REORGANISATION - timedelta(days=1))


def _meant(register: Registry, one: Province | District | Unit) -> Meant:
    """By the cut-off date, the last day of a period: a year in which the bearer changes is the later one's."""
    if not isinstance(one, Unit):
        return Meant(one.code)
    begin, end = register.meaning(one)
    return Meant(one.code, begin.year if begin else None, end.year if end else None)


def filed_as(code: str) -> Iterator[str]:
    """What submissions of all kinds call whoever has this code."""
    yield from kept_under(code)
    for series in get_args(AssessmentSeries):
        yield from kept_under(f"{series}/{code}")


def kept_under(subject: str) -> Iterator[str]:
    """A subject, where it is a centre the decisions on its grade, and each standard of its universal education, which
    is decided on by itself."""
    yield from (subject, f"centre/{subject}")
    if subject.startswith("universal_education/"):
        yield from (f"{subject}/{standard}" for standard in get_args(Standard))
