"""The register on both sides of 1 July 2025, checked unit by unit against the imported files themselves.

What is asserted here is read from the CSV files with the standard library, not through the loader under test.
"""

from __future__ import annotations

import csv
import shutil
import unicodedata
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.registry import RegisterGap, RegistryError, Unit, Unknown, load, registry, same_name
from shared.registry.loading import DATA

LAST_DAY, FIRST_DAY = date(2025, 6, 30), date(2025, 7, 1)
LONG_BEFORE, LONG_AFTER = date(2013, 12, 31), date(2030, 12, 31)
Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """A file's rows as they are."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [
            {key: unicodedata.normalize("NFC", value) for key, value in row.items()} for row in csv.DictReader(file)
        ]


def code_of(legacy: Row) -> str:
    """A legacy unit's code; the five islands without communes are named by their district."""
    return legacy["code"] or f"D{legacy['district_code']}"


COMMUNES, LEGACY = rows("communes"), rows("legacy_communes")
SUCCESSION, PROVINCES = rows("commune_succession_2025"), rows("province_succession_2025")
PROVINCE_AFTER = {row["legacy_code"]: row["code"] for row in PROVINCES}


# ------------------------------------------------------------------------------------------------- resolution


@pytest.mark.parametrize("on", [FIRST_DAY, LONG_AFTER])
def test_d4_every_commune_resolves_since_the_reform(on: date) -> None:
    assert len(COMMUNES) == 3_321
    for row in COMMUNES:
        unit = registry().lookup(row["code"], on)
        assert isinstance(unit, Unit)
        assert (unit.unit_id, unit.name, unit.type) == (f"{row['code']}@2025-07", row["name"], row["type"])
        assert (unit.province_code, unit.valid_from, unit.valid_to) == (row["province_code"], FIRST_DAY, None)
    assert {unit.code for unit in registry().units(on)} == {row["code"] for row in COMMUNES}


@pytest.mark.parametrize("on", [LONG_BEFORE, LAST_DAY])
def test_d4_every_legacy_unit_resolves_until_the_reform(on: date) -> None:
    assert len(LEGACY) == 10_040
    for row in LEGACY:
        unit = registry().lookup(code_of(row), on)
        assert isinstance(unit, Unit)
        assert (unit.unit_id, unit.name) == (f"{code_of(row)}@pre-2025-07", row["name"] or row["district_name"])
        assert (unit.province_code, unit.district_code) == (row["province_code"], row["district_code"])
        assert (unit.valid_from, unit.valid_to) == (None, FIRST_DAY)
    assert {unit.code for unit in registry().units(on)} == {code_of(row) for row in LEGACY}


def test_d4_a_code_means_one_unit_before_and_another_after() -> None:
    """D4: nearly all codes were used again, most of them for a unit of another name."""
    before = {code_of(row): row["name"] for row in LEGACY}
    again = [row for row in COMMUNES if row["code"] in before]
    renamed = [row for row in again if row["name"] != before[row["code"]]]
    others = [row for row in renamed if not same_name(row["name"], before[row["code"]])]
    assert (len(again), len(renamed), len(others)) == (3_316, 2_145, 2_140), "five differ in spelling only"
    for row in again:
        old, new = registry().unit(row["code"], LAST_DAY), registry().unit(row["code"], FIRST_DAY)
        assert old is not None
        assert new is not None
        assert old.unit_id != new.unit_id
        assert registry().bearers(row["code"]) == (old, new)


def test_d4_a_code_of_one_side_only_is_no_unit_on_the_other() -> None:
    """A dropped code is refused afterwards, with its successors; a new one is a gap before, with its predecessors."""
    legacy, current = {code_of(row) for row in LEGACY}, {row["code"] for row in COMMUNES}
    into = defaultdict(set)
    out_of = defaultdict(set)
    for row in SUCCESSION:
        into[row["legacy_code"]].add(row["code"])
        out_of[row["code"]].add(row["legacy_code"])
    assert (len(legacy - current), len(current - legacy)) == (6_724, 5)
    for code in legacy - current:
        found = registry().lookup(code, FIRST_DAY)
        assert isinstance(found, Unknown)
        assert into[code] <= set(found.candidates)
    for code in current - legacy:
        gap = registry().lookup(code, LAST_DAY)
        assert isinstance(gap, RegisterGap)
        assert set(gap.candidates) & out_of[code]


