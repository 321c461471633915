"""Reads the register's CSV files. A missing, empty or contradictory file stops loudly: never half a country."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar, cast

from shared.contracts.base import to_nfc
from shared.registry.lookups import Registry
from shared.registry.units import REORGANISATION, Province, Succession, Unit

DATA = Path(__file__).parent / "data"
Row = dict[str, str]
T = TypeVar("T", Province, Unit)
_CODES = {"province": re.compile(r"[0-9]{2}"), "commune": re.compile(r"[0-9]{5}|D[0-9]{3}")}


class _Edition(NamedTuple):
    """One state of the country as its two files hold it, by code."""

    provinces: dict[str, Province]
    units: dict[str, Unit]


class RegistryError(Exception):
    """A register file is missing, empty or contradicts itself."""

    def __init__(self, file: str, message: str) -> None:
        self.file = file
        super().__init__(f"register file {file}: {message}")


@cache
def registry() -> Registry:
    """The register that is shipped with the project, read once per process. Raises `RegistryError`."""
    return load(DATA)


def load(folder: Path) -> Registry:
    """Read both editions and the successions between them.

    Raises:
        RegistryError: a file is missing or empty, lacks a column, repeats a code, or names a code in no edition.
    """
    legacy = _edition(folder, "legacy_provinces.csv", "legacy_communes.csv", None, REORGANISATION)
    current = _edition(folder, "provinces.csv", "communes.csv", REORGANISATION, None)
    return Registry(
        (*legacy.provinces.values(), *current.provinces.values()),
        (*legacy.units.values(), *current.units.values()),
        _province_succession(folder, legacy, current),
        _succession(folder, legacy, current),
    )


def _edition(folder: Path, provinces: str, communes: str, valid_from: date | None, valid_to: date | None) -> _Edition:
    edition = "2025-07" if valid_from else "pre-2025-07"

    def province(row: Row) -> Province:
        return Province(_code(provinces, row, "province"), row["name"], valid_from, valid_to)

    def unit(row: Row) -> Unit:
        if not row["code"]:  # islands without communes: the district stands for the unit, as in the succession file
            row = row | {"code": f"D{row['district_code']}", "name": row["district_name"], "type": "Huyện"}
        code = _code(communes, row, "commune")
        return Unit(
            unit_id=f"{code}@{edition}",
            code=code,
            name=row["name"],
            type=row["type"],
            province_code=row["province_code"],
            valid_from=valid_from,
            valid_to=valid_to,
            district_code=row.get("district_code"),
            district_name=row.get("district_name"),
            area_km2=_number(communes, row, "area_km2"),
            lat=_number(communes, row, "lat"),
            lon=_number(communes, row, "lon"),
        )

    known = _by_code(provinces, map(province, _read(folder, provinces, "code", "name")))
    units = _by_code(communes, map(unit, _read(folder, communes, "code", "name", "type", "province_code")))
    for one in units.values():
        if one.province_code not in known:
            raise RegistryError(communes, f"{one.code} names the province {one.province_code!r}, not in {provinces}")
    return _Edition(known, units)


def _province_succession(folder: Path, legacy: _Edition, current: _Edition) -> dict[str, str]:
    file = "province_succession_2025.csv"
    rows = {row["legacy_code"]: row["code"] for row in _read(folder, file, "legacy_code", "code")}
    if rows.keys() != legacy.provinces.keys() or set(rows.values()) != current.provinces.keys():
        raise RegistryError(file, "must lead every old province to a new one, and to every new one at least one")
    return rows


def _succession(folder: Path, legacy: _Edition, current: _Edition) -> list[Succession]:
    file = "commune_succession_2025.csv"
    found: list[Succession] = []
    for row in _read(folder, file, "legacy_code", "code", "share", "is_default"):
        before, after = legacy.units.get(row["legacy_code"]), current.units.get(row["code"])
        if before is None or after is None:
            raise RegistryError(file, f"{row['legacy_code']} → {row['code']} names a code that is in no edition")
        if row["share"] not in ("whole", "part") or row["is_default"] not in ("0", "1"):
            raise RegistryError(file, f"{row['legacy_code']} → {row['code']} must be whole or part, default 0 or 1")
        share = cast(Literal["whole", "part"], row["share"])
        found.append(Succession(before.unit_id, after.unit_id, share, row["is_default"] == "1"))
    _prove_whole(file, legacy, current, found)
    return found


def _prove_whole(file: str, legacy: _Edition, current: _Edition, rows: list[Succession]) -> None:
    """No unit is lost between the editions: half a file must not load as half a country."""
    by_predecessor: dict[str, list[Succession]] = {unit.unit_id: [] for unit in legacy.units.values()}
    for row in rows:
        by_predecessor[row.predecessor].append(row)
    for unit_id, own in by_predecessor.items():
        if sum(row.is_default for row in own) != 1:
            raise RegistryError(file, f"{unit_id} must have one main successor")
        if any(row.share == "whole" for row in own) and len(own) > 1:
            raise RegistryError(file, f"{unit_id} goes whole to one unit, and to another as well")
    orphans = {unit.unit_id for unit in current.units.values()} - {row.successor for row in rows}
    if orphans:
        raise RegistryError(file, f"{min(orphans)} came from nowhere; every unit has a predecessor")


def _read(folder: Path, file: str, *columns: str) -> list[Row]:
    try:
        text = to_nfc((folder / file).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise RegistryError(file, "is missing; restore it, the register must be whole") from None
    reader = csv.DictReader(io.StringIO(text))
    missing = set(columns) - set(reader.fieldnames or ())
    if missing:
        raise RegistryError(file, f"has no column {', '.join(sorted(missing))}")
    rows = list(reader)
    if not rows:
        raise RegistryError(file, "holds no row; restore it, the register must be whole")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise RegistryError(file, f"line {line} has not as many fields as the header")
    return rows


def _by_code(file: str, items: Iterable[T]) -> dict[str, T]:
    by_code: dict[str, T] = {}
    for item in items:
        if item.code in by_code:
            raise RegistryError(file, f"the code {item.code} stands twice")
        by_code[item.code] = item
    return dict(sorted(by_code.items()))


def _code(file: str, row: Row, kind: str) -> str:
    if not _CODES[kind].fullmatch(row["code"]):
        raise RegistryError(file, f"{row['code']!r} is no {kind} code; codes are text with their leading zeros")
    return row["code"]


def _number(file: str, row: Row, column: str) -> Decimal | None:
    text = row.get(column)
    try:
        return Decimal(text) if text else None
    except ArithmeticError:
        raise RegistryError(file, f"{row['code']}: {column} is no number: {text!r}") from None
