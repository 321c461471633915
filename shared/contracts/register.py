"""Corrections of the register of administrative units: what a ministry operator enters, and the fact made of it.

The register is imported data. It is mended, and brought up to later decrees, by events that every service reads, so
that all of them decide on the same register.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.base import Claim, CommuneCode, Contract, Identifier, Instant, Label, ProvinceCode, Version

UnitId = Annotated[str, StringConstraints(pattern=r"^([0-9]{5}|D[0-9]{3})@[0-9a-z-]{1,20}$")]
"""`<code>@2025-07` and `<code>@pre-2025-07` of the imported data; of an added unit `<code>@<first day>`, or
`<code>@pre-<day of its end>` where the first day is unknown."""
DistrictCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]


class Decree(Claim):
    """The legal act behind a correction. It is issued on one day and takes effect on another; both are kept."""

    number: Label
    issued_on: date
    effective_on: date


class UnitState(Claim):
    """A unit as it is, or was: whole, so that absence never means "as before"."""

    name: Label
    """Full name with its type (`Phường Ba Đình`)."""
    type: Label
    province_code: ProvinceCode
    """In the codes of the unit's own time."""
    valid_from: date | None = None
    """First day; absent = unknown."""
    valid_to: date | None = None
    """First day on which it no longer exists; absent = still in force."""
    district_code: DistrictCode | None = None
    district_name: Label | None = None


class AddedUnit(UnitState):
    """A unit that the register did not have."""

    code: CommuneCode


class ChangedUnit(UnitState):
    """A unit that the register had wrongly, as it really is. A reorganisation ends units and adds others instead."""

    unit_id: UnitId


class UnitPair(Claim):
    """The two ends of a succession."""

    predecessor: UnitId
    successor: UnitId


class UnitSuccession(UnitPair):
    """The territory of one unit, or a part of it, went to another."""

    share: Literal["whole", "part"]
    is_default: bool = True
    """Whether it is the predecessor's main successor."""


class RegisterCorrection(Claim):
    """One correction with its ground. It holds whole or not at all."""

    correction_id: Identifier
    """The operator's own; the same id with the same content is the same correction."""
    why: Label
    decree: Decree
    source: Label
    """Where the decree, or the right value, was read."""
    added: Annotated[list[AddedUnit], Field(max_length=500)] = []
    changed: Annotated[list[ChangedUnit], Field(max_length=500)] = []
    ended: Annotated[list[UnitId], Field(max_length=500)] = []
    """Units that ended on the day the decree took effect."""
    successions: Annotated[list[UnitSuccession], Field(max_length=1_000)] = []
    """Added, or put in the place of the one between the same two units."""
    removed_successions: Annotated[list[UnitPair], Field(max_length=1_000)] = []


class RegisterCorrected(Contract):
    """`langhoc.register.corrected.v1`, subject = `register`: the register is the imported data and all corrections in
    order of `version`, so a reader that knows them all has the same register, in whatever order they arrived."""

    version: Version
    correction: RegisterCorrection
    entered_by: str
    entered_at: Instant
