"""Administrative units as dated data: a unit is (code, valid on date), because codes were used again in 2025.

3,316 of the 3,321 commune codes in force since 1 July 2025 stood for an older unit before, most of them for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

REORGANISATION = date(2025, 7, 1)
"""First day of the 34 provinces and 3,321 communes (Nghị quyết 202/2025/QH15, Quyết định 19/2025/QĐ-TTg)."""
_COMMUNE_CODE = re.compile(r"[0-9]{5}|D[0-9]{3}")


@dataclass(frozen=True, slots=True)
class Province:
    """A province or centrally run city in one edition of the register."""

    code: str
    name: str
    valid_from: date | None
    valid_to: date | None
    """First day on which it no longer exists; `None` = still in force."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A commune, ward, township or special zone in one edition of the register."""

    unit_id: str
    """`<code>@2025-07` for units in force since 1 July 2025, `<code>@pre-2025-07` for the last state before."""
    code: str
    name: str
    """Full name with its type (`Phường Ba Đình`), NFC."""
    type: str
    province_code: str
    valid_from: date | None
    """`None` = unknown: the old list is one snapshot without dates."""
    valid_to: date | None
    """First day on which it no longer exists; `None` = still in force."""
    district_code: str | None = None
    district_name: str | None = None
    area_km2: Decimal | None = None
    lat: Decimal | None = None
    lon: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Succession:
    """The territory of one unit, or a part of it, went to another on 1 July 2025."""

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


@dataclass(frozen=True, slots=True)
class Unknown:
    """There was no such code on that day."""

    code: str
    on: date
    candidates: tuple[str, ...]
    """Codes in force on that day that the sender may have meant."""


class Edition(NamedTuple):
    """All units of one state of the country, in order of code."""

    provinces: Mapping[str, Province]
    units: Mapping[str, Unit]
    by_province: Mapping[str, tuple[Unit, ...]]


class Registry:
    """Look-ups over both editions. Immutable once loaded; every answer is deterministic and ordered by code."""

    def __init__(
        self,
        legacy: Edition,
        current: Edition,
        province_successor: Mapping[str, str],
        successions: Iterable[Succession],
    ) -> None:
        self._legacy = legacy
        self._current = current
        self._province_successor = province_successor
        self._by_id = {unit.unit_id: unit for edition in (legacy, current) for unit in edition.units.values()}
        self._successors: dict[str, tuple[Succession, ...]] = {}
        self._predecessors: dict[str, tuple[Succession, ...]] = {}
        for row in sorted(successions, key=lambda row: (row.predecessor, row.successor)):
            self._successors[row.predecessor] = (*self.successors(row.predecessor), row)
            self._predecessors[row.successor] = (*self.predecessors(row.successor), row)

    def _edition(self, on: date) -> Edition:
        return self._current if on >= REORGANISATION else self._legacy

    # ------------------------------------------------------------------------------------------- units

    def by_id(self, unit_id: str) -> Unit | None:
        """The unit of that id, in whichever edition."""
        return self._by_id.get(unit_id)

    def unit(self, code: str, on: date) -> Unit | None:
        """The unit that carried `code` on that day; `None` when it is not in the register."""
        return self._edition(on).units.get(code)

    def lookup(self, code: str, on: date) -> Unit | RegisterGap | Unknown:
        """Like `unit`, but tells a code that never was from a gap of the register (dates before July 2025)."""
        unit = self.unit(code, on)
        if unit is not None:
            return unit
        if on < REORGANISATION and _COMMUNE_CODE.fullmatch(code):
            return RegisterGap(code, on)
        return Unknown(code, on, self.candidates(code, on))

    def units(self, on: date, province: str | None = None) -> tuple[Unit, ...]:
        """All units of that day, or those of one province (in the codes of that day)."""
        edition = self._edition(on)
        return tuple(edition.units.values()) if province is None else edition.by_province.get(province, ())

    def candidates(self, code: str, on: date = REORGANISATION) -> tuple[str, ...]:
        """Codes in force that a mistyped one may stand for: leading zeros lost, blanks, or two neighbours swapped.

        `4` and `0004` suggest `00004`. A suggestion is for the sender to confirm, never applied by itself.
        """
        typed = re.sub(r"\s", "", code).upper()
        swapped = [typed[:i] + typed[i + 1] + typed[i] + typed[i + 2 :] for i in range(len(typed) - 1)]
        meant = [typed.zfill(5)] if len(typed) < 5 else [typed, *sorted(swapped)]
        known = self._edition(on).units
        return tuple(dict.fromkeys(one for one in meant if one in known and one != code))

    # --------------------------------------------------------------------------------------- provinces

    def province(self, code: str, on: date) -> Province | None:
        """The province that carried `code` on that day."""
        return self._edition(on).provinces.get(code)

    def provinces(self, on: date) -> tuple[Province, ...]:
        """All provinces of that day."""
        return tuple(self._edition(on).provinces.values())

    def holder(self, code: str, on: date) -> str | None:
        """Code (of that day) of the province to which the unit belonged; `None` for an unknown unit."""
        unit = self.unit(code, on)
        return unit.province_code if unit else None

    def entitled_sender(self, code: str, on: date) -> str | None:
        """Code of today's province that may speak for the unit as it was on that day; `None` for an unknown unit.

        It is the successor of the province that held the unit on the day, by the succession of *provinces*: where the
        commune itself went is irrelevant, its files went with the province.
        """
        holder = self.holder(code, on)
        return self._province_successor[holder] if holder and on < REORGANISATION else holder

    # -------------------------------------------------------------------------------------- succession

    def successors(self, unit_id: str) -> tuple[Succession, ...]:
        """Where the unit's territory went."""
        return self._successors.get(unit_id, ())

    def predecessors(self, unit_id: str) -> tuple[Succession, ...]:
        """Where the unit's territory came from."""
        return self._predecessors.get(unit_id, ())

    def continues(self, unit: Unit) -> Unit | None:
        """The one whole predecessor that feeds only this unit: then both are the *same* unit under two ids."""
        rows = self.predecessors(unit.unit_id)
        return self._by_id[rows[0].predecessor] if len(rows) == 1 and rows[0].share == "whole" else None

    def lineage(self, unit_id: str) -> tuple[str, ...]:
        """All ids of the same unit, oldest first: two for a continuing unit, else the id itself (known or not)."""
        for row in self.successors(unit_id):
            successor = self._by_id[row.successor]
            if self.continues(successor) is not None:
                return unit_id, successor.unit_id
        unit = self.by_id(unit_id)
        predecessor = self.continues(unit) if unit else None
        return (predecessor.unit_id, unit_id) if predecessor else (unit_id,)
