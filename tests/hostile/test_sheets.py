"""Sheets that nobody should send: none stops the reader, and each is told what is wrong with which cell."""

from __future__ import annotations

from pathlib import Path

from tests.hostile.inputs import Input, each, written
from tests.sheet_makers import bytes_of, found, headed, make, read, write


def built(given: Input, folder: Path) -> Path:
    """The file of an input."""
    if "csv" in given or "hex_of" in given:
        file = folder / "one.csv"
        file.write_bytes(bytes_of(given["hex_of"]) if "hex_of" in given else written(given["csv"]).encode())
        return file
    file = folder / "one.xlsx"
    if "make" in given:
        return make(given["make"], file)
    rows = headed(given["form"], given.get("numbers", "vi"))
    if "say" in given:
        rows[0] = given["say"]
    if "headings" in given:
        rows[1:] = [given["headings"]]
    put = {at: written(value) if isinstance(value, list) else value for at, value in given.get("put", {}).items()}
    return write(file, rows, put, merge=given.get("merge"), hide=given.get("hide"))


@each("sheets")
def test_a_hostile_sheet_is_told_what_is_wrong_with_which_cell(given: Input, tmp_path: Path) -> None:
    file = built(given, tmp_path)
    if given["comes"] != "read":
        assert found(file) == given["comes"]
        if given["comes"] == []:
            _, rows = read(file)
            assert {row.state for row in rows} == {"header", given.get("state", "ready")}
        return
    sheet, rows = read(file)
    assert sum(sheet.counts.values()) == len(rows)
    assert any(row.state == "ready" for row in rows)
