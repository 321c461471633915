"""Small rulebook folders of a ministry or province, as an official would write them; their values are invented."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import yaml

from shared.rulebook.source import DATA

RUBRIC = "lc_commune_44_2014"
MAXIMA = {f"TC{nth}": points for nth, points in enumerate((10, 5, 5, 10, 10, 5, 5, 10, 10, 5, 5, 5, 5, 5, 5), start=1)}

TABLE = """
rubric: lc_commune_44_2014
id: lc_commune_44_2014/da-nang-2016
name: {vi: "Bảng điểm của Đà Nẵng", en: "Point table of Đà Nẵng"}
effective_from: 2016-03-04
effective_to: 2024-02-12
successor: not_found
provenance: found
citation: "Quyết định 1178/QĐ-UBND ngày 04/3/2016 của UBND thành phố Đà Nẵng"
total: 100
step: 0.5
maxima: {TC1: 10, TC2: 5, TC3: 5, TC4: 10, TC5: 10, TC6: 5, TC7: 5, TC8: 10, TC9: 10, TC10: 5, TC11: 5, TC12: 5,
         TC13: 5, TC14: 5, TC15: 5}
"""


def table(**changes: Any) -> dict[str, Any]:
    """An own point table of Đà Nẵng for Circular 44/2014; `None` leaves an entry out."""
    content = yaml.safe_load(TABLE) | changes
    return {key: value for key, value in content.items() if value is not None}


def shipped(name: str) -> dict[str, Any]:
    """A file of the shipped rulebook."""
    content: dict[str, Any] = yaml.load((DATA / name).read_text(encoding="utf-8"), yaml.CSafeLoader)
    return content


def version(name: str, **changes: Any) -> dict[str, Any]:
    """The latest shipped version of a policy with changes; `None` leaves an entry out."""
    content = shipped(name)["versions"][-1] | changes
    return {key: value for key, value in content.items() if value is not None}


def put(folder: Path, name: str, content: Any) -> Path:
    """Write a file (a mapping as YAML, a text as it is) and return the folder."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = textwrap.dedent(content) if isinstance(content, str) else yaml.safe_dump(content, allow_unicode=True)
    file.write_text(text, encoding="utf-8")
    return folder
