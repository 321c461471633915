"""In which list of codes a message names its communes: it is brought into the codes of the day that it speaks of. Pure.

3,316 of the 3,321 codes in force since 1 July 2025 meant another unit, or the same one, before. Who still writes the
old ones says so, and is read as it means; without a word a code is read on its day.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

from services.intake.domain.findings import Arrival
from shared.contracts.base import Problem
from shared.contracts.series import kind_of
from shared.contracts.submissions import (
    AssessmentSubmitted,
    AssessmentWithdrawn,
    CentreRegistered,
    Coded,
    CodeSystem,
    CommuneSubmitted,
    CommuneWithdrawn,
    Recognised,
    RecognitionWithdrawn,
    Submission,
)
from shared.refusals import problem
from shared.registry import REORGANISATION, Registry, Unit
from shared.rulebook import cut_off

S = TypeVar("S", bound=Submission)
_COMMUNE = re.compile(r"[0-9]{5}|D[0-9]{3}")


class Read(NamedTuple):
    """How a message names a commune."""

    field: str
    on: date
    """The day of which it speaks."""
    place: bool = False
    """Whether it names where something lies, and not whose file it is."""


def in_codes_of_its_day(data: S, arrival: Arrival, register: Registry) -> tuple[S, list[Problem]]:
    """The same message with the code that its unit bears on the day of which it speaks, and a note where that is
    another code; as it is, its code system with it, where there is no such unit.

    A file or decision is followed to the same unit under its other id only: one on a former ward is none on the
    commune into which that was merged. A place is followed as far as it went whole.
    """
    if not isinstance(data, Coded) or data.code_system is None or (read := _named(data, arrival)) is None:
        return data, []
    code: str = getattr(data, read.field)
    named = register.unit(code, day_of(data.code_system, read.on))
    unit = named and (register.counterpart(named.unit_id, read.on) if read.place else _same(register, named, read.on))
    if named is None or unit is None:
        return data, []
    notes = []
    if unit.unit_id != named.unit_id:
        notes.append(
            problem(
                "intake.code_followed",
                f"/{read.field}",
                code=code,
                system=data.code_system,
                name=named.name,
                unit=unit.unit_id,
                on=read.on,
            )
        )
    return data.model_copy(update={read.field: unit.code, "code_system": None}), notes


def day_of(system: CodeSystem | None, on: date) -> date:
    """The day on which a code is read in a list: `on`, or the day next to it on which that list is in force."""
    match system:
        case "pre-2025-07":
            return min(on, REORGANISATION - timedelta(days=1))
        case "2025-07":
            return max(on, REORGANISATION)
        case None:
            return on


def spoken_of(data: CentreRegistered, arrival: Arrival) -> date:
    """The day on which a centre's commune code is read: today, or the last one of a centre that is no more.

    Its commune may have ended with it, and the code may be another's since.
    """
    if data.closed_on is None or data.closed_on > arrival.day or data.closed_on <= data.opened_on:
        return arrival.day
    return data.closed_on - timedelta(days=1)


def _named(data: Coded, arrival: Arrival) -> Read | None:
    """`None`: it names a district, a province or what is no unit, of whom no list has two meanings."""
    match data:
        case CentreRegistered():
            return Read("commune_code", spoken_of(data, arrival), place=True)
        case CommuneSubmitted() | CommuneWithdrawn() | Recognised() | RecognitionWithdrawn():
            field, period, code = "unit_code", data.period, data.unit_code
        case AssessmentSubmitted() | AssessmentWithdrawn():
            field, period, code = "subject", data.period, data.subject
        case _:
            return None
    of_no_unit = kind_of(getattr(data, "series", "commune")) not in ("commune", "district", "province")
    return None if of_no_unit or not _COMMUNE.fullmatch(code) else Read(field, cut_off(period))


def _same(register: Registry, named: Unit, on: date) -> Unit | None:
    ids = register.lineage(named.unit_id)
    return next((unit for unit in map(register.by_id, ids) if unit is not None and unit.valid(on)), None)