@pytest.mark.parametrize("on", [LAST_DAY, FIRST_DAY])
def test_d4_units_of_one_name_are_told_apart_by_their_codes_alone(on: date) -> None:
    names = Counter(unit.name for unit in registry().units(on))
    shared = {name for name, times in names.items() if times > 1}
    assert len(shared) > 200
    for name in shared:
        bearers = registry().named(name, on)
        assert len({unit.code for unit in bearers}) == len(bearers) >= names[name]
        assert all(registry().unit(unit.code, on) is unit for unit in bearers)


# ------------------------------------------------------------------------------------------------- succession


def test_d1_every_succession_of_the_file_is_there_and_no_other() -> None:
    """D1: predecessors are closed, not deleted: each is found by its id, and on the days on which it existed."""
    told = {(row["legacy_code"], row["code"], row["share"], row["is_default"] == "1") for row in SUCCESSION}
    known = {
        (_code(one.predecessor), _code(one.successor), one.share, one.is_default)
        for row in LEGACY
        for one in registry().successors(f"{code_of(row)}@pre-2025-07")
    }
    assert known == told
    assert len(told) == len(SUCCESSION) == 10_572
    for row in LEGACY:
        closed = registry().by_id(f"{code_of(row)}@pre-2025-07")
        assert closed is not None
        assert closed.valid_to == FIRST_DAY
        assert closed is registry().unit(closed.code, LAST_DAY)


def test_d2_only_a_unit_with_one_whole_predecessor_continues_it() -> None:
    """D2: whatever else was merged or split starts unassessed, also where it kept code and name."""
    feeding = defaultdict(list)
    for row in SUCCESSION:
        feeding[row["code"]].append(row)
    continuing = 0
    for row in COMMUNES:
        sources = feeding[row["code"]]
        unit = registry().unit(row["code"], FIRST_DAY)
        assert unit is not None
        alone = len(sources) == 1 and sources[0]["share"] == "whole"
        same = registry().continues(unit)
        assert (same.code if same else None) == (sources[0]["legacy_code"] if alone else None)
        assert registry().lineage(unit.unit_id) == ((same.unit_id, unit.unit_id) if same else (unit.unit_id,))
        continuing += alone
    assert continuing == 137


def test_d2_no_part_of_a_split_inherits() -> None:
    parts = [row for row in SUCCESSION if row["share"] == "part"]
    assert len({row["legacy_code"] for row in parts}) == 441
    for row in parts:
        unit = registry().unit(row["code"], FIRST_DAY)
        assert unit is not None
        assert registry().continues(unit) is None


# ------------------------------------------------------------------------------------------------- rights


def test_d3_the_entitled_sender_before_and_after_the_effective_day() -> None:
    """D3, A10: before, the successor of the province that held the unit; since, the province itself."""
    for row in LEGACY:
        assert registry().entitled_sender(code_of(row), LAST_DAY) == PROVINCE_AFTER[row["province_code"]]
    for row in COMMUNES:
        assert registry().entitled_sender(row["code"], FIRST_DAY) == row["province_code"]


def test_d3_a_reused_code_may_change_its_sender_from_one_day_to_the_next() -> None:
    """1,287 re-used codes lie under another province's code now; for some even the successor is another."""
    moved = [
        row["code"]
        for row in COMMUNES
        if registry().entitled_sender(row["code"], LAST_DAY) not in (None, row["province_code"])
    ]
    for code in moved:
        before, after = (registry().entitled_sender(code, day) for day in (LAST_DAY, FIRST_DAY))
        assert before != after
        assert registry().holder(code, FIRST_DAY) == after
    changed = [
        row["code"]
        for row in COMMUNES
        if registry().holder(row["code"], LAST_DAY) not in (None, registry().holder(row["code"], FIRST_DAY))
    ]
    assert len(changed) == 1_287
    assert set(moved) <= set(changed)


