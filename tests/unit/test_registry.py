"""The register: (code, date) look-ups, successions, senders, names, and loud failure."""

from __future__ import annotations

import shutil
import unicodedata
from datetime import date
from pathlib import Path

import pytest

from shared.registry import RegisterGap, RegistryError, Unit, Unknown, finder, folded, load, registry, same_name
from shared.registry.loading import DATA

TODAY = date(2025, 12, 31)
FIRST_DAY = date(2025, 7, 1)
LAST_DAY_BEFORE = date(2025, 6, 30)
OLD = date(2022, 12, 31)


def test_counts_are_those_of_the_decisions() -> None:
    assert len(registry().units(TODAY)) == 3321
    assert len(registry().provinces(TODAY)) == 34
    assert len(registry().units(OLD)) == 10_040
    assert len(registry().provinces(OLD)) == 63
    assert sum(len(registry().units(TODAY, province.code)) for province in registry().provinces(TODAY)) == 3321
    assert len(registry().units(TODAY, "01")) == 126
    assert registry().units(TODAY, "99") == ()


def test_a_code_means_another_unit_before_and_after_the_reorganisation() -> None:
    before, after = registry().unit("00004", LAST_DAY_BEFORE), registry().unit("00004", FIRST_DAY)
    assert before is not None
    assert after is not None
    assert (before.unit_id, before.name) == ("00004@pre-2025-07", "Phường Trúc Bạch")
    assert (after.unit_id, after.name) == ("00004@2025-07", "Phường Ba Đình")
    assert before.valid_to == after.valid_from == FIRST_DAY
    assert registry().by_id(before.unit_id) is before
    assert registry().by_id(after.unit_id) is after
    assert registry().by_id("00004") is None


def test_a_code_that_is_not_there_is_a_gap_before_and_unknown_after() -> None:
    assert isinstance(registry().lookup("00004", TODAY), Unit)
    assert registry().lookup("99999", LAST_DAY_BEFORE) == RegisterGap("99999", LAST_DAY_BEFORE)
    assert registry().lookup("99999", FIRST_DAY) == Unknown("99999", FIRST_DAY, ())
    assert registry().lookup("0004", TODAY) == Unknown("0004", TODAY, ("00004",))
    assert registry().lookup("0004", OLD) == Unknown("0004", OLD, ("00004",)), "no code at all is no gap"


@pytest.mark.parametrize("typed", ["4", "0004", " 00004"])
def test_candidates_for_a_mistyped_code(typed: str) -> None:
    assert registry().candidates(typed) == ("00004",)


def test_no_candidate_is_invented() -> None:
    assert registry().candidates("99999") == ()
    assert registry().candidates("Ba Đình") == ()
    assert registry().candidates("") == ()


def test_islands_without_communes_are_named_by_their_district() -> None:
    island = registry().unit("D755", OLD)
    assert island is not None
    assert (island.name, island.province_code) == ("Huyện Côn Đảo", "77")
    assert [registry().by_id(row.successor) for row in registry().successors(island.unit_id)]
    assert registry().unit("D755", TODAY) is None


def test_the_sender_is_the_successor_of_the_province_that_held_the_unit() -> None:
    quang_binh = next(unit for unit in registry().units(OLD, "44"))
    assert registry().holder(quang_binh.code, OLD) == "44"
    assert registry().entitled_sender(quang_binh.code, OLD) == "44"
    binh_dinh = next(unit for unit in registry().units(OLD, "52"))
    assert registry().entitled_sender(binh_dinh.code, OLD) == "52"
    gia_lai = next(unit for unit in registry().units(OLD, "64"))
    assert registry().entitled_sender(gia_lai.code, OLD) == "52"
    assert registry().entitled_sender("D755", OLD) == "79"
    assert registry().entitled_sender("00004", TODAY) == "01"
    assert registry().entitled_sender("99999", TODAY) is None
    assert registry().entitled_sender("99999", OLD) is None


def test_137_units_continue_under_a_new_id() -> None:
    continuing = [unit for unit in registry().units(TODAY) if registry().continues(unit)]
    assert len(continuing) == 137
    for unit in continuing:
        predecessor = registry().continues(unit)
        assert predecessor is not None
        assert [row.successor for row in registry().successors(predecessor.unit_id)] == [unit.unit_id]
        assert registry().lineage(unit.unit_id) == (predecessor.unit_id, unit.unit_id)
        assert registry().lineage(predecessor.unit_id) == (predecessor.unit_id, unit.unit_id)


def test_every_other_unit_stands_alone() -> None:
    assert registry().lineage("00004@2025-07") == ("00004@2025-07",)
    assert registry().lineage("00004@pre-2025-07") == ("00004@pre-2025-07",)
    assert registry().lineage("nobody") == ("nobody",)


