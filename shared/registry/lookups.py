"""The register: every question is asked with a date, every answer is deterministic and ordered by code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from itertools import chain

from shared.contracts.register import RegisterCorrection, UnitPair
from shared.registry.names import comparable, finder, folded
from shared.registry.units import (
    REORGANISATION,
    District,
    Edition,
    Province,
    RegisterGap,
    Succession,
    Unit,
    Unknown,
    unit_id_of,
)

_COMMUNE_CODE = re.compile(r"[0-9]{5}|D[0-9]{3}")
MOST_CANDIDATES = 10


class Registry:
    """Provinces, districts, communes and their successions over time. Immutable; a correction makes another one.

    Units never disappear from it: they end, and stay to be found by their id and on the days on which they existed.
    """

    def __init__(
        self,
        provinces: Iterable[Province],
        units: Iterable[Unit],
        province_successor: Mapping[str, str],
        successions: Iterable[Succession],
        corrections: Sequence[RegisterCorrection] = (),
    ) -> None:
        self._provinces = tuple(provinces)
        self._by_id = {unit.unit_id: unit for unit in sorted(units, key=lambda unit: (unit.code, unit.unit_id))}
        self._province_successor = province_successor
        self._successions = tuple(sorted(successions, key=lambda row: (row.predecessor, row.successor)))
        self.corrections = tuple(corrections)
        """The corrections it has taken, in their order."""
        dated = (*self._provinces, *self._by_id.values())
        self._changes = sorted({day for one in dated for day in (one.valid_from, one.valid_to) if day is not None})
        self._editions: dict[int, Edition] = {}
        self._bearers: dict[str, list[Unit]] = {}
        for unit in sorted(self._by_id.values(), key=lambda unit: unit.valid_from or date.min):
            self._bearers.setdefault(unit.code, []).append(unit)
        self._successors: dict[str, tuple[Succession, ...]] = {}
        self._predecessors: dict[str, tuple[Succession, ...]] = {}
        for row in self._successions:
            self._successors[row.predecessor] = (*self.successors(row.predecessor), row)
            self._predecessors[row.successor] = (*self.predecessors(row.successor), row)

    def _edition(self, on: date) -> Edition:
        """The country on that day; made once for all days between two changes."""
        number = bisect_right(self._changes, on)
        if number not in self._editions:
            provinces = {one.code: one for one in self._provinces if one.valid(on)}
            units = {one.code: one for one in self._by_id.values() if one.valid(on)}
            by_province: dict[str, list[Unit]] = {code: [] for code in provinces}
            by_name: dict[str, list[Unit]] = {}
            for unit in units.values():
                by_province[unit.province_code].append(unit)
                by_name.setdefault(comparable(unit.name), []).append(unit)
            self._editions[number] = Edition(
                dict(sorted(provinces.items())),
                {code: one for code, one in self._districts.items() if one.valid(on)},
                units,
                {code: tuple(members) for code, members in by_province.items()},
                {name: tuple(bearers) for name, bearers in by_name.items()},
            )
        return self._editions[number]

    # ------------------------------------------------------------------------------------------- units

    def by_id(self, unit_id: str) -> Unit | None:
        """The unit of that id, whenever it existed."""
        return self._by_id.get(unit_id)

    def unit(self, code: str, on: date) -> Unit | None:
        """The unit that carried `code` on that day; `None` when it is not in the register."""
        return self._edition(on).units.get(code)

    def bearers(self, code: str) -> tuple[Unit, ...]:
        """All units that ever carried `code`, oldest first."""
        return tuple(self._bearers.get(code, ()))

    def lookup(self, code: str, on: date, name: str | None = None) -> Unit | RegisterGap | Unknown:
        """Like `unit`, but tells a code that never was from a gap of the register (dates before July 2025).

        `name` only adds candidates: it never decides which unit is meant.
        """
        unit = self.unit(code, on)
        if unit is not None:
            return unit
        candidates = self.candidates(code, on, name)
        if on < REORGANISATION and _COMMUNE_CODE.fullmatch(code):
            return RegisterGap(code, on, candidates)
        return Unknown(code, on, candidates)

    def units(self, on: date, province: str | None = None) -> tuple[Unit, ...]:
        """All units of that day, or those of one province (in the codes of that day)."""
        edition = self._edition(on)
        return tuple(edition.units.values()) if province is None else edition.by_province.get(province, ())

    def candidates(self, code: str, on: date = REORGANISATION, name: str | None = None) -> tuple[str, ...]:
        """Codes in force on that day that another one may stand for: a suggestion to confirm, never applied by itself.

        Leading zeros lost (`4` and `0004` suggest `00004`), blanks, two neighbours swapped; the successors or
        predecessors of units that carried the code at another time; units of the same name.
        """
        typed = re.sub(r"\s", "", code).upper()
        swapped = [typed[:i] + typed[i + 1] + typed[i] + typed[i + 2 :] for i in range(len(typed) - 1)]
        meant = [typed.zfill(5)] if len(typed) < 5 else [typed, *sorted(swapped)]
        for bearer in self.bearers(code):
            later = bearer.valid_from is not None and on < bearer.valid_from
            rows = self.predecessors(bearer.unit_id) if later else self.successors(bearer.unit_id)
            meant += [self._by_id[row.predecessor if later else row.successor].code for row in rows]
        if name:
            meant += [unit.code for unit in self.named(name, on)]
        known = self._edition(on).units
        return tuple(dict.fromkeys(one for one in meant if one in known and one != code))[:MOST_CANDIDATES]

    def named(self, name: str, on: date) -> tuple[Unit, ...]:
        """The units of that name on that day, however it is spelt; often several."""
        return self._edition(on).by_name.get(comparable(name), ())

    def called(self, asked: str) -> tuple[Province | District | Unit, ...]:
        """Whoever, at any time, has what is asked as a part of the name, whatever its marks and letter case."""
        is_part = finder(asked)
        return tuple(one for one, name in self._folded if is_part(name))

    @cached_property
    def _folded(self) -> tuple[tuple[Province | District | Unit, str], ...]:
        everybody: Iterable[Province | District | Unit] = chain(
            self._provinces, self._districts.values(), self._by_id.values()
        )
        return tuple((one, folded(one.name)) for one in everybody)

    def meaning(self, unit: Unit) -> tuple[date | None, date | None]:
        """From which day on, and before which, its code means this unit: until another one bears it, and of the first
        bearer on every day before. So whoever writes the code of a unit that has ended still means that unit."""
        bearers = self.bearers(unit.code)
        at = bearers.index(unit)
        after = bearers[at + 1 : at + 2]
        return unit.valid_from if at else None, after[0].valid_from if after else None

    # --------------------------------------------------------------------------------------- districts

    def district(self, code: str, on: date) -> District | None:
        """The district that carried `code` on that day."""
        return self._edition(on).districts.get(code)

    def districts(self, on: date) -> tuple[District, ...]:
        """All districts of that day; none where the level does not exist."""
        return tuple(self._edition(on).districts.values())

    @property
    def districts_ended(self) -> date | None:
        """First day without any district; `None` while one is in force."""
        ends = [one.valid_to for one in self._districts.values()]
        return None if None in ends else max(end for end in ends if end is not None)

    @cached_property
    def _districts(self) -> dict[str, District]:
        """By code, from their communes: a district exists as long as one of them does."""
        members: dict[str, list[Unit]] = {}
        for unit in self._by_id.values():
            if unit.district_code is not None:
                members.setdefault(unit.district_code, []).append(unit)
        return {code: _district(code, units) for code, units in sorted(members.items())}

    # --------------------------------------------------------------------------------------- provinces

    def province(self, code: str, on: date) -> Province | None:
        """The province that carried `code` on that day."""
        return self._edition(on).provinces.get(code)

    def provinces(self, on: date) -> tuple[Province, ...]:
        """All provinces of that day."""
        return tuple(self._edition(on).provinces.values())

    @cached_property
    def province_codes(self) -> tuple[str, ...]:
        """Codes of all provinces that ever were."""
        return tuple(sorted({province.code for province in self._provinces}))

    def holder(self, code: str, on: date) -> str | None:
        """Code (of that day) of the province to which the unit belonged; `None` for an unknown unit."""
        unit = self.unit(code, on)
        return unit.province_code if unit else None

    def speaker(self, province: str, on: date) -> str:
        """Code of today's province that speaks for what the province of that day held: its successor.

        Where a commune itself went is irrelevant: its files went with the province. `KeyError` for an unknown one.
        """
        return self._province_successor[province] if on < REORGANISATION else province

    def speaker_of(self, unit: Unit | District) -> str:
        """Code of today's province that speaks for a unit or district."""
        on = unit.valid_from or (unit.valid_to or date.max) - timedelta(days=1)
        return self.speaker(unit.province_code, on)

    def entitled_sender(self, code: str, on: date) -> str | None:
        """Code of today's province that may speak for the unit as it was on that day; `None` for an unknown unit."""
        holder = self.holder(code, on)
        return self.speaker(holder, on) if holder else None

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

    def counterpart(self, unit_id: str, on: date) -> Unit | None:
        """The unit in which a place known by `unit_id` lay on another day; `None` where the register does not tell.

        The unit itself if it existed on that day; else the one that it continues, or into which it went whole, however
        often. Of a place in a merged unit nobody knows in which of the former ones it lay.
        """
        ids = [*self.lineage(unit_id)]
        while (into := self._whole_into(ids[-1])) is not None and into not in ids:
            ids += [id for id in self.lineage(into) if id not in ids]
        same = map(self.by_id, ids)
        return next((unit for unit in same if unit is not None and unit.valid(on)), None)

    def _whole_into(self, unit_id: str) -> str | None:
        """The one unit that all of its territory went into."""
        rows = self.successors(unit_id)
        return rows[0].successor if [row.share for row in rows] == ["whole"] else None

    def lineage(self, unit_id: str) -> tuple[str, ...]:
        """All ids of the same unit, oldest first: of a continuing unit several, else the id itself (known or not)."""
        chain = [unit_id]
        while (unit := self.by_id(chain[0])) and (before := self.continues(unit)):
            chain.insert(0, before.unit_id)
        while after := self._continued_by(chain[-1]):
            chain.append(after)
        return tuple(chain)

    def _continued_by(self, unit_id: str) -> str | None:
        for row in self.successors(unit_id):
            if self.continues(self._by_id[row.successor]) is not None:
                return row.successor
        return None

    # -------------------------------------------------------------------------------------- correction

    def corrected(self, corrections: Iterable[RegisterCorrection]) -> Registry:
        """The register after further corrections, in this order. `KeyError` where one names what is not there."""
        units, taken = dict(self._by_id), [*self.corrections]
        rows = {(row.predecessor, row.successor): row for row in self._successions}
        for correction in corrections:
            taken.append(correction)
            for added in correction.added:
                id = unit_id_of(added.code, added.valid_from, added.valid_to)
                units[id] = Unit(unit_id=id, **added.model_dump())
            for changed in correction.changed:
                units[changed.unit_id] = replace(units[changed.unit_id], **changed.model_dump())
            for ended in correction.ended:
                units[ended] = replace(units[ended], valid_to=correction.decree.effective_on)
            for gone in correction.removed_successions:
                del rows[gone.predecessor, gone.successor]
            for row in correction.successions:
                rows[row.predecessor, row.successor] = Succession(**row.model_dump())
        return Registry(self._provinces, units.values(), self._province_successor, rows.values(), taken)

    def corrections_of(self, unit_id: str) -> tuple[RegisterCorrection, ...]:
        """The corrections that made the unit what it is, in their order."""
        return tuple(one for one in self.corrections if unit_id in touched_units(one))


def touched_units(correction: RegisterCorrection) -> frozenset[str]:
    """Ids of all units that a correction names."""
    rows: list[UnitPair] = [*correction.successions, *correction.removed_successions]
    return frozenset(
        [unit_id_of(one.code, one.valid_from, one.valid_to) for one in correction.added]
        + [one.unit_id for one in correction.changed]
        + correction.ended
        + [id for row in rows for id in (row.predecessor, row.successor)]
    )


def _district(code: str, units: Sequence[Unit]) -> District:
    begins, ends = [unit.valid_from for unit in units], [unit.valid_to for unit in units]
    latest = max(units, key=lambda unit: unit.valid_from or date.min)
    return District(
        code=code,
        name=latest.district_name or code,
        province_code=latest.province_code,
        valid_from=None if None in begins else min(day for day in begins if day is not None),
        valid_to=None if None in ends else max(day for day in ends if day is not None),
    )
