"""What the register holds: provinces, districts, communes and their successions, each with its dates.

A unit is (code, valid on date), because codes were used again in 2025: 3,316 of the 3,321 commune codes in force since
1 July 2025 stood for an older unit before, most of them for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

REORGANISATION = date(2025, 7, 1)
"""First day of the 34 provinces and 3,321 communes (Nghị quyết 202/2025/QH15, Quyết định 19/2025/QĐ-TTg)."""


@dataclass(frozen=True, slots=True)
class Dated:
    """Something that exists from one day to another."""

    code: str
    name: str
    """Full name with its type (`Phường Ba Đình`), NFC."""
    valid_from: date | None
    """First day; `None` = unknown: the old list is one snapshot without dates."""
    valid_to: date | None
    """First day on which it no longer exists; `None` = still in force."""

    def valid(self, on: date) -> bool:
        """Whether it existed on that day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)

    def meets(self, other: Dated) -> bool:
        """Whether both exist on some day."""
        begin = max(self.valid_from or date.min, other.valid_from or date.min)
        return begin < min(self.valid_to or date.max, other.valid_to or date.max)


@dataclass(frozen=True, slots=True)
class Province(Dated):
    """A province or centrally run city."""


@dataclass(frozen=True, slots=True)
class District(Dated):
    """A district (huyện, quận, thị xã, thành phố thuộc tỉnh): a level that ended with the reorganisation."""

    province_code: str


@dataclass(frozen=True, slots=True)
class Unit(Dated):
    """A commune, ward, township or special zone."""

    unit_id: str
    """`<code>@2025-07` for the imported units of 1 July 2025, `<code>@pre-2025-07` for those of the last state before;
    see `unit_id_of` for units that a correction added."""
    type: str
    province_code: str
    district_code: str | None = None
    district_name: str | None = None
    area_km2: Decimal | None = None
    lat: Decimal | None = None
    lon: Decimal | None = None


def unit_id_of(code: str, valid_from: date | None, valid_to: date | None) -> str:
    """Id of a unit that a correction adds: by its first day, or where that is unknown by its end."""
    return f"{code}@{valid_from}" if valid_from else f"{code}@pre-{valid_to}"


@dataclass(frozen=True, slots=True)
class Succession:
    """The territory of one unit, or a part of it, went to another."""

    predecessor: str
    successor: str
    share: Literal["whole", "part"]
    is_default: bool
    """Whether it is the predecessor's main successor."""


@dataclass(frozen=True, slots=True)
class RegisterGap:
    """The code is not in the one snapshot we have of the time before July 2025; the unit may still have existed."""

    code: str
    on: date
    candidates: tuple[str, ...] = ()
    """Codes in force on that day that the sender may have meant."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """There was no such code on that day."""

    code: str
    on: date
    candidates: tuple[str, ...]
    """Codes in force on that day that the sender may have meant."""


class Edition(NamedTuple):
    """The country between two changes of it, everything in order of code."""

    provinces: Mapping[str, Province]
    districts: Mapping[str, District]
    units: Mapping[str, Unit]
    by_province: Mapping[str, tuple[Unit, ...]]
    by_name: Mapping[str, tuple[Unit, ...]]
    """By `comparable` name."""