# ------------------------------------------------------------------------------------------------- levels


def test_d7_the_level_of_districts_has_an_end() -> None:
    """D7: 696 districts until 30 June 2025, none since: a level is data with dates, not a column."""
    told = {row["district_code"]: (row["district_name"], row["province_code"]) for row in LEGACY}
    assert len(told) == len(registry().districts(LAST_DAY)) == 696
    for code, (name, province) in told.items():
        district = registry().district(code, LAST_DAY)
        assert district is not None
        assert (district.name, district.province_code) == (name, province)
        assert (district.valid_from, district.valid_to) == (None, FIRST_DAY)
        assert registry().district(code, FIRST_DAY) is None
    assert registry().districts(FIRST_DAY) == ()
    assert registry().districts_ended == FIRST_DAY


# ------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Xã Hoà Bình", "Xã Hòa Bình", True),
        ("Huyện M'Đrắk", "Huyện M Đrắk", True),
        ("Huyện M’Đrắk", "HUYỆN M'ĐRẮK", True),
        ("thị xã Hồng Ngự", "Thị xã Hồng Ngự", True),
        ("Thị trấn M'Drắk", "Thị trấn M'Đrắk", False),
        ("Huyện Duy Tiên", "Thị xã Duy Tiên", False),
        ("Xã Nà Hang", "Xã Na Hang", False),
    ],
)
def test_b10_a_spelling_is_the_same_name_and_another_name_is_never_another_unit(a: str, b: str, same: bool) -> None:
    """B10: names drift. Whatever is written, the code decides which unit is meant."""
    assert same_name(a, b) is same
    unit = registry().unit("00004", FIRST_DAY)
    assert registry().lookup("00004", FIRST_DAY, a) is unit
    assert registry().lookup("00004", FIRST_DAY, b) is unit


@given(unit=st.sampled_from(registry().units(FIRST_DAY)), name=st.text(max_size=30))
def test_b10_no_name_changes_what_a_code_means(unit: Unit, name: str) -> None:
    assert registry().lookup(unit.code, FIRST_DAY, name) is unit
    assert unit in registry().named(unicodedata.normalize("NFD", unit.name).upper(), FIRST_DAY)


# ------------------------------------------------------------------------------------------------- half a register


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("*.csv")))
def test_d10_half_a_file_is_no_register(tmp_path: Path, file: str) -> None:
    """D10: a snapshot that lost its second half stops loudly, whichever file it is; nothing loads a smaller country."""
    folder = shutil.copytree(DATA, tmp_path / "data")
    lines = (folder / file).read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / file).write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    with pytest.raises(RegistryError):
        load(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("00001,00097,whole,1", "00001,00097,whole,0", "one main successor"),
        ("00007,00025,part,0", "00007,00025,whole,0", "goes whole to one unit, and to another"),
    ],
)
def test_d10_a_succession_that_loses_or_doubles_a_unit_stops(tmp_path: Path, old: str, new: str, message: str) -> None:
    folder = shutil.copytree(DATA, tmp_path / "data")
    file = folder / "commune_succession_2025.csv"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(RegistryError, match=message):
        load(folder)


def _code(unit_id: str) -> str:
    return unit_id.split("@", 1)[0]


def test_a_place_is_followed_to_its_unit_of_another_day_never_by_a_code_that_was_used_again() -> None:
    known, before, after = registry(), date(2024, 12, 31), date(2025, 12, 31)
    followed = 0
    for unit in known.units(after):
        former = known.counterpart(unit.unit_id, before)
        assert known.counterpart(unit.unit_id, after) == unit
        if former is None:  # made of several units, or of parts
            assert known.continues(unit) is None
            continue
        followed += 1
        assert former == known.continues(unit)
    assert followed > 100
    merged = [unit for unit in known.units(before) if known.counterpart(unit.unit_id, after) is not None]
    assert len(merged) > 5_000, "most former units went whole into one"