def test_successions_are_complete_and_have_one_main_successor() -> None:
    for unit in registry().units(OLD):
        rows = registry().successors(unit.unit_id)
        assert sum(row.is_default for row in rows) == 1
        assert all(row.share == "part" for row in rows) or len(rows) == 1
    assert all(registry().predecessors(unit.unit_id) for unit in registry().units(TODAY))


def test_every_name_is_nfc() -> None:
    for on in (OLD, TODAY):
        assert all(unicodedata.is_normalized("NFC", unit.name) and unit.name for unit in registry().units(on))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Phường Hoà Bình", "Phường Hòa Bình"),
        ("Xã Thuỷ Xuân", "Xã Thủy Xuân"),
        ("Xã M'Đrắk", "Xã M Đrắk"),
        ("Xã M\u2019Đrắk", "xã m'đrắk"),
        ("Phường Ba Đình", unicodedata.normalize("NFD", "Phường Ba Đình")),
    ],
)
def test_same_name(a: str, b: str) -> None:
    assert same_name(a, b)
    assert same_name(b, a)


@pytest.mark.parametrize(
    ("a", "b"), [("Xã Nà Hang", "Xã Na Hang"), ("Xã Đông", "Xã Dông"), ("Xã Lý", "Xã Lỳ"), ("Xã Tân", "Phường Tân")]
)
def test_other_name(a: str, b: str) -> None:
    assert not same_name(a, b)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("ba dinh", "Phường Ba Đình"),
        ("Ba Đình", "Phường Ba Đình"),
        (unicodedata.normalize("NFD", "ĐÌNH"), "Phường Ba Đình"),
        ("Ba \u00d0inh", "Phường Ba Đình"),
        ("phuong ba", unicodedata.normalize("NFD", "Phường Ba Đình")),
        ("ｂａ ｄｉｎｈ", "Phường Ba Đình"),
        ("drak", "Xã M'Đrắk"),
        ("mdrak", "Xã M'Đrắk"),
        ("M\u2019Đrắk", "xã m đrắk"),
        ("nguyen tat thanh", "TTHTCĐ P. Nguyễn Tất Thành (cơ sở 2)"),
        ("co so 2", "TTHTCĐ P. Nguyễn Tất Thành (cơ sở 2)"),
        ("uong bi", "Phường Uông Bí"),
    ],
)
def test_a_name_is_found_by_a_part_whatever_its_marks_and_letter_case(asked: str, name: str) -> None:
    assert finder(asked)(folded(name))


@pytest.mark.parametrize("asked", ["inh", "huong", "ba dinh xa", "dinh ba", "", " ", "'", ".*", "(", "[a]"])
def test_what_is_no_part_of_a_name_finds_nothing(asked: str) -> None:
    """Signs mean nothing, and nothing else either."""
    assert not finder(asked)(folded("Phường Ba Đình"))


@pytest.mark.parametrize("file", sorted(path.name for path in DATA.glob("*.csv")))
@pytest.mark.parametrize(("content", "message"), [(None, "is missing"), ("", "no column")])
def test_d10_a_missing_or_empty_file_stops_loudly(tmp_path: Path, file: str, content: str | None, message: str) -> None:
    folder = shutil.copytree(DATA, tmp_path / "data")
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(RegistryError, match=message) as caught:
        load(folder)
    assert caught.value.file == file


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("communes.csv", "\n00008,", "\n00004,", "00004 stands twice"),
        ("communes.csv", "\n00008,", "\n8,", "codes are text"),
        ("communes.csv", "Phường,01,21.0386", "Phường,99,21.0386", "names the province '99'"),
        ("communes.csv", "21.0386", "north", "lat is no number"),
        ("communes.csv", "21.0386,105.838,2.97", "21.0386", "line 2 has not as many fields"),
        ("commune_succession_2025.csv", "00001,00097,whole,1", "00001,99999,whole,1", "in no edition"),
        ("commune_succession_2025.csv", "00001,00097,whole,1", "00001,00097,most,1", "whole or part"),
        ("province_succession_2025.csv", "02,08", "02,99", "every old province"),
    ],
)
def test_a_contradictory_file_stops_loudly(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    folder = shutil.copytree(DATA, tmp_path / "data")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RegistryError, match=message):
        load(folder)


def test_only_a_header_is_empty(tmp_path: Path) -> None:
    folder = shutil.copytree(DATA, tmp_path / "data")
    (folder / "communes.csv").write_text("code,name,type,province_code,lat,lon,area_km2\n", encoding="utf-8")
    with pytest.raises(RegistryError, match="holds no row"):
        load(folder)
