"""The newcomer's map names real places."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAP = (ROOT / "docs/how-it-works.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:shared|services|tests|docs)/[\w./-]+|[A-Z]+\.md)`", MAP)))


def test_every_path_of_the_map_exists() -> None:
    """A map with a wrong path costs a newcomer more than none."""
    assert len(PATHS) > 20
    assert [path for path in PATHS if not (ROOT / path).exists()] == []


def test_the_map_names_every_service_and_every_room_of_delivery() -> None:
    """A service or room that the map leaves out is found by nobody."""
    rooms = [path for path in (ROOT / "shared/messaging").iterdir() if (path / "__init__.py").exists()]
    services = [path for path in (ROOT / "services").iterdir() if (path / "__init__.py").exists()]
    unnamed = [
        path.relative_to(ROOT).as_posix()
        for path in (*rooms, *services)
        if f"`{path.relative_to(ROOT).as_posix()}" not in MAP
    ]
    assert unnamed == []


def test_the_map_fits_on_two_pages() -> None:
    """About sixty lines are a page."""
    assert len(MAP.splitlines()) <= 120
